//! `tokio::sync::mpsc`, traced.
//!
//! ```
//! use reflow_trace::channel::tokio::mpsc; // was: use tokio::sync::mpsc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), mpsc::error::SendError<f64>> {
//! let (sender, receiver) = mpsc::channel(16);
//! let sender = sender.named("reader", "out");
//! let mut receiver = receiver.named("store", "in");
//! sender.send(20.5).await?;
//! assert_eq!(receiver.recv().await, Some(20.5));
//! # Ok(())
//! # }
//! ```
//!
//! # What is recorded
//!
//! A send begins at its first poll, so that its execution time holds the wait for room; the waiting time
//! of the message begins when it goes in. A send whose future is dropped while it waits is cancelled. A
//! permit that is never used is no send. The queue depth of a bounded channel counts reserved places as
//! taken.
//!
//! # Limits
//!
//! The waiting time of [`Sender::blocking_send`] holds the wait for room: take the execution time of the
//! send off. A send by an [`OwnedPermit`] does not know the queue depth. In an unbounded channel the
//! depth counts the messages that were sent while recording was on. Wrappers of other crates
//! (`tokio_stream::wrappers`, `tokio_util::sync::PollSender`) take the original.

mod bounded;
mod permit;
mod unbounded;

pub use bounded::{Receiver, Sender, WeakSender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use tokio::sync::mpsc::error;
pub use unbounded::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel};
