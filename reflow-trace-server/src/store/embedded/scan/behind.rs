//! What of a segment lies behind the place after which a scan goes on.
//!
//! Rows lie in the order of places: by time, then by batch, then by their order in it. So what is still to come is the
//! end of the segment, or its beginning where the newest come first; and where that is is told by two columns of the
//! pages that the place can be in. Without it, whoever reads many events of one time page by page would read all that
//! came before once more for each page.

use reflow_trace::api::Cursor;

use crate::store::columns::{Place, Scalar, Values, Within};
use crate::store::embedded::segment::{RowSet, SegmentReader, SegmentRows, damaged};
use crate::store::{Effort, Scan, StoreError, TimeRange, Watch};

/// The stretch of time in which a segment with batches of these offsets, both included, can have answers.
pub(super) fn range_in(
    scan: &Scan,
    mut range: TimeRange,
    (first_offset, last_offset): (u64, u64),
) -> TimeRange {
    let Some(after) = scan.after else {
        return range;
    };
    // At the ends of time nothing is said by a stretch; the place of each row is asked there.
    if scan.newest_first && first_offset > after.offset {
        range.end_ns = range.end_ns.min(after.time_ns);
    } else if !scan.newest_first && last_offset < after.offset {
        range.start_ns = range.start_ns.max(after.time_ns.saturating_add(1));
    }
    range
}

/// Rows among which are all that are still to come.
pub(super) fn rows_in(
    reader: &SegmentReader,
    scan: &Scan,
    watch: &dyn Watch,
) -> Result<RowSet, StoreError> {
    let entry = &reader.segment().entry;
    let Some(after) = scan.after else {
        return Ok(reader.all());
    };
    if !(entry.first_offset..=entry.last_offset).contains(&after.offset) {
        return Ok(reader.all());
    }
    Ok(match first_due(reader, after, scan.newest_first, watch)? {
        None => reader.all(),
        Some(first) if scan.newest_first => reader.all().within(0..first),
        Some(first) => reader.all().within(first..usize::MAX),
    })
}

/// The number of the first row behind a place, or, where the newest come first, of the first that is not before it;
/// `None` where no page has the time.
fn first_due(
    reader: &SegmentReader,
    after: Cursor,
    newest_first: bool,
    watch: &dyn Watch,
) -> Result<Option<usize>, StoreError> {
    let at_time = reader.in_time(TimeRange {
        start_ns: after.time_ns,
        end_ns: after.time_ns.saturating_add(1),
    });
    let of_batch = Within {
        place: Place::offset,
        values: Values::Among(vec![Scalar::Whole(i128::from(after.offset))]),
        or_null: false,
    };
    let key = (after.time_ns, after.offset);
    let of_batch = reader.narrow(&at_time, &of_batch);
    let (mut first, mut count) = (None, 0);
    each(reader, &of_batch, watch, |number, other| {
        if other == key {
            first.get_or_insert(number);
            count += 1;
        }
        // What comes next is of another batch.
        other <= key
    })?;
    if let Some(first) = first {
        let row = usize::try_from(after.row).unwrap_or(usize::MAX);
        let passed = row.saturating_add(usize::from(!newest_first));
        return Ok(Some(first + passed.min(count)));
    }
    // A place that is none, or is elsewhere.
    let mut first = at_time.stretches().last().map(|stretch| stretch.end);
    each(reader, &at_time, watch, |number, other| {
        let is_before = other < key;
        if !is_before {
            first = Some(number);
        }
        is_before
    })?;
    Ok(first)
}

/// Shows time and batch of rows, one after the other, until `go_on` says that it is enough.
fn each(
    reader: &SegmentReader,
    rows: &RowSet,
    watch: &dyn Watch,
    mut go_on: impl FnMut(usize, (i64, u64)) -> bool,
) -> Result<(), StoreError> {
    watch.spend(Effort {
        pages_read: reader.pages_of(rows),
        ..Effort::default()
    });
    let mut numbers = rows.rows();
    for batch in reader.read(rows, &[Place::time_ns, Place::offset])? {
        watch.go_on()?;
        let columns = SegmentRows::new(batch?).map_err(|error| damaged(reader.segment(), error))?;
        let keys = std::iter::zip(columns.times_ns(), columns.offsets());
        for (number, (&time_ns, &offset)) in numbers.by_ref().take(columns.len()).zip(keys) {
            if !go_on(number, (time_ns, offset)) {
                return Ok(());
            }
        }
    }
    Ok(())
}
