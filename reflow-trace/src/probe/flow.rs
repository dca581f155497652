//! One attempt, from its begin to its end.

use super::write::write_record;
use crate::context::active;
use std::sync::Arc;

use crate::clock::ticks;
use crate::context::Context;
use crate::edge::{EdgeNumber, TypeNumber};
use crate::event::Outcome;
use crate::lane::{FlowCell, LaneInUse, LaneOwned, Purpose, with_lane};
use crate::message::{AttributeValue, Attributes, give_back_details, take_details};
use crate::record::sections::{Sections, Tag};
use crate::record::{Fields, Kind, flag};
use crate::ring::Words;
use crate::sampling::Randomness;

/// One attempt to send or to handle a message, or one life of an actor; or none.
///
/// It holds the record as far as it is known. Dropped before its end it was cancelled, or it panicked.
#[derive(Debug)]
pub struct Flow {
    pub(super) stage: Stage,
    delivers_on_drop: bool,
    no_panic_is_ours: bool,
}

/// How much there is to remember.
#[derive(Debug)]
pub(super) enum Stage {
    /// No attempt.
    Idle,
    /// A send that is counted and not recorded.
    Counted(Counted),
    /// Everything else.
    Attempt(Attempt),
}

/// What is remembered of a send that is not recorded: where to count its failure.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) edge: EdgeNumber,
    pub(super) message_type: TypeNumber,
    pub(super) generation: u32,
    pub(super) is_on_stack: bool,
}

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Counted, not recorded.
    Counted,
    /// Will be recorded.
    Recorded,
    /// Will be recorded if the future is ever polled.
    Deferred,
    /// Waits for a message to be received; nothing has happened until it comes.
    Awaiting,
}

/// What is known of an attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) words: Words,
    pub(super) details: Option<Box<Sections>>,
    /// Producer of the trace, and of the event.
    pub(super) trace_producer: u64,
    pub(super) producer: u64,
    /// The largest T so far.
    pub(super) threshold: u64,
    /// The recording it belongs to.
    pub(super) generation: u32,
    /// Ring of the event id.
    pub(super) ring: u32,
    pub(super) state: State,
    pub(super) purpose: Purpose,
    /// Its edge is on this thread's stack of sends under way.
    pub(super) is_on_stack: bool,
}

impl Flow {
    /// No attempt.
    #[inline]
    pub const fn idle() -> Self {
        Self {
            stage: Stage::Idle,
            delivers_on_drop: false,
            no_panic_is_ours: false,
        }
    }

    #[inline]
    pub(super) fn attempt(&mut self) -> Option<&mut Attempt> {
        if let Stage::Attempt(attempt) = &mut self.stage {
            Some(attempt)
        } else {
            None
        }
    }

    /// Begins what has not begun. Spares the look at what was there before, which is nothing.
    #[inline]
    pub(super) fn set(&mut self, stage: Stage) {
        debug_assert!(!self.is_active(), "a flow begins once");
        std::mem::forget(std::mem::replace(&mut self.stage, stage));
    }

    /// Makes it an attempt.
    #[inline]
    pub(super) fn open(&mut self, attempt: Attempt) -> &mut Attempt {
        self.set(Stage::Attempt(attempt));
        match &mut self.stage {
            Stage::Attempt(attempt) => attempt,
            Stage::Idle | Stage::Counted(_) => unreachable!("just set"),
        }
    }

    /// Whether this attempt is being recorded.
    #[inline]
    pub fn wants_details(&self) -> bool {
        matches!(&self.stage, Stage::Attempt(attempt) if attempt.state == State::Recorded)
    }

    /// Whether there is anything to end.
    #[inline]
    pub fn is_active(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }

    /// Adds a named value to the record; nothing when it is not being recorded.
    pub fn attribute(&mut self, key: &'static str, value: AttributeValue<'_>) {
        self.describe(|attributes| attributes.put(key, value));
    }

