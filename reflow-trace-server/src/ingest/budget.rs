//! Memory for batches between arrival and commit, over all connections.
//!
//! Whoever wants to unpack a batch takes a [`Permit`] first, which returns the bytes when it is dropped.
//! When there is none left, nothing is lost: the connection is read later.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// A number of bytes that may be used at one time.
#[derive(Debug)]
pub struct Budget {
    bytes_max: usize,
    used: AtomicUsize,
    returned: Notify,
}

/// The right to use some bytes of a [`Budget`].
#[derive(Debug)]
pub struct Permit {
    bytes: usize,
    budget: Arc<Budget>,
}

/// What a batch takes, nearly: the frame, its payload unpacked beside what it is read into, and the columns.
pub fn memory_of(frame_bytes: usize, plain_bytes: usize, events: usize) -> usize {
    /// See [`BatchLimits`](reflow_trace::wire::BatchLimits).
    const EVENT_BYTES: usize = 200;
    /// What the smallest takes in queues and books; else a flood of empty ones would cost nothing.
    const BATCH_BYTES: usize = 2048;
    BATCH_BYTES
        .saturating_add(frame_bytes)
        .saturating_add(plain_bytes.saturating_mul(2))
        .saturating_add(events.saturating_mul(EVENT_BYTES))
}

impl Budget {
    /// All of it free.
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self {
            bytes_max,
            used: AtomicUsize::new(0),
            returned: Notify::new(),
        })
    }

    /// Takes `bytes`, if they are free now. More than there is at all counts as all there is, so that it
    /// comes through alone rather than never.
    pub fn take(self: &Arc<Self>, bytes: usize) -> Option<Permit> {
        let bytes = bytes.min(self.bytes_max);
        let fits = |used: usize| {
            let then = used.checked_add(bytes)?;
            (then <= self.bytes_max).then_some(then)
        };
        self.used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, fits)
            .ok()?;
        Some(Permit {
            bytes,
            budget: Arc::clone(self),
        })
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    /// Bytes that may be in use at one time.
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Ends when bytes are returned after it was [enabled](Notified::enable). Look again after that, for
    /// some may have been returned before.
    pub fn returned(&self) -> Notified<'_> {
        self.returned.notified()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::AcqRel);
        self.budget.returned.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_missing_until_it_is_dropped() {
        let budget = Budget::new(100);
        let first = budget.take(60).expect("free");
        assert!(budget.take(41).is_none());
        let second = budget.take(40).expect("free");
        assert_eq!(budget.used(), 100);
        assert!(budget.take(1).is_none());
        drop(first);
        assert_eq!(budget.used(), 40);
        drop(second);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_is_larger_than_everything_comes_through_alone() {
        let budget = Budget::new(100);
        let small = budget.take(1).expect("free");
        assert!(budget.take(usize::MAX).is_none());
        drop(small);
        let all = budget.take(usize::MAX).expect("alone");
        assert!(budget.take(1).is_none());
        drop(all);
        assert_eq!(budget.used(), 0);
    }
}
