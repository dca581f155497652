//! How tight the bounds are. That they are never too tight is asked of random filters, in `random`.

use super::super::*;
use super::*;

/// `least..greatest`, or the list; `?` when the column may also be unknown.
fn told(bounds: &Bounds) -> String {
    let end = |end: &Option<Literal>| end.as_ref().map(ToString::to_string).unwrap_or_default();
    let range = match bounds.range() {
        Range::Among(values) => {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("[{}]", values.join(" "))
        }
        Range::Between { low, high } => format!("{}..{}", end(low), end(high)),
    };
    let unknown = if bounds.may_be_unknown() { "?" } else { "" };
    format!("{range}{unknown}")
}

#[test]
fn and_narrows_or_widens_and_not_turns_around() {
    for (text, expected) in [
        ("hop_count = 3", "[3]"),
        ("hop_count != 3", ".."),
        ("NOT hop_count != 3", "[3]"),
        ("hop_count > 3", "3.."),
        ("3 > hop_count", "..3"),
        ("NOT hop_count > 3", "..3"),
        ("hop_count BETWEEN 1 AND 5 AND hop_count >= 2.5", "2.5..5"),
        ("hop_count > 3 AND hop_count < 2", "[]"),
        ("hop_count BETWEEN 5 AND 1", "[]"),
        ("hop_count IN (1, 2, 3) AND hop_count >= 2", "[2 3]"),
        ("hop_count = 1 OR hop_count = 2 OR hop_count = 1", "[1 2]"),
        ("hop_count IN (4, 9) OR hop_count < 2", "..9"),
        ("hop_count > 4 OR hop_count < 2", ".."),
        ("hop_count > 4 OR (hop_count > 3 AND hop_count < 2)", "4.."),
        ("hop_count = 1 OR port = 'a'", "..?"),
        ("hop_count = 1 AND port = 'a'", "[1]"),
        ("NOT (hop_count != 1 OR port = 'a')", "[1]"),
        ("NOT (hop_count < 2 AND hop_count < 5)", "2.."),
        ("hop_count IS NULL", "[]?"),
        ("hop_count IS NOT NULL", ".."),
        ("hop_count IS NULL OR hop_count = 7", "[7]?"),
        ("hop_count IS NULL AND hop_count = 7", "[]"),
        ("hop_count NOT IN (1)", ".."),
        ("hop_count < queue_depth", ".."),
        ("port = 'a'", "..?"),
        ("attr.hop_count = 1", "..?"),
    ] {
        assert_eq!(
            told(&parsed(text).bounds(Column::HopCount)),
            expected,
            "{text}"
        );
    }
    let never = parsed("hop_count > 3 AND hop_count < 2").bounds(Column::HopCount);
    assert!(never.is_empty());
}

#[test]
fn a_pattern_bounds_by_what_it_begins_with() {
    for (pattern, expected) in [
        ("sensor%", "'sensor'..'sensos'"),
        ("a_b", "'a'..'b'"),
        ("%a", ".."),
        ("abc", "'abc'..'abd'"),
        ("a\u{10ffff}%", "'a\u{10ffff}'..'b'"),
        ("\u{10ffff}%", "'\u{10ffff}'.."),
        ("\u{d7ff}%", "'\u{d7ff}'..'\u{e000}'"),
    ] {
        let filter = parsed(&format!("port LIKE {}", quoted(pattern)));
        assert_eq!(told(&filter.bounds(Column::Port)), expected, "{pattern}");
    }
}
