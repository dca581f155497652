//! Numbers, patterns and booleans where they are delicate.

use std::cmp::Ordering;

use super::super::*;

#[test]
fn whole_numbers_and_floats_are_compared_exactly() {
    let max = i128::from(u64::MAX);
    for (whole, float, expected) in [
        (max, u64::MAX as f64, Some(Ordering::Less)),
        (max, 1e300, Some(Ordering::Less)),
        (0, -1e300, Some(Ordering::Greater)),
        (0, -0.0, Some(Ordering::Equal)),
        (-1, -0.5, Some(Ordering::Less)),
        (-1, -1.5, Some(Ordering::Greater)),
        (
            9_007_199_254_740_993,
            9_007_199_254_740_992.0,
            Some(Ordering::Greater),
        ),
        (1, f64::INFINITY, Some(Ordering::Less)),
        (1, f64::NEG_INFINITY, Some(Ordering::Greater)),
        (1, f64::NAN, None),
    ] {
        let (whole, float) = (Number::Integer(whole), Number::Float(float));
        assert_eq!(whole.compare(float), expected, "{whole:?} {float:?}");
        assert_eq!(float.compare(whole), expected.map(Ordering::reverse));
    }
}

#[test]
fn patterns_match_the_whole_text() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("", "a", false),
        ("%", "", true),
        ("_", "", false),
        ("_", "漢", true),
        ("a%", "abc", true),
        ("%c", "abc", true),
        ("%b%", "abc", true),
        ("a%c%e", "abcde", true),
        ("a%c%f", "abcde", false),
        ("%aab", "aaaab", true),
        ("%a_b", "aaxaab", true),
        ("_%_", "a", false),
        ("_%_", "ab", true),
        (r"100\%", "100%", true),
        (r"100\%", "1000", false),
        (r"\\", r"\", true),
        (r"\a", "a", true),
    ] {
        let read = Pattern::new(pattern, Some('\\')).expect("short");
        assert_eq!(read.matches(text), expected, "{pattern} {text}");
    }
}

#[test]
fn a_nasty_pattern_takes_no_longer_than_its_length_times_the_text() {
    let nasty = format!("{}b", "a%".repeat(PATTERN_CHARS_MAX / 2 - 1));
    let pattern = Pattern::new(&nasty, None).expect("short enough");
    assert!(!pattern.matches(&"a".repeat(100_000)));
}

#[test]
fn the_prefix_of_a_pattern_is_what_every_match_begins_with() {
    for (pattern, prefix) in [("abc%", "abc"), ("a_c", "a"), ("%", ""), (r"a\%b", "a%b")] {
        let read = Pattern::new(pattern, Some('\\')).expect("short");
        assert_eq!(read.prefix(), prefix);
    }
}
