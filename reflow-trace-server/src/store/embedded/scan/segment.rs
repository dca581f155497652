//! The answers of one segment, a few pages at a time.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use reflow_trace::api::Cursor;

use super::behind;
use super::plan::{Check, Ids, Plan};
use crate::store::columns::Place;
use crate::store::embedded::find::{cause_rows, event_rows, text_rows, trace_rows};
use crate::store::embedded::place::Placer;
use crate::store::embedded::segment::{Flags, RowSet, SegmentReader, SegmentRows, damaged};
use crate::store::{Effort, Found, StoreError, TimeRange, Watch};

/// Pages that are looked at together; more and more of them while nothing is found.
const PAGES_MAX: usize = 32;
/// Rows that are read whole together.
const READY_MAX: usize = 4_096;

/// Answers of one segment.
pub(super) struct SegmentSource {
    reader: SegmentReader,
    /// In which it can have answers.
    range: TimeRange,
    /// Rows that were not looked at.
    rows: RowSet,
    /// Answers that were not read whole.
    matched: RowSet,
    /// Answers that were, the next one first.
    ready: VecDeque<Ready>,
    /// How many pages are looked at, and how many answers are read whole, the next time.
    pages: usize,
    answers: usize,
    pages_named: RowSet,
}

/// An answer, before an event is made of it.
struct Ready {
    place: Cursor,
    rows: Arc<SegmentRows>,
    at: usize,
}

impl SegmentSource {
    pub(super) fn new(
        reader: SegmentReader,
        plan: &Plan<'_>,
        watch: &dyn Watch,
    ) -> Result<Self, StoreError> {
        let named = reader.reach().rows_with(Flags::NAMED, reader.len());
        let entry = &reader.segment().entry;
        let offsets = (entry.first_offset, entry.last_offset);
        let range = behind::range_in(plan.scan, plan.range, offsets);
        let mut rows = reader.in_time(range);
        for ids in &plan.ids {
            if rows.is_empty() {
                break;
            }
            rows = rows.and(&rows_of_ids(&reader, ids)?);
        }
        for check in &plan.checks {
            if rows.is_empty() {
                break;
            }
            rows = narrowed(&reader, &rows, check, &named);
        }
        if !rows.is_empty() {
            watch.spend(Effort {
                segments_opened: 1,
                pages: reader.pages_len(),
                ..Effort::default()
            });
            rows = rows.and(&behind::rows_in(&reader, plan.scan, watch)?);
        }
        Ok(Self {
            reader,
            range,
            rows,
            matched: RowSet::default(),
            ready: VecDeque::new(),
            pages: 1,
            answers: plan.scan.most.clamp(1, READY_MAX),
            pages_named: named,
        })
    }

    /// The place of the next answer; `None` after the last.
    pub(super) fn next_place(
        &mut self,
        plan: &Plan<'_>,
        watch: &dyn Watch,
    ) -> Result<Option<Cursor>, StoreError> {
        while self.ready.is_empty() {
            if !self.matched.is_empty() {
                self.read_matched(plan, watch)?;
            } else if !self.rows.is_empty() {
                self.look(plan, watch)?;
            } else {
                return Ok(None);
            }
        }
        Ok(self.ready.front().map(|ready| ready.place))
    }

    /// Passes over the next answer.
    pub(super) fn pass(&mut self) -> Option<Found> {
        self.ready.pop_front();
        None
    }

    /// The next answer. Only where there is a place.
    pub(super) fn take(&mut self, watch: &dyn Watch) -> Result<Found, StoreError> {
        let ready = self.ready.pop_front();
        let ready = ready.ok_or_else(|| StoreError::damaged("a source", "it has no event"))?;
        let event = ready.rows.event(ready.at);
        let event = event.map_err(|error| damaged(self.reader.segment(), error))?;
        watch.spend(Effort {
            events_decoded: 1,
            ..Effort::default()
        });
        Ok(Found {
            place: ready.place,
            event,
        })
    }

    /// Looks at the next few pages.
    fn look(&mut self, plan: &Plan<'_>, watch: &dyn Watch) -> Result<(), StoreError> {
        let rows = if plan.scan.newest_first {
            self.rows.take_last_pages(self.pages)
        } else {
            self.rows.take_first_pages(self.pages)
        };
        self.pages = (2 * self.pages).min(PAGES_MAX);
        let rows = self.checked(rows, plan, watch)?;
        self.matched = self.exact(rows, plan, watch)?;
        Ok(())
    }

    /// The rows of these that pass the checks.
    fn checked(
        &self,
        rows: RowSet,
        plan: &Plan<'_>,
        watch: &dyn Watch,
    ) -> Result<RowSet, StoreError> {
        let places = plan.places_of_checks();
        self.filter(rows, &places, watch, |columns, numbers| {
            let times = columns.times_ns();
            let mut mask: Vec<bool> = times
                .iter()
                .map(|&time_ns| self.range.contains(time_ns))
                .collect();
            // A few pages at most are in one piece, and mostly all are or none is.
            let is_named = !plan.checks.is_empty()
                && numbers
                    .first()
                    .zip(numbers.last())
                    .is_some_and(|(&first, &last)| {
                        !self.pages_named.within(first..last + 1).is_empty()
                    });
            for check in &plan.checks {
                if !(check.spares_named && is_named) {
                    narrow(columns, check, &mut mask);
                }
            }
            mask
        })
    }

