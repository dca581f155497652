//! Finding whole frames in a file that may be damaged.
//!
//! A spool is read after its process has died at any moment, from a disk that may have torn the last
//! write, left zeros, or turned bits. Where no whole frame begins, the next place is looked for at which
//! one does: magic, lengths within the limits, and the right checksum. What lies between is skipped and
//! told; what lies behind the last whole frame is the tail, which is torn off if it is the beginning of
//! a frame and broken otherwise. Every byte is in exactly one of the answers.

use bytes::Bytes;

use super::header::Lengths;
use super::{Frame, FrameError, FrameHeader, FrameLimits};

/// One piece of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// A whole frame.
    Frame {
        /// Where it begins.
        offset: usize,
        /// The frame.
        frame: Frame,
    },
    /// Bytes between two whole frames, or before the first, that are none.
    Broken {
        /// Where they begin.
        offset: usize,
        /// How many.
        bytes: usize,
        /// What is wrong at their beginning.
        error: FrameError,
        /// What their beginning says of itself where it looks like a header; nothing vouches for it.
        header: Option<FrameHeader>,
    },
    /// Bytes at the end that no whole frame follows.
    Tail {
        /// Where they begin: what a file is to be cut to.
        offset: usize,
        /// How many.
        bytes: usize,
        /// They begin a frame that ends behind the end of the file, as an interrupted write leaves it.
        is_torn: bool,
        /// What is wrong at their beginning.
        error: FrameError,
        /// What their beginning says of itself where it looks like a header; nothing vouches for it.
        header: Option<FrameHeader>,
    },
}

/// Walks over the frames in a file, and over what is none.
///
/// # Examples
///
/// ```
/// use reflow_trace::wire::frame::{FrameLimits, FrameScanner, Message, Scanned};
///
/// let mut file = Message::Ping(1).encode().bytes().to_vec();
/// file.extend_from_slice(b"not a frame");
/// file.extend_from_slice(Message::Ping(2).encode().bytes());
/// file.truncate(file.len() - 1);
/// let pieces: Vec<_> = FrameScanner::new(file.into(), FrameLimits::default()).collect();
/// assert!(matches!(pieces[..], [Scanned::Frame { .. }, Scanned::Tail { offset: 40, .. }]));
/// ```
#[derive(Debug)]
pub struct FrameScanner {
    bytes: Bytes,
    at: usize,
    limits: FrameLimits,
}

impl FrameScanner {
    /// Begins at the first byte. The limits should be those with which the frames were made.
    pub fn new(bytes: Bytes, limits: FrameLimits) -> Self {
        Self {
            bytes,
            at: 0,
            limits,
        }
    }

    /// The frame that begins at `at`.
    fn frame_at(&self, at: usize) -> Result<Frame, FrameError> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let lengths = Lengths::read(rest, &self.limits)?;
        let (expected, actual) = (lengths.frame_bytes(), rest.len() as u64);
        // Cheap, and wrong in most of what is no frame: so the checksum is seldom computed in vain.
        lengths.fields()?;
        if expected > actual {
            return Err(FrameError::Length { expected, actual });
        }
        let end = at + expected as usize;
        Frame::parse(self.bytes.slice(at..end), &self.limits)
    }

    /// Where the next whole frame behind `at` begins.
    fn next_frame(&self, at: usize) -> Option<usize> {
        const MAGIC: &[u8] = b"RTF";
        (at + 1..self.bytes.len())
            .filter(|&place| self.bytes[place..].starts_with(MAGIC))
            .find(|&place| self.frame_at(place).is_ok())
    }
}

impl Iterator for FrameScanner {
    type Item = Scanned;

    fn next(&mut self) -> Option<Scanned> {
        let offset = self.at;
        if offset >= self.bytes.len() {
            return None;
        }
        let error = match self.frame_at(offset) {
            Ok(frame) => {
                self.at += frame.bytes().len();
                return Some(Scanned::Frame { offset, frame });
            }
            Err(error) => error,
        };
        let header = Frame::read_header(&self.bytes[offset..], &self.limits).ok();
        Some(match self.next_frame(offset) {
            Some(next) => {
                self.at = next;
                Scanned::Broken {
                    offset,
                    bytes: next - offset,
                    error,
                    header,
                }
            }
            None => {
                self.at = self.bytes.len();
                Scanned::Tail {
                    offset,
                    bytes: self.bytes.len() - offset,
                    is_torn: matches!(
                        error,
                        FrameError::TooShort { .. } | FrameError::Length { .. }
                    ),
                    error,
                    header,
                }
            }
        })
    }
}
