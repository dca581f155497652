//! One attempt, from its begin to its end.

use crate::clock::ticks;
use crate::context::Context;
use crate::edge::EdgeNumber;
use crate::event::Outcome;
use crate::lane::{LaneInUse, LaneOwned, Purpose, with_lane};
use crate::message::{AttributeValue, Attributes};
use crate::record::sections::{Sections, Tag};
use crate::record::{Fields, Kind, flag};
use crate::ring::{RingFull, SLOT_WORDS, Words};
use crate::runtime::Overflow;

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing began, or all is over.
    Idle,
    /// Counted, not recorded.
    Counted,
    /// Will be recorded.
    Recorded,
    /// Will be recorded if the future is ever polled.
    Deferred,
    /// Waits for a message to be received; nothing has happened until it comes.
    Awaiting,
}

/// One attempt to send or to handle a message, or one life of an actor.
///
/// It holds the record as far as it is known. Dropped before its end it was cancelled, or it panicked.
#[derive(Debug)]
pub struct Flow {
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
    delivers_on_drop: bool,
    began_while_panicking: bool,
}

impl Flow {
    /// No attempt.
    #[inline]
    pub const fn idle() -> Self {
        Self {
            words: [0; SLOT_WORDS],
            details: None,
            trace_producer: 0,
            threshold: 0,
            generation: 0,
            ring: 0,
            state: State::Idle,
            purpose: Purpose::Send,
            is_on_stack: false,
            delivers_on_drop: false,
            began_while_panicking: false,
        }
    }

    /// Whether this attempt is being recorded.
    #[inline]
    pub fn wants_details(&self) -> bool {
        self.state == State::Recorded
    }

    /// Whether there is anything to end.
    #[inline]
    pub fn is_active(&self) -> bool {
        self.state != State::Idle
    }

    /// Whether this is the handling of a message, as opposed to the wait for one.
    pub(super) fn is_handling(&self) -> bool {
        self.purpose == Purpose::Receive && self.state != State::Awaiting
    }

    /// Adds a named value to the record; nothing when it is not being recorded.
    pub fn attribute(&mut self, key: &'static str, value: AttributeValue<'_>) {
        self.describe(|attributes| attributes.put(key, value));
    }

