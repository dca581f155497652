//! Which ids are in a batch that is in no segment yet: so that a look-up passes over those that have none.
//!
//! Of ids that rings made, the least and the greatest number of each ring; of everything else a hash of 64 bits. About
//! 16 bytes an event once somebody has asked, which are not counted with the memory of the tail: 64 MB where four
//! million events are in it.

use std::collections::HashMap;

use reflow_trace::event::EventOrigin;
use reflow_trace::wire::{EventRow, MessageId, WireBatch};
use reflow_trace::{EventId, TraceId};
use serde_json::Value;
use twox_hash::XxHash64;

type Rings = HashMap<(u64, u32), (u64, u64)>;

/// The ids of a batch.
#[derive(Debug, Default)]
pub(crate) struct TailReach {
    events: Rings,
    causes: Rings,
    /// In order: of ids of another making, of traces, of ids of messages.
    hashes: Box<[u64]>,
    is_named: bool,
}

/// What a hash is of; equal ids of different things have different hashes.
#[derive(Clone, Copy)]
enum Of {
    Event,
    Cause,
    Trace,
    Text,
    Number,
    Other,
}

fn hash(of: Of, bytes: &[u8]) -> u64 {
    XxHash64::oneshot(of as u64, bytes)
}

impl TailReach {
    pub(crate) fn of(batch: &WireBatch) -> Self {
        let mut reach = Self::default();
        let mut hashes = Vec::with_capacity(batch.len());
        let mut text = String::new();
        let mut last_trace = None;
        for row in batch.rows() {
            put(row.event_id, Of::Event, &mut reach.events, &mut hashes);
            for cause in row.parent.into_iter().chain(row.further_causes()) {
                put(cause, Of::Cause, &mut reach.causes, &mut hashes);
            }
            if row.trace_id != last_trace {
                last_trace = row.trace_id;
                hashes.extend(last_trace.map(|id| hash(Of::Trace, id.as_uuid().as_bytes())));
            }
            put_message(&row, &mut text, &mut hashes);
            reach.is_named |= row.names_in_sections();
        }
        hashes.sort_unstable();
        hashes.dedup();
        reach.hashes = hashes.into();
        reach
    }

    pub(crate) fn may_have_event(&self, id: EventId) -> bool {
        self.may_have(id, Of::Event, &self.events)
    }

    pub(crate) fn may_have_cause(&self, id: EventId) -> bool {
        self.may_have(id, Of::Cause, &self.causes)
    }

    pub(crate) fn may_have_trace(&self, id: TraceId) -> bool {
        self.has(hash(Of::Trace, id.as_uuid().as_bytes()))
    }

    pub(crate) fn may_have_message(&self, id: &Value) -> bool {
        self.has(match id {
            Value::String(text) => hash(Of::Text, text.as_bytes()),
            other => match other.as_u64() {
                Some(number) => hash(Of::Number, &number.to_le_bytes()),
                None => hash(Of::Other, other.to_string().as_bytes()),
            },
        })
    }

    /// Whether a message may have an id whose text is this, whatever it is in JSON.
    pub(crate) fn may_have_text(&self, text: &str) -> bool {
        let number = text.parse::<u64>().ok();
        self.has(hash(Of::Text, text.as_bytes()))
            || number.is_some_and(|number| self.has(hash(Of::Number, &number.to_le_bytes())))
            || self.has(hash(Of::Other, text.as_bytes()))
    }

    /// Whether a row may name the ends of its edge in its sections, beside its columns.
    pub(crate) fn is_named(&self) -> bool {
        self.is_named
    }

    fn may_have(&self, id: EventId, of: Of, rings: &Rings) -> bool {
        match id.origin() {
            Some(origin) => rings
                .get(&key(origin))
                .is_some_and(|&(least, greatest)| (least..=greatest).contains(&origin.sequence)),
            None => self.has(hash(of, id.as_uuid().as_bytes())),
        }
    }

    fn has(&self, hash: u64) -> bool {
        self.hashes.binary_search(&hash).is_ok()
    }
}

fn key(origin: EventOrigin) -> (u64, u32) {
    (origin.producer.bits(), origin.ring)
}

fn put(id: EventId, of: Of, rings: &mut Rings, hashes: &mut Vec<u64>) {
    let Some(origin) = id.origin() else {
        hashes.push(hash(of, id.as_uuid().as_bytes()));
        return;
    };
    let number = origin.sequence;
    let (least, greatest) = rings.entry(key(origin)).or_insert((number, number));
    (*least, *greatest) = ((*least).min(number), (*greatest).max(number));
}

fn put_message(row: &EventRow<'_>, text: &mut String, hashes: &mut Vec<u64>) {
    use std::fmt::Write as _;

    let hash = match row.message_id {
        Some(MessageId::Number(number)) => hash(Of::Number, &number.to_le_bytes()),
        Some(MessageId::Text(text)) => hash(Of::Text, text.as_bytes()),
        Some(id) => {
            text.clear();
            // A text takes whatever is written to it.
            let _written = write!(text, "{id}");
            hash(Of::Text, text.as_bytes())
        }
        None if row.sections.is_empty() => return,
        None => match row.message_value() {
            None => return,
            Some(Value::String(text)) => hash(Of::Text, text.as_bytes()),
            Some(other) => hash(Of::Other, other.to_string().as_bytes()),
        },
    };
    hashes.push(hash);
}
