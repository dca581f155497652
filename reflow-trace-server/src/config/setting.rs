//! What a setting is: its key, its kind with unit and range, and why its default is what it is.
//!
//! File, environment, flags, `--print-config`, `--help` and the table in `docs/SERVER.md` all read
//! the same [`table`](super::table()), so that none of them can know a setting the others do not.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::Config;
use super::quantity::{parse_bytes, parse_time, show_bytes, show_time};

/// The variables of the environment that are settings begin with this.
///
/// Not with `REFLOW_TRACE_SERVER_`: Kubernetes sets variables such as `REFLOW_TRACE_SERVER_PORT` by
/// itself for a service of that name.
pub const ENVIRONMENT_PREFIX: &str = "REFLOW_TRACE_SERVE_";

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name in the file, `table.key`; flag and variable are derived from it.
    pub key: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What it does, in one sentence.
    pub what: &'static str,
    /// Why its default is what it is, or when to change it.
    pub why: &'static str,
    pub(super) get: fn(&Config) -> Value,
    pub(super) set: fn(&mut Config, Value) -> Result<(), String>,
}

/// What values a setting takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    Switch,
    /// A number without unit.
    Count(RangeInclusive<u64>),
    /// A number of bytes, `4MiB`.
    Bytes(RangeInclusive<u64>),
    /// A span of time, `250ms`.
    Time(RangeInclusive<Duration>),
    /// A text of the form that the words say.
    Text(&'static str),
    /// Several texts of that form.
    List(&'static str),
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Yes or no.
    Switch(bool),
    /// A number without unit.
    Count(u64),
    /// A number of bytes.
    Bytes(u64),
    /// A span of time.
    Time(Duration),
    /// A text or a word.
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

impl Setting {
    /// The flag, `--ingest-frame-bytes-max`.
    pub fn flag(&self) -> String {
        self.key.replace(['.', '_'], "-")
    }

    /// The variable of the environment, `REFLOW_TRACE_SERVE_INGEST_FRAME_BYTES_MAX`.
    pub fn variable(&self) -> String {
        format!(
            "{ENVIRONMENT_PREFIX}{}",
            self.key.replace('.', "_").to_ascii_uppercase()
        )
    }

    /// The value in a configuration.
    pub fn value(&self, config: &Config) -> Value {
        (self.get)(config)
    }

    /// Puts a value into a configuration, if it is within the range.
    pub(super) fn put(&self, config: &mut Config, value: Value) -> Result<(), String> {
        self.kind.check(&value)?;
        (self.set)(config, value)
    }
}

impl Kind {
    /// Reads the value as it stands in a variable or behind a flag.
    pub(super) fn parse(&self, text: &str) -> Result<Value, String> {
        Ok(match self {
            Self::Switch => Value::Switch(match text.trim() {
                "true" | "on" | "yes" | "1" => true,
                "false" | "off" | "no" | "0" => false,
                _ => return Err("write `true` or `false`".to_owned()),
            }),
            Self::Count(_) => Value::Count(
                text.trim()
                    .parse()
                    .map_err(|_| "write a whole number".to_owned())?,
            ),
            Self::Bytes(_) => Value::Bytes(parse_bytes(text)?),
            Self::Time(_) => Value::Time(parse_time(text)?),
            Self::Text(_) | Self::OneOf(_) => Value::Text(text.trim().to_owned()),
            Self::List(_) => Value::List(
                text.split(',')
                    .map(|part| part.trim().to_owned())
                    .filter(|part| !part.is_empty())
                    .collect(),
            ),
        })
    }

    fn check(&self, value: &Value) -> Result<(), String> {
        let fits = match (self, value) {
            (Self::Count(range), Value::Count(count)) => range.contains(count),
            (Self::Bytes(range), Value::Bytes(bytes)) => range.contains(bytes),
            (Self::Time(range), Value::Time(time)) => range.contains(time),
            (Self::OneOf(words), Value::Text(word)) => words.contains(&&**word),
            (Self::Switch, Value::Switch(_))
            | (Self::Text(_), Value::Text(_))
            | (Self::List(_), Value::List(_)) => true,
            _ => false,
        };
        if fits {
            return Ok(());
        }
        Err(match self {
            Self::OneOf(_) => format!("write {self}"),
            _ => format!("`{value}` is out of its range, {self}"),
        })
    }
}

/// The unit and the range, as they stand in the documentation.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("`true` or `false`"),
            Self::Count(range) => write!(f, "{} to {}", range.start(), range.end()),
            Self::Bytes(range) => write!(
                f,
                "{} to {}",
                show_bytes(*range.start()),
                show_bytes(*range.end())
            ),
            Self::Time(range) => write!(
                f,
                "{} to {}",
                show_time(*range.start()),
                show_time(*range.end())
            ),
            Self::Text(form) => f.write_str(form),
            Self::List(form) => write!(f, "list of {form}"),
            Self::OneOf(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                f.write_str(&words.join(", "))
            }
        }
    }
}

/// The value as it is written in a variable or behind a flag.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(on) => write!(f, "{on}"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Bytes(bytes) => f.write_str(&show_bytes(*bytes)),
            Self::Time(time) => f.write_str(&show_time(*time)),
            Self::Text(text) => f.write_str(text),
            Self::List(texts) => f.write_str(&texts.join(",")),
        }
    }
}
