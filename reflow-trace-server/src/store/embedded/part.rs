//! Segments and the tail as parts that are read column by column.

use std::sync::Arc;

use super::segment::{Batches, Place, RowSet, SCHEMA, Segment, SegmentReader};
use super::shared::Shared;
use super::tail::TailBatch;
use crate::store::columns::{Part, Pieces, Wanted};
use crate::store::{Effort, StoreError, TimeRange, Watch};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampNanosecondType;

/// A segment. Its file stays as long as this does.
pub(crate) struct SegmentPart {
    pub(crate) shared: Arc<Shared>,
    pub(crate) segment: Arc<Segment>,
}

/// A batch of the tail.
pub(crate) struct TailPart {
    pub(crate) shared: Arc<Shared>,
    pub(crate) batch: TailBatch,
}

impl Part for SegmentPart {
    fn rows(&self) -> u64 {
        self.segment.entry.events
    }

    fn is_segment(&self) -> bool {
        true
    }

    fn times_ns(&self) -> (i64, i64) {
        (self.segment.entry.first_ns, self.segment.entry.last_ns)
    }

    fn read(&self, wanted: &Wanted, watch: Arc<dyn Watch>) -> Result<Pieces, StoreError> {
        if !wanted
            .range
            .touches(self.segment.entry.first_ns, self.segment.entry.last_ns)
        {
            return Ok(Box::new(std::iter::empty()));
        }
        let reader = self.shared.open(&self.segment)?;
        let rows = wanted_rows(&reader, wanted)?;
        watch.spend(Effort {
            segments_opened: 1,
            pages: reader.pages_len(),
            pages_read: reader.pages_of(&rows),
            ..Effort::default()
        });
        let pieces = reader.read(&rows, &wanted.places)?;
        Ok(Box::new(Watched { pieces, watch }))
    }
}

/// The rows in pages that may hold what is wanted.
fn wanted_rows(reader: &SegmentReader, wanted: &Wanted) -> Result<RowSet, StoreError> {
    let mut rows = reader.in_time(wanted.range);
    for within in &wanted.within {
        rows = reader.narrow(&rows, within);
    }
    // Filters lie on the disk: they are asked last.
    for within in &wanted.within {
        if rows.is_empty() {
            break;
        }
        rows = rows.and(&reader.by_filter(within)?);
    }
    Ok(rows)
}

impl Part for TailPart {
    fn rows(&self) -> u64 {
        self.batch.events()
    }

    fn times_ns(&self) -> (i64, i64) {
        let times = self.batch.batch().and_then(|batch| batch.time_range());
        // Nothing is in it, at no time.
        times.unwrap_or((i64::MAX, i64::MIN))
    }

    fn read(&self, wanted: &Wanted, watch: Arc<dyn Watch>) -> Result<Pieces, StoreError> {
        let (first, last) = self.times_ns();
        if first > last || !wanted.range.touches(first, last) {
            return Ok(Box::new(std::iter::empty()));
        }
        watch.go_on()?;
        let columns = self.batch.columns(&self.shared.columns_memory)?;
        let piece = columns.map(|columns| {
            let columns = in_time(&columns, wanted.range);
            watch.spend(Effort {
                rows_looked_at: columns.num_rows() as u64,
                ..Effort::default()
            });
            projected(&columns, &wanted.places)
        });
        Ok(Box::new(piece.into_iter()))
    }
}

/// The rows of this time, of rows in the order of their time.
pub(crate) fn in_time(columns: &RecordBatch, range: TimeRange) -> RecordBatch {
    let times = columns
        .column(Place::time_ns as usize)
        .as_primitive::<TimestampNanosecondType>()
        .values();
    let start = times.partition_point(|&time_ns| time_ns < range.start_ns);
    let end = times.partition_point(|&time_ns| range.end_ns == i64::MAX || time_ns < range.end_ns);
    columns.slice(start, end.saturating_sub(start))
}

/// These columns, in the order of the schema.
pub(crate) fn projected(
    columns: &RecordBatch,
    places: &[Place],
) -> Result<RecordBatch, StoreError> {
    let mut wanted: Vec<usize> = places.iter().map(|&place| place as usize).collect();
    wanted.sort_unstable();
    wanted.dedup();
    debug_assert_eq!(columns.num_columns(), SCHEMA.fields().len());
    columns
        .project(&wanted)
        .map_err(|error| StoreError::damaged("a batch in memory", error))
}

/// Asks before each piece whether to go on.
struct Watched {
    pieces: Batches,
    watch: Arc<dyn Watch>,
}

impl Iterator for Watched {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.watch.go_on() {
            return Some(Err(error));
        }
        let piece = self.pieces.next()?;
        if let Ok(piece) = &piece {
            self.watch.spend(Effort {
                rows_looked_at: piece.num_rows() as u64,
                ..Effort::default()
            });
        }
        Some(piece)
    }
}
