//! Questions to a server, and its answers, as JSON.
//!
//! The same types travel over HTTP and over a WebSocket, and [`TracingClient`](crate::TracingClient)
//! returns them.
//!
//! # HTTP
//!
//! `POST /api/{name}` with the question's content as JSON, where `name` is that of the [`Question`]
//! (`query_traces`, `lineage`, `sql` …); the answer is the content of the [`Answer`]. A wrong question is
//! an [`ApiError`] as JSON with a status that fits ([`ErrorCode::status`]).
//!
//! # WebSocket
//!
//! `/api` with the subprotocol [`SUBPROTOCOL`]. Each message is one JSON value, a [`ClientMessage`] or a
//! [`ServerMessage`]. Questions carry an `id` that the client chooses, and are answered in any order.
//!
//! # What everybody can rely on
//!
//! An unknown field of a question is an error, so that a condition with a typo never finds too much. An
//! answer may get more fields in later versions: a reader passes over what it does not know.

mod answer;
mod error;
mod graph;
mod message;
mod question;
pub(crate) mod read;

pub use answer::{
    ActorDependencies, Answer, DependenciesAnswer, EdgeSums, EdgesAnswer, EventsPage, GraphAnswer,
    LineageAnswer, LineageStep, LossSum, MissingAnswer, MissingFound, ProducerSummary,
    ServerMetrics, SqlAnswer, SqlColumn, Times, TraceState, Work,
};
pub use error::{ApiError, ErrorCode, ErrorPlace};
pub use message::{ClientMessage, ServerMessage};
pub use question::{
    Cursor, EventsQuestion, GraphFormat, GraphQuestion, InvalidCursor, LineageQuestion,
    LineageSubject, MetricsQuestion, Question, SpanQuestion, SqlQuestion,
};

pub use read::{read_client_message, read_question, read_server_message};

/// The name of the WebSocket's protocol.
pub const SUBPROTOCOL: &str = "reflow-trace.api.1";
