//! How much memory this process holds, as the kernel counts it.

/// Bytes resident now; an error where there is no `/proc`.
pub(crate) fn bytes() -> std::io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse::<u64>().ok());
    kibibytes
        .map(|kibibytes| kibibytes * 1024)
        .ok_or_else(|| std::io::Error::other("no `VmRSS` in `/proc/self/status`"))
}

/// Reports a number of bytes; the fields are separated by tabs.
pub(crate) fn report(name: &str, bytes: f64, note: &str) {
    println!("memory\t{name}\t{bytes}\t{note}");
}
