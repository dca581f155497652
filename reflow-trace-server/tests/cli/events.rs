//! Events of all kinds, from a seed.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use fastrand::Rng;
use reflow_trace::event::{EventOrigin, ProducerId};
use reflow_trace::sampling::{SamplingInfo, Threshold};
use reflow_trace::{
    EventId, MessageSnapshot, Outcome, StateDiff, StateDiffType, TraceEvent, TraceEventType,
    TraceId,
};
use serde_json::{Value, json};

/// Names as programs may have them, and as nobody should.
const NAMES: [&str; 10] = [
    "reader",
    "validator",
    "a/very/long/name/of/an/actor/that/does/not/fit",
    "漢字のアクター",
    "",
    " ",
    "\u{1b}[31mred\u{1b}[0m\u{7}",
    "turn\u{202e}ed\u{200b}",
    "'; DROP TABLE events; --",
    "\u{9b}2J\r\n\t\"quoted\\",
];

/// A chain of messages: reader → validator → store, one a millisecond, with ids 1, 2, …
pub(crate) fn plain(count: usize) -> Vec<TraceEvent> {
    let hop = |at: usize| {
        let ends = [("reader", "validator"), ("validator", "store")][at % 2];
        let mut event = TraceEvent::data_flow(ends.0, "out", ends.1, "in", "Reading", 256 + at);
        event.timestamp = time(1_767_225_600_000 + at as i64);
        event.data.performance_metrics.execution_time_ns = Some(1_000 + at as u64);
        event.data.performance_metrics.queue_depth = Some(at % 7);
        let id = Value::from(at as u64 / 2 + 1);
        event
            .data
            .custom_attributes
            .insert("message_id".to_owned(), id);
        event.trace_id = Some(TraceId::from_uuid(uuid::Uuid::from_u128(
            at as u128 / 2 + 1,
        )));
        event
    };
    let mut events: Vec<TraceEvent> = (0..count).map(hop).collect();
    for at in (1..count).step_by(2) {
        let cause = events[at - 1].event_id;
        events[at].causality.parent_event_id = Some(cause);
        events[at].causality.root_cause_event_id = Some(cause);
    }
    events
}

/// Milliseconds since 1970.
fn time(millis: i64) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp_millis(millis).unwrap()
}

/// Anything that an event may be, in the order of time.
pub(crate) fn any(seed: u64, count: usize) -> Vec<TraceEvent> {
    let mut random = Rng::with_seed(seed);
    let mut events: Vec<TraceEvent> = (0..count).map(|_| one(&mut random)).collect();
    events.sort_by_key(|event| event.timestamp);
    events
}

fn name(random: &mut Rng) -> String {
    NAMES[random.usize(..NAMES.len())].to_owned()
}

fn maybe<T>(random: &mut Rng, make: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    random.bool().then(|| make(random))
}

