//! The patterns of LIKE.
//!
//! A pattern is kept as its parts, so that which character escaped what is forgotten once it is read.
//!
//! Between two `%` stands a piece of a fixed number of characters. The first and the last have their places at
//! the ends of the text, and of each other the leftmost place is the best: it leaves the most to those behind it. So
//! the text is walked through once, whatever the pattern is; a text may have millions of characters, and a
//! condition many patterns. A piece without `_` is searched for as the standard library does, and one with `_`
//! by a bit for each of its characters, which says whether the text up to here ends in the piece up to there
//! (Baeza-Yates and Gonnet, *A new approach to text searching*, 1992).

use std::fmt;

use thiserror::Error;

/// Longest pattern, in characters.
pub const PATTERN_CHARS_MAX: usize = 256;

/// What escapes a character when the filter names nothing else.
pub(super) const ESCAPE_DEFAULT: char = '\\';

/// The pattern of a LIKE.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    parts: Vec<PatternPart>,
    /// What stands between the `%`; one more than there are of these.
    pieces: Vec<Piece>,
}

/// A piece of a fixed number of characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Piece {
    /// Without `_`.
    Plain(String),
    /// With it.
    Masked(Masked),
}

/// A bit for each character of a piece.
type Bits = [u64; PATTERN_CHARS_MAX / 64];

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Masked {
    /// Each a character, or `None` where any will do.
    chars: Vec<Option<char>>,
    /// Where a character may stand, ascending by the character; one that is not here, where any may.
    places: Vec<(char, Bits)>,
    of_any: Bits,
}

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
        let pieces = parts.split(|part| *part == PatternPart::Any);
        let pieces = pieces.map(Piece::new).collect();
        Ok(Self { parts, pieces })
    }

    /// The parts, from left to right.
    pub fn parts(&self) -> &[PatternPart] {
        &self.parts
    }

    /// What every text that matches begins with: for pruning by the least and the greatest value.
    pub fn prefix(&self) -> String {
        let literal = self.parts.iter().map_while(|part| match part {
            PatternPart::Char(c) => Some(c),
            PatternPart::Any | PatternPart::One => None,
        });
        literal.collect()
    }

    /// Whether the whole text is as the pattern says.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, behind)) = self.pieces.split_first() else {
            return text.is_empty();
        };
        let Some(mut rest) = first.behind_beginning(text) else {
            return false;
        };
        let Some((last, between)) = behind.split_last() else {
            return rest.is_empty();
        };
        for piece in between {
            match piece.behind_first(rest) {
                Some(left) => rest = left,
                None => return false,
            }
        }
        last.is_end_of(rest)
    }
}

impl Piece {
    fn new(parts: &[PatternPart]) -> Self {
        let chars = parts.iter().map(|part| match part {
            PatternPart::Char(c) => Some(*c),
            PatternPart::One | PatternPart::Any => None,
        });
        match chars.clone().collect() {
            Some(text) => Self::Plain(text),
            None => Self::Masked(Masked::new(chars.collect())),
        }
    }

    /// What follows, where the text begins with the piece.
    fn behind_beginning<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Plain(piece) => text.strip_prefix(&**piece),
            Self::Masked(piece) => {
                let mut rest = text.chars();
                let fits = piece.chars.iter().all(|wanted| {
                    let here = rest.next();
                    here.is_some() && wanted.is_none_or(|wanted| here == Some(wanted))
                });
                fits.then_some(rest.as_str())
            }
        }
    }

    /// What follows the first place at which the text has the piece.
    fn behind_first<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Plain(piece) => {
                let start = text.find(&**piece)?;
                text.get(start + piece.len()..)
            }
            Self::Masked(piece) => piece.behind_first(text),
        }
    }

    fn is_end_of(&self, text: &str) -> bool {
        match self {
            Self::Plain(piece) => text.ends_with(&**piece),
            Self::Masked(piece) => {
                let mut rest = text.chars().rev();
                piece.chars.iter().rev().all(|wanted| {
                    let here = rest.next();
                    here.is_some() && wanted.is_none_or(|wanted| here == Some(wanted))
                })
            }
        }
    }
}

