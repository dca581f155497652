//! The time-stamp counter of x86-64.

use std::arch::x86_64::{__cpuid, _rdtsc, CpuidResult};
use std::sync::atomic::{AtomicU8, Ordering};

const UNKNOWN: u8 = 0;
const INVARIANT: u8 = 1;
const VARIES: u8 = 2;

static KIND: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Whether the counter runs at one rate whatever the processor does.
#[inline]
pub(super) fn is_invariant() -> bool {
    match KIND.load(Ordering::Relaxed) {
        INVARIANT => true,
        VARIES => false,
        _ => detect(),
    }
}

/// Bit 8 of EDX of leaf 8000_0007h: Intel SDM volume 3, "Invariant TSC"; AMD APM volume 3, the same.
#[cold]
fn detect() -> bool {
    const POWER_MANAGEMENT: u32 = 0x8000_0007;
    let highest = cpuid(0x8000_0000).eax;
    let invariant = highest >= POWER_MANAGEMENT && cpuid(POWER_MANAGEMENT).edx & (1 << 8) != 0;
    KIND.store(
        if invariant { INVARIANT } else { VARIES },
        Ordering::Relaxed,
    );
    invariant
}

#[expect(unused_unsafe, reason = "it is needed before Rust 1.94")]
fn cpuid(leaf: u32) -> CpuidResult {
    // SAFETY: every x86-64 processor has it, and it changes nothing.
    unsafe { __cpuid(leaf) }
}

/// Reads the counter.
#[inline]
pub(super) fn read() -> u64 {
    // SAFETY: `rdtsc` exists on every x86-64 processor and touches nothing but two registers. A
    // process that was forbidden it (`prctl(PR_SET_TSC)`) would have been killed by std's own vDSO
    // clock reads, which use it too.
    unsafe { _rdtsc() }
}
