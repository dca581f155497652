//! A message comes out: it is counted, and its record is written at once, because how long it will be
//! handled is not known here.

use super::Slip;
use crate::context::{Context, active};
use crate::edge::EdgeNumber;
use crate::event::Outcome;
use crate::lane::{
    Asking, Attempt, FlowKey, Held, Here, LaneInUse, LaneOwned, Purpose, Standing, State, with_held,
};
use crate::probe::flow::Flow;
use crate::probe::send::{Facts, count_without_ring, on_lane, open};
use crate::probe::trace::Trace;
use crate::record::{Fields, Kind, flag, pack_amounts};
use crate::runtime::Overflow;

/// Counts, decides and writes.
#[inline(never)]
pub(super) fn take(slip: &Slip, facts: &Facts<'_>, edge: EdgeNumber) {
    on_lane(|here| {
        here.with_held(|held| {
            if take_on(here, held, slip, facts, edge) {
                let Held {
                    hand, lane, stack, ..
                } = held;
                finish(stack.at(here.place.depth.get()), hand, lane);
            }
            Flow::idle()
        })
        .unwrap_or_else(count_without_ring)
    });
}

/// Counts and decides; what is to be recorded stays on the stack until [`write`].
#[inline(never)]
pub(super) fn begin(slip: &Slip, facts: &Facts<'_>, edge: EdgeNumber) -> Flow {
    on_lane(|here| {
        here.with_held(|held| {
            if !take_on(here, held, slip, facts, edge) {
                return Flow::idle();
            }
            let place = here.place.depth.get();
            here.place.depth.set(place + 1);
            Flow::at(place, true)
        })
        .unwrap_or_else(count_without_ring)
    })
}

/// Writes the record of a message that has come out.
pub(super) fn write(place: usize) {
    active::set_depth(place);
    with_held(|held| {
        let Held {
            hand, lane, stack, ..
        } = held;
        let attempt = stack.at(place);
        if attempt.standing.generation() == hand.generation {
            finish(attempt, hand, lane);
        } else {
            attempt.clear();
        }
    });
}

/// True when the attempt in the place that is free next is to be recorded.
#[inline(always)]
fn take_on(here: &Here, held: &mut Held, slip: &Slip, facts: &Facts<'_>, edge: EdgeNumber) -> bool {
    let Held {
        hand, lane, stack, ..
    } = held;
    if hand.generation != slip.generation {
        return false;
    }
    let key = FlowKey::Number(edge);
    // Also where the edge was switched off meanwhile: what went in comes out.
    let entry = match lane.flows.known(key, facts.kind, Purpose::Take, None) {
        Some(entry) => entry,
        None => {
            let asking = Asking {
                kind: facts.kind,
                purpose: Purpose::Take,
                site: None,
                lane: &lane.shared,
                runtime: &hand.runtime,
            };
            lane.flows.entered(key, &asking)
        }
    };
    entry.cell.messages.add(1);
    entry.cell.bytes.add(facts.size.bytes);
    let came_with = facts.context.filter(|context| context.is_linked());
    let mut trace = Trace::of(came_with, facts, &mut lane.roots, hand);
    if came_with.is_none() {
        trace.flags |= flag::UNLINKED;
    }
    let kept = *entry.kept(facts.verdict);
    let is_sampled = kept.threshold.keeps(trace.randomness);
    let is_task = here.cause.is_of_task();
    if !is_sampled {
        entry.cell.leave_out(facts.verdict as u64);
        if !is_task {
            return false;
        }
    }
    let now = hand.ticks();
    let stamp = came_with.and_then(Context::stamp);
    let waited = stamp.map(|stamp| now.saturating_sub(stamp));
    let amounts = pack_amounts(facts.size.bytes, None);
    // The place is needed for as long as this takes.
    let attempt = stack.at(here.place.depth.get());
    attempt.open(
        &open(
            entry,
            kept.policy_word,
            amounts,
            waited,
            facts.size.source,
            &trace,
        ),
        Standing::new(hand.generation, State::Counted, Purpose::Take),
    );
    if is_task || trace.flags & flag::ELSEWHERE != 0 {
        attempt.stand_in(&trace, kept.threshold, hand);
    }
    if is_sampled {
        attempt.number(lane);
        attempt.words[1] = now;
    }
    if is_task {
        here.cause.receive(&attempt.cause(lane.shared.ring));
    }
    is_sampled
}

#[inline(always)]
fn finish(attempt: &mut Attempt, hand: &LaneInUse, lane: &mut LaneOwned) {
    attempt
        .words
        .finish(Kind::MessageReceived, None, Some(Outcome::Delivered));
    let is_plain = attempt.standing
        == Standing::new(hand.generation, State::Recorded, Purpose::Take)
        && hand.overflow == Overflow::DropNewest;
    if is_plain && lane.writer.has_plenty() {
        lane.writer.write_one(&attempt.words);
    } else {
        attempt.write(hand, lane);
        attempt.clear();
    }
}
