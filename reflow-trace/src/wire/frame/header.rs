//! The first 40 bytes.

use super::{FrameError, FrameLimits};

/// Bytes before the payload.
pub const FRAME_HEADER_BYTES: usize = 40;
/// The version of the frame format that this crate reads and writes.
pub const FRAME_VERSION: u8 = 1;

const MAGIC: [u8; 3] = *b"RTF";
const COMPRESSED: u8 = 1;
const CRC_AT: usize = 36;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FrameKind {
    /// A client begins.
    Hello = 1,
    /// The server takes it on.
    Welcome = 2,
    /// Events.
    Batch = 3,
    /// Everything up to here is durably committed.
    Ack = 4,
    /// A batch, or the connection, is not accepted.
    Refusal = 5,
    /// Nothing more comes from this side.
    Goodbye = 6,
    /// Asks whether the other side is there.
    Ping = 7,
    /// It is.
    Pong = 8,
    /// Which batch of a stream comes next on this connection.
    Skip = 9,
}

impl FrameKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Hello,
        Self::Welcome,
        Self::Batch,
        Self::Ack,
        Self::Refusal,
        Self::Goodbye,
        Self::Ping,
        Self::Pong,
        Self::Skip,
    ];
}

/// The header, unpacked. The table heads [`super`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// What the frame is.
    pub kind: FrameKind,
    /// The payload is one zstd frame.
    pub is_compressed: bool,
    /// Bytes of the payload as it lies in the frame.
    pub payload_len: u32,
    /// Bytes of the payload before compression.
    pub plain_len: u32,
    /// One run of one client; 0: none.
    pub stream: u64,
    /// The number of the batch in its stream; 0: none.
    pub number: u64,
    /// Events that are lost when this frame is.
    pub events: u32,
    /// CRC-32C over what precedes it and the payload.
    pub crc: u32,
}

impl FrameHeader {
    /// Bytes of the whole frame.
    pub fn frame_bytes(&self) -> usize {
        FRAME_HEADER_BYTES.saturating_add(self.payload_len as usize)
    }

    pub(super) fn write(&self) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        bytes[..3].copy_from_slice(&MAGIC);
        bytes[3] = b'0' + FRAME_VERSION;
        bytes[4] = self.kind as u8;
        bytes[5] = if self.is_compressed { COMPRESSED } else { 0 };
        bytes[8..12].copy_from_slice(&self.payload_len.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.plain_len.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.stream.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.number.to_le_bytes());
        bytes[32..CRC_AT].copy_from_slice(&self.events.to_le_bytes());
        bytes[CRC_AT..].copy_from_slice(&self.crc.to_le_bytes());
        bytes
    }

    /// The checksum of a whole frame, in which the field for it is skipped.
    pub(super) fn checksum(frame: &[u8]) -> u32 {
        let (header, payload) = frame.split_at(FRAME_HEADER_BYTES.min(frame.len()));
        crc32c::crc32c_append(crc32c::crc32c(&header[..CRC_AT.min(header.len())]), payload)
    }
}

/// A header whose lengths are within the limits, before anything else in it is believed.
pub(super) struct Lengths<'a>(&'a [u8; FRAME_HEADER_BYTES]);

impl<'a> Lengths<'a> {
    pub(super) fn read(bytes: &'a [u8], limits: &FrameLimits) -> Result<Self, FrameError> {
        let header = bytes.first_chunk().ok_or(FrameError::TooShort {
            bytes: bytes.len() as u64,
        })?;
        if header[..3] != MAGIC {
            return Err(FrameError::NoMagic);
        }
        if header[3] != b'0' + FRAME_VERSION {
            return Err(FrameError::UnknownVersion { byte: header[3] });
        }
        let read = Self(header);
        limits.check_lengths(read.payload_len(), read.short(12))?;
        Ok(read)
    }

    fn short(&self, at: usize) -> u32 {
        (0..4).fold(0, |number, byte| {
            number | (u32::from(self.0[at + byte]) << (8 * byte))
        })
    }

    fn long(&self, at: usize) -> u64 {
        u64::from(self.short(at)) | (u64::from(self.short(at + 4)) << 32)
    }

    fn payload_len(&self) -> u32 {
        self.short(8)
    }

    /// Bytes of the whole frame.
    pub(super) fn frame_bytes(&self) -> u64 {
        FRAME_HEADER_BYTES as u64 + u64::from(self.payload_len())
    }

    /// Compares the checksum with that of the whole frame.
    pub(super) fn check_crc(&self, frame: &[u8]) -> Result<(), FrameError> {
        if FrameHeader::checksum(frame) == self.short(CRC_AT) {
            Ok(())
        } else {
            Err(FrameError::Checksum)
        }
    }

    /// The other fields, which have to make sense together.
    pub(super) fn fields(&self) -> Result<FrameHeader, FrameError> {
        let kind = FrameKind::ALL
            .into_iter()
            .find(|&kind| kind as u8 == self.0[4])
            .ok_or(FrameError::UnknownKind { byte: self.0[4] })?;
        if self.0[5] & !COMPRESSED != 0 {
            return Err(FrameError::UnknownFlags { byte: self.0[5] });
        }
        let header = FrameHeader {
            kind,
            is_compressed: self.0[5] == COMPRESSED,
            payload_len: self.payload_len(),
            plain_len: self.short(12),
            stream: self.long(16),
            number: self.long(24),
            events: self.short(32),
            crc: self.short(CRC_AT),
        };
        let names_a_batch = header.stream != 0 && header.number != 0;
        let field = if self.0[6..8] != [0, 0] {
            Some("bytes 6 and 7")
        } else if kind != FrameKind::Batch && header.is_compressed {
            Some("flags")
        } else if !header.is_compressed && header.plain_len != header.payload_len {
            Some("plain length")
        } else if kind != FrameKind::Batch && header.events != 0 {
            Some("events")
        } else {
            let fits = match kind {
                FrameKind::Batch | FrameKind::Ack => names_a_batch,
                FrameKind::Refusal => names_a_batch || (header.stream, header.number) == (0, 0),
                FrameKind::Ping | FrameKind::Pong => header.stream == 0,
                FrameKind::Skip => header.stream != 0,
                FrameKind::Hello | FrameKind::Welcome | FrameKind::Goodbye => {
                    (header.stream, header.number) == (0, 0)
                }
            };
            (!fits).then_some("stream and number")
        };
        match field {
            Some(field) => Err(FrameError::Field { kind, field }),
            None => Ok(header),
        }
    }
}
