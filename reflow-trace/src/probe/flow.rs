//! One attempt, from its begin to its end.

use super::details::{give_back_details, take_details};
use super::write::write_record;
use crate::clock::ticks;
use crate::context::Context;
use crate::edge::EdgeNumber;
use crate::event::Outcome;
use crate::lane::{LaneInUse, LaneOwned, Purpose, with_lane};
use crate::message::{AttributeValue, Attributes};
use crate::record::sections::{Sections, Tag};
use crate::record::{Fields, Kind, flag};
use crate::ring::Words;
use crate::sampling::Randomness;

/// One attempt to send or to handle a message, or one life of an actor; or none.
///
/// It holds the record as far as it is known. Dropped before its end it was cancelled, or it panicked.
#[derive(Debug)]
pub struct Flow {
    pub(super) attempt: Option<Attempt>,
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
    /// Producer of the trace.
    pub(super) trace_producer: u64,
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
    pub(super) delivers_on_drop: bool,
    pub(super) began_while_panicking: bool,
}

impl Flow {
    /// No attempt.
    #[inline]
    pub const fn idle() -> Self {
        Self { attempt: None }
    }

    /// Whether this attempt is being recorded.
    #[inline]
    pub fn wants_details(&self) -> bool {
        matches!(&self.attempt, Some(attempt) if attempt.state == State::Recorded)
    }

    /// Whether there is anything to end.
    #[inline]
    pub fn is_active(&self) -> bool {
        self.attempt.is_some()
    }

    /// Adds a named value to the record; nothing when it is not being recorded.
    pub fn attribute(&mut self, key: &'static str, value: AttributeValue<'_>) {
        self.describe(|attributes| attributes.put(key, value));
    }

    pub(super) fn describe(&mut self, write: impl FnOnce(&mut Attributes<'_>)) {
        if let Some(attempt) = &mut self.attempt
            && attempt.state == State::Recorded
        {
            write(&mut Attributes::new(
                attempt.details.get_or_insert_with(take_details),
            ));
        }
    }

    /// The clock of a recorded attempt starts, after all that had to be asked before.
    #[inline]
    pub(super) fn start_clock(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.words[1] = ticks();
        }
    }

    /// From now on, being dropped without a panic means delivered.
    ///
    /// For bodies that cannot be wrapped in a closure.
    #[inline]
    pub fn deliver_on_drop(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.delivers_on_drop = true;
            attempt.began_while_panicking = std::thread::panicking();
        }
    }

    /// The attempt begins at the first poll of a future; if that never comes, there was none.
    pub fn defer(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.defer();
        }
    }

    /// A deferred attempt begins.
    pub(super) fn begin_deferred(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.begin_deferred();
        }
    }

    /// Ends the attempt.
    #[inline]
    pub fn end(&mut self, outcome: Outcome) {
        if self.attempt.is_some() {
            self.end_attempt(outcome);
        }
    }

    #[inline(never)]
    fn end_attempt(&mut self, outcome: Outcome) {
        if let Some(attempt) = &mut self.attempt {
            attempt.end(outcome);
        }
        self.attempt = None;
    }

    /// Takes the edge off this thread's stack; the attempt goes on elsewhere.
    pub(super) fn leave_stack(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.leave_stack();
        }
    }
}

impl Drop for Flow {
    #[inline]
    fn drop(&mut self) {
        if self.attempt.is_some() {
            self.end_by_drop();
        }
    }
}

impl Flow {
    #[cold]
    fn end_by_drop(&mut self) {
        let Some(attempt) = &self.attempt else { return };
        let panics = std::thread::panicking() && !attempt.began_while_panicking;
        let outcome = match (panics, attempt.delivers_on_drop) {
            (true, _) => Outcome::Panicked,
            (false, true) => Outcome::Delivered,
            (false, false) => Outcome::Cancelled,
        };
        self.end_attempt(outcome);
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

    fn end(&mut self, outcome: Outcome) {
        if !matches!(self.state, State::Counted | State::Recorded) {
            return self.give_back_details();
        }
        let duration = ticks().saturating_sub(self.words[1]);
        let has_lane = with_lane(|hand, lane| {
            if self.is_on_stack {
                hand.pop_active(self.edge());
            }
            if hand.runtime.generation() != self.generation {
                return;
            }
            if outcome != Outcome::Delivered {
                self.count_failure(lane);
            }
            if self.state == State::Recorded {
                let kind = match (self.purpose, outcome) {
                    (Purpose::Send, _) => Kind::Send,
                    (Purpose::Receive, _) => Kind::MessageReceived,
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
    #[inline]
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

    fn leave_stack(&mut self) {
        if std::mem::take(&mut self.is_on_stack) {
            with_lane(|hand, _| hand.pop_active(self.edge()));
        }
    }

    fn defer(&mut self) {
        if self.state != State::Recorded {
            // What is not recorded is counted at the call; it is not worth wrapping the future.
            return self.leave_stack();
        }
        self.state = State::Deferred;
        self.is_on_stack = false;
        with_lane(|hand, lane| {
            let cell = lane.flows.cell(
                self.edge(),
                self.words.message_type(),
                self.purpose,
                &lane.shared,
            );
            cell.messages.subtract(1);
            cell.bytes.subtract(self.words.size().unwrap_or(0));
            lane.shared.begun.subtract(1);
            hand.pop_active(self.edge());
        });
    }

    fn begin_deferred(&mut self) {
        if self.state != State::Deferred {
            return;
        }
        self.state = State::Recorded;
        with_lane(|_, lane| {
            let cell = lane.flows.cell(
                self.edge(),
                self.words.message_type(),
                self.purpose,
                &lane.shared,
            );
            cell.messages.add(1);
            cell.bytes.add(self.words.size().unwrap_or(0));
            lane.shared.begun.add(1);
        });
        self.words[1] = ticks();
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
        let mut context = Context::root(
            self.trace_producer,
            self.words.trace_high(),
            Randomness::from_bits(self.words[6]),
            self.words.flags() & flag::TRACE_BY_ID != 0,
        );
        context.threshold = self.threshold;
        context.hops = self.words.hops();
        context.edge = self.edge();
        context.event_producer = self.trace_producer;
        (context.ring, context.sequence) =
            if matches!(self.state, State::Recorded | State::Deferred) {
                (self.ring, self.words.sequence())
            } else {
                (self.words.cause_ring(), self.words.cause_sequence())
            };
        context
    }
}
