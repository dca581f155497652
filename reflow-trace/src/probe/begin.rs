//! The thin generic front of the probe: it asks the message and hands on.

use super::depth::Depth;
use super::ends::Ends;
use super::flow::Flow;
use super::handling::{Receiver, begin_handling};
use super::send::{Facts, Request, begin_send};
use super::site::Site;
use crate::context::Context;
use crate::lane::KindRef;
use crate::message::{AttributeValue, Message, Size};
use crate::sampling::{Randomness, Verdict};

/// Wraps the message argument, so that its policy is found where it has one.
///
/// Impls stand at two depths of reference: a [`Message`] is found first, anything else after it.
#[derive(Debug)]
pub struct Probed<'a, T>(pub &'a mut T);

/// Begins a send.
pub trait BeginSend {
    /// Decides, counts, stamps the context into the message, and starts the clock.
    #[inline]
    fn begin_send(&mut self, flow: &mut Flow, ends: Ends<'_>, depth: Depth, site: &'static Site) {
        self.begin_sized_send(flow, ends, depth, site, None);
    }

    /// The same, where the annotation knows the size better than the message does.
    fn begin_sized_send(
        &mut self,
        flow: &mut Flow,
        ends: Ends<'_>,
        depth: Depth,
        site: &'static Site,
        size: Option<Size>,
    );
}

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
}

/// What a message with a policy says of itself.
#[inline]
pub(super) fn facts_of<T: Message + ?Sized>(message: &T) -> Facts<'_> {
    Facts {
        kind: KindRef::Kind(message.kind()),
        verdict: message.verdict(),
        size: message.size(),
        context: message.context(),
        id: message.id(),
    }
}

/// What can be said of any message.
#[inline]
pub(super) fn facts_of_any<T>(message: &T) -> Facts<'static> {
    Facts {
        kind: KindRef::Path(std::any::type_name::<T>()),
        verdict: Verdict::ByRate,
        size: Size::shallow(size_of_val(message)),
        context: None,
        id: None,
    }
}

impl<T: Message> BeginSend for Probed<'_, T> {
    #[inline]
    fn begin_sized_send(
        &mut self,
        flow: &mut Flow,
        ends: Ends<'_>,
        depth: Depth,
        site: &'static Site,
        size: Option<Size>,
    ) {
        let message = &mut *self.0;
        let mut request = Request {
            ends,
            depth,
            site,
            facts: facts_of(&*message),
        };
        if let Some(size) = size {
            request.facts.size = size;
        }
        let mut outgoing = Context::NONE;
        let has_room = request.facts.context.is_some();
        let recorded = begin_send(flow, &request, has_room.then_some(&mut outgoing));
        if has_room
            && outgoing.is_linked()
            && let Some(context) = message.context_mut()
        {
            *context = outgoing;
        }
        if recorded {
            describe(message, flow);
            flow.start_clock();
        }
    }
}

impl<T> BeginSend for &mut Probed<'_, T> {
    #[inline]
    fn begin_sized_send(
        &mut self,
        flow: &mut Flow,
        ends: Ends<'_>,
        depth: Depth,
        site: &'static Site,
        size: Option<Size>,
    ) {
        let mut request = Request {
            ends,
            depth,
            site,
            facts: facts_of_any(self.0),
        };
        if let Some(size) = size {
            request.facts.size = size;
        }
        if begin_send(flow, &request, None) {
            flow.start_clock();
        }
    }
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
        if begin_handling(flow, &receiver, site, &facts) {
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
        let mut facts = facts_of_any(self.0);
        facts.size = size.unwrap_or(facts.size);
        if begin_handling(flow, &receiver, site, &facts) {
            flow.start_clock();
        }
    }
}
