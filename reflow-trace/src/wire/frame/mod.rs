//! Frames: how everything travels between client and server, and lies in spool and log.
//!
//! One frame is a header of 40 bytes and a payload. Over a WebSocket a binary message is exactly one
//! frame; in a file they lie back to back. All numbers are little end first.
//!
//! | bytes | field |
//! | --- | --- |
//! | 0–3 | magic `RTF1`; the digit is the version of this format |
//! | 4 | kind, see below |
//! | 5 | flags: bit 0, the payload is one zstd frame (batches only); all other bits 0 |
//! | 6–7 | 0 |
//! | 8–11 | length of the payload in bytes, as it lies here |
//! | 12–15 | length of the payload before compression; the same where it is not compressed |
//! | 16–23 | stream: one run of one client, never 0 (batch, ack, skip); of a refusal, 0 where it is about the connection; else 0 |
//! | 24–31 | number of the batch in its stream, from 1, and a server believes no more than 2^48 (batch); the last one that is meant (ack); 0 also where a refusal is about the connection; ping and pong: any number, sent back as it came; the one before the next batch (skip), from 0; else 0 |
//! | 32–35 | events in the batch: what is lost when this frame is; else 0 |
//! | 36–39 | CRC-32C (Castagnoli) over bytes 0–35 and the payload |
//! | 40– | payload |
//!
//! | kind | payload | from |
//! | --- | --- | --- |
//! | 1 hello | protobuf [`Hello`] | client, first |
//! | 2 welcome | protobuf [`Welcome`] | server, in answer |
//! | 3 batch | protobuf, see [`crate::wire::format`] | client |
//! | 4 ack | protobuf: 1 `credit_total` (uint64) | server |
//! | 5 refusal | protobuf [`Refusal`] but for stream and number | server |
//! | 6 goodbye | protobuf [`Goodbye`] | either |
//! | 7 ping, 8 pong | nothing | either |
//! | 9 skip | protobuf: 1 `after` (uint64), the batch of the stream that was sent last on this connection, 0 for none. The next one is the one after the number in the header | client, before the first batch of a stream and wherever it leaves numbers out |
//!
//! # What is refused
//!
//! A reader checks in this order: magic, version, lengths against its limits, checksum, then kind, flags
//! and the zeros. So damage is told as damage, and what another version says is told as that. Unknown
//! fields of protobuf messages are skipped; a kind or a flag that is not known is an error, because a
//! reader cannot tell what it would mean to ignore it. Frames grow by new protobuf fields; what a reader
//! must not ignore is a new version.
//!
//! # What cannot happen
//!
//! No input makes a reader panic or take more memory than its [`FrameLimits`] say: lengths are compared
//! before anything is allocated, and zstd writes into a buffer of the declared length.

mod compress;
mod error;
mod header;
mod limits;
mod message;
mod scanner;
#[cfg(test)]
mod tests;

use bytes::Bytes;

pub(crate) use compress::Compressor;
pub use compress::{InvalidLevel, Level};
pub use error::FrameError;
use header::Lengths;
pub use header::{FRAME_HEADER_BYTES, FRAME_VERSION, FrameHeader, FrameKind};
pub use limits::FrameLimits;
pub use message::{Ack, Goodbye, Hello, Message, PROTOCOL_VERSION, Refusal, RefusalCode, Welcome};
pub use scanner::{FrameScanner, Scanned};

/// A whole frame whose header and checksum are right. Cloning shares the bytes.
///
/// # Examples
///
/// ```
/// use reflow_trace::wire::frame::{Frame, FrameLimits, Message};
///
/// let frame = Message::Ping(7).encode();
/// let received = Frame::parse(frame.bytes().clone(), &FrameLimits::default())?;
/// assert_eq!(Message::decode(&received)?, Message::Ping(7));
/// # Ok::<(), reflow_trace::wire::frame::FrameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    header: FrameHeader,
    bytes: Bytes,
}

impl Frame {
    /// Checks `bytes`, which have to be one frame and nothing else.
    ///
    /// # Errors
    ///
    /// Whatever is wrong first; see [`FrameError`].
    pub fn parse(bytes: Bytes, limits: &FrameLimits) -> Result<Self, FrameError> {
        let lengths = Lengths::read(&bytes, limits)?;
        let (expected, actual) = (lengths.frame_bytes(), bytes.len() as u64);
        if expected != actual {
            return Err(FrameError::Length { expected, actual });
        }
        lengths.check_crc(&bytes)?;
        let header = lengths.fields()?;
        Ok(Self { header, bytes })
    }

    /// Reads a header, so that one knows how many bytes the frame has. The checksum is not looked at.
    ///
    /// # Errors
    ///
    /// When there are too few bytes, or they begin no frame of this version within the limits.
    pub fn read_header(bytes: &[u8], limits: &FrameLimits) -> Result<FrameHeader, FrameError> {
        Lengths::read(bytes, limits)?.fields()
    }

    /// Puts a header before `payload`. The lengths and the checksum are filled in.
    pub(crate) fn build(
        kind: FrameKind,
        [stream, number]: [u64; 2],
        events: u32,
        plain_len: u32,
        is_compressed: bool,
        payload: &[u8],
    ) -> Self {
        let mut header = FrameHeader {
            kind,
            is_compressed,
            // A payload above 4 GiB is refused by whoever makes one.
            payload_len: payload.len() as u32,
            plain_len,
            stream,
            number,
            events,
            crc: 0,
        };
        let mut bytes = Vec::with_capacity(FRAME_HEADER_BYTES + payload.len());
        bytes.extend_from_slice(&header.write());
        bytes.extend_from_slice(payload);
        header.crc = FrameHeader::checksum(&bytes);
        bytes[FRAME_HEADER_BYTES - 4..FRAME_HEADER_BYTES]
            .copy_from_slice(&header.crc.to_le_bytes());
        Self {
            header,
            bytes: bytes.into(),
        }
    }

    /// What the header says.
    pub fn header(&self) -> &FrameHeader {
        &self.header
    }

    /// The whole frame.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The whole frame, without the rest.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The payload as it lies here, perhaps compressed.
    pub fn payload(&self) -> Bytes {
        self.bytes.slice(FRAME_HEADER_BYTES..)
    }

    /// The payload before compression; no copy where it is not compressed.
    ///
    /// # Errors
    ///
    /// When it is larger or denser than the limits allow, or no zstd frame of the declared length.
    pub fn plain_payload(&self, limits: &FrameLimits) -> Result<Bytes, FrameError> {
        limits.check_lengths(self.header.payload_len, self.header.plain_len)?;
        if self.header.is_compressed {
            compress::decompress(&self.payload(), self.header.plain_len as usize)
        } else {
            Ok(self.payload())
        }
    }
}
