//! The CPU time of finished children, theirs included, as the kernel accounts for it.

use std::io;
use std::time::Duration;

/// Ticks of `/proc/self/stat` in a second: `USER_HZ`, which Linux fixes for programs on every common architecture.
const TICKS_PER_SECOND: u64 = 100;

/// User and system time of every child that was waited for so far.
///
/// # Errors
///
/// Where there is no `/proc`: it is the one place that tells this without unsafe code or a dependency.
pub(crate) fn of_children() -> io::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("`/proc/self/stat`: {error}; CPU time is measured on Linux only"),
        )
    })?;
    ticks(&stat)
        .map(|ticks| Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
        .ok_or_else(|| io::Error::other(format!("`/proc/self/stat` holds no CPU times: {stat}")))
}

/// Fields 16 and 17, counted from 1. The name in field 2 may hold anything, also spaces and parentheses.
fn ticks(stat: &str) -> Option<u64> {
    let behind_the_name = &stat[stat.rfind(')')? + 1..];
    let mut fields = behind_the_name.split_whitespace().skip(13);
    let (user, system) = (fields.next()?, fields.next()?);
    Some(user.parse::<u64>().ok()? + system.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_the_children_are_found_behind_any_name() {
        let stat = "7 (a ) 1 b) S 1 2 3 4 5 6 7 8 9 10 11 12 130 17 20 0";
        assert_eq!(ticks(stat), Some(147));
        assert_eq!(ticks("7 (a"), None);
        assert_eq!(ticks("7 (a) S 1"), None);
    }
}
