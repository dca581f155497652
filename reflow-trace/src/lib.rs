//! Data-flow tracing for actor networks.

pub mod event;
pub mod ledger;
#[allow(dead_code)]
mod ring;
pub mod sampling;

pub use event::{
    CausalityInfo, EventId, MessageSnapshot, Outcome, PerformanceMetrics, StateDiff, StateDiffType,
    TraceEvent, TraceEventData, TraceEventType, TraceId,
};
pub use sampling::DataFlowSampler;
