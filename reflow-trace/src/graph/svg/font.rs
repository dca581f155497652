//! How wide a text will be in a font that is not known.
//!
//! The picture is shown with whatever sans-serif font the reader has, so widths are estimated by
//! classes of characters after a wide one (DejaVu Sans): text may turn out narrower, hardly wider.

use unicode_width::UnicodeWidthChar;

use super::super::label::Role;

/// The estimated width of a piece of text in its role.
pub(super) fn text_width(text: &str, role: Role) -> f64 {
    let em: f64 = text.chars().map(width_em).sum();
    em * match role {
        Role::Actor => 13.0 * 1.1,
        Role::Type => 12.0,
        Role::Count => 12.0 * 1.1,
        Role::Failure => 11.0 * 1.1,
        Role::Detail => 11.0,
    }
}

/// Width in units of the font size.
fn width_em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | '\u{a0}' => 0.34,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '\\' | '-' | '·' => 0.42,
        'm' | 'M' | 'w' | 'W' | '@' | '%' | '…' => 1.0,
        '+' | '<' | '>' | '=' | '~' | '#' | '→' | '≈' | '≥' | '✕' => 0.84,
        'A'..='Z' => 0.74,
        '!'..='~' => 0.64,
        _ => match c.width() {
            Some(0) | None => 0.0,
            Some(1) => 0.78,
            Some(_) => 1.3,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_more_room() {
        let width = |text| text_width(text, Role::Type);
        assert!(width("漢字漢字") > 1.5 * width("abcd"));
        assert!(width("MMMM") > width("iiii"));
        assert_eq!(width("e\u{301}"), width("e"));
    }
}
