//! Batches as a collector makes them, of any records.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;

use crate::clock::Calibration;
use crate::collector::{Batch, Moment};
use crate::edge::EdgeNames;
use crate::event::{ProducerId, TraceEvent};
use crate::ledger::{CounterSnapshot, Coverage, EdgeCounters, Loss, LossReason, RingCoverage};
use crate::record::sections::{Sections, Tag, ValueKind};
use crate::record::tests::{event, json_value, record};
use crate::record::{Record, encode_event, max};
use crate::runtime::{RING_BY_HAND, dictionary, thresholds};
use crate::sampling::Threshold;

/// A record with its sections, read from a ring; or an event by hand.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Recorded(u32, Box<Record>, Vec<Part>),
    ByHand(Box<TraceEvent>),
    Notice(Box<TraceEvent>),
}

/// A section as probes write them.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Bytes(Tag, Vec<u8>),
    Json(String, serde_json::Value),
    Text(String, String),
}

pub(super) fn parts() -> impl Strategy<Value = Vec<Part>> {
    let uuid = prop_oneof![
        any::<[u8; 16]>(),
        // Of our own making, so that it goes into columns.
        (any::<u64>(), any::<u128>()).prop_map(|(producer, root)| {
            let producer = ProducerId::from_bits(producer % 3);
            *crate::TraceId::from_root(producer, root).0.as_bytes()
        }),
    ];
    let ids = proptest::collection::vec(any::<u8>(), 0..50);
    let part = prop_oneof![
        any::<[u8; 4]>().prop_map(|ring| Part::Bytes(Tag::HomeRing, ring.to_vec())),
        (prop_oneof![Just(Tag::TraceId), Just(Tag::Parent)], uuid)
            .prop_map(|(tag, id)| Part::Bytes(tag, id.to_vec())),
        ids.prop_map(|ids| Part::Bytes(Tag::Joined, ids)),
        (
            prop_oneof![
                Just(Tag::Content),
                Just(Tag::Checksum),
                Just(Tag::Error),
                Just(Tag::Span),
                Just(Tag::ContentTruncated)
            ],
            proptest::collection::vec(any::<u8>(), 0..40)
        )
            .prop_map(|(tag, bytes)| Part::Bytes(tag, bytes)),
        (".{0,8}", json_value()).prop_map(|(key, value)| Part::Json(key, value)),
        message_id().prop_map(|id| Part::Text("message_id".into(), id)),
        json_value().prop_map(|value| Part::Json("message_id".into(), value)),
        any::<u64>().prop_map(|id| Part::Json("message_id".into(), id.into())),
    ];
    proptest::collection::vec(part, 0..4)
}

fn message_id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,3}-[0-9]{1,22}",
        "(msg-|order )[0-9]{1,4}",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-fA-F]{12}",
        ".{0,120}",
    ]
}

fn item() -> impl Strategy<Value = Item> {
    let tame = (record(), 0..1u64 << 20, any::<[bool; 4]>());
    let records = prop_oneof![
        record(),
        // Numbers as they are in real life: small differences and few forms.
        tame.prop_map(|(record, number, known)| {
            let keep = |value: Option<u64>, is_known: bool| value.filter(|_| is_known);
            Record {
                sequence: number,
                cause_sequence: number / 2,
                cause_ring: record.cause_ring % 4,
                edge: record.edge % 6,
                message_type: record.message_type % 4,
                hops: record.hops % 6,
                policy: record.policy % 3,
                duration: keep(record.duration.map(|ticks| ticks % 100_000), known[0]),
                size: keep(record.size.map(|bytes| bytes % 1_000), known[1]),
                depth: keep(record.depth.map(|depth| depth % 10), known[2]),
                wide: keep(record.wide.map(|wide| wide % 100_000), known[3]),
                ..record
            }
        }),
    ];
    prop_oneof![
        6 => (0..5u32, records, parts()).prop_map(|(ring, record, parts)| {
            Item::Recorded(ring, Box::new(record), parts)
        }),
        1 => event().prop_map(|event| Item::ByHand(Box::new(event))),
        1 => notice().prop_map(|event| Item::Notice(Box::new(event))),
    ]
}

