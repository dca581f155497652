//! The effective configuration, printed as a file that says the same.

use std::fmt;

use super::layers::Effective;
#[cfg(test)]
use super::setting::Setting;
use super::setting::Value;
use super::table::{default_of, table};

/// Prints every setting with its value, its origin, its meaning and its range.
pub(super) fn print(effective: &Effective, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut section = "";
    for setting in table() {
        let (table_name, key) = setting.key.split_once('.').unwrap_or(("", setting.key));
        if table_name != section {
            section = table_name;
            writeln!(f, "\n[{section}]")?;
        }
        let value = setting.value(&effective.config);
        let origin = effective.origin(setting.key);
        writeln!(f, "# {} {}", setting.what, setting.why)?;
        writeln!(
            f,
            "# {}; default {}",
            setting.kind,
            toml_text(&default_of(setting))
        )?;
        writeln!(f, "{key} = {}  # {origin}", toml_text(&value))?;
    }
    Ok(())
}

/// The table of settings as it stands in `docs/SERVER.md`.
#[cfg(test)]
pub(crate) fn markdown() -> String {
    let mut text = String::from(
        "| key | default | range | what it does, and why so |\n| --- | --- | --- | --- |\n",
    );
    for setting in table() {
        text.push_str(&row(setting));
    }
    text
}

#[cfg(test)]
fn row(setting: &Setting) -> String {
    format!(
        "| `{}` | `{}` | {} | {} {} |\n",
        setting.key,
        toml_text(&default_of(setting)),
        setting.kind,
        setting.what,
        setting.why
    )
}

fn toml_text(value: &Value) -> String {
    match value {
        Value::Switch(_) | Value::Count(_) => value.to_string(),
        Value::Bytes(_) | Value::Time(_) | Value::Text(_) => quoted(&value.to_string()),
        Value::List(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            format!("[{}]", texts.join(", "))
        }
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            // What TOML wants escaped: controls.
            character if character.is_control() => {
                quoted.push_str(&format!("\\U{:08X}", u32::from(character)));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
