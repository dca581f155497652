//! What is broken is refused, whatever it is, and costs no more than the limits say.

use proptest::prelude::*;

use super::batches::{batch_items, batch_of, fixed_moment, moment};
use super::golden::traces;
use crate::wire::format::{FORM_NUMBERS, field};
use crate::wire::frame::FrameKind;
use crate::wire::protobuf::{put, put_bytes, put_number, zigzag};
use crate::wire::{
    BatchLimits, Frame, FrameError, FrameLimits, Level, Sealer, WireBatch, WireError,
};

fn frame_of(plain: &[u8], events: u32) -> Frame {
    let length = plain.len() as u32;
    Frame::build(FrameKind::Batch, [1, 1], events, length, false, plain)
}

fn decode(plain: &[u8], events: u32) -> Result<WireBatch, WireError> {
    WireBatch::decode(&frame_of(plain, events), &BatchLimits::default())
}

/// A batch field by field, so that a test can make one of them wrong.
#[derive(Clone)]
pub(super) struct Plain(Vec<(u32, Value)>);

#[derive(Clone)]
pub(super) enum Value {
    Number(u64),
    Bytes(Vec<u8>),
}

pub(super) fn packed(values: &[u64]) -> Value {
    let mut bytes = Vec::new();
    values.iter().for_each(|&value| put(&mut bytes, value));
    Value::Bytes(bytes)
}

impl Plain {
    /// Two events over one edge.
    pub(super) fn whole() -> Self {
        let form = [0, 1, 0b10_0010, 0b11_1111, 0, 1, 1, 3, 2];
        assert_eq!(form.len(), FORM_NUMBERS);
        Self(vec![
            (field::VERSION, Value::Number(1)),
            (field::PRODUCER, Value::Number(7)),
            (field::EVENTS, Value::Number(2)),
            (field::NAME, Value::Bytes(b"a".to_vec())),
            (field::EDGE, packed(&[0; 6])),
            (field::MESSAGE_TYPE, packed(&[0])),
            (field::THRESHOLD, packed(&[1 << 55])),
            (field::RING, packed(&[0, 1])),
            (field::THROUGHPUT, Value::Bytes(vec![0; 8])),
            (field::PREFIX, packed(&[0, 1])),
            (field::FORM, packed(&form)),
            (field::FORM_OF, packed(&[0, 0])),
            (field::RUN, packed(&[0, 2])),
            (field::SEQUENCE, packed(&[0, 0])),
            (field::START, packed(&[1_000, 10])),
            (field::DURATION, packed(&[1, 2])),
            (field::SIZE, packed(&[1, 2])),
            (field::DEPTH, packed(&[1, 2])),
            (field::WIDE, packed(&[1, 2])),
            (field::CAUSE_RING, packed(&[0, 0])),
            (field::CAUSE_SEQUENCE, packed(&[2, 2])),
            (field::ROOT_RING, packed(&[0, 0])),
            (field::ROOT_NUMBER, packed(&[2, 0])),
            (field::MESSAGE_NUMBER, packed(&[2, 2])),
            (field::SECTION_BYTES, packed(&[0, 3])),
            // An error of one letter.
            (field::SECTIONS, Value::Bytes(vec![20, 1, b'x'])),
        ])
    }

    pub(super) fn with(mut self, number: u32, value: Value) -> Self {
        self.0.retain(|(field, _)| *field != number);
        self.0.push((number, value));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (field, value) in &self.0 {
            match value {
                Value::Number(value) => put_number(&mut bytes, *field, *value),
                Value::Bytes(value) => put_bytes(&mut bytes, *field, value),
            }
        }
        bytes
    }

    pub(super) fn decode(&self) -> Result<WireBatch, WireError> {
        decode(&self.bytes(), 2)
    }
}

#[test]
fn the_batch_that_the_tests_break_is_whole() {
    let batch = Plain::whole().decode().expect("a batch");
    let events: Vec<_> = batch.events().collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].data.error.as_deref(), Some("x"));
    assert_eq!(events[1].causality.hop_count, Some(3));
}

