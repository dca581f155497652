//! What is under way on this thread: the attempts that have begun and not ended.
//!
//! Sends and handlings nest as calls do, so they lie in a stack, and a probe holds only the place of its
//! attempt. The places are made beforehand: to begin means to write the few words that are known, to
//! end means to complete them where they lie. An attempt leaves the stack when the future that it
//! belongs to yields; it is *parked* in a box that travels with the future, and comes back with the next
//! poll, perhaps on another thread.
//!
//! How many places are in use is not known here but beside the stack ([`crate::context`]), because it is
//! asked where there is no lane.

use super::Purpose;
use crate::edge::EdgeNumber;
use crate::probe::Elsewhere;
use crate::record::sections::Sections;
use crate::record::{Fields, Open};
use crate::ring::{SLOT_WORDS, Words};

/// Places that are made at once; more are made when calls nest deeper.
const PLACES: usize = 16;
/// Most boxes that a thread keeps for attempts of futures that yield.
const PARKED_MAX: usize = 256;

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// Nothing.
    None = 0,
    /// Counted, not recorded.
    Counted = 1,
    /// Will be recorded.
    Recorded = 2,
    /// Will be recorded if the future is ever polled.
    Deferred = 3,
    /// Waits for a message to be received; nothing has happened until it comes.
    Awaiting = 4,
}

const STATES: [State; 8] = [
    State::None,
    State::Counted,
    State::Recorded,
    State::Deferred,
    State::Awaiting,
    State::None,
    State::None,
    State::None,
];

/// Where an attempt stands and where it belongs, in one word so that it is written and compared at once.
///
/// Bits 0–2: [`State`]; 3–5: [`Purpose`]; 6: there are details; 8–29: ring in which it began, 0: the one of this thread;
/// 32–63: generation of the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing(u64);

impl Standing {
    /// What nothing stands like that is under way.
    pub(crate) const NONE: Self = Self(0);

    /// On the ring of this thread.
    #[inline]
    pub(crate) const fn new(generation: u32, state: State, purpose: Purpose) -> Self {
        Self(((generation as u64) << 32) | ((purpose as u64) << 3) | state as u64)
    }

    #[inline]
    pub(crate) const fn state(self) -> State {
        STATES[(self.0 & 7) as usize]
    }

    #[inline]
    pub(crate) const fn purpose(self) -> Purpose {
        Purpose::from_bits((self.0 >> 3) as usize)
    }

    #[inline]
    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Where it began, if that is not the ring of this thread.
    #[inline]
    pub(crate) const fn foreign_ring(self) -> Option<u32> {
        match (self.0 >> 8) as u32 & 0x3f_ffff {
            0 => None,
            ring => Some(ring),
        }
    }

    #[must_use]
    pub(crate) const fn with_state(self, state: State) -> Self {
        Self((self.0 & !7) | state as u64)
    }

    /// Something is to be added to the record.
    #[must_use]
    pub(crate) const fn with_details(self) -> Self {
        Self(self.0 | (1 << 6))
    }

    #[must_use]
    pub(crate) const fn with_ring(self, ring: u32) -> Self {
        Self((self.0 & !(0x3f_ffff << 8)) | ((ring as u64) << 8))
    }
}

/// What is known of an attempt.
///
/// Of one that is only counted, `standing` and the edge and type in `words` hold. `trace_producer`,
/// `producer` and `threshold` hold for what may cause other events. The record has a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Attempt {
    pub(crate) words: Words,
    pub(crate) standing: Standing,
    pub(crate) details: Option<Box<Sections>>,
    /// Producer of the trace, and of the event.
    pub(crate) trace_producer: u64,
    pub(crate) producer: u64,
    /// The largest T so far.
    pub(crate) threshold: u64,
    /// Holds with [`flag::ELSEWHERE`](crate::record::flag::ELSEWHERE).
    pub(crate) elsewhere: Elsewhere,
}

impl Attempt {
    const NONE: Self = Self {
        words: [0; SLOT_WORDS],
        standing: Standing::NONE,
        details: None,
        trace_producer: 0,
        producer: 0,
        threshold: 0,
        elsewhere: Elsewhere::NONE,
    };

    #[inline]
    pub(crate) fn edge(&self) -> EdgeNumber {
        self.words.edge()
    }

