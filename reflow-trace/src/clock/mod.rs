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
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
pub(crate) fn ticks() -> u64 {
    if tsc::is_invariant() {
        tsc::read()
    } else {
        monotonic_ns()
    }
}

/// Reads the clock; only differences and order mean something.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
#[inline]
pub(crate) fn ticks() -> u64 {
    monotonic_ns()
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
