//! A message whose policy is found while the program runs, by its type: see [`crate::registry`].
//!
//! All that a message with a policy is asked for, with its type erased. The rest is done by code that exists
//! once and is the same as for a type that is known.

use super::begin::{begin_by_facts, begin_plain_send, describe, facts_of};
use super::depth::Depth;
use super::ends::Ends;
use super::flow::Flow;
use super::handling::{Receiver, begin_handling, cause_by};
use super::send::{Facts, Plain};
use super::site::Site;
use crate::context::Context;
use crate::message::{Attributes, Message, Size};
use crate::registry::Found;

/// A [`Message`] of any type.
pub(crate) trait AnyMessage {
    /// Begins its send, if it says nothing of where it came from and has no id; false, and nothing has happened,
    /// if it does. The quick way of a type that is known, behind one call.
    fn begin_plain(&self, flow: &mut Flow, send: &Send<'_>) -> bool;

    /// All that has to be known of it at a begin, in one call.
    fn facts(&self) -> Facts<'_>;

    /// Writes what is to be recorded with it.
    fn describe_to(&self, flow: &mut Flow);

    /// Writes its id and its marked fields.
    fn say(&self, attributes: &mut Attributes<'_>);

    /// The room for a context.
    fn room(&mut self) -> Option<&mut Context>;
}

/// A send that begins.
pub(crate) struct Send<'a> {
    pub(super) ends: &'a Ends<'a>,
    pub(super) depth: Depth,
    pub(super) site: &'static Site,
    /// Where the annotation knows it better than the message.
    pub(super) size: Option<Size>,
}

impl<T: Message> AnyMessage for T {
    fn begin_plain(&self, flow: &mut Flow, send: &Send<'_>) -> bool {
        if self.context().is_some() || self.id().is_some() {
            return false;
        }
        let size = send.size.unwrap_or_else(|| self.size());
        let plain = Plain::new(self.verdict(), size, send.depth);
        begin_plain_send(flow, send.ends, send.site, self.kind(), plain);
        if T::DESCRIBES && flow.wants_details() {
            self.describe_to(flow);
        }
        true
    }

    fn facts(&self) -> Facts<'_> {
        facts_of(self)
    }

    fn describe_to(&self, flow: &mut Flow) {
        if T::DESCRIBES {
            describe(self, flow);
            flow.start_clock();
        }
    }

    fn say(&self, attributes: &mut Attributes<'_>) {
        if let Some(id) = self.id() {
            attributes.put("message_id", id);
        }
        self.describe(attributes);
    }

    fn room(&mut self) -> Option<&mut Context> {
        self.context_mut()
    }
}

/// Begins the send.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn begin_found_send(found: Found<'_>, flow: &mut Flow, send: &Send<'_>) {
    if !found.message().begin_plain(flow, send) {
        begin_linked_send(found, flow, send);
    }
}

/// Begins the send of a message that came from somewhere, or has an id.
#[inline(never)]
fn begin_linked_send(mut found: Found<'_>, flow: &mut Flow, send: &Send<'_>) {
    let mut facts = found.message().facts();
    facts.size = send.size.unwrap_or(facts.size);
    let mut outgoing = Context::NONE;
    let has_room = facts.context.is_some();
    begin_by_facts(
        flow,
        send.ends,
        send.depth,
        send.site,
        &facts,
        has_room.then_some(&mut outgoing),
    );
    if has_room
        && outgoing.is_linked()
        && let Some(room) = found.message_mut().and_then(AnyMessage::room)
    {
        *room = outgoing;
    }
    if flow.wants_details() {
        found.message().describe_to(flow);
    }
}

/// Begins the handling.
#[inline(never)]
pub(super) fn begin_found_handling(
    message: &dyn AnyMessage,
    flow: &mut Flow,
    receiver: &Receiver<'_>,
    site: &'static Site,
    size: Option<Size>,
) {
    let mut facts = message.facts();
    facts.size = size.unwrap_or(facts.size);
    flow.begin(begin_handling(receiver, site, &facts));
    cause_by(flow);
    if flow.wants_details() {
        message.describe_to(flow);
    }
}
