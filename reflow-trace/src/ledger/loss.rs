//! Events that were attempted and are not stored, by reason.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::TRACING_ACTOR;
use crate::event::TraceEvent;

const ATTRIBUTE: &str = "loss";

/// Why an event that was to be recorded is not stored.
///
/// Later versions may know more reasons: what they tell of one is read as [`Other`](Self::Other).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LossReason {
    /// The thread's ring was full and the overflow policy dropped the newest event.
    RingFull,
    /// The overflow policy overwrote the event before it was collected.
    Overwritten,
    /// The thread was too far gone to record, or there were more threads than rings.
    NoRing,
    /// The queue of events recorded by hand was full.
    ManualQueueFull,
    /// The event with all its attributes exceeds the largest record.
    TooLarge,
    /// A record could not be read back; this is a fault of the tracing itself, told where the event
    /// would have stood.
    Corrupt,
    /// The queue to a sink was full.
    SinkFull,
    /// A sink refused the event.
    SinkFailed,
    /// A sink panicked; it gets nothing more.
    SinkPanicked,
    /// The memory in which a server client keeps what is not acknowledged was full, and it had no spool,
    /// or one that did not take it in time.
    WindowFull,
    /// So was the spool.
    SpoolFull,
    /// The memory was full, and the disk of the spool refused to take more.
    SpoolFailed,
    /// What was written to the spool could not be read back. It may have arrived all the same, where only
    /// the acknowledgement is missing.
    SpoolCorrupt,
    /// The server refused the batch, and would always refuse it.
    Refused,
    /// The recording ended before the server acknowledged it, and there was no spool to keep it. It may
    /// have arrived all the same.
    NotAcknowledged,
    /// A reason that this version does not know; a later one has told of it.
    #[serde(other)]
    Other,
}

impl LossReason {
    /// Every reason.
    pub const ALL: [Self; 16] = [
        Self::RingFull,
        Self::Overwritten,
        Self::NoRing,
        Self::ManualQueueFull,
        Self::TooLarge,
        Self::Corrupt,
        Self::SinkFull,
        Self::SinkFailed,
        Self::SinkPanicked,
        Self::WindowFull,
        Self::SpoolFull,
        Self::SpoolFailed,
        Self::SpoolCorrupt,
        Self::Refused,
        Self::NotAcknowledged,
        Self::Other,
    ];

    /// The name used in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RingFull => "ring_full",
            Self::Overwritten => "overwritten",
            Self::NoRing => "no_ring",
            Self::ManualQueueFull => "manual_queue_full",
            Self::TooLarge => "too_large",
            Self::Corrupt => "corrupt",
            Self::SinkFull => "sink_full",
            Self::SinkFailed => "sink_failed",
            Self::SinkPanicked => "sink_panicked",
            Self::WindowFull => "window_full",
            Self::SpoolFull => "spool_full",
            Self::SpoolFailed => "spool_failed",
            Self::SpoolCorrupt => "spool_corrupt",
            Self::Refused => "refused",
            Self::NotAcknowledged => "not_acknowledged",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A number of lost events with their reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Why they are lost.
    pub reason: LossReason,
    /// How many.
    pub count: u64,
}

impl TraceEvent {
    /// A loss, as an event among those that were kept.
    pub fn loss(loss: Loss) -> Self {
        let mut event = Self::network_event(TRACING_ACTOR);
        event.data.error = Some(format!("{} events lost: {}", loss.count, loss.reason));
        let value = serde_json::to_value(loss).unwrap_or_default();
        event
            .data
            .custom_attributes
            .insert(ATTRIBUTE.to_owned(), value);
        event
    }

    /// The loss that this event reports, when it is one.
    pub fn as_loss(&self) -> Option<Loss> {
        if self.actor_id != TRACING_ACTOR {
            return None;
        }
        Loss::deserialize(self.data.custom_attributes.get(ATTRIBUTE)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_travels_as_an_event() {
        for reason in LossReason::ALL {
            let loss = Loss { reason, count: 3 };
            let json = serde_json::to_string(&TraceEvent::loss(loss)).expect("serializes");
            assert!(json.contains(reason.name()));
            let event: TraceEvent = serde_json::from_str(&json).expect("parses");
            assert_eq!(event.as_loss(), Some(loss));
        }
    }

    #[test]
    fn a_loss_by_a_reason_of_a_later_version_is_one_by_another_reason() {
        let mut event = TraceEvent::loss(Loss {
            reason: LossReason::Refused,
            count: 3,
        });
        let later = serde_json::json!({ "reason": "eaten_by_mice", "count": 3 });
        let attributes = &mut event.data.custom_attributes;
        attributes.insert(ATTRIBUTE.to_owned(), later);
        let loss = Loss {
            reason: LossReason::Other,
            count: 3,
        };
        assert_eq!(event.as_loss(), Some(loss));
    }
}
