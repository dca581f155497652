//! What Reflow asks.

use serde::{Deserialize, Serialize};

use super::flow::{ExecutionStatus, FlowId, FlowTrace, FlowVersion, RequestId};
use super::query::{QueryRequest, SubscriptionRequest};
use crate::event::{TraceEvent, TraceId};

/// A request of either family.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Of the current family, to be answered with a [`TracingResponse`](super::TracingResponse).
    Tracing(TracingRequest),
    /// Of the older one, to be answered with a [`TraceResponse`](super::TraceResponse).
    Message(TraceMessage),
}

/// A request of the current family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TracingRequest {
    /// A flow begins.
    StartTrace {
        /// The trace, where the client names it; versions after 0.2.1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trace_id: Option<TraceId>,
        /// The flow.
        flow_id: FlowId,
        /// Its version.
        version: FlowVersion,
    },
    /// Something happened.
    RecordEvent {
        /// In this trace; the clients of 0.2.1 invent one for each event.
        trace_id: TraceId,
        /// What; see [`adopted`](super::adopted).
        event: Box<TraceEvent>,
    },
    /// A flow has ended; versions after 0.2.1.
    EndTrace {
        /// Its trace.
        trace_id: TraceId,
        /// How it ended.
        status: ExecutionStatus,
    },
    /// One trace is wanted.
    GetTrace {
        /// To be named by the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<RequestId>,
        /// Which.
        trace_id: TraceId,
    },
    /// Traces are wanted.
    QueryTraces {
        /// To be named by the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<RequestId>,
        /// Which.
        query: QueryRequest,
    },
    /// The versions of a flow are wanted.
    GetFlowVersions {
        /// Which flow.
        flow_id: FlowId,
    },
    /// A sign of life is wanted.
    Ping,
    /// Events are wanted as they happen.
    Subscribe {
        /// Which.
        filters: SubscriptionRequest,
    },
    /// No more of them.
    Unsubscribe,
}

/// A request of the older family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TraceMessage {
    /// A whole trace to be kept.
    StoreTrace {
        /// The trace with its events.
        trace: Box<FlowTrace>,
    },
    /// Traces are wanted.
    QueryTraces {
        /// Which.
        query: QueryRequest,
    },
    /// One trace is wanted.
    GetTrace {
        /// Which.
        trace_id: TraceId,
    },
    /// Events are wanted as they happen.
    Subscribe {
        /// Which.
        filter: SubscriptionRequest,
    },
    /// The numbers of the server are wanted.
    GetMetrics,
}

impl TracingRequest {
    /// The kinds of messages, as they are named.
    pub(super) const NAMES: &[&str] = &[
        "StartTrace",
        "RecordEvent",
        "EndTrace",
        "GetTrace",
        "QueryTraces",
        "GetFlowVersions",
        "Ping",
        "Subscribe",
        "Unsubscribe",
    ];
}

impl TraceMessage {
    /// The kinds of messages, as they are named.
    pub(super) const NAMES: &[&str] = &[
        "StoreTrace",
        "QueryTraces",
        "GetTrace",
        "Subscribe",
        "GetMetrics",
    ];
}
