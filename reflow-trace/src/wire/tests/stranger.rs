//! A reader that knows only the description of the formats.
//!
//! It shares no code with the library and reads the golden files by the tables in `frame` and `format`. So
//! it shows that these say what the bytes are, and that the two readers agree for a reason.

use std::collections::BTreeMap;

use super::golden::golden;

/// The fields of a protobuf message: number and value, in the order in which they stand.
fn message(mut bytes: &[u8]) -> Vec<(u64, Field)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => {
                let (value, rest) = bytes.split_at(8);
                bytes = rest;
                Field::Bytes(value.to_vec())
            }
            2 => {
                let length = varint(&mut bytes) as usize;
                let (value, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(value.to_vec())
            }
            5 => {
                let (value, rest) = bytes.split_at(4);
                bytes = rest;
                Field::Bytes(value.to_vec())
            }
            other => panic!("wire type {other}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

#[derive(Clone, Debug)]
enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value += u64::from(byte % 128) << shift;
        if byte < 128 {
            break;
        }
    }
    value
}

struct Columns(Vec<(u64, Field)>);

impl Columns {
    fn bytes(&self, number: u64) -> Vec<u8> {
        let found = self.0.iter().rev().find(|(field, _)| *field == number);
        match found {
            Some((_, Field::Bytes(bytes))) => bytes.clone(),
            None => Vec::new(),
            other => panic!("{other:?}"),
        }
    }

    fn packed(&self, number: u64) -> Vec<u64> {
        let bytes = self.bytes(number);
        let mut rest = &bytes[..];
        let mut values = Vec::new();
        while !rest.is_empty() {
            values.push(varint(&mut rest));
        }
        values
    }

    fn number(&self, number: u64) -> u64 {
        match self.0.iter().rev().find(|(field, _)| *field == number) {
            Some((_, Field::Number(value))) => *value,
            None => 0,
            other => panic!("{other:?}"),
        }
    }

    /// One value for each event.
    fn column(&self, number: u64) -> Vec<u64> {
        let values = self.packed(number);
        let events = self.number(3) as usize;
        if values.is_empty() {
            vec![0; events]
        } else {
            assert_eq!(values.len(), events);
            values
        }
    }

    fn signed_column(&self, number: u64) -> Vec<i64> {
        let unzigzag = |value: u64| (value / 2) as i64 ^ -((value % 2) as i64);
        self.column(number).into_iter().map(unzigzag).collect()
    }
}

/// What one reads of an event.
#[derive(Debug, PartialEq)]
struct Event {
    ring: u64,
    sequence: i64,
    start_ns: i64,
    duration_ns: Option<u64>,
    size: Option<u64>,
    depth: Option<u64>,
    wide: Option<u64>,
    cause: Option<(u64, i64)>,
    root: Option<(u64, i64)>,
    kind: u64,
    outcome: u64,
    hops: u64,
    edge: Vec<String>,
    message_type: Option<String>,
    message_id: Option<String>,
}

