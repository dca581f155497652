//! Which server, and how what it has not acknowledged is kept. Without the feature `client` this can be
//! written down all the same.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::InitError;
use super::config::within;

/// How events go to the server of [`TracingConfig::server_url`](crate::TracingConfig::server_url).
///
/// # Examples
///
/// ```
/// use reflow_trace::{ServerOptions, ServerToken, TracingConfig};
///
/// let config = TracingConfig {
///     server_url: "wss://trace.example.org".to_string(),
///     server: ServerOptions {
///         token: Some(ServerToken::new("from the vault")),
///         spool: Some("/var/spool/my-service".into()),
///         ..Default::default()
///     },
///     ..Default::default()
/// };
/// assert!(!format!("{config:?}").contains("vault"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// What the server knows us by, sent as `Authorization: Bearer …`. Default none, which a server that
    /// listens on this machine only accepts.
    pub token: Option<ServerToken>,
    /// Send the token also where everybody on the way can read it: by `ws://` to another machine. Default
    /// `false`, which makes that an error.
    pub token_in_clear: bool,
    /// A file of certificates in PEM form; whoever they have signed is trusted, and nobody else. Default
    /// none: whom the system trusts. For `wss://` only.
    pub ca_file: Option<PathBuf>,
    /// Most bytes of sealed batches in memory; 1 MiB to 4 GiB. Default 16 MiB: 800 000 events of
    /// 20 bytes, so that a server which pauses for a moment needs no disk.
    pub window_bytes_max: usize,
    /// A directory for batches that the memory has no room for, that wait for long, or that are left at
    /// the end. Made where it is not there; several processes may share it; what a process leaves in it is
    /// sent by the next. Default none: nothing of ours appears on a disk unasked, and what the memory has
    /// no room for is lost and counted.
    pub spool: Option<PathBuf>,
    /// Most bytes in that directory for one process, with what dead ones have left; 1 MiB to 16 TiB.
    /// Default 1 GiB: 50 million events of 20 bytes.
    pub spool_bytes_max: u64,
    /// How long a batch waits in memory for its acknowledgement before it goes to the spool; 10 ms to 1 h.
    /// Default 2 s, which is what a kill of the process may then cost while the server is away.
    pub spool_after: Duration,
    /// Longest time for a connection to be made, with TLS and greetings; 100 ms to 5 min. Default 10 s.
    pub connect_timeout: Duration,
    /// After a connection has failed, the next is tried after a random time below this; the bound doubles
    /// with each failure. 1 ms to 1 min. Default 100 ms.
    pub reconnect_first: Duration,
    /// What that bound doubles up to; `reconnect_first` to 1 h. Default 30 s. It is tried for ever.
    pub reconnect_max: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            token: None,
            token_in_clear: false,
            ca_file: None,
            window_bytes_max: 16 << 20,
            spool: None,
            spool_bytes_max: 1 << 30,
            spool_after: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(10),
            reconnect_first: Duration::from_millis(100),
            reconnect_max: Duration::from_secs(30),
        }
    }
}

impl ServerOptions {
    /// Checks everything that can be checked without asking anybody.
    pub(crate) fn validate(&self, url: &str) -> Result<(), InitError> {
        let second = Duration::from_secs(1);
        let address = ServerUrl::parse(url)?;
        within(
            "server.window_bytes_max",
            self.window_bytes_max as u64,
            1 << 20..=1 << 32,
            "1 MiB to 4 GiB",
        )?;
        within(
            "server.spool_bytes_max",
            self.spool_bytes_max,
            1 << 20..=1 << 44,
            "1 MiB to 16 TiB",
        )?;
        within(
            "server.spool_after",
            self.spool_after,
            second / 100..=second * 3600,
            "10 ms to 1 h",
        )?;
        within(
            "server.connect_timeout",
            self.connect_timeout,
            second / 10..=second * 300,
            "100 ms to 5 min",
        )?;
        within(
            "server.reconnect_first",
            self.reconnect_first,
            second / 1000..=second * 60,
            "1 ms to 1 min",
        )?;
        within(
            "server.reconnect_max",
            self.reconnect_max,
            self.reconnect_first..=second * 3600,
            "`server.reconnect_first` to 1 h",
        )?;
        if let Some(token) = &self.token {
            if !token.is_sendable() {
                return Err(InitError::OutOfRange {
                    field: "server.token",
                    value: "a text that cannot be sent in a header".to_owned(),
                    range: "visible ASCII characters",
                });
            }
            if !(address.is_encrypted || address.is_on_this_machine() || self.token_in_clear) {
                return Err(InitError::TokenInClear);
            }
        }
        Ok(())
    }
}

/// A secret that a server knows a client by. It is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerToken(String);

impl ServerToken {
    /// A token as the server's operator has given it.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// Whether it can be sent in a header: visible ASCII.
    pub(super) fn is_sendable(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }

    #[cfg(feature = "client")]
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerToken(…)")
    }
}

/// The address of a server is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{url}` is no address of a server: {problem}; write it as `ws://localhost:8080` or `wss://trace.example.org`"
)]
pub struct InvalidServerUrl {
    url: String,
    problem: &'static str,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    pub(crate) is_encrypted: bool,
    /// A name or an address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What is asked for; begins with `/`.
    pub(crate) path: String,
}

