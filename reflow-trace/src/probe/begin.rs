//! The thin generic front of the probe: it asks the message and hands on.
//!
//! Where the type of the message is known to have a policy, it is asked directly. Else it is looked for by its
//! type, since it may be the `M` of an impl without bounds; see [`crate::registry`].
//!
//! It is inlined into every method that sends, but not in a debug build, because nobody measures one and everybody
//! waits for it: there what is generic exists once for each type of message, and what is not once in this crate.

use std::marker::PhantomData;

use super::content::capture_content;
use super::depth::Depth;
use super::ends::{Ends, Name};
use super::flow::Flow;
use super::found::{Send, begin_found_handling, begin_found_send};
use super::handling::{Receiver, begin_handling, cause_by};
use super::judge::levels;
use super::receive::begin_receive;
use super::send::{
    Facts, Plain, begin_kind_by_handle, begin_kind_by_names, begin_linked, begin_path_by_handle,
    begin_path_by_names, on_lane, with_key, with_shown_names,
};
use super::site::Site;
use crate::context::Context;
use crate::lane::KindRef;
use crate::message::{AttributeValue, Message, MessageKind, Size};
use crate::record::pack_amounts;
use crate::registry::{Found, found, found_mut};
use crate::sampling::{Randomness, Verdict};

/// Begins sends of messages of this type, which has a policy. One that may have none is a [`SendingAny`], which look-up
/// arrives at after this; see [`Judge`](super::Judge).
#[derive(Debug)]
pub struct Sending<T>(PhantomData<fn() -> T>);

/// The same where a policy is looked for by the type, while the program runs.
#[derive(Debug)]
pub struct SendingAny<T>(PhantomData<fn() -> T>);

levels! {
    Sending, then SendingAny;
    SendingAny;
}

/// Sends of messages of a type that is known.
#[inline]
pub const fn sending<T>() -> Sending<T> {
    Sending(PhantomData)
}

/// Sends of messages such as this one.
#[inline]
pub const fn sending_of<T>(_: &T) -> Sending<T> {
    sending()
}

macro_rules! sendings {
    ($($this:ident [$($bounds:tt)*])*) => {$(
        impl<T $($bounds)*> $this<T> {
            /// Decides, counts, stamps the context into the message, and starts the clock.
            #[cfg_attr(not(debug_assertions), inline(always))]
            pub fn begin(self, message: &mut T, ends: Ends<'_>, depth: Depth, site: &'static Site) -> Flow {
                self.begin_sized(message, ends, depth, site, None)
            }

            /// The same where there is a message. Where there is none, one may be received here, and nothing has
            /// happened until it comes. One function of an impl begins either.
            #[cfg_attr(not(debug_assertions), inline(always))]
            pub fn begin_or_await(
                self,
                message: Option<&mut T>,
                ends: Ends<'_>,
                depth: Depth,
                site: &'static Site,
            ) -> Flow {
                match message {
                    Some(message) => self.begin_sized(message, ends, depth, site, None),
                    None => begin_receive(ends, depth, site),
                }
            }
        }
    )*};
}

sendings! {
    Sending [: Message]
    SendingAny []
}

/// Wraps the message argument of a handler, so that its policy is found where it has one.
///
/// Impls stand at two depths of reference: a [`Message`] is found first, anything else after it, and then by its
/// type.
#[derive(Debug)]
pub struct Probed<'a, T>(pub &'a mut T);

/// Begins a handling.
pub trait BeginHandling {
    /// Decides, measures how long the message waited, makes it the cause of what is sent from here.
    #[inline]
    fn begin_handling(&mut self, flow: &mut Flow, receiver: Receiver<'_>, site: &'static Site) {
        self.begin_sized_handling(flow, receiver, site, None);
    }

    /// The same, where the annotation knows the size better than the message does.
    fn begin_sized_handling(
        &mut self,
        flow: &mut Flow,
        receiver: Receiver<'_>,
        site: &'static Site,
        size: Option<Size>,
    );
}

