//! One attempt, from its begin to its end, as generated code holds it: the place of the attempt on this
//! thread's stack.

use super::attempt::end_place;
use super::parked::Parked;
use crate::clock::ticks;
use crate::context::active;
use crate::event::Outcome;
use crate::lane::{State, with_held};
use crate::message::{AttributeValue, Attributes};
use crate::record::sections::Sections;

/// One attempt to send or to handle a message, or one life of an actor; or none.
///
/// The attempt lies on the stack of the thread it runs on. This is its place there,
/// small enough for a register. Dropped before its end it was cancelled, or it panicked. What is called in every
/// method is inlined there, but not in a debug build, which would have to be waited for.
#[derive(Debug)]
pub struct Flow(u32);

/// The attempt is being recorded.
const RECORDED: u32 = 1 << 0;
const DELIVERS_ON_DROP: u32 = 1 << 1;
/// The thread was panicking before.
const NO_PANIC_IS_OURS: u32 = 1 << 2;
/// There is an attempt.
const ACTIVE: u32 = 1 << 3;
/// The place is above the flags.
const PLACE: u32 = 4;

impl Flow {
    /// No attempt.
    #[inline(always)]
    pub const fn idle() -> Self {
        Self(0)
    }

    /// The attempt in this place.
    #[inline(always)]
    pub(super) const fn at(place: usize, is_recorded: bool) -> Self {
        Self(((place as u32) << PLACE) | ACTIVE | is_recorded as u32)
    }

    #[inline(always)]
    fn place(&self) -> usize {
        (self.0 >> PLACE) as usize
    }

    /// Begins what has not begun. Spares the look at what was there before, which is nothing.
    #[inline(always)]
    pub(super) fn begin(&mut self, begun: Self) {
        debug_assert!(!self.is_active(), "a flow begins once");
        std::mem::forget(std::mem::replace(self, begun));
    }

    /// Whether this attempt is being recorded.
    #[inline(always)]
    pub fn wants_details(&self) -> bool {
        self.0 & RECORDED != 0
    }

    /// Whether there is anything to end.
    #[inline(always)]
    pub fn is_active(&self) -> bool {
        self.0 != 0
    }

    /// Adds a named value to the record; nothing when it is not being recorded.
    pub fn attribute(&mut self, key: &'static str, value: AttributeValue<'_>) {
        self.describe(|attributes| attributes.put(key, value));
    }

    /// `write` may run the user's code: the lane is not in use meanwhile.
    pub(super) fn describe(&mut self, write: impl FnOnce(&mut Attributes<'_>)) {
        if self.wants_details() {
            let place = self.place();
            let taken = with_held(|held| held.stack.at(place).details.take());
            let mut details = taken.flatten();
            write(&mut Attributes::new(&mut details));
            with_held(|held| {
                let attempt = held.stack.at(place);
                attempt.standing = attempt.standing.with_details();
                attempt.details = details;
            });
        }
    }

    /// The clock of a recorded attempt starts, after all that had to be asked before.
    #[inline]
    pub(super) fn start_clock(&mut self) {
        if self.wants_details() {
            let place = self.place();
            with_held(|held| held.stack.at(place).words[1] = ticks());
        }
    }

    /// A send that is recorded when it is over began earlier, and its details are there.
    pub(super) fn began_at(&mut self, start: u64, flags: u16, details: Option<Box<Sections>>) {
        if self.wants_details() {
            let place = self.place();
            with_held(|held| {
                let attempt = held.stack.at(place);
                attempt.words[1] = start;
                attempt.words[5] |= u64::from(flags) << 48;
                attempt.add_details(details);
            });
        }
    }

    /// From now on, being dropped without a panic means delivered.
    ///
    /// For bodies that cannot be wrapped in a closure.
    #[inline]
    pub fn deliver_on_drop(&mut self) {
        if self.is_active() {
            self.0 |= DELIVERS_ON_DROP;
            if std::thread::panicking() {
                self.0 |= NO_PANIC_IS_OURS;
            }
        }
    }

    /// The attempt begins at the first poll of a future; if that never comes, there was none.
    ///
    /// What is not recorded is counted at the call, and its failure is not: it is not worth wrapping the
    /// future.
    pub fn defer(&mut self) -> Parked {
        if !self.is_active() {
            return Parked::NOTHING;
        }
        let place = self.leave();
        Parked::deferred(place)
    }

    /// Takes the attempt off the stack; the attempt goes on elsewhere.
    pub(super) fn park(&mut self) -> Parked {
        if !self.is_active() {
            return Parked::NOTHING;
        }
        let place = self.leave();
        Parked::out_of(place)
    }

    /// The attempt stays on the stack, where the wrapper of the future finds it. False: nothing is to be done about it.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn stay(self) -> bool {
        std::mem::forget(self);
        false
    }

    /// The place, which somebody else looks after from now on.
    pub(super) fn leave(&mut self) -> usize {
        let place = self.place();
        self.0 = 0;
        place
    }

    /// Ends the attempt.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn end(&mut self, outcome: Outcome) {
        if self.0 != 0 {
            let is_counted_only = !self.wants_details();
            let place = self.leave();
            // There is nothing to write where it is the topmost.
            let is_over =
                is_counted_only && outcome == Outcome::Delivered && active::leave_topmost(place);
            if !is_over {
                end_place(place, outcome);
            }
        }
    }
}

impl Drop for Flow {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn drop(&mut self) {
        if self.0 != 0 {
            end_by_drop(self.0);
        }
    }
}

#[cold]
#[inline(never)]
fn end_by_drop(token: u32) {
    let panics = std::thread::panicking() && token & NO_PANIC_IS_OURS == 0;
    let outcome = match (panics, token & DELIVERS_ON_DROP != 0) {
        (true, _) => Outcome::Panicked,
        (false, true) => Outcome::Delivered,
        (false, false) => Outcome::Cancelled,
    };
    end_place((token >> PLACE) as usize, outcome);
}

/// The flow that lies in `place`, if one does.
#[inline]
pub(super) fn flow_in(place: usize) -> Flow {
    if active::depth() <= place {
        return Flow::idle();
    }
    let is_recorded =
        with_held(|held| held.stack.at(place).standing.state() == State::Recorded).unwrap_or(false);
    Flow::at(place, is_recorded)
}
