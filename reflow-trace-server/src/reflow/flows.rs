//! Which flow and state an event belongs to, for subscriptions that ask for some.
//!
//! An event names its trace, and only notes say what flow a trace is of. So a subscription that asks begins
//! with all notes that are stored, and reads on in those that come by.

use std::collections::{HashMap, VecDeque};

use reflow_trace::protocol::{ExecutionStatus, FlowId, SubscriptionRequest};
use reflow_trace::query::CompiledSubscription;
use reflow_trace::{TraceEvent, TraceId};

use super::known::{Known, KnownFlows};

/// Traces that are remembered; beyond it those that came first are of an unknown flow again.
const TRACES_MAX: usize = 1 << 16;

/// Events of some flows, or of traces that are so far.
pub(crate) struct FlowFilter {
    wanted: CompiledSubscription,
    flows: Option<Vec<FlowId>>,
    states: Option<Vec<ExecutionStatus>>,
    traces: HashMap<TraceId, Known>,
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

    /// The flows that are asked about: what is known before it begins has to be seen from them.
    pub(crate) fn flows(&self) -> Vec<FlowId> {
        self.flows.clone().unwrap_or_default()
    }

    /// What was noted before it began, seen from its flows.
    pub(crate) fn begin_with(&mut self, known: KnownFlows) {
        for (trace_id, known) in known.in_order() {
            *self.of(trace_id) = known;
        }
    }

    /// Whether the event is wanted.
    pub(crate) fn wants(&mut self, event: &TraceEvent) -> bool {
        let trace_id = event.trace_id;
        if let Some(trace_id) = trace_id.filter(|_| Known::is_said_by(event)) {
            let mut known = std::mem::take(self.of(trace_id));
            known.add(event, self.flows.as_deref().unwrap_or_default());
            *self.of(trace_id) = known;
        }
        if !self.wanted.matches(event) {
            return false;
        }
        let known = trace_id.and_then(|trace_id| self.traces.get(&trace_id));
        let is_flow = |flows: &Vec<FlowId>| Known::is_of(known, flows);
        let is_state = |states: &Vec<ExecutionStatus>| {
            let mut states = states.iter();
            states.any(|state| Known::is_in(known, state))
        };
        self.flows.as_ref().is_none_or(is_flow) && self.states.as_ref().is_none_or(is_state)
    }

    fn of(&mut self, trace_id: TraceId) -> &mut Known {
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
}
