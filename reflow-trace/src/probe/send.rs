//! The begin of a send: suppressed or counted, sampled or not, stamped.

use std::fmt::Write as _;

use super::depth::Depth;
use super::ends::{Ends, Name};
use super::flow::{Flow, State};
use super::site::Site;
use crate::clock::ticks;
use crate::context::{Context, NO_EDGE, ThreadCause};
use crate::lane::{FlowEntry, FlowKey, KindRef, LaneInUse, LaneOwned, Purpose, with_lane};
use crate::message::{FixedText, Size, SizeSource};
use crate::record::{Kind, NO_POLICY, Record, flag};
use crate::sampling::{Randomness, Threshold, Verdict};

/// Hops after which a trace is cut into a new one that links back: a loop that feeds itself must not
/// make one endless trace.
const HOPS_MAX: u8 = 250;

/// What a probe knows of the message.
pub(super) struct Facts<'a> {
    pub(super) kind: KindRef,
    pub(super) verdict: Verdict,
    pub(super) size: Size,
    /// Room for a context, as it came; `None` where the type has no room.
    pub(super) context: Option<&'a Context>,
    /// R where the message has an id and no context.
    pub(super) by_id: Option<Randomness>,
}

/// Decides over a send and begins it. True when it is recorded; `outgoing` is then, or when the
/// message is only counted, the context to travel with it.
#[inline(never)]
pub(super) fn begin_send(
    flow: &mut Flow,
    ends: &Ends<'_>,
    depth: Depth,
    site: &'static Site,
    facts: &Facts<'_>,
    outgoing: Option<&mut Context>,
) -> bool {
    match ends {
        Ends::Handle(edge) => begin_over(flow, FlowKey::Handle(edge), depth, site, facts, outgoing),
        Ends::Names([Name::Text(a), Name::Text(b), Name::Text(c), Name::Text(d)]) => {
            begin_over(flow, FlowKey::Names([a, b, c, d]), depth, site, facts, outgoing)
        }
        Ends::Names(names) => with_shown_names(names, |names| {
            begin_over(flow, FlowKey::Names(names), depth, site, facts, outgoing)
        }),
    }
}

