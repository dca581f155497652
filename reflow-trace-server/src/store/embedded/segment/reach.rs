//! Which numbers of which rings are in which pages: how an id is found without reading a column.
//!
//! An id of ours is a producer, a ring and a number, and the numbers of one ring ascend nearly as time
//! does. So a page has few numbers of each ring, close to each other, and the least and the greatest of them
//! say almost exactly whether an id is there, in far less room than a filter. That is kept for
//! events, for their causes and for their traces; ids of another making have Bloom filters.
//!
//! A page with very many rings is *crowded*: nothing is kept of it, and it is always looked at.
//!
//! # In the file
//!
//! Between the last row group and the footer, packed by zstd, its place in the key-value metadata as
//! `reflow_trace.reach` = `offset length`. First a varint: how many bytes it has without zstd. Inside: varints. The number of pages; a byte of [`Flags`] for each;
//! then three times (events, causes, traces) the number of rings and for each: producer, ring, the number of
//! stretches, and for each of these: the page less the one before, the least number less the one before
//! (zigzag), the greatest less the least.

use std::collections::HashMap;

use reflow_trace::event::EventOrigin;

use super::row_set::RowSet;
use super::schema::PAGE_ROWS;

/// The key of the index in the metadata of the file.
pub(super) const REACH_KEY: &str = "reflow_trace.reach";
/// Rings in a page beyond which it is crowded.
const RINGS_MAX: u32 = 128;
/// Most bytes of the index without zstd; one of four million rows that are all crowded has 4 MB.
const BYTES_MAX: usize = 256 << 20;

/// What an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Series {
    /// The event itself.
    Event,
    /// A cause of it.
    Cause,
    /// Its trace.
    Trace,
}

/// What is known of a page beside its columns; bits of a byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    /// Too many rings to tell, of events, causes and traces.
    const CROWDED: [Self; 3] = [Self(1), Self(2), Self(4)];
    /// A row has causes beside the first.
    pub(crate) const JOINED: Self = Self(8);
    /// One of these is of another making.
    pub(crate) const JOINED_FOREIGN: Self = Self(16);
    /// A row may name the ends of its edge in its sections, beside or against the columns.
    pub(crate) const NAMED: Self = Self(32);

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The numbers of one ring in one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    page: u32,
    least: u64,
    greatest: u64,
}

type Rings = HashMap<(u64, u32), Vec<Stretch>>;

/// The index of a segment.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reach {
    flags: Vec<Flags>,
    rings: [Rings; 3],
}

/// The index of a segment that is being written.
#[derive(Default)]
pub(super) struct ReachBuilder {
    reach: Reach,
    rows: usize,
    /// How many rings there are in this page.
    rings_here: [u32; 3],
}

impl ReachBuilder {
    /// Adds the ids of the next row.
    pub(super) fn push(
        &mut self,
        event: Option<EventOrigin>,
        causes: impl Iterator<Item = EventOrigin>,
        trace: Option<EventOrigin>,
        flags: Flags,
    ) {
        let page = (self.rows / PAGE_ROWS) as u32;
        if self.rows.is_multiple_of(PAGE_ROWS) {
            self.reach.flags.push(Flags::default());
            self.rings_here = [0; 3];
        }
        self.rows += 1;
        if let Some(here) = self.reach.flags.last_mut() {
            *here = here.with(flags);
        }
        if let Some(origin) = event {
            self.add(page, Series::Event, origin);
        }
        for origin in causes {
            self.add(page, Series::Cause, origin);
        }
        if let Some(origin) = trace {
            self.add(page, Series::Trace, origin);
        }
    }

    fn add(&mut self, page: u32, series: Series, origin: EventOrigin) {
        let number = origin.sequence;
        let key = (origin.producer.bits(), origin.ring);
        let rings = &mut self.reach.rings[series as usize];
        if let Some(last) = rings
            .get_mut(&key)
            .and_then(|stretches| stretches.last_mut())
            && last.page == page
        {
            last.least = last.least.min(number);
            last.greatest = last.greatest.max(number);
            return;
        }
        let rings_here = &mut self.rings_here[series as usize];
        if *rings_here == RINGS_MAX {
            if let Some(here) = self.reach.flags.last_mut() {
                *here = here.with(Flags::CROWDED[series as usize]);
            }
            return;
        }
        *rings_here += 1;
        rings.entry(key).or_default().push(Stretch {
            page,
            least: number,
            greatest: number,
        });
    }

