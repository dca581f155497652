//! A message whose policy is found while the program runs, by its type: see [`crate::registry`].
//!
//! All that a message with a policy is asked for, with its type erased. The rest is done by code that exists
//! once and is the same as for a type that is known.

use super::begin::{begin_linked_send, begin_plain_send, describe, facts_of};
use super::depth::Depth;
use super::ends::Ends;
use super::flow::Flow;
use super::handling::{Receiver, begin_handling, cause_by};
use super::send::{Facts, Plain};
use super::site::Site;
use crate::context::Context;
use crate::lane::KindRef;
use crate::message::{Message, Size};
use crate::registry::Found;

/// A [`Message`] of any type.
pub(crate) trait AnyMessage {
    /// All that has to be known of it at a begin, in one call.
    fn facts(&self) -> Facts<'_>;

    /// Writes what is to be recorded with it.
    fn describe_to(&self, flow: &mut Flow);

    /// The room for a context.
    fn room(&mut self) -> Option<&mut Context>;
}

impl<T: Message> AnyMessage for T {
    fn facts(&self) -> Facts<'_> {
        facts_of(self)
    }

    fn describe_to(&self, flow: &mut Flow) {
        if T::DESCRIBES {
            describe(self, flow);
            flow.start_clock();
        }
    }

    fn room(&mut self) -> Option<&mut Context> {
        self.context_mut()
    }
}

/// Begins the send.
#[inline(never)]
pub(super) fn begin_found_send(
    mut message: Found<'_>,
    flow: &mut Flow,
    ends: &Ends<'_>,
    depth: Depth,
    site: &'static Site,
    size: Option<Size>,
) {
    let mut facts = message.message().facts();
    facts.size = size.unwrap_or(facts.size);
    match facts {
        Facts {
            kind: KindRef::Kind(kind),
            context: None,
            id: None,
            ..
        } => {
            let plain = Plain::new(facts.verdict, facts.size, depth);
            begin_plain_send(flow, ends, site, kind, plain);
        }
        _ => {
            let outgoing = begin_linked_send(flow, ends, depth, site, &facts);
            if outgoing.is_linked()
                && let Some(room) = message.message_mut().and_then(AnyMessage::room)
            {
                *room = outgoing;
            }
        }
    }
    if flow.wants_details() {
        message.message().describe_to(flow);
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
