//! Random batches: every kind of event, odd times, odd names, notices, from a seed.

use std::sync::Arc;

use fastrand::Rng;
use reflow_trace::event::{EventOrigin, ProducerId};
use reflow_trace::ledger::{
    CounterSnapshot, Coverage, EdgeCounters, Loss, LossReason, RingCoverage,
};
use reflow_trace::sampling::{SamplingInfo, Threshold};
use reflow_trace::wire::{BatchLimits, WireBatch, seal_events};
use reflow_trace::{
    CausalityInfo, EventId, MessageSnapshot, Outcome, PerformanceMetrics, StateDiff, StateDiffType,
    TraceEvent, TraceEventData, TraceEventType, TraceId,
};
use serde_json::json;

use crate::store::Admitted;

/// Noon of a day in 2025, nanoseconds since 1970; most events are around it.
pub(super) const NOON_NS: i64 = 1_750_000_000_000_000_000;

const NAMES: [&str; 6] = ["reader", "validator", "store", "", "größe", "a \"b\" <c>"];
const TYPES: [&str; 4] = ["Reading", "Alarm", "", "Δ"];

/// Makes batches.
pub struct Batches {
    /// Where chance comes from.
    pub random: Rng,
    sequence: u64,
    messages: u64,
}

impl Batches {
    /// Always the same for a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
            sequence: 0,
            messages: 0,
        }
    }

    /// A batch of up to `events_max` events, and now and then of notices, as number `number` of `stream`.
    pub fn batch(&mut self, stream: u64, number: u64, events_max: usize) -> Admitted {
        let producer = ProducerId::from_bits(stream.wrapping_mul(0x9e37_79b9) ^ 0xabc);
        let mut events: Vec<TraceEvent> = (0..self.random.usize(0..=events_max))
            .map(|_| self.event(producer))
            .collect();
        if self.random.u8(..) < 64 {
            events.extend(self.notices(producer, number));
        }
        batch_of(&events, producer, stream, number)
    }

    fn event(&mut self, producer: ProducerId) -> TraceEvent {
        self.sequence += 1;
        let random = &mut self.random;
        let maybe = |random: &mut Rng| random.u8(..) < 160;
        let kinds = [
            TraceEventType::ActorCreated,
            TraceEventType::ActorFailed,
            TraceEventType::MessageSent,
            TraceEventType::MessageReceived,
            TraceEventType::StateChanged,
            TraceEventType::NetworkEvent,
        ];
        let event_type = match random.usize(0..12) {
            kind @ 0..6 => kinds[kind].clone(),
            _ => TraceEventType::DataFlow {
                to_actor: name(random),
                to_port: name(random),
            },
        };
        let id = |random: &mut Rng| {
            if random.bool() {
                EventId::from_origin(EventOrigin {
                    producer,
                    ring: random.u32(0..3),
                    sequence: self.sequence + random.u64(0..5),
                })
            } else {
                EventId::from_uuid(uuid::Uuid::from_u128(random.u128(..)))
            }
        };
        let event_id = id(random);
        let parent_event_id = maybe(random).then(|| id(random));
        let root_cause_event_id = maybe(random).then(|| id(random));
        let outcomes = [
            Outcome::Delivered,
            Outcome::Failed,
            Outcome::Cancelled,
            Outcome::Panicked,
            Outcome::Dropped,
            Outcome::TimedOut,
        ];
        let mut data = TraceEventData {
            port: maybe(random).then(|| name(random)),
            message: maybe(random).then(|| message(random)),
            state_diff: (random.u8(..) < 16).then(|| StateDiff {
                before: random.bool().then(|| vec![random.u8(..); 3]),
                after: vec![random.u8(..); random.usize(0..20)],
                diff_type: StateDiffType::Incremental,
            }),
            error: (random.u8(..) < 16).then(|| "no such port".to_owned()),
            performance_metrics: PerformanceMetrics {
                execution_time_ns: maybe(random).then(|| random.u64(..) >> random.u32(0..64)),
                memory_usage_bytes: random.bool().then(|| random.usize(..)),
                cpu_usage_percent: random.bool().then(|| random.f32() * 200.0),
                queue_depth: random.bool().then(|| random.usize(0..100)),
                throughput_msgs_per_sec: random.bool().then(|| random.f64() * 1e6),
                waiting_time_ns: random.bool().then(|| random.u64(0..1_000_000)),
            },
            ..TraceEventData::default()
        };
        if random.bool() {
            self.messages += 1;
            let number = self.messages / 5;
            let id = match random.usize(0..6) {
                0 => json!(number),
                1 => json!(uuid::Uuid::from_u128(random.u128(..)).to_string()),
                2 => json!(format!("odd id {number}!")),
                3 => json!(["a", number]),
                _ => json!(format!("msg-{number:05}")),
            };
            data.custom_attributes.insert("message_id".to_owned(), id);
        }
        if random.u8(..) < 64 {
            let value = json!({"n": random.i32(..), "deep": [null, true, 1.5]});
            data.custom_attributes.insert(name(random), value);
        }
        TraceEvent {
            event_id,
            timestamp: chrono::DateTime::from_timestamp_nanos(time_ns(random)),
            event_type,
            actor_id: name(random),
            data,
            causality: CausalityInfo {
                parent_event_id,
                root_cause_event_id,
                hop_count: random.bool().then(|| random.u8(0..6)),
                ..CausalityInfo::default()
            },
            outcome: maybe(random).then(|| outcomes[random.usize(0..outcomes.len())]),
            trace_id: maybe(random).then(|| {
                let root = u128::from(random.u64(..) >> random.u32(0..64));
                if random.bool() {
                    TraceId::from_root(producer, root << 6)
                } else {
                    TraceId::from_uuid(uuid::Uuid::from_u128(root))
                }
            }),
            sampling: SamplingInfo {
                threshold: random.bool().then(|| Threshold::from_rate(random.f64())),
            },
        }
    }

    fn notices(&mut self, producer: ProducerId, number: u64) -> Vec<TraceEvent> {
        let random = &mut self.random;
        let reason = LossReason::ALL[random.usize(0..LossReason::ALL.len())];
        let count = random.u64(1..100);
        let edge = EdgeCounters {
            from_actor: name(random),
            to_actor: name(random),
            messages: number * 10,
            bytes: number * 1_000,
            ..EdgeCounters::default()
        };
        let snapshot = CounterSnapshot {
            producer,
            edges: vec![edge],
        };
        let coverage = Coverage {
            producer,
            threshold: Threshold::ALWAYS,
            rings: vec![RingCoverage {
                ring: 0,
                numbered: number * 10,
            }],
            lost_without_number: 0,
            by_hand: 0,
            by_hand_waiting: 0,
            clock_wander_ns: 0,
        };
        vec![
            TraceEvent::loss(Loss { reason, count }),
            TraceEvent::edge_counters(&snapshot).with_coverage(&coverage),
        ]
    }
}

