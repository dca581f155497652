//! The form in which a summary lies in the catalogue.
//!
//! One byte that names the form, 2, and two zstd frames, each after its length in 4 bytes, little end first: the
//! numbers of attempts (see `encoding_of_numbers.rs`) and the roll-up. In the latter, with all numbers as LEB128
//! varints unless something else is said:
//!
//! * the number of edges, and for each the four names; a name is its length in bytes and its UTF-8;
//! * the number of types, and their names;
//! * the number of cells, and for each, in the order of their keys: the minute as a zigzag difference to
//!   the one before; edge; type; happening (0 sent, 1 received, 2 dropped, 3 announced, 4 lived); events; unweighted;
//!   the weight as 8 bytes of an IEEE double, little end first; bytes; failures, their weight and how many of them
//!   are unweighted; the histogram of durations and that of waiting times, each as the sum, the longest, the number
//!   of its buckets, and for each bucket the difference to the one before and the count;
//! * the number of producers, and their numbers of 52 bits;
//! * the number of sums, and for each, in the order of their keys: 0 or, counted from 1, the place of the producer;
//!   edge; type; happening; then of all events and of the failed ones events, weight and unweighted.
//!
//! Reading checks every length against what is left; what does not fit is an error, never a panic, and
//! never costs more memory than [`PLAIN_BYTES_MAX`] and what it holds.

use std::io::Read;

use reflow_trace::event::ProducerId;
use reflow_trace::lineage::Numbers;

use super::{
    BUCKETS, Cell, CellKey, EdgeName, Happening, Histogram, Rollup, Stand, Sum, SumKey, Summary,
    encoding_of_numbers as numbers,
};

const FORM: u8 = 2;
/// Most bytes of an unpacked frame.
const PLAIN_BYTES_MAX: u64 = 1 << 30;

impl Summary {
    /// The form above.
    pub(crate) fn encode(&self) -> std::io::Result<Vec<u8>> {
        let mut form = vec![FORM];
        for plain in [numbers::put_numbers(&self.numbers), self.rollup.put()] {
            let packed = zstd::bulk::compress(&plain, 3)?;
            let length = u32::try_from(packed.len()).map_err(std::io::Error::other)?;
            form.extend(length.to_le_bytes());
            form.extend(packed);
        }
        Ok(form)
    }

    /// Reads the roll-up of the form above; `None` when it is none.
    pub(crate) fn decode_rollup(form: &[u8]) -> Option<Rollup> {
        let [_, packed] = frames(form)?;
        Rollup::take(&unpacked(packed)?)
    }

    /// Reads the numbers of the form above; `None` when it is none.
    pub(crate) fn decode_numbers(form: &[u8]) -> Option<Numbers> {
        let [packed, _] = frames(form)?;
        numbers::take_numbers(&unpacked(packed)?)
    }
}

/// The two frames of a form.
fn frames(form: &[u8]) -> Option<[&[u8]; 2]> {
    let (&FORM, mut rest) = form.split_first()? else {
        return None;
    };
    let mut next = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (frame, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        rest = after;
        Some(frame)
    };
    let frames = [next()?, next()?];
    rest.is_empty().then_some(frames)
}

fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let reader = zstd::stream::read::Decoder::new(packed).ok()?;
    let read = reader
        .take(PLAIN_BYTES_MAX + 1)
        .read_to_end(&mut plain)
        .ok()?;
    (read as u64 <= PLAIN_BYTES_MAX).then_some(plain)
}

impl Rollup {
    fn put(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        put(&mut plain, self.edges.len() as u64);
        for edge in &self.edges {
            for name in [
                &edge.from_actor,
                &edge.from_port,
                &edge.to_actor,
                &edge.to_port,
            ] {
                put_name(&mut plain, name);
            }
        }
        put(&mut plain, self.types.len() as u64);
        for name in &self.types {
            put_name(&mut plain, name);
        }
        put(&mut plain, self.cells.len() as u64);
        let mut before = 0;
        for (key, cell) in &self.cells {
            put(&mut plain, zigzag(key.minute.wrapping_sub(before)));
            before = key.minute;
            put(&mut plain, u64::from(key.edge));
            put(&mut plain, u64::from(key.message_type));
            put(&mut plain, key.happening as u64);
            put(&mut plain, cell.events);
            put(&mut plain, cell.unweighted);
            plain.extend(cell.weight.to_le_bytes());
            put(&mut plain, cell.bytes);
            put(&mut plain, cell.failures);
            plain.extend(cell.failed_weight.to_le_bytes());
            put(&mut plain, cell.failed_unweighted);
            put_histogram(&mut plain, &cell.execution);
            put_histogram(&mut plain, &cell.waiting);
        }
        self.put_sums(&mut plain);
        plain
    }

