//! Batches in the order in which they were stored, from segments that are in the order of time.
//!
//! A window of offsets goes over what is stored. In each segment that touches it the page index says where these
//! offsets can be, the column of offsets where they are, and only these rows are read. The window
//! grows while it holds little, so that what was retired is passed over fast and what is dense does not
//! fill the memory.

use std::collections::{BTreeMap, VecDeque};

use reflow_trace::TraceEvent;

use super::segment::{Place, RowSet, SegmentReader, SegmentRows, damaged};
use super::view::View;
use crate::store::columns::{Scalar, Values, Within};
use crate::store::{Effort, FoundBatch, StoreError, TimeRange, Watch};

/// Events in a window beyond which the next is no larger.
const EVENTS_WANTED: usize = 4_096;

/// Batches from an offset on.
pub(super) struct Batches<'a> {
    view: &'a View,
    watch: &'a dyn Watch,
    /// Where the next window begins.
    at: u64,
    /// How many offsets it has.
    width: u64,
    end: u64,
    ready: VecDeque<FoundBatch>,
    has_failed: bool,
}

/// Time and event, in the order of the batch.
type Timed = (i64, TraceEvent);

impl<'a> Batches<'a> {
    pub(super) fn new(view: &'a View, offset: u64, watch: &'a dyn Watch) -> Self {
        Self {
            view,
            watch,
            at: offset,
            width: 1,
            end: crate::store::Snapshot::end(view),
            ready: VecDeque::new(),
            has_failed: false,
        }
    }

    /// Reads the next window.
    fn read(&mut self) -> Result<(), StoreError> {
        self.watch.go_on()?;
        let last = self.at.saturating_add(self.width - 1).min(self.end - 1);
        let mut batches: BTreeMap<u64, Vec<Timed>> = BTreeMap::new();
        for segment in self.view.segments() {
            if segment.entry.first_offset <= last && self.at <= segment.entry.last_offset {
                let reader = self.view.shared().open(segment)?;
                self.read_segment(&reader, last, &mut batches)?;
            }
        }
        for tail in self.view.tail().iter() {
            let Some(batch) = tail
                .batch()
                .filter(|_| (self.at..=last).contains(&tail.offset()))
            else {
                continue;
            };
            let rows = std::iter::zip(batch.starts_ns(), 0..);
            for (&time_ns, at) in rows {
                let event = batch.event(at).ok_or_else(|| {
                    StoreError::damaged("a batch in memory", "an event of it cannot be read")
                })?;
                batches
                    .entry(tail.offset())
                    .or_default()
                    .push((time_ns, event));
            }
        }
        let events: usize = batches.values().map(Vec::len).sum();
        self.watch.spend(Effort {
            events_decoded: events as u64,
            ..Effort::default()
        });
        self.at = last + 1;
        self.width = match events {
            few if few < EVENTS_WANTED / 2 => self.width.saturating_mul(2),
            many if many > 2 * EVENTS_WANTED => (self.width / 2).max(1),
            _ => self.width,
        };
        let in_order = batches.into_iter().map(|(offset, mut events)| {
            // Stable: what has one time stays in the order of the batch.
            events.sort_by_key(|&(time_ns, _)| time_ns);
            let events = events.into_iter().map(|(_, event)| event);
            FoundBatch {
                offset,
                events: events.collect(),
            }
        });
        self.ready = in_order.collect();
        Ok(())
    }

    fn read_segment(
        &self,
        reader: &SegmentReader,
        last: u64,
        batches: &mut BTreeMap<u64, Vec<Timed>>,
    ) -> Result<(), StoreError> {
        let whole = |offset| Some(Scalar::Whole(i128::from(offset)));
        let window = Within {
            place: Place::offset,
            values: Values::Between {
                low: whole(self.at),
                high: whole(last),
            },
            or_null: false,
        };
        let broken = |error| damaged(reader.segment(), error);
        let maybe = reader.narrow(&reader.in_time(TimeRange::ALL), &window);
        let mut rows = RowSet::default();
        let mut numbers = maybe.rows();
        for batch in reader.read(&maybe, &[Place::offset])? {
            self.watch.go_on()?;
            let columns = SegmentRows::new(batch?).map_err(broken)?;
            for (offset, number) in std::iter::zip(columns.offsets(), numbers.by_ref()) {
                if (self.at..=last).contains(offset) {
                    rows.push(number..number + 1);
                }
            }
        }
        self.watch.spend(Effort {
            pages_read: reader.pages_of(&maybe) + reader.pages_of(&rows),
            rows_looked_at: maybe.len() as u64,
            ..Effort::default()
        });
        for batch in reader.read(&rows, Place::ALL)? {
            self.watch.go_on()?;
            let columns = SegmentRows::new(batch?).map_err(broken)?;
            for at in 0..columns.len() {
                let event = columns.event(at).map_err(broken)?;
                let batch = batches.entry(columns.offset(at)).or_default();
                batch.push((columns.time_ns(at), event));
            }
        }
        Ok(())
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<FoundBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.has_failed && self.ready.is_empty() && self.at < self.end {
            if let Err(error) = self.read() {
                self.has_failed = true;
                return Some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}
