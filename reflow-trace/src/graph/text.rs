//! Names as they may be shown.
//!
//! A name comes from a program that nobody vouches for. The graph keeps it whole; every picture and
//! text shows it by the same rules, so that no name can break a picture, hide, or pose as another
//! part of it:
//!
//! - control characters appear as their symbols (`␀`, `␊`, `␛`, …); what XML forbids, what turns the
//!   direction of writing, and what is invisible appear as `�`;
//! - a name of nothing but blanks appears as that many `␣`, an empty one as a word in brackets;
//! - a name wider than its place keeps its beginning and its end around a `…`. The tooltip then has
//!   the first [`TOOLTIP_CHARS`] characters and says how many there are.
//!
//! Width is counted in columns of a terminal, where a Chinese character or an emoji takes two.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How much of a long name a tooltip shows.
pub(super) const TOOLTIP_CHARS: usize = 1_000;

/// Combining marks take no column, so that columns alone would bound nothing.
const CHARS_PER_COLUMN: usize = 4;

/// The name on one line with everything in it visible and harmless.
pub(crate) fn visible(name: &str) -> String {
    if name.trim().is_empty() {
        return name
            .chars()
            .map(|c| if c == ' ' { '␣' } else { visible_char(c) })
            .collect();
    }
    let shown: String = name.chars().map(visible_char).collect();
    if shown.width() == 0 {
        // Joiners and combining marks that have nothing to join or to mark.
        return name.chars().map(|_| '\u{fffd}').collect();
    }
    shown
}

/// Any line with everything in it visible and harmless; blanks stay blanks.
pub(crate) fn visible_line(line: &str) -> String {
    line.chars().map(visible_char).collect()
}

fn visible_char(c: char) -> char {
    const INVISIBLE: char = '\u{fffd}';
    match c {
        // The block of control pictures follows the order of the control characters.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or(INVISIBLE),
        '\u{7f}' => '␡',
        '\u{80}'..='\u{9f}' => INVISIBLE,
        // Marks and overrides of direction: with them a name could rewrite what stands beside it.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' => INVISIBLE,
        '\u{2066}'..='\u{206f}' => INVISIBLE,
        // Soft hyphen, zero-width space, separators of lines, word joiner, fillers, byte order mark.
        '\u{ad}' | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' => INVISIBLE,
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{180e}' | '\u{feff}' => INVISIBLE,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => INVISIBLE,
        // Characters that Unicode will never assign; XML forbids the last two of the first plane.
        '\u{fdd0}'..='\u{fdef}' => INVISIBLE,
        _ if c as u32 & 0xfffe == 0xfffe => INVISIBLE,
        _ => c,
    }
}

/// Whether a letter in it is written from right to left, which moves numbers that follow it.
///
/// The blocks that Unicode reserves for such scripts, as its table `DerivedBidiClass` lists them.
pub(crate) fn has_right_to_left(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
            || matches!(c, '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    })
}

/// The columns that `text` takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// The visible name in at most `limit` columns.
pub(crate) fn shortened(name: &str, limit: usize) -> String {
    let shown = visible(name);
    let char_limit = limit * CHARS_PER_COLUMN;
    if shown.width() <= limit && shown.chars().count() <= char_limit {
        return shown;
    }
    // The end of a name often tells brothers apart (`…/worker-17`): it gets a third.
    let tail_columns = limit.saturating_sub(1) / 3;
    let head_columns = limit.saturating_sub(1) - tail_columns;
    let head = fitting(shown.chars(), head_columns);
    let tail: Vec<char> = fitting(shown.chars().rev(), tail_columns);
    head.into_iter()
        .chain(['…'])
        .chain(tail.into_iter().rev())
        .collect()
}

fn fitting(chars: impl Iterator<Item = char>, limit: usize) -> Vec<char> {
    let mut used = 0;
    chars
        .take(limit * CHARS_PER_COLUMN)
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= limit
        })
        .collect()
}

/// The visible name for a tooltip: whole, unless it is longer than [`TOOLTIP_CHARS`].
pub(crate) fn tooltip(name: &str) -> String {
    if name.is_empty() {
        return "(no name)".to_owned();
    }
    let length = name.chars().count();
    if length <= TOOLTIP_CHARS {
        return visible(name);
    }
    let beginning: String = name.chars().take(TOOLTIP_CHARS).collect();
    format!("{}… ({length} characters)", visible(&beginning))
}

/// An actor's name in at most `limit` columns.
pub(crate) fn actor(name: &str, limit: usize) -> String {
    or_else(name, limit, "(no name)")
}

/// A message type's name in at most `limit` columns.
pub(crate) fn message_type(name: &str, limit: usize) -> String {
    or_else(name, limit, "(no type)")
}

/// `out → in`, or `None` when neither port has a name.
pub(crate) fn ports(from: &str, to: &str, limit: usize) -> Option<String> {
    if from.is_empty() && to.is_empty() {
        return None;
    }
    let port = |name| or_else(name, limit, "(no port)");
    Some(format!("{} → {}", port(from), port(to)))
}

fn or_else(name: &str, limit: usize, empty: &str) -> String {
    if name.is_empty() {
        empty.to_owned()
    } else {
        shortened(name, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_made_visible() {
        for (name, shown) in [
            ("plain", "plain"),
            ("a\nb\tc\0", "a␊b␉c␀"),
            ("\u{1b}[31mred\u{7f}", "␛[31mred␡"),
            ("\u{9b}31m", "\u{fffd}31m"),
            ("user\u{202e}nimda", "user\u{fffd}nimda"),
            ("\u{fffe}\u{ffff}x\u{1fffe}", "\u{fffd}\u{fffd}x\u{fffd}"),
            ("a\u{200b}b\u{feff}", "a\u{fffd}b\u{fffd}"),
            ("   ", "␣␣␣"),
            ("\u{a0}", "\u{a0}"),
            ("\u{200d}", "\u{fffd}"),
            ("مرحبا 日本 👩‍🚀", "مرحبا 日本 👩‍🚀"),
        ] {
            assert_eq!(visible(name), shown, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_both_ends() {
        assert_eq!(shortened("pipeline/stage/worker-17", 13), "pipeline…r-17");
        assert_eq!(shortened("exactly-13-ch", 13), "exactly-13-ch");
    }

    #[test]
    fn a_shortened_name_never_exceeds_its_columns() {
        for name in ["漢字漢字漢字漢字", "👩‍🚀👩‍🚀👩‍🚀👩‍🚀👩‍🚀", &"x".repeat(10_000)]
        {
            for limit in 0..12 {
                assert!(columns(&shortened(name, limit)) <= limit.max(1), "{name:?}");
            }
        }
    }

    #[test]
    fn combining_marks_do_not_make_a_name_endless() {
        let name = format!("a{}", "\u{301}".repeat(10_000));
        assert!(shortened(&name, 20).chars().count() <= 20 * CHARS_PER_COLUMN);
    }

    #[test]
    fn a_tooltip_says_how_long_the_name_is() {
        let text = tooltip(&"y".repeat(10_000));
        assert!(text.ends_with("y… (10000 characters)"), "{text}");
        assert_eq!(tooltip("short\n"), "short␊");
        assert_eq!(tooltip(""), "(no name)");
    }

    #[test]
    fn an_empty_name_is_a_word_in_brackets() {
        assert_eq!(actor("", 20), "(no name)");
        assert_eq!(message_type("", 20), "(no type)");
        assert_eq!(ports("", "", 20), None);
        assert_eq!(ports("out", "", 20).as_deref(), Some("out → (no port)"));
    }
}
