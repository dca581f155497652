//! The begin of a handling: how long the message waited, and what it causes.

use super::depth::Depth;
use super::elsewhere::waiting_of;
use super::ends::{Name, are_text};
use super::flow::Flow;
use super::send::{Amounts, Facts, number, open, threshold_of, with_shown_names};
use super::site::Site;
use super::trace::Trace;
use crate::context::{CauseFrame, Context, ThreadCause};
use crate::lane::{FlowKey, LaneInUse, LaneOwned, Purpose, with_lane};
use crate::record::flag;

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

/// Begins the handling of a message; true when it is recorded.
#[inline(never)]
pub(super) fn begin_handling(
    flow: &mut Flow,
    receiver: &Receiver<'_>,
    site: &'static Site,
    facts: &Facts<'_>,
) -> bool {
    let nobody = Name::Text("");
    let ends = [nobody, nobody, receiver.actor, receiver.port];
    if are_text(&ends) {
        begin_at(flow, &ends, receiver.is_guess, site, facts)
    } else {
        with_shown_names(&ends, |ends| {
            begin_at(flow, ends, receiver.is_guess, site, facts)
        })
    }
}

fn begin_at(
    flow: &mut Flow,
    ends: &[Name<'_>; 4],
    is_guess: bool,
    site: &'static Site,
    facts: &Facts<'_>,
) -> bool {
    // A handler that is called by another, with a message that carries nothing.
    let handling = ThreadCause::with(ThreadCause::get).flatten();
    let began = with_lane(|hand, lane| {
        let by_edge = facts.context.and_then(Context::edge_here);
        let key = match by_edge.map(FlowKey::Number) {
            Some(by_edge) if is_guess || leads_to(by_edge, ends, site, facts, hand, lane) => {
                by_edge
            }
            _ => FlowKey::Names(ends),
        };
        begin_received(
            flow,
            key,
            Depth::UNKNOWN,
            site,
            facts,
            handling.as_ref(),
            hand,
            lane,
        )
    });
    if let Some(attempt) = flow.attempt() {
        CauseFrame::handle(attempt.cause());
    }
    began.unwrap_or_else(|| {
        crate::runtime::count_without_ring();
        false
    })
}

/// Whether the edge ends at this actor and port. Asks this thread's table, not the dictionary.
fn leads_to(
    edge: FlowKey<'_>,
    [_, _, actor, port]: &[Name<'_>; 4],
    site: &'static Site,
    facts: &Facts<'_>,
    hand: &LaneInUse,
    lane: &mut LaneOwned,
) -> bool {
    let entry = lane.flows.find(
        edge,
        &facts.kind,
        Purpose::Receive,
        site,
        &lane.shared,
        &hand.runtime,
    );
    let is = |name: &Name<'_>, end: &str| matches!(name, Name::Text(text) if *text == end);
    is(actor, &entry.names.to_actor) && is(port, &entry.names.to_port)
}

/// Counts and decides over a message that was taken up; true when it is recorded.
#[expect(
    clippy::too_many_arguments,
    reason = "a receive and a handling share all of it"
)]
pub(super) fn begin_received(
    flow: &mut Flow,
    key: FlowKey<'_>,
    depth: Depth,
    site: &'static Site,
    facts: &Facts<'_>,
    handling: Option<&Context>,
    hand: &mut LaneInUse,
    lane: &mut LaneOwned,
) -> bool {
    let entry = lane.flows.find(
        key,
        &facts.kind,
        Purpose::Receive,
        site,
        &lane.shared,
        &hand.runtime,
    );
    entry.cell.messages.add(1);
    entry.cell.bytes.add(facts.size.bytes);
    let came_with = facts.context.filter(|context| context.is_linked());
    let mut trace = Trace::of(came_with.or(handling), facts, &mut lane.roots, hand);
    if came_with.is_none() && handling.is_none() {
        trace.flags |= flag::UNLINKED;
    }
    let (threshold, policy) = threshold_of(entry, facts.verdict);
    let sampled = threshold.keeps(trace.randomness);
    let waited = came_with.and_then(waiting_of);
    let amounts = Amounts {
        size: facts.size,
        depth,
        wide: waited,
    };
    let attempt = flow.open(open(
        entry,
        &amounts,
        policy,
        threshold,
        &trace,
        Purpose::Receive,
        hand,
    ));
    if sampled {
        number(attempt, &mut lane.sequence, &lane.shared);
    } else {
        entry.cell.not_sampled.add(1);
    }
    sampled
}
