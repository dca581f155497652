//! The end that the collector holds.

use super::sync::{Arc, Ordering, fence};
use super::{Ring, continuation_slots};

/// Reads records. There is one per ring, and it is not shared.
pub(crate) struct Reader {
    ring: Arc<Ring>,
    /// Position of the next record; `Ring::head` follows it.
    head: u64,
    /// The last `Ring::tail` seen; the real one may be further on.
    tail_seen: u64,
    /// How many records came before the next one, read or missed.
    index: u64,
    /// How many records were overwritten before they were read.
    overwritten: u64,
}

impl Reader {
    pub(super) fn new(ring: Arc<Ring>) -> Self {
        Self {
            ring,
            head: 0,
            tail_seen: 0,
            index: 0,
            overwritten: 0,
        }
    }

    /// Bytes that the ring holds in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.ring.slots.len() * size_of::<super::Slot>()
    }

    /// How full the ring is, 0.0 to 1.0.
    pub(crate) fn fill(&self) -> f64 {
        let tail = self.ring.tail.0.load(Ordering::Relaxed);
        let unread = tail.saturating_sub(self.head);
        (unread as f64 / self.ring.slots.len() as f64).min(1.0)
    }

    /// Records that were overwritten before they could be read, so far.
    pub(crate) fn overwritten(&self) -> u64 {
        self.overwritten
    }

    /// Slots read or missed so far.
    pub(crate) fn position(&self) -> u64 {
        self.head
    }

    /// Slots written so far, ever.
    pub(crate) fn written_to(&self) -> u64 {
        self.ring.tail.0.load(Ordering::Relaxed)
    }

    /// Appends the words of the next record to `words`; false when there is none now.
    pub(crate) fn pop(&mut self, words: &mut Vec<u64>) -> bool {
        loop {
            if self.head >= self.tail_seen {
                // Pairs with the release store in `Writer::write`.
                self.tail_seen = self.ring.tail.0.load(Ordering::Acquire);
                if self.head >= self.tail_seen {
                    return false;
                }
            }
            let start = words.len();
            let first = self.ring.slot(self.head).load();
            let capacity = self.ring.slots.len();
            // A torn first word may claim anything; what it claims is checked before it is believed.
            let more = continuation_slots(first[0]).min(capacity - 1);
            words.extend_from_slice(&first);
            for offset in 1..=more as u64 {
                words.extend_from_slice(&self.ring.slot(self.head + offset).load());
            }
            // Pairs with the release fence in `Writer::push_overwriting`.
            fence(Ordering::Acquire);
            if self.skip_overwritten() {
                words.truncate(start);
                continue;
            }
            self.head += 1 + more as u64;
            self.index += 1;
            // Pairs with the acquire load in `Writer::push`.
            self.ring.head.0.store(self.head, Ordering::Release);
            return true;
        }
    }

    /// Moves to the oldest whole record if the one at `head` is gone.
    fn skip_overwritten(&mut self) -> bool {
        let packed = self.ring.oldest.0.load(Ordering::Relaxed);
        let ahead = (packed as u32).wrapping_sub(self.head as u32) as i32;
        if ahead <= 0 {
            return false;
        }
        self.head += ahead as u64;
        let missed = u64::from(((packed >> 32) as u32).wrapping_sub(self.index as u32));
        self.index += missed;
        self.overwritten += missed;
        self.tail_seen = self.tail_seen.max(self.head);
        true
    }
}
