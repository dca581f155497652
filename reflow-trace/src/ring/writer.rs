//! The end that the recording thread holds.

use super::sync::{Arc, Ordering, fence};
use super::{Ring, SLOT_WORDS, Words, continuation_slots};

/// There is no room for the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RingFull;

/// Writes records. There is one per ring, and it is not shared.
pub(crate) struct Writer {
    ring: Arc<Ring>,
    /// Where the next record goes; `Ring::tail` follows it.
    tail: u64,
    /// The last `Ring::head` seen; the real one may be further on.
    head_seen: u64,
    /// A quarter of the ring, less one, as a mask over positions.
    quarter_mask: u64,
    /// Overwriting only: position of the oldest whole record, and its index.
    oldest: u64,
    oldest_index: u64,
}

impl Writer {
    pub(super) fn new(ring: Arc<Ring>) -> Self {
        Self {
            quarter_mask: (ring.slots.len() as u64 / 4).saturating_sub(1),
            ring,
            tail: 0,
            head_seen: 0,
            oldest: 0,
            oldest_index: 0,
        }
    }

    /// Slots of the ring.
    pub(crate) fn capacity(&self) -> usize {
        self.ring.slots.len()
    }

    /// Slots that the reader has not read yet.
    pub(crate) fn unread(&mut self) -> u64 {
        // Pairs with the release store in `Reader::pop`.
        self.head_seen = self.ring.head.0.load(Ordering::Acquire);
        self.tail.saturating_sub(self.head_seen)
    }

    /// Slots written so far, ever.
    #[inline]
    pub(crate) fn position(&self) -> u64 {
        self.tail
    }

    /// A quarter of the ring, less one, as a mask over positions.
    #[inline(always)]
    pub(crate) fn quarter_mask(&self) -> u64 {
        self.quarter_mask
    }

    /// Whether there is certainly room for a slot, and a quarter of the ring does not end with it.
    #[inline(always)]
    pub(crate) fn has_plenty(&self) -> bool {
        self.tail - self.head_seen < self.ring.slots.len() as u64
            && (self.tail + 1) & self.quarter_mask != 0
    }

    /// Writes a record of one slot where [`Self::has_plenty`] said that there is room.
    #[inline(always)]
    pub(crate) fn write_one(&mut self, words: &Words) {
        debug_assert!(self.has_plenty(), "asked before");
        self.write(words, &[], 1);
    }

    /// Writes a record if there is room: its first slot, then the words of its continuation slots,
    /// a multiple of eight.
    #[inline(always)]
    pub(crate) fn push(&mut self, first: &Words, rest: &[u64]) -> Result<(), RingFull> {
        let slots = 1 + (rest.len() / SLOT_WORDS) as u64;
        let capacity = self.ring.slots.len() as u64;
        if self.tail + slots - self.head_seen > capacity {
            // Pairs with the release store in `Reader::pop`: those slots have been read.
            self.head_seen = self.ring.head.0.load(Ordering::Acquire);
            if self.tail + slots - self.head_seen > capacity {
                return Err(RingFull);
            }
        }
        self.write(first, rest, slots);
        Ok(())
    }

    /// Writes a record over the oldest ones where there is no room. Only a record longer than the
    /// whole ring is refused.
    ///
    /// All writes to a ring must be of this kind, or none.
    pub(crate) fn push_overwriting(&mut self, first: &Words, rest: &[u64]) -> Result<(), RingFull> {
        let slots = 1 + (rest.len() / SLOT_WORDS) as u64;
        let capacity = self.ring.slots.len() as u64;
        if slots > capacity {
            return Err(RingFull);
        }
        let before = self.oldest;
        while self.tail + slots - self.oldest > capacity {
            let first_word = self.ring.slot(self.oldest).0[0].load(Ordering::Relaxed);
            self.oldest += 1 + continuation_slots(first_word) as u64;
            self.oldest_index += 1;
        }
        if self.oldest != before {
            let packed = (self.oldest_index << 32) | (self.oldest & 0xffff_ffff);
            self.ring.oldest.0.store(packed, Ordering::Relaxed);
            // Pairs with the acquire fence in `Reader::pop`.
            fence(Ordering::Release);
        }
        self.write(first, rest, slots);
        Ok(())
    }

    #[inline(always)]
    fn write(&mut self, first: &Words, rest: &[u64], slots: u64) {
        debug_assert_eq!(rest.len() % SLOT_WORDS, 0, "continuation slots are whole");
        debug_assert_eq!(
            continuation_slots(first[0]) as u64 + 1,
            slots,
            "the first word counts them"
        );
        self.ring.slot(self.tail).store(first);
        if !rest.is_empty() {
            for (index, words) in (1..).zip(rest.chunks_exact(SLOT_WORDS)) {
                let words: &Words = words.try_into().expect("chunks of eight words");
                self.ring.slot(self.tail + index).store(words);
            }
        }
        self.tail += slots;
        // Pairs with the acquire load in `Reader::pop`.
        self.ring.tail.0.store(self.tail, Ordering::Release);
    }
}
