//! The newest batches, by their offsets, within a bound on events and on bytes. No clock, no runtime.

use std::collections::VecDeque;
use std::sync::Arc;

use super::shown::SharedBatch;
use crate::config::LiveLimits;

/// See the header.
#[derive(Debug)]
pub(super) struct Window {
    limits: LiveLimits,
    /// Ascending offsets, with gaps only where the feed itself was too slow.
    batches: VecDeque<Kept>,
    /// The first offset that has not come.
    end: u64,
    events: usize,
    /// Of the batches and of the events made of them.
    bytes: usize,
}

/// A batch in the window.
#[derive(Debug)]
struct Kept {
    shared: Arc<SharedBatch>,
    /// What was counted of it: other threads make events of it and tell a little later.
    bytes: usize,
}

/// What is at a place.
#[derive(Debug)]
pub(super) enum At {
    /// The batch.
    Batch(Arc<SharedBatch>),
    /// Nothing up to this offset, which has come or is the next to come: it went by.
    Gone(u64),
    /// It has not come.
    Ahead,
}

impl Window {
    pub(super) fn new(limits: LiveLimits, end: u64) -> Self {
        Self {
            limits,
            batches: VecDeque::new(),
            end,
            events: 0,
            bytes: 0,
        }
    }

    /// One more batch; `keep` it, or only know that it has come.
    pub(super) fn push(&mut self, shared: SharedBatch, keep: bool) {
        // The log's end was read after the feed began: what is below it is known already.
        if shared.offset < self.end {
            return;
        }
        self.end = shared.offset.saturating_add(1);
        if !keep {
            self.clear();
            return;
        }
        let bytes = shared.bytes();
        self.events += shared.batch.len();
        self.bytes += bytes;
        let shared = Arc::new(shared);
        self.batches.push_back(Kept { shared, bytes });
        self.trim();
    }

    /// Events were made of a batch that may still be in here. What is made of one that is not is of those who hold it.
    pub(super) fn grow(&mut self, offset: u64, bytes: usize) {
        let place = self.place(offset);
        if let Some(kept) = self.batches.get_mut(place)
            && kept.shared.offset == offset
        {
            kept.bytes += bytes;
            self.bytes += bytes;
            self.trim();
        }
    }

    /// What is at this place.
    pub(super) fn at(&self, offset: u64) -> At {
        if offset >= self.end {
            return At::Ahead;
        }
        match self.batches.get(self.place(offset)) {
            Some(one) if one.shared.offset == offset => At::Batch(Arc::clone(&one.shared)),
            Some(one) => At::Gone(one.shared.offset),
            None => At::Gone(self.end),
        }
    }

    /// The first offset that has not come.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Forgets all batches.
    pub(super) fn clear(&mut self) {
        self.batches.clear();
        (self.events, self.bytes) = (0, 0);
    }

    /// Where the batch at this offset is, or the next one.
    fn place(&self, offset: u64) -> usize {
        self.batches
            .partition_point(|one| one.shared.offset < offset)
    }

    /// Lets the oldest go until the rest fits; the newest stays, whatever it takes.
    fn trim(&mut self) {
        while self.batches.len() > 1
            && (self.events > self.limits.window_events_max
                || self.bytes > self.limits.window_bytes_max)
        {
            let Some(oldest) = self.batches.pop_front() else {
                return;
            };
            self.events -= oldest.shared.batch.len();
            self.bytes -= oldest.bytes;
        }
    }
}
