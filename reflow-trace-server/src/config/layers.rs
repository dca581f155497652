//! Where values come from: defaults, then the file, then the environment, then flags.
//!
//! Each layer is a list of (key, text or value, place); the layers are laid over each other and every
//! setting remembers the place of the one that won. Mistakes are all collected, not only the first.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::file;
use super::setting::{ENVIRONMENT_PREFIX, Setting, Value};
use super::table::{find, table};
use super::{Config, print};

/// A configuration, and where each of its values comes from.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The values.
    pub config: Config,
    origins: BTreeMap<&'static str, Origin>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody has said anything.
    Default,
    /// A line of a file, counted from 1.
    File(PathBuf, usize),
    /// A variable of the environment.
    Variable(String),
    /// A flag on the command line.
    Flag(String),
}

/// The configuration is not usable. Says everything that is wrong with it, a mistake a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.mistakes.join("\n"))]
pub struct ConfigError {
    mistakes: Vec<String>,
}

/// Lays file, environment and flags over the defaults.
///
/// `variables` may hold all of the environment: those without the prefix are not looked at, and those that are
/// empty are not set. `flags` are pairs of a setting's key and its value as text.
///
/// # Errors
///
/// Every key that is not known and every value that is not understood or out of its range; settings
/// that do not fit each other.
pub fn effective(
    file: Option<&Path>,
    variables: impl IntoIterator<Item = (String, String)>,
    flags: impl IntoIterator<Item = (String, String)>,
) -> Result<Effective, ConfigError> {
    let mut layers = Layers::default();
    if let Some(path) = file {
        match file::read(path) {
            Ok(entries) => {
                for entry in entries {
                    layers.put_value(
                        &entry.key,
                        entry.value,
                        Origin::File(path.into(), entry.line),
                    );
                }
            }
            Err(mistakes) => layers.mistakes.extend(mistakes),
        }
    }
    for (name, text) in variables {
        if let Some(rest) = name.strip_prefix(ENVIRONMENT_PREFIX)
            && rest != "CONFIG"
            && !text.trim().is_empty()
        {
            layers.put_variable(&name, &text);
        }
    }
    for (key, text) in flags {
        let origin = Origin::Flag(format!("--{}", key.replace(['.', '_'], "-")));
        layers.put_text(&key, &text, origin);
    }
    layers.finish()
}

#[derive(Default)]
struct Layers {
    config: Config,
    origins: BTreeMap<&'static str, Origin>,
    mistakes: Vec<String>,
}

impl Layers {
    fn put_variable(&mut self, name: &str, text: &str) {
        match table().iter().find(|setting| setting.variable() == name) {
            Some(setting) => self.put_text(setting.key, text, Origin::Variable(name.to_owned())),
            None => {
                let known = table().iter().map(Setting::variable);
                self.mistakes.push(format!(
                    "the variable `{name}` is no setting{}",
                    nearest(name, known)
                ));
            }
        }
    }

    fn put_text(&mut self, key: &str, text: &str, origin: Origin) {
        let Some(setting) = find(key) else {
            self.unknown(key, &origin);
            return;
        };
        match setting.kind.parse(text) {
            Ok(value) => self.put(setting, value, origin),
            Err(mistake) => self.wrong(setting, &origin, &mistake),
        }
    }

    fn put_value(&mut self, key: &str, value: file::Given, origin: Origin) {
        let Some(setting) = find(key) else {
            self.unknown(key, &origin);
            return;
        };
        match value.into_value(&setting.kind) {
            Ok(value) => self.put(setting, value, origin),
            Err(mistake) => self.wrong(setting, &origin, &mistake),
        }
    }

    fn put(&mut self, setting: &'static Setting, value: Value, origin: Origin) {
        match setting.put(&mut self.config, value) {
            Ok(()) => {
                self.origins.insert(setting.key, origin);
            }
            Err(mistake) => self.wrong(setting, &origin, &mistake),
        }
    }

    fn unknown(&mut self, key: &str, origin: &Origin) {
        let known = table().iter().map(|setting| setting.key.to_owned());
        self.mistakes.push(format!(
            "{origin}: `{key}` is no setting{}",
            nearest(key, known)
        ));
    }

    fn wrong(&mut self, setting: &Setting, origin: &Origin, mistake: &str) {
        self.mistakes
            .push(format!("{origin}: `{}`: {mistake}", setting.key));
    }

    fn finish(mut self) -> Result<Effective, ConfigError> {
        if self.mistakes.is_empty()
            && let Err(error) = self.config.check()
        {
            self.mistakes.extend(error.mistakes);
        }
        if !self.mistakes.is_empty() {
            return Err(ConfigError {
                mistakes: self.mistakes,
            });
        }
        Ok(Effective {
            config: self.config,
            origins: self.origins,
        })
    }
}

impl Effective {
    /// Where the value of a setting comes from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }
}

/// The configuration as a file that says the same, with the origin of each value behind it.
impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::print(self, f)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

impl ConfigError {
    /// A setting that is fine by itself and does not fit the others.
    pub(super) fn unfit(key: &'static str, why: String) -> Self {
        Self {
            mistakes: vec![format!("`{key}`: {why}")],
        }
    }

    /// Something that a setting names (a file, a token) is not usable.
    pub(crate) fn unusable(why: impl fmt::Display) -> Self {
        Self {
            mistakes: vec![why.to_string()],
        }
    }
}

/// `; did you mean …?` when something known is close enough to be meant.
fn nearest(wrong: &str, known: impl Iterator<Item = String>) -> String {
    let best = known.max_by(|left, right| {
        strsim::jaro_winkler(wrong, left).total_cmp(&strsim::jaro_winkler(wrong, right))
    });
    match best {
        Some(best) if strsim::jaro_winkler(wrong, &best) > 0.8 => {
            format!("; did you mean `{best}`?")
        }
        _ => "; `reflow-trace serve --print-config` lists all".to_owned(),
    }
}
