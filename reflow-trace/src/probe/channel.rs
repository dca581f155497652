//! What a traced channel calls: a message goes in, comes out, or is dropped inside.
//!
//! The only place where channels touch the probe. What has to be known of a message when it comes out
//! or is dropped is on a [`Slip`] of 80 bytes that travels beside it. A message that this recording has
//! not seen going in is not seen coming out either, so that on every edge
//! `messages = failures + received + dropped + still inside`.

use super::begin::{describe, facts_of, facts_of_any};
use super::depth::Depth;
use super::ends::{Ends, Name};
use super::flow::{Attempt, Flow, Stage, State};
use super::send::{
    Amounts, Facts, Request, begin_over, count_without_ring, number, open, threshold_of,
};
use super::site::Site;
use super::trace::Trace;
use crate::clock::ticks;
use crate::context::{Context, task};
use crate::edge::{EdgeNumber, TypeNumber};
use crate::event::Outcome;
use crate::lane::{FlowKey, KindRef, LaneInUse, LaneOwned, Purpose, with_lane, with_slot};
use crate::message::{Message, Size};
use crate::record::{Fields, Kind, NO_POLICY, flag};
use crate::sampling::{Randomness, Threshold, Verdict};

const PLAIN: &Site = &Site::new();
/// The edge is known by its number.
const BY_NUMBER: Ends<'static> = Ends::Names([Name::Text(""); 4]);

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
        self.context.sent_at = ticks();
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
    pub(crate) fn leave_thread(&mut self) {
        self.flow.leave_stack();
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

/// A message is about to go in by this edge.
#[inline]
pub(crate) fn begin_send<M>(
    message: &mut M,
    policy: &Policy<M>,
    way: Way,
    depth: Depth,
) -> Sending {
    let mut sending = Sending {
        flow: Flow::idle(),
        slip: Slip::BLANK,
    };
    let facts = (policy.facts)(message);
    let has_room = facts.context.is_some();
    let is_recorded = begin(&mut sending, way, depth, facts);
    if has_room
        && sending.slip.context.is_linked()
        && let Some(room) = (policy.room)(message)
    {
        *room = sending.slip.context;
    }
    if is_recorded {
        if let Some(describe) = policy.describe {
            describe(message, &mut sending.flow);
        }
        sending.flow.start_clock();
    }
    sending
}

#[inline(never)]
fn begin(sending: &mut Sending, way: Way, depth: Depth, facts: Facts<'_>) -> bool {
    let Sending { flow, slip } = sending;
    let request = Request {
        ends: BY_NUMBER,
        depth,
        site: PLAIN,
        facts,
    };
    let edge = way.edge;
    let key = FlowKey::Number(edge);
    let is_recorded =
        with_slot(|slot| begin_over(slot, flow, key, &request, Some(&mut slip.context)))
            .unwrap_or_else(count_without_ring);
    match &flow.stage {
        Stage::Counted(counted) => {
            slip.generation = counted.generation;
            slip.message_type = counted.message_type;
        }
        Stage::Attempt(attempt) => {
            slip.generation = attempt.generation;
            slip.message_type = attempt.words.message_type();
            slip.policy = (attempt.words[2] >> 48) as u16;
            slip.is_sampled = true;
        }
        Stage::Idle => go_with_enclosing(slip, edge, &request.facts),
    }
    // The overflow edge stands for all that found no room.
    slip.context.edge = edge;
    slip.receiver = way.receiver;
    is_recorded
}

/// A connector that uses this channel has begun this very send: the event is its own, and the message
/// carries what the connector has stamped into it.
#[cold]
fn go_with_enclosing(slip: &mut Slip, edge: EdgeNumber, facts: &Facts<'_>) {
    let is_under_way = with_slot(|_| crate::context::active::is_active(edge)) == Some(true);
    if !is_under_way {
        return;
    }
    let came_with = facts.context.filter(|context| context.is_linked());
    slip.context = came_with.copied().unwrap_or(Context::NONE);
    slip.is_sampled = came_with.is_some_and(|context| {
        Threshold::from_bits(context.threshold).keeps(Randomness::from_bits(context.randomness))
    });
    with_lane(|hand, lane| {
        let (runtime, shared) = (&hand.runtime, &lane.shared);
        let key = FlowKey::Number(edge);
        let entry = lane
            .flows
            .find(key, &facts.kind, Purpose::Send, PLAIN, shared, runtime);
        slip.generation = hand.generation;
        slip.message_type = entry.message_type;
    });
}

/// A message has come out, by the edge that it went in by, or by that of a receiver with another name.
#[inline]
pub(crate) fn received<M>(slip: Slip, message: &M, policy: &Policy<M>, edge: EdgeNumber) {
    let mut facts = (policy.facts)(message);
    facts.context = Some(&slip.context);
    let mut flow = Flow::idle();
    let is_plain = policy.describe.is_none();
    if take(&mut flow, &slip, &facts, edge, is_plain)
        && let Some(describe) = policy.describe
    {
        describe(message, &mut flow);
        write_taken(&mut flow);
    }
}

/// Counts and decides; true when it is recorded and there is something to add to it.
#[inline(never)]
fn take(flow: &mut Flow, slip: &Slip, facts: &Facts<'_>, edge: EdgeNumber, is_plain: bool) -> bool {
    let began = with_lane(|hand, lane| {
        if hand.generation != slip.generation {
            return false;
        }
        let (runtime, shared) = (&hand.runtime, &lane.shared);
        let key = FlowKey::Number(edge);
        let entry = lane
            .flows
            .find(key, &facts.kind, Purpose::Take, PLAIN, shared, runtime);
        entry.cell.messages.add(1);
        entry.cell.bytes.add(facts.size.bytes);
        let came_with = facts.context.filter(|context| context.is_linked());
        let mut trace = Trace::of(came_with, facts, &mut lane.roots, hand);
        if came_with.is_none() {
            trace.flags |= flag::UNLINKED;
        }
        let now = ticks();
        let waited = came_with
            .filter(|context| context.sent_at != 0)
            .map(|context| now.saturating_sub(context.sent_at));
        let amounts = Amounts {
            size: facts.size,
            depth: Depth::UNKNOWN,
            wide: waited,
        };
        let (threshold, policy) = threshold_of(entry, facts.verdict);
        let attempt = flow.open(open(
            entry,
            &amounts,
            policy,
            threshold,
            &trace,
            Purpose::Take,
            hand,
        ));
        let is_sampled = threshold.keeps(trace.randomness);
        if is_sampled {
            number(attempt, &mut lane.sequence, &lane.shared, hand);
            attempt.words[1] = now;
        } else {
            entry.cell.not_sampled.add(1);
        }
        task::received(|| attempt.cause());
        if is_sampled && is_plain {
            finish(attempt, hand, lane);
        }
        is_sampled && !is_plain
    });
    if began != Some(true) {
        // Nothing of it is left to end.
        flow.stage = Stage::Idle;
    }
    began.unwrap_or_else(count_without_ring)
}

fn finish(attempt: &mut Attempt, hand: &LaneInUse, lane: &mut LaneOwned) {
    // How long the message will be handled is not known here.
    attempt
        .words
        .finish(Kind::MessageReceived, None, Some(Outcome::Delivered));
    attempt.write(hand, lane);
    attempt.give_back_details();
}

#[inline(never)]
fn write_taken(flow: &mut Flow) {
    if let Some(attempt) = flow.attempt() {
        let written = with_lane(|hand, lane| {
            if hand.generation == attempt.generation {
                finish(attempt, hand, lane);
            }
        });
        if written.is_none() {
            crate::runtime::count_end_without_ring(attempt.generation);
        }
        attempt.give_back_details();
    }
    flow.stage = Stage::Idle;
}

/// A message was dropped inside.
#[cold]
pub(crate) fn dropped(slip: &Slip, edge: EdgeNumber) {
    let counted = with_lane(|hand, lane| {
        if hand.generation != slip.generation {
            return;
        }
        let cell = lane
            .flows
            .cell(edge, slip.message_type, Purpose::Loss, &lane.shared);
        cell.messages.add(1);
        if !slip.is_sampled {
            cell.not_sampled.add(1);
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
        let trace = Trace::of(linked, &facts, &mut lane.roots, hand);
        record_loss(edge, slip, trace, hand, lane);
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
    with_lane(|hand, lane| {
        let (runtime, shared) = (&hand.runtime, &lane.shared);
        let key = FlowKey::Number(edge);
        let entry = lane
            .flows
            .find(key, &kind, Purpose::Loss, PLAIN, shared, runtime);
        let (threshold, policy) = threshold_of(entry, facts.verdict);
        let cell = std::sync::Arc::clone(&entry.cell);
        let message_type = entry.message_type;
        for _ in 0..count {
            cell.messages.add(1);
            let mut trace = Trace::of(None, &facts, &mut lane.roots, hand);
            trace.flags |= flag::UNLINKED;
            if !threshold.keeps(trace.randomness) {
                cell.not_sampled.add(1);
                continue;
            }
            let slip = Slip {
                generation: hand.generation,
                message_type,
                policy,
                is_sampled: true,
                ..Slip::BLANK
            };
            record_loss(edge, &slip, trace, hand, lane);
        }
    });
}

fn record_loss(
    edge: EdgeNumber,
    slip: &Slip,
    trace: Trace,
    hand: &LaneInUse,
    lane: &mut LaneOwned,
) {
    let now = ticks();
    let has_stamp = slip.context.is_linked() && slip.context.sent_at != 0;
    let words = crate::record::Record {
        slots: 0,
        sequence: 0,
        start: now,
        duration: None,
        policy: slip.policy,
        edge,
        message_type: slip.message_type,
        kind: Kind::Send,
        outcome: Some(Outcome::Dropped),
        // The event of the send says how large it was.
        size: None,
        depth: None,
        cause_ring: trace.cause_ring,
        cause_sequence: trace.cause_sequence,
        flags: trace.flags,
        randomness: trace.randomness.bits(),
        trace_high: trace.trace_high,
        hops: trace.hops,
        wide: has_stamp.then(|| now.saturating_sub(slip.context.sent_at)),
    }
    .pack();
    let mut attempt = Attempt {
        words,
        details: None,
        trace_producer: trace.producer,
        producer: hand.producer,
        threshold: trace.threshold,
        generation: hand.generation,
        ring: 0,
        state: State::Counted,
        purpose: Purpose::Loss,
        is_on_stack: false,
    };
    number(&mut attempt, &mut lane.sequence, &lane.shared, hand);
    attempt.words[1] = now;
    attempt.write(hand, lane);
    attempt.give_back_details();
}
