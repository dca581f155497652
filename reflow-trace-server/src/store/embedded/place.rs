//! The place of a row of a segment among those of the same time and batch.
//!
//! Such rows follow each other, and mostly there is one. So what has to be known of a row is whether the one before it
//! has the same time and batch, and only where it has, how many do.

use std::collections::HashMap;

use super::segment::{PAGE_ROWS, Place, RowSet, SegmentReader, SegmentRows, damaged};
use crate::store::StoreError;

/// Finds the places of rows.
pub(super) struct Placer<'a> {
    reader: &'a SegmentReader,
    /// Time and batch of rows that stand before others, by their numbers.
    before: HashMap<usize, (i64, u64)>,
    /// The row that was placed last, with its time, its batch and its place.
    last: Option<(usize, i64, u64, u32)>,
}

impl<'a> Placer<'a> {
    /// For these rows, which are placed in their order; not all of them need be.
    pub(super) fn new(reader: &'a SegmentReader, rows: &RowSet) -> Result<Self, StoreError> {
        let firsts = rows.stretches().iter().map(|stretch| stretch.start);
        let before = RowSet::of_rows(firsts.filter_map(|first| first.checked_sub(1)));
        let mut placer = Self {
            reader,
            before: HashMap::new(),
            last: None,
        };
        placer.before = read(reader, &before)?.collect();
        Ok(placer)
    }

    /// The place of a row.
    pub(super) fn row(
        &mut self,
        number: usize,
        time_ns: i64,
        offset: u64,
    ) -> Result<u32, StoreError> {
        let row = match self.last {
            // All rows between them are of this time and batch, too.
            Some((last, time, batch, row))
                if last < number && (time, batch) == (time_ns, offset) =>
            {
                row + (number - last) as u32
            }
            // Nothing between them was passed over.
            Some((last, ..)) if last + 1 == number => 0,
            _ => match self.before.get(&number.wrapping_sub(1)) {
                Some(&known) if known != (time_ns, offset) => 0,
                None if number == 0 => 0,
                _ => self.count(number, time_ns, offset)?,
            },
        };
        self.last = Some((number, time_ns, offset, row));
        Ok(row)
    }

    /// How many rows of this time and batch stand right before a row.
    fn count(&self, number: usize, time_ns: i64, offset: u64) -> Result<u32, StoreError> {
        let mut end = number;
        let mut most = 64;
        loop {
            let start = end.saturating_sub(most);
            let rows = RowSet::of(std::iter::once(start..end));
            let all: Vec<_> = read(self.reader, &rows)?.collect();
            let same = all.iter().rev();
            let same = same
                .take_while(|(_, known)| *known == (time_ns, offset))
                .count();
            end -= same;
            if same < all.len() || end == 0 {
                return Ok((number - end) as u32);
            }
            most = PAGE_ROWS;
        }
    }
}

/// Time and batch of some rows.
fn read(
    reader: &SegmentReader,
    rows: &RowSet,
) -> Result<impl Iterator<Item = (usize, (i64, u64))>, StoreError> {
    let mut all = Vec::with_capacity(rows.len());
    let mut numbers = rows.rows();
    for batch in reader.read(rows, &[Place::time_ns, Place::offset])? {
        let rows = SegmentRows::new(batch?).map_err(|error| damaged(reader.segment(), error))?;
        let pairs = std::iter::zip(rows.times_ns(), rows.offsets());
        all.extend(
            numbers
                .by_ref()
                .take(rows.len())
                .zip(pairs)
                .map(|(number, (&time_ns, &offset))| (number, (time_ns, offset))),
        );
    }
    Ok(all.into_iter())
}
