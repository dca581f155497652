//! What the tracing says of itself: losses, exact counters, coverage.

use chrono::{DateTime, Utc};

use crate::event::{EventId, TraceEvent};
use crate::ledger::{CounterSnapshot, Coverage, Loss};

/// A notice with the identity that its event has.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Notice {
    pub(super) event_id: EventId,
    pub(super) timestamp: DateTime<Utc>,
    pub(super) loss: Option<Loss>,
    pub(super) counters: Option<CounterSnapshot>,
    pub(super) coverage: Option<Coverage>,
}

impl Notice {
    /// The notice that `event` is, when it is exactly one.
    pub(super) fn of(event: &TraceEvent) -> Option<Self> {
        let notice = Self {
            event_id: event.event_id,
            timestamp: event.timestamp,
            loss: event.as_loss(),
            counters: event.as_edge_counters(),
            coverage: event.as_coverage(),
        };
        // Whoever builds events by hand may have added to it.
        (notice.to_event().as_ref() == Some(event)).then_some(notice)
    }

    /// The event; `None` when there is nothing to say.
    pub(super) fn to_event(&self) -> Option<TraceEvent> {
        let mut event = match (&self.loss, &self.counters) {
            (Some(loss), None) => TraceEvent::loss(*loss),
            (None, Some(counters)) => TraceEvent::edge_counters(counters),
            _ => return None,
        };
        if let Some(coverage) = &self.coverage {
            event = event.with_coverage(coverage);
        }
        event.event_id = self.event_id;
        event.causality.root_cause_event_id = Some(self.event_id);
        event.timestamp = self.timestamp;
        Some(event)
    }
}
