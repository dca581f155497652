//! An attempt that left the stack with the future it belongs to.

use crate::clock::ticks;
use crate::context::{CauseFrame, active};
use crate::event::Outcome;
use crate::lane::{Attempt, FlowCell, Held, Standing, State, with_held};
use crate::record::Fields;
use std::sync::Arc;

/// An attempt between two polls of its future, or before the first one; or none.
///
/// Dropped here it was cancelled, or, before the first poll, there was none.
#[derive(Debug)]
pub struct Parked(Option<Box<Attempt>>);

impl Parked {
    pub(super) const NOTHING: Self = Self(None);

    /// Whether there is an attempt.
    #[inline]
    pub fn is_active(&self) -> bool {
        self.0.is_some()
    }

    /// Takes the attempt out of this place, the topmost.
    pub(super) fn out_of(place: usize) -> Self {
        active::set_depth(place);
        let parked = with_held(|held| {
            let ring = held.lane.shared.ring;
            let attempt = held.stack.at(place);
            if attempt.standing.state() == State::None {
                return None;
            }
            let mut parked = held.parked.park(attempt);
            if parked.standing.foreign_ring().is_none() {
                parked.standing = parked.standing.with_ring(ring);
            }
            Some(parked)
        });
        // Without a lane the recording has ended, and the attempt with it.
        Self(parked.flatten())
    }

    /// The same, for an attempt whose future has not been polled yet.
    pub(super) fn deferred(place: usize) -> Self {
        let mut parked = Self::out_of(place);
        match &mut parked.0 {
            Some(attempt) if attempt.standing.state() == State::Recorded => {
                attempt.standing = attempt.standing.with_state(State::Deferred);
                with_held(|held| {
                    if held.hand.generation == attempt.standing.generation() {
                        let cell = cell_of(attempt, held);
                        cell.messages.subtract(1);
                        cell.bytes.subtract(attempt.words.size().unwrap_or(0));
                        held.lane.shared.deferred.add(1);
                    }
                });
            }
            // Whether a message comes is seen when the future is done.
            Some(attempt) if attempt.standing.state() == State::Awaiting => {}
            _ => parked.discard(),
        }
        parked
    }

    /// A deferred attempt begins. A future that was made under another recording stays deferred, and its
    /// end is none.
    pub(super) fn begin_deferred(&mut self) {
        let Some(attempt) = &mut self.0 else {
            return;
        };
        if attempt.standing.state() != State::Deferred {
            return;
        }
        let begins = with_held(|held| {
            if held.hand.generation != attempt.standing.generation() {
                return false;
            }
            let cell = cell_of(attempt, held);
            cell.messages.add(1);
            cell.bytes.add(attempt.words.size().unwrap_or(0));
            held.lane.shared.deferred.subtract(1);
            true
        });
        match begins {
            Some(true) => {
                attempt.standing = attempt.standing.with_state(State::Recorded);
                attempt.words[1] = ticks();
            }
            Some(false) => {}
            None => crate::runtime::count_without_ring(),
        }
    }

    /// Puts the attempt back on the stack of this thread, where a handler causes what is sent.
    pub(super) fn resume(&mut self) {
        let Some(attempt) = self.0.take() else {
            return;
        };
        let standing = attempt.standing;
        let place = active::depth();
        let cause = with_held(|held| {
            let ring = held.lane.shared.ring;
            let attempt = {
                let place = held.stack.at(place);
                held.parked.unpark(attempt, place);
                place
            };
            if attempt.standing.foreign_ring() == Some(ring) {
                attempt.standing = attempt.standing.with_ring(0);
            }
            attempt.is_handling().then(|| attempt.cause(ring))
        });
        match cause {
            Some(cause) => {
                active::set_depth(place + 1);
                if let Some(cause) = cause {
                    CauseFrame::handle(cause);
                }
            }
            None => count_end_without_lane(standing),
        }
    }

    /// Forgets the attempt, which nobody counts.
    fn discard(&mut self) {
        if let Some(mut attempt) = self.0.take() {
            attempt.clear();
        }
    }

    /// Ends the attempt.
    pub(crate) fn end(&mut self, outcome: Outcome) {
        match &self.0 {
            Some(attempt)
                if matches!(attempt.standing.state(), State::Counted | State::Recorded) =>
            {
                let (place, standing) = (active::depth(), attempt.standing);
                // Not `resume`: what is dropped handles nothing any more.
                let attempt = self.0.take();
                let is_here = with_held(|held| {
                    if let Some(attempt) = attempt {
                        held.parked.unpark(attempt, held.stack.at(place));
                    }
                });
                if is_here.is_some() {
                    super::attempt::end_place(place, outcome);
                } else {
                    count_end_without_lane(standing);
                }
            }
            _ => self.discard(),
        }
    }
}

impl Drop for Parked {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.end(Outcome::Cancelled);
        }
    }
}

/// An attempt ends where there is no lane to write it to.
#[cold]
fn count_end_without_lane(standing: Standing) {
    if standing.state() == State::Recorded {
        crate::runtime::count_end_without_ring(standing.generation());
    }
}

fn cell_of(attempt: &Attempt, held: &mut Held) -> Arc<FlowCell> {
    held.lane.flows.cell(
        attempt.edge(),
        attempt.words.message_type(),
        attempt.standing.purpose(),
        &held.lane.shared,
    )
}
