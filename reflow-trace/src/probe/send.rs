//! The begin of a send: suppressed or counted, sampled or not, stamped.

use std::fmt::Write as _;

use super::depth::Depth;
use super::ends::{Ends, Name, are_text};
use super::flow::{Attempt, Counted, Flow, Stage, State};
use super::site::Site;
use super::trace::Trace;
use crate::context::active;
use crate::context::{Context, ThreadCause};
use crate::edge::{BoundedName, OVERFLOW_EDGE};
use crate::lane::{
    FlowEntry, FlowKey, KindRef, LaneInUse, LaneShared, LaneSlot, Purpose, with_slot,
};
use crate::message::{AttributeValue, Size, SizeSource};
use crate::record::{NO_POLICY, Open, flag};
use crate::sampling::{Threshold, Verdict};

/// What a probe knows of the message.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) kind: KindRef,
    pub(super) verdict: Verdict,
    pub(super) size: Size,
    /// Room for a context, as it came; `None` where the type has no room.
    pub(super) context: Option<&'a Context>,
    /// By which the hops of a message without context are sampled together.
    pub(super) id: Option<AttributeValue<'a>>,
}

/// A send that is about to begin.
pub(super) struct Request<'a> {
    pub(super) ends: Ends<'a>,
    pub(super) depth: Depth,
    pub(super) site: &'static Site,
    pub(super) facts: Facts<'a>,
}

/// Decides over a send and begins it. True when it is recorded; `outgoing` is then, or when the
/// message is only counted, the context to travel with it.
#[inline]
pub(super) fn begin_send(
    flow: &mut Flow,
    request: &Request<'_>,
    outgoing: Option<&mut Context>,
) -> bool {
    with_slot(|slot| begin_on(slot, flow, request, outgoing)).unwrap_or_else(count_without_ring)
}

#[inline(never)]
fn begin_on(
    slot: &LaneSlot,
    flow: &mut Flow,
    request: &Request<'_>,
    outgoing: Option<&mut Context>,
) -> bool {
    let key = match &request.ends {
        Ends::Handle(edge) => FlowKey::Handle(edge),
        Ends::Names(names) if are_text(names) => FlowKey::Names(names),
        Ends::Names(names) => return begin_shown(slot, flow, names, request, outgoing),
    };
    begin_over(slot, flow, key, request, outgoing)
}

