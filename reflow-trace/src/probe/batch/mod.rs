//! Sends of which only the end tells what they were: a batch, and a send that is polled.
//!
//! A batch is recorded as the sends its body makes through other recorded methods of the connector; if it makes none, as
//! one send per message. A poll that is pending was no send at all. So the begin looks at the messages, which are gone
//! when the body is done, and remembers of each what a record needs; the end records them or forgets them.
//!
//! Whether the body sent through others is read off the counters: what they count over this edge on this thread, between
//! the begin and the end of a call or of a poll, was sent from within. Sends in tasks that the body spawns are not
//! within it, and sends in a handler that the body calls are.
//!
//! A message with room for a context is given its trace at the begin, but no event: which event it will be is not known
//! yet, and it must not name one that never comes. Whoever handles it is in the trace, without a parent.

mod begin;
mod future;
mod items;

use std::cell::Cell;
use std::fmt;

pub use begin::{BatchOf, BeginBatch};
pub use future::{BatchFuture, begin_batch_in, deferred_batch, instrumented_batch};
pub use items::{Items, One, Seen};

use super::depth::Depth;
use super::send::{Facts, begin_linked, on_lane};
use super::site::Site;
use crate::clock::ticks;
use crate::context::Context;
use crate::edge::Edge;
use crate::event::Outcome;
use crate::lane::{Asking, FlowKey, KindRef, Purpose, with_held};
use crate::message::{AttributeValue, Attributes, Size, give_back_details};
use crate::record::pack_amounts;
use crate::record::sections::Sections;
use crate::sampling::Verdict;

/// Most messages of one batch that are recorded one by one. What is beyond is counted, and as lost.
const ITEMS_MAX: usize = 65_536;
/// Longest list that a thread keeps for its next batch.
const KEPT_ITEMS_MAX: usize = 1024;

thread_local! {
    /// An empty list, used again and again, so that a batch does not allocate.
    static SPARE: Cell<Vec<Item>> = const { Cell::new(Vec::new()) };
}

/// What may become sends when it ends.
///
/// Dropped before its end it was cancelled, or it panicked.
#[derive(Default)]
pub struct Batch {
    under_way: Option<UnderWay>,
    delivers_on_drop: bool,
    no_panic_is_ours: bool,
}

struct UnderWay {
    items: Vec<Item>,
    /// Messages that came after [`ITEMS_MAX`].
    beyond: u64,
    /// How many messages came in one call; `None` where a call takes one.
    size: Option<u64>,
    edge: Edge,
    depth: Depth,
    site: &'static Site,
    /// The recording it belongs to.
    generation: u32,
    /// Clock ticks at the begin.
    start: u64,
    /// What was counted over the edge on this thread when the call, or this poll of the future, began. `None` between
    /// polls.
    sent_before: Option<u64>,
    /// The body sends through methods that are recorded themselves.
    is_sent_by_others: bool,
    /// It begins with the first poll of a future that exists already.
    is_deferred: bool,
}

/// What is remembered of one message.
struct Item {
    kind: KindRef,
    verdict: Verdict,
    size: Size,
    /// Its trace.
    context: Context,
    is_sampled: bool,
    details: Option<Box<Sections>>,
}

impl Batch {
    /// Nothing to send.
    #[inline]
    pub const fn idle() -> Self {
        Self {
            under_way: None,
            delivers_on_drop: false,
            no_panic_is_ours: false,
        }
    }

