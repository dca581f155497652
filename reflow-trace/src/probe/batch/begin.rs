//! The begin of a batch: every message is looked at once.

use super::super::begin::{facts_of, facts_of_any};
use super::super::depth::Depth;
use super::super::ends::Ends;
use super::super::found::AnyMessage;
use super::super::send::{Facts, cause_of_send, with_key};
use super::super::site::Site;
use super::super::trace::Trace;
use super::items::{Items, Seen};
use super::{Batch, ITEMS_MAX, Item, SPARE, UnderWay};
use crate::clock::ticks;
use crate::context::active;
use crate::context::{Context, ThreadCause};
use crate::edge::{Edge, OVERFLOW_EDGE};
use crate::lane::{Asking, FlowKey, Held, Purpose, with_held};
use crate::message::{Attributes, Message};
use crate::record::flag;
use crate::registry::{found, found_mut};
use crate::sampling::Threshold;

/// Wraps the argument, so that what is known of its messages is found.
#[derive(Debug)]
pub struct BatchOf<'a, B>(pub &'a mut B);

/// Begins a batch.
pub trait BeginBatch {
    /// Looks at the messages, and gives each that has room for it the context of its trace.
    fn begin_batch(&mut self, flow: &mut Batch, ends: Ends<'_>, depth: Depth, site: &'static Site);
}

// Four depths of reference, in the order in which method look-up from `&mut &mut &mut BatchOf` tries them: two references
// (one message with a policy, such as bytes), three, one, none.

impl<M: Message> BeginBatch for &mut &mut BatchOf<'_, M> {
    fn begin_batch(&mut self, flow: &mut Batch, ends: Ends<'_>, depth: Depth, site: &'static Site) {
        let mut begin = Begin::new(flow, ends, depth, site, None);
        begin.message(Seen::Owned(&mut *self.0));
    }
}

impl<B: Items> BeginBatch for &mut &mut &mut BatchOf<'_, B>
where
    B::Item: Message,
{
    fn begin_batch(&mut self, flow: &mut Batch, ends: Ends<'_>, depth: Depth, site: &'static Site) {
        let mut begin = Begin::new(flow, ends, depth, site, self.0.batch_size());
        self.0.each(&mut |item| begin.message(item));
    }
}

impl<B: Items> BeginBatch for &mut BatchOf<'_, B> {
    fn begin_batch(&mut self, flow: &mut Batch, ends: Ends<'_>, depth: Depth, site: &'static Site) {
        let mut begin = Begin::new(flow, ends, depth, site, self.0.batch_size());
        self.0.each(&mut |item| begin.any(item));
    }
}

impl<B> BeginBatch for BatchOf<'_, B> {
    fn begin_batch(&mut self, flow: &mut Batch, ends: Ends<'_>, depth: Depth, site: &'static Site) {
        let mut begin = Begin::new(flow, ends, depth, site, None);
        begin.any(Seen::Owned(&mut *self.0));
    }
}

/// A batch that is being looked at.
struct Begin<'a> {
    flow: &'a mut Batch,
    ends: Ends<'a>,
    depth: Depth,
    site: &'static Site,
    size: Option<u64>,
    handling: Option<Context>,
    /// It is part of a send that is under way.
    is_suppressed: bool,
}

impl<'a> Begin<'a> {
    fn new(
        flow: &'a mut Batch,
        ends: Ends<'a>,
        depth: Depth,
        site: &'static Site,
        size: Option<u64>,
    ) -> Self {
        Self {
            flow,
            ends,
            depth,
            site,
            size,
            handling: ThreadCause::with(ThreadCause::get).flatten(),
            is_suppressed: false,
        }
    }

    fn message<M: Message>(&mut self, message: Seen<'_, M>) {
        let Some(stamp) = self.remember(&facts_of(message.get())) else {
            return;
        };
        let message: &M = match message {
            Seen::Owned(message) => {
                if let Some(room) = message.context_mut() {
                    *room = stamp;
                }
                message
            }
            Seen::Shared(message) => message,
        };
        self.describe(message);
    }

