//! What can be wrong with a frame.

use super::FrameKind;

/// Why bytes are no frame that can be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Fewer bytes than a header has.
    #[error("{bytes} bytes are no frame: its header alone has 40")]
    TooShort {
        /// How many there are.
        bytes: u64,
    },
    /// Something else begins here.
    #[error("the bytes do not begin with `RTF1`, so they are no frame")]
    NoMagic,
    /// A frame of another version of the format.
    #[error(
        "a frame of the format version with the digit byte {byte:#04x}: this reader knows version 1 (0x31); update it"
    )]
    UnknownVersion {
        /// The digit.
        byte: u8,
    },
    /// The payload is longer than the limit.
    #[error("a payload of {bytes} bytes, where `payload_bytes_max` is {max}")]
    PayloadTooLong {
        /// As the header says.
        bytes: u32,
        /// The limit.
        max: u32,
    },
    /// The payload before compression is longer than the limit.
    #[error("a payload of {bytes} bytes before compression, where `plain_bytes_max` is {max}")]
    PlainTooLong {
        /// As the header says.
        bytes: u32,
        /// The limit.
        max: u32,
    },
    /// The payload would become too much larger.
    #[error("a payload of {payload} bytes that would become {plain}, where `ratio_max` is {max}")]
    TooDense {
        /// As it lies in the frame.
        payload: u32,
        /// Before compression.
        plain: u32,
        /// The limit.
        max: u32,
    },
    /// There are more or fewer bytes than the header says.
    #[error("a frame of {expected} bytes by its header, but {actual} are here")]
    Length {
        /// Header and payload, as the header says.
        expected: u64,
        /// What there is.
        actual: u64,
    },
    /// Bytes have changed on the way.
    #[error("the checksum of the frame is wrong: its bytes have changed since it was written")]
    Checksum,
    /// A kind of a later version.
    #[error("frame kind {byte} is not known to this reader; update it")]
    UnknownKind {
        /// The kind.
        byte: u8,
    },
    /// Flags of a later version.
    #[error("frame flags {byte:#010b} are not known to this reader, which knows bit 0; update it")]
    UnknownFlags {
        /// All flags.
        byte: u8,
    },
    /// A field of the header that a frame of this kind cannot have so.
    #[error("the field `{field}` of a {kind:?} frame does not have the value that it must have")]
    Field {
        /// What the frame is.
        kind: FrameKind,
        /// Which field.
        field: &'static str,
    },
    /// The compressed payload is broken.
    #[error("the payload is not one zstd frame of {plain} bytes: {reason}")]
    Zstd {
        /// Bytes before compression, as the header says.
        plain: u32,
        /// What zstd says.
        reason: String,
    },
    /// The payload is no protobuf message of this kind.
    #[error("the payload of a {kind:?} frame cannot be read: {reason}")]
    Payload {
        /// What the frame is.
        kind: FrameKind,
        /// What protobuf says.
        reason: String,
    },
}
