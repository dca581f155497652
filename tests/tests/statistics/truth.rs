//! What really happened, counted by atomics beside the tracing.
//!
//! Nothing here looks at an event, a counter or a context. A message is counted by whoever calls the send,
//! by its result, and by the [`Ticket`] inside it, which is dropped with it wherever that is.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Instant;

use crate::job::{Kind, Ticket};

const RELAXED: Ordering = Ordering::Relaxed;
const KINDS: usize = Kind::ALL.len();

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is not inside anything, or in a queue that nobody traces.
    Outside,
    /// It is on its way through a traced channel.
    InChannel,
}

/// One kind of message over one edge.
#[derive(Debug, Default)]
pub(crate) struct FlowTruth {
    pub(crate) messages: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) dropped: AtomicU64,
}

/// All that stems from one first message.
#[derive(Debug, Default)]
pub(crate) struct RootTruth {
    /// Sends, receives and drops inside channels.
    pub(crate) events: AtomicU32,
    pub(crate) messages: [AtomicU32; KINDS],
    pub(crate) bytes: [AtomicU64; KINDS],
}

/// The stamps of one message, in nanoseconds since the truth began; 0: none.
#[derive(Debug, Default)]
pub(crate) struct MessageTruth {
    pub(crate) root: AtomicU32,
    pub(crate) before_send: AtomicU64,
    pub(crate) after_send: AtomicU64,
    pub(crate) before_receive: AtomicU64,
    pub(crate) after_receive: AtomicU64,
}

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Truth {
    began: Instant,
    waiter: Thread,
    under_way: AtomicUsize,
    next_message: AtomicUsize,
    next_root: AtomicUsize,
    flows: Vec<FlowTruth>,
    pub(crate) roots: Vec<RootTruth>,
    pub(crate) messages: Vec<MessageTruth>,
}

fn make<T: Default>(count: usize) -> Vec<T> {
    std::iter::repeat_with(T::default).take(count).collect()
}

impl Truth {
    /// Of a network with so many edges, for at most so many messages. The calling thread is the one that
    /// will wait.
    pub(crate) fn new(edges: usize, messages: usize) -> Self {
        Self {
            began: Instant::now(),
            waiter: std::thread::current(),
            under_way: AtomicUsize::new(0),
            next_message: AtomicUsize::new(0),
            next_root: AtomicUsize::new(0),
            flows: make(edges * KINDS),
            roots: make(messages),
            messages: make(messages),
        }
    }

    pub(crate) fn flow(edge: usize, kind: Kind) -> usize {
        edge * KINDS + kind as usize
    }

    pub(crate) fn of_flow(&self, edge: usize, kind: Kind) -> &FlowTruth {
        &self.flows[Self::flow(edge, kind)]
    }

    /// Now, never 0.
    pub(crate) fn now_ns(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64 + 1
    }

    /// The number of a new message, of which there are not too many yet.
    pub(crate) fn new_message(&self, limit: usize) -> Option<usize> {
        let number = self.next_message.fetch_add(1, RELAXED);
        if number >= limit.min(self.messages.len()) {
            self.next_message.fetch_sub(1, RELAXED);
            return None;
        }
        self.under_way.fetch_add(1, Ordering::SeqCst);
        Some(number)
    }

    pub(crate) fn new_root(&self) -> usize {
        self.next_root.fetch_add(1, RELAXED)
    }

    pub(crate) fn root_count(&self) -> usize {
        self.next_root.load(RELAXED)
    }

    /// A message is about to be sent.
    pub(crate) fn sends(&self, ticket: &Ticket, bytes: usize) {
        let kind = ticket.flow % KINDS;
        let flow = &self.flows[ticket.flow];
        flow.messages.fetch_add(1, RELAXED);
        flow.bytes.fetch_add(bytes as u64, RELAXED);
        let root = &self.roots[ticket.root];
        root.events.fetch_add(1, RELAXED);
        root.messages[kind].fetch_add(1, RELAXED);
        root.bytes[kind].fetch_add(bytes as u64, RELAXED);
        let message = &self.messages[ticket.number];
        message.root.store(ticket.root as u32, RELAXED);
        message.before_send.store(self.now_ns(), RELAXED);
    }

    /// The send of that message has succeeded; the message is somebody else's by now.
    pub(crate) fn sent(&self, number: usize) {
        self.messages[number]
            .after_send
            .store(self.now_ns(), RELAXED);
    }

    pub(crate) fn failed(&self, ticket: &mut Ticket) {
        ticket.fate = Fate::Outside;
        self.flows[ticket.flow].failures.fetch_add(1, RELAXED);
    }

    /// The message was taken up; `before` is when the receive was begun.
    pub(crate) fn received(&self, ticket: &mut Ticket, before: u64, after: u64) {
        if ticket.fate == Fate::InChannel {
            self.flows[ticket.flow].received.fetch_add(1, RELAXED);
        }
        ticket.fate = Fate::Outside;
        self.roots[ticket.root].events.fetch_add(1, RELAXED);
        let message = &self.messages[ticket.number];
        message.before_receive.store(before, RELAXED);
        message.after_receive.store(after, RELAXED);
    }

    /// The message is no more.
    pub(crate) fn end(&self, ticket: &Ticket) {
        if ticket.fate == Fate::InChannel {
            self.flows[ticket.flow].dropped.fetch_add(1, RELAXED);
            self.roots[ticket.root].events.fetch_add(1, RELAXED);
        }
        if self.under_way.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.waiter.unpark();
        }
    }

    /// Waits until no message is left.
    pub(crate) fn wait(&self) {
        while self.under_way.load(Ordering::SeqCst) > 0 {
            std::thread::park();
        }
    }

    /// A sum over all edges and kinds.
    pub(crate) fn sum(&self, of: impl Fn(&FlowTruth) -> &AtomicU64) -> u64 {
        self.flows.iter().map(|flow| of(flow).load(RELAXED)).sum()
    }
}