    /// A message of which nothing is known where the code is; see [`registry`](crate::registry).
    fn any<T>(&mut self, message: Seen<'_, T>) {
        match message {
            Seen::Owned(message) => {
                if let Some(mut found) = found_mut(message) {
                    let stamp = self.remember(&found.message().facts());
                    if let Some(stamp) = stamp {
                        if let Some(room) = found.message_mut().and_then(AnyMessage::room) {
                            *room = stamp;
                        }
                        self.describe(found.message());
                    }
                } else {
                    self.remember(&facts_of_any(message));
                }
            }
            Seen::Shared(message) => match found(message) {
                Some(found) => {
                    if self.remember(&found.facts()).is_some() {
                        self.describe(found);
                    }
                }
                None => {
                    self.remember(&facts_of_any(message));
                }
            },
        }
    }

    /// Writes what is to be recorded with the last message.
    fn describe<M: AnyMessage + ?Sized>(&mut self, message: &M) {
        if let Some(batch) = &mut self.flow.under_way
            && let Some(item) = batch.items.last_mut()
            && item.is_sampled
        {
            message.say(&mut Attributes::new(&mut item.details));
        }
    }

    /// Remembers a message; the context is for the message itself. `None` where it is not remembered.
    fn remember(&mut self, facts: &Facts<'_>) -> Option<Context> {
        if self.is_suppressed {
            return None;
        }
        let ends = match (&self.flow.under_way, &self.ends) {
            (Some(batch), _) if batch.items.len() >= ITEMS_MAX => {
                self.flow.under_way.as_mut()?.beyond += 1;
                return None;
            }
            (Some(batch), _) => {
                return self.remember_at(FlowKey::Handle(&batch.edge.clone()), facts);
            }
            (None, ends) => *ends,
        };
        with_key(&ends, |key| self.remember_at(key, facts))
    }

    fn remember_at(&mut self, key: FlowKey<'_>, facts: &Facts<'_>) -> Option<Context> {
        let remembered = with_held(|held| {
            let Held {
                hand, lane, stack, ..
            } = held;
            let asking = Asking {
                kind: facts.kind,
                purpose: Purpose::Send,
                site: self.site.if_not_plain(),
                lane: &lane.shared,
                runtime: &hand.runtime,
            };
            let entry = lane.flows.find(key, asking);
            let (base, depth) = (active::base(), active::depth());
            let is_part = entry.edge != OVERFLOW_EDGE
                && stack.sends_over(entry.edge, hand.generation, base, depth);
            if entry.is_off || is_part {
                self.is_suppressed = true;
                return None;
            }
            let cause = cause_of_send(facts.context, self.handling.as_ref());
            let trace = Trace::of(cause, facts, &mut lane.roots, hand);
            let threshold = entry.kept(facts.verdict).threshold;
            let mut context = Context::NONE;
            trace.stamp(
                &mut context,
                Threshold::ALWAYS,
                None,
                entry.edge,
                hand.ticks(),
                hand,
            );
            // Who sends it from within the body is as far from the root as this batch.
            context.hops = trace.hops;
            let item = Item {
                kind: facts.kind,
                verdict: facts.verdict,
                size: facts.size,
                context,
                begins: trace.flags & (flag::ROOT | flag::TRACE_CUT),
                is_sampled: threshold.keeps(trace.randomness),
                details: None,
            };
            let batch = self.flow.under_way.get_or_insert_with(|| UnderWay {
                items: SPARE.try_with(std::cell::Cell::take).unwrap_or_default(),
                beyond: 0,
                size: self.size,
                edge: Edge::known(entry.edge, &entry.names),
                depth: self.depth,
                site: self.site,
                generation: hand.generation,
                start: ticks(),
                sent_before: None,
                is_sent_by_others: false,
                is_deferred: false,
            });
            batch.items.push(item);
            if batch.sent_before.is_none() {
                batch.sent_before = Some(lane.flows.sent_over(batch.edge.number()));
            }
            Some(context)
        });
        if remembered.is_none() {
            crate::runtime::count_without_ring();
        }
        remembered.flatten()
    }
}
