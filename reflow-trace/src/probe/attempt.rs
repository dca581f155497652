//! The end of an attempt on this thread's stack, and what it causes.

use super::elsewhere;
use super::trace::Trace;
use super::write::write_record;
use crate::clock::{counter_ticks, ticks};
use crate::context::Context;
use crate::event::Outcome;
use crate::lane::{Attempt, Held, Here, LaneInUse, LaneOwned, Purpose, State, with_here};
use crate::message::{give_back_details, take_details};
use crate::record::sections::{Sections, Tag};
use crate::record::{Fields, Kind, flag};
use crate::sampling::{Randomness, Threshold};

/// Ends the attempt in this place, with all that began after it and did not end.
#[inline]
pub(super) fn end_place(place: usize, outcome: Outcome) {
    // On a thread that is too far gone there is nothing under way.
    with_here(|here| end_on(here, place, outcome));
}

#[inline(never)]
fn end_on(here: &Here, place: usize, outcome: Outcome) {
    if !end_quickly(here, place, outcome) {
        end_slowly(here, place, outcome);
    }
}

/// Ends a delivered send where everything is as it usually is: it is a send of this recording, on this ring,
/// that nothing has to be added to, and the ring has room. Then nothing is called, so that no register has to
/// be saved. False, and nothing has happened, where something else is to be done.
#[inline(always)]
fn end_quickly(here: &Here, place: usize, outcome: Outcome) -> bool {
    if outcome != Outcome::Delivered || here.place.depth.get() != place + 1 {
        return false;
    }
    // Of whatever recording it is; what has ended there is not read.
    let Some(mut held) = here.take_any() else {
        return false;
    };
    let Held {
        hand, lane, stack, ..
    } = &mut *held;
    let is_usual = match stack.get(place) {
        Some(attempt)
            if attempt.standing == hand.plainly_recorded
                && hand.has_counter
                && lane.writer.has_plenty() =>
        {
            let duration = counter_ticks().saturating_sub(attempt.words[1]);
            here.place.depth.set(place);
            attempt
                .words
                .finish(Kind::Send, Some(duration), Some(outcome));
            lane.writer.write_one(&attempt.words);
            true
        }
        _ => false,
    };
    here.put_back(held);
    is_usual
}

#[inline(never)]
fn end_slowly(here: &Here, place: usize, outcome: Outcome) {
    let end = ticks();
    let depth = here.place.depth.replace(place);
    // Without a lane the recording has ended, and the attempt with it.
    here.with_held(|held| {
        if depth > place + 1 {
            clear_above(held, place + 1, depth);
        }
        end_any(held, place, outcome, end);
    });
}

/// What began later should have ended before; where the program switches stacks it may not have.
#[cold]
fn clear_above(held: &mut Held, place: usize, depth: usize) {
    for place in place..depth {
        end_any(held, place, Outcome::Cancelled, ticks());
    }
}

#[inline(never)]
fn end_any(held: &mut Held, place: usize, outcome: Outcome, end: u64) {
    let Held {
        hand, lane, stack, ..
    } = held;
    let attempt = stack.at(place);
    let standing = attempt.standing;
    if standing.generation() == hand.generation
        && matches!(standing.state(), State::Counted | State::Recorded)
    {
        if outcome != Outcome::Delivered {
            let (edge, message_type) = (attempt.edge(), attempt.words.message_type());
            let purpose = standing.purpose();
            lane.flows
                .cell(edge, message_type, purpose, &lane.shared)
                .failures
                .add(1);
        }
        if standing.state() == State::Recorded {
            let kind = match (standing.purpose(), outcome) {
                (Purpose::Send | Purpose::Loss, _) => Kind::Send,
                (Purpose::Receive | Purpose::Take, _) => Kind::MessageReceived,
                (Purpose::Life, Outcome::Delivered) => Kind::ActorCompleted,
                (Purpose::Life, _) => Kind::ActorFailed,
            };
            let duration = end.saturating_sub(attempt.words[1]);
            attempt.words.finish(kind, Some(duration), Some(outcome));
            attempt.write(hand, lane);
        }
    }
    attempt.clear();
}

impl Attempt {
    /// Writes the finished record.
    pub(super) fn write(&mut self, hand: &LaneInUse, lane: &mut LaneOwned) {
        if let Some(ring) = self.standing.foreign_ring() {
            let sections = self.details.get_or_insert_with(take_details);
            sections.put(Tag::HomeRing, &ring.to_le_bytes());
        }
        let rest = match &mut self.details {
            Some(sections) if !sections.is_empty() => sections.seal(),
            _ => &[],
        };
        write_record(&mut self.words, rest, hand, lane);
    }

    /// Adds sections that were written apart.
    pub(super) fn add_details(&mut self, details: Option<Box<Sections>>) {
        let Some(details) = details else {
            return;
        };
        self.standing = self.standing.with_details();
        match &mut self.details {
            Some(own) => {
                own.append(&details);
                give_back_details(details);
            }
            none => *none = Some(details),
        }
    }

    /// Makes the place free.
    pub(super) fn clear(&mut self) {
        self.standing = self.standing.with_state(State::None);
        if let Some(sections) = self.details.take() {
            give_back_details(sections);
        }
    }

    /// Takes over what the words cannot hold of the trace, for what this attempt may cause.
    #[inline]
    pub(super) fn stand_in(&mut self, trace: &Trace, threshold: Threshold, hand: &LaneInUse) {
        self.trace_producer = trace.producer;
        self.producer = hand.producer;
        self.threshold = trace.threshold.max(threshold.bits());
        if trace.flags & flag::ELSEWHERE != 0 {
            self.elsewhere = hand.elsewhere.get();
        }
    }

    /// Gives an attempt that is to be recorded its number.
    #[inline]
    pub(super) fn number(&mut self, lane: &LaneOwned) {
        self.words[0] = lane.shared.numbered.next() << 16;
        self.standing = self.standing.with_state(State::Recorded);
        if self.words.flags() & flag::ELSEWHERE != 0 {
            self.name_elsewhere();
        }
    }

    /// Whether this is the handling of a message, as opposed to the wait for one.
    pub(super) fn is_handling(&self) -> bool {
        self.standing.purpose() == Purpose::Receive && self.standing.state() != State::Awaiting
    }

    /// The context of what this attempt leads to: its own event when recorded, else the one before.
    /// `ring` is that of the thread.
    pub(super) fn cause(&self, ring: u32) -> Context {
        if self.words.flags() & flag::IN_TRACE == 0 {
            return Context::NONE;
        }
        let is_recorded = matches!(self.standing.state(), State::Recorded | State::Deferred);
        let (ring, sequence) = if is_recorded {
            (
                self.standing.foreign_ring().unwrap_or(ring),
                self.words.sequence(),
            )
        } else {
            (self.words.cause_ring(), self.words.cause_sequence())
        };
        let flags = self.words.flags();
        let mut context = Context {
            producer: self.trace_producer,
            randomness: Randomness::from_bits(self.words[6]).bits(),
            threshold: self.threshold,
            event_producer: self.producer,
            sequence,
            sent_at: 0,
            ring,
            edge: self.edge(),
            trace_high: self.words.trace_high(),
            hops: self.words.hops(),
            flags: Context::flags_of(flags & flag::TRACE_BY_ID != 0, is_recorded),
        };
        if flags & flag::ELSEWHERE != 0 {
            elsewhere::complete(&mut context, self.elsewhere, flags, is_recorded);
        }
        context
    }
}
