//! Batches in the order in which they were stored, from segments that are in the order of time.
//!
//! A window of offsets goes over what is stored. In each segment that touches it the page index says where these
//! offsets can be, the column of offsets where they are, and only these rows are read. The window
//! grows while it holds little, so that what was retired is passed over fast. It is halved while more rows lie in it
//! than are worth finding, and before anything is decoded it is cut where it holds too much, so that what is dense
//! behind what is empty does not fill the memory.

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
/// Rows that are found in a window of more than one offset; where there are more, a narrower one is looked at.
const ROWS_FOUND_MAX: usize = 16 * EVENTS_WANTED;

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

/// Where the rows of a window are, and how much there is at each of its offsets that has some.
#[derive(Default)]
struct Found {
    segments: Vec<(SegmentReader, Rows)>,
    amounts: BTreeMap<u64, Amount>,
}

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
        let Found { segments, amounts } = loop {
            match self.look(last)? {
                Some(found) => break found,
                // The half, and one offset in the end, of which everything is found.
                None => last = self.at + (last - self.at) / 2,
            }
        };
        let mut all = Amount::default();
        for (&offset, amount) in &amounts {
            let with = all.and(*amount);
            if all.events > 0 && with.is_too_much() {
                last = offset - 1;
                break;
            }
            all = with;
        }
        let batches = self.decode(&segments, last)?;
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

    /// What is in the window that ends at `last`; `None` where that is too much to be worth finding.
    fn look(&self, last: u64) -> Result<Option<Found>, StoreError> {
        let most = if last == self.at {
            usize::MAX
        } else {
            ROWS_FOUND_MAX
        };
        let (mut found, mut left) = (Found::default(), most);
        for segment in self.view.segments() {
            if segment.entry.first_offset <= last && self.at <= segment.entry.last_offset {
                let reader = self.view.shared().open(segment)?;
                let Some(rows) = self.rows_in(&reader, last, left)? else {
                    return Ok(None);
                };
                left -= rows.len();
                let bytes = reader.bytes_of_a_row();
                for &(_, offset) in &rows {
                    found.amounts.entry(offset).or_default().add(1, bytes);
                }
                found.segments.push((reader, rows));
            }
        }
        let tail = self.view.tail().iter();
        let tail = tail.filter(|tail| (self.at..=last).contains(&tail.offset()));
        for tail in tail.filter(|tail| tail.events() > 0) {
            let amount = found.amounts.entry(tail.offset()).or_default();
            amount.add(tail.events() as usize, tail.memory_bytes());
            // Its rows are at hand, and it is only its place that is kept.
            match left.checked_sub(1) {
                Some(less) => left = less,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// The rows of a segment in the window that ends at `last`, with their offsets; `None` where there are more than
    /// `most`.
    fn rows_in(
        &self,
        reader: &SegmentReader,
        last: u64,
        most: usize,
    ) -> Result<Option<Rows>, StoreError> {
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
        let mut rows = Vec::new();
        let (mut numbers, mut read) = (maybe.rows(), 0);
        let mut is_all = true;
        for batch in reader.read(&maybe, &[Place::offset])? {
            self.watch.go_on()?;
            let columns =
                SegmentRows::new(batch?).map_err(|error| damaged(reader.segment(), error))?;
            read += columns.len();
            for (&offset, number) in std::iter::zip(columns.offsets(), numbers.by_ref()) {
                if (self.at..=last).contains(&offset) {
                    rows.push((number, offset));
                }
            }
            is_all = rows.len() <= most;
            if !is_all {
                break;
            }
        }
        let looked_at = RowSet::of_rows(maybe.rows().take(read));
        self.watch.spend(Effort {
            pages_read: reader.pages_of(&looked_at),
            rows_looked_at: read as u64,
            ..Effort::default()
        });
        Ok(is_all.then_some(rows))
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use reflow_trace::event::ProducerId;

    use super::*;
    use crate::store::conformance::batch_of;
    use crate::store::embedded::EmbeddedStore;
    use crate::store::embedded::tests::{commit, directory, open, seal_all, small};
    use crate::store::{Snapshot, Store};

    /// Adds up what it has cost.
    #[derive(Default)]
    struct Spent(Mutex<Effort>);

    impl Watch for Spent {
        fn go_on(&self) -> Result<(), StoreError> {
            Ok(())
        }

        fn spend(&self, effort: Effort) {
            let mut spent = self.0.lock().expect("nothing panics");
            spent.events_decoded += effort.events_decoded;
            spent.rows_looked_at += effort.rows_looked_at;
        }
    }

    /// Batches of so many events each, from `number` on.
    fn fill(store: &EmbeddedStore, number: u64, batches: u64, events: usize) {
        let group = (number..number + batches).map(|number| {
            let events: Vec<_> = (0..events)
                .map(|_| TraceEvent::data_flow("a", "out", "b", "in", "T", 8))
                .collect();
            batch_of(&events, ProducerId::from_bits(1), 1, number)
        });
        commit(store, group.collect());
    }

    #[test]
    fn what_is_dense_behind_what_is_empty_is_decoded_a_little_at_a_time() {
        for is_sealed in [false, true] {
            let directory = directory();
            let store = open(super::super::Settings {
                seal_events: 1 << 20,
                ..small(directory.path())
            });
            fill(&store, 1, 1, 1);
            fill(&store, 2, 3_000, 0);
            fill(&store, 3_002, 100, 1_000);
            if is_sealed {
                seal_all(&store);
                assert_eq!(store.stats().tail_events, 0);
            }
            let view = store.view();
            let spent = Spent::default();
            let mut batches = view.batches_from(2, &spent);
            let first = batches.next().expect("there is one").expect("it is whole");
            assert_eq!((first.offset, first.events.len()), (3_002, 1_000));
            let spent = *spent.0.lock().expect("nothing panics");
            let most = 2 * EVENTS_WANTED as u64;
            assert!(spent.events_decoded <= most, "{spent:?}, {is_sealed}");
            let rest = batches.map(|batch| batch.expect("it is whole").offset);
            assert!(rest.eq(3_003..=3_101), "sealed: {is_sealed}");
        }
    }
}
