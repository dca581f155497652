//! What goes in comes out.

use std::collections::HashMap;

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::clock::Calibration;
use crate::edge::Dictionary;
use crate::event::*;
use crate::sampling::{SamplingInfo, Threshold, ThresholdTable};

fn read_back(
    words: &[u64],
    dictionary: &Dictionary,
    calibration: &Calibration,
) -> Option<TraceEvent> {
    let surroundings = Surroundings {
        calibration,
        dictionary,
        thresholds: &ThresholdTable::new(),
        cpu_usage_percent: Some(50.0),
        throughput: &HashMap::new(),
    };
    view(
        words,
        Origin {
            producer: ProducerId::from_bits(1),
            ring: 0,
        },
        &surroundings,
    )
}

pub(crate) fn record() -> impl Strategy<Value = Record> {
    let place = (
        0..1u64 << 48,
        any::<u64>(),
        0..1u32 << 28,
        0..1u32 << 20,
        0..Kind::ALL.len(),
    );
    let amounts = (
        proptest::option::of(0..=max::DURATION),
        proptest::option::of(0..=max::SIZE),
        proptest::option::of(0..=max::DEPTH),
        proptest::option::of(any::<u64>()),
    );
    let causes = (
        0..1u32 << 22,
        0..1u64 << 48,
        0..1u64 << 56,
        0..1u16 << 14,
        any::<u8>(),
    );
    let small = (any::<u16>(), any::<u16>(), any::<u16>(), 0..5u8);
    (place, amounts, causes, small).prop_map(
        |(
            (sequence, start, edge, message_type, kind),
            (duration, size, depth, wide),
            (cause_ring, cause_sequence, randomness, trace_high, hops),
            (slots, policy, flags, outcome),
        )| Record {
            slots,
            sequence,
            start,
            duration,
            policy,
            edge,
            message_type,
            kind: Kind::ALL[kind],
            outcome: decode_outcome(outcome),
            size,
            depth,
            cause_ring,
            cause_sequence,
            flags,
            randomness,
            trace_high,
            hops,
            wide: wide.map(rounded_wide),
        },
    )
}

