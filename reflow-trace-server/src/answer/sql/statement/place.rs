//! From lines and columns, as a parser counts them, to bytes of the statement.

use std::ops::Range;

/// The byte at which this line and column begin, both counted from 1, columns in characters; the end of the
/// statement where there is no such place.
pub(crate) fn byte(statement: &str, line: u64, column: u64) -> usize {
    let mut lines_left = line.saturating_sub(1);
    let mut start = 0;
    while lines_left > 0 {
        match statement[start..].find('\n') {
            Some(end) => start += end + 1,
            None => return statement.len(),
        }
        lines_left -= 1;
    }
    let skipped = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut characters = statement[start..].char_indices();
    characters
        .nth(skipped)
        .map_or(statement.len(), |(at, _)| start + at)
}

/// The word, or the character, that begins at a byte.
pub(crate) fn word(statement: &str, at: usize) -> Range<usize> {
    let rest = statement.get(at..).unwrap_or_default();
    let is_part = |character: &char| character.is_alphanumeric() || *character == '_';
    let word: usize = rest.chars().take_while(is_part).map(char::len_utf8).sum();
    let first = rest.chars().next().map_or(0, char::len_utf8);
    at.min(statement.len())..at.min(statement.len()) + word.max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_a_column_are_a_byte() {
        let statement = "SELECT 'ä',\n  nix\nFROM t";
        assert_eq!(byte(statement, 1, 1), 0);
        assert_eq!(&statement[byte(statement, 2, 3)..][..3], "nix");
        assert_eq!(word(statement, byte(statement, 2, 3)), 15..18);
        assert_eq!(byte(statement, 1, 11), 11);
        assert_eq!(byte(statement, 9, 1), statement.len());
        assert_eq!(word(statement, 99), statement.len()..statement.len());
    }
}