    pub(super) fn describe(&mut self, write: impl FnOnce(&mut Attributes<'_>)) {
        if self.wants_details() {
            let sections = self.details.get_or_insert_with(take_details);
            write(&mut Attributes::new(sections));
        }
    }

    /// From now on, being dropped without a panic means delivered.
    ///
    /// For bodies that cannot be wrapped in a closure.
    #[inline]
    pub fn deliver_on_drop(&mut self) {
        self.delivers_on_drop = true;
        self.began_while_panicking = std::thread::panicking();
    }

    /// The attempt begins at the first poll of a future; if that never comes, there was none.
    pub fn defer(&mut self) {
        if self.state != State::Recorded {
            // What is not recorded is counted at the call; it is not worth wrapping the future.
            self.leave_stack();
            return;
        }
        self.state = State::Deferred;
        with_lane(|hand, lane| {
            let cell = lane.flows.cell(self.edge(), self.message_type(), self.purpose, &lane.shared);
            cell.messages.subtract(1);
            cell.bytes.subtract(self.counted_bytes());
            lane.shared.begun.subtract(1);
            hand.pop_active(self.edge());
        });
        self.is_on_stack = false;
    }

    /// A deferred attempt begins.
    pub(super) fn begin_deferred(&mut self) {
        if self.state != State::Deferred {
            return;
        }
        self.state = State::Recorded;
        with_lane(|_, lane| {
            let cell = lane.flows.cell(self.edge(), self.message_type(), self.purpose, &lane.shared);
            cell.messages.add(1);
            cell.bytes.add(self.counted_bytes());
            lane.shared.begun.add(1);
        });
        self.words[1] = ticks();
    }

    /// Ends the attempt.
    #[inline]
    pub fn end(&mut self, outcome: Outcome) {
        if self.state != State::Idle {
            self.end_active(outcome);
        }
    }

    #[inline(never)]
    fn end_active(&mut self, outcome: Outcome) {
        let now = ticks();
        let state = std::mem::replace(&mut self.state, State::Idle);
        match state {
            State::Awaiting => return,
            State::Deferred => return self.give_back_details(),
            State::Idle | State::Counted | State::Recorded => {}
        }
        let kind = match (self.purpose, outcome) {
            (Purpose::Send, _) => Kind::Send,
            (Purpose::Receive, _) => Kind::MessageReceived,
            (Purpose::Life, Outcome::Delivered) => Kind::ActorCompleted,
            (Purpose::Life, _) => Kind::ActorFailed,
        };
        let duration = now.saturating_sub(self.words[1]);
        let has_lane = with_lane(|hand, lane| {
            if self.is_on_stack {
                hand.pop_active(self.edge());
            }
            if hand.runtime.generation() != self.generation {
                return;
            }
            if outcome != Outcome::Delivered {
                let cell = lane.flows.cell(self.edge(), self.message_type(), self.purpose, &lane.shared);
                cell.failures.add(1);
            }
            if state == State::Recorded {
                self.words.finish(kind, Some(duration), Some(outcome));
                self.write(hand, lane);
            }
        });
        self.is_on_stack = false;
        if has_lane.is_none() && state == State::Recorded {
            crate::runtime::count_end_without_ring(self.generation);
        }
        self.give_back_details();
    }

    pub(super) fn write(&mut self, hand: &LaneInUse, lane: &mut LaneOwned) {
        lane.shared.ended.add(1);
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

    /// The trace began in another process: the record names it in full.
    #[cold]
    pub(super) fn name_foreign_trace(&mut self) {
        if let Some(trace) = self.cause().trace_id() {
            self.details.get_or_insert_with(take_details).put(Tag::TraceId, trace.0.as_bytes());
        }
    }

    pub(super) fn give_back_details(&mut self) {
        if let Some(sections) = self.details.take() {
            give_back_details(sections);
        }
    }

    /// Takes the edge off this thread's stack; the attempt goes on elsewhere.
    pub(super) fn leave_stack(&mut self) {
        if self.is_on_stack {
            self.is_on_stack = false;
            with_lane(|hand, _| hand.pop_active(self.edge()));
        }
    }

    #[inline]
    pub(super) fn edge(&self) -> EdgeNumber {
        self.words.edge()
    }

    #[inline]
    fn message_type(&self) -> u32 {
        self.words.message_type()
    }

    /// The size as it was counted.
    fn counted_bytes(&self) -> u64 {
        self.words.size().unwrap_or(0)
    }

    /// The context of what this attempt leads to: its own event when recorded, else the one before.
    pub(super) fn cause(&self) -> Context {
        if !self.is_active() || self.words.flags() & flag::IN_TRACE == 0 {
            return Context::NONE;
        }
        let mut context = Context::root(
            self.trace_producer,
            self.words.trace_high(),
            crate::sampling::Randomness::from_bits(self.words[6]),
            self.words.flags() & flag::TRACE_BY_ID != 0,
        );
        context.threshold = self.threshold;
        context.hops = self.words.hops();
        context.edge = self.edge();
        context.event_producer = self.trace_producer;
        (context.ring, context.sequence) = if matches!(self.state, State::Recorded | State::Deferred) {
            (self.ring, self.words.sequence())
        } else {
            (self.words.cause_ring(), self.words.cause_sequence())
        };
        context
    }
}

/// Writes a finished record as the overflow policy of the recording has it.
pub(super) fn write_record(words: &mut Words, rest: &[u64], hand: &LaneInUse, lane: &mut LaneOwned) {
    words.set_slots(rest.len() / SLOT_WORDS);
    let before = lane.writer.position();
    let written = match hand.runtime.overflow() {
        Overflow::DropNewest => lane.writer.push(words, rest),
        Overflow::OverwriteOldest => lane.writer.push_overwriting(words, rest),
        Overflow::Wait(bound) => push_waiting(words, rest, bound, hand, lane),
    };
    let shared = &lane.shared;
    match written {
        Ok(()) => shared.written.add(1),
        Err(RingFull) if rest.len() / SLOT_WORDS >= lane.writer.capacity() => shared.too_large.add(1),
        Err(RingFull) => shared.ring_full.add(1),
    }
    // Twice round the ring the collector is woken, so that it need not hurry otherwise.
    let half = lane.writer.capacity() as u64 / 2;
    if (before ^ lane.writer.position()) & half != 0 {
        hand.runtime.wake_collector();
    }
}

#[cold]
fn push_waiting(
    words: &Words,
    rest: &[u64],
    bound: std::time::Duration,
    hand: &LaneInUse,
    lane: &mut LaneOwned,
) -> Result<(), RingFull> {
    let first_try = lane.writer.push(words, rest);
    if first_try.is_ok() || rest.len() / SLOT_WORDS >= lane.writer.capacity() {
        return first_try;
    }
    let start = std::time::Instant::now();
    loop {
        hand.runtime.wake_collector();
        std::thread::yield_now();
        if lane.writer.push(words, rest).is_ok() {
            return Ok(());
        }
        if start.elapsed() >= bound {
            return Err(RingFull);
        }
    }
}

impl Drop for Flow {
    #[inline]
    fn drop(&mut self) {
        if self.state != State::Idle {
            self.end_by_drop();
        }
    }
}

impl Flow {
    #[cold]
    fn end_by_drop(&mut self) {
        let panics = std::thread::panicking() && !self.began_while_panicking;
        self.end(match (panics, self.delivers_on_drop) {
            (true, _) => Outcome::Panicked,
            (false, true) => Outcome::Delivered,
            (false, false) => Outcome::Cancelled,
        });
    }
}

mod details_pool {
    //! Buffers for attributes, used again and again, so that recording does not allocate.

    use std::cell::RefCell;

    use crate::record::sections::Sections;

    /// Most buffers that a thread keeps.
    const KEPT_MAX: usize = 16;
    /// Buffers that have grown beyond this are not kept.
    const KEPT_BYTES_MAX: usize = 4096;

    thread_local! {
        #[expect(clippy::vec_box, reason = "the boxes travel in flows; the vector only keeps them")]
        static POOL: RefCell<Vec<Box<Sections>>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn take_details() -> Box<Sections> {
        POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop()).ok().flatten().unwrap_or_default()
    }

    pub(super) fn give_back_details(mut sections: Box<Sections>) {
        if sections.capacity_bytes() > KEPT_BYTES_MAX {
            return;
        }
        sections.clear();
        // A thread that is exiting keeps nothing.
        let _kept = POOL.try_with(|pool| {
            if let Ok(mut pool) = pool.try_borrow_mut()
                && pool.len() < KEPT_MAX
            {
                pool.push(sections);
            }
        });
    }
}

use details_pool::{give_back_details, take_details};
