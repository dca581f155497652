//! From an event as Reflow sends it to one as we keep it.

use crate::event::{PerformanceMetrics, TraceEvent, TraceId};

/// The event with its trace, and without what its sender cannot have known.
///
/// The clients of Reflow 0.2.1 measure nothing and link nothing, but their types have no way to say so:
///
/// * five numbers that are all 0 are five unknown ones, or every mean would be drawn to zero;
/// * a root cause that is another event, in an event that names neither a cause nor a chain, is an id
///   that was drawn at random: the root is not known.
///
/// What an event says beyond that is kept as it is. An event that names its own trace keeps it.
///
/// ```
/// use reflow_trace::protocol::adopted;
/// use reflow_trace::{TraceEvent, TraceId};
///
/// let sent = TraceEvent::data_flow("a", "out", "b", "in", "T", 3);
/// let trace_id = TraceId::new();
/// assert_eq!(adopted(sent, trace_id).trace_id, Some(trace_id));
/// ```
pub fn adopted(mut event: TraceEvent, trace_id: TraceId) -> TraceEvent {
    if !trace_id.0.is_nil() {
        event.trace_id.get_or_insert(trace_id);
    }
    let nothing_measured = PerformanceMetrics {
        execution_time_ns: Some(0),
        memory_usage_bytes: Some(0),
        cpu_usage_percent: Some(0.0),
        queue_depth: Some(0),
        throughput_msgs_per_sec: Some(0.0),
        waiting_time_ns: None,
    };
    if event.data.performance_metrics == nothing_measured {
        event.data.performance_metrics = PerformanceMetrics::default();
    }
    let causes = &mut event.causality;
    let has_no_cause = causes.parent_event_id.is_none() && causes.dependency_chain.is_empty();
    if has_no_cause && causes.root_cause_event_id != Some(event.event_id) {
        causes.root_cause_event_id = None;
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventId;

    fn event() -> TraceEvent {
        TraceEvent::message_sent("a", "out", "T", 3)
    }

    #[test]
    fn nothing_measured_is_unknown_and_a_single_zero_is_a_zero() {
        let mut sent = event();
        let metrics = &mut sent.data.performance_metrics;
        metrics.execution_time_ns = Some(0);
        metrics.memory_usage_bytes = Some(0);
        metrics.cpu_usage_percent = Some(0.0);
        metrics.queue_depth = Some(0);
        metrics.throughput_msgs_per_sec = Some(0.0);
        let kept = adopted(sent.clone(), TraceId::new());
        assert_eq!(kept.data.performance_metrics, PerformanceMetrics::default());

        sent.data.performance_metrics.execution_time_ns = Some(7);
        let kept = adopted(sent.clone(), TraceId::new());
        assert_eq!(kept.data.performance_metrics, sent.data.performance_metrics);
    }

    #[test]
    fn a_root_that_nothing_leads_to_is_unknown() {
        let root = Some(EventId::new());
        let of = |change: fn(&mut TraceEvent)| {
            let mut sent = event();
            sent.causality.root_cause_event_id = root;
            change(&mut sent);
            let own = sent.event_id;
            (
                adopted(sent, TraceId::new()).causality.root_cause_event_id,
                own,
            )
        };
        assert_eq!(of(|_| ()).0, None);
        assert_eq!(
            of(|it| it.causality.parent_event_id = Some(EventId::new())).0,
            root
        );
        assert_eq!(
            of(|it| it.causality.dependency_chain.push(EventId::new())).0,
            root
        );
        let (kept, own) = of(|it| it.causality.root_cause_event_id = Some(it.event_id));
        assert_eq!(kept, Some(own));
    }

    #[test]
    fn an_event_keeps_the_trace_that_it_names() {
        let mut sent = event();
        assert_eq!(
            adopted(sent.clone(), TraceId(uuid::Uuid::nil())).trace_id,
            None
        );
        let own = TraceId::new();
        sent.trace_id = Some(own);
        assert_eq!(adopted(sent, TraceId::new()).trace_id, Some(own));
    }
}