    pub(super) fn describe(&mut self, write: impl FnOnce(&mut Attributes<'_>)) {
        if let Some(attempt) = self.attempt()
            && attempt.state == State::Recorded
        {
            write(&mut Attributes::new(&mut attempt.details));
        }
    }

    /// The clock of a recorded attempt starts, after all that had to be asked before.
    #[inline]
    pub(super) fn start_clock(&mut self) {
        if let Some(attempt) = self.attempt() {
            attempt.words[1] = ticks();
        }
    }

    /// From now on, being dropped without a panic means delivered.
    ///
    /// For bodies that cannot be wrapped in a closure.
    #[inline]
    pub fn deliver_on_drop(&mut self) {
        self.delivers_on_drop = true;
        self.no_panic_is_ours = std::thread::panicking();
    }

    /// The attempt begins at the first poll of a future; if that never comes, there was none.
    ///
    /// What is not recorded is counted at the call, and its failure is not: it is not worth wrapping the
    /// future.
    pub fn defer(&mut self) {
        self.leave_stack();
        match &mut self.stage {
            Stage::Attempt(attempt) if attempt.state == State::Recorded => attempt.defer(),
            Stage::Counted(_) => self.stage = Stage::Idle,
            Stage::Attempt(_) | Stage::Idle => {}
        }
    }

    /// A deferred attempt begins.
    pub(super) fn begin_deferred(&mut self) {
        match self.attempt() {
            Some(attempt) if attempt.state == State::Deferred => attempt.begin_deferred(),
            _ => {}
        }
    }

    /// Ends the attempt.
    #[inline]
    pub fn end(&mut self, outcome: Outcome) {
        match &self.stage {
            Stage::Idle => {}
            Stage::Counted(counted) if outcome == Outcome::Delivered => {
                if counted.is_on_stack {
                    active::pop();
                }
                self.stage = Stage::Idle;
            }
            _ => self.end_stage(outcome),
        }
    }

    #[inline(never)]
    fn end_stage(&mut self, outcome: Outcome) {
        match &mut self.stage {
            Stage::Idle => return,
            Stage::Counted(counted) => counted.end(outcome),
            Stage::Attempt(attempt) => attempt.end(outcome),
        }
        self.stage = Stage::Idle;
    }

    /// Takes the edge off this thread's stack; the attempt goes on elsewhere.
    pub(super) fn leave_stack(&mut self) {
        let is_on_stack = match &mut self.stage {
            Stage::Idle => return,
            Stage::Counted(counted) => &mut counted.is_on_stack,
            Stage::Attempt(attempt) => &mut attempt.is_on_stack,
        };
        if std::mem::take(is_on_stack) {
            active::pop();
        }
        // From here on a panic leaves through a poll, which sees it.
        self.no_panic_is_ours = true;
    }

    /// The edge of a send that is under way.
    pub(super) fn sends_over(&self) -> Option<EdgeNumber> {
        match &self.stage {
            Stage::Counted(counted) => Some(counted.edge),
            Stage::Attempt(attempt) if attempt.purpose == Purpose::Send => Some(attempt.edge()),
            Stage::Idle | Stage::Attempt(_) => None,
        }
    }
}

impl Drop for Flow {
    #[inline]
    fn drop(&mut self) {
        if self.is_active() {
            self.end_by_drop();
        }
    }
}

impl Flow {
    #[cold]
    fn end_by_drop(&mut self) {
        let panics = std::thread::panicking() && !self.no_panic_is_ours;
        self.end_stage(match (panics, self.delivers_on_drop) {
            (true, _) => Outcome::Panicked,
            (false, true) => Outcome::Delivered,
            (false, false) => Outcome::Cancelled,
        });
    }
}

impl Counted {
    #[cold]
    fn end(&self, outcome: Outcome) {
        if self.is_on_stack {
            active::pop();
        }
        if outcome == Outcome::Delivered {
            return;
        }
        with_lane(|hand, lane| {
            if hand.generation == self.generation {
                let cell =
                    lane.flows
                        .cell(self.edge, self.message_type, Purpose::Send, &lane.shared);
                cell.failures.add(1);
            }
        });
    }
}

impl Attempt {
    #[inline]
    pub(super) fn edge(&self) -> EdgeNumber {
        self.words.edge()
    }

    /// Whether this is the handling of a message, as opposed to the wait for one.
    pub(super) fn is_handling(&self) -> bool {
        self.purpose == Purpose::Receive && self.state != State::Awaiting
    }

