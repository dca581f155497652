//! The lane of this thread.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::LaneOwned;
use crate::probe::Elsewhere;
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
    /// What there is to say of the trace that is being decided over; see [`Elsewhere`].
    pub(crate) elsewhere: Cell<Elsewhere>,
}

/// A lane in the hands of its thread.
struct Held {
    hand: LaneInUse,
    /// `None` only while it is being given back.
    lane: Option<LaneOwned>,
}

/// The place of a thread for its lane.
pub(crate) struct LaneSlot(RefCell<Option<Held>>);

thread_local! {
    static LANE: LaneSlot = const { LaneSlot(RefCell::new(None)) };
}

/// Runs `f` with the place of this thread's lane; `None` where the thread is too far gone to have one.
///
/// `f` should be small, so that all of this is inlined where it is called.
#[inline(always)]
pub(crate) fn with_slot<R>(f: impl FnOnce(&LaneSlot) -> R) -> Option<R> {
    LANE.try_with(f).ok()
}

/// Runs `f` with the lane of this thread, taking one if recording is on; see [`LaneSlot::with_lane`].
#[inline(always)]
pub(crate) fn with_lane<R>(f: impl FnOnce(&mut LaneInUse, &mut LaneOwned) -> R) -> Option<R> {
    with_slot(|slot| slot.with_lane(f)).flatten()
}

impl LaneSlot {
    /// Runs `f` with the lane, taking one if recording is on.
    ///
    /// `None` when recording is off, when there are too many threads, and when this is called from
    /// within itself. Whoever begins an attempt counts it then; see [`runtime::count_without_ring`].
    #[inline(always)]
    pub(crate) fn with_lane<R>(
        &self,
        f: impl FnOnce(&mut LaneInUse, &mut LaneOwned) -> R,
    ) -> Option<R> {
        let mut slot = self.0.try_borrow_mut().ok()?;
        let generation = runtime::state().load(Ordering::Relaxed);
        match &mut *slot {
            Some(held) if held.hand.generation == generation => {}
            other => attach(other),
        }
        match &mut *slot {
            Some(Held {
                hand,
                lane: Some(lane),
            }) => Some(f(hand, lane)),
            _ => None,
        }
    }
}

#[cold]
fn attach(slot: &mut Option<Held>) {
    // The old lane, of a recording that has ended, goes first.
    *slot = None;
    let Some(runtime) = runtime::current() else {
        return;
    };
    let Some(lane) = runtime.take_lane() else {
        return;
    };
    let numbering = RootNumbering::new(runtime.producer(), lane.shared.ring);
    let (generation, producer) = (runtime.generation(), runtime.producer().bits());
    let hand = LaneInUse {
        overflow: runtime.overflow(),
        runtime,
        generation,
        producer,
        numbering,
        elsewhere: Cell::default(),
    };
    *slot = Some(Held {
        hand,
        lane: Some(lane),
    });
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(lane) = self.lane.take() {
            self.hand.runtime.give_back_lane(lane);
        }
    }
}
