//! Counts and durations as people read them.

use std::time::Duration;

/// Digits in groups of three from five digits on, so that `2024` stays whole.
///
/// The groups are parted by a no-break space, which no country reads as a decimal mark.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// Three significant digits with the unit that suits: `820 ns`, `1.5 ms`, `2 min 5 s`, `3 h 20 min`.
pub(crate) fn duration(time: Duration) -> String {
    let ns = time.as_nanos();
    // The borders lie where three digits would round up into the next unit.
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..999_500 => three_digits(ns, 1_000, "µs"),
        999_500..999_500_000 => three_digits(ns, 1_000_000, "ms"),
        999_500_000..59_950_000_000 => three_digits(ns, 1_000_000_000, "s"),
        _ => {
            let seconds = (ns + 500_000_000) / 1_000_000_000;
            if seconds < 3_600 {
                format!("{} min {} s", seconds / 60, seconds % 60)
            } else {
                format!("{} h {} min", seconds / 3_600, seconds / 60 % 60)
            }
        }
    }
}

/// `ns / unit`, rounded to three significant digits, without trailing zeros.
fn three_digits(ns: u128, unit: u128, name: &str) -> String {
    let hundredths = (ns * 100 + unit / 2) / unit;
    let decimals = match hundredths {
        0..1_000 => 2,
        1_000..10_000 => 1,
        _ => 0,
    };
    let number = format!("{:.decimals$}", ns as f64 / unit as f64);
    let number = if decimals > 0 {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        &number
    };
    format!("{number} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_grouped_by_threes() {
        for (n, text) in [
            (0, "0"),
            (9_999, "9999"),
            (10_000, "10\u{a0}000"),
            (1_234_567, "1\u{a0}234\u{a0}567"),
        ] {
            assert_eq!(grouped(n), text);
        }
    }

    #[test]
    fn a_duration_has_three_digits_and_a_fitting_unit() {
        for (ns, text) in [
            (0, "0 ns"),
            (820, "820 ns"),
            (999, "999 ns"),
            (1_000, "1 µs"),
            (1_500_000, "1.5 ms"),
            (12_345, "12.3 µs"),
            (10_000, "10 µs"),
            (100_000, "100 µs"),
            (999_499, "999 µs"),
            (999_500, "1 ms"),
            (1_234_000_000, "1.23 s"),
            (59_960_000_000, "1 min 0 s"),
            (125_000_000_000, "2 min 5 s"),
            (12_000_000_000_000, "3 h 20 min"),
        ] {
            assert_eq!(duration(Duration::from_nanos(ns)), text, "{ns} ns");
        }
        assert!(duration(Duration::MAX).ends_with(" min"));
    }
}
