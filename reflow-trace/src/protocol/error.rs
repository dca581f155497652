//! What may be wrong with a message.

use thiserror::Error;

use super::flow::ErrorCode;
use super::response::{TraceResponse, TracingResponse};

/// Why a message was refused. What it quotes cannot control a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The text is too long.
    #[error("this message has {bytes} bytes, and at most {bytes_max} are read")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// Lists and objects lie too deep in each other.
    #[error("at byte {at} this message is nested more than {depth_max} deep")]
    TooDeep {
        /// How deep it may be.
        depth_max: usize,
        /// Where it becomes deeper.
        at: usize,
    },
    /// It is no JSON, or not an object with a name of a message.
    #[error("this is no message: it is neither `\"Name\"` nor `{{\"Name\": …}}`")]
    NoMessage,
    /// A kind of message that is not known.
    #[error("no message is called `{name}`; {suggestion}")]
    UnknownMessage {
        /// Its name.
        name: String,
        /// What may be meant.
        suggestion: String,
    },
    /// What is in the message is not what belongs there.
    #[error("in `{name}`: {problem}")]
    Malformed {
        /// Which message.
        name: &'static str,
        /// What is wrong, and where.
        problem: String,
    },
}

impl ProtocolError {
    /// The sort of error, as Reflow names it.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::TooLong { .. } | Self::TooDeep { .. } | Self::UnknownMessage { .. } => {
                ErrorCode::InvalidRequest
            }
            Self::NoMessage | Self::Malformed { .. } => ErrorCode::SerializationError,
        }
    }

    /// The answer to a request of the current family.
    pub fn response(&self) -> TracingResponse {
        TracingResponse::Error {
            message: self.to_string(),
            code: self.code(),
        }
    }

    /// The answer to a request of the older family, which is also what Reflow's server says to what it
    /// cannot read.
    pub fn older_response(&self) -> TraceResponse {
        TraceResponse::Error {
            message: self.to_string(),
        }
    }
}
