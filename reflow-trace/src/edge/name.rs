//! How long a name may be.

use std::borrow::Cow;

/// Longest name of an actor, a port or a type that is kept whole, in bytes of UTF-8.
///
/// A longer one keeps its beginning and gets `…` and eight hexadecimal digits of a hash over the
/// whole, so that two long names with the same beginning stay different.
pub const NAME_BYTES_MAX: usize = 256;

/// The name as it is kept.
pub(crate) fn bounded(name: &str) -> Cow<'_, str> {
    if name.len() <= NAME_BYTES_MAX {
        return Cow::Borrowed(name);
    }
    let suffix = format!("…{:08x}", fnv1a(name.as_bytes()) as u32);
    let mut end = NAME_BYTES_MAX - suffix.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Owned(format!("{}{suffix}", &name[..end]))
}

/// Fowler, Noll and Vo's hash, variant 1a with 64 bits.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
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
            assert_eq!(bounded(name), name);
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let (one, other) = ("ü".repeat(10_000), format!("{}x", "ü".repeat(10_000)));
        assert!(bounded(&one).len() <= NAME_BYTES_MAX);
        assert!(bounded(&one).starts_with("üüü"));
        assert_ne!(bounded(&one), bounded(&other));
        assert_eq!(bounded(&bounded(&one)), bounded(&one));
    }
}
