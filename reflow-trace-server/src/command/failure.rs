//! Why a command has not done what it was asked, in the words of whoever can change it.
//!
//! Names from files, servers and stores are hostile; everything is made harmless for the terminal where
//! it is printed, so that no variant has to remember it.

use std::io;
use std::path::{Path, PathBuf};

use reflow_trace::api::{ApiError, ErrorCode};
use reflow_trace::terminal::harmless;

use super::Exit;
use crate::store::StoreError;

/// Why a command ends before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The command line says something that makes no sense, beyond what its grammar can tell.
    #[error("{0}")]
    Usage(String),
    /// The store cannot be opened, or read, or written.
    #[error("{}{source}", of_directory(.directory, .source))]
    Store {
        directory: PathBuf,
        source: StoreError,
    },
    /// There is none, and none is to be made.
    #[error("there is no store in `{}`: name the directory that `reflow-trace serve --data` was given", .0.display())]
    NoStore(PathBuf),
    /// There is nothing of this name.
    #[error("{0}")]
    NotFound(String),
    /// Nobody answers, or not a server of ours, or no longer.
    #[error("{0}")]
    Unreachable(String),
    /// The question is wrong, or is not answered.
    #[error("{0}")]
    Refused(String),
    /// A file cannot be read or written.
    #[error("cannot {what} `{}`: {source}", path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("`{}`{detail}", path.display())]
    Content { path: PathBuf, detail: String },
    /// Work was done, and part of it was not; it was said before what.
    #[error("{0}")]
    Partly(String),
    /// Ctrl-C, or SIGTERM.
    #[error("{0}")]
    Interrupted(String),
    /// Nobody reads any more what is printed.
    #[error("the output was closed")]
    Closed,
}

impl Failure {
    /// The exit code that goes with it.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Store { .. } | Self::NoStore(_) => Exit::Store,
            Self::NotFound(_) => Exit::NotFound,
            Self::Unreachable(_) => Exit::Unreachable,
            Self::Refused(_) => Exit::Refused,
            Self::File { .. } | Self::Content { .. } => Exit::File,
            Self::Partly(_) => Exit::Cut,
            Self::Interrupted(_) => Exit::Interrupted,
            Self::Closed => Exit::Done,
        }
    }

    /// The lines to print, each harmless for the terminal.
    pub(super) fn lines(&self) -> Vec<String> {
        self.to_string().lines().map(shown).collect()
    }

    pub(super) fn file(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File {
            what,
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn content(path: &Path, detail: impl Into<String>) -> Self {
        Self::Content {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }

    /// What printing has met.
    pub(super) fn printing(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Closed;
        }
        Self::file("write to", Path::new("standard output"), error)
    }

    /// What whoever answers says. `texts`: the texts of the question by their fields, so that a mistake
    /// in one of them can be shown at its place.
    pub(super) fn refused(error: &ApiError, texts: &[(&str, &str)]) -> Self {
        let mut message = error.message.clone();
        if let Some(place) = &error.place
            && let Some((_, text)) = texts.iter().find(|(field, _)| *field == place.field)
            && !message.contains('^')
        {
            message += &format!("\n{}", excerpt(text, place.start, place.end));
        }
        match error.code {
            ErrorCode::NotFound => Self::NotFound(message),
            ErrorCode::Stopping => Self::Unreachable(message),
            _ => Self::Refused(message),
        }
    }
}

fn of_directory(directory: &Path, source: &StoreError) -> String {
    match source {
        // It names the directory itself.
        StoreError::Unusable(_) => String::new(),
        _ => format!("the store in `{}`: ", directory.display()),
    }
}

fn shown(line: &str) -> String {
    if line.is_empty() {
        String::new()
    } else {
        harmless(line)
    }
}

/// How much of a line is shown to the left and to the right of the place, in characters.
const AROUND: usize = 40;

/// The line of a text in which a place is, and carets under it.
fn excerpt(text: &str, start: usize, end: usize) -> String {
    let start = text.floor_char_boundary(start.min(text.len()));
    let end = text.ceil_char_boundary(end.clamp(start, text.len()));
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let shorten = |part: &str| -> String { part.chars().take(AROUND).collect() };
    let before = &text[line_start..start];
    let left: String = before
        .char_indices()
        .rev()
        .nth(AROUND - 1)
        .map_or(before, |(at, _)| &before[at..])
        .to_owned();
    let marked = shorten(&text[start..end.min(line_end)]);
    let right = shorten(&text[end.min(line_end)..line_end]);
    let [left, marked, right] = [left, marked, right].map(|part| match part.is_empty() {
        true => part,
        // One character at a time, so that blanks at the ends stay what they are.
        false => part.chars().map(visible).collect(),
    });
    let blanks = " ".repeat(reflow_trace::terminal::columns(&left));
    let carets = "^".repeat(reflow_trace::terminal::columns(&marked).max(1));
    format!("{left}{marked}{right}\n{blanks}{carets}")
}

fn visible(character: char) -> String {
    match character {
        ' ' => " ".to_owned(),
        _ => harmless(character.encode_utf8(&mut [0; 4])),
    }
}

#[cfg(test)]
mod tests {
    use reflow_trace::api::ErrorPlace;

    use super::*;

    #[test]
    fn a_mistake_is_shown_at_its_place() {
        let mut error = ApiError::new(ErrorCode::InvalidSql, "no column is called `x`");
        error.place = Some(ErrorPlace {
            field: "statement".to_owned(),
            start: 14,
            end: 15,
        });
        let failure = Failure::refused(&error, &[("statement", "SELECT a,\n    x FROM t")]);
        assert_eq!(
            failure.to_string(),
            "no column is called `x`\n    x FROM t\n    ^"
        );
        assert_eq!(failure.exit(), Exit::Refused);
    }

    #[test]
    fn a_place_beyond_the_text_or_inside_a_character_does_no_harm() {
        for (start, end) in [(0, 0), (1, 2), (5, 3), (99, 100), (usize::MAX, usize::MAX)] {
            let shown = excerpt("ä\u{1b}[31m\nβ", start, end);
            assert!(!shown.contains('\u{1b}'), "{shown:?}");
            assert!(shown.contains('^'), "{shown:?}");
        }
    }

    #[test]
    fn what_is_printed_can_not_control_the_terminal() {
        let failure = Failure::NotFound("no `\u{1b}[2J`\nand \u{202e}more".to_owned());
        assert_eq!(failure.lines(), ["no `␛[2J`", "and \u{fffd}more"]);
    }
}
