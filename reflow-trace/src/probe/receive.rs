//! Receive methods of a connector: the message is what comes back.

use std::task::Poll;

use super::begin::{describe, facts_of, facts_of_any};
use super::depth::Depth;
use super::ends::{Ends, are_text};
use super::flow::{Attempt, Flow, Stage, State};
use super::handling::begin_received;
use super::send::{Facts, with_shown_names};
use super::site::Site;
use crate::context::task;
use crate::event::Outcome;
use crate::lane::{FlowKey, KindRef, Purpose, with_lane};
use crate::message::Message;
use crate::record::{Fields, Kind};
use crate::ring::SLOT_WORDS;

/// Notes where a message may be received; nothing has happened until one comes.
pub fn begin_receive(flow: &mut Flow, ends: Ends<'_>, depth: Depth, site: &'static Site) {
    match &ends {
        Ends::Handle(edge) => await_at(flow, FlowKey::Handle(edge), depth, site),
        Ends::Names(names) if are_text(names) => {
            await_at(flow, FlowKey::Names(names), depth, site);
        }
        Ends::Names(names) => with_shown_names(names, |names| {
            await_at(flow, FlowKey::Names(names), depth, site);
        }),
    }
}

fn await_at(flow: &mut Flow, key: FlowKey<'_>, depth: Depth, site: &'static Site) {
    let purpose = Purpose::Receive;
    with_lane(|hand, lane| {
        let entry = lane.flows.find(
            key,
            &KindRef::None,
            purpose,
            site,
            &lane.shared,
            &hand.runtime,
        );
        let mut words = [0; SLOT_WORDS];
        words[3] = u64::from(entry.edge);
        words.set_depth(depth.known());
        flow.open(Attempt {
            words,
            details: None,
            trace_producer: 0,
            producer: 0,
            threshold: 0,
            generation: hand.generation,
            ring: 0,
            state: State::Awaiting,
            purpose,
            is_on_stack: false,
        });
    });
}

/// Wraps the returned value, so that the message in it is found.
#[derive(Debug)]
pub struct Received<'a, T>(pub &'a mut T);

/// Records the message that came, if one came.
pub trait EndReceive {
    /// Ends the receive.
    fn end_receive(&mut self, flow: &mut Flow);
}

const PLAIN: &Site = &Site::new();

fn record(flow: &mut Flow, facts: &Facts<'_>, describe: impl FnOnce(&mut Flow)) {
    let (edge, depth) = match flow.attempt() {
        Some(attempt) if attempt.state == State::Awaiting => {
            (attempt.edge(), Depth::of(attempt.words.depth()))
        }
        _ => return,
    };
    flow.stage = Stage::Idle;
    // Who receives may be handling something else: nothing is guessed.
    let recorded = with_lane(|hand, lane| {
        let key = FlowKey::Number(edge);
        begin_received(flow, key, depth, PLAIN, facts, None, hand, lane)
    });
    if recorded.is_none() {
        crate::runtime::count_without_ring();
    }
    if let Some(attempt) = flow.attempt() {
        task::received(|| attempt.cause());
    }
    if recorded == Some(true) {
        describe(flow);
        flow.start_clock();
        if let Some(attempt) = flow.attempt() {
            // How long it will be handled is not known here.
            attempt
                .words
                .finish(Kind::MessageReceived, None, Some(Outcome::Delivered));
            let written = with_lane(|hand, lane| {
                let is_of_this_recording = hand.generation == attempt.generation;
                if is_of_this_recording {
                    attempt.write(hand, lane);
                }
                is_of_this_recording
            });
            if written.is_none() {
                crate::runtime::count_end_without_ring(attempt.generation);
            }
            attempt.give_back_details();
        }
    }
    flow.stage = Stage::Idle;
}

fn record_message<T: Message>(flow: &mut Flow, message: Option<&T>) {
    if let Some(message) = message {
        record(flow, &facts_of(message), |flow| describe(message, flow));
    }
    flow.end(Outcome::Delivered);
}

fn record_any<T>(flow: &mut Flow, message: Option<&T>) {
    if let Some(message) = message {
        record(flow, &facts_of_any(message), |_| ());
    }
    flow.end(Outcome::Delivered);
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