impl Masked {
    fn new(chars: Vec<Option<char>>) -> Self {
        let mut of_any = Bits::default();
        let mut places: Vec<(char, Bits)> = Vec::new();
        let mut known: Vec<char> = chars.iter().flatten().copied().collect();
        known.sort_unstable();
        known.dedup();
        places.extend(known.into_iter().map(|c| (c, Bits::default())));
        for (at, wanted) in chars.iter().enumerate() {
            let (word, bit) = (at / 64, 1 << (at % 64));
            match wanted {
                None => {
                    of_any[word] |= bit;
                    places.iter_mut().for_each(|(_, bits)| bits[word] |= bit);
                }
                Some(wanted) => {
                    let known = places.iter_mut().filter(|(c, _)| c == wanted);
                    known.for_each(|(_, bits)| bits[word] |= bit);
                }
            }
        }
        Self {
            chars,
            places,
            of_any,
        }
    }

    fn behind_first<'a>(&self, text: &'a str) -> Option<&'a str> {
        // It has at least one `_`.
        let last = self.chars.len() - 1;
        let mut so_far = Bits::default();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let known = self.places.binary_search_by_key(&c, |(known, _)| *known);
            let may = known.map_or(&self.of_any, |at| &self.places[at].1);
            let mut carried = 1;
            for (bits, may) in std::iter::zip(&mut so_far, may) {
                let over = *bits >> 63;
                *bits = (*bits << 1 | carried) & may;
                carried = over;
            }
            if so_far[last / 64] >> (last % 64) & 1 == 1 {
                return Some(rest.as_str());
            }
        }
        None
    }
}

/// The pattern with backslashes before what would mean something.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;

        for part in &self.parts {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What LIKE means, said as shortly as can be.
    fn means(parts: &[PatternPart], text: &[char]) -> bool {
        match parts.split_first() {
            None => text.is_empty(),
            Some((PatternPart::Any, parts)) => {
                (0..=text.len()).any(|skipped| means(parts, &text[skipped..]))
            }
            Some((part, parts)) => text.split_first().is_some_and(|(c, text)| {
                (*part == PatternPart::One || *part == PatternPart::Char(*c)) && means(parts, text)
            }),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_pattern_matches_what_it_means(pattern in "[abé%_%]{0,8}", text in "[abé😀]{0,10}") {
            let compiled = Pattern::new(&pattern, None).expect("nothing escapes");
            let chars: Vec<char> = text.chars().collect();
            let is_meant = means(compiled.parts(), &chars);
            prop_assert_eq!(compiled.matches(&text), is_meant, "{:?} LIKE {:?}", text, pattern);
        }

        #[test]
        fn a_pattern_made_of_a_text_matches_it(text in "[ab😀]{0,40}", holes in proptest::collection::vec(0_usize..40, 0..6)) {
            let mut parts: Vec<String> = text.chars().map(String::from).collect();
            for (number, hole) in holes.into_iter().enumerate() {
                if let Some(part) = parts.get_mut(hole) {
                    *part = if number % 2 == 0 { "_" } else { "%" }.to_owned();
                }
            }
            let pattern = Pattern::new(&parts.concat(), None).expect("it is short");
            prop_assert!(pattern.matches(&text), "{:?} LIKE {:?}", text, parts);
        }
    }

    #[test]
    fn long_pieces_are_found_in_long_texts() {
        // Sixteen million steps of an unoptimised program where it is linear, and thousands of millions where it is not.
        let text = "a".repeat(1 << 20);
        for piece in [
            "a".repeat(250) + "b",
            "a".repeat(249) + "_b",
            "_".repeat(70) + "b",
        ] {
            let pattern = Pattern::new(&format!("%{piece}%"), None).expect("it is short");
            assert!(!pattern.matches(&text));
            let with = format!("{text}b{text}");
            assert!(pattern.matches(&with), "{piece}");
        }
    }
}
