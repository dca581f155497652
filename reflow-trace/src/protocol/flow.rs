//! Flows, executions and traces as Reflow has them.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::{TraceEvent, TraceEventType, TraceId};

/// The name of a flow, which is a program of Reflow's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FlowId(pub String);

/// One execution of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionId(pub Uuid);

/// Names a request, so that its answer can name it; versions after 0.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub Uuid);

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A version of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowVersion {
    /// Changes that break.
    pub major: u32,
    /// Changes that add.
    pub minor: u32,
    /// Changes that mend.
    pub patch: u32,
    /// The commit, where it is known.
    pub git_hash: Option<String>,
    /// When the version was made.
    pub timestamp: DateTime<Utc>,
}

/// How far an execution is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ExecutionStatus {
    /// It has not begun.
    Pending,
    /// It has begun.
    Running,
    /// It ended as it should.
    Completed,
    /// It ended by an error.
    Failed {
        /// What went wrong, in words.
        error: String,
    },
    /// It was ended from outside.
    Cancelled,
}

/// Where an execution ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceMetadata {
    /// For whom.
    pub user_id: Option<String>,
    /// In which session.
    pub session_id: Option<String>,
    /// In which environment; `unknown` when nobody said.
    pub environment: String,
    /// On which host; `unknown` when nobody said.
    pub hostname: String,
    /// In which process; 0 when nobody said.
    pub process_id: u32,
    /// On which thread; empty when nobody said.
    pub thread_id: String,
    /// Whatever else.
    pub tags: HashMap<String, String>,
}

/// All that is known of one trace: what a query of Reflow's is answered with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowTrace {
    /// The trace.
    pub trace_id: TraceId,
    /// Its flow; `unknown` when nobody said.
    pub flow_id: FlowId,
    /// Its execution.
    pub execution_id: ExecutionId,
    /// The version of its flow.
    pub version: FlowVersion,
    /// When it began.
    pub start_time: DateTime<Utc>,
    /// When it ended, once it has.
    pub end_time: Option<DateTime<Utc>>,
    /// How far it is.
    pub status: ExecutionStatus,
    /// Its events.
    pub events: Vec<TraceEvent>,
    /// Where it ran.
    pub metadata: TraceMetadata,
}

/// What sort of error a request met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErrorCode {
    /// There is no such thing.
    NotFound,
    /// The request is not one.
    InvalidRequest,
    /// It could not be stored or read.
    StorageError,
    /// It could not be written or read as JSON.
    SerializationError,
    /// The asker may not.
    Unauthorized,
    /// Anything else.
    InternalError,
}

impl Default for FlowVersion {
    /// Version 0.0.0 of 1970: what is said when nobody said.
    fn default() -> Self {
        Self {
            major: 0,
            minor: 0,
            patch: 0,
            git_hash: None,
            timestamp: DateTime::UNIX_EPOCH,
        }
    }
}

impl Default for TraceMetadata {
    /// What is said when nobody said.
    fn default() -> Self {
        Self {
            user_id: None,
            session_id: None,
            environment: "unknown".to_owned(),
            hostname: "unknown".to_owned(),
            process_id: 0,
            thread_id: String::new(),
            tags: HashMap::new(),
        }
    }
}

impl FlowTrace {
    /// A trace of which only the events are known.
    ///
    /// It began with the earliest of them (in 1970 when there are none). It has failed when an actor has,
    /// with what the first such event says; otherwise it is said to be running, because nobody said that
    /// it ended. The flow is `unknown`, and the execution has the number of the trace.
    pub fn of_events(trace_id: TraceId, mut events: Vec<TraceEvent>) -> Self {
        events.sort_by_key(|event| (event.timestamp, event.event_id));
        let failed = events
            .iter()
            .find(|event| event.event_type == TraceEventType::ActorFailed);
        let status = match failed {
            Some(event) => ExecutionStatus::Failed {
                error: event.data.error.clone().unwrap_or_default(),
            },
            None => ExecutionStatus::Running,
        };
        Self {
            trace_id,
            flow_id: FlowId("unknown".to_owned()),
            execution_id: ExecutionId(trace_id.0),
            version: FlowVersion::default(),
            start_time: events
                .first()
                .map_or(DateTime::UNIX_EPOCH, |event| event.timestamp),
            end_time: None,
            status,
            events,
            metadata: TraceMetadata::default(),
        }
    }
}