pub(super) fn notice() -> impl Strategy<Value = TraceEvent> {
    let loss = (0..LossReason::ALL.len(), any::<u64>()).prop_map(|(reason, count)| {
        TraceEvent::loss(Loss {
            reason: LossReason::ALL[reason],
            count,
        })
    });
    let line = (".{0,9}", ".{0,9}", any::<[u64; 6]>()).prop_map(|(actor, port, counts)| {
        let [messages, bytes, failures, not_sampled, received, dropped] = counts;
        EdgeCounters {
            from_actor: actor.clone(),
            from_port: port.clone(),
            to_actor: port,
            to_port: actor.clone(),
            message_type: actor,
            messages,
            bytes,
            failures,
            not_sampled,
            received,
            dropped,
        }
    });
    let coverage = (
        any::<[u64; 6]>(),
        proptest::collection::vec((0..1u32 << 22, any::<u64>()), 0..3),
    )
        .prop_map(|(numbers, rings)| Coverage {
            producer: ProducerId::from_bits(numbers[0]),
            threshold: Threshold::from_bits(numbers[1] >> 7),
            rings: rings
                .into_iter()
                .map(|(ring, numbered)| RingCoverage { ring, numbered })
                .collect(),
            lost_without_number: numbers[2],
            by_hand: numbers[3],
            by_hand_waiting: numbers[4],
            clock_wander_ns: numbers[5],
        });
    let counters = (
        any::<u64>(),
        proptest::collection::vec(line, 0..4),
        proptest::option::of(coverage),
    )
        .prop_map(|(producer, edges, coverage)| {
            let producer = ProducerId::from_bits(producer);
            let event = TraceEvent::edge_counters(&CounterSnapshot { producer, edges });
            match coverage {
                Some(coverage) => event.with_coverage(&coverage),
                None => event,
            }
        });
    prop_oneof![loss, counters]
}

pub(super) fn batch_items(most: usize) -> impl Strategy<Value = Vec<Item>> {
    proptest::collection::vec(item(), 0..most)
}

/// What every batch here is made with: six edges with odd names, four types, thresholds.
pub(super) fn moment() -> Moment {
    let names = ["a", "a b", "ü", "", "x\u{0}y", "z"];
    let edges = names.map(|name| {
        let ends = [name, "out", names[1], "in"];
        dictionary().edge(EdgeNames::new(ends, "memory_channel", "none"))
    });
    for name in names {
        dictionary().message_type(name);
    }
    for rate in [1.0, 0.1, 0.5] {
        thresholds().number(Threshold::from_rate(rate));
    }
    let mut calibration = Calibration::begin();
    calibration.refresh();
    Moment {
        calibration,
        cpu_usage_percent: Some(12.5),
        throughput: Arc::new(HashMap::from([(edges[1], 0.5), (edges[2], 1e9)])),
    }
}

/// The same in every run: ticks are nanoseconds, the first at the begin of the year 2024.
pub(super) fn fixed_moment() -> Moment {
    Moment {
        calibration: Calibration::fixed(1_704_067_200_000_000_000),
        cpu_usage_percent: Some(12.5),
        throughput: Arc::new(HashMap::from([(golden_edge(1), 0.5)])),
    }
}

/// The number of one of three edges; which number it is depends on what other tests have done.
pub(super) fn golden_edge(place: usize) -> u32 {
    let names = ["reader", "validator", "store", "näme"];
    let ends = [names[place], "out", names[place + 1], "in"];
    dictionary().edge(EdgeNames::new(ends, "memory_channel", "none"))
}

pub(super) fn batch_of(items: &[Item], moment: &Moment) -> Batch {
    let mut batch = Batch::new(ProducerId::from_bits(1), moment.clone());
    let mut by_hand = 0;
    for item in items {
        match item {
            Item::Recorded(ring, record, parts) => {
                put_record(batch.words_for(*ring), record, parts);
                batch.count_one();
            }
            Item::ByHand(event) => {
                by_hand += 1;
                let words = encode_event(event, by_hand, dictionary(), &moment.calibration)
                    .expect("small events");
                batch.words_for(RING_BY_HAND).extend(words);
                batch.count_one();
            }
            Item::Notice(event) => batch.notice((**event).clone()),
        }
    }
    batch
}

pub(super) fn put_record(words: &mut Vec<u64>, record: &Record, parts: &[Part]) {
    let mut sections = Sections::default();
    for part in parts {
        match part {
            Part::Bytes(tag, bytes) => sections.put(*tag, bytes),
            Part::Json(key, value) => sections.put_json(key, value),
            Part::Text(key, text) => sections.put_attribute(key, ValueKind::Text, text.as_bytes()),
        }
    }
    let sealed = sections.seal();
    let record = Record {
        slots: (sealed.len() / 8) as u16,
        duration: record.duration.map(|ticks| ticks.min(max::DURATION)),
        ..*record
    };
    words.extend(record.pack());
    words.extend_from_slice(sealed);
}