pub(crate) fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has finite numbers", |x| x.is_finite())
            .prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(".*", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn event_type() -> impl Strategy<Value = TraceEventType> {
    prop_oneof![
        (".*", ".*").prop_map(|(to_actor, to_port)| TraceEventType::DataFlow { to_actor, to_port }),
        Just(TraceEventType::MessageSent),
        Just(TraceEventType::MessageReceived),
        Just(TraceEventType::ActorCreated),
        Just(TraceEventType::ActorStarted),
        Just(TraceEventType::ActorCompleted),
        Just(TraceEventType::ActorFailed),
        Just(TraceEventType::StateChanged),
        Just(TraceEventType::PortConnected),
        Just(TraceEventType::PortDisconnected),
        Just(TraceEventType::NetworkEvent),
    ]
}

fn id() -> impl Strategy<Value = EventId> {
    any::<u128>().prop_map(|bits| EventId(Uuid::from_u128(bits)))
}

fn metrics() -> impl Strategy<Value = PerformanceMetrics> {
    use proptest::option::of;
    let not_nan = || any::<f64>().prop_filter("NaN equals nothing", |x| !x.is_nan());
    (
        of(any::<u64>()),
        of(any::<usize>()),
        of(any::<f32>()),
        of(any::<usize>()),
        of(not_nan()),
        of(any::<u64>()),
    )
        .prop_map(
            |(time, memory, cpu, depth, throughput, waiting)| PerformanceMetrics {
                execution_time_ns: time,
                memory_usage_bytes: memory,
                cpu_usage_percent: cpu.filter(|cpu| !cpu.is_nan()),
                queue_depth: depth,
                throughput_msgs_per_sec: throughput,
                waiting_time_ns: waiting,
            },
        )
}

fn data() -> impl Strategy<Value = TraceEventData> {
    use proptest::collection::{hash_map, vec};
    use proptest::option::of;
    let message = (
        ".*",
        any::<usize>(),
        ".*",
        vec(any::<u8>(), 0..300),
        any::<[bool; 2]>(),
    )
        .prop_map(
            |(
                message_type,
                size_bytes,
                checksum,
                serialized_data,
                [size_is_shallow, content_is_truncated],
            )| {
                MessageSnapshot {
                    message_type,
                    size_bytes,
                    checksum,
                    serialized_data,
                    size_is_shallow,
                    content_is_truncated,
                }
            },
        );
    let kinds = [
        StateDiffType::Full,
        StateDiffType::Incremental,
        StateDiffType::MemoryOnly,
    ];
    let diff = (
        of(vec(any::<u8>(), 0..9)),
        vec(any::<u8>(), 0..9),
        0..3usize,
    )
        .prop_map(move |(before, after, kind)| StateDiff {
            before,
            after,
            diff_type: kinds[kind],
        });
    (
        of(".*"),
        of(message),
        of(diff),
        of(".*"),
        metrics(),
        hash_map(".*", json_value(), 0..5),
    )
        .prop_map(
            |(port, message, state_diff, error, performance_metrics, custom_attributes)| {
                TraceEventData {
                    port,
                    message,
                    state_diff,
                    error,
                    performance_metrics,
                    custom_attributes,
                }
            },
        )
}

/// Any event at all, the strangest among them.
pub(crate) fn event() -> impl Strategy<Value = TraceEvent> {
    use proptest::collection::vec;
    use proptest::option::of;
    let causality = (
        of(id()),
        of(id()),
        vec(id(), 0..4),
        ".*",
        vec(id(), 0..3),
        of(any::<u8>()),
    )
        .prop_map(
            |(
                parent_event_id,
                root_cause_event_id,
                dependency_chain,
                span_id,
                joined_event_ids,
                hop_count,
            )| {
                CausalityInfo {
                    parent_event_id,
                    root_cause_event_id,
                    dependency_chain,
                    span_id,
                    joined_event_ids,
                    hop_count,
                }
            },
        );
    let time = (
        -8_334_601_228_800i64..8_210_266_876_799,
        0..1_000_000_000u32,
    );
    let rest = (0..5u8, of(any::<u128>()), of(0..=1u64 << 56));
    (id(), time, event_type(), ".*", data(), causality, rest).prop_map(
        |(
            event_id,
            (seconds, nanoseconds),
            event_type,
            actor_id,
            data,
            causality,
            (outcome, trace, threshold),
        )| {
            TraceEvent {
                event_id,
                timestamp: DateTime::from_timestamp(seconds, nanoseconds).expect("in range"),
                event_type,
                actor_id,
                data,
                causality,
                outcome: decode_outcome(outcome),
                trace_id: trace.map(|bits| TraceId(Uuid::from_u128(bits))),
                sampling: SamplingInfo {
                    threshold: threshold.map(Threshold::from_bits),
                },
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 512 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_record_is_read_as_it_was_packed(record in record()) {
        prop_assert_eq!(Record::unpack(&record.pack()), Some(record));
    }

    #[test]
    fn an_event_built_by_hand_is_read_as_it_was_recorded(event in event(), sequence in 1..1u64 << 48) {
        let dictionary = Dictionary::new();
        let mut calibration = Calibration::begin();
        calibration.refresh();
        let words = encode_event(&event, sequence, &dictionary, &calibration).expect("fits");
        prop_assert_eq!(words.len(), 8 * (1 + crate::ring::continuation_slots(words[0])));
        prop_assert_eq!(words[0] >> 16, sequence);
        prop_assert_eq!(read_back(&words, &dictionary, &calibration), Some(event));
    }

    #[test]
    fn arbitrary_words_are_read_without_panic(words in proptest::collection::vec(any::<u64>(), 0..64)) {
        let dictionary = Dictionary::new();
        // Whether they hold an event does not matter here.
        let _any_answer_will_do = read_back(&words, &dictionary, &Calibration::begin());
    }

    #[test]
    fn wide_numbers_are_exact_below_two_to_the_thirty(value in any::<u64>()) {
        let rounded = rounded_wide(value);
        if value < 1 << 30 {
            prop_assert_eq!(rounded, value);
        }
        prop_assert!(rounded <= value && value - rounded <= value >> 29);
    }
}

#[test]
fn amounts_beyond_the_table_saturate_and_do_not_become_unknown() {
    let words = Record {
        slots: 0,
        sequence: 1,
        start: 0,
        duration: Some(u64::MAX),
        policy: 0,
        edge: 0,
        message_type: 0,
        kind: Kind::Send,
        outcome: None,
        size: Some(u64::MAX),
        depth: Some(u64::MAX),
        cause_ring: 0,
        cause_sequence: 0,
        flags: 0,
        randomness: 0,
        trace_high: 0,
        hops: 0,
        wide: Some(u64::MAX),
    }
    .pack();
    let record = Record::unpack(&words).expect("a record");
    assert_eq!(record.duration, Some(max::DURATION));
    assert_eq!(record.size, Some(max::SIZE));
    assert_eq!(record.depth, Some(max::DEPTH));
    assert!(record.wide.is_some());
}

#[test]
fn an_event_that_exceeds_the_largest_record_is_refused() {
    let content = vec![0; 65_536 * 64];
    let event = TraceEvent::data_flow_with_content("a", "o", "b", "i", "T", 1, Some(content));
    let dictionary = Dictionary::new();
    assert_eq!(
        encode_event(&event, 1, &dictionary, &Calibration::begin()),
        Err(RecordTooLarge)
    );
}

#[test]
fn names_of_ten_thousand_characters_survive_an_event_built_by_hand() {
    let long = "ä".repeat(10_000);
    let mut event = TraceEvent::data_flow(&*long, &*long, &*long, &*long, &*long, 1);
    event.data.custom_attributes = HashMap::from([(long.clone(), json!(long))]);
    let dictionary = Dictionary::new();
    let mut calibration = Calibration::begin();
    calibration.refresh();
    let words = encode_event(&event, 1, &dictionary, &calibration).expect("fits");
    assert_eq!(read_back(&words, &dictionary, &calibration), Some(event));
}
