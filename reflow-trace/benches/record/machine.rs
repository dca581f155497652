//! Which machine it was.

use std::fs;
use std::thread::available_parallelism;

/// Cores, processor, and whether its time-stamp counter runs at one rate.
pub(crate) fn describe() -> String {
    let cores = available_parallelism().map_or(0, usize::from);
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        cpuinfo
            .lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim())
    };
    let flags = field("flags").unwrap_or_default();
    let has = |flag| flags.split(' ').any(|has| has == flag);
    let counter = if has("constant_tsc") && has("nonstop_tsc") {
        "an invariant time-stamp counter"
    } else if has("tsc") {
        "a time-stamp counter that is not invariant: the library reads the monotonic clock"
    } else {
        "no time-stamp counter that is known of"
    };
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{cores} cores, {}, {counter}; load {}",
        field("model name").unwrap_or("processor unknown"),
        load.split(' ').next().unwrap_or("unknown"),
    )
}
