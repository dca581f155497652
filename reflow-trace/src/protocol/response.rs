//! What Reflow is answered.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::flow::{ErrorCode, FlowTrace, FlowVersion, RequestId};
use crate::event::{TraceEvent, TraceId};

/// A response of either family.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// Of the current family.
    Tracing(TracingResponse),
    /// Of the older one, which is the one that Reflow's clients read.
    Trace(TraceResponse),
}

/// A response of the current family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TracingResponse {
    /// To `StartTrace`.
    TraceStarted {
        /// The trace that has begun.
        trace_id: TraceId,
    },
    /// To `RecordEvent`: the event is stored, or why not.
    EventRecorded {
        /// Whether it is stored.
        success: bool,
        /// Why not.
        error: Option<String>,
    },
    /// To `GetTrace`.
    TraceData {
        /// As the request was named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<RequestId>,
        /// The trace, if there is one.
        trace: Option<Box<FlowTrace>>,
    },
    /// To `QueryTraces`.
    QueryResults {
        /// As the request was named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<RequestId>,
        /// The traces on this page.
        traces: Vec<FlowTrace>,
        /// How many there are on all pages.
        total_count: usize,
    },
    /// To `GetFlowVersions`.
    FlowVersions {
        /// The versions that were seen.
        versions: Vec<FlowVersion>,
    },
    /// To `Ping`.
    Pong,
    /// To `Subscribe`, for each event.
    EventNotification {
        /// Its trace; nil when it belongs to none that is known.
        trace_id: TraceId,
        /// The event.
        event: Box<TraceEvent>,
    },
    /// The request met an error.
    Error {
        /// What, in words.
        message: String,
        /// Of what sort.
        code: ErrorCode,
    },
}

/// A response of the older family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TraceResponse {
    /// To `StoreTrace`.
    TraceStored {
        /// The trace that is kept.
        trace_id: TraceId,
    },
    /// To `QueryTraces`.
    TracesFound {
        /// The traces.
        traces: Vec<FlowTrace>,
    },
    /// To `GetTrace`.
    TraceData {
        /// The trace.
        trace: Box<FlowTrace>,
    },
    /// The request met an error.
    Error {
        /// What, in words.
        message: String,
    },
    /// To `GetMetrics`.
    Metrics {
        /// The numbers, by name.
        data: serde_json::Value,
    },
}

impl TracingResponse {
    /// The kinds of messages, as they are named.
    pub(super) const NAMES: &[&str] = &[
        "TraceStarted",
        "EventRecorded",
        "TraceData",
        "QueryResults",
        "FlowVersions",
        "Pong",
        "EventNotification",
        "Error",
    ];

    /// Tells a subscriber of an event.
    pub fn notification(event: TraceEvent) -> Self {
        Self::EventNotification {
            trace_id: event.trace_id.unwrap_or(TraceId(Uuid::nil())),
            event: Box::new(event),
        }
    }
}

impl TraceResponse {
    /// The kinds of messages, as they are named.
    pub(super) const NAMES: &[&str] = &[
        "TraceStored",
        "TracesFound",
        "TraceData",
        "Error",
        "Metrics",
    ];
}
