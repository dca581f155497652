//! What can be wrong with a batch.

use super::frame::FrameError;

/// Why events could not be sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Stream or number is 0.
    #[error("a batch needs a `stream` and a `number`, both from 1 upwards")]
    NoPlace,
    /// More than a reader accepts: see [`Sealer::seal_split`](super::Sealer::seal_split).
    #[error(
        "{amount} {what} in one batch, where the limit is {max}: divide the events among several"
    )]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        amount: u64,
        /// How much there may be.
        max: u64,
    },
    /// An event exceeds what a record can hold, 65 535 slots of 64 bytes.
    #[error(
        "event {index} has attributes or content of more than 4 MB, or nested more than 64 deep: leave it out"
    )]
    EventTooLarge {
        /// Which of the events.
        index: usize,
    },
    /// Something that the tracing says of itself cannot be read back, which is a fault of the tracing.
    #[error("a notice of the tracing itself cannot be read back")]
    NotANotice,
    /// zstd has no memory.
    #[error("zstd could not compress {bytes} bytes: it found no memory")]
    Compression {
        /// How many bytes it was to compress.
        bytes: u64,
    },
}

/// Why a frame is no batch that can be accepted. The same frame will never be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The frame itself.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A frame of another kind.
    #[error("a frame that holds no batch")]
    NotABatch,
    /// A batch of another version of the format.
    #[error(
        "batch format version {version} is not known to this reader, which knows version 1; update it"
    )]
    UnknownVersion {
        /// As the batch says.
        version: u64,
    },
    /// The payload ends early, or is no protobuf.
    #[error("the batch is no protobuf message at byte {at}: {reason}")]
    Protobuf {
        /// Where in the plain payload.
        at: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// More than the limits allow.
    #[error("{amount} {what} in one batch, where the limit is {max}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        amount: u64,
        /// How much there may be.
        max: u64,
    },
    /// A field of another type than it has.
    #[error("the field `{field}` has another type than it has in version 1")]
    Type {
        /// Which field.
        field: &'static str,
    },
    /// A number in a column that ends early, or has more than 64 bits.
    #[error("a number in `{column}` ends early or has more than 64 bits")]
    Varint {
        /// Which column.
        column: &'static str,
    },
    /// A column that has not one value for each event.
    #[error("the column `{column}` has {values} values, where {expected} are due")]
    ColumnLength {
        /// Which column.
        column: &'static str,
        /// How many it has.
        values: u64,
        /// How many it has to have.
        expected: u64,
    },
    /// A value that cannot be.
    #[error("the value {value} in `{column}` is not possible there: {reason}")]
    Value {
        /// Which column.
        column: &'static str,
        /// The value.
        value: u64,
        /// What it would have to be.
        reason: &'static str,
    },
    /// A name that is no UTF-8 or too long.
    #[error("name {index} in the dictionary is {reason}")]
    Name {
        /// Which of the names, from 0.
        index: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What an event has beside its columns cannot be read.
    #[error("the sections of event {index} cannot be read")]
    Sections {
        /// Which of the events, from 0.
        index: usize,
    },
    /// The header of the frame and the batch do not say the same.
    #[error("{inside} events in a batch, where the frame says {frame}")]
    Events {
        /// In the batch.
        inside: u64,
        /// In the header of the frame.
        frame: u32,
    },
}
