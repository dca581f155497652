//! The form in which a roll-up lies in the catalogue.
//!
//! One byte that names the form, 1, and one zstd frame. In it, with all numbers as LEB128 varints unless
//! something else is said:
//!
//! * the number of edges, and for each the four names; a name is its length in bytes and its UTF-8;
//! * the number of types, and their names;
//! * the number of cells, and for each, in the order of their keys: the minute as a zigzag difference to
//!   the one before; edge; type; happening (0 sent, 1 received, 2 dropped); events; unweighted;
//!   the weight as 8 bytes of an IEEE double, little end first; bytes; failures; the histogram of durations
//!   and that of waiting times, each as the number of its buckets and for each bucket the difference to the
//!   one before and the count.
//!
//! Reading checks every length against what is left; what does not fit is an error, never a panic, and
//! never costs more memory than [`PLAIN_BYTES_MAX`] and what it holds.

use std::io::Read;

use super::{BUCKETS, Cell, CellKey, EdgeName, Happening, Histogram, Rollup};

const FORM: u8 = 1;
/// Most bytes of an unpacked roll-up.
const PLAIN_BYTES_MAX: u64 = 1 << 30;

impl Rollup {
    /// The form above.
    pub(crate) fn encode(&self) -> std::io::Result<Vec<u8>> {
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
            put_histogram(&mut plain, &cell.execution);
            put_histogram(&mut plain, &cell.waiting);
        }
        let mut form = vec![FORM];
        form.extend(zstd::bulk::compress(&plain, 3)?);
        Ok(form)
    }

    /// Reads the form above; `None` when it is none.
    pub(crate) fn decode(form: &[u8]) -> Option<Self> {
        let (&FORM, packed) = form.split_first()? else {
            return None;
        };
        let mut plain = Vec::new();
        let reader = zstd::stream::read::Decoder::new(packed).ok()?;
        let read = reader
            .take(PLAIN_BYTES_MAX + 1)
            .read_to_end(&mut plain)
            .ok()?;
        if read as u64 > PLAIN_BYTES_MAX {
            return None;
        }
        let mut rest = plain.as_slice();
        let mut rollup = Self::default();
        for place in 0..take(&mut rest)? {
            let mut name = || take_name(&mut rest);
            let edge = EdgeName {
                from_actor: name()?,
                from_port: name()?,
                to_actor: name()?,
                to_port: name()?,
            };
            if u64::from(rollup.edge(&edge)) != place {
                return None;
            }
        }
        for place in 0..take(&mut rest)? {
            let name = take_name(&mut rest)?;
            if u64::from(rollup.message_type(&name)) != place {
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
                happening: match take(&mut rest)? {
                    0 => Happening::Sent,
                    1 => Happening::Received,
                    2 => Happening::Dropped,
                    _ => return None,
                },
            };
            let (events, unweighted) = (take(&mut rest)?, take(&mut rest)?);
            let (weight, after) = rest.split_first_chunk::<8>()?;
            rest = after;
            let cell = Cell {
                events,
                unweighted,
                weight: f64::from_le_bytes(*weight),
                bytes: take(&mut rest)?,
                failures: take(&mut rest)?,
                execution: take_histogram(&mut rest)?,
                waiting: take_histogram(&mut rest)?,
            };
            if rollup.cells.insert(key, cell).is_some() {
                return None;
            }
        }
        rest.is_empty().then_some(rollup)
    }
}

fn put(to: &mut Vec<u8>, mut value: u64) {
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
    put(to, histogram.buckets().len() as u64);
    let mut before = 0;
    for &(bucket, count) in histogram.buckets() {
        put(to, u64::from(bucket - before));
        before = bucket;
        put(to, count);
    }
}

fn take(rest: &mut &[u8]) -> Option<u64> {
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

fn take_place(rest: &mut &[u8], places: usize) -> Option<u32> {
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

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::super::Observation;
    use super::*;
    use crate::store::TimeRange;

    fn example(seed: u64) -> Rollup {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut rollup = Rollup::default();
        for _ in 0..200 {
            let edge = rollup.edge(&EdgeName {
                from_actor: format!("actor {}", random.u8(0..5)),
                to_actor: "é".repeat(random.usize(0..3)),
                ..EdgeName::default()
            });
            let message_type = rollup.message_type(["", "Reading", "Alarm"][random.usize(0..3)]);
            let seen = Observation {
                time_ns: random.i64(..) >> random.u32(0..60),
                happening: [Happening::Sent, Happening::Received, Happening::Dropped]
                    [random.usize(0..3)],
                weight: random.bool().then(|| random.f64() * 1e3),
                bytes: random.u64(..) >> random.u32(10..60),
                failed: random.bool(),
                execution_ns: random.bool().then(|| random.u64(..) >> random.u32(0..64)),
                waiting_ns: random.bool().then(|| random.u64(..) >> random.u32(0..64)),
            };
            rollup.observe(edge, message_type, &seen);
        }
        rollup
    }

    #[test]
    fn a_rollup_comes_back_as_it_was() {
        for seed in 0..50 {
            let rollup = example(seed);
            let form = rollup.encode().expect("memory suffices");
            let back = Rollup::decode(&form).unwrap_or_else(|| panic!("seed {seed}"));
            assert!(rollup.named().eq(back.named()), "seed {seed}");
        }
    }

    #[test]
    fn what_is_no_rollup_is_refused() {
        let form = example(1).encode().expect("memory suffices");
        assert!(Rollup::decode(&[]).is_none());
        assert!(Rollup::decode(&[2]).is_none());
        for length in 0..form.len() {
            assert!(Rollup::decode(&form[..length]).is_none(), "{length} bytes");
        }
        let plain = zstd::bulk::decompress(&form[1..], 1 << 20).expect("it is one frame");
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let mut broken = plain.clone();
            let place = random.usize(..broken.len());
            broken[place] ^= 1 << random.u8(0..8);
            let mut form = vec![FORM];
            form.extend(zstd::bulk::compress(&broken, 1).expect("memory suffices"));
            // Whether it is one is another matter; it must not panic.
            let _refused_or_not = Rollup::decode(&form);
        }
    }

    #[test]
    fn a_merge_adds_the_minutes_that_are_asked_for() {
        let (one, other) = (example(1), example(2));
        let mut both = Rollup::default();
        both.merge(&one, TimeRange::ALL);
        both.merge(&other, TimeRange::ALL);
        assert_eq!(both.events(), 400);
        let range = TimeRange {
            start_ns: 0,
            end_ns: 1,
        };
        let mut first_minute = Rollup::default();
        first_minute.merge(&both, range);
        assert!(first_minute.named().all(|(minute, ..)| minute == 0));
        assert!(first_minute.events() > 0);
    }
}
