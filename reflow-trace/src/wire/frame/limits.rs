//! How large a frame may be.

use super::{FRAME_HEADER_BYTES, FrameError};

/// What a reader accepts; a writer keeps to the same, so that it makes nothing that is refused.
///
/// Memory that one frame takes is at most `payload_bytes_max` as it arrives and `plain_bytes_max` once it
/// is unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    /// Largest payload as it lies in the frame, in bytes; default 8 MiB. A batch of 8 192 usual events has
    /// about 100 KB.
    pub payload_bytes_max: u32,
    /// Largest payload before compression, in bytes; default 32 MiB.
    pub plain_bytes_max: u32,
    /// Most bytes that one byte of a compressed payload may become; default 256. Credits are given for
    /// bytes as they arrive, so that this bounds what a sender can make a server hold. Payloads of up to
    /// 64 KiB before compression are exempt.
    pub ratio_max: u32,
}

/// Up to here nobody asks for the ratio.
const SMALL_BYTES: u32 = 64 << 10;

impl Default for FrameLimits {
    fn default() -> Self {
        Self {
            payload_bytes_max: 8 << 20,
            plain_bytes_max: 32 << 20,
            ratio_max: 256,
        }
    }
}

impl FrameLimits {
    /// Bytes of the largest frame.
    pub fn frame_bytes_max(&self) -> usize {
        FRAME_HEADER_BYTES.saturating_add(self.payload_bytes_max as usize)
    }

    pub(super) fn check_lengths(&self, payload: u32, plain: u32) -> Result<(), FrameError> {
        if payload > self.payload_bytes_max {
            return Err(FrameError::PayloadTooLong {
                bytes: payload,
                max: self.payload_bytes_max,
            });
        }
        if plain > self.plain_bytes_max {
            return Err(FrameError::PlainTooLong {
                bytes: plain,
                max: self.plain_bytes_max,
            });
        }
        if self.is_too_dense(payload, plain) {
            return Err(FrameError::TooDense {
                payload,
                plain,
                max: self.ratio_max,
            });
        }
        Ok(())
    }

    /// Whether so much from so little is too much.
    pub(crate) fn is_too_dense(&self, payload: u32, plain: u32) -> bool {
        plain > SMALL_BYTES && u64::from(plain) > u64::from(payload) * u64::from(self.ratio_max)
    }
}
