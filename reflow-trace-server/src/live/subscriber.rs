//! One subscription: a place in the log, moved on by who reads it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::backfill::{Backfill, Step};
use super::choice::Choice;
use super::hub::{Feed, Open};
use super::shown::{SharedBatch, Shown};
use super::window::At;
use crate::answer::Rights;
use crate::http::Phase;

/// Rows that are looked at before others have their turn.
const ROWS_AT_ONCE: usize = 1_024;
/// And the time that it may take; a condition that is dear is nobody else's matter.
const TIME_AT_ONCE: Duration = Duration::from_millis(1);
/// Rows after which the time is looked at.
const ROWS_BY_CLOCK: usize = 8;
/// Events that are given at once: what a subscriber that stopped reading keeps from being forgotten.
pub(super) const EVENTS_AT_ONCE: usize = 256;
/// And their bytes, nearly; one event may have more.
pub(super) const BYTES_AT_ONCE: usize = 1 << 20;

/// What a subscriber sees.
#[derive(Debug)]
pub(crate) enum Seen {
    /// It has begun: from this place in the log on it is live, and what comes before it is filled up from
    /// the store. Always the first, and only once.
    Live {
        /// The place.
        offset: u64,
    },
    /// Events of one batch that fit, in its order. A batch that has many comes in several.
    Events {
        /// The place of the batch.
        offset: u64,
        /// At least one.
        events: Vec<Arc<Shown>>,
    },
    /// Some may be missing, because this subscriber was too slow or they are no longer stored.
    Gap {
        /// The first place of which something may be missing.
        from_offset: u64,
        /// The first place after it of which nothing is.
        to_offset: u64,
    },
}

/// An open subscription. Dropping it ends it.
pub(crate) struct Subscriber {
    feed: Arc<Feed>,
    _open: Open,
    choice: Arc<Choice>,
    rights: Rights,
    /// The batch that is looked at next, and the row of it; where it is filled up from the store, the event in the
    /// order of time.
    at: (u64, usize),
    live_from: u64,
    has_begun: bool,
    /// Until the window has the place.
    backfill: Option<Backfill>,
    /// Told of with what comes next.
    gap: Option<(u64, u64)>,
    /// It has taken long, and others wait for the thread.
    is_next_turn_due: bool,
    end: watch::Receiver<u64>,
    phase: watch::Receiver<Phase>,
}

impl Subscriber {
    pub(super) fn new(
        open: Open,
        choice: Choice,
        rights: Rights,
        (at, live_from): (u64, u64),
        backfill: Option<Backfill>,
        (end, phase): (watch::Receiver<u64>, watch::Receiver<Phase>),
    ) -> Self {
        Self {
            feed: Arc::clone(&open.0),
            _open: open,
            choice: Arc::new(choice),
            rights,
            at: (at, 0),
            live_from,
            has_begun: false,
            backfill,
            gap: None,
            is_next_turn_due: false,
            end,
            phase,
        }
    }

