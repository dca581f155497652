//! The lane of this thread.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::LaneOwned;
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
struct Held {
    hand: LaneInUse,
    /// `None` only while it is being given back.
    lane: Option<LaneOwned>,
}

thread_local! {
    static LANE: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Runs `f` with the lane of this thread, taking one if recording is on.
///
/// `None` when recording is off, when the thread is too far gone to have a lane, and when this is
/// called from within itself; the latter two are counted.
#[inline(always)]
pub(crate) fn with_lane<R>(f: impl FnOnce(&mut LaneInUse, &mut LaneOwned) -> R) -> Option<R> {
    let answer = LANE.try_with(|slot| {
        let mut slot = slot.try_borrow_mut().ok()?;
        let generation = runtime::state().load(Ordering::Relaxed);
        if slot
            .as_ref()
            .is_none_or(|held| held.hand.generation != generation)
        {
            attach(&mut slot);
        }
        let Some(Held {
            hand,
            lane: Some(lane),
        }) = slot.as_mut()
        else {
            return Some(None);
        };
        Some(Some(f(hand, lane)))
    });
    match answer {
        Ok(Some(result)) => result,
        Ok(None) | Err(_) => {
            runtime::count_without_ring();
            None
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
