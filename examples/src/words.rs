//! Lines, words and bytes, counted as `wc` counts them.
//!
//! A word is a run of bytes that are not white space, as POSIX has it. White space is what `isspace`
//! says in the C locale: the space, and `\t` to `\r`. Some versions of GNU `wc`, 9.1 among them, leave
//! out a word without a single character that is printable in the locale; here it counts.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

const PIECE_BYTES_MAX: usize = 64 * 1024;
/// What is kept of a longer word. It counts as one word all the same.
const WORD_BYTES_MAX: usize = 64;

/// How many lines, words and bytes, and how often each word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Newlines.
    pub lines: u64,
    /// Words.
    pub words: u64,
    /// Bytes.
    pub bytes: u64,
    frequency: HashMap<Vec<u8>, u64>,
}

impl Tally {
    /// Adds what another tally counted.
    pub fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.words += other.words;
        self.bytes += other.bytes;
        for (word, count) in other.frequency {
            *self.frequency.entry(word).or_default() += count;
        }
    }

    /// The most frequent words, as text, the first of equals by their bytes.
    pub fn most_frequent(&self, count_max: usize) -> Vec<(String, u64)> {
        let mut words: Vec<_> = self.frequency.iter().collect();
        words.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
        let as_text = |(word, count): (&Vec<u8>, &u64)| (word.escape_ascii().to_string(), *count);
        words.into_iter().take(count_max).map(as_text).collect()
    }
}

/// Lines, words and bytes in the columns of `wc`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8} {:>8} {:>8}", self.lines, self.words, self.bytes)
    }
}

/// Finds words that may begin in one piece of a file and end in another.
#[derive(Debug, Default)]
pub struct Splitter {
    unfinished: Vec<u8>,
}

impl Splitter {
    /// Counts a piece and the words that end in it. An empty piece ends the file.
    pub fn split(&mut self, piece: &[u8]) -> Tally {
        let mut tally = Tally {
            bytes: piece.len() as u64,
            ..Tally::default()
        };
        let end_of_file = [b' '];
        for &byte in if piece.is_empty() {
            &end_of_file
        } else {
            piece
        } {
            tally.lines += u64::from(byte == b'\n');
            // `is_ascii_whitespace` lacks `\v`.
            if !matches!(byte, b' ' | b'\t'..=b'\r') {
                if self.unfinished.len() < WORD_BYTES_MAX {
                    self.unfinished.push(byte);
                }
            } else if !self.unfinished.is_empty() {
                tally.words += 1;
                let word = std::mem::take(&mut self.unfinished);
                *tally.frequency.entry(word).or_default() += 1;
            }
        }
        tally
    }
}

/// The pieces of a file, the last one empty. An error that ended the reading comes after it.
///
/// # Errors
///
/// When the file cannot be opened.
pub fn pieces(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Vec<u8>>>> {
    let mut file = File::open(path)?;
    let mut is_over = false;
    let mut failure = None;
    Ok(std::iter::from_fn(move || {
        if is_over {
            return failure.take().map(Err);
        }
        let mut piece = vec![0; PIECE_BYTES_MAX];
        let result = file.read(&mut piece);
        piece.truncate(*result.as_ref().unwrap_or(&0));
        is_over = piece.is_empty();
        failure = result.err();
        Some(Ok(piece))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(pieces: &[&[u8]]) -> Tally {
        let mut splitter = Splitter::default();
        let mut sum = Tally::default();
        for piece in pieces.iter().chain([&b"".as_slice()]) {
            sum.add(splitter.split(piece));
        }
        sum
    }

    fn counts(pieces: &[&[u8]]) -> (u64, u64, u64) {
        let sum = tally(pieces);
        (sum.lines, sum.words, sum.bytes)
    }

    #[test]
    fn a_word_may_lie_across_pieces_and_end_with_the_file() {
        assert_eq!(counts(&[b"one tw", b"o thr", b"ee"]), (0, 3, 13));
        assert_eq!(counts(&[b"one", b" two\n"]), (1, 2, 8));
        assert_eq!(counts(&[]), (0, 0, 0));
    }

    #[test]
    fn every_white_space_of_the_c_locale_separates_and_no_other_byte_does() {
        assert_eq!(counts(&[b"a b\tc\nd\x0be\x0cf\rg"]), (1, 7, 13));
        assert_eq!(counts(&[b"a\x00b\xa0c\x85d\x1ce"]), (0, 1, 9));
    }

    #[test]
    fn a_long_word_is_one_word_and_takes_bounded_memory() {
        let word = [b'x'; 10_000];
        let sum = tally(&[&word, &word]);
        assert_eq!((sum.words, sum.bytes), (1, 20_000));
        assert_eq!(sum.most_frequent(5), [("x".repeat(WORD_BYTES_MAX), 1)]);
    }

    #[test]
    fn the_most_frequent_words_come_first() {
        let frequent = tally(&[b"b a c a \xff b a"]).most_frequent(3);
        assert_eq!(
            frequent,
            [
                ("a".to_owned(), 3),
                ("b".to_owned(), 2),
                ("c".to_owned(), 1)
            ]
        );
    }
}