    fn put_sums(&self, plain: &mut Vec<u8>) {
        let mut sums: Vec<(&SumKey, &Sum)> = self.sums.iter().collect();
        sums.sort_unstable_by_key(|&(key, _)| *key);
        let mut producers: Vec<ProducerId> =
            sums.iter().filter_map(|(key, _)| key.producer).collect();
        producers.dedup();
        put(plain, producers.len() as u64);
        for producer in &producers {
            put(plain, producer.bits());
        }
        put(plain, sums.len() as u64);
        for (key, sum) in sums {
            let place = key.producer.map_or(0, |producer| {
                1 + producers.partition_point(|&other| other < producer)
            });
            put(plain, place as u64);
            put(plain, u64::from(key.edge));
            put(plain, u64::from(key.message_type));
            put(plain, key.happening as u64);
            for stand in [sum.all, sum.failed] {
                put(plain, stand.events);
                plain.extend(stand.weight.to_le_bytes());
                put(plain, stand.unweighted);
            }
        }
    }

    /// Reads what [`put`](Self::put) has written; `None` when it is not that.
    fn take(plain: &[u8]) -> Option<Self> {
        let mut rest = plain;
        let mut rollup = Self::default();
        for place in 0..take(&mut rest)? {
            let mut name = || take_name(&mut rest);
            let edge = EdgeName {
                from_actor: name()?,
                from_port: name()?,
                to_actor: name()?,
                to_port: name()?,
            };
            // Whatever number of them somebody has written.
            if rollup.edge_places.contains_key(&edge) || u64::from(rollup.add_edge(&edge)) != place
            {
                return None;
            }
        }
        for place in 0..take(&mut rest)? {
            let name = take_name(&mut rest)?;
            if rollup.type_places.contains_key(&name) || u64::from(rollup.add_type(&name)) != place
            {
                return None;
            }
        }
        let mut minute = 0i64;
        for _ in 0..take(&mut rest)? {
            minute = minute.wrapping_add(unzigzag(take(&mut rest)?));
            let key = CellKey {
                minute,
                edge: take_place(&mut rest, rollup.edges.len())?,
                message_type: take_place(&mut rest, rollup.types.len())?,
                happening: take_happening(&mut rest)?,
            };
            let cell = Cell {
                events: take(&mut rest)?,
                unweighted: take(&mut rest)?,
                weight: take_double(&mut rest)?,
                bytes: take(&mut rest)?,
                failures: take(&mut rest)?,
                failed_weight: take_double(&mut rest)?,
                failed_unweighted: take(&mut rest)?,
                execution: take_histogram(&mut rest)?,
                waiting: take_histogram(&mut rest)?,
            };
            if rollup.cells.insert(key, cell).is_some() {
                return None;
            }
        }
        rollup.take_sums(&mut rest)?;
        rest.is_empty().then_some(rollup)
    }

    fn take_sums(&mut self, rest: &mut &[u8]) -> Option<()> {
        let mut producers = Vec::new();
        for _ in 0..take(rest)? {
            producers.push(take_producer(rest)?);
        }
        let places = (self.edges.len(), self.types.len());
        for _ in 0..take(rest)? {
            let place = usize::try_from(take(rest)?).ok()?;
            let producer = match place.checked_sub(1) {
                Some(place) => Some(*producers.get(place)?),
                None => None,
            };
            let key = SumKey {
                producer,
                edge: take_place(rest, places.0)?,
                message_type: take_place(rest, places.1)?,
                happening: take_happening(rest)?,
            };
            let mut stand = || {
                Some(Stand {
                    events: take(rest)?,
                    weight: take_double(rest)?,
                    unweighted: take(rest)?,
                })
            };
            let sum = Sum {
                all: stand()?,
                failed: stand()?,
            };
            self.sums.add_overflow(key, &sum);
        }
        Some(())
    }
}

