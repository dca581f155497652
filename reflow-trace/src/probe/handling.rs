//! The begin of a handling: how long the message waited, and what it causes.

use super::depth::Depth;
use super::elsewhere::waiting_of;
use super::ends::Name;
use super::flow::Flow;
use super::send::{Facts, count_without_ring, open, with_shown_names};
use super::site::Site;
use super::trace::Trace;
use crate::context::{CauseFrame, Context, ThreadCause, active};
use crate::edge::EdgeNumber;
use crate::lane::{Asking, FlowKey, Held, Purpose, Standing, State, with_held};
use crate::record::{flag, pack_amounts};

/// Who handles the message.
#[derive(Clone, Copy, Debug)]
pub struct Receiver<'a> {
    actor: Name<'a>,
    port: Name<'a>,
    /// The name is only that of the type; what the message says of its edge is better.
    is_guess: bool,
}

/// An actor by its name and the port the message came in by.
#[inline]
pub fn receiver<'a>(actor: Name<'a>, port: Name<'a>) -> Receiver<'a> {
    Receiver {
        actor,
        port,
        is_guess: false,
    }
}

/// An actor whose name is only known to the message that came to it; else it is called `type_name`.
#[inline]
pub fn receiver_by_default(type_name: &str) -> Receiver<'_> {
    Receiver {
        actor: Name::Text(type_name),
        port: Name::Text("in"),
        is_guess: true,
    }
}

/// Begins the handling of a message.
#[inline(never)]
pub(super) fn begin_handling(
    receiver: &Receiver<'_>,
    site: &'static Site,
    facts: &Facts<'_>,
) -> Flow {
    match (receiver.actor, receiver.port) {
        (Name::Text(actor), Name::Text(port)) => {
            begin_at(&["", "", actor, port], receiver.is_guess, site, facts)
        }
        (actor, port) => {
            let nobody = Name::Text("");
            with_shown_names(&[nobody, nobody, actor, port], |ends| {
                begin_at(ends, receiver.is_guess, site, facts)
            })
        }
    }
}

fn begin_at(ends: &[&str; 4], is_guess: bool, site: &'static Site, facts: &Facts<'_>) -> Flow {
    // A handler that is called by another, with a message that carries nothing.
    let handling = ThreadCause::with(ThreadCause::get).flatten();
    let by_edge = facts.context.and_then(Context::edge_here);
    let key = match by_edge {
        Some(edge) if is_guess || leads_to(edge, ends, site, facts) => FlowKey::Number(edge),
        _ => FlowKey::Names(ends),
    };
    begin_received(key, Depth::UNKNOWN, site, facts, handling.as_ref())
}

/// What is sent from now on is caused by this handling, until the frame is left.
pub(super) fn cause_by(flow: &Flow) {
    if !flow.is_active() {
        return;
    }
    if let Some(cause) = cause_of(active::depth() - 1) {
        CauseFrame::handle(cause);
    }
}

/// What the attempt in this place leads to.
pub(super) fn cause_of(place: usize) -> Option<Context> {
    with_held(|held| {
        let ring = held.lane.shared.ring;
        held.stack.at(place).cause(ring)
    })
}

/// Whether the edge ends at this actor and port. Asks this thread's table, not the dictionary.
fn leads_to(
    edge: EdgeNumber,
    [_, _, actor, port]: &[&str; 4],
    site: &'static Site,
    facts: &Facts<'_>,
) -> bool {
    with_held(|held| {
        let asking = Asking {
            kind: facts.kind,
            purpose: Purpose::Receive,
            site: site.if_not_plain(),
            lane: &held.lane.shared,
            runtime: &held.hand.runtime,
        };
        let entry = held.lane.flows.find(FlowKey::Number(edge), asking);
        *actor == &*entry.names.to_actor && *port == &*entry.names.to_port
    }) == Some(true)
}

/// Counts and decides over a message that was taken up.
pub(super) fn begin_received(
    key: FlowKey<'_>,
    depth: Depth,
    site: &'static Site,
    facts: &Facts<'_>,
    handling: Option<&Context>,
) -> Flow {
    with_held(|held| {
        let Held {
            hand, lane, stack, ..
        } = held;
        let asking = Asking {
            kind: facts.kind,
            purpose: Purpose::Receive,
            site: site.if_not_plain(),
            lane: &lane.shared,
            runtime: &hand.runtime,
        };
        let entry = lane.flows.find(key, asking);
        if entry.is_off {
            return Flow::idle();
        }
        entry.cell.messages.add(1);
        entry.cell.bytes.add(facts.size.bytes);
        let came_with = facts.context.filter(|context| context.is_linked());
        let mut trace = Trace::of(came_with.or(handling), facts, &mut lane.roots, hand);
        if came_with.is_none() && handling.is_none() {
            trace.flags |= flag::UNLINKED;
        }
        let kept = entry.kept(facts.verdict);
        let sampled = kept.threshold.keeps(trace.randomness);
        let waited = came_with.and_then(waiting_of);
        let amounts = pack_amounts(facts.size.bytes, depth.known());
        let place = active::depth();
        active::set_depth(place + 1);
        let attempt = stack.at(place);
        attempt.open(
            &open(
                entry,
                kept.policy_word,
                amounts,
                waited,
                facts.size.source,
                &trace,
            ),
            Standing::new(hand.generation, State::Counted, Purpose::Receive),
        );
        attempt.stand_in(&trace, kept.threshold, hand);
        if sampled {
            attempt.number(lane);
            attempt.words[1] = hand.ticks();
        } else {
            entry.cell.leave_out(facts.verdict as u64);
        }
        Flow::at(place, sampled)
    })
    .unwrap_or_else(count_without_ring)
}
