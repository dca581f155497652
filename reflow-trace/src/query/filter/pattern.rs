//! The patterns of LIKE.
//!
//! A pattern is kept as its parts, so that which character escaped what is forgotten once it is read.
//! Matching walks the text once and goes back only to the last `%`, so that it takes at most as many
//! steps as the pattern has characters times those of the text; the pattern is short.

use std::fmt;

use thiserror::Error;

/// Longest pattern, in characters.
pub const PATTERN_CHARS_MAX: usize = 256;

/// What escapes a character when the filter names nothing else.
pub(super) const ESCAPE_DEFAULT: char = '\\';

/// The pattern of a LIKE.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern(Vec<PatternPart>);

/// One character of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PatternPart {
    /// `%`: any characters, or none. Never two in a row.
    Any,
    /// `_`: one character.
    One,
    /// This character.
    Char(char),
}

/// Why a pattern was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    /// It has too many characters.
    #[error("a pattern has at most {PATTERN_CHARS_MAX} characters")]
    TooLong,
    /// The last character escapes nothing.
    #[error("`{0}` at the end of the pattern escapes nothing; write it twice to mean itself")]
    NothingEscaped(char),
}

impl Pattern {
    /// Reads a pattern in which `escape`, if any, takes the meaning from the character behind it.
    ///
    /// # Errors
    ///
    /// A pattern that is too long or ends in its escape character.
    pub fn new(pattern: &str, escape: Option<char>) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut chars = pattern.chars();
        let mut length = 0;
        while let Some(c) = chars.next() {
            length += 1;
            if length > PATTERN_CHARS_MAX {
                return Err(PatternError::TooLong);
            }
            parts.push(match c {
                c if Some(c) == escape => {
                    PatternPart::Char(chars.next().ok_or(PatternError::NothingEscaped(c))?)
                }
                '%' if parts.last() == Some(&PatternPart::Any) => continue,
                '%' => PatternPart::Any,
                '_' => PatternPart::One,
                c => PatternPart::Char(c),
            });
        }
        Ok(Self(parts))
    }

    /// The parts, from left to right.
    pub fn parts(&self) -> &[PatternPart] {
        &self.0
    }

    /// What every text that matches begins with: for pruning by the least and the greatest value.
    pub fn prefix(&self) -> String {
        let literal = self.0.iter().map_while(|part| match part {
            PatternPart::Char(c) => Some(c),
            PatternPart::Any | PatternPart::One => None,
        });
        literal.collect()
    }

    /// Whether the whole text is as the pattern says.
    pub fn matches(&self, text: &str) -> bool {
        let parts = &self.0;
        let mut rest = text.chars();
        let mut place = 0;
        // Where to go on when the part after the last `%` turns out to begin later.
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let before = rest.clone();
            match (parts.get(place), rest.next()) {
                (Some(PatternPart::Any), _) => {
                    place += 1;
                    rest = before;
                    retry = Some((place, rest.clone()));
                    continue;
                }
                (None, None) => return true,
                (Some(PatternPart::One), Some(_)) => {
                    place += 1;
                    continue;
                }
                (Some(PatternPart::Char(wanted)), Some(c)) if *wanted == c => {
                    place += 1;
                    continue;
                }
                // A text that has ended becomes no longer by beginning later.
                (Some(_), None) => return false,
                _ => {}
            }
            let Some((after, mut from)) = retry.take() else {
                return false;
            };
            if from.next().is_none() {
                return false;
            }
            place = after;
            rest = from.clone();
            retry = Some((after, from));
        }
    }
}

/// The pattern with backslashes before what would mean something.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;

        for part in &self.0 {
            match part {
                PatternPart::Any => f.write_char('%')?,
                PatternPart::One => f.write_char('_')?,
                PatternPart::Char(c) => {
                    if matches!(*c, '%' | '_' | ESCAPE_DEFAULT) {
                        f.write_char(ESCAPE_DEFAULT)?;
                    }
                    f.write_char(*c)?;
                }
            }
        }
        Ok(())
    }
}