/// Where clients are taken, behind whatever path the address has.
const INGEST: &str = "/ingest";
/// Where questions are taken, behind the same.
#[cfg(feature = "client")]
const QUESTIONS: &str = "/api";

impl ServerUrl {
    /// Understands `ws://host:port/path` and `wss://…`; port and path may be left out.
    pub(crate) fn parse(url: &str) -> Result<Self, InvalidServerUrl> {
        let wrong = |problem| InvalidServerUrl {
            url: without_secrets(url),
            problem,
        };
        let trimmed = url.trim();
        let (scheme, rest) = trimmed
            .split_once("://")
            .ok_or_else(|| wrong("it has no scheme"))?;
        let is_encrypted = match scheme.to_ascii_lowercase().as_str() {
            "ws" => false,
            "wss" => true,
            _ => return Err(wrong("its scheme is neither `ws` nor `wss`")),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            let text = "a name or a token does not belong into it (set `server.token` instead)";
            return Err(wrong(text));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest
                    .split_once(']')
                    .ok_or_else(|| wrong("a `[` is not closed"))?;
                host.parse::<std::net::Ipv6Addr>()
                    .map_err(|_| wrong("between `[` and `]` is no IPv6 address"))?;
                (host, port)
            }
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_name) {
            return Err(wrong("it names no host"));
        }
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|&port| port > 0),
            None if port.is_empty() => Some(if is_encrypted { 443 } else { 80 }),
            None => None,
        };
        let port = port.ok_or_else(|| wrong("its port is no number from 1 to 65535"))?;
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte);
        if !path.bytes().all(is_plain) {
            return Err(wrong("its path has characters that do not belong there"));
        }
        let base = path.trim_end_matches('/');
        let path = if base.ends_with(INGEST) {
            base.to_owned()
        } else {
            format!("{base}{INGEST}")
        };
        Ok(Self {
            is_encrypted,
            host: host.to_owned(),
            port,
            path,
        })
    }

    /// The same server where questions are taken.
    #[cfg(feature = "client")]
    pub(crate) fn for_questions(mut self) -> Self {
        let base = self.path.strip_suffix(INGEST).unwrap_or(&self.path);
        self.path = format!("{base}{QUESTIONS}");
        self
    }

    /// Whether nobody else is on the way.
    pub(crate) fn is_on_this_machine(&self) -> bool {
        let is_local_name = self.host.eq_ignore_ascii_case("localhost");
        let address: Option<IpAddr> = self.host.parse().ok();
        is_local_name || address.is_some_and(|address| address.is_loopback())
    }
}

/// What may be printed of an address that is none: the beginning, without the parts where people put
/// passwords and tokens.
pub(super) fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    if rest.contains('@') {
        // Not even the beginning of it, which may be the token.
        return if scheme.is_empty() {
            "…@…".to_owned()
        } else {
            format!("{}://…", scheme.chars().take(20).collect::<String>())
        };
    }
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (kept, left_out) = url.split_at(end);
    let kept: String = kept.chars().take(80).collect();
    if left_out.is_empty() {
        kept
    } else {
        format!("{kept}…")
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_encrypted { "wss" } else { "ws" };
        let (host, port, path) = (&self.host, self.port, &self.path);
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}{path}")
        } else {
            write!(f, "{scheme}://{host}:{port}{path}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_understood_with_and_without_port_and_path() {
        for (written, understood) in [
            ("ws://localhost:8080", "ws://localhost:8080/ingest"),
            (" ws://localhost ", "ws://localhost:80/ingest"),
            (
                "WSS://trace.example.org/",
                "wss://trace.example.org:443/ingest",
            ),
            ("wss://a-b.c_d/trace/", "wss://a-b.c_d:443/trace/ingest"),
            ("ws://10.0.0.1:9/ingest", "ws://10.0.0.1:9/ingest"),
            ("ws://[::1]:8080", "ws://[::1]:8080/ingest"),
            ("ws://[::1]", "ws://[::1]:80/ingest"),
        ] {
            let url = ServerUrl::parse(written).expect(written);
            assert_eq!(url.to_string(), understood);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_pattern_to_follow() {
        for wrong in [
            "",
            "localhost:8080",
            "http://localhost:8080",
            "ws://",
            "ws://:8080",
            "ws://host:",
            "ws://host:0",
            "ws://host:65536",
            "ws://host:port",
            "ws://[::1",
            "ws://[localhost]:1",
            "ws://[::1]8080",
            "ws://ho st",
            "ws://host\r\nX: y",
            "ws://host/a b",
            "ws://host/?token=secret",
            "ws://user:secret@host",
            "user:secret@host",
            "http://user:secret@host",
            "ws://host/#secret",
            "ws://host:secret@",
        ] {
            let error = ServerUrl::parse(wrong).expect_err(wrong).to_string();
            assert!(error.contains("`ws://localhost:8080`"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn only_loopback_is_this_machine() {
        for (url, is_here) in [
            ("ws://localhost", true),
            ("ws://LOCALHOST", true),
            ("ws://127.3.2.1", true),
            ("ws://[::1]", true),
            ("ws://0.0.0.0", false),
            ("ws://localhost.example.org", false),
            ("ws://192.168.0.1", false),
        ] {
            let url = ServerUrl::parse(url).expect(url);
            assert_eq!(url.is_on_this_machine(), is_here, "{url}");
        }
    }
}
