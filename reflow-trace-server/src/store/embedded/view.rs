//! A view of the store: its segments and its tail as they were at one moment.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use reflow_trace::TraceEvent;
use reflow_trace::event::ProducerId;
use reflow_trace::lineage::Numbers;

use super::batches::Batches;
use super::chain::Chain;
use super::find;
use super::part::{SegmentPart, TailPart};
use super::scan::Answers;
use super::segment::{Chunks, Segment, SegmentRows, damaged};
use super::shared::Shared;
use super::stretches::united;
use super::tail::TailBatch;
use crate::store::columns::Part;
use crate::store::rollup::Rollup;
use crate::store::{
    Events, Found, FoundBatches, FoundEvents, Key, ProducerLedgers, Scan, Snapshot, StoreError,
    TimeRange, Watch,
};

/// What is stored at one moment. Files that it needs stay as long as it is held.
pub struct View {
    shared: Arc<Shared>,
    segments: Arc<Vec<Arc<Segment>>>,
    holes: Arc<Vec<(u64, u64)>>,
    retired_among: Arc<Vec<(u64, u64)>>,
    tail: Chain<TailBatch>,
    ledgers: ProducerLedgers,
    end: u64,
}

impl View {
    pub(crate) fn take(shared: &Arc<Shared>) -> Self {
        let state = shared.state();
        Self {
            shared: shared.clone(),
            segments: state.segments.clone(),
            holes: state.holes.clone(),
            retired_among: state.retired_among.clone(),
            tail: state.tail.clone(),
            ledgers: state.ledgers.clone(),
            end: state.totals.next_offset,
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(super) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    pub(super) fn tail(&self) -> &Chain<TailBatch> {
        &self.tail
    }

    /// How many segments a question about a stretch of time opens.
    #[cfg(test)]
    pub(crate) fn touched(&self, range: TimeRange) -> usize {
        let segments = self.segments.iter();
        segments
            .filter(|segment| range.touches(segment.entry.first_ns, segment.entry.last_ns))
            .count()
    }
}

impl Snapshot for View {
    fn end(&self) -> u64 {
        self.end
    }

    fn begin(&self) -> u64 {
        let segments = self
            .segments
            .iter()
            .map(|segment| segment.entry.first_offset);
        let tail = self.tail.iter().map(TailBatch::offset);
        segments.chain(tail).min().unwrap_or(self.end)
    }

    fn holes(&self) -> Vec<(u64, u64)> {
        let rows = self.tail.iter().filter(|row| row.batch().is_none());
        let rows = rows.map(|row| (row.offset(), row.offset() + 1));
        let stored = self.holes.iter().chain(&*self.retired_among).copied();
        united(stored.chain(rows))
    }

    fn len(&self) -> u64 {
        let segments = self.segments.iter().map(|segment| segment.entry.events);
        segments
            .chain(self.tail.iter().map(TailBatch::events))
            .sum()
    }

    fn events(&self, range: TimeRange) -> Events<'_> {
        Box::new(Merge::new(self, range))
    }

    fn find(
        &self,
        keys: &[Key<'_>],
        range: TimeRange,
        most: usize,
        watch: &dyn Watch,
    ) -> Result<Vec<Found>, StoreError> {
        find::find(self, keys, range, most, watch)
    }

    fn scan<'a>(&'a self, scan: &'a Scan, watch: &'a dyn Watch) -> FoundEvents<'a> {
        Box::new(Answers::new(self, scan, watch))
    }

    fn batches_from<'a>(&'a self, offset: u64, watch: &'a dyn Watch) -> FoundBatches<'a> {
        Box::new(Batches::new(self, offset, watch))
    }

