//! What a traced channel calls: a message goes in, comes out, or is dropped inside.
//!
//! The only place where channels touch the probe. What has to be known of a message when it comes out
//! or is dropped is on a [`Slip`] of 80 bytes that travels beside it. A message that this recording has
//! not seen going in is not seen coming out either, so that on every edge
//! `messages = failures + received + dropped + still inside`.

use super::begin::{describe, facts_of, facts_of_any};
use super::depth::Depth;
use super::flow::Flow;
#[cfg(feature = "_waiting")]
use super::parked::Parked;
use super::send::{Facts, begin_linked, count_without_ring, on_lane, open};
use super::trace::Trace;
use crate::context::{Context, ThreadCause, active};
use crate::edge::{EdgeNumber, TypeNumber};
use crate::event::Outcome;
use crate::lane::{Asking, FlowKey, Held, KindRef, Purpose, Standing, State, with_held};
use crate::message::{Message, Size};
use crate::record::{Fields, Kind, NO_POLICY, Open, flag, pack_amounts, pack_flow, pack_policy};
use crate::sampling::{Randomness, Threshold, Verdict};

/// How a channel learns what a message says of itself.
pub(crate) struct Policy<M> {
    facts: fn(&M) -> Facts<'_>,
    room: fn(&mut M) -> Option<&mut Context>,
    describe: Option<fn(&M, &mut Flow)>,
}

impl<M> Clone for Policy<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Policy<M> {}

impl<M> Policy<M> {
    /// Nothing is known but the Rust type.
    pub(crate) const ANY: Self = Self {
        facts: facts_of_any::<M>,
        room: |_| None,
        describe: None,
    };
}

impl<M: Message> Policy<M> {
    /// The type has a policy.
    pub(crate) const OF_TYPE: Self = Self {
        facts: facts_of::<M>,
        room: M::context_mut,
        describe: Some(describe::<M>),
    };
}

/// How a message goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) edge: EdgeNumber,
    /// Which of the names of the receiving end the edge was made with.
    pub(crate) receiver: u32,
}

/// What travels beside a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slip {
    context: Context,
    /// The recording that saw the message go in; 0: none did.
    generation: u32,
    receiver: u32,
    message_type: TypeNumber,
    policy: u16,
    is_sampled: bool,
}

impl Slip {
    /// Nobody has seen the message.
    const BLANK: Self = Self {
        context: Context::NONE,
        generation: 0,
        receiver: 0,
        message_type: 0,
        policy: NO_POLICY,
        is_sampled: false,
    };

    /// Whether a recording has seen the message go in.
    #[inline]
    fn is_filled(&self) -> bool {
        self.generation != 0
    }

    /// The edge that the message went in by.
    #[inline]
    pub(crate) fn edge(&self) -> EdgeNumber {
        self.context.edge
    }

    /// By which of its names the message was sent to the receiving end.
    #[inline]
    pub(crate) fn receiver(&self) -> u32 {
        self.receiver
    }

    /// What the message carries.
    #[inline]
    pub(crate) fn context(&self) -> Context {
        self.context
    }

    /// The message goes in now: a wait before is no wait inside.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn stamp(&mut self) {
        if self.context.stamp().is_some() {
            self.context.sent_at = crate::clock::ticks();
        }
    }
}

/// A send that is under way; cancelled, or panicked, when it is dropped before its end.
#[derive(Debug)]
pub(crate) struct Sending {
    flow: Flow,
    slip: Slip,
}

impl Sending {
    /// What is to travel beside the message.
    #[inline]
    pub(crate) fn slip(&self) -> Option<Slip> {
        self.slip.is_filled().then_some(self.slip)
    }

    /// The send goes on in later polls, perhaps on other threads.
    #[cfg(feature = "_waiting")]
    #[inline]
    pub(crate) fn leave_thread(mut self) -> Away {
        Away {
            parked: self.flow.park(),
            slip: self.slip,
        }
    }

    /// How many receivers were given the message.
    #[cfg(feature = "tokio")]
    pub(crate) fn fan_out(&mut self, receivers: usize) {
        self.flow.attribute(
            "receivers",
            crate::message::AttributeValue::Unsigned(receivers as u64),
        );
    }

    #[inline]
    pub(crate) fn end(mut self, outcome: Outcome) {
        self.flow.end(outcome);
    }
}

/// A send that waits; cancelled when it is dropped before its end.
#[cfg(feature = "_waiting")]
#[derive(Debug)]
pub(crate) struct Away {
    parked: Parked,
    slip: Slip,
}

#[cfg(feature = "_waiting")]
impl Away {
    /// What is to travel beside the message.
    #[inline]
    pub(crate) fn slip(&self) -> Option<Slip> {
        self.slip.is_filled().then_some(self.slip)
    }

    #[inline]
    pub(crate) fn end(mut self, outcome: Outcome) {
        self.parked.end(outcome);
    }
}

/// A message is about to go in by this edge.
#[inline]
pub(crate) fn begin_send<M>(
    message: &mut M,
    policy: &Policy<M>,
    way: Way,
    depth: Depth,
) -> Sending {
    let facts = (policy.facts)(message);
    let has_room = facts.context.is_some();
    let mut sending = begin(way, depth, &facts);
    if has_room
        && sending.slip.context.is_linked()
        && let Some(room) = (policy.room)(message)
    {
        *room = sending.slip.context;
    }
    if sending.flow.wants_details()
        && let Some(describe) = policy.describe
    {
        describe(message, &mut sending.flow);
        sending.flow.start_clock();
    }
    sending
}

