//! The lane of this thread.

use std::cell::Cell;
use std::sync::Arc;

use super::stack::{ParkedPool, Stack, Standing, State};
use super::{LaneOwned, Purpose};
use crate::clock::{has_counter, ticks_of};
use crate::context::{Place, ThreadCause};
use crate::probe::Elsewhere;
use crate::record::pack_root;
use crate::runtime::{self, Overflow, Runtime};
use crate::sampling::RootNumbering;

/// What a thread needs beside its lane.
pub(crate) struct LaneInUse {
    pub(crate) runtime: Arc<Runtime>,
    /// Copies of what the recording is asked for at each message.
    pub(crate) generation: u32,
    /// What a send of this recording that is counted only stands like; one that is recorded.
    pub(crate) counted: Standing,
    pub(crate) recorded: Standing,
    /// The same, if a record that finds the ring full is simply dropped; else what nothing stands like.
    pub(crate) plainly_recorded: Standing,
    /// Whether the time-stamp counter is the clock.
    pub(crate) has_counter: bool,
    pub(crate) producer: u64,
    pub(crate) overflow: Overflow,
    pub(crate) numbering: RootNumbering,
    /// The upper bits of the trace ids of this ring where a record has them.
    pub(crate) root_word: u64,
    /// What there is to say of the trace that is being decided over; see [`Elsewhere`].
    pub(crate) elsewhere: Cell<Elsewhere>,
}

impl LaneInUse {
    /// Reads the clock.
    #[inline(always)]
    pub(crate) fn ticks(&self) -> u64 {
        ticks_of(self.has_counter)
    }
}

/// A lane in the hands of its thread.
pub(crate) struct Held {
    pub(crate) hand: LaneInUse,
    pub(crate) lane: LaneOwned,
    /// What is under way on this thread.
    pub(crate) stack: Stack,
    /// Boxes for what leaves the stack with a future.
    pub(crate) parked: ParkedPool,
}

/// What a thread has of its own: its lane, and what is asked even where there is no lane. One
/// thread-local, so that it is reached once.
pub(crate) struct Here {
    /// The event that is being handled.
    pub(crate) cause: ThreadCause,
    pub(crate) place: Place,
    /// The word of states that the lane was taken for; see [`runtime::state`].
    state: Cell<u64>,
    /// `None` without a lane, and while it is in use.
    held: Cell<Option<Box<Held>>>,
    is_attaching: Cell<bool>,
}

thread_local! {
    static HERE: Here = const {
        Here {
            cause: ThreadCause::none(),
            place: Place::start(),
            state: Cell::new(0),
            held: Cell::new(None),
            is_attaching: Cell::new(false),
        }
    };
}

/// Runs `f` with what this thread has; `None` where the thread is too far gone to have anything.
///
/// `f` should be a call, so that all of this is inlined where it stands.
#[inline(always)]
pub(crate) fn with_here<R>(f: impl FnOnce(&Here) -> R) -> Option<R> {
    HERE.try_with(f).ok()
}

/// Runs `f` with what this thread holds; see [`Here::with_held`].
#[inline(always)]
pub(crate) fn with_held<R>(f: impl FnOnce(&mut Held) -> R) -> Option<R> {
    with_here(|here| here.with_held(f)).flatten()
}

impl Here {
    /// Runs `f` with what this thread holds, taking a lane if recording is on.
    ///
    /// `None` when recording is off, when there are too many threads, and when this is called from within
    /// itself. Whoever begins an attempt counts it then; see [`runtime::count_without_ring`]. `f` calls no
    /// code of the user's.
    #[inline(always)]
    pub(crate) fn with_held<R>(&self, f: impl FnOnce(&mut Held) -> R) -> Option<R> {
        let mut held = self.take_held()?;
        let result = f(&mut held);
        self.put_back(held);
        Some(result)
    }

    /// Takes out what this thread holds; whoever takes it puts it back.
    #[inline(always)]
    pub(crate) fn take_held(&self) -> Option<Box<Held>> {
        let state = runtime::state();
        if self.state.get() != state {
            self.attach(state);
        }
        self.held.take()
    }

    /// Takes out what this thread holds, if it is of the recording and the policy that are in force.
    #[inline(always)]
    pub(crate) fn take_current(&self) -> Option<Box<Held>> {
        if self.state.get() != runtime::state() {
            return None;
        }
        self.held.take()
    }

    /// Takes out what this thread holds, be the recording over or not.
    #[inline(always)]
    pub(crate) fn take_any(&self) -> Option<Box<Held>> {
        self.held.take()
    }

    /// Puts back what was taken out.
    #[inline(always)]
    pub(crate) fn put_back(&self, held: Box<Held>) {
        // There is nothing in the slot that would have to be dropped.
        std::mem::forget(self.held.replace(Some(held)));
    }

    /// The word of states has changed since the lane was taken: another recording, or another policy.
    #[cold]
    #[inline(never)]
    fn attach(&self, state: u64) {
        // What is allocated here may come from an allocator that is traced itself.
        if self.is_attaching.replace(true) {
            return;
        }
        self.attach_once(state);
        self.is_attaching.set(false);
    }

    fn attach_once(&self, state: u64) {
        let current = runtime::current();
        let mut before = self.held.take();
        if let (Some(held), Some(runtime)) = (&mut before, &current)
            && held.hand.generation == runtime.generation()
        {
            // The policy is read after the word that announces it.
            held.lane.flows.judge_again(runtime);
            self.state.set(state);
            self.held.set(before);
            return;
        }
        // The old lane, of a recording that has ended, goes first; what is under way stays, to be told from
        // the new by its generation.
        let (stack, parked) = match before {
            Some(held) => (held.stack, held.parked),
            None => (Stack::new(), ParkedPool::new()),
        };
        let Some(runtime) = current else {
            return;
        };
        let Some(lane) = runtime.take_lane() else {
            return;
        };
        let numbering = RootNumbering::new(runtime.producer(), lane.shared.ring);
        let overflow = runtime.overflow();
        let (generation, producer) = (runtime.generation(), runtime.producer().bits());
        let recorded = Standing::new(generation, State::Recorded, Purpose::Send);
        // A recording that has begun since `state` was read is found at the next look.
        self.state.set(state);
        self.held.set(Some(Box::new(Held {
            hand: LaneInUse {
                overflow,
                runtime,
                generation,
                counted: Standing::new(generation, State::Counted, Purpose::Send),
                recorded,
                plainly_recorded: if overflow == Overflow::DropNewest {
                    recorded
                } else {
                    Standing::NONE
                },
                has_counter: has_counter(),
                producer,
                numbering,
                root_word: pack_root(numbering.high()),
                elsewhere: Cell::default(),
            },
            lane,
            stack,
            parked,
        })));
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            let Held { hand, lane, .. } = *held;
            hand.runtime.give_back_lane(lane);
        }
    }
}
