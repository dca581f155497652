//! The ring: one thread writes records, the collector reads them, nobody locks.
//!
//! # How it works
//!
//! A ring is a power of two of 64-byte slots. A record takes one slot, or several in a row when it
//! has continuation slots; the low 16 bits of a record's first word say how many follow. Positions
//! count slots from 0 upwards and never wrap in practice (2⁶⁴ slots), the slot is `position % capacity`.
//!
//! The words of a slot are atomics that are read and written with relaxed ordering. On every
//! processor of interest that is a plain move, and it makes a reader that races with an overwriting
//! writer well defined: this module needs no `unsafe`.
//!
//! * `tail` (writer → reader): everything below it is written. Stored with release after the words;
//!   the reader's acquire load of it makes them visible.
//! * `head` (reader → writer): everything below it has been read. Stored with release after the
//!   words were read; the writer's acquire load of it orders its next writes after those reads.
//! * `oldest` (writer → reader, overwriting only): everything below it may be torn. The writer
//!   stores it *before* it overwrites, with a release fence between; the reader copies a record, then
//!   passes an acquire fence and looks at `oldest`. If one of the words copied was a new one, the
//!   fences make the new `oldest` visible too, and the copy is thrown away.
//!
//! # What cannot happen
//!
//! A reader never sees half a record, never sees one twice and knows how many it missed. A writer
//! never waits. Memory does not grow.

#[cfg(test)]
mod tests;

mod reader;
mod sync;
mod writer;

pub(crate) use reader::Reader;
pub(crate) use writer::{RingFull, Writer};

use sync::{Arc, AtomicU64, Ordering};

/// Words of a slot.
pub(crate) const SLOT_WORDS: usize = 8;
/// One slot.
pub(crate) type Words = [u64; SLOT_WORDS];

/// Slots that follow the first one, as its first word says.
#[inline]
pub(crate) const fn continuation_slots(first_word: u64) -> usize {
    (first_word & 0xffff) as usize
}

/// One cache line of a record.
#[repr(align(64))]
struct Slot([AtomicU64; SLOT_WORDS]);

impl Slot {
    #[inline]
    fn store(&self, words: &Words) {
        for (cell, &word) in self.0.iter().zip(words) {
            cell.store(word, Ordering::Relaxed);
        }
    }

    #[inline]
    fn load(&self) -> Words {
        std::array::from_fn(|index| self.0[index].load(Ordering::Relaxed))
    }
}

/// A position on a cache line of its own, so that the two sides do not slow each other down.
#[repr(align(128))]
struct Padded(AtomicU64);

/// What both sides share.
pub(crate) struct Ring {
    slots: Box<[Slot]>,
    tail: Padded,
    head: Padded,
    /// Low 32 bits: position of the oldest whole record. High 32 bits: how many records came before
    /// it. Both modulo 2³², which is enough as long as the reader comes by once in 2³¹ slots.
    oldest: Padded,
}

impl Ring {
    /// Makes a ring of at least `capacity` slots, rounded up to a power of two, and its two ends.
    pub(crate) fn with_capacity(capacity: usize) -> (Writer, Reader) {
        let capacity = capacity.clamp(2, 1 << 30).next_power_of_two();
        let slots = (0..capacity)
            .map(|_| Slot(std::array::from_fn(|_| AtomicU64::new(0))))
            .collect();
        let ring = Arc::new(Self {
            slots,
            tail: Padded(AtomicU64::new(0)),
            head: Padded(AtomicU64::new(0)),
            oldest: Padded(AtomicU64::new(0)),
        });
        (Writer::new(Arc::clone(&ring)), Reader::new(ring))
    }

    #[inline]
    fn slot(&self, position: u64) -> &Slot {
        &self.slots[position as usize & (self.slots.len() - 1)]
    }
}
