//! A lane: what one recording thread has for itself.
//!
//! A lane is a ring, its numbers and its counters. A thread takes one at its first message and gives
//! it back when it exits; the next new thread goes on with it, so there are never more lanes than
//! threads recorded at one time. All counters have one writer, so they are added to with a load and a
//! store instead of an atomic addition; readers may be a moment behind.

mod flow_entry;
mod flow_table;
mod stack;
mod thread;

pub(crate) use flow_entry::{FlowEntry, Purpose};
pub(crate) use flow_table::{Asking, FlowKey, FlowTable, KindRef};
pub(crate) use stack::{Attempt, Stack, Standing, State};
pub(crate) use thread::{Held, Here, LaneInUse, with_held, with_here};

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::edge::{EdgeNumber, TypeNumber};
use crate::ring::Writer;

/// A counter with a single writer.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(crate) fn add(&self, amount: u64) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(amount),
            Ordering::Relaxed,
        );
    }

    #[inline]
    pub(crate) fn subtract(&self, amount: u64) {
        self.add(amount.wrapping_neg());
    }

    /// Adds one and gives the sum.
    #[inline]
    pub(crate) fn next(&self) -> u64 {
        let next = self.0.load(Ordering::Relaxed).wrapping_add(1);
        self.0.store(next, Ordering::Relaxed);
        next
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Exact counts of one edge, type and purpose on one lane.
#[derive(Debug)]
pub(crate) struct FlowCell {
    pub(crate) edge: EdgeNumber,
    pub(crate) message_type: TypeNumber,
    pub(crate) purpose: Purpose,
    pub(crate) messages: Counter,
    pub(crate) bytes: Counter,
    pub(crate) failures: Counter,
    pub(crate) not_sampled: Counter,
    /// The type has a policy that could not be found: it is generic, and nothing said that it is a message.
    pub(crate) lacks_policy: AtomicBool,
}

/// The part of a lane that everybody may read.
#[derive(Debug)]
pub(crate) struct LaneShared {
    /// Number of the ring.
    pub(crate) ring: u32,
    /// Numbers given to attempts that were to be recorded. They end as records that are written, find the
    /// ring full or are too large, here or on another lane.
    pub(crate) numbered: Counter,
    /// Of these, those whose future was not polled yet, and never may be. Futures move: on one lane the
    /// count may be below zero, only the sum over all lanes means something.
    pub(crate) deferred: Counter,
    /// Records that found the ring full.
    pub(crate) ring_full: Counter,
    /// Records longer than the ring.
    pub(crate) too_large: Counter,
    /// Grows when the thread meets a new edge or type; bounded by the dictionary.
    cells: Mutex<Vec<Arc<FlowCell>>>,
}

impl LaneShared {
    pub(crate) fn new(ring: u32) -> Arc<Self> {
        Arc::new(Self {
            ring,
            numbered: Counter::default(),
            deferred: Counter::default(),
            ring_full: Counter::default(),
            too_large: Counter::default(),
            cells: Mutex::new(Vec::new()),
        })
    }

    pub(crate) fn cells(&self) -> Vec<Arc<FlowCell>> {
        self.cells
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn add_cell(&self, cell: Arc<FlowCell>) {
        self.cells
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(cell);
    }
}

/// The part of a lane that its thread owns, handed from thread to thread.
pub(crate) struct LaneOwned {
    pub(crate) shared: Arc<LaneShared>,
    pub(crate) writer: Writer,
    /// The last root, recorded or not.
    pub(crate) roots: u64,
    pub(crate) flows: FlowTable,
}