    fn parts(&self) -> Vec<Arc<dyn Part>> {
        let segments = self.segments.iter().map(|segment| {
            Arc::new(SegmentPart {
                shared: self.shared.clone(),
                segment: segment.clone(),
            }) as Arc<dyn Part>
        });
        let whole = self.tail.iter().filter(|batch| batch.events() > 0);
        let tail = whole.map(|batch| {
            Arc::new(TailPart {
                shared: self.shared.clone(),
                batch: batch.clone(),
            }) as Arc<dyn Part>
        });
        segments.chain(tail).collect()
    }

    fn each_rollup(
        &self,
        range: TimeRange,
        visit: &mut dyn FnMut(&Rollup) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for segment in self.segments.iter() {
            // A minute that the range touches may reach beyond it, and the segment be there alone.
            if minutes_of(range).touches(segment.entry.first_ns, segment.entry.last_ns) {
                let rollup = self.shared.rollup(segment.entry.id)?;
                visit(&rollup)?;
            }
        }
        for batch in self.tail.iter() {
            visit(&batch.summary().rollup)?;
        }
        Ok(())
    }

    fn numbers(&self, producer: ProducerId) -> Result<Numbers, StoreError> {
        let mut numbers = Numbers::default();
        for segment in self.segments.iter() {
            let part = self.shared.numbers(segment.entry.id)?;
            numbers.merge(&part, Some(producer));
        }
        for batch in self.tail.iter() {
            numbers.merge(&batch.summary().numbers, Some(producer));
        }
        Ok(numbers)
    }

    fn producers(&self) -> &ProducerLedgers {
        &self.ledgers
    }
}

/// The whole minutes that a stretch of time touches.
fn minutes_of(range: TimeRange) -> TimeRange {
    use crate::store::rollup::MINUTE_NS;
    TimeRange {
        start_ns: range
            .start_ns
            .div_euclid(MINUTE_NS)
            .saturating_mul(MINUTE_NS),
        end_ns: range.end_ns.saturating_add(MINUTE_NS - 1),
    }
}

/// The events of segments and tail in the order of time, offset and place, read as they are asked for.
struct Merge<'a> {
    shared: &'a Shared,
    range: TimeRange,
    /// Segments that may have the next event, and are not opened yet; the last is the first in time.
    unopened: Vec<Arc<Segment>>,
    open: Vec<Source<'a>>,
    /// Time and offset of the next event of each open source.
    next: BinaryHeap<Reverse<(i64, u64, usize)>>,
    failed: bool,
}

/// Where events come from.
enum Source<'a> {
    Segment {
        segment: Arc<Segment>,
        chunks: Chunks,
        rows: Box<SegmentRows>,
        at: usize,
    },
    Tail {
        view: &'a View,
        order: std::vec::IntoIter<TailRow>,
        next: Option<TailRow>,
    },
    /// Nothing more.
    Empty,
}

/// Time, offset, and where the row is: its batch in the tail, its place there.
type TailRow = (i64, u64, u32, u32);

impl<'a> Merge<'a> {
    fn new(view: &'a View, range: TimeRange) -> Self {
        let touched = view
            .segments
            .iter()
            .filter(|segment| range.touches(segment.entry.first_ns, segment.entry.last_ns));
        let mut unopened: Vec<_> = touched.cloned().collect();
        unopened.sort_by_key(|segment| Reverse(segment.entry.first_ns));
        let mut merge = Self {
            shared: &view.shared,
            range,
            unopened,
            open: Vec::new(),
            next: BinaryHeap::new(),
            failed: false,
        };
        merge.add(Source::of_tail(view, range));
        merge
    }

    fn add(&mut self, source: Source<'a>) {
        if let Some((time_ns, offset)) = source.key() {
            self.next.push(Reverse((time_ns, offset, self.open.len())));
            self.open.push(source);
        }
    }

