//! Numbers with the unit that suits.

use chrono::{DateTime, SecondsFormat, Utc};
use reflow_trace::terminal::count;

/// Bytes in three digits: `820 B`, `1.5 MB`.
pub(in crate::command) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut scaled = bytes as f64;
    let mut unit = "";
    for name in UNITS {
        scaled /= 1_000.0;
        unit = name;
        // Three digits would round up into the next unit from here on.
        if scaled < 999.5 {
            break;
        }
    }
    let decimals = match scaled {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    let number = format!("{scaled:.decimals$}");
    let number = match decimals {
        0 => &*number,
        _ => number.trim_end_matches('0').trim_end_matches('.'),
    };
    format!("{number} {unit}")
}

/// `1 event`, `12 345 events`.
pub(in crate::command) fn counted(number: u64, one: &str) -> String {
    match (number, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) => format!("{} {stem}ies", count(number)),
        (_, None) => format!("{} {one}s", count(number)),
    }
}

/// `1 batch`, `12 batches`.
pub(in crate::command) fn counted_batches(number: u64) -> String {
    match number {
        1 => "1 batch".to_owned(),
        _ => format!("{} batches", count(number)),
    }
}

/// A time to the second, UTC.
pub(in crate::command) fn moment(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_digits_and_a_fitting_unit() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 kB"),
            (1_536, "1.54 kB"),
            (999_499, "999 kB"),
            (999_500, "1 MB"),
            (25_000_000, "25 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(counted(1, "event"), "1 event");
        assert_eq!(counted(0, "event"), "0 events");
        assert_eq!(counted(2, "entry"), "2 entries");
    }
}
