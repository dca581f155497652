//! What the system knows of this process.

/// CPU time that all threads of the process have used so far, in seconds; `None` where the system
/// does not tell.
#[cfg(target_os = "linux")]
pub(super) fn cpu_seconds() -> Option<f64> {
    // Clock ticks of `/proc` are 1/100 s on every Linux; see proc(5) and USER_HZ.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the name in parentheses, which may itself hold spaces and parentheses.
    let fields: Vec<&str> = stat[stat.rfind(')')? + 1..]
        .split_ascii_whitespace()
        .collect();
    // utime and stime are fields 14 and 15, counted from 1.
    let (user, system): (f64, f64) = (fields.get(11)?.parse().ok()?, fields.get(12)?.parse().ok()?);
    Some((user + system) / TICKS_PER_SECOND)
}

/// CPU time of the process; not known on this system.
#[cfg(not(target_os = "linux"))]
pub(super) fn cpu_seconds() -> Option<f64> {
    None
}
