//! A network that is made up from a seed: several producers, sampling by R, failures, losses with and without a
//! number, long traces that are cut, joins, messages that nobody takes up, events made by hand, and the notices of all
//! of it.

use std::collections::BTreeMap;

use chrono::DateTime;
use fastrand::Rng;
use reflow_trace::event::{EventOrigin, ProducerId};
use reflow_trace::ledger::{
    CounterSnapshot, Coverage, EdgeCounters, Loss, LossReason, RingCoverage,
};
use reflow_trace::sampling::{Randomness, SamplingInfo, Threshold};
use reflow_trace::{EventId, Outcome, TraceEvent, TraceId};
use serde_json::json;

use crate::store::Admitted;
use crate::store::conformance::batch_of;

/// When it begins, nanoseconds since 1970.
pub(super) const BEGIN_NS: i64 = 1_750_000_000_000_000_000;

const RINGS: u32 = 3;
const HOPS_MAX: u32 = 12;

/// What can happen in it, each as a chance of one in 256.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chances {
    pub(super) lost: u8,
    pub(super) lost_without_number: u8,
    pub(super) by_hand: u8,
    pub(super) failed: u8,
    pub(super) left_lying: u8,
    pub(super) cut: u8,
    pub(super) joined: u8,
    pub(super) elsewhere: u8,
    pub(super) unlinked: u8,
    pub(super) sampled: bool,
}

impl Chances {
    /// Nothing but whole traces.
    pub(super) const WHOLE: Self = Self {
        lost: 0,
        lost_without_number: 0,
        by_hand: 0,
        failed: 0,
        left_lying: 0,
        cut: 0,
        joined: 0,
        elsewhere: 0,
        unlinked: 0,
        sampled: false,
    };

    fn any(random: &mut Rng) -> Self {
        let mut chance = |most: u8| {
            if random.bool() {
                random.u8(0..=most)
            } else {
                0
            }
        };
        Self {
            lost: chance(6),
            lost_without_number: chance(3),
            by_hand: chance(3),
            failed: chance(30),
            left_lying: chance(20),
            cut: chance(20),
            joined: chance(40),
            elsewhere: chance(10),
            unlinked: chance(6),
            sampled: random.bool(),
        }
    }
}

struct Producer {
    id: ProducerId,
    numbered: [u64; RINGS as usize],
    threshold: Threshold,
    counters: BTreeMap<(usize, usize, usize), EdgeCounters>,
    lost_without_number: u64,
    by_hand: u64,
    /// Notices that are not sent yet, and the events.
    waiting: Vec<TraceEvent>,
    /// Everything that was sent.
    told: Vec<TraceEvent>,
}

/// The network.
pub(super) struct Network {
    pub(super) random: Rng,
    pub(super) chances: Chances,
    producers: Vec<Producer>,
    now_ns: i64,
    roots: u64,
    messages: u64,
    recent: Vec<EventId>,
}

/// Where a message comes from.
#[derive(Clone, Copy)]
struct Cause {
    producer: usize,
    actor: usize,
    event: Option<EventId>,
    trace: TraceId,
    hops: u32,
}