    /// Begins with what is known of it; its number is 0.
    #[inline]
    pub(crate) fn open(&mut self, open: &Open, standing: Standing) {
        self.words = open.pack();
        self.standing = standing;
    }
}

/// The places for attempts.
pub(crate) struct Stack(Vec<Attempt>);

impl Stack {
    pub(crate) fn new() -> Self {
        Self((0..PLACES).map(|_| Attempt::NONE).collect())
    }

    /// The place at this depth, if it is there.
    #[inline(always)]
    pub(crate) fn get(&mut self, depth: usize) -> Option<&mut Attempt> {
        self.0.get_mut(depth)
    }

    /// The place at this depth.
    #[inline]
    pub(crate) fn at(&mut self, depth: usize) -> &mut Attempt {
        if depth < self.0.len() {
            &mut self.0[depth]
        } else {
            self.grown(depth)
        }
    }

    /// The place at this depth, which is made with those below.
    #[cold]
    #[inline(never)]
    pub(crate) fn grown(&mut self, depth: usize) -> &mut Attempt {
        self.0
            .resize_with((depth + 1).next_power_of_two(), || Attempt::NONE);
        &mut self.0[depth]
    }

    /// Whether a send over this edge is under way from `base` up to `depth`.
    #[cold]
    #[inline(never)]
    pub(crate) fn sends_over(&self, edge: EdgeNumber, base: usize, depth: usize) -> bool {
        let sends_over = |attempt: &Attempt| {
            attempt.standing.purpose() == Purpose::Send
                && attempt.standing.state() != State::None
                && attempt.edge() == edge
        };
        self.0
            .get(base..depth.min(self.0.len()))
            .is_some_and(|under_way| under_way.iter().any(sends_over))
    }
}

/// Boxes for attempts that leave the stack, used again and again.
pub(crate) struct ParkedPool(
    #[expect(clippy::vec_box, reason = "the boxes travel")] Vec<Box<Attempt>>,
);

impl ParkedPool {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes the attempt out of its place.
    pub(crate) fn park(&mut self, place: &mut Attempt) -> Box<Attempt> {
        let mut parked = self.0.pop().unwrap_or_else(|| Box::new(Attempt::NONE));
        std::mem::swap(&mut *parked, place);
        place.standing = Standing::NONE;
        parked
    }

    /// Puts the attempt back into a place.
    pub(crate) fn unpark(&mut self, mut parked: Box<Attempt>, place: &mut Attempt) {
        std::mem::swap(&mut *parked, place);
        if self.0.len() < PARKED_MAX {
            self.0.push(parked);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_keeps_what_it_is_made_of() {
        for state in [
            State::Counted,
            State::Recorded,
            State::Deferred,
            State::Awaiting,
        ] {
            for purpose in [
                Purpose::Send,
                Purpose::Receive,
                Purpose::Life,
                Purpose::Take,
                Purpose::Loss,
            ] {
                for generation in [1, 7, u32::MAX] {
                    let standing = Standing::new(generation, state, purpose);
                    let parts = |s: Standing| (s.state(), s.purpose(), s.generation());
                    assert_eq!(parts(standing), (state, purpose, generation));
                    assert_eq!(standing.foreign_ring(), None);
                    let elsewhere = standing.with_ring((1 << 22) - 1);
                    assert_eq!(elsewhere.foreign_ring(), Some((1 << 22) - 1));
                    assert_eq!(parts(elsewhere), (state, purpose, generation));
                    assert_eq!(elsewhere.with_ring(0), standing);
                    assert_eq!(
                        standing.with_state(State::Recorded).state(),
                        State::Recorded
                    );
                }
            }
        }
    }

    #[test]
    fn a_send_is_found_between_base_and_depth_only() {
        let mut stack = Stack::new();
        for depth in 0..40 {
            let attempt = stack.at(depth);
            attempt.words[3] = depth as u64;
            attempt.standing = Standing::new(2, State::Counted, Purpose::Send);
        }
        assert!(stack.sends_over(5, 0, 40));
        assert!(stack.sends_over(39, 3, 40));
        assert!(!stack.sends_over(5, 6, 40));
        assert!(!stack.sends_over(5, 0, 5));
        assert!(!stack.sends_over(5, 90, 100));
    }
}
