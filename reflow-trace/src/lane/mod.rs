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

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::edge::{EdgeNumber, TypeNumber};
use crate::ring::Writer;
use crate::sampling::{Threshold, Verdict};

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

    #[inline]
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
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
    /// Messages that were not sampled, by the verdict on them.
    left_out: [Counter; VERDICTS],
    /// The largest threshold that was ever in force for messages with each verdict.
    thresholds: [Counter; VERDICTS],
}

/// The three verdicts, and one that none is, which spares a check.
const VERDICTS: usize = 4;

impl FlowCell {
    fn new(edge: EdgeNumber, message_type: TypeNumber, purpose: Purpose) -> Self {
        Self {
            edge,
            message_type,
            purpose,
            messages: Counter::default(),
            bytes: Counter::default(),
            failures: Counter::default(),
            left_out: Default::default(),
            thresholds: Default::default(),
        }
    }

    /// A message with this verdict, by its number in the two lowest bits, was not sampled.
    #[inline(always)]
    pub(crate) fn leave_out(&self, verdict: u64) {
        self.left_out[verdict as usize % VERDICTS].add(1);
    }

    /// Messages that were not sampled.
    pub(crate) fn not_sampled(&self) -> u64 {
        self.left_out.iter().map(Counter::get).sum()
    }

    /// This threshold is in force for messages with this verdict from now on.
    pub(crate) fn note_threshold(&self, verdict: Verdict, threshold: Threshold) {
        let largest = &self.thresholds[verdict as usize];
        if threshold.bits() > largest.get() {
            largest.set(threshold.bits());
        }
    }

    /// The largest threshold by which a message was left out; what reaches it was recorded.
    pub(crate) fn threshold(&self) -> Threshold {
        let by_verdict = self.left_out.iter().zip(&self.thresholds);
        let largest = by_verdict.map(|(left_out, threshold)| {
            if left_out.get() > 0 {
                threshold.get()
            } else {
                0
            }
        });
        Threshold::from_bits(largest.max().unwrap_or(0))
    }
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
