//! Checksums over captured content, plain or keyed.
//!
//! A plain checksum of a content that is one of few, a name or an amount, tells the content to whoever
//! tries them all. A keyed one tells it only to those who have the key.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

/// The key of `hmac-sha256:` checksums, 16 to 1 024 bytes.
///
/// Its `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct ContentKey(Vec<u8>);

impl ContentKey {
    /// A key of these bytes; they should be random.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    pub(crate) fn len_bytes(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(..)")
    }
}

/// How checksums are made in a recording.
#[derive(Clone)]
pub(crate) enum Checksum {
    Plain,
    /// With the key worked in, so that it is not done for each message.
    Keyed(Box<Hmac<Sha256>>),
}

impl Checksum {
    /// Keyed where there is a key.
    pub(crate) fn new(key: Option<&ContentKey>) -> Self {
        // HMAC takes keys of any length.
        match key.map(|key| Hmac::new_from_slice(&key.0)) {
            Some(Ok(keyed)) => Self::Keyed(Box::new(keyed)),
            _ => Self::Plain,
        }
    }

    /// The checksum of `content`.
    pub(crate) fn of(&self, content: &[u8]) -> ChecksumText {
        match self {
            Self::Plain => ChecksumText::new("sha256:", &Sha256::digest(content).into()),
            Self::Keyed(keyed) => {
                let mut keyed = Hmac::clone(keyed);
                keyed.update(content);
                ChecksumText::new("hmac-sha256:", &keyed.finalize().into_bytes().into())
            }
        }
    }
}

const TEXT_BYTES: usize = "hmac-sha256:".len() + 64;

/// The name of the function and 64 hexadecimal digits, on the stack.
pub(crate) struct ChecksumText {
    bytes: [u8; TEXT_BYTES],
    length: usize,
}

impl ChecksumText {
    fn new(function: &'static str, digest: &[u8; 32]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut bytes = [0; TEXT_BYTES];
        let digits = digest
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|digit| DIGITS[usize::from(digit)]);
        for (place, byte) in bytes.iter_mut().zip(function.bytes().chain(digits)) {
            *place = byte;
        }
        Self {
            bytes,
            length: function.len() + 64,
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(checksum: &Checksum, content: &[u8]) -> String {
        String::from_utf8_lossy(checksum.of(content).as_bytes()).into_owned()
    }

    #[test]
    fn a_plain_checksum_is_that_of_an_event_built_by_hand() {
        let event = crate::TraceEvent::data_flow_with_content(
            "a",
            "out",
            "b",
            "in",
            "T",
            3,
            Some(b"abc".to_vec()),
        );
        let by_hand = event.data.message.expect("a message").checksum;
        assert_eq!(text(&Checksum::new(None), b"abc"), by_hand);
    }

    #[test]
    fn a_keyed_checksum_is_that_of_the_standard() {
        // RFC 4231, test case 3.
        let key = ContentKey::new([0xaa; 20]);
        let checksum = text(&Checksum::new(Some(&key)), &[0xdd; 50]);
        assert_eq!(
            checksum,
            "hmac-sha256:773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        );
    }

    #[test]
    fn nobody_reads_the_key_from_a_configuration() {
        let config = crate::TracingConfig {
            content: crate::ContentLimits {
                key: Some(ContentKey::new(*b"0123456789abcdef")),
                ..Default::default()
            },
            ..Default::default()
        };
        let shown = format!("{config:?} {config:#?}");
        assert!(
            shown.contains("ContentKey(..)") && !shown.contains("48") && !shown.contains("0123"),
            "{shown}"
        );
    }
}