#[inline(never)]
fn begin(way: Way, depth: Depth, facts: &Facts<'_>) -> Sending {
    let mut slip = Slip::BLANK;
    let edge = way.edge;
    let amounts = pack_amounts(facts.size.bytes, depth.known());
    let outgoing = &mut slip.context;
    let flow = on_lane(|here| {
        begin_linked(
            here,
            FlowKey::Number(edge),
            None,
            facts,
            amounts,
            Some(outgoing),
        )
    });
    if flow.is_active() {
        let place = active::depth() - 1;
        with_held(|held| {
            let attempt = held.stack.at(place);
            slip.generation = attempt.standing.generation();
            slip.message_type = attempt.words.message_type();
            if attempt.standing.state() == State::Recorded {
                slip.policy = (attempt.words[2] >> 48) as u16;
                slip.is_sampled = true;
            }
        });
    } else {
        go_with_enclosing(&mut slip, edge, facts);
    }
    // The overflow edge stands for all that found no room.
    slip.context.edge = edge;
    slip.receiver = way.receiver;
    Sending { flow, slip }
}

/// A connector that uses this channel has begun this very send: the event is its own, and the message
/// carries what the connector has stamped into it.
#[cold]
fn go_with_enclosing(slip: &mut Slip, edge: EdgeNumber, facts: &Facts<'_>) {
    let (base, depth) = (active::base(), active::depth());
    with_held(|held| {
        if !held.stack.sends_over(edge, base, depth) {
            return;
        }
        let came_with = facts.context.filter(|context| context.is_linked());
        slip.context = came_with.copied().unwrap_or(Context::NONE);
        slip.is_sampled = came_with.is_some_and(|context| {
            Threshold::from_bits(context.threshold).keeps(Randomness::from_bits(context.randomness))
        });
        let asking = Asking {
            kind: facts.kind,
            purpose: Purpose::Send,
            site: None,
            lane: &held.lane.shared,
            runtime: &held.hand.runtime,
        };
        let entry = held.lane.flows.find(FlowKey::Number(edge), asking);
        slip.generation = held.hand.generation;
        slip.message_type = entry.message_type;
    });
}

/// A message has come out, by the edge that it went in by, or by that of a receiver with another name.
#[inline]
pub(crate) fn received<M>(slip: Slip, message: &M, policy: &Policy<M>, edge: EdgeNumber) {
    let mut facts = (policy.facts)(message);
    facts.context = Some(&slip.context);
    let mut flow = take(&slip, &facts, edge);
    if flow.wants_details() {
        if let Some(describe) = policy.describe {
            describe(message, &mut flow);
        }
        write_taken(flow.leave());
    } else {
        // What was only counted ends here.
        flow.end(Outcome::Delivered);
    }
}

/// Counts and decides.
#[inline(never)]
fn take(slip: &Slip, facts: &Facts<'_>, edge: EdgeNumber) -> Flow {
    let began = with_held(|held| {
        let Held {
            hand, lane, stack, ..
        } = held;
        if hand.generation != slip.generation {
            return Flow::idle();
        }
        let asking = Asking {
            kind: facts.kind,
            purpose: Purpose::Take,
            site: None,
            lane: &lane.shared,
            runtime: &hand.runtime,
        };
        // Also where the edge was switched off meanwhile: what went in comes out.
        let entry = lane.flows.find(FlowKey::Number(edge), asking);
        entry.cell.messages.add(1);
        entry.cell.bytes.add(facts.size.bytes);
        let came_with = facts.context.filter(|context| context.is_linked());
        let mut trace = Trace::of(came_with, facts, &mut lane.roots, hand);
        if came_with.is_none() {
            trace.flags |= flag::UNLINKED;
        }
        let now = hand.ticks();
        let stamp = came_with.and_then(Context::stamp);
        let waited = stamp.map(|stamp| now.saturating_sub(stamp));
        let kept = entry.kept(facts.verdict);
        let is_sampled = kept.threshold.keeps(trace.randomness);
        let amounts = pack_amounts(facts.size.bytes, None);
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
            Standing::new(hand.generation, State::Counted, Purpose::Take),
        );
        attempt.stand_in(&trace, kept.threshold, hand);
        if is_sampled {
            attempt.number(lane);
            attempt.words[1] = now;
        } else {
            entry.cell.leave_out(facts.verdict as u64);
        }
        if ThreadCause::is_task() {
            let cause = attempt.cause(lane.shared.ring);
            ThreadCause::with(|thread| thread.receive(&cause));
        }
        Flow::at(place, is_sampled)
    });
    began.unwrap_or_else(count_without_ring)
}

/// Writes the record of a message that has come out.
fn write_taken(place: usize) {
    active::set_depth(place);
    with_held(|held| {
        let Held {
            hand, lane, stack, ..
        } = held;
        let attempt = stack.at(place);
        if attempt.standing.generation() == hand.generation {
            // How long the message will be handled is not known here.
            attempt
                .words
                .finish(Kind::MessageReceived, None, Some(Outcome::Delivered));
            attempt.write(hand, lane);
        }
        attempt.clear();
    });
}

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
            id: None,
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
        id: None,
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
            ..Slip::BLANK
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
