//! The answers against independent evaluations of the same events, and against hostile ones.

#[cfg(feature = "api")]
mod answered;
mod answers;
mod complete;
mod estimate;
mod hostile;
mod random;

use chrono::DateTime;
use serde_json::json;

use super::*;
use crate::event::{EventId, EventOrigin, ProducerId, TraceEvent, TraceId};
use crate::sampling::{SamplingInfo, Threshold};

const P: ProducerId = ProducerId::from_bits(1);

fn id_in(ring: u32, sequence: u64) -> EventId {
    EventId::from_origin(EventOrigin {
        producer: P,
        ring,
        sequence,
    })
}

fn id(sequence: u64) -> EventId {
    id_in(1, sequence)
}

/// The trace whose R is `randomness`.
fn trace(randomness: u64) -> TraceId {
    TraceId::from_root(P, u128::from(randomness))
}

/// The event as attempt `sequence` of ring 1, at a time and of a duration in nanoseconds.
fn at(mut event: TraceEvent, sequence: u64, start_ns: i64, duration_ns: u64) -> TraceEvent {
    event.event_id = id(sequence);
    event.timestamp = DateTime::from_timestamp_nanos(start_ns);
    event.causality.root_cause_event_id = Some(event.event_id);
    event.data.performance_metrics.execution_time_ns = Some(duration_ns);
    event.trace_id = Some(trace(1 << 55));
    event.sampling = SamplingInfo::by(Threshold::ALWAYS);
    event
}

fn caused(mut event: TraceEvent, causes: &[EventId]) -> TraceEvent {
    event.causality.parent_event_id = causes.first().copied();
    event.causality.joined_event_ids = causes.get(1..).unwrap_or_default().to_vec();
    event.causality.root_cause_event_id = None;
    event
}

fn send(from: &str, to: &str, sequence: u64, start_ns: i64, duration_ns: u64) -> TraceEvent {
    let event = TraceEvent::data_flow(from, "out", to, "in", "T", 8);
    at(event, sequence, start_ns, duration_ns)
}

fn take(actor: &str, sequence: u64, start_ns: i64, duration_ns: u64, waited_ns: u64) -> TraceEvent {
    let event = TraceEvent::message_received(actor, "in", "T", 8);
    let mut event = at(event, sequence, start_ns, duration_ns);
    event.data.performance_metrics.waiting_time_ns = Some(waited_ns);
    event
}

fn numbered(mut event: TraceEvent, message_id: u64) -> TraceEvent {
    let attributes = &mut event.data.custom_attributes;
    attributes.insert("message_id".into(), json!(message_id));
    event
}

/// A source fans out over a fast and a slow actor, which are joined again.
///
/// ```text
/// 1 source→fan ─ 2 fan ─┬─ 3 fan→fast ─ 5 fast ─ 7 fast→join ─ 9 join ─┐
///                       └─ 4 fan→slow ─ 6 slow ─ 8 slow→join ─ 10 join ┴─ 11 join→end ─ 12 end
/// ```
fn diamond() -> Vec<TraceEvent> {
    vec![
        send("source", "fan", 1, 0, 5),
        caused(take("fan", 2, 10, 40, 10), &[id(1)]),
        caused(send("fan", "fast", 3, 20, 2), &[id(2)]),
        caused(send("fan", "slow", 4, 30, 2), &[id(2)]),
        caused(take("fast", 5, 25, 10, 5), &[id(3)]),
        caused(take("slow", 6, 40, 500, 10), &[id(4)]),
        caused(send("fast", "join", 7, 30, 1), &[id(5)]),
        caused(send("slow", "join", 8, 530, 1), &[id(6)]),
        caused(take("join", 9, 40, 5, 10), &[id(7)]),
        caused(take("join", 10, 540, 20, 10), &[id(8)]),
        caused(send("join", "end", 11, 550, 1), &[id(10), id(9)]),
        caused(take("end", 12, 560, 7, 10), &[id(11)]),
    ]
}
