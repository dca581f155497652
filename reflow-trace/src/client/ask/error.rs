//! Why there is no answer.

use std::fmt;
use std::time::Duration;

use crate::api::{ApiError, Question};

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The server says why. With `{:#}` also the line of a filter or a statement that is wrong, with
    /// carets under the place, made harmless for a terminal.
    #[error(fmt = shown)]
    Refused(Refusal),
    /// No connection: nobody listens there, or whoever does is no server of ours, or does not want us.
    #[error("{reason}")]
    Unreachable {
        /// The address, what the system or the other side says, and what to do.
        reason: String,
    },
    /// The server is there and does not let us in: the token is missing, wrong, or not for this.
    #[error("{reason}")]
    Denied {
        /// The address and what the server says.
        reason: String,
    },
    /// The connection was lost twice while the server was at it.
    #[error("{reason}; the question was asked twice")]
    Disconnected {
        /// How it was lost.
        reason: String,
    },
    /// Its time is over.
    #[error("no answer came within {after:?}; ask for less, or set a longer `timeout`")]
    TimedOut {
        /// How long it was waited for.
        after: Duration,
    },
    /// The server answers another question.
    #[error("the server answered something else than `{asked}`: is it newer than this program?")]
    OtherAnswer {
        /// The name of the question.
        asked: &'static str,
    },
    /// The server answers what this program cannot read.
    #[error("the answer cannot be read: {reason}; is the server newer than this program?")]
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
    /// The thread of the connection is gone, which is a fault of this library.
    #[error("the thread of the connection has ended")]
    Gone,
}

/// What a server says about a question that it does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub error: ApiError,
    /// The line in which something is wrong, and a line with carets under the place.
    pub excerpt: Option<String>,
}

impl AskError {
    /// What the server says, where it has said something.
    pub fn api_error(&self) -> Option<&ApiError> {
        match self {
            Self::Refused(refusal) => Some(&refusal.error),
            _ => None,
        }
    }

    /// Whether the same question may be answered later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.error.code.is_retryable(),
            Self::Unreachable { .. } | Self::Disconnected { .. } | Self::TimedOut { .. } => true,
            Self::Denied { .. }
            | Self::OtherAnswer { .. }
            | Self::Unreadable { .. }
            | Self::Gone => false,
        }
    }
}

impl Refusal {
    pub(super) fn new(error: ApiError, question: Option<&Question>) -> Self {
        let excerpt = question.and_then(|question| error.excerpt(question));
        Self { error, excerpt }
    }
}

fn shown(refusal: &Refusal, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}", refusal.error)?;
    match &refusal.excerpt {
        Some(excerpt) if f.alternate() => write!(f, "\n{excerpt}"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ErrorCode, ErrorPlace, EventsQuestion};
    use crate::query::TraceQuery;

    #[test]
    fn every_error_says_what_is_wrong_and_what_to_do() {
        let query = TraceQuery {
            custom_filter: Some("siz_bytes > 3"),
            ..TraceQuery::default()
        };
        let question = Question::QueryTraces(EventsQuestion::from(query));
        let error = ApiError {
            place: Some(ErrorPlace {
                field: "custom_filter".to_owned(),
                start: 0,
                end: 9,
            }),
            ..ApiError::new(
                ErrorCode::InvalidFilter,
                "`custom_filter`: there is no field `siz_bytes`",
            )
        };
        let refused = AskError::Refused(Refusal::new(error, Some(&question)));
        assert_eq!(
            format!("{refused:#}"),
            "`custom_filter`: there is no field `siz_bytes`\nsiz_bytes > 3\n^^^^^^^^^"
        );
        assert_eq!(
            refused.to_string(),
            "`custom_filter`: there is no field `siz_bytes`"
        );
        let unreachable = AskError::Unreachable {
            reason: "cannot connect to `ws://localhost:9/api`: Connection refused".to_owned(),
        };
        let late = AskError::TimedOut {
            after: Duration::from_secs(30),
        };
        assert_eq!(
            late.to_string(),
            "no answer came within 30s; ask for less, or set a longer `timeout`"
        );
        assert!(!refused.is_retryable() && unreachable.is_retryable() && late.is_retryable());
    }
}
