//! From stored events to traces: what `GetTrace`, `QueryTraces` and `GetFlowVersions` find.
//!
//! A query finds the traces in which at least one event is an answer, in the order of the first such event,
//! and gives them whole. `limit` and `offset` count traces. Events without a trace are together the trace
//! `nil`, of which only the answers are given: it would be everything else there is.

use std::collections::{HashMap, HashSet};

use reflow_trace::api::{ApiError, ErrorCode};
use reflow_trace::protocol::{ExecutionId, FlowId, FlowTrace, FlowVersion, QueryRequest};
use reflow_trace::query::{CompiledQuery, TraceQuery};
use reflow_trace::{TraceEvent, TraceEventType, TraceId};
use uuid::Uuid;

use super::known::{Known, KnownFlows};
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
        let flows = asked.flow_id.iter().cloned().collect();
        let known = known_flows(view, flows, asking)?;
        order.retain(|trace_id| fits(&known, *trace_id, asked));
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
    let mut known = HashSet::new();
    let mut bytes = 0;
    for_each(view, &of_notes()?, asking, |event| {
        let said = event.data.custom_attributes.get(notes::FLOW_ID);
        let is_of_flow = said.is_some_and(|said| said.as_str() == Some(&flow_id.0));
        if !is_of_flow || !notes::is_note(&event) {
            return Ok(());
        }
        let Some(version) = notes::said::<FlowVersion>(&event, notes::VERSION) else {
            return Ok(());
        };
        let numbers = (version.major, version.minor, version.patch);
        if known.insert((numbers, version.git_hash.clone(), version.timestamp)) {
            // Whoever wrote them says how long they are.
            bytes += version.git_hash.as_ref().map_or(0, String::len);
            versions.push(version);
            check_size(versions.len(), asking)?;
            check_bytes(bytes, asking)?;
        }
        Ok(())
    })?;
    Ok(versions)
}

/// What is known of all traces, seen from these flows.
pub(crate) fn known_flows(
    view: &dyn Snapshot,
    flows: Vec<FlowId>,
    asking: &Asking,
) -> Result<KnownFlows, ApiError> {
    let mut known = KnownFlows::of(flows);
    let failures = compiled(&TraceQuery {
        event_types: Some(vec![TraceEventType::ActorFailed]),
        ..TraceQuery::default()
    })?;
    // What was noted comes last: where there are too many to be remembered, it is what stays.
    for query in [failures, of_notes()?] {
        for_each(view, &query, asking, |event| {
            match event.trace_id.filter(|_| Known::is_said_by(&event)) {
                Some(trace_id) => check_traces(known.add(trace_id, &event)),
                None => Ok(()),
            }
        })?;
    }
    Ok(known)
}

/// Whether a trace is what is asked for beside its events.
fn fits(known: &KnownFlows, trace_id: TraceId, asked: &QueryRequest) -> bool {
    let here = known.get(trace_id);
    let is_flow = |flow: &FlowId| Known::is_of(here, std::slice::from_ref(flow));
    let is_execution = |id: &ExecutionId| *id == Known::execution_id(here, trace_id);
    asked.flow_id.as_ref().is_none_or(is_flow)
        && asked.execution_id.as_ref().is_none_or(is_execution)
        && (asked.status.as_ref()).is_none_or(|status| Known::is_in(here, status))
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

fn check_bytes(bytes: usize, asking: &Asking) -> Result<(), ApiError> {
    let max = asking.limits.answer_bytes_max;
    if bytes <= max {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::TooLarge,
        format!("the answer has more than {max} bytes (`query.answer_bytes_max`)"),
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
