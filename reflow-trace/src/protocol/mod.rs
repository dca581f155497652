//! Reflow's own protocol: the JSON messages of `reflow_tracing_protocol` 0.2.1, read and written.
//!
//! A Reflow network that was never changed speaks it, so that it can be recorded, asked and watched. The
//! types here are ours; that theirs read what these write, and the reverse, is tested against the real
//! crate in `tests/reflow-json`.
//!
//! # Frames
//!
//! One WebSocket message is one JSON value: an object with one member, whose name is the kind of the
//! message, or for a kind without content its name alone (`"Ping"`). There are two families:
//!
//! | | requests | responses |
//! | --- | --- | --- |
//! | current | [`TracingRequest`]: `StartTrace` `RecordEvent` `EndTrace` `GetTrace` `QueryTraces` `GetFlowVersions` `Ping` `Subscribe{filters}` `Unsubscribe` | [`TracingResponse`]: `TraceStarted` `EventRecorded` `TraceData` `QueryResults` `FlowVersions` `Pong` `EventNotification` `Error{message, code}` |
//! | older | [`TraceMessage`]: `StoreTrace` `QueryTraces` `GetTrace` `Subscribe{filter}` `GetMetrics` | [`TraceResponse`]: `TraceStored` `TracesFound` `TraceData` `Error{message}` `Metrics` |
//!
//! `QueryTraces` and `GetTrace` of both look alike and are read as the current ones, as Reflow's server
//! does. `EndTrace`, the `trace_id` of `StartTrace` and the `request_id`s are of versions after 0.2.1; they
//! are read when they are there, answered where they were asked, and never written otherwise.
//!
//! # Binary frames
//!
//! No client of 0.2.1 sends one: its `enable_compression` is read nowhere, and a binary frame that it
//! receives is ignored. Reflow's server takes a binary frame for the compressed text of one message, the
//! whole frame and nothing else: no header, no length, no name of the method. The method is a setting of
//! that server: zstd (its default, level 3), gzip, brotli, or the block format of lz4 behind four bytes of
//! length. It answers in the same way whatever is longer than 1 024 bytes, so that its own client misses
//! it. So: read what tells its method by its first bytes ([`Encoding::of`]), and answer in text.
//!
//! # What becomes of an event
//!
//! Reflow's clients fill fields that they know nothing of. [`adopted`] says what is taken for unknown.

mod adopt;
mod encoding;
mod error;
mod flow;
mod query;
mod read;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use adopt::adopted;
pub use encoding::Encoding;
pub use error::ProtocolError;
pub use flow::{
    ErrorCode, ExecutionId, ExecutionStatus, FlowId, FlowTrace, FlowVersion, RequestId,
    TraceMetadata,
};
pub use query::{QueryRequest, SubscriptionRequest};
#[cfg(feature = "api")]
pub(crate) use read::check;
pub use read::{JsonLimits, read_query, read_request, read_response, read_subscription};
pub use request::{Request, TraceMessage, TracingRequest};
pub use response::{Response, TraceResponse, TracingResponse};
