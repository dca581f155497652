//! One event of a batch with names and times, before a [`TraceEvent`] is made of it.

use std::fmt;

use chrono::DateTime;
use serde_json::Value;
use uuid::Uuid;

use super::seal::MESSAGE_ID;
use super::{EdgeNames, sections};
use crate::event::{EventId, Outcome, TraceEvent, TraceId};
use crate::record::sections::{Section, Tag, ValueKind};
use crate::record::{Facts, Kind, Names, apply, event_of, metrics_of};
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
    /// Any other text.
    Text(&'a str),
}

impl fmt::Display for MessageId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Number(number) => number.fmt(f),
            Self::Numbered {
                prefix,
                width,
                number,
            } => write!(f, "{prefix}{number:0width$}", width = usize::from(width)),
            Self::Uuid(bytes) => Uuid::from_bytes(bytes).fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl MessageId<'_> {
    pub(super) fn to_value(self) -> Value {
        match self {
            Self::Number(number) => number.into(),
            _ => self.to_string().into(),
        }
    }
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
        let EdgeNames {
            from_actor,
            from_port,
            to_actor,
            to_port,
            protocol,
            compression,
        } = self.edge;
        let kind = self.kind.0;
        let mut event = event_of(&Facts {
            kind,
            outcome: self.outcome,
            flags: self.flags,
            event_id: self.event_id,
            timestamp: DateTime::from_timestamp_nanos(self.start_ns),
            duration_ns: self.duration_ns,
            names: Names {
                from_actor,
                from_port,
                to_actor,
                to_port,
                protocol,
                compression,
            },
            message_type: self.message_type,
            size: self.size_bytes,
            depth: self.queue_depth,
            waiting_ns: self.waiting_ns,
            memory_bytes: self.memory_bytes,
            cpu_usage_percent: self.cpu_usage_percent,
            throughput: self.throughput_msgs_per_sec,
            parent: self.parent,
            trace_id: self.trace_id,
            hops: self.hops.unwrap_or(0),
            threshold: self.threshold,
        });
        if let Some(id) = self.message_id {
            let attributes = &mut event.data.custom_attributes;
            attributes.insert(MESSAGE_ID.to_owned(), id.to_value());
        }
        for section in sections::read(self.sections) {
            apply(&mut event, &section.ok()?, kind, self.flags)?;
        }
        Some(event)
    }

    /// Takes over what the sections say that has a field.
    pub(super) fn fill_from_sections(&mut self) {
        let is_by_hand = self.is_by_hand();
        if is_by_hand {
            (self.threshold, self.parent, self.size_bytes) = (None, None, None);
        }
        for section in sections::read(self.sections).flatten() {
            let uuid = || section.number().map(Uuid::from_bytes);
            match section.tag {
                Tag::EventId => self.event_id = uuid().map_or(self.event_id, EventId),
                Tag::TraceId => self.trace_id = uuid().map(TraceId).or(self.trace_id),
                Tag::Parent => self.parent = uuid().map(EventId).or(self.parent),
                Tag::Attribute if section.key() == MESSAGE_ID.as_bytes() => {
                    self.message_id = message_id_of(&section);
                }
                Tag::Threshold => {
                    let bits = section.number().map(u64::from_le_bytes);
                    self.threshold = bits.map(Threshold::from_bits);
                }
                Tag::Message if is_by_hand => {
                    self.size_bytes = section.number().map(u64::from_le_bytes);
                }
                _ => {}
            }
        }
        if is_by_hand {
            let sections = sections::read(self.sections).flatten();
            let metrics = sections
                .filter(|section| section.tag == Tag::Metrics)
                .last()
                .and_then(|section| metrics_of(&section))
                .unwrap_or_default();
            self.duration_ns = metrics.execution_time_ns;
            self.memory_bytes = metrics.memory_usage_bytes.map(|bytes| bytes as u64);
            self.cpu_usage_percent = metrics.cpu_usage_percent;
            self.queue_depth = metrics.queue_depth.map(|depth| depth as u64);
            self.throughput_msgs_per_sec = metrics.throughput_msgs_per_sec;
            self.waiting_ns = metrics.waiting_time_ns;
        }
    }
}

/// A message id that stayed in the sections: a text, or a number above 0 where a column was not to be had.
fn message_id_of<'a>(section: &Section<'a>) -> Option<MessageId<'a>> {
    let (&kind, value) = section.borrowed_payload()?.split_first()?;
    if kind == ValueKind::Text as u8 {
        std::str::from_utf8(value).ok().map(MessageId::Text)
    } else if kind == ValueKind::Unsigned as u8 {
        let number = value.first_chunk().copied().map(u64::from_le_bytes);
        number.map(MessageId::Number)
    } else {
        None
    }
}
