//! Sizes and times as people write them: `4MiB`, `250ms`.
//!
//! A size may be a bare number of bytes; a time may not, because nobody remembers whether `5` was
//! seconds or milliseconds. Printing and reading are each other's inverse.

use std::time::Duration;

const SIZES: [(&str, u64); 7] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

const TIMES: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads `4MiB`, `500kB` or a bare number of bytes.
pub(super) fn parse_bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    if unit.is_empty() {
        return number
            .parse()
            .map_err(|_| "write a number of bytes, such as `4MiB` or `4194304`".to_owned());
    }
    scaled(number, unit, &SIZES).ok_or_else(|| {
        "write a number and one of the units `B`, `KiB`, `MiB`, `GiB`, `TiB`, such as `4MiB`"
            .to_owned()
    })
}

/// Reads `250ms`, `30s`, `5min`, `2h` or `7d`.
pub(crate) fn parse_time(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    scaled(number, unit, &TIMES)
        .map(Duration::from_nanos)
        .ok_or_else(|| {
            "write a number and one of the units `us`, `ms`, `s`, `min`, `h`, `d`, such as `30s`"
                .to_owned()
        })
}

/// The shortest form that loses nothing.
pub(super) fn show_bytes(bytes: u64) -> String {
    // Powers of two only: `1000000B` says what was meant as well as `1MB`.
    shown(bytes, &SIZES[..4]).unwrap_or_else(|| format!("{bytes}B"))
}

/// The shortest form that loses nothing.
pub(super) fn show_time(time: Duration) -> String {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    if nanos == 0 {
        return "0s".to_owned();
    }
    shown(nanos, &TIMES).unwrap_or_else(|| format!("{nanos}ns"))
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim())
}

fn scaled(number: &str, unit: &str, units: &[(&str, u64)]) -> Option<u64> {
    let scale = units.iter().find(|(name, _)| *name == unit)?.1;
    number.parse::<u64>().ok()?.checked_mul(scale)
}

fn shown(amount: u64, units: &[(&str, u64)]) -> Option<String> {
    let fits = |scale: u64| amount >= scale && amount.is_multiple_of(scale);
    let (name, scale) = units.iter().find(|(_, scale)| fits(*scale))?;
    Some(format!("{}{name}", amount / scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        for bytes in [0, 1, 1023, 1024, 1 << 20, (1 << 20) + 1, 3 << 40, u64::MAX] {
            assert_eq!(parse_bytes(&show_bytes(bytes)), Ok(bytes));
        }
        for nanos in [0, 1, 999, 2_000_000, 30_000_000_000, 172_800_000_000_000] {
            let time = Duration::from_nanos(nanos);
            assert_eq!(parse_time(&show_time(time)), Ok(time));
        }
        assert_eq!(show_bytes(4 << 20), "4MiB");
        assert_eq!(show_time(Duration::from_millis(2)), "2ms");
        assert_eq!(show_time(Duration::from_secs(7 * 86_400)), "7d");
    }

    #[test]
    fn a_time_without_a_unit_is_an_error_that_lists_the_units() {
        for wrong in ["5", "", "s", "5 sec", "-1s", "1.5s", "99999999999999d"] {
            let error = parse_time(wrong).expect_err(wrong);
            assert!(error.contains("`30s`"), "{error}");
        }
        for wrong in ["", "MiB", "4 megs", "-1", "99999999999999TiB"] {
            let error = parse_bytes(wrong).expect_err(wrong);
            assert!(error.contains("`4MiB`"), "{error}");
        }
        assert_eq!(parse_bytes("500"), Ok(500));
        assert_eq!(parse_bytes("500 kB"), Ok(500_000));
    }
}
