//! The formats in which events travel between processes and lie in files.
//!
//! A [`Frame`] is the envelope, the same on a socket, in a spool and in a server's log: a header of 40 bytes
//! with a checksum, and a payload. The tables are in [`frame`]. What a batch frame holds is in [`mod@format`]:
//! columns of small numbers, with a dictionary of everything that they refer to, so that each batch can be
//! read alone and by any language that has protobuf's varints.
//!
//! # Writing
//!
//! A [`Sink`](crate::Sink) gets batches from the collector; a [`Sealer`] makes frames of them without building
//! events. What comes as events, from JSON or from a file, goes through [`seal_events`].
//!
//! ```
//! use std::fs::File;
//! use std::io::Write;
//!
//! use reflow_trace::wire::{BatchLimits, Level, Sealer};
//! use reflow_trace::{Batch, Sink, SinkError};
//!
//! /// Writes frames back to back, as a spool has them.
//! struct Frames {
//!     file: File,
//!     sealer: Sealer,
//!     next: u64,
//! }
//!
//! impl Frames {
//!     fn new(file: File) -> Self {
//!         let sealer = Sealer::new(Some(Level::FAST), BatchLimits::default());
//!         Self { file, sealer, next: 1 }
//!     }
//! }
//!
//! impl Sink for Frames {
//!     fn name(&self) -> &str {
//!         "frames"
//!     }
//!
//!     fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
//!         // One stream, so any number that is not 0.
//!         for frame in self.sealer.seal_split(batch, 1, self.next)?.frames {
//!             self.file.write_all(frame.bytes())?;
//!             self.next += 1;
//!         }
//!         Ok(())
//!     }
//! }
//! ```
//!
//! # Reading
//!
//! [`WireBatch::decode`] checks everything once; after it nothing can fail. It gives [`TraceEvent`]s, equal to
//! those that the batch of the collector gives, or [`EventRow`]s, which allocate nothing and are what a
//! store keeps: each is the whole input of the event that is made of it.
//!
//! ```
//! use reflow_trace::event::ProducerId;
//! use reflow_trace::wire::{BatchLimits, Frame, WireBatch, seal_events};
//! use reflow_trace::TraceEvent;
//!
//! let event = TraceEvent::data_flow("reader", "out", "store", "in", "Reading", 8);
//! let sent = seal_events(&[event.clone()], ProducerId::random(), 1, 1, None)?;
//!
//! // On the other side, from bytes that nobody vouches for:
//! let limits = BatchLimits::default();
//! let frame = Frame::parse(sent.bytes().clone(), &limits.frame)?;
//! let batch = WireBatch::decode(&frame, &limits)?;
//! assert_eq!(batch.row(0).unwrap().edge.to_actor, "store");
//! assert_eq!(batch.events().collect::<Vec<_>>(), [event]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What cannot happen
//!
//! No bytes make a reader panic, wait or take more memory than its [`BatchLimits`] say. Nothing of a batch that
//! is refused is used, and every refusal says why. A batch is sealed once: what is sent again is the same
//! bytes, so that whoever stores it can tell that it has it.
//!
//! [`TraceEvent`]: crate::TraceEvent

mod batch;
mod error;
pub mod format;
pub mod frame;
mod limits;
mod notice;
mod protobuf;
mod row;
mod row_values;
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
