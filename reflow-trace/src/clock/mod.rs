//! Time: cheap ticks on the hot path, wall time when somebody reads.
//!
//! Ticks are the processor's time-stamp counter where it is invariant (it runs at one rate in all
//! power states and, on the systems we know, in step on all cores), else nanoseconds of the
//! monotonic clock. Only the collector turns ticks into time, by the line through two points: one
//! taken when recording began, one taken now.

mod calibration;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod tsc;

pub(crate) use calibration::Calibration;

/// Reads the clock; only differences and order mean something.
#[inline]
pub(crate) fn ticks() -> u64 {
    ticks_of(has_counter())
}

/// Whether the clock is the processor's counter. The answer never changes.
#[inline]
pub(crate) fn has_counter() -> bool {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    return tsc::is_invariant();
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    return false;
}

/// Reads the clock, by whoever has kept the answer of [`has_counter`].
#[inline(always)]
pub(crate) fn ticks_of(has_counter: bool) -> u64 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if has_counter {
        return tsc::read();
    }
    let _elsewhere_there_is_none = has_counter;
    monotonic_ns()
}

/// Reads the clock where it is known to be the counter.
#[inline(always)]
pub(crate) fn counter_ticks() -> u64 {
    ticks_of(true)
}

/// Nanoseconds since the first call in this process.
#[cold]
fn monotonic_ns() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;

    static START: OnceLock<Instant> = OnceLock::new();
    // 2⁶⁴ ns are 584 years.
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
