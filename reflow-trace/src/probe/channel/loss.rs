//! A message is dropped inside a channel: a send that nobody receives.

use super::Slip;
#[cfg(feature = "tokio")]
use crate::context::Context;
use crate::context::active;
use crate::edge::EdgeNumber;
use crate::event::Outcome;
#[cfg(feature = "tokio")]
use crate::lane::{Asking, FlowKey};
use crate::lane::{Held, KindRef, Purpose, Standing, State, with_held};
use crate::message::Size;
use crate::probe::send::Facts;
use crate::probe::trace::Trace;
#[cfg(feature = "tokio")]
use crate::record::flag;
use crate::record::{Fields, Kind, Open, pack_flow, pack_policy};
use crate::sampling::{Threshold, Verdict};

/// A message was dropped inside.
#[cold]
pub(crate) fn dropped(slip: &Slip, edge: EdgeNumber) {
    let counted = with_held(|held| {
        if held.hand.generation != slip.generation {
            return;
        }
        let lane = &mut held.lane;
        let cell = lane
            .flows
            .cell(edge, slip.message_type, Purpose::Loss, &lane.shared);
        cell.messages.add(1);
        if !slip.is_sampled {
            cell.leave_out(Verdict::ByRate as u64);
            return;
        }
        let facts = Facts {
            kind: KindRef::None,
            verdict: Verdict::ByRate,
            size: Size::shallow(0),
            context: None,
            by_id: None,
        };
        let linked = slip.context.is_linked().then_some(&slip.context);
        let trace = Trace::of(linked, &facts, &mut lane.roots, &held.hand);
        record_loss(edge, slip, &trace, held);
    });
    if counted.is_none()
        && crate::runtime::current().is_some_and(|now| now.generation() == slip.generation)
    {
        crate::runtime::count_without_ring();
    }
}

/// Messages were dropped inside of which nothing is left, not even their slips.
#[cfg(feature = "tokio")]
#[cold]
pub(crate) fn dropped_unseen<M>(edge: EdgeNumber, count: u64) {
    let kind = KindRef::Path(std::any::type_name::<M>());
    let facts = Facts {
        kind,
        verdict: Verdict::ByRate,
        size: Size::shallow(size_of::<M>()),
        context: None,
        by_id: None,
    };
    with_held(|held| {
        let asking = Asking {
            kind,
            purpose: Purpose::Loss,
            site: None,
            lane: &held.lane.shared,
            runtime: &held.hand.runtime,
        };
        let entry = held.lane.flows.find(FlowKey::Number(edge), asking);
        let kept = *entry.kept(facts.verdict);
        let cell = std::sync::Arc::clone(&entry.cell);
        let slip = Slip {
            generation: held.hand.generation,
            message_type: entry.message_type,
            policy: (kept.policy_word >> 48) as u16,
            is_sampled: true,
            context: Context::NONE,
            receiver: 0,
        };
        for _ in 0..count {
            cell.messages.add(1);
            let mut trace = Trace::of(None, &facts, &mut held.lane.roots, &held.hand);
            trace.flags |= flag::UNLINKED;
            if kept.threshold.keeps(trace.randomness) {
                record_loss(edge, &slip, &trace, held);
            } else {
                cell.leave_out(facts.verdict as u64);
            }
        }
    });
}

fn record_loss(edge: EdgeNumber, slip: &Slip, trace: &Trace, held: &mut Held) {
    let Held {
        hand, lane, stack, ..
    } = held;
    let now = hand.ticks();
    let stamp = slip.context.is_linked().then(|| slip.context.stamp());
    let open = Open {
        policy_word: pack_policy(slip.policy),
        flow_word: pack_flow(edge, slip.message_type),
        // The event of the send says how large it was.
        amounts: crate::record::UNKNOWN_AMOUNTS,
        wide: stamp.flatten().map(|stamp| now.saturating_sub(stamp)),
        cause_ring: trace.cause_ring,
        cause_sequence: trace.cause_sequence,
        flags: trace.flags,
        randomness: trace.randomness.bits(),
        trace_high: trace.trace_high,
        hops: trace.hops,
    };
    // The place is needed for as long as this takes.
    let attempt = stack.at(active::depth());
    attempt.open(
        &open,
        Standing::new(hand.generation, State::Counted, Purpose::Loss),
    );
    attempt.stand_in(trace, Threshold::ALWAYS, hand);
    attempt.number(lane);
    attempt.words[1] = now;
    attempt
        .words
        .finish(Kind::Send, None, Some(Outcome::Dropped));
    attempt.write(hand, lane);
    attempt.clear();
}
