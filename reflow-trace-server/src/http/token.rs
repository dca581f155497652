//! Tokens: who may do what.
//!
//! A token is 32 random bytes, so its SHA-256 needs no salt, and only that is stored:
//! `name:scope+scope:sha256:hex`. A presented token is hashed and compared with every stored hash in
//! constant time, without stopping at the first that fits. As soon as there is one token every
//! request needs one; without any, everybody may do everything, which the configuration only allows
//! on loopback or when told so.

use std::fmt;
use std::path::Path;

use rustls::crypto::{CryptoProvider, SecureRandom};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::grant::Grant;
use crate::config::{Auth, ConfigError};

/// What a token permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Send batches.
    Ingest,
    /// Ask questions, read metrics.
    Query,
    /// Receive events live.
    Subscribe,
    /// See captured content.
    Content,
    /// Everything.
    Admin,
}

/// The scopes of one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(u8);

/// A token as it is given to a client, and the line that the server stores of it.
#[derive(Clone, PartialEq, Eq)]
pub struct NewToken {
    /// What the client presents. Shown once.
    pub secret: String,
    /// What belongs into `auth.tokens` or the file of `auth.tokens_file`.
    pub line: String,
}

/// All tokens of a server.
#[derive(Debug, Default)]
pub struct Tokens {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    scopes: Scopes,
    hash: [u8; 32],
}

/// Who presents a request, as far as the server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// There are no tokens: everybody may do everything.
    Anyone,
    /// The bearer of the token of this name.
    Bearer(String),
}

/// Why a request may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It has no token, or not in the form `Authorization: Bearer …`.
    Missing,
    /// Nobody has this token.
    Wrong,
    /// The token is known and does not permit this.
    Scope(Scope),
}

/// The beginning of every secret, so that scanners of repositories recognise one.
const SECRET_PREFIX: &str = "rft_";
/// A longer header is no token of ours.
const SECRET_BYTES_MAX: usize = 256;
/// The largest file of tokens that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;

impl Scope {
    /// All of them, as they are explained.
    pub const ALL: [Self; 5] = [
        Self::Ingest,
        Self::Query,
        Self::Subscribe,
        Self::Content,
        Self::Admin,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Query => "query",
            Self::Subscribe => "subscribe",
            Self::Content => "content",
            Self::Admin => "admin",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Scopes {
    /// Reads `ingest+query`.
    ///
    /// # Errors
    ///
    /// The word that is no scope, and the scopes there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut scopes = 0;
        for word in text.split('+').map(str::trim) {
            let scope = Scope::ALL.into_iter().find(|scope| scope.name() == word);
            scopes |= scope.map(Scope::bit).ok_or_else(|| {
                format!(
                    "`{}` is no scope: write one or more of ingest, query, subscribe, content, admin with `+` between",
                    word.escape_debug()
                )
            })?;
        }
        Ok(Self(scopes))
    }

    /// Whether this is among them. `admin` is all.
    pub fn permit(self, scope: Scope) -> bool {
        self.0 & (scope.bit() | Scope::Admin.bit()) != 0
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for scope in Scope::ALL {
            if self.0 & scope.bit() != 0 {
                write!(f, "{between}{}", scope.name())?;
                between = "+";
            }
        }
        Ok(())
    }
}

impl NewToken {
    /// Draws a token.
    ///
    /// # Errors
    ///
    /// A name that cannot stand in a line, or a machine without randomness.
    pub fn draw(name: &str, scopes: Scopes) -> Result<Self, String> {
        if !is_name(name) {
            return Err(format!(
                "`{}` is no name for a token: use up to 64 letters, digits, `-`, `_`, `.`",
                name.escape_debug()
            ));
        }
        let mut bytes = [0; 32];
        random()
            .fill(&mut bytes)
            .map_err(|_| "the system gives no random numbers".to_owned())?;
        let secret = format!("{SECRET_PREFIX}{}", hex(&bytes));
        let hash = Sha256::digest(secret.as_bytes());
        let line = format!("{name}:{scopes}:sha256:{}", hex(&hash));
        Ok(Self { secret, line })
    }
}

impl Tokens {
    /// Reads the tokens that the configuration names.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, a line that is no token, a name that is there twice. No line is
    /// ever part of the message: somebody may have written the secret into it.
    pub fn load(auth: &Auth) -> Result<Self, ConfigError> {
        let mut tokens = Self::default();
        for (index, line) in auth.tokens.iter().enumerate() {
            tokens.add(line).map_err(|why| {
                ConfigError::unusable(format!("`auth.tokens`: number {}: {why}", index + 1))
            })?;
        }
        if let Some(path) = &auth.tokens_file {
            tokens.add_file(path)?;
        }
        Ok(tokens)
    }