    /// The rows of these that are answers.
    fn exact(
        &self,
        rows: RowSet,
        plan: &Plan<'_>,
        watch: &dyn Watch,
    ) -> Result<RowSet, StoreError> {
        let entry = &self.reader.segment().entry;
        let places = plan.places_in((entry.first_ns, entry.last_ns));
        if places.is_empty() || rows.is_empty() {
            return Ok(rows);
        }
        let broken = Cell::new(None);
        let found = self.filter(rows, &places, watch, |columns, _| {
            let rows = 0..columns.len();
            rows.map(|at| match columns.row(at) {
                Ok(row) => plan.scan.matches_row(&row),
                Err(error) => {
                    broken.set(Some(error));
                    false
                }
            })
            .collect()
        })?;
        match broken.take() {
            Some(error) => Err(damaged(self.reader.segment(), error)),
            None => Ok(found),
        }
    }

    /// The rows of which `keep` says so, by these columns.
    fn filter(
        &self,
        rows: RowSet,
        places: &[Place],
        watch: &dyn Watch,
        keep: impl Fn(&SegmentRows, &[usize]) -> Vec<bool>,
    ) -> Result<RowSet, StoreError> {
        watch.spend(Effort {
            pages_read: self.reader.pages_of(&rows),
            rows_looked_at: rows.len() as u64,
            ..Effort::default()
        });
        let mut left = RowSet::default();
        let mut numbers = rows.rows();
        for batch in self.reader.read(&rows, places)? {
            watch.go_on()?;
            let columns = self.rows_of(batch?)?;
            let here: Vec<usize> = numbers.by_ref().take(columns.len()).collect();
            let mask = keep(&columns, &here);
            for (&number, _) in std::iter::zip(&here, mask).filter(|(_, is_kept)| *is_kept) {
                left.push(number..number + 1);
            }
        }
        Ok(left)
    }

    /// Reads some of the answers whole.
    fn read_matched(&mut self, plan: &Plan<'_>, watch: &dyn Watch) -> Result<(), StoreError> {
        let rows = if plan.scan.newest_first {
            self.matched.take_last(self.answers)
        } else {
            self.matched.take_first(self.answers)
        };
        // Who asks for few wants no more decoded; who goes on does not want a page decoded for each few.
        self.answers = (2 * self.answers).min(READY_MAX);
        watch.spend(Effort {
            pages_read: self.reader.pages_of(&rows),
            ..Effort::default()
        });
        let mut placer = Placer::new(&self.reader, &rows)?;
        let mut numbers = rows.rows();
        let mut ready = VecDeque::new();
        for batch in self.reader.read(&rows, Place::ALL)? {
            watch.go_on()?;
            let rows = Arc::new(self.rows_of(batch?)?);
            for (at, number) in (0..rows.len()).zip(numbers.by_ref()) {
                let (time_ns, offset) = (rows.time_ns(at), rows.offset(at));
                let place = Cursor {
                    time_ns,
                    offset,
                    row: placer.row(number, time_ns, offset)?,
                };
                if plan.scan.is_due(place) {
                    let rows = rows.clone();
                    ready.push_back(Ready { place, rows, at });
                }
            }
        }
        drop(placer);
        if plan.scan.newest_first {
            ready.make_contiguous().reverse();
        }
        self.ready = ready;
        Ok(())
    }

    fn rows_of(&self, batch: arrow_array::RecordBatch) -> Result<SegmentRows, StoreError> {
        SegmentRows::new(batch).map_err(|error| damaged(self.reader.segment(), error))
    }
}

/// The rows of pages that can have one of these ids.
fn rows_of_ids(reader: &SegmentReader, ids: &Ids) -> Result<RowSet, StoreError> {
    match ids {
        Ids::Events(ids) => event_rows(reader, ids),
        Ids::Causes(ids) => cause_rows(reader, ids),
        Ids::Traces(ids) => trace_rows(reader, ids),
        Ids::Messages(texts) => text_rows(reader, texts),
    }
}

/// The rows of these in pages of which the check can hold.
fn narrowed(reader: &SegmentReader, rows: &RowSet, check: &Check, named: &RowSet) -> RowSet {
    let mut sets: Vec<_> = check
        .any
        .iter()
        .map(|within| reader.narrow(rows, within))
        .collect();
    if check.spares_named {
        sets.push(rows.and(named));
    }
    RowSet::any(sets)
}

/// Takes out of the mask the rows of which the check does not hold.
pub(super) fn narrow(columns: &SegmentRows, check: &Check, mask: &mut [bool]) {
    let [within] = &check.any[..] else {
        let masks = check.any.iter().map(|within| {
            let mut one = mask.to_vec();
            if let Some(array) = columns.column(within.place) {
                within.narrow(array, &mut one);
            }
            one
        });
        let any = masks.reduce(|mut one, other| {
            for (is, also) in std::iter::zip(&mut one, other) {
                *is |= also;
            }
            one
        });
        if let Some(any) = any {
            mask.copy_from_slice(&any);
        }
        return;
    };
    if let Some(array) = columns.column(within.place) {
        within.narrow(array, mask);
    }
}
