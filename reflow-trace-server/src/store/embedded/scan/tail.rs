//! The answers of one batch of the tail.

use std::collections::VecDeque;

use reflow_trace::api::Cursor;

use super::plan::{Ids, Plan};
use super::segment::narrow;
use crate::store::embedded::segment::SegmentRows;
use crate::store::embedded::shared::Shared;
use crate::store::embedded::tail::TailBatch;
use crate::store::{Effort, Found, StoreError, Watch};

/// Answers of one batch.
pub(super) struct TailSource {
    rows: SegmentRows,
    /// The next one first.
    ready: VecDeque<(Cursor, usize)>,
}

impl TailSource {
    /// `None` where there is no answer.
    pub(super) fn new(
        shared: &Shared,
        tail: &TailBatch,
        plan: &Plan<'_>,
        watch: &dyn Watch,
    ) -> Result<Option<Self>, StoreError> {
        if !plan.ids.iter().all(|ids| may_have(tail, ids)) {
            return Ok(None);
        }
        watch.go_on()?;
        let Some(columns) = tail.columns(&shared.columns_memory)? else {
            return Ok(None);
        };
        let broken =
            |error: &dyn ToString| StoreError::damaged("a batch in memory", error.to_string());
        let rows = SegmentRows::new(columns).map_err(|error| broken(&error))?;
        watch.spend(Effort {
            rows_looked_at: rows.len() as u64,
            ..Effort::default()
        });
        let times = rows.times_ns().iter();
        let mut mask: Vec<bool> = times.map(|&time| plan.range.contains(time)).collect();
        for check in &plan.checks {
            if mask.contains(&true) && !(check.spares_named && tail.reach().is_named()) {
                narrow(&rows, check, &mut mask);
            }
        }
        let times = tail.batch().and_then(|batch| batch.time_range());
        let all_are = plan.places_in(times.unwrap_or_default()).is_empty();
        let mut ready = VecDeque::new();
        let mut last: Option<Cursor> = None;
        for (at, &is_left) in mask.iter().enumerate() {
            let mut place = Cursor {
                time_ns: rows.time_ns(at),
                offset: tail.offset(),
                row: 0,
            };
            if let Some(last) = last.filter(|last| last.time_ns == place.time_ns) {
                place.row = last.row + 1;
            }
            last = Some(place);
            if !is_left || !plan.scan.is_due(place) {
                continue;
            }
            let is_answer = all_are || {
                let row = rows.row(at).map_err(|error| broken(&error))?;
                plan.scan.matches_row(&row)
            };
            if is_answer {
                ready.push_back((place, at));
            }
        }
        if plan.scan.newest_first {
            ready.make_contiguous().reverse();
        }
        Ok(Some(Self { rows, ready }))
    }

    pub(super) fn next_place(&self) -> Option<Cursor> {
        self.ready.front().map(|&(place, _)| place)
    }

    /// Passes over the next answer.
    pub(super) fn pass(&mut self) -> Option<Found> {
        self.ready.pop_front();
        None
    }

    /// The next answer. Only where there is a place.
    pub(super) fn take(&mut self, watch: &dyn Watch) -> Result<Found, StoreError> {
        let next = self.ready.pop_front();
        let (place, at) = next.ok_or_else(|| StoreError::damaged("a source", "it has no event"))?;
        let event = self.rows.event(at);
        let event = event.map_err(|error| StoreError::damaged("a batch in memory", error))?;
        watch.spend(Effort {
            events_decoded: 1,
            ..Effort::default()
        });
        Ok(Found { place, event })
    }
}

fn may_have(tail: &TailBatch, ids: &Ids) -> bool {
    let reach = tail.reach();
    match ids {
        Ids::Events(ids) => ids.iter().any(|&id| reach.may_have_event(id)),
        Ids::Causes(ids) => ids.iter().any(|&id| reach.may_have_cause(id)),
        Ids::Traces(ids) => ids.iter().any(|&id| reach.may_have_trace(id)),
        Ids::Messages(texts) => texts.iter().any(|text| reach.may_have_text(text.text())),
    }
}
