//! What is known of traces beside their events, as little of it as a question needs.
//!
//! There may be a million traces in one question, and notes are as long as whoever wrote them liked: names, the text of an
//! error, tags. So of each trace it is kept which of the flows that are asked about it is of, and not how it is
//! called; which state it is in, and not what went wrong. A trace takes the same few bytes whatever its notes hold.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

use reflow_trace::protocol::{ExecutionId, ExecutionStatus, FlowId};
use reflow_trace::{TraceEvent, TraceEventType, TraceId};

use super::notes::{self, EXECUTION_ID, FLOW_ID, STATUS};

/// A trace of which nobody has said the flow is of this one.
const UNKNOWN: &str = "unknown";

/// What is known of one trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Whether it is of a flow that is asked about; `None` where nobody has said of which it is.
    is_of_flow: Option<bool>,
    execution_id: Option<ExecutionId>,
    status: Option<Discriminant<ExecutionStatus>>,
    has_failed: bool,
}

/// What is known of all traces, seen from the flows that are asked about.
#[derive(Debug, Default)]
pub(crate) struct KnownFlows {
    flows: Vec<FlowId>,
    traces: HashMap<TraceId, Known>,
    /// In the order in which they were added.
    order: Vec<TraceId>,
}

impl Known {
    /// One more event of the trace, later than those before: a later note counts, and an end that was noted says more
    /// than an actor that has failed.
    pub(super) fn add(&mut self, event: &TraceEvent, flows: &[FlowId]) {
        if event.event_type == TraceEventType::ActorFailed {
            self.has_failed = true;
        }
        if !notes::is_note(event) {
            return;
        }
        let attributes = &event.data.custom_attributes;
        if let Some(flow) = attributes.get(FLOW_ID).and_then(|flow| flow.as_str()) {
            self.is_of_flow = Some(flows.iter().any(|asked| asked.0 == flow));
        }
        self.execution_id = notes::said(event, EXECUTION_ID).or(self.execution_id);
        let status = notes::said(event, STATUS);
        self.status = status.as_ref().map(discriminant).or(self.status);
    }

    /// Whether an event says something that is kept.
    pub(super) fn is_said_by(event: &TraceEvent) -> bool {
        event.event_type == TraceEventType::ActorFailed || notes::is_note(event)
    }

    /// Whether the trace is of one of these flows, which are those that it was looked at with.
    pub(super) fn is_of(known: Option<&Self>, flows: &[FlowId]) -> bool {
        known
            .and_then(|known| known.is_of_flow)
            .unwrap_or_else(|| flows.iter().any(|asked| asked.0 == UNKNOWN))
    }

    /// The execution; one of its own for each trace of which nobody has said it.
    pub(super) fn execution_id(known: Option<&Self>, trace_id: TraceId) -> ExecutionId {
        known
            .and_then(|known| known.execution_id)
            .unwrap_or(ExecutionId(trace_id.0))
    }

    /// Whether it is in this state, however that came about.
    pub(super) fn is_in(known: Option<&Self>, status: &ExecutionStatus) -> bool {
        let failed = ExecutionStatus::Failed {
            error: String::new(),
        };
        let here = match known {
            Some(known) => match known.status {
                Some(status) => status,
                None if known.has_failed => discriminant(&failed),
                None => discriminant(&ExecutionStatus::Running),
            },
            None => discriminant(&ExecutionStatus::Running),
        };
        here == discriminant(status)
    }
}

impl KnownFlows {
    /// Nothing yet.
    pub(super) fn of(flows: Vec<FlowId>) -> Self {
        Self {
            flows,
            ..Self::default()
        }
    }

    /// One more event, those of a kind in the order of time; how many traces are known.
    pub(super) fn add(&mut self, trace_id: TraceId, event: &TraceEvent) -> usize {
        let known = self.traces.entry(trace_id).or_insert_with(|| {
            self.order.push(trace_id);
            Known::default()
        });
        known.add(event, &self.flows);
        self.order.len()
    }

    pub(super) fn get(&self, trace_id: TraceId) -> Option<&Known> {
        self.traces.get(&trace_id)
    }

    /// All of them, in the order in which they were added.
    pub(super) fn in_order(mut self) -> impl Iterator<Item = (TraceId, Known)> {
        let order = std::mem::take(&mut self.order);
        order.into_iter().filter_map(move |trace_id| {
            let known = self.traces.remove(&trace_id)?;
            Some((trace_id, known))
        })
    }
}

