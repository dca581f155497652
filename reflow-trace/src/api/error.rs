//! What a question is told that cannot be answered.

use serde::{Deserialize, Serialize};

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
}
