//! The file: TOML, read into (key, value, line), so that every mistake can point at its place.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::setting::{Kind, Value};

/// One key of the file.
pub(super) struct Entry {
    /// `table.key`.
    pub(super) key: String,
    /// What stands behind it.
    pub(super) value: Given,
    /// Its line, counted from 1.
    pub(super) line: usize,
}

/// A value as the file writes it, before the setting says what it should be.
pub(super) enum Given {
    Text(String),
    Number(String),
    Switch(bool),
    List(Vec<String>),
    Other(&'static str),
}

/// The largest file that is read: settings, not data.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads a file into its keys.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, Vec<String>> {
    let shown = path.display();
    let text = match std::fs::metadata(path) {
        Ok(about) if about.len() > FILE_BYTES_MAX => {
            return Err(vec![format!(
                "`{shown}` is larger than 1 MiB: is it the configuration?"
            )]);
        }
        _ => std::fs::read_to_string(path),
    }
    .map_err(|error| {
        vec![format!(
            "the configuration `{shown}` cannot be read: {error}"
        )]
    })?;
    let table = DeTable::parse(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(&text, span.start));
        vec![format!(
            "{shown}:{line}: {}",
            error.message().replace('\n', " ")
        )]
    })?;
    let mut entries = Vec::new();
    flatten("", table.get_ref(), &text, &mut entries);
    Ok(entries)
}

fn flatten(prefix: &str, table: &DeTable<'_>, text: &str, entries: &mut Vec<Entry>) {
    for (key, value) in table {
        let name = match prefix {
            "" => key.get_ref().to_string(),
            prefix => format!("{prefix}.{}", key.get_ref()),
        };
        match value.get_ref() {
            DeValue::Table(inner) => flatten(&name, inner, text, entries),
            other => entries.push(Entry {
                key: name,
                value: given(other),
                line: line_of(text, key.span().start),
            }),
        }
    }
}

fn given(value: &DeValue<'_>) -> Given {
    match value {
        DeValue::String(text) => Given::Text(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => {
            Given::Number(number.as_str().to_owned())
        }
        DeValue::Boolean(on) => Given::Switch(*on),
        DeValue::Array(items) => {
            let texts = items.iter().map(Spanned::get_ref);
            let texts = texts.map(|item| match item {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            });
            texts.collect::<Option<Vec<String>>>().map_or(
                Given::Other("a list of other things than texts"),
                Given::List,
            )
        }
        DeValue::Integer(_) => Given::Other("a number that is not decimal"),
        DeValue::Float(_) => Given::Other("a number with a fraction"),
        DeValue::Datetime(_) => Given::Other("a date"),
        DeValue::Table(_) => Given::Other("a table"),
    }
}

impl Given {
    /// What it means where a value of this kind is expected.
    pub(super) fn into_value(self, kind: &Kind) -> Result<Value, String> {
        match (kind, self) {
            (Kind::Switch, Self::Switch(on)) => Ok(Value::Switch(on)),
            (Kind::List(_), Self::List(texts)) => Ok(Value::List(texts)),
            (Kind::Count(_) | Kind::Bytes(_), Self::Number(text)) => kind.parse(&text),
            (Kind::Bytes(_) | Kind::Time(_) | Kind::Text(_) | Kind::OneOf(_), Self::Text(text)) => {
                kind.parse(&text)
            }
            (Kind::Time(_), Self::Number(text)) => Err(format!(
                "a time needs its unit: write `\"{text}s\"` or `\"{text}ms\"`"
            )),
            (Kind::Switch, _) => Err("write `true` or `false`, without quotes".to_owned()),
            (Kind::List(_), _) => Err("write a list of texts, `[\"…\", \"…\"]`".to_owned()),
            (Kind::Count(_), _) => Err("write a whole number, without quotes".to_owned()),
            (_, Self::Other(what)) => Err(format!("{what} is not what is expected: {kind}")),
            _ => Err(format!("write a text in quotes: {kind}")),
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}