/// Formats what is not text into buffers on the stack. The user's `Display` runs before the lane is
/// taken, so it may send messages itself.
#[cold]
pub(super) fn with_shown_names<R>(names: &[Name<'_>; 4], then: impl FnOnce([&str; 4]) -> R) -> R {
    let buffers = names.map(|name| {
        let mut buffer = FixedText::default();
        if let Name::Shown(shown) = name {
            // What does not fit is cut, as the rule for long names has it.
            let _cut = write!(buffer, "{shown}");
        }
        buffer
    });
    then(std::array::from_fn(|index| match names[index] {
        Name::Text(text) => text,
        Name::Shown(_) => buffers[index].as_str(),
    }))
}

fn begin_over(
    flow: &mut Flow,
    key: FlowKey<'_>,
    depth: Depth,
    site: &'static Site,
    facts: &Facts<'_>,
    outgoing: Option<&mut Context>,
) -> bool {
    with_lane(|hand, lane| {
        let entry = lane.flows.find(key, facts.kind, Purpose::Send, site, &lane.shared, &hand.runtime);
        if hand.is_active(entry.edge) {
            // One send that goes through several methods of a connector is one event, the outermost.
            return false;
        }
        entry.cell.messages.add(1);
        entry.cell.bytes.add(facts.size.bytes);
        hand.push_active(entry.edge);

        let came_with = facts.context.copied().unwrap_or(Context::NONE);
        let incoming = cause_of_send(&came_with);
        let mut trace = Trace::continuing(&incoming, facts.by_id, &mut lane.roots, hand);
        let (threshold, policy) = threshold_of(entry, facts.verdict);
        trace.context.threshold = trace.context.threshold.max(threshold.bits());
        let sampled = threshold.keeps(Randomness::from_bits(trace.context.randomness));
        if !sampled {
            entry.cell.not_sampled.add(1);
        }
        let edge = entry.edge;
        let memory = (facts.size.source == SizeSource::Deep).then_some(facts.size.bytes);
        prepare(flow, entry, facts.size, depth.known(), memory, policy, &incoming, &trace, hand);
        start(flow, sampled, Purpose::Send, hand, lane);
        flow.is_on_stack = true;
        if let Some(outgoing) = outgoing {
            *outgoing = flow.cause();
            outgoing.edge = edge;
            outgoing.hops = trace.context.hops.saturating_add(1);
            outgoing.sent_at = ticks();
        }
        sampled
    })
    .unwrap_or(false)
}

/// What leads to this send: the handling that is under way, unless the message says that it belongs
/// to another trace.
#[inline]
fn cause_of_send(came_with: &Context) -> Context {
    let handling = ThreadCause::with(ThreadCause::get).unwrap_or(Context::NONE);
    if came_with.is_linked() && !came_with.same_trace(&handling) { *came_with } else { handling }
}

/// The trace that a message belongs to.
pub(super) struct Trace {
    /// Of this message: its trace, its hops and the largest T before it.
    pub(super) context: Context,
    pub(super) was_cut: bool,
}

impl Trace {
    /// Goes on with the incoming trace, or begins one.
    #[inline]
    pub(super) fn continuing(
        incoming: &Context,
        by_id: Option<Randomness>,
        roots: &mut u64,
        hand: &LaneInUse,
    ) -> Self {
        let was_cut = incoming.hops >= HOPS_MAX;
        if incoming.is_linked() && !was_cut {
            return Self { context: *incoming, was_cut };
        }
        *roots += 1;
        let number = hand.numbering.randomness(*roots);
        let producer = hand.runtime.producer().bits();
        let by_id = by_id.filter(|_| !was_cut);
        let randomness = by_id.unwrap_or(number);
        Self { context: Context::root(producer, hand.numbering.high(), randomness, by_id.is_some()), was_cut }
    }
}

/// Never before always before rate.
#[inline]
pub(super) fn threshold_of(entry: &FlowEntry, verdict: Verdict) -> (Threshold, u16) {
    match (entry.actors, verdict) {
        (Verdict::ByRate, Verdict::ByRate) => (entry.threshold, entry.policy),
        (Verdict::Never, _) | (_, Verdict::Never) => (Threshold::NEVER, NO_POLICY),
        _ => (Threshold::ALWAYS, entry.policy_always),
    }
}

/// Packs what is known at the begin.
#[inline]
#[expect(clippy::too_many_arguments, reason = "these are the fields of one record")]
pub(super) fn prepare(
    flow: &mut Flow,
    entry: &FlowEntry,
    size: Size,
    depth: Option<u64>,
    wide: Option<u64>,
    policy: u16,
    cause: &Context,
    trace: &Trace,
    hand: &LaneInUse,
) {
    let ours = hand.runtime.producer().bits();
    let mut flags = flag::IN_TRACE | flag::HOPS;
    if size.source == SizeSource::Shallow {
        flags |= flag::SHALLOW_SIZE;
    }
    if trace.context.is_by_id() {
        flags |= flag::TRACE_BY_ID;
    }
    if trace.was_cut {
        flags |= flag::TRACE_CUT;
    }
    let has_cause = cause.sequence != 0 && cause.event_producer == ours;
    if has_cause {
        flags |= flag::CAUSE;
    }
    flow.words = Record {
        slots: 0,
        sequence: 0,
        start: 0,
        duration: Some(0),
        policy,
        edge: entry.edge,
        message_type: entry.message_type,
        kind: Kind::Send,
        outcome: None,
        size: Some(size.bytes),
        depth,
        cause_ring: if has_cause { cause.ring } else { 0 },
        cause_sequence: if has_cause { cause.sequence } else { 0 },
        flags,
        randomness: trace.context.randomness,
        trace_high: trace.context.trace_high,
        hops: trace.context.hops,
        wide,
    }
    .pack();
    flow.trace_producer = trace.context.producer;
    flow.threshold = trace.context.threshold;
}

/// Gives a recorded attempt its number.
#[inline]
pub(super) fn start(flow: &mut Flow, sampled: bool, purpose: Purpose, hand: &LaneInUse, lane: &mut LaneOwned) {
    flow.purpose = purpose;
    flow.generation = hand.runtime.generation();
    flow.ring = lane.shared.ring;
    if !sampled {
        flow.state = State::Counted;
        return;
    }
    lane.sequence += 1;
    lane.shared.begun.add(1);
    flow.words[0] |= lane.sequence << 16;
    flow.state = State::Recorded;
    if flow.trace_producer != hand.runtime.producer().bits() {
        flow.name_foreign_trace();
    }
}

/// The edge over which a message came, if this process knows it.
pub(super) fn edge_of(context: &Context, hand: &LaneInUse) -> Option<u32> {
    let ours = context.producer == hand.runtime.producer().bits();
    (ours && context.is_linked() && context.edge != NO_EDGE).then_some(context.edge)
}