    fn step(&mut self) -> Result<Option<TraceEvent>, StoreError> {
        // A segment is opened when the time has come for its first event.
        while let Some(segment) = self.unopened.pop_if(|segment| {
            self.next
                .peek()
                .is_none_or(|&Reverse((time_ns, ..))| segment.entry.first_ns <= time_ns)
        }) {
            self.add(Source::of_segment(self.shared, segment, self.range)?);
        }
        let Some(Reverse((.., place))) = self.next.pop() else {
            return Ok(None);
        };
        let source = &mut self.open[place];
        let event = source.take(self.range)?;
        match source.key() {
            Some((time_ns, offset)) => self.next.push(Reverse((time_ns, offset, place))),
            // Lets go of the file.
            None => *source = Source::Empty,
        }
        Ok(Some(event))
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<TraceEvent, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let step = self.step();
        self.failed = step.is_err();
        step.transpose()
    }
}

impl<'a> Source<'a> {
    fn of_tail(view: &'a View, range: TimeRange) -> Self {
        let mut order = Vec::new();
        for (place, tail) in view.tail.iter().enumerate() {
            let Some(batch) = tail.batch() else {
                continue;
            };
            if !batch
                .time_range()
                .is_some_and(|(first, last)| range.touches(first, last))
            {
                continue;
            }
            for (row, &start_ns) in (0..).zip(batch.starts_ns()) {
                if range.contains(start_ns) {
                    order.push((start_ns, tail.offset(), place as u32, row));
                }
            }
        }
        order.sort_unstable();
        let mut order = order.into_iter();
        let next = order.next();
        Self::Tail { view, order, next }
    }

    fn of_segment(
        shared: &Shared,
        segment: Arc<Segment>,
        range: TimeRange,
    ) -> Result<Self, StoreError> {
        let mut chunks = shared.open(&segment)?.chunks(range)?;
        Self::skip(segment, &mut chunks, range).map(|found| match found {
            Some((segment, rows, at)) => Self::Segment {
                segment,
                chunks,
                rows: Box::new(rows),
                at,
            },
            None => Self::Empty,
        })
    }

    /// The first row that is in the range, in chunks that may begin before it.
    fn skip(
        segment: Arc<Segment>,
        chunks: &mut Chunks,
        range: TimeRange,
    ) -> Result<Option<(Arc<Segment>, SegmentRows, usize)>, StoreError> {
        for rows in chunks {
            let rows = rows?;
            if let Some(at) = (0..rows.len()).find(|&at| range.contains(rows.time_ns(at))) {
                return Ok(Some((segment, rows, at)));
            }
        }
        Ok(None)
    }

    /// Time and offset of the next event; `None` after the last.
    fn key(&self) -> Option<(i64, u64)> {
        match self {
            Self::Segment { rows, at, .. } => Some((rows.time_ns(*at), rows.offset(*at))),
            Self::Tail { next, .. } => next.map(|(time_ns, offset, ..)| (time_ns, offset)),
            Self::Empty => None,
        }
    }

    /// The next event. Only where there is a key.
    fn take(&mut self, range: TimeRange) -> Result<TraceEvent, StoreError> {
        match self {
            Self::Segment {
                segment,
                chunks,
                rows,
                at,
            } => {
                let row = rows.row(*at).map_err(|error| damaged(segment, error))?;
                let event = row
                    .to_event()
                    .ok_or_else(|| damaged(segment, "the sections of an event cannot be read"))?;
                *at += 1;
                if *at == rows.len() || !range.contains(rows.time_ns(*at)) {
                    match Self::skip(segment.clone(), chunks, range)? {
                        Some((_, next, place)) => (**rows, *at) = (next, place),
                        None => *self = Self::Empty,
                    }
                }
                Ok(event)
            }
            Self::Tail { view, order, next } => {
                let row = std::mem::replace(next, order.next());
                let event = row.and_then(|(_, _, place, row)| {
                    let batch = view.tail.get(place as usize)?.batch()?;
                    batch.event(row as usize)
                });
                event.ok_or_else(|| {
                    StoreError::damaged("a batch in memory", "an event of it cannot be read")
                })
            }
            Self::Empty => Err(StoreError::damaged("a source", "it has no event")),
        }
    }
}
