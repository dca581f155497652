//! A message whose policy is found while the program runs, by its type: see [`crate::registry`].
//!
//! All that a message with a policy is asked for, with its type erased. The rest is done by code that exists
//! once and is the same as for a type that is known.

use super::begin::{begin_plain_send, describe, facts_of};
use super::depth::Depth;
use super::ends::Ends;
use super::flow::Flow;
use super::handling::{Receiver, begin_handling, cause_by};
use super::send::{Facts, Plain, begin_linked, on_lane, with_key};
use super::site::Site;
use crate::context::Context;
use crate::message::{Message, MessageKind, Size, SizeSource};
use crate::record::pack_amounts;
use crate::registry::Found;
use crate::sampling::Verdict;

/// A [`Message`] of any type.
pub(crate) trait AnyMessage {
    /// What has to be known of it at the begin of a send, in one call; `None` if it came from somewhere or has an
    /// id.
    fn plain(&self) -> Option<PlainFacts>;

    /// All that has to be known of it at a begin, in one call.
    fn facts(&self) -> Facts<'_>;

    /// Writes what is to be recorded with it.
    fn describe_to(&self, flow: &mut Flow);

    /// The room for a context.
    fn room(&mut self) -> Option<&mut Context>;
}

/// What a probe knows of a plain message, in two words that come back in registers.
pub(crate) struct PlainFacts {
    kind: &'static MessageKind,
    /// The size in bytes, below how it came about (bits 60–61) and the verdict (bits 62–63).
    said: u64,
}

const BYTES_MAX: u64 = (1 << 60) - 1;

impl PlainFacts {
    #[inline(always)]
    fn new(kind: &'static MessageKind, verdict: Verdict, size: Size) -> Self {
        let said =
            size.bytes.min(BYTES_MAX) | ((size.source as u64) << 60) | ((verdict as u64) << 62);
        Self { kind, said }
    }

    #[inline(always)]
    fn verdict(&self) -> Verdict {
        match self.said >> 62 {
            0 => Verdict::Never,
            1 => Verdict::Always,
            _ => Verdict::ByRate,
        }
    }

    #[inline(always)]
    fn size(&self) -> Size {
        let source = match (self.said >> 60) & 3 {
            0 => SizeSource::Told,
            1 => SizeSource::Deep,
            _ => SizeSource::Shallow,
        };
        Size {
            bytes: self.said & BYTES_MAX,
            source,
        }
    }
}

impl<T: Message> AnyMessage for T {
    fn plain(&self) -> Option<PlainFacts> {
        if self.context().is_some() || self.id().is_some() {
            return None;
        }
        Some(PlainFacts::new(self.kind(), self.verdict(), self.size()))
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

    fn room(&mut self) -> Option<&mut Context> {
        self.context_mut()
    }
}

/// Begins the send.
#[inline(never)]
pub(super) fn begin_found_send(
    mut found: Found<'_>,
    flow: &mut Flow,
    ends: &Ends<'_>,
    depth: Depth,
    site: &'static Site,
    size: Option<Size>,
) {
    let message = found.message();
    match message.plain() {
        Some(facts) => {
            let plain = Plain::new(facts.verdict(), size.unwrap_or(facts.size()), depth);
            begin_plain_send(flow, ends, site, facts.kind, plain);
            if flow.wants_details() {
                message.describe_to(flow);
            }
        }
        None => begin_linked_send(&mut found, flow, ends, depth, site, size),
    }
}

/// Begins the send of a message that came from somewhere, or has an id.
#[inline(never)]
fn begin_linked_send(
    found: &mut Found<'_>,
    flow: &mut Flow,
    ends: &Ends<'_>,
    depth: Depth,
    site: &'static Site,
    size: Option<Size>,
) {
    let mut facts = found.message().facts();
    facts.size = size.unwrap_or(facts.size);
    let amounts = pack_amounts(facts.size.bytes, depth.known());
    let mut outgoing = Context::NONE;
    let has_room = facts.context.is_some();
    flow.begin(with_key(ends, |key| {
        let outgoing = has_room.then_some(&mut outgoing);
        on_lane(|here| begin_linked(here, key, site.if_not_plain(), &facts, amounts, outgoing))
    }));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_what_comes_back() {
        static KIND: MessageKind = MessageKind::new("Reading");
        for verdict in [Verdict::Never, Verdict::Always, Verdict::ByRate] {
            for source in [SizeSource::Told, SizeSource::Deep, SizeSource::Shallow] {
                for bytes in [0, 1, 1 << 40, BYTES_MAX] {
                    let size = Size { bytes, source };
                    let facts = PlainFacts::new(&KIND, verdict, size);
                    assert_eq!((facts.verdict(), facts.size()), (verdict, size));
                }
            }
        }
        let endless = PlainFacts::new(&KIND, Verdict::Always, Size::deep(usize::MAX));
        assert_eq!(endless.size().bytes, BYTES_MAX);
    }
}
