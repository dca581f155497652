//! Which flow and state an event belongs to, for subscriptions that ask for some.
//!
//! An event names its trace, and only notes say what flow a trace is of. So a subscription that asks begins
//! with all notes that are stored, and reads on in those that come by.

use std::collections::{HashMap, VecDeque};
use std::mem::discriminant;

use reflow_trace::protocol::{ExecutionStatus, FlowId, SubscriptionRequest};
use reflow_trace::query::CompiledSubscription;
use reflow_trace::{TraceEvent, TraceEventType, TraceId};

use super::notes::{self, Notes};
use super::traces::KnownFlows;

/// Traces that are remembered; beyond it those that came first are of an unknown flow again.
const TRACES_MAX: usize = 1 << 16;

/// Events of some flows, or of traces that are so far.
pub(crate) struct FlowFilter {
    wanted: CompiledSubscription,
    flows: Option<Vec<FlowId>>,
    states: Option<Vec<ExecutionStatus>>,
    traces: HashMap<TraceId, Notes>,
    /// In the order in which they came.
    order: VecDeque<TraceId>,
}

impl FlowFilter {
    /// `None` where nothing is asked of traces.
    pub(crate) fn new(asked: &SubscriptionRequest, wanted: CompiledSubscription) -> Option<Self> {
        (asked.flow_ids.is_some() || asked.status_filter.is_some()).then(|| Self {
            wanted,
            flows: asked.flow_ids.clone(),
            states: asked.status_filter.clone(),
            traces: HashMap::new(),
            order: VecDeque::new(),
        })
    }

    /// What was noted before it began.
    pub(crate) fn begin_with(&mut self, known: KnownFlows) {
        for (trace_id, notes) in known.notes {
            *self.of(trace_id) = notes;
        }
        for trace_id in known.failed {
            self.fail(trace_id);
        }
    }

    /// Whether the event is wanted.
    pub(crate) fn wants(&mut self, event: &TraceEvent) -> bool {
        let trace_id = event.trace_id;
        if let Some(trace_id) = trace_id {
            if notes::is_note(event) {
                self.of(trace_id).add_choice(event);
            } else if event.event_type == TraceEventType::ActorFailed {
                self.fail(trace_id);
            }
        }
        if !self.wanted.matches(event) {
            return false;
        }
        let notes = trace_id.and_then(|trace_id| self.traces.get(&trace_id));
        let flow = notes.and_then(|notes| notes.flow_id.as_ref());
        let flow = flow.map_or("unknown", |flow| &flow.0);
        let state = notes.and_then(|notes| notes.status.as_ref());
        let state = discriminant(state.unwrap_or(&ExecutionStatus::Running));
        let is_flow = |flows: &Vec<FlowId>| flows.iter().any(|one| one.0 == flow);
        let is_state =
            |states: &Vec<ExecutionStatus>| states.iter().any(|one| discriminant(one) == state);
        self.flows.as_ref().is_none_or(is_flow) && self.states.as_ref().is_none_or(is_state)
    }

    fn of(&mut self, trace_id: TraceId) -> &mut Notes {
        if !self.traces.contains_key(&trace_id) {
            self.order.push_back(trace_id);
            if self.order.len() > TRACES_MAX
                && let Some(first) = self.order.pop_front()
            {
                self.traces.remove(&first);
            }
        }
        self.traces.entry(trace_id).or_default()
    }

    /// An actor has failed; an end that was noted says more.
    fn fail(&mut self, trace_id: TraceId) {
        let status = &mut self.of(trace_id).status;
        if status.is_none() {
            *status = Some(ExecutionStatus::Failed {
                error: String::new(),
            });
        }
    }
}