pub(super) fn put(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn put_name(to: &mut Vec<u8>, name: &str) {
    put(to, name.len() as u64);
    to.extend(name.as_bytes());
}

fn put_histogram(to: &mut Vec<u8>, histogram: &Histogram) {
    put(to, histogram.total_ns());
    put(to, histogram.max_ns());
    put(to, histogram.buckets().len() as u64);
    let mut before = 0;
    for &(bucket, count) in histogram.buckets() {
        put(to, u64::from(bucket - before));
        before = bucket;
        put(to, count);
    }
}

pub(super) fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn take_happening(rest: &mut &[u8]) -> Option<Happening> {
    Some(match take(rest)? {
        0 => Happening::Sent,
        1 => Happening::Received,
        2 => Happening::Dropped,
        3 => Happening::Announced,
        4 => Happening::Lived,
        _ => return None,
    })
}

fn take_double(rest: &mut &[u8]) -> Option<f64> {
    let (bytes, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(f64::from_le_bytes(*bytes))
}

pub(super) fn take_producer(rest: &mut &[u8]) -> Option<ProducerId> {
    let bits = take(rest)?;
    let producer = ProducerId::from_bits(bits);
    (producer.bits() == bits).then_some(producer)
}

pub(super) fn take_place(rest: &mut &[u8], places: usize) -> Option<u32> {
    let place = take(rest)?;
    (place < places as u64).then_some(place as u32)
}

fn take_name(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take(rest)?).ok()?;
    let (name, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(name).ok().map(str::to_owned)
}

fn take_histogram(rest: &mut &[u8]) -> Option<Histogram> {
    let mut histogram = Histogram::default();
    histogram.add_total(take(rest)?, take(rest)?);
    let mut bucket = 0u64;
    for _ in 0..take(rest)? {
        bucket = bucket.checked_add(take(rest)?)?;
        if bucket >= u64::from(BUCKETS) {
            return None;
        }
        histogram.add(bucket as u16, take(rest)?);
    }
    Some(histogram)
}

pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(super) const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use reflow_trace::EventId;
    use reflow_trace::event::EventOrigin;

    use super::super::Observation;
    use super::*;
    use crate::store::TimeRange;

    fn example(seed: u64) -> Summary {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut summary = Summary::default();
        for _ in 0..200 {
            let rollup = &mut summary.rollup;
            let edge = rollup.edge(&EdgeName {
                from_actor: ["a", "", "größe"][random.usize(0..3)].to_owned(),
                to_actor: "b".to_owned(),
                ..EdgeName::default()
            });
            let message_type = rollup.message_type(["T", "U"][random.usize(0..2)]);
            let seen = Observation {
                time_ns: if random.u8(..) < 8 {
                    random.i64(..)
                } else {
                    random.i64(0..300_000_000_000)
                },
                happening: [Happening::Sent, Happening::Received, Happening::Dropped]
                    [random.usize(0..3)],
                weight: random.bool().then(|| random.f64() * 1e3),
                bytes: random.u64(..) >> random.u32(10..60),
                failed: random.bool(),
                execution_ns: random.bool().then(|| random.u64(..) >> random.u32(0..64)),
                waiting_ns: random.bool().then(|| random.u64(..) >> random.u32(0..64)),
            };
            let producer = ProducerId::from_bits(random.u64(0..3));
            rollup.observe(random.bool().then_some(producer), edge, message_type, &seen);
            let id = if random.u8(..) < 20 {
                EventId::new()
            } else {
                EventId::from_origin(EventOrigin {
                    producer,
                    ring: random.u32(0..3),
                    sequence: random.u64(0..100),
                })
            };
            let start_ns = random.bool().then_some(seen.time_ns);
            summary.numbers.add(id, start_ns);
        }
        summary
    }

    fn decode(form: &[u8]) -> Option<(Rollup, Numbers)> {
        Summary::decode_rollup(form).zip(Summary::decode_numbers(form))
    }

    #[test]
    fn a_summary_comes_back_as_it_was() {
        for seed in 0..50 {
            let mut summary = example(seed);
            if seed % 5 == 0 {
                summary.numbers.leave_out(seed % 2 == 0, seed % 3 == 0);
            }
            let form = summary.encode().expect("memory suffices");
            let (rollup, numbers) = decode(&form).unwrap_or_else(|| panic!("seed {seed}"));
            assert!(summary.rollup.named().eq(rollup.named()), "seed {seed}");
            assert_eq!(&summary.rollup.sums, &rollup.sums, "seed {seed}");
            assert_eq!(summary.numbers, numbers, "seed {seed}");
        }
    }

    #[test]
    fn what_is_no_summary_is_refused() {
        let form = example(1).encode().expect("memory suffices");
        assert!(decode(&[]).is_none());
        assert!(decode(&[1]).is_none());
        for length in 0..form.len() {
            assert!(decode(&form[..length]).is_none(), "{length} bytes");
        }
        let plain = frames(&form).expect("it is one").map(unpacked);
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..2_000 {
            let mut broken = plain.clone().map(|frame| frame.expect("it is one"));
            let frame = &mut broken[round % 2];
            let place = random.usize(..frame.len());
            frame[place] ^= 1 << random.u8(0..8);
            let mut form = vec![FORM];
            for frame in &broken {
                let packed = zstd::bulk::compress(frame, 1).expect("memory suffices");
                form.extend((packed.len() as u32).to_le_bytes());
                form.extend(packed);
            }
            // Whether it is one is another matter; it must not panic.
            let _refused_or_not = decode(&form);
        }
    }

    #[test]
    fn a_merge_adds_the_minutes_that_are_asked_for() {
        let (one, other) = (example(1).rollup, example(2).rollup);
        let mut both = Rollup::default();
        both.merge(&one, TimeRange::ALL);
        both.merge(&other, TimeRange::ALL);
        assert_eq!(both.events(), 400);
        let sums = both.sums().iter().map(|(_, sum)| sum.all.events);
        assert_eq!(sums.sum::<u64>(), 400);
        let range = TimeRange {
            start_ns: 0,
            end_ns: 1,
        };
        let mut first_minute = Rollup::default();
        first_minute.merge(&both, range);
        assert!(first_minute.named().all(|(minute, ..)| minute == 0));
        assert!(first_minute.events() > 0);
        assert!(first_minute.sums().is_empty(), "they know no minutes");
    }
}