    /// Whether there is anything to end.
    #[inline]
    pub fn is_active(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether any of it is to be recorded.
    pub fn wants_details(&self) -> bool {
        let items = self.under_way.iter().flat_map(|batch| &batch.items);
        items.into_iter().any(|item| item.is_sampled)
    }

    /// Adds a named value to each record.
    pub fn attribute(&mut self, key: &'static str, value: AttributeValue<'_>) {
        let items = self.under_way.iter_mut().flat_map(|batch| &mut batch.items);
        for item in items.filter(|item| item.is_sampled) {
            Attributes::new(&mut item.details).put(key, value);
        }
    }

    /// The annotation knows the size of the message better than the message does.
    pub fn measured(&mut self, size: Option<Size>) {
        let items = self.under_way.iter_mut().flat_map(|batch| &mut batch.items);
        if let (Some(item), Some(size)) = (items.into_iter().next(), size) {
            item.size = size;
        }
    }

    /// From now on, being dropped without a panic means delivered.
    pub fn deliver_on_drop(&mut self) {
        self.delivers_on_drop = true;
        self.no_panic_is_ours = std::thread::panicking();
    }

    /// It begins at the first poll of a future; if that never comes, there was nothing.
    pub fn defer(&mut self) {
        self.pause();
        if let Some(batch) = &mut self.under_way {
            batch.is_deferred = true;
        }
    }

    /// There was nothing: the poll was pending.
    pub fn discard(&mut self) {
        if let Some(batch) = self.under_way.take() {
            batch.forget();
        }
    }

    /// Ends it: one send for each message, unless others sent them.
    pub fn end(&mut self, outcome: Outcome) {
        self.pause();
        let Some(mut batch) = self.under_way.take() else {
            return;
        };
        if !batch.is_sent_by_others && !batch.is_deferred {
            batch.record(outcome);
        }
        batch.forget();
    }

    /// A poll begins.
    fn resume(&mut self) {
        if let Some(batch) = &mut self.under_way {
            if std::mem::take(&mut batch.is_deferred) {
                batch.start = ticks();
            }
            batch.sent_before = batch.sent();
        }
    }

    /// The call, or a poll, is over.
    fn pause(&mut self) {
        if let Some(batch) = &mut self.under_way
            && let Some(before) = batch.sent_before.take()
            && batch.sent().is_some_and(|sent| sent > before)
        {
            batch.is_sent_by_others = true;
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if self.is_active() {
            let panics = std::thread::panicking() && !self.no_panic_is_ours;
            self.end(match (panics, self.delivers_on_drop) {
                (true, _) => Outcome::Panicked,
                (false, true) => Outcome::Delivered,
                (false, false) => Outcome::Cancelled,
            });
        }
    }
}

impl UnderWay {
    /// What is counted over the edge on this thread.
    fn sent(&self) -> Option<u64> {
        with_held(|held| {
            let is_of_this_recording = held.hand.generation == self.generation;
            is_of_this_recording.then(|| held.lane.flows.sent_over(self.edge.number()))
        })
        .flatten()
    }

    fn record(&mut self, outcome: Outcome) {
        if with_held(|held| held.hand.generation) != Some(self.generation) {
            return;
        }
        for item in &mut self.items {
            let facts = Facts {
                kind: item.kind,
                verdict: item.verdict,
                size: item.size,
                context: Some(&item.context),
                id: None,
            };
            let amounts = pack_amounts(item.size.bytes, self.depth.known());
            let (key, site) = (FlowKey::Handle(&self.edge), self.site.if_not_plain());
            let mut flow = on_lane(|here| begin_linked(here, key, site, &facts, amounts, None));
            if flow.wants_details() {
                flow.began_at(self.start, item.details.take());
                if let Some(size) = self.size {
                    flow.attribute("batch_size", AttributeValue::Unsigned(size));
                }
            }
            flow.end(outcome);
        }
        if let (Some(last), true) = (self.items.last(), self.beyond > 0) {
            self.count_beyond(last);
        }
    }

    #[cold]
    fn count_beyond(&self, like: &Item) {
        with_held(|held| {
            let (hand, lane) = (&held.hand, &mut held.lane);
            let asking = Asking {
                kind: like.kind,
                purpose: Purpose::Send,
                site: self.site.if_not_plain(),
                lane: &lane.shared,
                runtime: &hand.runtime,
            };
            let entry = lane.flows.find(FlowKey::Handle(&self.edge), asking);
            entry.cell.messages.add(self.beyond);
            lane.shared.numbered.add(self.beyond);
            lane.shared.too_large.add(self.beyond);
        });
    }

    fn forget(mut self) {
        for item in &mut self.items {
            if let Some(details) = item.details.take() {
                give_back_details(details);
            }
        }
        self.items.clear();
        if self.items.capacity() <= KEPT_ITEMS_MAX {
            // A thread that is exiting keeps nothing.
            let _kept = SPARE.try_with(|spare| spare.set(self.items));
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = self.under_way.as_ref().map(|batch| batch.items.len());
        f.debug_struct("Batch").field("items", &items).finish()
    }
}
