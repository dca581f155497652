//! Bytes that must never change: frames of every kind and batches of several shapes.
//!
//! The files lie in `tests/golden/wire`. A reader of this version has to read them for ever, and a writer
//! has to write them so, but for what zstd makes of them. To add a file: write its frame here, run the test
//! with `REFLOW_TRACE_GOLDEN=write`, and look at what was written.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use chrono::DateTime;
use serde_json::json;
use uuid::Uuid;

use super::batches::{Item, Part, batch_of, fixed_moment, golden_edge};
use crate::event::{EventId, ProducerId, TraceEvent, TraceId};
use crate::ledger::{CounterSnapshot, Coverage, EdgeCounters, Loss, LossReason, RingCoverage};
use crate::record::sections::Tag;
use crate::record::{Kind, NO_POLICY, Record, flag};
use crate::runtime::{dictionary, thresholds};
use crate::sampling::{RootNumbering, Threshold};
use crate::wire::frame::{Ack, Goodbye, Hello, Message, Refusal, RefusalCode, Welcome};
use crate::wire::{BatchLimits, Frame, Level, Sealer, WireBatch, seal_events};
use crate::{Outcome, StateDiff, StateDiffType};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/wire")
        .join(name)
}

/// The bytes of the file; the frame is what we would write.
pub(super) fn golden(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("golden file `{name}`: {error}"))
}

fn check(name: &str, frame: &Frame) {
    if std::env::var("REFLOW_TRACE_GOLDEN").is_ok_and(|what| what == "write") {
        fs::create_dir_all(path("")).expect("a folder for golden files");
        fs::write(path(name), frame.bytes()).expect("a golden file");
    }
    let bytes = golden(name);
    assert_eq!(bytes, frame.bytes()[..], "`{name}` has changed");
    let read = Frame::parse(Bytes::from(bytes), &BatchLimits::default().frame);
    assert_eq!(
        read.as_ref(),
        Ok(frame),
        "`{name}` is read as it was written"
    );
}

#[test]
fn messages_are_written_as_ever() {
    let messages = [
        (
            "hello",
            Message::Hello(Hello {
                protocol: 1,
                agent: "reflow-trace 0.1.0".into(),
                program: "orders".into(),
                host: "näme".into(),
                process_id: 4_711,
                stream: 0x0123_4567_89ab_cdef,
                producer: 0x000f_edcb_a987_6543,
            }),
        ),
        (
            "welcome",
            Message::Welcome(Welcome {
                protocol: 1,
                agent: "reflow-trace-server 0.1.0".into(),
                credit_total: 16 << 20,
                payload_bytes_max: 8 << 20,
                plain_bytes_max: 32 << 20,
                events_max: 65_536,
                silence_max_ms: 30_000,
            }),
        ),
        (
            "ack",
            Message::Ack(Ack {
                stream: 0x0123_4567_89ab_cdef,
                number: 300,
                credit_total: 17 << 20,
            }),
        ),
        (
            "refusal",
            Message::Refusal(Refusal {
                batch: Some((0x0123_4567_89ab_cdef, 301)),
                code: RefusalCode::TooLarge,
                text: "too many names".into(),
                retryable: false,
                retry_after_ms: None,
            }),
        ),
        (
            "refusal-of-connection",
            Message::Refusal(Refusal {
                batch: None,
                code: RefusalCode::StoreFull,
                text: String::new(),
                retryable: true,
                retry_after_ms: Some(5_000),
            }),
        ),
        (
            "goodbye",
            Message::Goodbye(Goodbye {
                text: "the program ends".into(),
                retry_after_ms: Some(0),
            }),
        ),
        (
            "skip",
            Message::Skip {
                stream: 0x0123_4567_89ab_cdef,
                number: 0,
                after: 0,
            },
        ),
        (
            "skip-after",
            Message::Skip {
                stream: 0x0123_4567_89ab_cdef,
                number: 500,
                after: 400,
            },
        ),
        ("ping", Message::Ping(1)),
        ("pong", Message::Pong(u64::MAX)),
    ];
    for (name, message) in messages {
        check(&format!("{name}.frame"), &message.encode());
    }
}

fn producer() -> ProducerId {
    ProducerId::from_bits(1)
}

/// The number-th root of the ring, as a lane numbers it.
fn in_trace(record: Record, ring: u32, number: u64) -> Record {
    let numbering = RootNumbering::new(producer(), ring);
    Record {
        flags: record.flags | flag::IN_TRACE | flag::HOPS,
        trace_high: numbering.high(),
        randomness: numbering.randomness(number).bits(),
        ..record
    }
}