#[test]
fn another_version_is_refused_before_anything_else() {
    let plain = Plain::whole()
        .with(field::VERSION, Value::Number(2))
        .with(field::FORM, packed(&[1]));
    assert_eq!(
        plain.decode().err(),
        Some(WireError::UnknownVersion { version: 2 })
    );
    let none = Plain(Vec::new());
    assert_eq!(
        none.decode().err(),
        Some(WireError::UnknownVersion { version: 0 })
    );
}

#[test]
fn unknown_fields_are_skipped() {
    let mut plain = Plain::whole();
    plain.0.insert(0, (14, packed(&[1, 2, 3])));
    plain.0.push((1_000, Value::Number(5)));
    plain.0.push((u32::MAX >> 3, Value::Bytes(vec![1])));
    assert_eq!(plain.decode().expect("a batch").len(), 2);
}

#[test]
fn unknown_tags_of_sections_are_kept_and_mean_nothing() {
    let plain = Plain::whole().with(field::SECTIONS, Value::Bytes(vec![200, 1, b'x']));
    let batch = plain.decode().expect("a batch");
    assert_eq!(batch.event(1).expect("an event").data.error, None);
    assert_eq!(batch.row(1).expect("a row").sections, [200, 1, b'x']);
}

#[test]
fn columns_that_disagree_are_refused() {
    let columns = [
        field::FORM_OF,
        field::SEQUENCE,
        field::START,
        field::DURATION,
        field::SIZE,
        field::DEPTH,
        field::WIDE,
        field::CAUSE_RING,
        field::CAUSE_SEQUENCE,
        field::ROOT_RING,
        field::ROOT_NUMBER,
        field::MESSAGE_NUMBER,
        field::SECTION_BYTES,
    ];
    for column in columns {
        for values in [&[0][..], &[0, 0, 0]] {
            let refused = Plain::whole().with(column, packed(values)).decode().err();
            assert!(
                matches!(
                    refused,
                    Some(WireError::ColumnLength { .. } | WireError::Value { .. })
                ),
                "field {column}: {refused:?}"
            );
        }
        // A number that ends early, and one of more than 64 bits.
        for broken in [vec![0, 0x80], [&[0][..], &[0xff; 10]].concat()] {
            let refused = Plain::whole()
                .with(column, Value::Bytes(broken))
                .decode()
                .err();
            assert_eq!(
                std::mem::discriminant(&refused.expect("refused")),
                std::mem::discriminant(&WireError::Varint { column: "" })
            );
        }
    }
    for (list, values) in [
        (field::EDGE, &[0; 5][..]),
        (field::RING, &[0]),
        (field::PREFIX, &[0]),
        (field::FORM, &[0; 8]),
        (field::RUN, &[0, 1]),
        (field::RUN, &[0, 3]),
        (field::RUN, &[0, u64::MAX]),
        (field::RUN, &[0, 2, 0]),
    ] {
        let refused = Plain::whole().with(list, packed(values)).decode();
        assert!(refused.is_err(), "field {list}: {values:?}");
    }
    let more_throughput = Plain::whole().with(field::THROUGHPUT, Value::Bytes(vec![0; 16]));
    assert!(more_throughput.decode().is_err());
    let uuid = Plain::whole().with(field::MESSAGE_UUID, Value::Bytes(vec![0; 16]));
    assert!(uuid.decode().is_err(), "no form asks for it");
}

