//! The physical floor: a record cannot cost less than two reads of the clock and one store of 64 bytes.

use std::hint::black_box;

use super::RING_SLOTS;
use super::work::{Bare, Load, Messages};

#[derive(Clone, Copy)]
#[repr(align(64))]
#[expect(dead_code, reason = "nobody reads it back")]
struct Slot([u64; 8]);

/// A bare send between two reads of the clock, and a slot in a buffer as large as a ring.
pub(crate) struct Floor {
    bare: Bare,
    messages: Messages<Load>,
    slots: Vec<Slot>,
    next: usize,
}

impl Floor {
    pub(crate) fn new() -> Self {
        Self {
            bare: Bare::new(),
            messages: Messages::new(),
            slots: vec![Slot([0; 8]); RING_SLOTS],
            next: 0,
        }
    }

    #[inline(always)]
    pub(crate) fn send(&mut self, number: u64) {
        let start = clock();
        let _sent = black_box(self.bare.send(self.messages.nth(number)));
        let end = clock();
        let slot = &mut self.slots[self.next % RING_SLOTS];
        *slot = Slot([start, end, number, 1, 2, 3, 4, 5]);
        black_box(slot);
        self.next += 1;
    }
}

/// The clock that the library reads where it can.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn clock() -> u64 {
    // SAFETY: `rdtsc` exists on every x86-64 processor and touches nothing but two registers.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// The clock that the library reads where there is no other.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn clock() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;

    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
