//! From stored events to traces: what `GetTrace`, `QueryTraces` and `GetFlowVersions` find.
//!
//! A query finds the traces in which at least one event is an answer, in the order of the first such event,
//! and gives them whole. `limit` and `offset` count traces. Events without a trace are together the trace
//! `nil`, of which only the answers are given: it would be everything else there is.

use std::collections::{HashMap, HashSet};
use std::mem::discriminant;

use reflow_trace::api::{ApiError, ErrorCode};
use reflow_trace::protocol::{
    ExecutionId, ExecutionStatus, FlowId, FlowTrace, FlowVersion, QueryRequest,
};
use reflow_trace::query::{CompiledQuery, TraceQuery};
use reflow_trace::{TraceEvent, TraceEventType, TraceId};
use uuid::Uuid;

use super::notes::{self, Notes};
use crate::answer::Asking;
use crate::store::{Key, Scan, Snapshot, TimeRange};

/// Traces on a page where nobody says how many.
const USUAL_LIMIT: usize = 100;
/// Traces that are told apart in one question.
const TRACES_MAX: usize = 1_000_000;

/// Events of no trace.
const NIL: TraceId = TraceId(Uuid::nil());

/// A page of traces, and how many there are on all.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) traces: Vec<FlowTrace>,
    pub(crate) total_count: usize,
}

/// The trace of this id.
pub(crate) fn trace(
    view: &dyn Snapshot,
    trace_id: TraceId,
    asking: &Asking,
) -> Result<Option<FlowTrace>, ApiError> {
    let found = of_traces(view, &[trace_id], asking)?;
    Ok((!found.is_empty()).then(|| assemble(trace_id, found)))
}

/// The traces that fit.
pub(crate) fn query(
    view: &dyn Snapshot,
    asked: &QueryRequest,
    asking: &Asking,
) -> Result<Page, ApiError> {
    let question = TraceQuery {
        limit: None,
        offset: None,
        ..asked.question()
    };
    let compiled = question
        .compile()
        .map_err(|error| ApiError::new(ErrorCode::InvalidFilter, error.to_string()))?;
    let mut traces = Traces::default();
    for_each(view, &compiled, asking, |event| {
        traces.add(event.trace_id.unwrap_or(NIL))
    })?;
    let mut order = traces.order;
    if asked.flow_id.is_some() || asked.execution_id.is_some() || asked.status.is_some() {
        let known = known_flows(view, asking)?;
        order.retain(|trace_id| known.fits(*trace_id, asked));
    }
    let total_count = order.len();
    let page: Vec<_> = order
        .into_iter()
        .skip(asked.offset.unwrap_or(0))
        .take(asked.limit.unwrap_or(USUAL_LIMIT))
        .collect();
    let mut events: HashMap<TraceId, Vec<TraceEvent>> = HashMap::new();
    for event in of_traces(view, &page, asking)? {
        let trace_id = event.trace_id.unwrap_or(NIL);
        events.entry(trace_id).or_default().push(event);
    }
    if page.contains(&NIL) {
        let mut answers = Vec::new();
        for_each(view, &compiled, asking, |event| {
            if event.trace_id.is_none() {
                answers.push(event);
                check_size(answers.len(), asking)?;
            }
            Ok(())
        })?;
        events.insert(NIL, answers);
    }
    let traces = page.into_iter().map(|trace_id| {
        let events = events.remove(&trace_id).unwrap_or_default();
        assemble(trace_id, events)
    });
    Ok(Page {
        traces: traces.collect(),
        total_count,
    })
}

/// The versions of a flow that were seen, in that order.
pub(crate) fn flow_versions(
    view: &dyn Snapshot,
    flow_id: &FlowId,
    asking: &Asking,
) -> Result<Vec<FlowVersion>, ApiError> {
    let mut versions: Vec<FlowVersion> = Vec::new();
    for_each(view, &of_notes()?, asking, |event| {
        let mut notes = Notes::default();
        if notes::is_note(&event) {
            notes.add(&event);
        }
        if notes.flow_id.as_ref() == Some(flow_id)
            && let Some(version) = notes.version
            && !versions.contains(&version)
        {
            versions.push(version);
            check_size(versions.len(), asking)?;
        }
        Ok(())
    })?;
    Ok(versions)
}

/// What is known of traces beside their events.
#[derive(Debug, Default)]
pub(crate) struct KnownFlows {
    pub(super) notes: HashMap<TraceId, Notes>,
    /// Traces in which an actor has failed.
    pub(super) failed: HashSet<TraceId>,
}

