//! Receive methods of a connector: the message is what comes back.

use std::marker::PhantomData;
use std::task::Poll;

use super::begin::{describe, facts_of, facts_of_path};
use super::depth::Depth;
use super::ends::Ends;
use super::flow::Flow;
use super::found::AnyMessage;
use super::handling::{begin_received, cause_of};
use super::judge::levels;
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
pub fn begin_receive(ends: Ends<'_>, depth: Depth, site: &'static Site) -> Flow {
    with_key(&ends, |key| await_at(key, depth, site))
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
fn conclude(mut flow: Flow) {
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

fn record_message<T: Message>(mut flow: Flow, message: Option<&T>) {
    if let Some(message) = message {
        arrive(&mut flow, &facts_of(message));
        if flow.wants_details() {
            describe(message, &mut flow);
        }
    }
    conclude(flow);
}

fn record_any<T>(flow: Flow, message: Option<&T>) {
    match message {
        Some(message) => record_looked_up(
            flow,
            found(message),
            std::any::type_name::<T>(),
            size_of::<T>(),
        ),
        None => conclude(flow),
    }
}

/// `message`: the one that came, if its type led to a policy.
fn record_looked_up(
    mut flow: Flow,
    message: Option<&dyn AnyMessage>,
    path: &'static str,
    bytes: usize,
) {
    match message {
        Some(message) => {
            arrive(&mut flow, &message.facts());
            if flow.wants_details() {
                message.describe_to(&mut flow);
            }
        }
        None => arrive(&mut flow, &facts_of_path(path, bytes)),
    }
    conclude(flow);
}

/// How a returned value of this type is received: [`Receive::end`], or a method of this name behind it, records the
/// message in it, if one came.
///
/// Look-up takes the first level that has the method for the type. Messages with a policy come before those without, and
/// wrapped ones before what is the message itself. There are as few levels as can be, because a compiler looks at all of
/// them whenever it looks for one. All are nothing but types; see [`Judge`](super::Judge).
#[derive(Debug)]
pub struct Receive<T>(PhantomData<fn() -> T>);

/// The same for messages without a policy, where it is certain what is in there.
#[derive(Debug)]
pub struct ReceiveAny<T>(PhantomData<fn() -> T>);

/// The same for what is wrapped once.
#[derive(Debug)]
pub struct ReceiveWrapped<T>(PhantomData<fn() -> T>);

/// The same for a message without a policy that comes as it is.
#[derive(Debug)]
pub struct ReceiveItself<T>(PhantomData<fn() -> T>);

/// How a value of a type is received that is known.
#[inline]
pub const fn receive<T>() -> Receive<T> {
    Receive(PhantomData)
}

/// How this value is received, of whatever type.
#[inline]
pub const fn receive_of<T>(_: &T) -> Receive<T> {
    receive()
}

/// What a message comes in. `Level` is the one of the types above whose turn it is: what fits at two of them would else be
/// ambiguous.
///
/// One trait and not an `impl` of methods for each shape, because a compiler that looks for a method tries every one of
/// its name at every level.
pub trait Carries<Level> {
    /// The message.
    type Carried;

    /// The one that came, if one came.
    fn message(&self) -> Option<&Self::Carried>;
}

macro_rules! carriers {
    ($($level:ident [$($bounds:tt)*] $type:ty: $($out:pat => $message:expr),*;)*) => {$(
        impl<$($bounds)*> Carries<$level<()>> for $type {
            type Carried = T;

            #[inline]
            fn message(&self) -> Option<&T> {
                match self {
                    $($out => $message,)*
                }
            }
        }
    )*};
}

carriers! {
    Receive [T: Message] T: out => Some(out);
    Receive [T: Message] Option<T>: out => out.as_ref();
    Receive [T: Message, E] Result<T, E>: Ok(out) => Some(out), Err(_) => None;
    Receive [T: Message, E] Result<Option<T>, E>: Ok(Some(out)) => Some(out), _ => None;
    Receive [T: Message] Poll<Option<T>>: Poll::Ready(Some(out)) => Some(out), _ => None;
    Receive [T: Message, E] Poll<Result<T, E>>: Poll::Ready(Ok(out)) => Some(out), _ => None;

    ReceiveAny [T] Option<T>: out => out.as_ref();
    ReceiveAny [T, E] Result<Option<T>, E>: Ok(Some(out)) => Some(out), _ => None;
    ReceiveAny [T] Poll<Option<T>>: Poll::Ready(Some(out)) => Some(out), _ => None;
    ReceiveAny [T, E] Poll<Result<T, E>>: Poll::Ready(Ok(out)) => Some(out), _ => None;

    ReceiveWrapped [T, E] Result<T, E>: Ok(out) => Some(out), Err(_) => None;
    ReceiveWrapped [T] Poll<T>: Poll::Ready(out) => Some(out), Poll::Pending => None;

    ReceiveItself [T] T: out => Some(out);
}

macro_rules! receives {
    ($($this:ident [$($bounds:tt)*] $record:ident;)*) => {$(
        impl<R: Carries<$this<()> $($bounds)*>> $this<R> {
            /// Records the message that came, if one came, and gives back what was returned.
            #[inline]
            pub fn end(self, flow: Flow, out: R) -> R {
                $record(flow, out.message());
                out
            }

            /// The same with what a future gave.
            #[inline]
            pub fn end_both(self, (out, flow): (R, Flow)) -> R {
                self.end(flow, out)
            }
        }
    )*};
}

receives! {
    Receive [, Carried: Message] record_message;
    ReceiveAny [] record_any;
    ReceiveWrapped [] record_any;
    ReceiveItself [] record_any;
}

levels! {
    Receive, then ReceiveAny;
    ReceiveAny, then ReceiveWrapped;
    ReceiveWrapped, then ReceiveItself;
    ReceiveItself;
}