impl Network {
    /// Any network.
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let chances = Chances::any(&mut random);
        let producers = random.usize(1..=3);
        Self::with(random, chances, producers)
    }

    /// One in which this can happen.
    pub(super) fn with(mut random: Rng, chances: Chances, producers: usize) -> Self {
        let producers = (0..producers).map(|_| Producer {
            id: ProducerId::from_bits(random.u64(1..1 << 52)),
            numbered: [0; RINGS as usize],
            threshold: Threshold::ALWAYS,
            counters: BTreeMap::new(),
            lost_without_number: 0,
            by_hand: 0,
            waiting: Vec::new(),
            told: Vec::new(),
        });
        Self {
            producers: producers.collect(),
            random,
            chances,
            now_ns: BEGIN_NS,
            roots: 0,
            messages: 0,
            recent: Vec::new(),
        }
    }

    /// Lets so many traces happen.
    pub(super) fn run(&mut self, traces: usize) {
        for _ in 0..traces {
            // Now and then long enough ago that times prove something.
            let most_ns = if self.random.bool() {
                5_000_000
            } else {
                50_000
            };
            self.pass(most_ns);
            let producer = self.random.usize(..self.producers.len());
            let trace = self.new_trace(producer);
            let actor = self.random.usize(0..3);
            let mut open = vec![Cause {
                producer,
                actor,
                event: None,
                trace,
                hops: 0,
            }];
            while let Some(cause) = open.pop() {
                let taken = self.send(cause);
                if let Some(taken) = taken.filter(|taken| taken.hops < HOPS_MAX) {
                    for _ in 0..[0, 1, 1, 1, 2][self.random.usize(0..5)] {
                        open.push(taken);
                    }
                }
            }
            if self.random.u8(..) < 20 {
                let producer = self.random.usize(..self.producers.len());
                self.notice(producer);
            }
        }
        for producer in 0..self.producers.len() {
            self.notice(producer);
        }
    }

    /// What was not taken yet, as batches of one stream for each producer.
    pub(super) fn batches(&mut self, numbers: &mut [u64]) -> Vec<Admitted> {
        let mut batches = Vec::new();
        for (producer, number) in self.producers.iter_mut().zip(numbers) {
            let mut waiting = std::mem::take(&mut producer.waiting);
            producer.told.extend(waiting.iter().cloned());
            while !waiting.is_empty() {
                let rest = waiting.split_off(waiting.len().min(self.random.usize(1..40)));
                *number += 1;
                let stream = producer.id.bits();
                batches.push(batch_of(&waiting, producer.id, stream, *number));
                waiting = rest;
            }
        }
        batches
    }

    /// Everything that was sent, notices included.
    pub(super) fn told(&self) -> impl Iterator<Item = &TraceEvent> {
        self.producers.iter().flat_map(|producer| &producer.told)
    }

    pub(super) fn producers(&self) -> usize {
        self.producers.len()
    }

    fn chance(&mut self, of: u8) -> bool {
        of > 0 && self.random.u8(..) < of
    }

    fn pass(&mut self, most_ns: i64) {
        self.now_ns += self.random.i64(1..most_ns);
    }

    fn new_trace(&mut self, producer: usize) -> TraceId {
        self.roots += 1;
        let root = u128::from(self.random.u64(..) >> 8) | (u128::from(self.roots & 0x3fff) << 56);
        TraceId::from_root(self.producers[producer].id, root)
    }

    /// Gives the event a number, and loses it or not.
    fn record(&mut self, producer: usize, mut event: TraceEvent) -> EventId {
        let ring = self.random.u32(0..RINGS) + 1;
        let is_lost = self.chance(self.chances.lost);
        self.pass(20_000);
        let now_ns = self.now_ns;
        let producer = &mut self.producers[producer];
        let sequence = &mut producer.numbered[ring as usize - 1];
        *sequence += 1;
        event.event_id = EventId::from_origin(EventOrigin {
            producer: producer.id,
            ring,
            sequence: *sequence,
        });
        event.timestamp = DateTime::from_timestamp_nanos(now_ns);
        let is_root = event.causality.parent_event_id.is_none();
        event.causality.root_cause_event_id = is_root.then_some(event.event_id);
        let id = event.event_id;
        if !is_lost {
            producer.waiting.push(event);
        } else if self.random.bool() {
            producer.waiting.push(TraceEvent::loss(Loss {
                reason: LossReason::RingFull,
                count: 1,
            }));
        }
        id
    }

    /// One message, as far as it gets.
    fn send(&mut self, cause: Cause) -> Option<Cause> {
        let (to, kind) = (self.random.usize(0..6), self.random.usize(0..2));
        let producer = cause.producer;
        let rates = [Threshold::ALWAYS, Threshold::from_bits(1 << 55)];
        let threshold = rates[usize::from(self.chances.sampled) * kind];
        let (from_name, to_name) = (format!("actor-{}", cause.actor), format!("actor-{to}"));
        let kind_name = ["Reading", "Alarm"][kind];
        let size = self.random.usize(1..1_000);
        let has_failed = self.chance(self.chances.failed);
        let (_, root) = cause.trace.root().expect("it is of our making");
        let is_recorded = threshold.keeps(Randomness::from_bits(root as u64));
        let without_number = self.chance(self.chances.lost_without_number);
        self.messages += 1;

        let of = &mut self.producers[producer];
        let counters = of
            .counters
            .entry((cause.actor, to, kind))
            .or_insert_with(|| EdgeCounters {
                from_actor: from_name.clone(),
                from_port: "out".into(),
                to_actor: to_name.clone(),
                to_port: "in".into(),
                message_type: kind_name.into(),
                ..EdgeCounters::default()
            });
        counters.messages += 1;
        counters.bytes += size as u64;
        counters.failures += u64::from(has_failed);
        if !is_recorded {
            counters.not_sampled += 1;
            of.threshold = of.threshold.max(threshold);
        }
        if without_number {
            of.lost_without_number += 1;
        }
        let is_recorded = is_recorded && !without_number;

        let mut sent = if has_failed {
            let mut sent = TraceEvent::message_sent(&*from_name, "out", kind_name, size);
            sent.outcome = Some(Outcome::Failed);
            let attributes = &mut sent.data.custom_attributes;
            attributes.insert("destination_actor".into(), json!(to_name));
            attributes.insert("destination_port".into(), json!("in"));
            sent
        } else {
            let mut sent =
                TraceEvent::data_flow(&*from_name, "out", &*to_name, "in", kind_name, size);
            sent.outcome = Some(Outcome::Delivered);
            sent
        };
        self.fill(&mut sent, cause, threshold);
        let mut joined = Vec::new();
        for _ in 0..3 {
            if self.chance(self.chances.joined) {
                joined.extend(self.random.choice(&self.recent));
            }
        }
        if cause.event.is_some() {
            sent.causality.joined_event_ids = joined;
        }
        let id = is_recorded
            .then(|| self.record(producer, sent))
            .or(cause.event);
        if self.chance(self.chances.by_hand) {
            let mut by_hand = TraceEvent::message_sent(&*from_name, "out", kind_name, 1);
            by_hand.timestamp = DateTime::from_timestamp_nanos(self.now_ns);
            by_hand.event_id = EventId::from_uuid(uuid::Uuid::from_u128(self.random.u128(..)));
            self.producers[producer].by_hand += 1;
            if !self.chance(64) {
                self.producers[producer].waiting.push(by_hand);
            }
        }
        if has_failed || self.chance(self.chances.left_lying) {
            return None;
        }
        let mut next = Cause {
            actor: to,
            event: id,
            hops: cause.hops + 1,
            ..cause
        };
        if self.chance(self.chances.elsewhere) {
            next.producer = self.random.usize(..self.producers.len());
        }
        let mut mark = None;
        if self.chance(self.chances.cut) {
            next.trace = self.new_trace(next.producer);
            mark = Some("trace_cut");
        } else if self.chance(self.chances.unlinked) {
            mark = Some("unlinked");
        }
        if is_recorded || mark.is_some() {
            let mut taken = TraceEvent::message_received(&*to_name, "in", kind_name, size);
            taken.data.performance_metrics.waiting_time_ns = Some(self.random.u64(0..30_000));
            self.fill(&mut taken, next, threshold);
            if let Some(mark) = mark {
                let attributes = &mut taken.data.custom_attributes;
                attributes.insert(mark.into(), json!(true));
            }
            let id = self.record(next.producer, taken);
            next.event = Some(id);
            self.recent.push(id);
        }
        Some(next)
    }

    fn fill(&mut self, event: &mut TraceEvent, cause: Cause, threshold: Threshold) {
        event.trace_id = Some(cause.trace);
        event.causality.parent_event_id = cause.event;
        event.causality.hop_count = Some(cause.hops as u8);
        event.sampling = SamplingInfo::by(threshold);
        event.data.performance_metrics.execution_time_ns = Some(self.random.u64(0..50_000));
        let id = match self.messages % 3 {
            0 => json!(self.messages / 2),
            _ => json!(format!("msg-{:05}", self.messages / 2)),
        };
        event.data.custom_attributes.insert("message_id".into(), id);
    }

    /// What a producer says of itself.
    fn notice(&mut self, producer: usize) {
        self.pass(2_000_000);
        let of = &mut self.producers[producer];
        let coverage = Coverage {
            producer: of.id,
            threshold: of.threshold,
            rings: (1..)
                .zip(of.numbered)
                .filter(|&(_, numbered)| numbered > 0)
                .map(|(ring, numbered)| RingCoverage { ring, numbered })
                .collect(),
            lost_without_number: of.lost_without_number,
            by_hand: of.by_hand,
            by_hand_waiting: 0,
            clock_wander_ns: 100,
        };
        let snapshot = CounterSnapshot {
            producer: of.id,
            edges: of.counters.values().cloned().collect(),
        };
        let mut event = TraceEvent::edge_counters(&snapshot).with_coverage(&coverage);
        event.timestamp = DateTime::from_timestamp_nanos(self.now_ns);
        of.waiting.push(event);
    }
}
