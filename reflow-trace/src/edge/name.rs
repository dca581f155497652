//! How long a name may be.

use std::borrow::Cow;
use std::fmt;

/// Longest name of an actor, a port or a type that is kept whole, in bytes of UTF-8.
///
/// A longer one keeps its beginning and gets `…` and eight hexadecimal digits of a hash over the
/// whole, so that two long names with the same beginning stay different.
pub const NAME_BYTES_MAX: usize = 256;

/// Bytes of `…` and the digits.
const SUFFIX_BYTES: usize = "…".len() + 8;

/// The name as it is kept: whole up to [`NAME_BYTES_MAX`] bytes, else as is said there.
pub fn bounded_name(name: &str) -> Cow<'_, str> {
    if name.len() <= NAME_BYTES_MAX {
        return Cow::Borrowed(name);
    }
    Cow::Owned(BoundedName::of(name).finish().to_owned())
}

/// A name that is put together piece by piece on the stack, however long it becomes.
pub(crate) struct BoundedName {
    bytes: [u8; NAME_BYTES_MAX],
    kept: usize,
    total: usize,
    hash: u64,
}

impl Default for BoundedName {
    fn default() -> Self {
        Self {
            bytes: [0; NAME_BYTES_MAX],
            kept: 0,
            total: 0,
            hash: FNV_OFFSET,
        }
    }
}

impl BoundedName {
    pub(crate) fn of(name: &str) -> Self {
        let mut bounded = Self::default();
        bounded.put(name);
        bounded
    }

    fn put(&mut self, piece: &str) {
        self.hash = fnv1a_on(self.hash, piece.as_bytes());
        // Once something did not fit, nothing that follows is kept.
        if self.kept == self.total {
            let fits = piece.floor_char_boundary(NAME_BYTES_MAX - self.kept);
            self.bytes[self.kept..self.kept + fits].copy_from_slice(&piece.as_bytes()[..fits]);
            self.kept += fits;
        }
        self.total += piece.len();
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.kept]).unwrap_or_default()
    }

    /// The name as it is kept. Nothing can be added any more.
    pub(crate) fn finish(&mut self) -> &str {
        if self.kept < self.total {
            let end = self
                .as_str()
                .floor_char_boundary(NAME_BYTES_MAX - SUFFIX_BYTES);
            let mut free = &mut self.bytes[end..];
            // There is room by the choice of `end`.
            let _fits =
                std::io::Write::write_fmt(&mut free, format_args!("…{:08x}", self.hash as u32));
            self.kept = end + SUFFIX_BYTES;
            self.total = self.kept;
        }
        self.as_str()
    }
}

impl fmt::Write for BoundedName {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.put(piece);
        Ok(())
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// Fowler, Noll and Vo's hash, variant 1a with 64 bits.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    fnv1a_on(FNV_OFFSET, bytes)
}

fn fnv1a_on(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_kept_whole() {
        for name in [
            "",
            "reader",
            "\u{0}\n\t",
            "传感器",
            &"x".repeat(NAME_BYTES_MAX),
        ] {
            assert_eq!(bounded_name(name), name);
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let (one, other) = ("ü".repeat(10_000), format!("{}x", "ü".repeat(10_000)));
        assert!(bounded_name(&one).len() <= NAME_BYTES_MAX);
        assert!(bounded_name(&one).starts_with("üüü"));
        assert_ne!(bounded_name(&one), bounded_name(&other));
        assert_eq!(bounded_name(&bounded_name(&one)), bounded_name(&one));
    }

    #[test]
    fn a_name_in_pieces_is_bounded_like_one_that_is_whole() {
        for length in [0, 1, 80, 127, 128, 129, 130, 10_000] {
            for name in ["ü".repeat(length), format!("x{}", "€".repeat(length))] {
                let mut pieces = BoundedName::default();
                name.chars()
                    .for_each(|piece| pieces.put(piece.encode_utf8(&mut [0; 4])));
                assert_eq!(pieces.finish(), bounded_name(&name));
                assert_eq!(
                    pieces.finish(),
                    bounded_name(&name),
                    "a second time as well"
                );
            }
        }
    }
}