fn one(random: &mut Rng) -> TraceEvent {
    let mut event = TraceEvent::actor_started(name(random));
    event.event_id = id(random);
    event.timestamp = chrono::DateTime::from_timestamp_nanos(match random.u8(..10) {
        0 => -random.i64(..1_000_000_000_000),
        1 => i64::MAX,
        _ => 1_767_225_600_000_000_000 + random.i64(..3_600_000_000_000),
    });
    event.event_type = kind(random);
    event.outcome = maybe(random, outcome);
    event.trace_id = maybe(random, |random| TraceId::from_uuid(*id(random).as_uuid()));
    if random.bool() {
        event.sampling = SamplingInfo {
            threshold: Some(Threshold::from_bits(random.u64(..1 << 56))),
        };
    }
    let causality = &mut event.causality;
    causality.parent_event_id = maybe(random, id);
    causality.root_cause_event_id = maybe(random, id);
    causality.dependency_chain = (0..random.usize(..3)).map(|_| id(random)).collect();
    causality.joined_event_ids = (0..random.usize(..3)).map(|_| id(random)).collect();
    causality.hop_count = maybe(random, |random| random.u8(..));
    causality.span_id = name(random);
    let data = &mut event.data;
    data.port = maybe(random, name);
    data.message = maybe(random, message);
    data.error = maybe(random, name);
    data.state_diff = maybe(random, |random| StateDiff {
        before: maybe(random, bytes),
        after: bytes(random),
        diff_type: StateDiffType::Incremental,
    });
    let metrics = &mut data.performance_metrics;
    metrics.execution_time_ns = maybe(random, |random| random.u64(..));
    metrics.memory_usage_bytes = maybe(random, |random| random.usize(..));
    metrics.queue_depth = maybe(random, |random| random.usize(..100));
    metrics.cpu_usage_percent = maybe(random, |random| random.f32() * 400.0);
    metrics.throughput_msgs_per_sec = maybe(random, |random| random.f64() * 1e9);
    metrics.waiting_time_ns = maybe(random, |random| random.u64(..));
    for _ in 0..random.usize(..4) {
        let value = value(random);
        data.custom_attributes.insert(name(random), value);
    }
    if random.bool() {
        let value = match random.u8(..4) {
            0 => json!(random.u64(..)),
            1 => json!(uuid::Uuid::from_u128(random.u128(..)).to_string()),
            2 => json!(format!("msg_{:05}", random.u32(..100_000))),
            _ => json!(name(random)),
        };
        data.custom_attributes
            .insert("message_id".to_owned(), value);
    }
    event
}

fn id(random: &mut Rng) -> EventId {
    if random.bool() {
        return EventId::from_uuid(uuid::Uuid::from_u128(random.u128(1..)));
    }
    EventId::from_origin(EventOrigin {
        producer: ProducerId::from_bits(random.u64(..)),
        ring: random.u32(..1 << 22),
        sequence: random.u64(..1 << 48),
    })
}

fn kind(random: &mut Rng) -> TraceEventType {
    match random.u8(..12) {
        0 => TraceEventType::ActorCreated,
        1 => TraceEventType::ActorStarted,
        2 => TraceEventType::ActorCompleted,
        3 => TraceEventType::ActorFailed,
        4 => TraceEventType::MessageSent,
        5 => TraceEventType::MessageReceived,
        6 => TraceEventType::StateChanged,
        7 => TraceEventType::PortConnected,
        8 => TraceEventType::PortDisconnected,
        9 => TraceEventType::NetworkEvent,
        _ => TraceEventType::DataFlow {
            to_actor: name(random),
            to_port: name(random),
        },
    }
}

fn outcome(random: &mut Rng) -> Outcome {
    let all = [
        Outcome::Delivered,
        Outcome::Failed,
        Outcome::Cancelled,
        Outcome::Panicked,
        Outcome::Dropped,
        Outcome::TimedOut,
    ];
    all[random.usize(..all.len())]
}

fn message(random: &mut Rng) -> MessageSnapshot {
    MessageSnapshot {
        message_type: name(random),
        size_bytes: random.usize(..),
        checksum: name(random),
        serialized_data: bytes(random),
        size_is_shallow: random.bool(),
        content_is_truncated: random.bool(),
    }
}

fn bytes(random: &mut Rng) -> Vec<u8> {
    (0..random.usize(..20)).map(|_| random.u8(..)).collect()
}

fn value(random: &mut Rng) -> Value {
    match random.u8(..7) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i64(..)),
        3 => json!(random.f64()),
        4 => json!(name(random)),
        5 => json!([value(random), name(random)]),
        _ => json!({ name(random): value(random) }),
    }
}

/// A file of JSON lines.
pub(crate) fn write(directory: &Path, name: &str, events: &[TraceEvent]) -> PathBuf {
    let path = directory.join(name);
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for event in events {
        serde_json::to_writer(&mut file, event).unwrap();
        file.write_all(b"\n").unwrap();
    }
    file.flush().unwrap();
    path
}

/// What JSON lines say.
pub(crate) fn read(text: &str) -> Vec<TraceEvent> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
