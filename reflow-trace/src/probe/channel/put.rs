//! A message goes in: it is counted and decided over, and its slip is filled in where it lies.

use super::{Slip, Way};
use crate::context::Context;
use crate::lane::{Asking, FlowKey, Held, Here, Purpose};
use crate::probe::depth::Depth;
use crate::probe::flow::Flow;
use crate::probe::send::{Facts, cause_of_send, count_without_ring, is_new, on_lane, open};
use crate::probe::trace::Trace;
use crate::record::{Fields, NO_POLICY, flag, pack_amounts};
use crate::sampling::{Randomness, Threshold};

/// Begins the send. The slip is filled in if a recording sees the message.
#[inline(never)]
pub(super) fn begin(way: Way, depth: Depth, facts: &Facts<'_>, slip: &mut Slip) -> Flow {
    let amounts = pack_amounts(facts.size.bytes, depth.known());
    on_lane(|here| {
        here.with_held(|held| begin_on(here, held, way, facts, amounts, slip))
            .unwrap_or_else(count_without_ring)
    })
}

/// All is known after one visit to the lane: what the record needs, what the slip needs, and one reading
/// of the clock for both.
#[inline(always)]
fn begin_on(
    here: &Here,
    held: &mut Held,
    way: Way,
    facts: &Facts<'_>,
    amounts: u64,
    slip: &mut Slip,
) -> Flow {
    let Held {
        hand, lane, stack, ..
    } = held;
    let key = FlowKey::Number(way.edge);
    let entry = match lane.flows.known(key, facts.kind, Purpose::Send, None) {
        Some(entry) => entry,
        None => {
            let asking = Asking {
                kind: facts.kind,
                purpose: Purpose::Send,
                site: None,
                lane: &lane.shared,
                runtime: &hand.runtime,
            };
            lane.flows.entered(key, &asking)
        }
    };
    let (place, base) = (here.place.depth.get(), here.place.base.get());
    if (place != base || entry.is_off) && !is_new(entry, stack, hand, base, place) {
        go_with_enclosing(here, held, way, facts, slip);
        return Flow::idle();
    }
    entry.cell.messages.add(1);
    entry.cell.bytes.add(facts.size.bytes);
    here.place.depth.set(place + 1);

    let handling = here.cause.get();
    let cause = cause_of_send(facts.context, handling.as_ref());
    let trace = Trace::of(cause, facts, &mut lane.roots, hand);
    let kept = *entry.kept(facts.verdict);
    let message_type = entry.message_type;
    let is_sampled = kept.threshold.keeps(trace.randomness);
    let attempt = stack.at(place);
    let event = if is_sampled {
        attempt.open(
            &open(
                entry,
                kept.policy_word,
                amounts,
                facts.size.memory(),
                facts.size.source,
                &trace,
            ),
            hand.recorded,
        );
        if trace.flags & flag::ELSEWHERE != 0 {
            attempt.stand_in(&trace, kept.threshold, hand);
        }
        attempt.number(lane);
        Some((lane.shared.ring, attempt.words.sequence()))
    } else {
        entry.cell.leave_out(facts.verdict as u64);
        attempt.words[3] = entry.flow_word;
        attempt.standing = hand.counted;
        None
    };
    let now = hand.ticks();
    attempt.words[1] = now;
    *slip = Slip {
        // The overflow edge stands for all that found no room.
        context: trace.context(kept.threshold, event, way.edge, now, hand),
        generation: hand.generation,
        receiver: way.receiver,
        message_type,
        policy: if is_sampled {
            (kept.policy_word >> 48) as u16
        } else {
            NO_POLICY
        },
        is_sampled,
    };
    trace.complete(&mut slip.context, event.is_some(), hand);
    Flow::at(place, is_sampled)
}

/// A connector that uses this channel has begun this very send: the event is its own, and the message
/// carries what the connector has stamped into it.
#[cold]
#[inline(never)]
fn go_with_enclosing(here: &Here, held: &mut Held, way: Way, facts: &Facts<'_>, slip: &mut Slip) {
    let (base, depth) = (here.place.base.get(), here.place.depth.get());
    if !held
        .stack
        .sends_over(way.edge, held.hand.generation, base, depth)
    {
        return;
    }
    let came_with = facts.context.filter(|context| context.is_linked());
    let mut context = came_with.copied().unwrap_or(Context::NONE);
    context.edge = way.edge;
    let is_sampled = came_with.is_some_and(|context| {
        Threshold::from_bits(context.threshold).keeps(Randomness::from_bits(context.randomness))
    });
    let asking = Asking {
        kind: facts.kind,
        purpose: Purpose::Send,
        site: None,
        lane: &held.lane.shared,
        runtime: &held.hand.runtime,
    };
    let entry = held.lane.flows.find(FlowKey::Number(way.edge), asking);
    *slip = Slip {
        context,
        generation: held.hand.generation,
        receiver: way.receiver,
        message_type: entry.message_type,
        policy: NO_POLICY,
        is_sampled,
    };
}
