//! Memory for batches between arrival and commit, over all connections.
//!
//! Whoever wants to unpack a batch takes a [`Permit`] first, which returns the bytes when it is dropped.
//! When there is none left, nothing is lost: the connection is read later. Who waits stands in a line, so
//! that a large batch is not overtaken by small ones for ever.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// A number of bytes that may be used at one time.
#[derive(Debug)]
pub struct Budget {
    bytes_max: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    used: usize,
    /// Who waits, by number, longest first.
    line: VecDeque<u64>,
    next: u64,
}

/// The right to use some bytes of a [`Budget`].
#[derive(Debug)]
pub struct Permit {
    bytes: usize,
    budget: Arc<Budget>,
}

/// A place in the line of those who wait. Dropping it leaves the line.
#[derive(Debug)]
pub struct Place {
    number: u64,
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
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// Takes `bytes`, if they are free and nobody waits who came before; else `place` is one in the line,
    /// with which to ask again when [something has changed](Self::changed).
    ///
    /// More than there is at all counts as all there is, so that it comes through alone rather than never.
    pub fn take(self: &Arc<Self>, bytes: usize, place: &mut Option<Place>) -> Option<Permit> {
        let bytes = bytes.min(self.bytes_max);
        let mut state = self.lock();
        let number = place.as_ref().map(|place| place.number);
        let is_first = state
            .line
            .front()
            .is_none_or(|first| Some(*first) == number);
        if is_first && bytes <= self.bytes_max - state.used {
            state.used += bytes;
            drop(state);
            // The next one may be first now.
            *place = None;
            return Some(Permit {
                bytes,
                budget: Arc::clone(self),
            });
        }
        if number.is_none() {
            let number = state.next;
            state.next += 1;
            state.line.push_back(number);
            *place = Some(Place {
                number,
                budget: Arc::clone(self),
            });
        }
        None
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.lock().used
    }

    /// Bytes that may be in use at one time.
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Ends when bytes are returned, or somebody leaves the line, after it was [enabled](Notified::enable).
    /// Look again after that, for it may have happened before.
    pub fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics; and if, the numbers are whole.
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Permit {
    /// Both as one.
    pub(crate) fn join(&mut self, mut other: Self) {
        debug_assert!(
            Arc::ptr_eq(&self.budget, &other.budget),
            "one server, one budget"
        );
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Takes a part out, no more than there is.
    pub(crate) fn split(&mut self, bytes: usize) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self {
            bytes,
            budget: Arc::clone(&self.budget),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.lock().used -= self.bytes;
        self.budget.changed.notify_waiters();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.budget
            .lock()
            .line
            .retain(|number| *number != self.number);
        self.budget.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_missing_until_it_is_dropped() {
        let budget = Budget::new(100);
        let take = |bytes| budget.take(bytes, &mut None);
        let first = take(60).expect("free");
        assert!(take(41).is_none());
        let second = take(40).expect("free");
        assert_eq!(budget.used(), 100);
        assert!(take(1).is_none());
        drop(first);
        assert_eq!(budget.used(), 40);
        drop(second);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_is_larger_than_everything_comes_through_alone() {
        let budget = Budget::new(100);
        let take = |bytes| budget.take(bytes, &mut None);
        let small = take(1).expect("free");
        assert!(take(usize::MAX).is_none());
        drop(small);
        let all = take(usize::MAX).expect("alone");
        assert!(take(1).is_none());
        drop(all);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_is_joined_and_split_is_returned_once() {
        let budget = Budget::new(100);
        let take = |bytes| budget.take(bytes, &mut None).expect("free");
        let mut one = take(10);
        one.join(take(20));
        assert_eq!(budget.used(), 30);
        let part = one.split(25);
        drop(one.split(99));
        assert_eq!(budget.used(), 25);
        drop(part);
        assert_eq!(budget.used(), 0);
        drop(one);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn who_waits_is_not_overtaken_and_who_leaves_the_line_holds_nobody_up() {
        let budget = Budget::new(100);
        let held = budget.take(90, &mut None).expect("free");
        let (mut large, mut small, mut late) = (None, None, None);
        assert!(budget.take(50, &mut large).is_none());
        assert!(
            budget.take(5, &mut small).is_none(),
            "5 are free, but somebody waits"
        );
        drop(held);
        assert!(budget.take(5, &mut late).is_none());
        let large = budget.take(50, &mut large).expect("first");
        assert!(budget.take(5, &mut late).is_none(), "not the next one");
        drop(small.take());
        let late = budget.take(5, &mut late).expect("nobody is before it");
        assert_eq!(budget.used(), 55);
        drop((large, late));
        assert_eq!(budget.used(), 0);
    }
}
