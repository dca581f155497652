//! Receive methods of a connector: the message is what comes back.

use std::ops::Deref;
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

/// Each line is a type that has the method `end` where the returned value is of this type, and that derefs to the type
/// of the next line: messages with a policy come before those without, and wrapped ones before what is the message
/// itself. One `impl` for each, so that a type the user got wrong is no second mistake.
macro_rules! returned {
    ($($this:ident then $next:ident [$($bounds:tt)*] $type:ty: $out:ident => $message:expr, $record:ident;)*) => {$(
        /// A returned value, where others before did not fit.
        #[derive(Debug)]
        pub struct $this<'a, T>($next<'a, T>);

        impl<$($bounds)*> $this<'_, $type> {
            /// Records the message that came, if one came.
            #[inline]
            pub fn end(&self, flow: &mut Flow) {
                let $out = self.out();
                $record(flow, $message);
            }
        }

        impl<'a, T> $this<'a, T> {
            #[inline]
            const fn of(out: &'a T) -> Self {
                Self($next::of(out))
            }
        }

        impl<'a, T> Deref for $this<'a, T> {
            type Target = $next<'a, T>;

            #[inline]
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    )*};
}

returned! {
    Received then InOption [T: Message] T: out => Some(out), record_message;
    InOption then InResult [T: Message] Option<T>: out => out.as_ref(), record_message;
    InResult then InBoth [T: Message, E] Result<T, E>: out => out.as_ref().ok(), record_message;
    InBoth then InPoll [T: Message, E] Result<Option<T>, E>: out => in_result(out), record_message;
    InPoll then InPolled [T: Message] Poll<Option<T>>: out => in_poll(out).and_then(Option::as_ref), record_message;
    InPolled then AnyInBoth [T: Message, E] Poll<Result<T, E>>: out => in_poll(out).and_then(|out| out.as_ref().ok()), record_message;
    AnyInBoth then AnyInPoll [T, E] Result<Option<T>, E>: out => in_result(out), record_any;
    AnyInPoll then AnyInPolled [T] Poll<Option<T>>: out => in_poll(out).and_then(Option::as_ref), record_any;
    AnyInPolled then AnyInOption [T, E] Poll<Result<T, E>>: out => in_poll(out).and_then(|out| out.as_ref().ok()), record_any;
    AnyInOption then AnyInResult [T] Option<T>: out => out.as_ref(), record_any;
    AnyInResult then AnyPolled [T, E] Result<T, E>: out => out.as_ref().ok(), record_any;
    AnyPolled then Itself [T] Poll<T>: out => in_poll(out), record_any;
}

/// A message without a policy.
#[derive(Debug)]
pub struct Itself<'a, T>(&'a T);

/// Looks at what a receive returned; [`Received::end`], or a method of this name behind it, records the message.
#[inline]
pub const fn received<T>(out: &T) -> Received<'_, T> {
    Received::of(out)
}

impl<'a, T> Itself<'a, T> {
    #[inline]
    const fn of(out: &'a T) -> Self {
        Self(out)
    }

    /// Records it.
    #[inline]
    pub fn end(&self, flow: &mut Flow) {
        record_any(flow, Some(self.0));
    }

    #[inline]
    const fn out(&self) -> &'a T {
        self.0
    }
}

fn in_result<T, E>(out: &Result<Option<T>, E>) -> Option<&T> {
    match out {
        Ok(message) => message.as_ref(),
        Err(_) => None,
    }
}

fn in_poll<T>(out: &Poll<T>) -> Option<&T> {
    match out {
        Poll::Ready(out) => Some(out),
        Poll::Pending => None,
    }
}