#[cold]
fn begin_shown(
    slot: &LaneSlot,
    flow: &mut Flow,
    names: &[Name<'_>; 4],
    request: &Request<'_>,
    outgoing: Option<&mut Context>,
) -> bool {
    with_shown_names(names, |names| {
        let request = Request {
            ends: Ends::Names(*names),
            ..*request
        };
        begin_on(slot, flow, &request, outgoing)
    })
}

/// Formats what is not text into buffers on the stack. The user's `Display` runs before the lane is
/// taken, so it may send messages itself.
#[cold]
pub(super) fn with_shown_names<R>(
    names: &[Name<'_>; 4],
    then: impl FnOnce(&[Name<'_>; 4]) -> R,
) -> R {
    let mut buffers = names.map(|name| {
        let mut buffer = BoundedName::default();
        if let Name::Shown(shown) = name {
            // An error of the user's `Display` leaves what it wrote.
            let _failed = write!(buffer, "{shown}");
        }
        buffer
    });
    let mut buffers = buffers.iter_mut();
    then(&names.map(|name| {
        let shown = buffers.next().map_or("", BoundedName::finish);
        match name {
            Name::Text(text) => Name::Text(text),
            Name::Shown(_) => Name::Text(shown),
        }
    }))
}

#[inline(always)]
pub(super) fn begin_over(
    slot: &LaneSlot,
    flow: &mut Flow,
    key: FlowKey<'_>,
    request: &Request<'_>,
    outgoing: Option<&mut Context>,
) -> bool {
    let Request {
        depth, site, facts, ..
    } = request;
    slot.with_lane(|hand, lane| {
        let entry = lane.flows.find(
            key,
            &facts.kind,
            Purpose::Send,
            site,
            &lane.shared,
            &hand.runtime,
        );
        if entry.edge != OVERFLOW_EDGE && active::is_active(entry.edge) {
            // One send that goes through several methods of a connector is one event, the outermost.
            return false;
        }
        active::push(entry.edge);
        entry.cell.messages.add(1);
        entry.cell.bytes.add(facts.size.bytes);

        let is_plain_root = facts.id.is_none()
            && !ThreadCause::is_set()
            && facts.context.is_none_or(|context| !context.is_linked());
        let trace = if is_plain_root {
            Trace::plain_root(&mut lane.roots, hand)
        } else {
            trace_of_send(facts, &mut lane.roots, hand)
        };
        let (threshold, policy) = threshold_of(entry, facts.verdict);
        let sampled = threshold.keeps(trace.randomness);
        if sampled {
            let memory = (facts.size.source == SizeSource::Deep).then_some(facts.size.bytes);
            let amounts = Amounts {
                size: facts.size,
                depth: *depth,
                wide: memory,
            };
            let attempt = flow.open(open(
                entry,
                &amounts,
                policy,
                threshold,
                &trace,
                Purpose::Send,
                hand,
            ));
            attempt.is_on_stack = true;
            number(attempt, &mut lane.sequence, &lane.shared, hand);
        } else {
            entry.cell.not_sampled.add(1);
            flow.set(Stage::Counted(Counted {
                edge: entry.edge,
                message_type: entry.message_type,
                generation: hand.generation,
                is_on_stack: true,
            }));
        }
        if let Some(outgoing) = outgoing {
            let event = sampled.then_some((lane.shared.ring, lane.sequence));
            *outgoing = trace.outgoing(threshold, event, entry.edge, hand);
        }
        sampled
    })
    .unwrap_or_else(count_without_ring)
}

#[cold]
pub(super) fn count_without_ring() -> bool {
    crate::runtime::count_without_ring();
    false
}

/// The trace of a send that something led to, or whose message has an id.
#[inline(never)]
fn trace_of_send(facts: &Facts<'_>, roots: &mut u64, hand: &LaneInUse) -> Trace {
    let handling = ThreadCause::with(ThreadCause::get).flatten();
    Trace::of(
        cause_of_send(facts.context, handling.as_ref()),
        facts,
        roots,
        hand,
    )
}

/// What leads to this send: the handling that is under way, unless the message says that it belongs
/// to another trace.
#[inline]
fn cause_of_send<'a>(
    came_with: Option<&'a Context>,
    handling: Option<&'a Context>,
) -> Option<&'a Context> {
    match (came_with.filter(|context| context.is_linked()), handling) {
        (Some(came_with), Some(handling)) if came_with.same_trace(handling) => Some(handling),
        (Some(came_with), _) => Some(came_with),
        (None, handling) => handling,
    }
}

/// Never before always before rate.
#[inline]
pub(super) fn threshold_of(entry: &FlowEntry, verdict: Verdict) -> (Threshold, u16) {
    // The smallest of the two is the one that comes first in the order.
    match entry.actors.min(verdict) {
        Verdict::ByRate => (entry.threshold, entry.policy),
        Verdict::Never => (Threshold::NEVER, NO_POLICY),
        Verdict::Always => (Threshold::ALWAYS, entry.policy_always),
    }
}

/// What was measured at the begin.
pub(super) struct Amounts {
    pub(super) size: Size,
    pub(super) depth: Depth,
    pub(super) wide: Option<u64>,
}

/// An attempt that is counted; [`number`] makes it one that is recorded.
#[inline]
pub(super) fn open(
    entry: &FlowEntry,
    amounts: &Amounts,
    policy: u16,
    threshold: Threshold,
    trace: &Trace,
    purpose: Purpose,
    hand: &LaneInUse,
) -> Attempt {
    let shallow = if amounts.size.source == SizeSource::Shallow {
        flag::SHALLOW_SIZE
    } else {
        0
    };
    let words = Open {
        policy,
        edge: entry.edge,
        message_type: entry.message_type,
        size: amounts.size.bytes,
        depth: amounts.depth.known(),
        wide: amounts.wide,
        cause_ring: trace.cause_ring,
        cause_sequence: trace.cause_sequence,
        flags: trace.flags | shallow,
        randomness: trace.randomness.bits(),
        trace_high: trace.trace_high,
        hops: trace.hops,
    }
    .pack();
    Attempt {
        words,
        details: None,
        trace_producer: trace.producer,
        producer: hand.producer,
        threshold: trace.threshold.max(threshold.bits()),
        generation: hand.generation,
        ring: 0,
        state: State::Counted,
        purpose,
        is_on_stack: false,
    }
}

/// Gives an attempt that is to be recorded its number.
#[inline]
pub(super) fn number(
    attempt: &mut Attempt,
    sequence: &mut u64,
    lane: &LaneShared,
    hand: &LaneInUse,
) {
    *sequence += 1;
    lane.begun.add(1);
    attempt.words[0] = *sequence << 16;
    attempt.ring = lane.ring;
    attempt.state = State::Recorded;
    if attempt.trace_producer != hand.producer {
        attempt.name_foreign_trace();
    }
}