/// Everything that was noted.
pub(crate) fn known_flows(view: &dyn Snapshot, asking: &Asking) -> Result<KnownFlows, ApiError> {
    let mut known = KnownFlows::default();
    for_each(view, &of_notes()?, asking, |event| {
        if let Some(trace_id) = event.trace_id.filter(|_| notes::is_note(&event)) {
            known.notes.entry(trace_id).or_default().add_choice(&event);
        }
        check_traces(known.notes.len())
    })?;
    let failures = TraceQuery {
        event_types: Some(vec![TraceEventType::ActorFailed]),
        ..TraceQuery::default()
    };
    for_each(view, &compiled(&failures)?, asking, |event| {
        known.failed.extend(event.trace_id);
        check_traces(known.failed.len())
    })?;
    Ok(known)
}

impl KnownFlows {
    fn fits(&self, trace_id: TraceId, asked: &QueryRequest) -> bool {
        let notes = self.notes.get(&trace_id);
        let flow = notes.and_then(|notes| notes.flow_id.as_ref());
        let execution = notes.and_then(|notes| notes.execution_id);
        let is_flow = |asked: &FlowId| match flow {
            Some(flow) => flow == asked,
            None => asked.0 == "unknown",
        };
        let is_execution =
            |asked: &ExecutionId| *asked == execution.unwrap_or(ExecutionId(trace_id.0));
        let is_status = |asked: &ExecutionStatus| {
            let status = notes.and_then(|notes| notes.status.as_ref());
            match status {
                Some(status) => discriminant(status) == discriminant(asked),
                None if self.failed.contains(&trace_id) => {
                    matches!(asked, ExecutionStatus::Failed { .. })
                }
                None => matches!(asked, ExecutionStatus::Running),
            }
        };
        asked.flow_id.as_ref().is_none_or(is_flow)
            && asked.execution_id.as_ref().is_none_or(is_execution)
            && asked.status.as_ref().is_none_or(is_status)
    }
}

/// Traces in the order in which they were found.
#[derive(Default)]
struct Traces {
    known: HashSet<TraceId>,
    order: Vec<TraceId>,
}

impl Traces {
    fn add(&mut self, trace_id: TraceId) -> Result<(), ApiError> {
        if self.known.insert(trace_id) {
            self.order.push(trace_id);
        }
        check_traces(self.order.len())
    }
}

/// A trace of what has its id.
fn assemble(trace_id: TraceId, events: Vec<TraceEvent>) -> FlowTrace {
    let (notes, events): (Vec<_>, Vec<_>) = events.into_iter().partition(notes::is_note);
    // A trace that was handed in twice, or an event that was sent again because its answer was lost.
    let mut known = HashSet::new();
    let events = events
        .into_iter()
        .filter(|event| known.insert(event.event_id));
    let mut trace = FlowTrace::of_events(trace_id, events.collect());
    let mut said = Notes::default();
    for note in &notes {
        said.add(note);
    }
    said.apply(&mut trace);
    trace
}

/// Everything at the actor of notes.
fn of_notes() -> Result<CompiledQuery, ApiError> {
    compiled(&TraceQuery {
        event_types: Some(vec![TraceEventType::NetworkEvent]),
        actor_filter: Some(notes::ACTOR.to_owned()),
        ..TraceQuery::default()
    })
}

fn compiled(query: &TraceQuery<'_>) -> Result<CompiledQuery, ApiError> {
    query
        .compile()
        .map_err(|error| ApiError::new(ErrorCode::InvalidFilter, error.to_string()))
}

/// The events of these traces, in the order of time, as they may be shown.
fn of_traces(
    view: &dyn Snapshot,
    trace_ids: &[TraceId],
    asking: &Asking,
) -> Result<Vec<TraceEvent>, ApiError> {
    let keys: Vec<_> = trace_ids.iter().copied().map(Key::Trace).collect();
    let found = view.find(&keys, TimeRange::ALL, asking.limits.events_max, asking);
    let found = found.map_err(|error| asking.of_store(&error))?;
    check_size(found.len(), asking)?;
    let events = found.into_iter().map(|found| asking.shown(found.event));
    Ok(events.collect())
}

/// Looks at every answer, in the order of time.
fn for_each(
    view: &dyn Snapshot,
    query: &CompiledQuery,
    asking: &Asking,
    mut look: impl FnMut(TraceEvent) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let scan = Scan::new(query.clone());
    for found in view.scan(&scan, asking) {
        let found = found.map_err(|error| asking.of_store(&error))?;
        look(asking.shown(found.event))?;
    }
    Ok(())
}

fn check_size(events: usize, asking: &Asking) -> Result<(), ApiError> {
    let max = asking.limits.events_max;
    if events <= max {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::TooLarge,
        format!(
            "the answer has more than {max} events (`query.events_max`): ask for fewer traces, with `limit`"
        ),
    ))
}

fn check_traces(traces: usize) -> Result<(), ApiError> {
    if traces <= TRACES_MAX {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::TooLarge,
        format!(
            "more than {TRACES_MAX} traces fit: ask about a shorter time or with a narrower filter"
        ),
    ))
}
