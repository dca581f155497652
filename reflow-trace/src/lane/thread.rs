//! The lane of this thread.

use std::cell::Cell;
use std::sync::Arc;

use super::stack::Stack;
use super::{LaneOwned, ParkedPool};
use crate::runtime::{self, Overflow, Runtime};
use crate::sampling::RootNumbering;

/// What a thread needs beside its lane.
pub(crate) struct LaneInUse {
    pub(crate) runtime: Arc<Runtime>,
    /// Copies of what the recording is asked for at each message.
    pub(crate) generation: u32,
    pub(crate) producer: u64,
    pub(crate) overflow: Overflow,
    pub(crate) numbering: RootNumbering,
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

/// The place of a thread for its lane.
pub(crate) struct LaneSlot {
    /// The word of states that the lane was taken for; see [`runtime::state`].
    state: Cell<u64>,
    /// `None` without a lane, and while it is in use.
    held: Cell<Option<Box<Held>>>,
    is_attaching: Cell<bool>,
}

thread_local! {
    static LANE: LaneSlot = const {
        LaneSlot { state: Cell::new(0), held: Cell::new(None), is_attaching: Cell::new(false) }
    };
}

/// Runs `f` with the place of this thread's lane; `None` where the thread is too far gone to have one.
///
/// `f` should be a call, so that all of this is inlined where it stands.
#[inline(always)]
pub(crate) fn with_slot<R>(f: impl FnOnce(&LaneSlot) -> R) -> Option<R> {
    LANE.try_with(f).ok()
}

/// Runs `f` with what this thread holds; see [`LaneSlot::with_held`].
#[inline(always)]
pub(crate) fn with_held<R>(f: impl FnOnce(&mut Held) -> R) -> Option<R> {
    with_slot(|slot| slot.with_held(f)).flatten()
}

impl LaneSlot {
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

    /// Puts back what [`Self::take_held`] took out.
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
        let (generation, producer) = (runtime.generation(), runtime.producer().bits());
        // A recording that has begun since `state` was read is found at the next look.
        self.state.set(state);
        self.held.set(Some(Box::new(Held {
            hand: LaneInUse {
                overflow: runtime.overflow(),
                runtime,
                generation,
                producer,
                numbering,
            },
            lane,
            stack,
            parked,
        })));
    }
}

impl Drop for LaneSlot {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            let Held { hand, lane, .. } = *held;
            hand.runtime.give_back_lane(lane);
        }
    }
}
