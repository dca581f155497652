//! Errors that point at the place.

use std::fmt;
use std::ops::Range;

use crate::graph::text;

/// How much of the line is shown to the left and to the right of the place, in characters.
const SHOWN_AROUND: usize = 40;
/// Most carets under a place.
const CARETS_MAX: usize = 40;

/// Why the text of a filter was refused, and where.
///
/// Printed in one line; with `{:#}` also the line of the filter and a caret under the place, made
/// harmless for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    kind: FilterErrorKind,
    message: String,
    suggestion: Option<String>,
    place: Range<usize>,
    line: usize,
    column: usize,
    excerpt: String,
}

/// What sort of mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FilterErrorKind {
    /// The text is not what the grammar says.
    Syntax,
    /// A name that is no field, no kind of event or no outcome.
    UnknownName,
    /// A value or a test that does not go with the field.
    Type,
    /// Too long, too deep or too many terms.
    Limit,
}

impl FilterErrorKind {
    /// The name used in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::UnknownName => "unknown_name",
            Self::Type => "type",
            Self::Limit => "limit",
        }
    }
}

/// A mistake before the text around it is known.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: FilterErrorKind,
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
    pub(super) place: Range<usize>,
}

impl Fault {
    pub(super) fn new(
        kind: FilterErrorKind,
        place: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            message: message.into(),
            suggestion: None,
            place,
        }
    }

    pub(super) fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    pub(super) fn suggest_any(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    pub(super) fn in_text(self, text: &str) -> FilterError {
        let start = text.floor_char_boundary(self.place.start);
        let end = text.floor_char_boundary(self.place.end.max(start));
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        FilterError {
            kind: self.kind,
            message: self.message,
            suggestion: self.suggestion,
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            excerpt: excerpt(&text[line_start..line_end], start - line_start, end - start),
            place: start..end,
        }
    }
}

/// The line of a text that has this place, and, under it, the carets; `None` where the text has no such place.
#[cfg(feature = "api")]
pub(crate) fn excerpt_of(text: &str, place: Range<usize>) -> Option<String> {
    let is_in_it = place.start <= place.end && place.start <= text.len();
    is_in_it.then(|| {
        let fault = Fault::new(FilterErrorKind::Syntax, place, "");
        fault.in_text(text).excerpt
    })
}

/// The line and, under it, the carets.
fn excerpt(line: &str, start: usize, length: usize) -> String {
    let before: String = shown(line[..start].chars().rev(), SHOWN_AROUND)
        .chars()
        .rev()
        .collect();
    let after = shown(line[start..].chars(), SHOWN_AROUND + CARETS_MAX);
    let end = line.floor_char_boundary((start + length).min(line.len()));
    let carets = text::columns(&text::visible_line(&line[start..end]));
    let blanks = text::columns(&before);
    format!(
        "{before}{after}\n{}{}",
        " ".repeat(blanks),
        "^".repeat(carets.clamp(1, CARETS_MAX))
    )
}

/// At most `limit` characters, with `…` for the rest.
fn shown(mut chars: impl Iterator<Item = char>, limit: usize) -> String {
    let mut kept: String = chars.by_ref().take(limit).collect();
    if chars.next().is_some() {
        kept.push('…');
    }
    text::visible_line(&kept)
}

impl FilterError {
    /// What sort of mistake it is.
    pub fn kind(&self) -> FilterErrorKind {
        self.kind
    }

    /// What is wrong, without the place and the suggestion.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to write instead, where that is known.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }

    /// The place, in bytes of the text.
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// The line of the place, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column of the place in its line, in characters, from 1.
    pub fn column(&self) -> usize {
        self.column
    }

    /// The line of the filter and a line with carets under the place; long lines are cut around it, and
    /// nothing in them can control a terminal.
    pub fn excerpt(&self) -> &str {
        &self.excerpt
    }
}

impl std::error::Error for FilterError {}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; {suggestion}")?;
        }
        match self.line {
            1 => write!(f, " (column {})", self.column)?,
            line => write!(f, " (line {line}, column {})", self.column)?,
        }
        if f.alternate() {
            write!(f, "\n{}", self.excerpt)?;
        }
        Ok(())
    }
}