fn send(edge: usize, sequence: u64) -> Record {
    Record {
        slots: 0,
        sequence,
        start: 1_000 * sequence,
        duration: Some(100 + sequence),
        policy: NO_POLICY,
        edge: golden_edge(edge),
        message_type: dictionary().message_type("Order"),
        kind: Kind::Send,
        outcome: Some(Outcome::Delivered),
        size: Some(256),
        depth: None,
        cause_ring: 0,
        cause_sequence: 0,
        flags: 0,
        randomness: 0,
        trace_high: 0,
        hops: 0,
        wide: Some(512),
    }
}

fn recorded(ring: u32, record: Record, parts: Vec<Part>) -> Item {
    Item::Recorded(ring, Box::new(record), parts)
}

fn id(text: &str) -> Part {
    Part::Text("message_id".into(), text.into())
}

/// Two traces over two hops each; the second hop is received by another thread.
pub(super) fn traces() -> Vec<Item> {
    let mut items = Vec::new();
    for trace in 0..2 {
        let name = format!("order-{}", 99 + trace);
        let first = in_trace(send(0, 1 + 2 * trace), 1, trace);
        let first = Record {
            flags: first.flags | flag::ROOT,
            ..first
        };
        items.push(recorded(1, first, vec![id(&name)]));
        let second = in_trace(send(1, 2 + 2 * trace), 1, trace);
        let second = Record {
            flags: second.flags | flag::CAUSE,
            cause_ring: 1,
            cause_sequence: 1 + 2 * trace,
            hops: 1,
            depth: Some(3),
            ..second
        };
        items.push(recorded(1, second, vec![id(&name)]));
    }
    for trace in 0..2 {
        let taken = in_trace(send(1, 1 + trace), 1, trace);
        let taken = Record {
            kind: Kind::MessageReceived,
            outcome: None,
            flags: taken.flags | flag::CAUSE,
            cause_ring: 1,
            cause_sequence: 2 + 2 * trace,
            hops: 1,
            size: None,
            wide: Some(7_000),
            ..taken
        };
        items.push(recorded(2, taken, Vec::new()));
    }
    items
}

/// Failures, ids of every form, attributes, content, and what came from another process.
fn oddities() -> Vec<Item> {
    let other = ProducerId::from_bits(0x000a_bcde_f012_3456);
    let origin = |sequence| crate::event::EventOrigin {
        producer: other,
        ring: 5,
        sequence,
    };
    let elsewhere = Record {
        flags: flag::IN_TRACE | flag::ELSEWHERE,
        randomness: TraceId::from_origin(origin(9)).0.as_u128() as u64 & ((1 << 56) - 1),
        ..send(2, 1)
    };
    let failed = Record {
        outcome: Some(Outcome::Failed),
        policy: thresholds().number(Threshold::from_rate(0.1)),
        duration: None,
        ..send(0, 2)
    };
    let uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let bytes = |tag, bytes: &[u8]| Part::Bytes(tag, bytes.to_vec());
    vec![
        recorded(
            3,
            elsewhere,
            vec![
                bytes(Tag::TraceId, TraceId::from_origin(origin(9)).0.as_bytes()),
                bytes(Tag::Parent, EventId::from_origin(origin(17)).0.as_bytes()),
            ],
        ),
        recorded(
            3,
            failed,
            vec![id(uuid), bytes(Tag::HomeRing, &[7, 0, 0, 0])],
        ),
        recorded(
            3,
            send(1, 3),
            vec![
                Part::Json("message_id".into(), json!(77)),
                Part::Json("note".into(), json!({"a": [1, -1, 0.5, null, true]})),
                bytes(Tag::Content, b"{\"celsius\":20}"),
                bytes(Tag::Checksum, b"sha256:00"),
            ],
        ),
        recorded(3, send(1, 4), vec![id("no number")]),
        recorded(3, send(1, 5), vec![id("z-0007")]),
    ]
}

fn at(mut event: TraceEvent, number: u128) -> TraceEvent {
    event.event_id = EventId(Uuid::from_u128(number));
    event.causality.root_cause_event_id = Some(event.event_id);
    event.timestamp = DateTime::from_timestamp(1_700_000_000, 123_456_789).expect("a time");
    event
}