    /// Whether the bearer of this header may do this.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn judge(&self, authorization: Option<&[u8]>, scope: Scope) -> Result<Caller, Denied> {
        let grant = self.grant(authorization)?;
        if grant.permits(scope) {
            Ok(grant.caller)
        } else {
            Err(Denied::Scope(scope))
        }
    }

    /// What the bearer of this header may do.
    ///
    /// # Errors
    ///
    /// It has no token, or one that nobody has.
    pub(crate) fn grant(&self, authorization: Option<&[u8]>) -> Result<Grant, Denied> {
        if self.entries.is_empty() {
            let (caller, scopes) = (Caller::Anyone, None);
            return Ok(Grant { caller, scopes });
        }
        let secret = authorization.and_then(bearer).ok_or(Denied::Missing)?;
        let entry = self.find(secret).ok_or(Denied::Wrong)?;
        Ok(Grant {
            caller: Caller::Bearer(entry.name.clone()),
            scopes: Some(entry.scopes),
        })
    }

    /// Whether everybody may do everything.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn find(&self, secret: &[u8]) -> Option<&Entry> {
        let hash = Sha256::digest(secret);
        // All entries are looked at, whichever fits, so that the time tells nothing.
        let mut found = u32::MAX;
        for (index, entry) in (0_u32..).zip(&self.entries) {
            let same: Choice = entry.hash[..].ct_eq(&hash[..]);
            found.conditional_assign(&index, same);
        }
        self.entries.get(found as usize)
    }

    fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let shown = path.display();
        let unreadable =
            |why: String| ConfigError::unusable(format!("`auth.tokens_file`: `{shown}` {why}"));
        let about = std::fs::metadata(path)
            .map_err(|error| unreadable(format!("cannot be read: {error}")))?;
        if about.len() > FILE_BYTES_MAX {
            return Err(unreadable(
                "is larger than 1 MiB: is it a file of tokens?".to_owned(),
            ));
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| unreadable(format!("cannot be read: {error}")))?;
        let before = self.entries.len();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or("").trim();
            if !line.is_empty() {
                self.add(line)
                    .map_err(|why| ConfigError::unusable(format!("{shown}:{number}: {why}")))?;
            }
        }
        if self.entries.len() == before {
            // An empty file would mean that everybody may do everything; nobody who names one means that.
            return Err(unreadable("holds no token".to_owned()));
        }
        Ok(())
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        const FORM: &str = "write `name:scope+scope:sha256:` and 64 hexadecimal digits, as `reflow-trace token new` prints them";
        let mut parts = line.splitn(4, ':');
        let mut part = || parts.next().map(str::trim).ok_or_else(|| FORM.to_owned());
        let (name, scopes, method, digits) = (part()?, part()?, part()?, part()?);
        if !is_name(name) || method != "sha256" {
            return Err(FORM.to_owned());
        }
        let hash = unhex(digits).ok_or_else(|| FORM.to_owned())?;
        let scopes = Scopes::parse(scopes)?;
        if self
            .entries
            .iter()
            .any(|entry| entry.name == name || entry.hash == hash)
        {
            return Err(format!("the token `{name}` is there twice"));
        }
        self.entries.push(Entry {
            name: name.to_owned(),
            scopes,
            hash,
        });
        Ok(())
    }
}

/// The source of randomness that TLS uses too.
pub(super) fn random() -> &'static dyn SecureRandom {
    fn provider() -> &'static CryptoProvider {
        static PROVIDER: std::sync::LazyLock<CryptoProvider> =
            std::sync::LazyLock::new(rustls::crypto::ring::default_provider);
        &PROVIDER
    }
    provider().secure_random
}

/// The token in `Bearer …`.
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ")
        && !token.is_empty()
        && token.len() <= SECRET_BYTES_MAX)
        .then_some(token)
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a `String` does not fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

pub(super) fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}