fn events(file: &str) -> Vec<Event> {
    let frame = golden(file);
    let (header, payload) = frame.split_at(40);
    assert_eq!(
        &header[..8],
        b"RTF1\x03\x00\x00\x00",
        "an uncompressed batch"
    );
    assert_eq!(header[8..12], (payload.len() as u32).to_le_bytes());
    let columns = Columns(message(payload));
    assert_eq!(columns.number(1), 1, "version");
    let names: Vec<String> = columns
        .0
        .iter()
        .filter_map(|(number, field)| match field {
            Field::Bytes(name) if *number == 5 => String::from_utf8(name.clone()).ok(),
            _ => None,
        })
        .collect();
    let name = |place: u64| names[place as usize].clone();
    let edges: Vec<Vec<String>> = columns
        .packed(6)
        .chunks(6)
        .map(|edge| edge.iter().map(|&place| name(place)).collect())
        .collect();
    let types = columns.packed(7);
    let rings: Vec<u64> = columns.packed(10).chunks(2).map(|ring| ring[1]).collect();
    let prefixes = columns.packed(12);
    let forms: Vec<Vec<u64>> = columns.packed(13).chunks(9).map(<[u64]>::to_vec).collect();
    let ring_of: Vec<u64> = columns
        .packed(17)
        .chunks(2)
        .flat_map(|run| std::iter::repeat_n(run[0], run[1] as usize))
        .collect();
    let (sequences, starts) = (columns.signed_column(18), columns.signed_column(19));
    let [durations, sizes, depths, wides] = [20, 21, 22, 23].map(|number| columns.column(number));
    let (cause_rings, causes) = (columns.column(24), columns.signed_column(25));
    let (root_rings, roots) = (columns.column(26), columns.signed_column(27));
    let numbers = columns.signed_column(28);

    let mut last_sequence = BTreeMap::new();
    let mut last_cause = BTreeMap::new();
    let mut last_root = BTreeMap::new();
    let mut last_number = BTreeMap::new();
    let mut start = 0;
    let mut events = Vec::new();
    for (row, form) in columns.packed(16).into_iter().enumerate() {
        let form = &forms[form as usize];
        let has = |bit: u32| form[3] & (1 << bit) != 0;
        let add = |last: &mut BTreeMap<u64, i64>, key: u64, difference: i64| {
            let value = last.entry(key).or_insert(0);
            *value += difference;
            *value
        };
        start += starts[row];
        let ring = ring_of[row];
        let message_id = match form[8] {
            0 => None,
            2 => Some(add(&mut last_number, 2, numbers[row]).to_string()),
            id => {
                let prefix = &prefixes[2 * (id as usize - 3)..];
                let number = add(&mut last_number, id, numbers[row]);
                Some(format!(
                    "{}{number:0width$}",
                    name(prefix[0]),
                    width = prefix[1] as usize
                ))
            }
        };
        events.push(Event {
            ring: rings[ring as usize],
            sequence: add(&mut last_sequence, ring, sequences[row] + 1),
            start_ns: start,
            duration_ns: has(0).then(|| durations[row]),
            size: has(1).then(|| sizes[row]),
            depth: has(2).then(|| depths[row]),
            wide: has(3).then(|| wides[row]),
            cause: has(4).then(|| {
                let ring = cause_rings[row];
                (
                    rings[ring as usize],
                    add(&mut last_cause, ring, causes[row]),
                )
            }),
            root: has(5).then(|| {
                let ring = root_rings[row];
                (rings[ring as usize], add(&mut last_root, ring, roots[row]))
            }),
            kind: form[0],
            outcome: form[1],
            hops: form[7],
            edge: edges[form[4] as usize].clone(),
            message_type: (form[5] > 0).then(|| name(types[form[5] as usize - 1])),
            message_id,
        });
    }
    events
}

#[test]
fn a_stranger_reads_traces_by_the_description_alone() {
    let events = events("batch-traces.frame");
    assert_eq!(events.len(), 6);
    let edge = ["validator", "out", "store", "in", "memory_channel", "none"];
    let second_hop = Event {
        ring: 1,
        sequence: 4,
        start_ns: 1_704_067_200_000_004_000,
        duration_ns: Some(104),
        size: Some(256),
        depth: Some(3),
        wide: Some(512),
        cause: Some((1, 3)),
        root: Some((1, 1)),
        kind: 0,
        outcome: 1,
        hops: 1,
        edge: edge.map(str::to_owned).to_vec(),
        message_type: Some("Order".into()),
        message_id: Some("order-100".into()),
    };
    assert_eq!(events[3], second_hop);
    let taken = &events[5];
    assert_eq!((taken.kind, taken.outcome, taken.ring), (2, 0, 2));
    assert_eq!(taken.cause, Some((1, 4)));
    assert_eq!((taken.wide, taken.size), (Some(7_000), None));
}

#[test]
fn a_stranger_takes_the_sections_apart() {
    let frame = golden("batch-oddities.frame");
    let columns = Columns(message(&frame[40..]));
    let lengths = columns.column(30);
    let all = columns.bytes(31);
    let start = lengths[..2].iter().sum::<u64>() as usize;
    let mut sections = &all[start..start + lengths[2] as usize];
    let mut tags = Vec::new();
    while !sections.is_empty() {
        let tag = sections[0];
        sections = &sections[1..];
        let length = varint(&mut sections) as usize;
        let (payload, rest) = sections.split_at(length);
        sections = rest;
        tags.push(tag);
        match tag {
            2 => {
                let mut payload = payload;
                let key = varint(&mut payload) as usize;
                assert_eq!(&payload[..key], b"note");
                assert_eq!(payload[key], 8, "a map");
            }
            18 => assert_eq!(payload, b"sha256:00"),
            19 => assert_eq!(payload, b"{\"celsius\":20}"),
            other => panic!("tag {other}"),
        }
    }
    assert_eq!(tags, [2, 19, 18]);
}