/// These events as a batch that was admitted.
///
/// # Panics
///
/// When they cannot be sealed.
pub fn batch_of(events: &[TraceEvent], producer: ProducerId, stream: u64, number: u64) -> Admitted {
    let frame =
        seal_events(events, producer, stream, number, None).expect("the events fit a batch");
    let batch = WireBatch::decode(&frame, &BatchLimits::default()).expect("it was sealed just now");
    Admitted {
        frame,
        batch: Arc::new(batch),
    }
}

fn name(random: &mut Rng) -> String {
    NAMES[random.usize(0..NAMES.len())].to_owned()
}

fn message(random: &mut Rng) -> MessageSnapshot {
    let content = vec![random.u8(..); random.usize(0..8)];
    MessageSnapshot {
        message_type: TYPES[random.usize(0..TYPES.len())].to_owned(),
        size_bytes: random.usize(0..10_000),
        size_is_shallow: random.bool(),
        serialized_data: if random.u8(..) < 32 {
            content
        } else {
            Vec::new()
        },
        ..MessageSnapshot::default()
    }
}

/// Mostly around noon, with ties; now and then hours or years away, or at the ends of time.
fn time_ns(random: &mut Rng) -> i64 {
    const HOUR_NS: i64 = 3_600_000_000_000;
    match random.u8(..) {
        0..2 => i64::MIN,
        2..4 => i64::MAX,
        4..8 => random.i64(..),
        8..24 => NOON_NS + random.i64(-50..50) * HOUR_NS,
        24..64 => NOON_NS + random.i64(0..10),
        _ => NOON_NS + random.i64(0..300_000_000_000),
    }
}