#[test]
fn places_that_are_not_there_are_refused() {
    let form = |place: usize, value: u64| {
        let mut form = [0, 1, 0b10_0010, 0b11_1111, 0, 1, 1, 3, 2];
        form[place] = value;
        packed(&form)
    };
    let wrong = [
        (field::EDGE, packed(&[0, 0, 0, 0, 0, 1])),
        (field::MESSAGE_TYPE, packed(&[1])),
        (field::PREFIX, packed(&[1, 1])),
        (field::PREFIX, packed(&[0, 21])),
        (field::THRESHOLD, packed(&[(1 << 56) + 1])),
        (field::OTHER_PRODUCER, packed(&[1 << 52])),
        (field::PRODUCER, Value::Number(1 << 52)),
        (field::RING, packed(&[1, 1])),
        (field::RING, packed(&[0, 1 << 22])),
        (field::FORM, form(0, 11)),
        (field::FORM, form(2, 1 << 16)),
        (field::FORM, form(4, 1)),
        (field::FORM, form(5, 2)),
        (field::FORM, form(6, 2)),
        (field::FORM, form(7, 256)),
        (field::FORM, form(8, 4)),
        (field::FORM_OF, packed(&[0, 1])),
        (field::FORM_OF, packed(&[0, u64::MAX])),
        (field::RUN, packed(&[1, 2])),
        (field::CAUSE_RING, packed(&[0, 1])),
        (field::ROOT_RING, packed(&[0, 1])),
        (field::SEQUENCE, packed(&[zigzag(1 << 48), 0])),
        (field::SEQUENCE, packed(&[zigzag(u64::MAX - 1), 0])),
        (field::CAUSE_SEQUENCE, packed(&[u64::MAX, u64::MAX])),
        (field::ROOT_NUMBER, packed(&[zigzag(1 << 48), 0])),
        (field::SECTION_BYTES, packed(&[u64::MAX, 4])),
        (field::EVENTS, Value::Bytes(vec![2])),
        (field::FORM, Value::Number(1)),
        (field::CPU, Value::Number(1)),
    ];
    for (place, (number, value)) in wrong.into_iter().enumerate() {
        let refused = Plain::whole().with(number, value).decode();
        assert!(refused.is_err(), "line {place}, field {number}");
    }
}

#[test]
fn numbers_that_overflow_when_summed_wrap_and_do_not_panic() {
    let plain = Plain::whole()
        .with(field::START, packed(&[zigzag(i64::MAX as u64), 2]))
        .with(field::MESSAGE_NUMBER, packed(&[zigzag(u64::MAX), 4]))
        .with(field::DURATION, packed(&[u64::MAX, u64::MAX]))
        .with(field::SIZE, packed(&[u64::MAX, 0]))
        .with(field::DEPTH, packed(&[u64::MAX, 0]))
        .with(field::WIDE, packed(&[u64::MAX, 0]));
    let batch = plain.decode().expect("a batch");
    assert_eq!(batch.starts_ns(), [i64::MAX, i64::MIN]);
    assert_eq!(batch.time_range(), Some((i64::MIN, i64::MAX)));
    assert_eq!(batch.events().count(), 2);
}

