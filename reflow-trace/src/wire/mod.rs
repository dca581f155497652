//! The formats in which events travel between processes and lie in files.
//!
//! A [`Frame`] is the envelope, the same on a socket, in a spool and in a server's log: see [`frame`].
//! What a batch frame holds is described in [`format`].

mod batch;
mod error;
pub mod format;
pub mod frame;
mod limits;
mod notice;
mod protobuf;
mod row;
mod seal;
mod sections;
#[cfg(test)]
mod tests;

pub use batch::{EdgeNames, WireBatch};
pub use error::{SealError, WireError};
pub use frame::{Frame, FrameError, FrameHeader, FrameKind, FrameLimits, Level};
pub use limits::BatchLimits;
pub use row::{EventRow, MessageId, RowKind};
pub use seal::{Sealed, Sealer, seal, seal_events};
