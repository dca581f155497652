//! What is stored of a trace beside its events: notes, which are events themselves.

use reflow_trace::protocol::{
    ExecutionId, ExecutionStatus, FlowId, FlowTrace, FlowVersion, TraceMetadata,
};
use reflow_trace::{TraceEvent, TraceEventType, TraceId};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Where notes happen.
pub(super) const ACTOR: &str = "reflow";
/// What a note says: `started`, `ended` or `stored`.
pub(super) const NOTE: &str = "reflow.trace";
pub(super) const FLOW_ID: &str = "reflow.flow_id";
pub(super) const VERSION: &str = "reflow.version";
pub(super) const STATUS: &str = "reflow.status";
pub(super) const EXECUTION_ID: &str = "reflow.execution_id";
const START_TIME: &str = "reflow.start_time";
const END_TIME: &str = "reflow.end_time";
const METADATA: &str = "reflow.metadata";

/// What the notes of a trace say together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Notes {
    flow_id: Option<FlowId>,
    version: Option<FlowVersion>,
    execution_id: Option<ExecutionId>,
    status: Option<ExecutionStatus>,
    times: Times,
    metadata: Option<TraceMetadata>,
}

/// As JSON, which is as they are kept: nothing is computed with them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Times {
    start: Option<Value>,
    end: Option<Value>,
}

/// A flow begins.
pub(crate) fn started(trace_id: TraceId, flow_id: &FlowId, version: &FlowVersion) -> TraceEvent {
    note(
        trace_id,
        "started",
        [
            (FLOW_ID, Value::from(flow_id.0.clone())),
            (VERSION, json(version)),
        ],
    )
}

/// A flow has ended.
pub(crate) fn ended(trace_id: TraceId, status: &ExecutionStatus) -> TraceEvent {
    note(trace_id, "ended", [(STATUS, json(status))])
}

/// A whole trace was handed in; its events are stored beside this.
pub(crate) fn stored(trace: &FlowTrace) -> TraceEvent {
    let parts = [
        (FLOW_ID, Value::from(trace.flow_id.0.clone())),
        (VERSION, json(&trace.version)),
        (EXECUTION_ID, json(&trace.execution_id)),
        (START_TIME, json(&trace.start_time)),
        (END_TIME, json(&trace.end_time)),
        (STATUS, json(&trace.status)),
        (METADATA, json(&trace.metadata)),
    ];
    note(
        trace.trace_id,
        "stored",
        parts.into_iter().filter(|(_, value)| !value.is_null()),
    )
}

/// Whether the event is a note.
pub(super) fn is_note(event: &TraceEvent) -> bool {
    event.event_type == TraceEventType::NetworkEvent
        && event.actor_id == ACTOR
        && event.data.custom_attributes.contains_key(NOTE)
}

/// What a note says under this name. What somebody else has written under our names may be anything.
pub(super) fn said<T: DeserializeOwned>(note: &TraceEvent, name: &str) -> Option<T> {
    T::deserialize(note.data.custom_attributes.get(name)?).ok()
}

impl Notes {
    /// One more, later than those before; a later word counts.
    pub(super) fn add(&mut self, note: &TraceEvent) {
        fn set<T: DeserializeOwned>(part: &mut Option<T>, note: &TraceEvent, name: &str) {
            if let Some(value) = said(note, name) {
                *part = Some(value);
            }
        }
        set(&mut self.flow_id, note, FLOW_ID);
        set(&mut self.version, note, VERSION);
        set(&mut self.execution_id, note, EXECUTION_ID);
        set(&mut self.status, note, STATUS);
        set(&mut self.times.start, note, START_TIME);
        set(&mut self.times.end, note, END_TIME);
        set(&mut self.metadata, note, METADATA);
        let says = note
            .data
            .custom_attributes
            .get(NOTE)
            .and_then(Value::as_str);
        match says {
            Some("started") => self.times.start = Some(json(&note.timestamp)),
            Some("ended") => self.times.end = Some(json(&note.timestamp)),
            _ => {}
        }
    }

    /// Puts what they say into a trace that was made of its events alone.
    pub(super) fn apply(self, trace: &mut FlowTrace) {
        fn time<T: DeserializeOwned>(value: Option<Value>) -> Option<T> {
            serde_json::from_value(value?).ok()
        }
        if let Some(flow_id) = self.flow_id {
            trace.flow_id = flow_id;
        }
        if let Some(version) = self.version {
            trace.version = version;
        }
        if let Some(execution_id) = self.execution_id {
            trace.execution_id = execution_id;
        }
        if let Some(status) = self.status {
            trace.status = status;
        }
        if let Some(start) = time(self.times.start) {
            trace.start_time = start;
        }
        trace.end_time = time(self.times.end).or(trace.end_time);
        if let Some(metadata) = self.metadata {
            trace.metadata = metadata;
        }
    }
}

fn note(
    trace_id: TraceId,
    says: &str,
    parts: impl IntoIterator<Item = (&'static str, Value)>,
) -> TraceEvent {
    let mut event = TraceEvent::network_event(ACTOR);
    event.trace_id = Some(trace_id);
    let attributes = &mut event.data.custom_attributes;
    attributes.insert(NOTE.to_owned(), says.into());
    let parts = parts.into_iter();
    attributes.extend(parts.map(|(name, value)| (name.to_owned(), value)));
    event
}

/// These types have string keys and nothing that cannot be JSON; and if, the part is left out.
fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
