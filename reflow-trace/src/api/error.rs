//! What a question is told that cannot be answered.

use serde::{Deserialize, Serialize};

use super::Question;
use crate::query::filter;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what is wrong and what to do.
    pub message: String,
    /// Where in the question it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<ErrorPlace>,
}

/// Where in a text of the question something is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorPlace {
    /// The field: `custom_filter`, `performance_filter`, `statement`.
    pub field: String,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// Why, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The question is none, or one of its parts is wrong.
    InvalidQuestion,
    /// A filter is wrong.
    InvalidFilter,
    /// A statement is wrong, or does something that is not permitted.
    InvalidSql,
    /// There is nothing of that name, id or kind.
    NotFound,
    /// The question or its answer is larger than allowed.
    TooLarge,
    /// Answering took longer than allowed.
    TimedOut,
    /// Too many questions at once; the same question may be answered later.
    Busy,
    /// The token is missing or does not permit this.
    Forbidden,
    /// This server cannot do that.
    Unsupported,
    /// What is stored cannot be read.
    Store,
    /// The server is about to stop.
    Stopping,
    /// A code that this version does not know.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// Its name, as it is written in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidQuestion => "invalid_question",
            Self::InvalidFilter => "invalid_filter",
            Self::InvalidSql => "invalid_sql",
            Self::NotFound => "not_found",
            Self::TooLarge => "too_large",
            Self::TimedOut => "timed_out",
            Self::Busy => "busy",
            Self::Forbidden => "forbidden",
            Self::Unsupported => "unsupported",
            Self::Store => "store",
            Self::Stopping => "stopping",
            Self::Unknown => "unknown",
        }
    }

    /// The status of HTTP that goes with it.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidQuestion | Self::InvalidFilter | Self::InvalidSql => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::TooLarge => 413,
            Self::Store | Self::Unknown => 500,
            Self::Unsupported => 501,
            Self::Busy | Self::Stopping => 503,
            Self::TimedOut => 504,
        }
    }

    /// Whether the same question may be answered later.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Busy | Self::Stopping | Self::TimedOut)
    }
}

impl ApiError {
    /// An error without a place.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            place: None,
        }
    }

    /// The line of the question in which something is wrong, and a line with carets under the place, made
    /// harmless for a terminal; `None` where no place is known, or the question is another one.
    ///
    /// # Examples
    ///
    /// ```
    /// use reflow_trace::api::{ApiError, EventsQuestion, Question};
    /// use reflow_trace::query::TraceQuery;
    ///
    /// let error: ApiError = serde_json::from_str(
    ///     r#"{"code": "invalid_filter", "message": "…", "place": {"field": "custom_filter", "start": 0, "end": 3}}"#,
    /// )?;
    /// let query = TraceQuery { custom_filter: Some("siz > 3"), ..Default::default() };
    /// let question = Question::QueryTraces(EventsQuestion::from(query));
    /// assert_eq!(error.excerpt(&question).as_deref(), Some("siz > 3\n^^^"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn excerpt(&self, question: &Question) -> Option<String> {
        let place = self.place.as_ref()?;
        let text = question.text_of(&place.field)?;
        filter::excerpt_of(text, place.start..place.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_code_is_the_one_that_is_written() {
        for code in [
            ErrorCode::InvalidQuestion,
            ErrorCode::InvalidFilter,
            ErrorCode::InvalidSql,
            ErrorCode::NotFound,
            ErrorCode::TooLarge,
            ErrorCode::TimedOut,
            ErrorCode::Busy,
            ErrorCode::Forbidden,
            ErrorCode::Unsupported,
            ErrorCode::Store,
            ErrorCode::Stopping,
            ErrorCode::Unknown,
        ] {
            let written = serde_json::to_value(code).expect("a word");
            assert_eq!(written, code.name());
        }
        let of_later: ErrorCode = serde_json::from_str("\"gone_fishing\"").expect("passed over");
        assert_eq!(of_later, ErrorCode::Unknown);
    }
}