    pub(super) fn finish(self) -> Reach {
        self.reach
    }
}

impl Reach {
    /// The rows of pages that may have this id. `rows`: how many the segment has.
    pub(crate) fn rows_of(&self, series: Series, origin: EventOrigin, rows: usize) -> RowSet {
        let key = (origin.producer.bits(), origin.ring);
        let stretches = self.rings[series as usize].get(&key);
        let mut pages: Vec<usize> = stretches
            .into_iter()
            .flatten()
            .filter(|one| (one.least..=one.greatest).contains(&origin.sequence))
            .map(|one| one.page as usize)
            .collect();
        pages.extend(self.flagged(Flags::CROWDED[series as usize]));
        pages.sort_unstable();
        RowSet::of(pages.into_iter().map(|page| rows_of_page(page, rows)))
    }

    /// The rows of pages with one of these flags.
    pub(crate) fn rows_with(&self, flags: Flags, rows: usize) -> RowSet {
        RowSet::of(self.flagged(flags).map(|page| rows_of_page(page, rows)))
    }

    fn flagged(&self, flags: Flags) -> impl Iterator<Item = usize> + '_ {
        let pages = self.flags.iter().enumerate();
        pages.filter_map(move |(page, here)| here.has(flags).then_some(page))
    }

    /// Bytes of memory that it takes, nearly.
    pub(crate) fn memory_bytes(&self) -> usize {
        let of_ring = |stretches: &Vec<Stretch>| {
            size_of::<((u64, u32), Vec<Stretch>)>() + stretches.capacity() * size_of::<Stretch>()
        };
        let rings = self.rings.iter().flat_map(HashMap::values);
        self.flags.len() + rings.map(of_ring).sum::<usize>()
    }

    /// As it lies in the file.
    pub(super) fn encode(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        put(&mut bytes, self.flags.len() as u64);
        bytes.extend(self.flags.iter().map(|flags| flags.0));
        for rings in &self.rings {
            put(&mut bytes, rings.len() as u64);
            let mut keys: Vec<_> = rings.keys().collect();
            keys.sort_unstable();
            for key in keys {
                let stretches = &rings[key];
                put(&mut bytes, key.0);
                put(&mut bytes, u64::from(key.1));
                put(&mut bytes, stretches.len() as u64);
                let (mut page, mut least) = (0, 0u64);
                for one in stretches {
                    put(&mut bytes, u64::from(one.page - page));
                    let step = one.least.wrapping_sub(least).cast_signed();
                    put(&mut bytes, ((step << 1) ^ (step >> 63)).cast_unsigned());
                    put(&mut bytes, one.greatest - one.least);
                    (page, least) = (one.page, one.least);
                }
            }
        }
        let mut file = Vec::new();
        put(&mut file, bytes.len() as u64);
        file.extend(zstd::bulk::compress(&bytes, 3)?);
        Ok(file)
    }

    /// Reads it back; `None` when it is not what [`encode`](Self::encode) gives for so many rows.
    pub(super) fn decode(bytes: &[u8], rows: usize) -> Option<Self> {
        let mut packed = bytes;
        let plain_bytes = usize::try_from(take(&mut packed)?).ok()?;
        if plain_bytes > BYTES_MAX {
            return None;
        }
        let plain = zstd::bulk::decompress(packed, plain_bytes).ok()?;
        let mut rest = &plain[..];
        let pages = usize::try_from(take(&mut rest)?).ok()?;
        if pages != rows.div_ceil(PAGE_ROWS) {
            return None;
        }
        let (flags, mut rest) = rest.split_at_checked(pages)?;
        let mut reach = Self {
            flags: flags.iter().map(|&flags| Flags(flags)).collect(),
            rings: Default::default(),
        };
        for rings in &mut reach.rings {
            for _ in 0..take(&mut rest)? {
                let producer = take(&mut rest)?;
                let ring = u32::try_from(take(&mut rest)?).ok()?;
                let len = usize::try_from(take(&mut rest)?).ok()?;
                let mut stretches = Vec::with_capacity(len.min(pages));
                let (mut page, mut least) = (0u32, 0u64);
                for _ in 0..len {
                    page = page.checked_add(u32::try_from(take(&mut rest)?).ok()?)?;
                    let step = take(&mut rest)?;
                    let step = (step >> 1) ^ (step & 1).wrapping_neg();
                    least = least.wrapping_add(step);
                    let greatest = least.checked_add(take(&mut rest)?)?;
                    if page as usize >= pages {
                        return None;
                    }
                    stretches.push(Stretch {
                        page,
                        least,
                        greatest,
                    });
                }
                rings.insert((producer, ring), stretches);
            }
        }
        rest.is_empty().then_some(reach)
    }
}

