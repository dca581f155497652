//! What an error of the engine is to who asks: what is wrong, where, and what was perhaps meant.

use std::error::Error;
use std::ops::Range;

use datafusion::common::{Column, Diagnostic, SchemaError};
use datafusion::error::DataFusionError;
use reflow_trace::api::{ApiError, ErrorCode, ErrorPlace};

use super::statement::place;
use super::table;
use crate::answer::asking::of_store;
use crate::store::StoreError;

/// Characters of a message of the engine; some print the whole statement.
const MESSAGE_CHARS_MAX: usize = 600;
/// Columns that are listed where none is meant.
const LISTED_MAX: usize = 40;

/// A wrong statement.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidSql, message)
}

/// A wrong statement, with the place.
pub(super) fn invalid_at(
    statement: &str,
    at: Range<usize>,
    message: impl Into<String>,
) -> ApiError {
    let end = at.end.min(statement.len());
    ApiError {
        place: Some(ErrorPlace {
            field: "statement".to_owned(),
            start: at.start.min(end),
            end,
        }),
        ..invalid(message)
    }
}

/// What the parser says, which has the place in its words.
pub(super) fn of_parser(statement: &str, message: &str) -> ApiError {
    let message = message
        .trim_start_matches("SQL error: ParserError(\"")
        .trim_end_matches("\")")
        .trim_start_matches("sql parser error: ");
    let (text, at) = match message.rsplit_once(" at Line: ") {
        Some((text, place)) => (text, parse_place(place)),
        None => (message, None),
    };
    let message = tidy(text);
    match at {
        Some((line, column)) => {
            let at = place::byte(statement, line, column);
            invalid_at(statement, place::word(statement, at), message)
        }
        None => invalid(message),
    }
}

/// `3, Column: 14`.
fn parse_place(place: &str) -> Option<(u64, u64)> {
    let (line, column) = place.split_once(", Column: ")?;
    let digits = column.find(|letter: char| !letter.is_ascii_digit());
    let column = &column[..digits.unwrap_or(column.len())];
    Some((line.trim().parse().ok()?, column.parse().ok()?))
}

/// What the engine says.
pub(super) fn of_engine(statement: &str, error: &DataFusionError) -> ApiError {
    if let Some(fault) = of_ours(error) {
        return fault;
    }
    let at = error
        .diagnostic()
        .and_then(|diagnostic| span(statement, diagnostic));
    let root = error.find_root();
    let (code, message) = match root {
        DataFusionError::SQL(parser, _) => return of_parser(statement, &parser.to_string()),
        DataFusionError::SchemaError(schema, _) => (ErrorCode::InvalidSql, of_names(schema)),
        DataFusionError::Plan(message) | DataFusionError::Configuration(message) => {
            (ErrorCode::InvalidSql, of_plan(message))
        }
        DataFusionError::NotImplemented(message) => (
            ErrorCode::InvalidSql,
            format!("this is not supported: {}", tidy(message)),
        ),
        DataFusionError::ResourcesExhausted(_) => (
            ErrorCode::TooLarge,
            "the statement needs more memory for sorting, grouping or joining than is allowed (`query.sql_memory_bytes_max`): ask about a shorter time, or group by fewer columns".to_owned(),
        ),
        DataFusionError::Execution(message) => (ErrorCode::InvalidSql, tidy(message)),
        DataFusionError::ArrowError(error, _) => (ErrorCode::InvalidSql, tidy(&error.to_string())),
        other => (ErrorCode::InvalidSql, tidy(&other.strip_backtrace())),
    };
    match at {
        Some(at) => ApiError {
            code,
            ..invalid_at(statement, at, message)
        },
        None => ApiError::new(code, message),
    }
}

/// A fault of the store, or one of our own, that has travelled through the engine.
fn of_ours(error: &DataFusionError) -> Option<ApiError> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(fault) = error.downcast_ref::<StoreError>() {
            return Some(of_store(fault));
        }
        if let Some(fault) = error.downcast_ref::<ApiError>() {
            return Some(fault.clone());
        }
        next = match error.downcast_ref::<DataFusionError>() {
            // Its source is what is inside of that, and not that.
            Some(DataFusionError::External(inner)) => Some(&**inner),
            _ => error.source(),
        };
    }
    None
}

fn span(statement: &str, diagnostic: &Diagnostic) -> Option<Range<usize>> {
    let span = diagnostic.span?;
    let start = place::byte(statement, span.start.line, span.start.column);
    let end = place::byte(statement, span.end.line, span.end.column);
    Some(start..end.max(place::word(statement, start).end))
}

fn of_names(error: &SchemaError) -> String {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => unknown_column(field, valid_fields),
        other => tidy(&other.to_string()),
    }
}

fn unknown_column(field: &Column, known: &[Column]) -> String {
    let name = field.name();
    let mut message = format!("no column is called `{}`", shortened(name));
    let names: Vec<&str> = known.iter().map(Column::name).collect();
    match nearest(name, names.iter().copied()) {
        Some(near) => message.push_str(&format!(": did you mean `{near}`?")),
        None if names.is_empty() => {}
        None => {
            let listed: Vec<_> = names.iter().take(LISTED_MAX).copied().collect();
            message.push_str(&format!("; there are `{}`", listed.join("`, `")));
        }
    }
    message
}

/// What the planner says of tables and functions.
fn of_plan(message: &str) -> String {
    if let Some(name) = message
        .strip_prefix("table '")
        .and_then(|rest| rest.strip_suffix("' not found"))
    {
        let name = name.rsplit('.').next().unwrap_or(name);
        return match nearest(name, table::NAMES) {
            Some(near) => format!(
                "no table is called `{}`: did you mean `{near}`?",
                shortened(name)
            ),
            None => format!(
                "no table is called `{}`; there are `{}`",
                shortened(name),
                table::NAMES.join("`, `")
            ),
        };
    }
    tidy(message)
}

fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let near = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&name, known), known))
        .max_by(|one, other| one.0.total_cmp(&other.0));
    near.filter(|(likeness, _)| *likeness > 0.83)
        .map(|(_, known)| known)
}

fn shortened(name: &str) -> String {
    let short: String = name.chars().take(80).collect();
    if short.len() < name.len() {
        format!("{short}…")
    } else {
        short
    }
}

/// One line in lower case, of bounded length.
fn tidy(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim();
    let line = line
        .trim_start_matches("Error during planning: ")
        .trim_start_matches("Execution error: ");
    let mut letters = line.chars();
    let first = letters.next().map(|first| {
        // `SELECT …` stays as it is.
        let is_word = letters
            .as_str()
            .starts_with(|next: char| next.is_lowercase());
        if is_word {
            first.to_lowercase().to_string()
        } else {
            first.to_string()
        }
    });
    let rest = letters.as_str().trim_end_matches('.');
    let mut tidy = first.unwrap_or_default() + rest;
    if let Some((end, _)) = tidy.char_indices().nth(MESSAGE_CHARS_MAX) {
        tidy.truncate(end);
        tidy.push('…');
    }
    if tidy.is_empty() {
        tidy.push_str("the statement cannot be answered");
    }
    tidy
}
