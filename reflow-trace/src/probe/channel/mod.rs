//! What a traced channel calls: a message goes in, comes out, or is dropped inside.
//!
//! The only place where channels touch the probe. What has to be known of a message when it comes out
//! or is dropped is on a [`Slip`] of 80 bytes that travels beside it. A message that this recording has
//! not seen going in is not seen coming out either, so that on every edge
//! `messages = failures + received + dropped + still inside`.

mod loss;
mod put;
mod take;

pub(crate) use loss::dropped;
#[cfg(feature = "tokio")]
pub(crate) use loss::dropped_unseen;

use super::begin::{describe, facts_of, facts_of_any};
use super::depth::Depth;
use super::flow::Flow;
use super::found::AnyMessage;
#[cfg(feature = "_waiting")]
use super::parked::Parked;
use super::send::Facts;
use crate::context::Context;
use crate::edge::{EdgeNumber, TypeNumber};
#[cfg(feature = "_waiting")]
use crate::event::Outcome;
use crate::message::Message;
use crate::registry::{found, found_mut, knows};

/// How a channel learns what a message says of itself.
pub(crate) struct Policy<M> {
    facts: fn(&M) -> Facts<'_>,
    /// Writes a context into a message that has room for one.
    stamp: fn(&mut M, &Context),
    /// Where there is something to describe.
    describe: Option<fn(&M, &mut Flow)>,
}

impl<M> Clone for Policy<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Policy<M> {}

impl<M> Policy<M> {
    /// The type was entered into the [`registry`](crate::registry).
    const FOUND: Self = Self {
        facts: |message| match found(message) {
            Some(found) => found.facts(),
            None => facts_of_any(message),
        },
        stamp: |message, context| {
            if let Some(mut found) = found_mut(message)
                && let Some(room) = found.message_mut().and_then(AnyMessage::room)
            {
                *room = *context;
            }
        },
        describe: Some(|message, flow| {
            if let Some(found) = found(message) {
                found.describe_to(flow);
            }
        }),
    };

    /// What the channel was told, else what is found by the type.
    #[inline(always)]
    fn or_found(told: Option<&Self>) -> Option<&Self> {
        match told {
            None if knows::<M>() => Some(const { &Self::FOUND }),
            told => told,
        }
    }
}

impl<M: Message> Policy<M> {
    /// The type has a policy.
    pub(crate) const OF_TYPE: Self = Self {
        facts: facts_of::<M>,
        stamp: |message, context| {
            if let Some(room) = message.context_mut() {
                *room = *context;
            }
        },
        describe: if M::DESCRIBES {
            Some(describe::<M>)
        } else {
            None
        },
    };
}

/// How a message goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) edge: EdgeNumber,
    /// Which of the names of the receiving end the edge was made with.
    pub(crate) receiver: u32,
}

/// What travels beside a message; filled in where a recording sees the message go in.
///
/// That is said by the generation, not by an `Option`, so that it is copied whole and filled in where it lies.
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
    /// Nobody has seen the message. All zeros, because that is written in whole words.
    pub(crate) const BLANK: Self = Self {
        context: Context {
            edge: 0,
            ..Context::NONE
        },
        generation: 0,
        receiver: 0,
        message_type: 0,
        policy: 0,
        is_sampled: false,
    };

    /// The slip, if a recording has seen the message go in.
    #[inline(always)]
    pub(crate) fn filled(&self) -> Option<&Self> {
        (self.generation != 0).then_some(self)
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
#[cfg(feature = "_waiting")]
#[derive(Debug)]
pub(crate) struct Sending {
    flow: Flow,
    slip: Slip,
}

#[cfg(feature = "_waiting")]
impl Sending {
    /// What is to travel beside the message.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn slip(&self) -> Slip {
        self.slip
    }

    /// The send goes on in later polls, perhaps on other threads.
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

    #[cfg(feature = "tokio")]
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
    pub(crate) fn slip(&self) -> Slip {
        self.slip
    }

    #[inline]
    pub(crate) fn end(mut self, outcome: Outcome) {
        self.parked.end(outcome);
    }
}

/// What a message says of itself; without a policy that is its Rust type.
#[inline(always)]
fn facts_by<'a, M>(policy: Option<&Policy<M>>, message: &'a M) -> Facts<'a> {
    match policy {
        Some(policy) => (policy.facts)(message),
        None => facts_of_any(message),
    }
}

/// A message is about to go in by this edge.
#[cfg(feature = "_waiting")]
#[inline]
pub(crate) fn begin_send<M>(
    message: &mut M,
    policy: Option<&Policy<M>>,
    way: Way,
    depth: Depth,
) -> Sending {
    let mut slip = Slip::BLANK;
    let flow = begin_beside(message, &mut slip, policy, way, depth);
    Sending { flow, slip }
}

/// A message is about to go in by this edge. The slip lies beside it already, and is filled in there if a
/// recording sees the message.
#[inline]
pub(crate) fn begin_beside<M>(
    message: &mut M,
    slip: &mut Slip,
    policy: Option<&Policy<M>>,
    way: Way,
    depth: Depth,
) -> Flow {
    let policy = Policy::or_found(policy);
    let facts = facts_by(policy, message);
    let has_room = facts.context.is_some();
    let flow = put::begin(way, depth, &facts, slip);
    match policy {
        Some(policy) if has_room || policy.describe.is_some() => {
            complete(message, slip, policy, flow)
        }
        _ => flow,
    }
}

/// The message is given its context, and describes itself.
#[inline(never)]
fn complete<M>(message: &mut M, slip: &mut Slip, policy: &Policy<M>, mut flow: Flow) -> Flow {
    // The user's code may panic: then the message was never inside.
    let filled = std::mem::replace(slip, Slip::BLANK);
    if let Some(slip) = filled.filled()
        && slip.context.is_linked()
    {
        (policy.stamp)(message, &slip.context);
    }
    if flow.wants_details()
        && let Some(describe) = policy.describe
    {
        describe(message, &mut flow);
        flow.start_clock();
    }
    *slip = filled;
    flow
}

/// A message has come out, by the edge that it went in by, or by that of a receiver with another name.
#[inline]
pub(crate) fn received<M>(slip: &Slip, message: &M, policy: Option<&Policy<M>>, edge: EdgeNumber) {
    let policy = Policy::or_found(policy);
    let mut facts = facts_by(policy, message);
    facts.context = Some(&slip.context);
    match policy.and_then(|policy| policy.describe) {
        None => take::take(slip, &facts, edge),
        Some(describe) => {
            let mut flow = take::begin(slip, &facts, edge);
            if flow.wants_details() {
                describe(message, &mut flow);
                take::write(flow.leave());
            }
        }
    }
}