/// The rows of a page.
pub(crate) fn rows_of_page(page: usize, rows: usize) -> std::ops::Range<usize> {
    let start = (page * PAGE_ROWS).min(rows);
    start..(start + PAGE_ROWS).min(rows)
}

fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use reflow_trace::event::ProducerId;

    use super::*;

    fn origin(producer: u64, ring: u32, sequence: u64) -> EventOrigin {
        EventOrigin {
            producer: ProducerId::from_bits(producer),
            ring,
            sequence,
        }
    }

    /// Three rings whose numbers ascend, and in the third page one ring for each event.
    fn example() -> (Reach, usize) {
        let mut builder = ReachBuilder::default();
        let rows = 3 * PAGE_ROWS + 7;
        for row in 0..rows {
            let ring = if (2 * PAGE_ROWS..3 * PAGE_ROWS).contains(&row) {
                row as u32
            } else {
                (row % 3) as u32
            };
            let event = origin(7, ring, row as u64);
            let cause = row
                .checked_sub(3)
                .map(|cause| origin(7, ring, cause as u64));
            builder.push(Some(event), cause.into_iter(), None, Flags::default());
        }
        (builder.finish(), rows)
    }

    #[test]
    fn an_id_leads_to_its_page_and_to_those_that_are_crowded() {
        let (reach, rows) = example();
        let pages = |series, ring, number| {
            let found = reach.rows_of(series, origin(7, ring, number), rows);
            let pages = found.rows().map(|row| row / PAGE_ROWS);
            let mut pages: Vec<_> = pages.collect();
            pages.dedup();
            pages
        };
        assert_eq!(pages(Series::Event, 0, 3), [0, 2]);
        assert_eq!(pages(Series::Event, 1, PAGE_ROWS as u64 + 5), [1, 2]);
        assert_eq!(pages(Series::Event, 0, 3 * PAGE_ROWS as u64 + 6), [2, 3]);
        assert_eq!(pages(Series::Event, 5, 3), [2]);
        assert_eq!(pages(Series::Trace, 0, 3), [0usize; 0]);
        // Also where the effect is on the page after.
        assert_eq!(pages(Series::Cause, 0, PAGE_ROWS as u64 - 2), [1, 2]);
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else_is() {
        let (reach, rows) = example();
        let bytes = reach.encode().expect("zstd has memory");
        assert!(Reach::decode(&bytes, rows).is_some_and(|read| read == reach));
        assert!(Reach::decode(&bytes, rows + PAGE_ROWS).is_none());
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..2_000 {
            let mut other = bytes.clone();
            let place = random.usize(0..other.len());
            other[place] ^= 1 << random.u8(0..8);
            // Whatever comes out: it ends, and takes no more memory than the file is worth.
            let _any = Reach::decode(&other, rows);
            let _any = Reach::decode(&bytes[..place], rows);
        }
        let plain = [1u8, 0, 0xff, 0xff, 0xff, 0xff, 0x7f];
        let mut lie = vec![plain.len() as u8];
        lie.extend(zstd::bulk::compress(&plain, 1).expect("zstd has memory"));
        assert!(Reach::decode(&lie, 1).is_none());
    }
}
