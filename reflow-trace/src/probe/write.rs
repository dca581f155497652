//! Writing a finished record to the ring of this thread.

use std::time::{Duration, Instant};

use crate::lane::{LaneInUse, LaneOwned};
use crate::record::Fields;
use crate::ring::{RingFull, SLOT_WORDS, Words};
use crate::runtime::Overflow;

/// Writes a record as the overflow policy of the recording has it, and counts what became of it.
#[inline(never)]
pub(super) fn write_record(
    words: &mut Words,
    rest: &[u64],
    hand: &LaneInUse,
    lane: &mut LaneOwned,
) {
    words.set_slots(rest.len() / SLOT_WORDS);
    let before = lane.writer.position();
    let written = match hand.overflow {
        Overflow::DropNewest => lane.writer.push(words, rest),
        Overflow::OverwriteOldest => lane.writer.push_overwriting(words, rest),
        Overflow::Wait(bound) => push_waiting(words, rest, bound, hand, lane),
    };
    if written == Err(RingFull) {
        count_lost(rest, lane);
    }
    // Four times round the ring the writer looks how full it is. The collector comes by often enough for
    // steady traffic; only a sudden burst has to wake it, because waking costs a system call.
    if (before ^ lane.writer.position()) > lane.writer.quarter_mask() {
        wake_if_filling(hand, lane);
    }
}

#[cold]
#[inline(never)]
fn wake_if_filling(hand: &LaneInUse, lane: &mut LaneOwned) {
    if lane.writer.unread() >= 3 * (lane.writer.quarter_mask() + 1) {
        hand.runtime.wake_collector();
    }
}

#[cold]
fn count_lost(rest: &[u64], lane: &LaneOwned) {
    let is_too_large = rest.len() / SLOT_WORDS >= lane.writer.capacity();
    let lost = if is_too_large {
        &lane.shared.too_large
    } else {
        &lane.shared.ring_full
    };
    lost.add(1);
}

#[cold]
fn push_waiting(
    words: &Words,
    rest: &[u64],
    bound: Duration,
    hand: &LaneInUse,
    lane: &mut LaneOwned,
) -> Result<(), RingFull> {
    let first_try = lane.writer.push(words, rest);
    if first_try.is_ok() || rest.len() / SLOT_WORDS >= lane.writer.capacity() {
        return first_try;
    }
    let start = Instant::now();
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