    /// What comes next; `None` when the server stops. Nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Seen> {
        if !self.has_begun {
            self.has_begun = true;
            let offset = self.live_from;
            return Some(Seen::Live { offset });
        }
        loop {
            if *self.phase.borrow() != Phase::Serving {
                return None;
            }
            if let Some(seen) = self.advance().await {
                return Some(self.counted(seen));
            }
        }
    }

    /// One step; `None`: look again.
    async fn advance(&mut self) -> Option<Seen> {
        if std::mem::take(&mut self.is_next_turn_due) {
            tokio::task::yield_now().await;
        }
        if let Some(piece) = self.backfill.as_mut().and_then(Backfill::take) {
            self.at = piece.next;
            return piece.seen;
        }
        // Marks what has come as seen, before the window is looked at.
        self.end.borrow_and_update();
        let here = self.feed.window().at(self.at.0);
        // A batch of which some was read from the store is read there to its end: rows have another order here.
        let is_inside = self.backfill.is_some() && self.at.1 > 0;
        match here {
            At::Batch(_) if is_inside => {
                self.fill_up(self.at.0 + 1).await;
                None
            }
            At::Batch(shared) => {
                self.backfill = None;
                if let Some(gap) = self.take_gap() {
                    return Some(gap);
                }
                let begun = Instant::now();
                let seen = self.look_at(&shared, begun);
                if begun.elapsed() >= TIME_AT_ONCE {
                    self.is_next_turn_due = true;
                } else if seen.is_none() {
                    tokio::task::consume_budget().await;
                }
                seen
            }
            At::Gone(next) => {
                self.fill_up(next).await;
                None
            }
            At::Ahead => {
                if let Some(gap) = self.take_gap() {
                    return Some(gap);
                }
                tokio::select! {
                    // An error: the committer is gone, and the server with it.
                    changed = self.end.changed() => if changed.is_err() {
                        let _stops = self.phase.wait_for(|phase| *phase != Phase::Serving).await;
                    },
                    _stops = self.phase.changed() => {}
                }
                None
            }
        }
    }

    /// Looks at some rows, at least at one.
    fn look_at(&mut self, shared: &SharedBatch, begun: Instant) -> Option<Seen> {
        let offset = shared.offset;
        let rows = shared.batch.len();
        let until = rows.min(self.at.1 + ROWS_AT_ONCE);
        let (mut events, mut bytes, mut grown) = (Vec::new(), 0, 0);
        let mut row = self.at.1;
        while row < until && events.len() < EVENTS_AT_ONCE && bytes < BYTES_AT_ONCE {
            let index = row;
            if index.is_multiple_of(ROWS_BY_CLOCK)
                && index > self.at.1
                && begun.elapsed() >= TIME_AT_ONCE
            {
                break;
            }
            row += 1;
            let may_want = (shared.batch.row(index)).is_some_and(|row| self.choice.may_want(&row));
            if !may_want {
                continue;
            }
            if let Some((forms, more)) = shared.event(index) {
                grown += more;
                if self.choice.wants(forms.event()) {
                    let shown = forms.shown(self.rights);
                    bytes += shown.bytes();
                    events.push(Arc::clone(shown));
                }
            }
        }
        self.at = if row >= rows {
            (offset + 1, 0)
        } else {
            (offset, row)
        };
        if grown > 0 {
            self.feed.window().grow(offset, grown);
        }
        (!events.is_empty()).then_some(Seen::Events { offset, events })
    }

    /// The place is no longer in the window, which begins at `next`: reads the store if it is a place of
    /// the past that was asked for, else the subscriber was too slow.
    async fn fill_up(&mut self, next: u64) {
        let Some(backfill) = &mut self.backfill else {
            return self.missed(next);
        };
        match backfill.read(self.at, &self.choice, self.rights).await {
            Step::Read => {}
            // Better to say that something is missing than to ask a store for ever that fails.
            Step::Unreadable => {
                self.backfill = None;
                self.missed(next);
            }
        }
    }

    /// Goes on behind what is missing.
    fn missed(&mut self, to: u64) {
        let from = self.gap.map_or(self.at.0, |(from, _)| from);
        self.gap = Some((from, to));
        self.at = (to, 0);
    }

    fn take_gap(&mut self) -> Option<Seen> {
        let (from_offset, to_offset) = self.gap.take()?;
        Some(Seen::Gap {
            from_offset,
            to_offset,
        })
    }

    fn counted(&self, seen: Seen) -> Seen {
        let metrics = &self.feed.metrics;
        match &seen {
            Seen::Live { .. } => {}
            Seen::Events { events, .. } => metrics.live_events.add(events.len() as u64),
            Seen::Gap {
                from_offset,
                to_offset,
            } => {
                metrics.live_gaps.add(1);
                metrics.live_missed_batches.add(to_offset - from_offset);
            }
        }
        seen
    }
}

#[cfg(test)]
impl Subscriber {
    /// Whether something was read for it that it has not come for.
    pub(super) fn has_read(&self) -> bool {
        self.backfill.as_ref().is_some_and(Backfill::has_read)
    }
}