fn notices() -> Vec<TraceEvent> {
    let loss = TraceEvent::loss(Loss {
        reason: LossReason::RingFull,
        count: 3,
    });
    let counters = CounterSnapshot {
        producer: producer(),
        edges: vec![EdgeCounters {
            from_actor: "reader".into(),
            from_port: "out".into(),
            to_actor: "store".into(),
            to_port: "in".into(),
            message_type: "Order".into(),
            messages: 1_000_000,
            bytes: u64::MAX,
            failures: 1,
            not_sampled: 999_000,
            received: 5,
            dropped: 2,
        }],
    };
    let coverage = Coverage {
        producer: producer(),
        threshold: Threshold::from_rate(0.001),
        rings: vec![RingCoverage {
            ring: 1,
            numbered: 1_234,
        }],
        lost_without_number: 1,
        by_hand: 2,
        by_hand_waiting: 3,
        clock_wander_ns: 4,
    };
    let counters = TraceEvent::edge_counters(&counters).with_coverage(&coverage);
    vec![at(loss, 1), at(counters, 2)]
}

fn by_hand() -> Vec<TraceEvent> {
    let mut changed = at(TraceEvent::actor_failed("store", "no room"), 4);
    changed.data.state_diff = Some(StateDiff {
        before: Some(vec![1]),
        after: vec![2, 3],
        diff_type: StateDiffType::Incremental,
    });
    changed.causality.joined_event_ids = vec![EventId(Uuid::from_u128(5))];
    // One attribute: the order of more is not ours to say.
    let attributes = &mut changed.data.custom_attributes;
    attributes.insert("message_id".into(), json!("order-5"));
    vec![
        at(
            TraceEvent::data_flow("reader", "out", "store", "in", "Order", 256),
            3,
        ),
        changed,
    ]
}

fn sealed(items: &[Item], level: Option<Level>) -> Frame {
    let batch = batch_of(items, &fixed_moment());
    let mut sealer = Sealer::new(level, BatchLimits::default());
    sealer
        .seal(&batch, 0x0123_4567_89ab_cdef, 1)
        .expect("seals")
}

fn batches() -> Vec<(&'static str, Frame)> {
    let notices: Vec<_> = notices()
        .into_iter()
        .map(|event| Item::Notice(Box::new(event)))
        .collect();
    let from_json = seal_events(&by_hand(), producer(), 7, 2, None).expect("seals");
    vec![
        ("traces", sealed(&traces(), None)),
        ("oddities", sealed(&oddities(), None)),
        ("notices", sealed(&notices, None)),
        ("by-hand", from_json),
        ("empty", sealed(&[], None)),
    ]
}

#[test]
fn batches_are_written_as_ever() {
    for (name, frame) in batches() {
        check(&format!("batch-{name}.frame"), &frame);
    }
}

#[test]
fn batches_of_this_version_are_read_for_ever() {
    let limits = BatchLimits::default();
    for (name, _) in batches() {
        let bytes = golden(&format!("batch-{name}.frame"));
        let frame = Frame::parse(bytes.into(), &limits.frame).expect("a frame");
        let batch = WireBatch::decode(&frame, &limits).expect("a batch");
        let mut events: Vec<_> = batch.events().collect();
        match name {
            "by-hand" => assert_eq!(events, by_hand()),
            "notices" => assert_eq!(events, notices()),
            "traces" => {
                assert_eq!(
                    events,
                    batch_of(&traces(), &fixed_moment())
                        .events()
                        .collect::<Vec<_>>()
                );
                assert_eq!(events.len(), 6);
            }
            "oddities" => {
                let third = events.swap_remove(2);
                assert_eq!(third.message_id(), Some(&json!(77)));
                assert_eq!(third.data.custom_attributes["note"]["a"][2], json!(0.5));
            }
            _ => assert!(events.is_empty()),
        }
    }
}

#[test]
fn a_compressed_batch_of_this_version_is_read_for_ever() {
    const NAME: &str = "batch-traces-zstd.frame";
    let many: Vec<_> = (0..20).flat_map(|_| traces()).collect();
    let limits = BatchLimits::default();
    if std::env::var("REFLOW_TRACE_GOLDEN").is_ok_and(|what| what == "write") {
        let frame = sealed(&many, Some(Level::FAST));
        fs::create_dir_all(path("")).expect("a folder for golden files");
        fs::write(path(NAME), frame.bytes()).expect("a golden file");
    }
    let frame = Frame::parse(golden(NAME).into(), &limits.frame).expect("a frame");
    assert!(frame.header().is_compressed);
    // Another zstd may pack it otherwise, but it holds what it held.
    let plain = frame.plain_payload(&limits.frame).expect("a payload");
    let now = sealed(&many, None);
    assert_eq!(plain, now.plain_payload(&limits.frame).expect("a payload"));
}