#[test]
fn broken_sections_are_refused() {
    let broken: [&[u8]; 9] = [
        // No length; a length beyond the end; a length of more than 64 bits.
        &[20],
        &[20, 2, b'x'],
        &[20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
        // Ids that are too short, a time that there is not, a threshold of three bytes.
        &[4, 1, 0],
        &[15, 12, 255, 255, 255, 255, 255, 255, 255, 127, 0, 0, 0, 0],
        &[24, 3, 0, 0, 0],
        // An attribute without a key length, with a key beyond its end, and with a value of no type.
        &[2, 0],
        &[2, 2, 5, b'k'],
        &[2, 3, 1, b'k', 99],
    ];
    for sections in broken {
        let plain = Plain::whole()
            .with(field::SECTION_BYTES, packed(&[0, sections.len() as u64]))
            .with(field::SECTIONS, Value::Bytes(sections.to_vec()));
        assert_eq!(
            plain.decode().err(),
            Some(WireError::Sections { index: 1 }),
            "{sections:?}"
        );
    }
    // As deep as an attribute may be nested, and one deeper.
    let nested = |depth: usize| {
        let mut value = vec![0];
        for _ in 0..depth {
            let length = (value.len() as u32).to_le_bytes();
            value = [&[7][..], &length, &value].concat();
        }
        let mut sections = Vec::new();
        let payload = [&[1, b'k'][..], &value].concat();
        sections.push(2);
        put(&mut sections, payload.len() as u64);
        sections.extend(payload);
        Plain::whole()
            .with(field::SECTION_BYTES, packed(&[0, sections.len() as u64]))
            .with(field::SECTIONS, Value::Bytes(sections))
            .decode()
    };
    assert_eq!(nested(64).expect("a batch").events().count(), 2);
    assert!(nested(65).is_err());
    assert!(nested(10_000).is_err());
}

#[test]
fn names_that_are_none_are_refused() {
    let too_long = Plain::whole().with(field::NAME, Value::Bytes(vec![b'x'; 257]));
    assert!(matches!(
        too_long.decode(),
        Err(WireError::Name { index: 0, .. })
    ));
    let not_utf_8 = Plain::whole().with(field::NAME, Value::Bytes(vec![0xff]));
    assert!(matches!(
        not_utf_8.decode(),
        Err(WireError::Name { index: 0, .. })
    ));
}

#[test]
fn every_limit_is_held() {
    let refused = |plain: &[u8], events: u32, limits: &BatchLimits| match WireBatch::decode(
        &frame_of(plain, events),
        limits,
    ) {
        Err(WireError::TooLarge { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    let limits = BatchLimits::default();
    // A dictionary of a million names.
    let mut names = Plain::whole().bytes();
    (0..1_000_000).for_each(|_| put_bytes(&mut names, field::NAME, b""));
    assert_eq!(refused(&names, 2, &limits), "names");
    let plain = Plain::whole().bytes();
    let few_events = BatchLimits {
        events_max: 1,
        ..limits.clone()
    };
    assert_eq!(refused(&plain, 2, &few_events), "events");
    let many_rings = Plain::whole()
        .with(field::RING, packed(&[0; 200_000]))
        .bytes();
    assert_eq!(refused(&many_rings, 2, &limits), "ring");
    let many_edges = Plain::whole()
        .with(field::EDGE, packed(&[0; 600_000]))
        .bytes();
    assert_eq!(refused(&many_edges, 2, &limits), "edge");
    let mut many_notices = Plain::whole().bytes();
    (0..70_000).for_each(|_| put_bytes(&mut many_notices, field::NOTICE, b""));
    assert_eq!(refused(&many_notices, 2, &limits), "notices");
}

#[test]
fn events_that_were_not_sent_get_no_room() {
    // A small frame that says it has very many events, all of whose columns were left out.
    let plain = Plain(vec![
        (field::VERSION, Value::Number(1)),
        (field::EVENTS, Value::Number(60_000)),
    ]);
    assert!(matches!(
        decode(&plain.bytes(), 60_000),
        Err(WireError::ColumnLength {
            column: "form_of",
            ..
        })
    ));
    let said_otherwise = decode(&Plain::whole().bytes(), 3);
    assert_eq!(
        said_otherwise.err(),
        Some(WireError::Events {
            inside: 2,
            frame: 3
        })
    );
}

#[test]
fn a_bomb_inside_a_batch_is_refused() {
    let mut plain = Plain::whole().bytes();
    put_bytes(&mut plain, 1_000, &vec![0; 8 << 20]);
    let mut packed = Vec::new();
    let mut compressor = crate::wire::frame::Compressor::default();
    assert!(compressor.compress(&plain, Level::FAST, &mut packed));
    let frame = Frame::build(
        FrameKind::Batch,
        [1, 1],
        2,
        plain.len() as u32,
        true,
        &packed,
    );
    let refused = WireBatch::decode(&frame, &BatchLimits::default());
    assert!(matches!(
        refused,
        Err(WireError::Frame(FrameError::TooDense { .. }))
    ));
}

#[test]
fn what_is_too_dense_for_a_reader_is_sent_as_it_is() {
    let event = crate::TraceEvent::data_flow_with_content(
        "a",
        "out",
        "b",
        "in",
        "T",
        1,
        Some(vec![0; 1 << 20]),
    );
    let producer = crate::event::ProducerId::from_bits(1);
    let mut sealer = Sealer::new(Some(Level::FAST), BatchLimits::default());
    let frame = sealer
        .seal_events(std::slice::from_ref(&event), producer, 1, 1)
        .expect("seals");
    assert!(!frame.header().is_compressed);
    let read = WireBatch::decode(&frame, &BatchLimits::default()).expect("a batch");
    assert_eq!(read.event(0), Some(event));
}

#[test]
fn a_batch_cut_at_every_byte_is_refused_or_whole() {
    let frame = Sealer::default()
        .seal(&batch_of(&traces(), &fixed_moment()), 1, 1)
        .expect("seals");
    let plain = frame.payload();
    for cut in 0..plain.len() {
        // A cut between two fields leaves a message, in which a column is missing.
        let _any_answer_will_do = decode(&plain[..cut], 6).map(|batch| batch.events().count());
    }
    assert_eq!(decode(&plain, 6).expect("a batch").len(), 6);
}

#[test]
fn a_limit_of_the_sealer_is_that_of_the_reader() {
    let batch = batch_of(&traces(), &fixed_moment());
    let small = |plain_bytes_max| BatchLimits {
        frame: FrameLimits {
            plain_bytes_max,
            ..FrameLimits::default()
        },
        ..BatchLimits::default()
    };
    let frame = Sealer::default().seal(&batch, 1, 1).expect("seals");
    let length = frame.header().plain_len;
    assert!(Sealer::new(None, small(length)).seal(&batch, 1, 1).is_ok());
    assert!(WireBatch::decode(&frame, &small(length)).is_ok());
    assert!(
        Sealer::new(None, small(length - 1))
            .seal(&batch, 1, 1)
            .is_err()
    );
    assert!(WireBatch::decode(&frame, &small(length - 1)).is_err());
    assert!(Sealer::default().seal(&batch, 0, 1).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 384 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn arbitrary_payloads_are_read_without_panic(plain in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = Vec::new();
        put_number(&mut bytes, field::VERSION, 1);
        bytes.extend(plain);
        // Whether they hold a batch does not matter here.
        let _any_answer_will_do = decode(&bytes, 0).map(|batch| batch.events().count());
    }

    #[test]
    fn arbitrary_columns_are_read_without_panic(
        number in 1..40u32,
        values in proptest::collection::vec(prop_oneof![0..4u64, any::<u64>()], 0..30),
        as_number in any::<bool>(),
    ) {
        let value = if as_number { Value::Number(values.len() as u64) } else { packed(&values) };
        let plain = Plain::whole().with(number, value);
        if let Ok(batch) = plain.decode() {
            prop_assert_eq!(batch.events().count(), 2 + batch.losses().len());
            prop_assert!(batch.memory_bytes() < 1 << 20);
        }
    }

    #[test]
    fn a_batch_with_changed_bytes_is_read_without_panic(
        items in batch_items(8),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let batch = batch_of(&items, &moment());
        let frame = Sealer::default().seal(&batch, 1, 1).expect("seals");
        let mut plain = frame.payload().to_vec();
        for (place, byte) in changes {
            let place = place.index(plain.len());
            plain[place] = byte;
        }
        // The checksum is right again: what matters is that every answer is an answer.
        if let Ok(read) = decode(&plain, frame.header().events) {
            prop_assert!(read.events().count() >= read.len());
        }
        // With the wrong checksum it is none.
        let mut bytes = frame.bytes().to_vec();
        let place = bytes.len() / 2;
        bytes[place] ^= 0x40;
        prop_assert!(Frame::parse(bytes.into(), &FrameLimits::default()).is_err());
    }
}
