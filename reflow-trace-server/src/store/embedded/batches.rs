//! Batches in the order in which they were stored, from segments that are in the order of time.
//!
//! A window of offsets goes over what is stored. In each segment that touches it the page index says where these
//! offsets can be, the column of offsets where they are, and only these rows are read. The window
//! grows while it holds little, so that what was retired is passed over fast. Before anything is decoded it is cut
//! where it holds too much, so that what is dense behind what is empty does not fill the memory.

use std::collections::{BTreeMap, VecDeque};

use reflow_trace::TraceEvent;

use super::segment::{Place, RowSet, SegmentReader, SegmentRows, damaged};
use super::view::View;
use crate::store::columns::{Scalar, Values, Within};
use crate::store::{Effort, FoundBatch, StoreError, TimeRange, Watch};

/// Events in a window beyond which the next is no larger; twice as many, or more of one batch, are decoded at most.
const EVENTS_WANTED: usize = 4_096;
/// And their bytes, nearly.
const BYTES_WANTED: u64 = 4 << 20;

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

/// Numbers of rows of a segment, ascending, and the offset of each.
type Rows = Vec<(usize, u64)>;

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
        let mut last = self.at.saturating_add(self.width - 1).min(self.end - 1);
        let mut amounts: BTreeMap<u64, Amount> = BTreeMap::new();
        let mut found = Vec::new();
        for segment in self.view.segments() {
            if segment.entry.first_offset <= last && self.at <= segment.entry.last_offset {
                let reader = self.view.shared().open(segment)?;
                let rows = self.rows_in(&reader, last)?;
                let bytes = reader.bytes_of_a_row();
                for &(_, offset) in &rows {
                    amounts.entry(offset).or_default().add(1, bytes);
                }
                found.push((reader, rows));
            }
        }
        for tail in self.view.tail().iter() {
            if (self.at..=last).contains(&tail.offset()) {
                let amount = amounts.entry(tail.offset()).or_default();
                amount.add(tail.events() as usize, tail.memory_bytes());
            }
        }
        let mut all = Amount::default();
        for (&offset, amount) in &amounts {
            let with = all.and(*amount);
            if all.events > 0 && with.is_too_much() {
                last = offset - 1;
                break;
            }
            all = with;
        }
        let batches = self.decode(&found, last)?;
        self.width = if all.is_little() {
            self.width.saturating_mul(2)
        } else {
            (last - self.at + 1).min(self.width)
        };
        self.at = last + 1;
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

    /// The rows of a segment in the window that ends at `last`, with their offsets.
    fn rows_in(&self, reader: &SegmentReader, last: u64) -> Result<Rows, StoreError> {
        let whole = |offset| Some(Scalar::Whole(i128::from(offset)));
        let window = Within {
            place: Place::offset,
            values: Values::Between {
                low: whole(self.at),
                high: whole(last),
            },
            or_null: false,
        };
        let maybe = reader.narrow(&reader.in_time(TimeRange::ALL), &window);
        self.watch.spend(Effort {
            pages_read: reader.pages_of(&maybe),
            rows_looked_at: maybe.len() as u64,
            ..Effort::default()
        });
        let mut rows = Vec::new();
        let mut numbers = maybe.rows();
        for batch in reader.read(&maybe, &[Place::offset])? {
            self.watch.go_on()?;
            let columns =
                SegmentRows::new(batch?).map_err(|error| damaged(reader.segment(), error))?;
            for (&offset, number) in std::iter::zip(columns.offsets(), numbers.by_ref()) {
                if (self.at..=last).contains(&offset) {
                    rows.push((number, offset));
                }
            }
        }
        Ok(rows)
    }

    /// The events of the window that ends at `last`, by their batches.
    fn decode(
        &self,
        found: &[(SegmentReader, Rows)],
        last: u64,
    ) -> Result<BTreeMap<u64, Vec<Timed>>, StoreError> {
        let mut batches: BTreeMap<u64, Vec<Timed>> = BTreeMap::new();
        for (reader, rows) in found {
            let broken = |error| damaged(reader.segment(), error);
            let wanted = rows.iter().filter(|(_, offset)| *offset <= last);
            let rows = RowSet::of_rows(wanted.map(|&(number, _)| number));
            self.watch.spend(Effort {
                pages_read: reader.pages_of(&rows),
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
        }
        for tail in self.view.tail().iter() {
            let Some(batch) = tail
                .batch()
                .filter(|_| (self.at..=last).contains(&tail.offset()))
            else {
                continue;
            };
            self.watch.go_on()?;
            let rows = std::iter::zip(batch.starts_ns(), 0..);
            for (&time_ns, at) in rows {
                let event = batch.event(at).ok_or_else(|| {
                    StoreError::damaged("a batch in memory", "an event of it cannot be read")
                })?;
                let here = batches.entry(tail.offset()).or_default();
                here.push((time_ns, event));
            }
        }
        let events: usize = batches.values().map(Vec::len).sum();
        self.watch.spend(Effort {
            events_decoded: events as u64,
            ..Effort::default()
        });
        Ok(batches)
    }
}

/// How much there is at some offsets, before it is decoded.
#[derive(Clone, Copy, Default)]
struct Amount {
    events: usize,
    bytes: u64,
}

impl Amount {
    fn add(&mut self, events: usize, bytes: u64) {
        self.events += events;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn and(mut self, other: Self) -> Self {
        self.add(other.events, other.bytes);
        self
    }

    const fn is_too_much(self) -> bool {
        self.events > 2 * EVENTS_WANTED || self.bytes > 2 * BYTES_WANTED
    }

    const fn is_little(self) -> bool {
        self.events < EVENTS_WANTED / 2 && self.bytes < BYTES_WANTED / 2
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