    #[inline]
    fn end(&mut self, outcome: Outcome) {
        let duration = ticks().saturating_sub(self.words[1]);
        if self.is_on_stack {
            active::pop();
        }
        if !matches!(self.state, State::Counted | State::Recorded) {
            return self.give_back_details();
        }
        let has_lane = with_lane(|hand, lane| {
            if hand.generation != self.generation {
                return;
            }
            if outcome != Outcome::Delivered {
                self.count_failure(lane);
            }
            if self.state == State::Recorded {
                let kind = match (self.purpose, outcome) {
                    (Purpose::Send | Purpose::Loss, _) => Kind::Send,
                    (Purpose::Receive | Purpose::Take, _) => Kind::MessageReceived,
                    (Purpose::Life, Outcome::Delivered) => Kind::ActorCompleted,
                    (Purpose::Life, _) => Kind::ActorFailed,
                };
                self.words.finish(kind, Some(duration), Some(outcome));
                self.write(hand, lane);
            }
        });
        if has_lane.is_none() && self.state == State::Recorded {
            crate::runtime::count_end_without_ring(self.generation);
        }
        self.give_back_details();
    }

    #[cold]
    fn count_failure(&self, lane: &mut LaneOwned) {
        let cell = lane.flows.cell(
            self.edge(),
            self.words.message_type(),
            self.purpose,
            &lane.shared,
        );
        cell.failures.add(1);
    }

    /// Writes the finished record.
    #[inline(always)]
    pub(super) fn write(&mut self, hand: &LaneInUse, lane: &mut LaneOwned) {
        if self.ring != lane.shared.ring {
            let sections = self.details.get_or_insert_with(take_details);
            sections.put(Tag::HomeRing, &self.ring.to_le_bytes());
        }
        let rest = match &mut self.details {
            Some(sections) if !sections.is_empty() => sections.seal(),
            _ => &[],
        };
        write_record(&mut self.words, rest, hand, lane);
    }

    pub(super) fn give_back_details(&mut self) {
        if let Some(sections) = self.details.take() {
            give_back_details(sections);
        }
    }

    fn defer(&mut self) {
        self.state = State::Deferred;
        with_lane(|hand, lane| {
            if hand.generation == self.generation {
                let cell = self.cell(lane);
                cell.messages.subtract(1);
                cell.bytes.subtract(self.words.size().unwrap_or(0));
                lane.shared.begun.subtract(1);
            }
        });
    }

    /// A future that was made under another recording stays deferred, and its end is none.
    fn begin_deferred(&mut self) {
        let begins = with_lane(|hand, lane| {
            if hand.generation != self.generation {
                return false;
            }
            let cell = self.cell(lane);
            cell.messages.add(1);
            cell.bytes.add(self.words.size().unwrap_or(0));
            lane.shared.begun.add(1);
            true
        });
        match begins {
            Some(true) => {
                self.state = State::Recorded;
                self.words[1] = ticks();
            }
            Some(false) => {}
            None => crate::runtime::count_without_ring(),
        }
    }

    fn cell(&self, lane: &mut LaneOwned) -> Arc<FlowCell> {
        let (edge, message_type) = (self.edge(), self.words.message_type());
        lane.flows
            .cell(edge, message_type, self.purpose, &lane.shared)
    }

    /// The trace began in another process: the record names it in full.
    #[cold]
    pub(super) fn name_foreign_trace(&mut self) {
        if let Some(trace) = self.cause().trace_id() {
            self.details
                .get_or_insert_with(take_details)
                .put(Tag::TraceId, trace.0.as_bytes());
        }
    }

    /// The context of what this attempt leads to: its own event when recorded, else the one before.
    pub(super) fn cause(&self) -> Context {
        if self.words.flags() & flag::IN_TRACE == 0 {
            return Context::NONE;
        }
        let is_recorded = matches!(self.state, State::Recorded | State::Deferred);
        Context {
            producer: self.trace_producer,
            randomness: Randomness::from_bits(self.words[6]).bits(),
            threshold: self.threshold,
            event_producer: self.producer,
            sequence: if is_recorded {
                self.words.sequence()
            } else {
                self.words.cause_sequence()
            },
            sent_at: 0,
            ring: if is_recorded {
                self.ring
            } else {
                self.words.cause_ring()
            },
            edge: self.edge(),
            trace_high: self.words.trace_high(),
            hops: self.words.hops(),
            flags: Context::flags_of(self.words.flags() & flag::TRACE_BY_ID != 0),
        }
    }
}
