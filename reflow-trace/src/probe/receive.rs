//! Receive methods of a connector: the message is what comes back.

use std::task::Poll;

use super::begin::{describe, facts_of, facts_of_any};
use super::depth::Depth;
use super::ends::Ends;
use super::flow::Flow;
use super::found::AnyMessage;
use super::handling::{begin_received, cause_of};
use super::send::{Facts, with_key};
use super::site::Site;
use crate::context::{ThreadCause, active};
use crate::edge::EdgeNumber;
use crate::event::Outcome;
use crate::lane::{Asking, FlowKey, Held, KindRef, Purpose, Standing, State, with_held};
use crate::message::Message;
use crate::record::{Fields, Kind};
use crate::registry::found;
use crate::ring::SLOT_WORDS;

/// Notes where a message may be received; nothing has happened until one comes.
pub fn begin_receive(flow: &mut Flow, ends: Ends<'_>, depth: Depth, site: &'static Site) {
    flow.begin(with_key(&ends, |key| await_at(key, depth, site)));
}

fn await_at(key: FlowKey<'_>, depth: Depth, site: &'static Site) -> Flow {
    with_held(|held| {
        let Held {
            hand, lane, stack, ..
        } = held;
        let asking = Asking {
            kind: KindRef::None,
            purpose: Purpose::Receive,
            site: site.if_not_plain(),
            lane: &lane.shared,
            runtime: &hand.runtime,
        };
        let edge = lane.flows.find(key, asking).edge;
        let place = active::depth();
        active::set_depth(place + 1);
        let attempt = stack.at(place);
        attempt.words = [0; SLOT_WORDS];
        attempt.words[3] = u64::from(edge);
        attempt.words.set_depth(depth.known());
        attempt.standing = Standing::new(hand.generation, State::Awaiting, Purpose::Receive);
        Flow::at(place, false)
    })
    .unwrap_or(const { Flow::idle() })
}

/// Wraps the returned value, so that the message in it is found.
#[derive(Debug)]
pub struct Received<'a, T>(pub &'a mut T);

/// Records the message that came, if one came.
pub trait EndReceive {
    /// Ends the receive.
    fn end_receive(&mut self, flow: &mut Flow);
}

/// A message came: it is counted, and begins to be recorded if it is to be.
fn arrive(flow: &mut Flow, facts: &Facts<'_>) {
    let Some((edge, depth)) = take_awaited(flow) else {
        return;
    };
    // Who receives may be handling something else, which did not send this: nothing is guessed.
    flow.begin(begin_received(
        FlowKey::Number(edge),
        depth,
        Site::PLAIN,
        facts,
        None,
    ));
    if flow.is_active() && ThreadCause::is_task() {
        let cause = cause_of(active::depth() - 1);
        ThreadCause::with(|thread| cause.map(|cause| thread.receive(&cause)));
    }
}

/// Nothing is to be added any more.
fn conclude(flow: &mut Flow) {
    if flow.wants_details() {
        flow.start_clock();
        // How long it will be handled is not known here.
        finish_receive(flow.leave());
    } else {
        flow.end(Outcome::Delivered);
    }
}

/// The edge and the depth of a receive that was waited for, which is over.
fn take_awaited(flow: &mut Flow) -> Option<(EdgeNumber, Depth)> {
    if !flow.is_active() {
        return None;
    }
    let place = flow.leave();
    active::set_depth(place);
    with_held(|held| {
        let attempt = held.stack.at(place);
        (attempt.standing.state() == State::Awaiting)
            .then(|| (attempt.edge(), Depth::of(attempt.words.depth())))
    })
    .flatten()
}

/// Writes the record of a message that has come.
fn finish_receive(place: usize) {
    active::set_depth(place);
    with_held(|held| {
        let Held {
            hand, lane, stack, ..
        } = held;
        let attempt = stack.at(place);
        if attempt.standing.generation() == hand.generation {
            attempt
                .words
                .finish(Kind::MessageReceived, None, Some(Outcome::Delivered));
            attempt.write(hand, lane);
        }
        attempt.clear();
    });
}

fn record_message<T: Message>(flow: &mut Flow, message: Option<&T>) {
    if let Some(message) = message {
        arrive(flow, &facts_of(message));
        if flow.wants_details() {
            describe(message, flow);
        }
    }
    conclude(flow);
}

fn record_any<T>(flow: &mut Flow, message: Option<&T>) {
    if let Some(message) = message {
        match found(message) {
            Some(message) => record_found(flow, message),
            None => arrive(flow, &facts_of_any(message)),
        }
    }
    conclude(flow);
}

fn record_found(flow: &mut Flow, message: &dyn AnyMessage) {
    arrive(flow, &message.facts());
    if flow.wants_details() {
        message.describe_to(flow);
    }
}

// Four depths of reference, in the order in which method look-up from `&mut &mut &mut Received`
// tries them: two references (messages with a policy), three, one, none.

macro_rules! messages_with_policy {
    ($([$($generic:ident),*] $type:ty, $value:pat => $message:expr;)*) => {$(
        impl<T: Message $(, $generic)*> EndReceive for &mut &mut Received<'_, $type> {
            #[inline]
            fn end_receive(&mut self, flow: &mut Flow) {
                // The pattern of the plain message leaves nothing for the last arm.
                let message = match &*self.0 { $value => $message, #[allow(unreachable_patterns)] _ => None };
                record_message::<T>(flow, message);
            }
        }
    )*};
}

messages_with_policy! {
    [] T, message => Some(message);
    [] Option<T>, Some(message) => Some(message);
    [E] Result<T, E>, Ok(message) => Some(message);
    [E] Result<Option<T>, E>, Ok(Some(message)) => Some(message);
    [] Poll<Option<T>>, Poll::Ready(Some(message)) => Some(message);
    [E] Poll<Result<T, E>>, Poll::Ready(Ok(message)) => Some(message);
}

impl<T, E> EndReceive for &mut &mut &mut Received<'_, Result<Option<T>, E>> {
    #[inline]
    fn end_receive(&mut self, flow: &mut Flow) {
        record_any(flow, self.0.as_ref().ok().and_then(Option::as_ref));
    }
}

impl<T> EndReceive for &mut &mut &mut Received<'_, Poll<Option<T>>> {
    #[inline]
    fn end_receive(&mut self, flow: &mut Flow) {
        let message = if let Poll::Ready(Some(message)) = &*self.0 {
            Some(message)
        } else {
            None
        };
        record_any(flow, message);
    }
}

impl<T> EndReceive for &mut Received<'_, Option<T>> {
    #[inline]
    fn end_receive(&mut self, flow: &mut Flow) {
        record_any(flow, self.0.as_ref());
    }
}

impl<T, E> EndReceive for &mut Received<'_, Result<T, E>> {
    #[inline]
    fn end_receive(&mut self, flow: &mut Flow) {
        record_any(flow, self.0.as_ref().ok());
    }
}

impl<T> EndReceive for Received<'_, T> {
    #[inline]
    fn end_receive(&mut self, flow: &mut Flow) {
        record_any(flow, Some(&*self.0));
    }
}
