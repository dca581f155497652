//! Finding whole frames in a file that may be damaged.
//!
//! A spool is read after its process has died at any moment, from a disk that may have torn the last
//! write, left zeros, or turned bits. Where no whole frame begins, the next place is looked for at which
//! one does: magic, lengths within the limits, and the right checksum. What lies between is skipped and
//! told; what lies behind the last whole frame is the tail, which is torn off if it is the beginning of
//! a frame and broken otherwise. Every byte is in exactly one of the answers.
//!
//! The search looks at each byte once, and at checksums only behind headers that make sense. A file that was
//! made to look like very many frames is given up where the checksums of so much as [`SEARCH_TIMES`] times
//! its length have been computed in vain: what is left is a broken tail.

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
    /// Bytes whose checksum may still be computed in search of a frame.
    search_bytes: u64,
}

/// How often the search may compute the checksum of a byte, on the average.
const SEARCH_TIMES: u64 = 16;

impl FrameScanner {
    /// Begins at the first byte. The limits should be those with which the frames were made.
    pub fn new(bytes: Bytes, limits: FrameLimits) -> Self {
        Self {
            search_bytes: SEARCH_TIMES * bytes.len() as u64,
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
    fn next_frame(&mut self, at: usize) -> Option<usize> {
        const MAGIC: &[u8] = b"RTF";
        for place in at + 1..self.bytes.len() {
            if !self.bytes[place..].starts_with(MAGIC) {
                continue;
            }
            match self.frame_at(place) {
                Ok(_) => return Some(place),
                Err(FrameError::Checksum) => {
                    let header = Frame::read_header(&self.bytes[place..], &self.limits);
                    let computed = header.map_or(0, |header| header.frame_bytes() as u64);
                    self.search_bytes = self.search_bytes.checked_sub(computed)?;
                }
                Err(_) => {}
            }
        }
        None
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
                    is_torn: is_cut_short(&self.bytes[offset..], &error),
                    error,
                    header,
                }
            }
        })
    }
}

/// Whether these are the first bytes of a frame, and there are too few of them.
fn is_cut_short(bytes: &[u8], error: &FrameError) -> bool {
    let is_short = matches!(
        error,
        FrameError::TooShort { .. } | FrameError::Length { .. }
    );
    // Fewer bytes than a header has are not looked at before.
    is_short && bytes.iter().zip(b"RTF1").all(|(byte, magic)| byte == magic)
}