/// R by which the hops of a message without context are sampled together.
pub(super) fn randomness_of_id(id: AttributeValue<'_>) -> Option<Randomness> {
    match id {
        AttributeValue::Unsigned(id) => Some(Randomness::from_message_id(&id.to_le_bytes())),
        AttributeValue::Signed(id) => Some(Randomness::from_message_id(&id.to_le_bytes())),
        AttributeValue::Text(id) => Some(Randomness::from_message_id(id.as_bytes())),
        AttributeValue::Shown(id) => {
            let mut text = crate::message::FixedText::default();
            // The beginning of a very long id is enough.
            let _cut = std::fmt::Write::write_fmt(&mut text, format_args!("{id}"));
            Some(Randomness::from_message_id(text.as_str().as_bytes()))
        }
        AttributeValue::Bool(_) | AttributeValue::Float(_) | AttributeValue::Causes(_) => None,
    }
}

pub(super) fn describe<T: Message + ?Sized>(message: &T, flow: &mut Flow) {
    let id = message.id();
    flow.describe(|attributes| {
        if let Some(id) = id {
            attributes.put("message_id", id);
        }
        message.describe(attributes);
    });
    capture_content(message, flow);
}

/// What a message with a policy says of itself.
#[inline]
pub(super) fn facts_of<T: Message + ?Sized>(message: &T) -> Facts<'_> {
    let context = message.context();
    // What is in a trace already needs no R.
    let begins = context.is_none_or(|context| !context.is_linked());
    Facts {
        kind: KindRef::Kind(message.kind()),
        verdict: message.verdict(),
        size: message.size(),
        context,
        by_id: if begins {
            message.id().and_then(randomness_of_id)
        } else {
            None
        },
    }
}

/// What can be said of any message.
#[inline]
pub(super) fn facts_of_any<T>(message: &T) -> Facts<'static> {
    facts_of_path(std::any::type_name::<T>(), size_of_val(message))
}

/// What can be said of a message of the type with this path and of this many bytes.
#[inline]
pub(super) fn facts_of_path(path: &'static str, bytes: usize) -> Facts<'static> {
    Facts {
        kind: KindRef::Path(path),
        verdict: Verdict::ByRate,
        size: Size::shallow(bytes),
        context: None,
        by_id: None,
    }
}

impl<T: Message> Sending<T> {
    /// The same as [`Self::begin`], where the annotation knows the size better than the message does.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn begin_sized(
        self,
        message: &mut T,
        ends: Ends<'_>,
        depth: Depth,
        site: &'static Site,
        size: Option<Size>,
    ) -> Flow {
        let mut flow = Flow::idle();
        if message.context().is_some() || message.id().is_some() {
            begin_linked_send(message, &mut flow, &ends, depth, site, size);
        } else {
            let size = size.unwrap_or_else(|| message.size());
            let plain = Plain::new(message.verdict(), size, depth);
            begin_plain_send(&mut flow, &ends, site, message.kind(), plain);
        }
        if T::DESCRIBES && flow.wants_details() {
            describe(message, &mut flow);
            flow.start_clock();
        }
        flow
    }
}

/// Begins the send of a message that says nothing of where it came from.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn begin_plain_send(
    flow: &mut Flow,
    ends: &Ends<'_>,
    site: &'static Site,
    kind: &'static MessageKind,
    plain: Plain,
) {
    flow.begin(match ends {
        Ends::Handle(edge) => on_lane(|here| {
            begin_kind_by_handle(
                here,
                edge,
                site.if_not_plain(),
                kind,
                plain.amounts,
                plain.said,
            )
        }),
        Ends::Names([Name::Text(a), Name::Text(b), Name::Text(c), Name::Text(d)]) => {
            let names = [*a, *b, *c, *d];
            on_lane(|here| {
                begin_kind_by_names(
                    here,
                    &names,
                    site.if_not_plain(),
                    kind,
                    plain.amounts,
                    plain.said,
                )
            })
        }
        Ends::Names(names) => with_shown_names(names, |names| {
            on_lane(|here| {
                begin_kind_by_names(
                    here,
                    names,
                    site.if_not_plain(),
                    kind,
                    plain.amounts,
                    plain.said,
                )
            })
        }),
    });
}

