//! Events to ask about: recorded by probes, and built by hand.

use fastrand::Rng;
use reflow_trace::event::{EventOrigin, ProducerId};
use reflow_trace::sampling::{SamplingInfo, Threshold};
use reflow_trace::wire::{Frame, seal_events};
use reflow_trace::{
    Context, Edge, EventId, MessageSnapshot, Outcome, TraceEvent, TraceEventType, TraceId, sample,
};
use reflow_trace_server::store::Admitted;
use serde_json::{Value, json};

use crate::recording;

pub(crate) const TEXTS: [&str; 8] = [
    "reader",
    "validator",
    "",
    "it's",
    "%_\\",
    "größe",
    "x' OR '1'='1",
    "Reader",
];
pub(crate) const ATTRIBUTES: [&str; 6] = [
    "priority",
    "b.c",
    "odd name",
    "source_actor",
    "destination_actor",
    "protocol",
];

#[sample(rate = 1.0)]
struct Order {
    #[trace(id)]
    id: String,
    #[trace(attribute)]
    priority: u64,
    #[trace(context)]
    context: Context,
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime can be made").block_on(future)
}

/// Both kinds, mixed.
pub(crate) fn batches(random: &mut Rng) -> Vec<Admitted> {
    let mut frames = recorded();
    for number in 1..=20 {
        let events: Vec<_> = (0..60).map(|_| by_hand(random)).collect();
        let producer = ProducerId::from_bits(9);
        let frame = seal_events(&events, producer, 2, number, None);
        frames.push(frame.expect("the events fit a batch"));
    }
    random.shuffle(&mut frames);
    // Of each stream in its order; what comes later is a duplicate.
    frames.sort_by_key(|frame| frame.header().number);
    recording::admitted(frames)
}

/// What probes record: chains of sends, receives, failures, on two threads.
fn recorded() -> Vec<Frame> {
    let work = |thread: u64| {
        let edges = [
            Edge::new("reader", "out", "validator", "in"),
            Edge::new("validator", "valid", "größe", "in"),
        ];
        for number in 0..150 {
            let mut order = Order {
                id: match number % 3 {
                    0 => format!("order-{number:06}"),
                    1 => number.to_string(),
                    _ => format!("odd {thread}/{number}!"),
                },
                priority: number % 4,
                context: Context::default(),
            };
            for edge in &edges {
                let sent = reflow_trace::send(edge, order, Ok::<_, std::convert::Infallible>);
                order = sent.unwrap_or_else(|never| match never {});
            }
            reflow_trace::handle("größe", "in", order, |order| {
                let sent = reflow_trace::send(&edges[0], order, |order| {
                    (order.priority > 0).then_some(()).ok_or("too cold")
                });
                let _kept_for_its_outcome = sent;
            });
        }
    };
    recording::frames(100, 2, work)
}

fn text(random: &mut Rng) -> String {
    TEXTS[random.usize(0..TEXTS.len())].to_owned()
}

fn id(random: &mut Rng) -> EventId {
    match random.u8(0..3) {
        0 => EventId::from_uuid(uuid::Uuid::from_u128(random.u128(0..200))),
        _ => EventId::from_origin(EventOrigin {
            producer: ProducerId::from_bits(9),
            ring: random.u32(0..3),
            sequence: random.u64(1..400),
        }),
    }
}

fn json_value(random: &mut Rng) -> Value {
    match random.u8(0..8) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.u64(0..4)),
        3 => json!(random.i64(-3..3)),
        4 => json!(f64::from(random.u8(0..8)) / 4.0),
        5 => json!([1, "a"]),
        _ => json!(text(random)),
    }
}

fn by_hand(random: &mut Rng) -> TraceEvent {
    let mut event = match random.u8(0..5) {
        0 => TraceEvent::message_sent(text(random), text(random), text(random), 5),
        1 => TraceEvent::network_event(text(random)),
        _ => TraceEvent::data_flow(
            text(random),
            text(random),
            text(random),
            text(random),
            text(random),
            random.usize(0..4),
        ),
    };
    if random.u8(0..6) == 0 {
        event.event_type = TraceEventType::MessageReceived;
    }
    event.event_id = id(random);
    let known = |random: &mut Rng| random.u8(0..3) > 0;
    // About as late as what is recorded in this test, with ties.
    let now = chrono::Utc::now();
    let ns = random.i64(-2_000..2_000) * 1_000_000;
    event.timestamp = now + chrono::TimeDelta::nanoseconds(ns);
    event.trace_id = known(random).then(|| TraceId::from_uuid(*id(random).as_uuid()));
    event.causality.parent_event_id = known(random).then(|| id(random));
    event.causality.root_cause_event_id = known(random).then(|| id(random));
    event.causality.hop_count = known(random).then(|| random.u8(0..4));
    event.causality.span_id = text(random);
    event.outcome = known(random).then(|| match random.u8(0..3) {
        0 => Outcome::Delivered,
        1 => Outcome::Failed,
        _ => Outcome::TimedOut,
    });
    event.sampling = SamplingInfo {
        threshold: known(random).then(|| Threshold::from_rate(f64::from(random.u8(1..4)) / 4.0)),
    };
    let data = &mut event.data;
    data.port = known(random).then(|| text(random));
    data.error = known(random).then(|| text(random));
    data.message = known(random).then(|| MessageSnapshot {
        message_type: text(random),
        size_bytes: random.usize(0..4),
        checksum: text(random),
        ..MessageSnapshot::default()
    });
    let metrics = &mut data.performance_metrics;
    metrics.execution_time_ns = known(random).then(|| random.u64(0..5_000));
    metrics.waiting_time_ns = known(random).then(|| random.u64(..) >> random.u32(1..64));
    metrics.queue_depth = known(random).then(|| random.usize(0..4));
    metrics.memory_usage_bytes = known(random).then(|| random.usize(0..4));
    metrics.throughput_msgs_per_sec = known(random).then(|| f64::from(random.u8(0..8)) / 2.0);
    metrics.cpu_usage_percent = known(random).then(|| f32::from(random.u8(0..8)) / 4.0);
    for _ in 0..random.usize(0..4) {
        let name = ATTRIBUTES[random.usize(0..ATTRIBUTES.len())];
        data.custom_attributes
            .insert(name.to_owned(), json_value(random));
    }
    if random.bool() {
        let id = match random.u8(0..5) {
            0 => json!(random.u64(0..150)),
            1 => json!(uuid::Uuid::from_u128(random.u128(0..9)).to_string()),
            2 => json_value(random),
            _ => json!(format!("order-{:06}", random.u64(0..150))),
        };
        data.custom_attributes.insert("message_id".to_owned(), id);
    }
    event
}
