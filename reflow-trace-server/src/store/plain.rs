//! The questions of a snapshot answered by looking at every event: the model that others are compared with.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use reflow_trace::api::Cursor;

use super::columns::{Part, Place, Wanted};
use super::embedded::SegmentRows;
use super::{
    Effort, Found, FoundBatch, FoundBatches, FoundEvents, Key, Scan, StoreError, TimeRange,
    Unwatched, Watch,
};

/// Every event of a stretch of time, in the order of the places.
fn all(
    parts: Vec<Arc<dyn Part>>,
    range: TimeRange,
    watch: &dyn Watch,
) -> Result<Vec<Found>, StoreError> {
    let wanted = Wanted {
        range,
        within: Vec::new(),
        places: Place::ALL.to_vec(),
    };
    let broken = |error: &dyn ToString| StoreError::damaged("a part", error.to_string());
    let mut found = Vec::new();
    for part in parts {
        let mut last: Option<Cursor> = None;
        for piece in part.read(&wanted, Arc::new(Unwatched))? {
            watch.go_on()?;
            let rows = SegmentRows::new(piece?).map_err(|error| broken(&error))?;
            for at in 0..rows.len() {
                let row = rows.row(at).map_err(|error| broken(&error))?;
                let mut place = Cursor {
                    time_ns: row.start_ns,
                    offset: rows.offset(at),
                    row: 0,
                };
                if let Some(last) = last
                    && (last.time_ns, last.offset) == (place.time_ns, place.offset)
                {
                    place.row = last.row + 1;
                }
                last = Some(place);
                if range.contains(place.time_ns) {
                    let event = row.to_event();
                    let event = event.ok_or_else(|| broken(&"an event cannot be read"))?;
                    found.push(Found { place, event });
                }
            }
        }
    }
    found.sort_by_key(|found| found.place);
    watch.spend(Effort {
        rows_looked_at: found.len() as u64,
        events_decoded: found.len() as u64,
        ..Effort::default()
    });
    Ok(found)
}

pub(super) fn find(
    parts: Vec<Arc<dyn Part>>,
    keys: &[Key<'_>],
    range: TimeRange,
    most: usize,
    watch: &dyn Watch,
) -> Result<Vec<Found>, StoreError> {
    let mut found = all(parts, range, watch)?;
    found.retain(|found| keys.iter().any(|key| key.is_of(&found.event)));
    found.truncate(most.saturating_add(1));
    let kept = found.into_iter().map(|found| {
        Ok(Found {
            event: watch.keep(found.event)?,
            ..found
        })
    });
    kept.collect()
}

pub(super) fn scan<'a>(
    parts: Vec<Arc<dyn Part>>,
    scan: &'a Scan,
    watch: &'a dyn Watch,
) -> FoundEvents<'a> {
    let mut found = match all(parts, TimeRange::ALL, watch) {
        Ok(found) => found,
        Err(error) => return Box::new(std::iter::once(Err(error))),
    };
    found.retain(|found| scan.is_due(found.place) && scan.matches(&found.event));
    if scan.newest_first {
        found.sort_by_key(|found| Reverse(found.place));
    }
    Box::new(found.into_iter().map(Ok))
}

pub(super) fn batches_from<'a>(
    parts: Vec<Arc<dyn Part>>,
    offset: u64,
    watch: &'a dyn Watch,
) -> FoundBatches<'a> {
    let found = match all(parts, TimeRange::ALL, watch) {
        Ok(found) => found,
        Err(error) => return Box::new(std::iter::once(Err(error))),
    };
    let mut batches: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for found in found
        .into_iter()
        .filter(|found| found.place.offset >= offset)
    {
        batches
            .entry(found.place.offset)
            .or_default()
            .push(found.event);
    }
    Box::new(
        batches
            .into_iter()
            .map(|(offset, events)| Ok(FoundBatch { offset, events })),
    )
}