/// A secret is never printed by accident.
impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken")
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(lines: &[&str]) -> Result<Tokens, ConfigError> {
        Tokens::load(&Auth {
            tokens: lines.iter().map(|&line| line.to_owned()).collect(),
            tokens_file: None,
        })
    }

    fn draw(name: &str, scopes: &str) -> NewToken {
        NewToken::draw(name, Scopes::parse(scopes).expect("scopes")).expect("random")
    }

    fn judge(tokens: &Tokens, header: &str, scope: Scope) -> Result<Caller, Denied> {
        tokens.judge(Some(header.as_bytes()), scope)
    }

    #[test]
    fn a_token_permits_its_scopes_and_nothing_else() {
        let writer = draw("writer", "ingest");
        let reader = draw("reader", "query+subscribe");
        let root = draw("root", "admin");
        let all = tokens(&[&writer.line, &reader.line, &root.line]).expect("lines");
        let header = |token: &NewToken| format!("Bearer {}", token.secret);
        assert_eq!(
            judge(&all, &header(&writer), Scope::Ingest),
            Ok(Caller::Bearer("writer".to_owned()))
        );
        assert_eq!(
            judge(&all, &header(&writer), Scope::Query),
            Err(Denied::Scope(Scope::Query))
        );
        for scope in [Scope::Query, Scope::Subscribe] {
            assert!(judge(&all, &header(&reader), scope).is_ok());
        }
        for scope in Scope::ALL {
            assert!(judge(&all, &header(&root), scope).is_ok(), "{scope:?}");
        }
    }

    #[test]
    fn whoever_has_no_token_or_a_wrong_one_is_told_which() {
        let token = draw("writer", "ingest");
        let all = tokens(&[&token.line]).expect("a line");
        assert_eq!(all.judge(None, Scope::Ingest), Err(Denied::Missing));
        for header in [
            "",
            "Bearer",
            "Bearer ",
            "Basic abc",
            &token.secret,
            &format!("Bearer {}", "x".repeat(300)),
        ] {
            assert_eq!(
                judge(&all, header, Scope::Ingest),
                Err(Denied::Missing),
                "{header}"
            );
        }
        let mut other = token.secret.clone();
        let last = if other.pop() == Some('0') { '1' } else { '0' };
        other.push(last);
        for wrong in [&other, &token.line, &token.secret[..10]] {
            assert_eq!(
                judge(&all, &format!("Bearer {wrong}"), Scope::Ingest),
                Err(Denied::Wrong)
            );
        }
    }

    #[test]
    fn without_any_token_everybody_may_do_everything() {
        let none = tokens(&[]).expect("nothing");
        for scope in Scope::ALL {
            assert_eq!(none.judge(None, scope), Ok(Caller::Anyone));
        }
    }

    #[test]
    fn a_line_that_is_no_token_is_refused_without_being_repeated() {
        let token = draw("writer", "ingest");
        for wrong in [
            "",
            "SECRET",
            "a:ingest:SECRET",
            "a:ingest:md5:00",
            "a:ingest:sha256:SECRET",
            "a b:ingest:sha256:00",
        ] {
            let error = tokens(&[wrong]).expect_err(wrong).to_string();
            assert!(
                error.contains("number 1") && error.contains("`reflow-trace token new`"),
                "{error}"
            );
            assert!(!error.contains("SECRET"), "{error}");
        }
        let error = tokens(&[&token.line.replace("ingest", "ingestion")])
            .expect_err("no scope")
            .to_string();
        assert!(error.contains("`ingestion` is no scope"), "{error}");
        let error = tokens(&[&token.line, &token.line])
            .expect_err("twice")
            .to_string();
        assert!(
            error.contains("number 2: the token `writer` is there twice"),
            "{error}"
        );
        assert!(NewToken::draw("a:b", Scopes::parse("ingest").expect("scope")).is_err());
        assert!(!format!("{token:?}").contains(&token.secret));
    }

    #[test]
    fn a_file_of_tokens_has_comments_and_is_not_empty() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("tokens");
        let (one, two) = (draw("one", "ingest"), draw("two", "query"));
        let load = |text: String| {
            std::fs::write(&path, text).expect("written");
            Tokens::load(&Auth {
                tokens: Vec::new(),
                tokens_file: Some(path.clone()),
            })
        };
        let all = load(format!(
            "# who may\n\n{} # laptop\n{}\n",
            one.line, two.line
        ))
        .expect("lines");
        assert!(judge(&all, &format!("bearer {}", two.secret), Scope::Query).is_ok());
        let error = load("# nobody yet\n".to_owned())
            .expect_err("empty")
            .to_string();
        assert!(error.contains("holds no token"), "{error}");
        let error = load(format!("{}\nx\n", one.line))
            .expect_err("wrong")
            .to_string();
        assert!(error.contains("tokens:2: write "), "{error}");
    }
}
