//! The wall clock, which dates commits and says how old something is.
//!
//! What waits or times out goes by the monotonic clock, never by this one: it may be put back and forth.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970, 0 while the clock stands before it. As far as an `i64` goes, to 2262.
pub(crate) fn wall_clock_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    })
}
