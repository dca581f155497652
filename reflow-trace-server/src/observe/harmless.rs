//! Text from the wire, made harmless for a terminal and for a line of the log.
//!
//! A name can hold escape sequences that clear the screen or rename the window, line breaks that forge a
//! line of the log, and marks that turn the reading direction. What is not plainly visible is escaped, and
//! what is long is cut.

use std::fmt::{self, Write as _};

/// Shows a text that somebody else has chosen.
///
/// # Examples
///
/// ```
/// use reflow_trace_server::observe::Harmless;
///
/// assert_eq!(Harmless("sensor\n\u{1b}[2J").to_string(), r"sensor\n\u{1b}[2J");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Harmless<'a>(pub &'a str);

/// Characters of a text that are shown.
const SHOWN_MAX: usize = 80;

impl fmt::Display for Harmless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(SHOWN_MAX) {
            if is_plain(character) {
                f.write_char(character)?;
            } else {
                write!(f, "{}", character.escape_default())?;
            }
        }
        if characters.next().is_some() {
            f.write_char('…')?;
        }
        Ok(())
    }
}

/// Letters, digits and signs that look like what they are. Everything that is invisible, combines, turns
/// the direction or begins an escape is not.
fn is_plain(character: char) -> bool {
    match character {
        ' '..='~' => character != '\\',
        _ => character.is_alphanumeric(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_or_forges_a_line_comes_through() {
        let shown = Harmless("a\r\nERROR forged\u{1b}]0;title\u{7}\u{9b}2J\u{202e}gnp\u{200b}\0")
            .to_string();
        assert!(
            shown
                .chars()
                .all(|character| (' '..='~').contains(&character)),
            "{shown}"
        );
        assert_eq!(
            Harmless("Größe→東京 \\n").to_string(),
            "Größe\\u{2192}東京 \\\\n"
        );
    }

    #[test]
    fn what_is_long_is_cut() {
        let shown = Harmless(&"x".repeat(1_000_000)).to_string();
        assert_eq!(shown.chars().count(), SHOWN_MAX + 1);
        assert!(shown.ends_with('…'));
        assert_eq!(
            Harmless(&"x".repeat(SHOWN_MAX)).to_string().len(),
            SHOWN_MAX
        );
    }
}