#[cfg(test)]
mod tests {
    use reflow_trace::protocol::{FlowTrace, FlowVersion};

    use super::*;

    fn trace_id(number: u128) -> TraceId {
        TraceId(uuid::Uuid::from_u128(number))
    }

    fn version() -> FlowVersion {
        FlowVersion {
            major: 1,
            minor: 0,
            patch: 0,
            git_hash: None,
            timestamp: chrono::DateTime::from_timestamp_nanos(0),
        }
    }

    /// A trace that was handed in whole, with tags and a name of 100 KiB each.
    fn stored(number: u128) -> TraceEvent {
        let mut trace = FlowTrace::of_events(trace_id(number), Vec::new());
        trace.flow_id = FlowId("f".repeat(100 << 10));
        trace.status = ExecutionStatus::Failed {
            error: "e".repeat(100 << 10),
        };
        let tags = &mut trace.metadata.tags;
        tags.insert("tag".to_owned(), "t".repeat(100 << 10));
        notes::stored(&trace)
    }

    #[test]
    fn a_trace_takes_the_same_few_bytes_whatever_its_notes_hold() {
        let mut known = KnownFlows::of(vec![FlowId("orders".to_owned())]);
        for number in 0..100 {
            assert_eq!(
                known.add(trace_id(number), &stored(number)),
                number as usize + 1
            );
        }
        // Nothing in it lies behind a pointer, so that this is all that a trace takes.
        const {
            assert!(!std::mem::needs_drop::<Known>());
            assert!(size_of::<Known>() <= 64);
        }
        let one = known.get(trace_id(7));
        assert!(!Known::is_of(one, &known.flows));
        let failed = ExecutionStatus::Failed {
            error: "something else".to_owned(),
        };
        assert!(Known::is_in(one, &failed));
    }

    #[test]
    fn a_later_note_counts_and_an_end_says_more_than_an_actor_that_failed() {
        let asked = vec![FlowId("orders".to_owned())];
        let mut known = KnownFlows::of(asked.clone());
        let id = trace_id(1);
        let failed = ExecutionStatus::Failed {
            error: String::new(),
        };
        assert!(Known::is_in(known.get(id), &ExecutionStatus::Running));
        known.add(id, &notes::started(id, &asked[0], &version()));
        assert!(Known::is_of(known.get(id), &asked));
        assert!(Known::is_in(known.get(id), &ExecutionStatus::Running));
        known.add(id, &TraceEvent::actor_failed("a", "broken"));
        assert!(Known::is_in(known.get(id), &failed));
        known.add(id, &notes::ended(id, &ExecutionStatus::Completed));
        assert!(Known::is_in(known.get(id), &ExecutionStatus::Completed));
        known.add(id, &notes::ended(id, &ExecutionStatus::Cancelled));
        assert!(Known::is_in(known.get(id), &ExecutionStatus::Cancelled));
        let other = FlowId("returns".to_owned());
        known.add(id, &notes::started(id, &other, &version()));
        assert!(!Known::is_of(known.get(id), &asked));
        assert_eq!(
            Known::execution_id(known.get(id), id),
            ExecutionId(id.0),
            "nobody has said it"
        );
    }

    #[test]
    fn a_trace_of_which_nothing_is_said_is_of_the_unknown_flow() {
        let asked = [FlowId(UNKNOWN.to_owned())];
        assert!(Known::is_of(None, &asked));
        assert!(!Known::is_of(None, &[FlowId("orders".to_owned())]));
        let mut failed = Known::default();
        failed.add(&TraceEvent::actor_failed("a", "broken"), &asked);
        assert!(Known::is_of(Some(&failed), &asked));
    }

    #[test]
    fn what_is_known_comes_in_the_order_in_which_it_was_noted() {
        let mut known = KnownFlows::of(Vec::new());
        for number in (0..50).rev() {
            let id = trace_id(number);
            known.add(id, &notes::ended(id, &ExecutionStatus::Completed));
            known.add(id, &notes::ended(id, &ExecutionStatus::Completed));
        }
        let numbers = known.in_order().map(|(id, _)| id.0.as_u128());
        assert!(numbers.eq((0..50).rev()));
    }
}
