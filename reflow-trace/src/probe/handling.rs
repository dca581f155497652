//! The begin of a handling: how long the message waited, and what it causes.

use super::ends::Name;
use super::flow::Flow;
use super::send::{Facts, Trace, edge_of, prepare, start, threshold_of, with_shown_names};
use super::site::Site;
use crate::clock::ticks;
use crate::context::{Context, ThreadCause};
use crate::lane::{FlowKey, LaneInUse, LaneOwned, Purpose, with_lane};
use crate::sampling::Randomness;

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
    Receiver { actor, port, is_guess: false }
}

/// An actor whose name is only known to the message that came to it; else it is called `type_name`.
#[inline]
pub fn receiver_by_default(type_name: &str) -> Receiver<'_> {
    Receiver { actor: Name::Text(type_name), port: Name::Text("in"), is_guess: true }
}

/// Begins the handling of a message; true when it is recorded.
#[inline(never)]
pub(super) fn begin_handling(
    flow: &mut Flow,
    receiver: &Receiver<'_>,
    site: &'static Site,
    facts: &Facts<'_>,
) -> bool {
    let nobody = Name::Text("");
    match (receiver.actor, receiver.port) {
        (Name::Text(actor), Name::Text(port)) => {
            begin_at(flow, [actor, port], receiver.is_guess, site, facts)
        }
        (actor, port) => with_shown_names(&[nobody, nobody, actor, port], |[_, _, actor, port]| {
            begin_at(flow, [actor, port], receiver.is_guess, site, facts)
        }),
    }
}

fn begin_at(flow: &mut Flow, at: [&str; 2], is_guess: bool, site: &'static Site, facts: &Facts<'_>) -> bool {
    let began = with_lane(|hand, lane| {
        let came_with = facts.context.copied().unwrap_or(Context::NONE);
        let named = FlowKey::Names(["", "", at[0], at[1]]);
        let key = match edge_of(&came_with, hand).map(FlowKey::Number) {
            Some(by_edge) if is_guess || leads_to(by_edge, at, site, facts, hand, lane) => by_edge,
            _ => named,
        };
        begin_received(flow, key, site, facts, &came_with, hand, lane)
    });
    if began.is_some() {
        ThreadCause::with(|thread| thread.set(flow.cause()));
    }
    began.unwrap_or(false)
}

/// Whether the edge ends at this actor and port. Asks this thread's table, not the dictionary.
fn leads_to(
    edge: FlowKey<'_>,
    [actor, port]: [&str; 2],
    site: &'static Site,
    facts: &Facts<'_>,
    hand: &LaneInUse,
    lane: &mut LaneOwned,
) -> bool {
    let entry = lane.flows.find(edge, facts.kind, Purpose::Receive, site, &lane.shared, &hand.runtime);
    &*entry.names.to_actor == actor && &*entry.names.to_port == port
}

/// Counts and decides over a message that was taken up; true when it is recorded.
pub(super) fn begin_received(
    flow: &mut Flow,
    key: FlowKey<'_>,
    site: &'static Site,
    facts: &Facts<'_>,
    came_with: &Context,
    hand: &mut LaneInUse,
    lane: &mut LaneOwned,
) -> bool {
    let entry = lane.flows.find(key, facts.kind, Purpose::Receive, site, &lane.shared, &hand.runtime);
    entry.cell.messages.add(1);
    entry.cell.bytes.add(facts.size.bytes);
    let cause = if came_with.is_linked() {
        *came_with
    } else {
        ThreadCause::with(ThreadCause::get).unwrap_or(Context::NONE)
    };
    let mut trace = Trace::continuing(&cause, facts.by_id, &mut lane.roots, hand);
    // The hop was counted when the message was sent.
    let (threshold, policy) = threshold_of(entry, facts.verdict);
    trace.context.threshold = trace.context.threshold.max(threshold.bits());
    let sampled = threshold.keeps(Randomness::from_bits(trace.context.randomness));
    if !sampled {
        entry.cell.not_sampled.add(1);
    }
    let same_clock = came_with.sent_at != 0 && came_with.producer == hand.runtime.producer().bits();
    let waited = same_clock.then(|| ticks().saturating_sub(came_with.sent_at));
    prepare(flow, entry, facts.size, None, waited, policy, &cause, &trace, hand);
    start(flow, sampled, Purpose::Receive, hand, lane);
    sampled
}