/// The same for one of whose type nothing but the path is known.
#[cfg_attr(not(debug_assertions), inline(always))]
fn begin_any_send(
    flow: &mut Flow,
    ends: &Ends<'_>,
    site: &'static Site,
    path: &'static str,
    plain: Plain,
) {
    flow.begin(match ends {
        Ends::Handle(edge) => on_lane(|here| {
            begin_path_by_handle(
                here,
                edge,
                site.if_not_plain(),
                path,
                plain.amounts,
                plain.said,
            )
        }),
        Ends::Names([Name::Text(a), Name::Text(b), Name::Text(c), Name::Text(d)]) => {
            let names = [*a, *b, *c, *d];
            on_lane(|here| {
                begin_path_by_names(
                    here,
                    &names,
                    site.if_not_plain(),
                    path,
                    plain.amounts,
                    plain.said,
                )
            })
        }
        Ends::Names(names) => with_shown_names(names, |names| {
            on_lane(|here| {
                begin_path_by_names(
                    here,
                    names,
                    site.if_not_plain(),
                    path,
                    plain.amounts,
                    plain.said,
                )
            })
        }),
    });
}

/// A message that came from somewhere, or has an id.
#[inline]
fn begin_linked_send<T: Message>(
    message: &mut T,
    flow: &mut Flow,
    ends: &Ends<'_>,
    depth: Depth,
    site: &'static Site,
    size: Option<Size>,
) {
    let mut facts = facts_of(&*message);
    facts.size = size.unwrap_or(facts.size);
    let mut outgoing = Context::NONE;
    let has_room = facts.context.is_some();
    begin_by_facts(
        flow,
        ends,
        depth,
        site,
        &facts,
        has_room.then_some(&mut outgoing),
    );
    if has_room
        && outgoing.is_linked()
        && let Some(context) = message.context_mut()
    {
        *context = outgoing;
    }
}

/// The part of it that is the same for every type.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn begin_by_facts(
    flow: &mut Flow,
    ends: &Ends<'_>,
    depth: Depth,
    site: &'static Site,
    facts: &Facts<'_>,
    outgoing: Option<&mut Context>,
) {
    let amounts = pack_amounts(facts.size.bytes, depth.known());
    flow.begin(with_key(ends, |key| {
        on_lane(|here| begin_linked(here, key, site.if_not_plain(), facts, amounts, outgoing))
    }));
}

impl<T> SendingAny<T> {
    /// The same as [`Self::begin`], where the annotation knows the size.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn begin_sized(
        self,
        message: &mut T,
        ends: Ends<'_>,
        depth: Depth,
        site: &'static Site,
        size: Option<Size>,
    ) -> Flow {
        let send = Send {
            ends: &ends,
            depth,
            site,
            size,
        };
        let found = found_mut(message);
        begin_looked_up_send(found, &send, std::any::type_name::<T>(), size_of::<T>())
    }
}

/// Begins the send of a message that was looked for by its type, and maybe found.
#[cfg_attr(not(debug_assertions), inline(always))]
fn begin_looked_up_send(
    found: Option<Found<'_>>,
    send: &Send<'_>,
    path: &'static str,
    bytes: usize,
) -> Flow {
    let mut flow = Flow::idle();
    match found {
        Some(message) => begin_found_send(message, &mut flow, send),
        None => {
            let size = send.size.unwrap_or(Size::shallow(bytes));
            let plain = Plain::new(Verdict::ByRate, size, send.depth);
            begin_any_send(&mut flow, send.ends, send.site, path, plain);
        }
    }
    flow
}

impl<T: Message> BeginHandling for Probed<'_, T> {
    #[inline]
    fn begin_sized_handling(
        &mut self,
        flow: &mut Flow,
        receiver: Receiver<'_>,
        site: &'static Site,
        size: Option<Size>,
    ) {
        let message = &*self.0;
        let mut facts = facts_of(message);
        facts.size = size.unwrap_or(facts.size);
        flow.begin(begin_handling(&receiver, site, &facts));
        cause_by(flow);
        if T::DESCRIBES && flow.wants_details() {
            describe(message, flow);
            flow.start_clock();
        }
    }
}

impl<T> BeginHandling for &mut Probed<'_, T> {
    #[inline]
    fn begin_sized_handling(
        &mut self,
        flow: &mut Flow,
        receiver: Receiver<'_>,
        site: &'static Site,
        size: Option<Size>,
    ) {
        if let Some(message) = found(&*self.0) {
            return begin_found_handling(message, flow, &receiver, site, size);
        }
        let mut facts = facts_of_any(self.0);
        facts.size = size.unwrap_or(facts.size);
        flow.begin(begin_handling(&receiver, site, &facts));
        cause_by(flow);
    }
}
