//! Data-flow tracing for actor networks.

#![forbid(unsafe_op_in_unsafe_fn)]

mod clock;
mod collector;
mod context;
mod edge;
pub mod event;
pub mod graph;
mod integration;
mod lane;
pub mod ledger;
mod message;
mod probe;
mod record;
mod ring;
mod runtime;
pub mod sampling;
mod sink;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use collector::Batch;
pub use context::Context;
pub use edge::{EDGES_MAX, Edge, NAME_BYTES_MAX, OVERFLOW_NAME, TYPES_MAX};
pub use event::{
    CausalityInfo, EventId, MessageSnapshot, Outcome, PerformanceMetrics, StateDiff, StateDiffType,
    TraceEvent, TraceEventData, TraceEventType, TraceId,
};
pub use graph::DataFlowGraph;
pub use integration::{TraceError, TracingIntegration, global_tracing};
pub use ledger::{Ledger, TracingMetrics};
pub use message::{AttributeValue, Attributes, Message, MessageKind, Size};
pub use reflow_trace_macros::{sample, trace, traced_actor, traced_connector};
pub use runtime::{
    Builder, ENVIRONMENT_VARIABLE, FlushError, Guard, InitError, InvalidEnvironment, Overflow,
    TracingConfig, builder, init,
};
pub use sampling::{DataFlowSampler, Verdict};
pub use sink::{JsonLinesSink, MemorySink, Sink, SinkError};
