//! Channels that carry the context of every message, unseen.
//!
//! They have the constructors, methods and error types of their originals, so that changing an import is
//! enough:
//!
//! | was | is | feature |
//! | --- | --- | --- |
//! | `std::sync::mpsc` | [`channel::std::mpsc`](std::mpsc) | – |
//! | `crossbeam_channel` | `channel::crossbeam` | `crossbeam` |
//! | `tokio::sync::{mpsc, oneshot, broadcast}` | `channel::tokio::{mpsc, oneshot, broadcast}` | `tokio` |
//! | `flume` | `channel::flume` | `flume` |
//! | `async_channel` | `channel::async_channel` | `async-channel` |
//!
//! ```
//! use reflow_trace::channel::std::mpsc; // was: use std::sync::mpsc;
//!
//! let (sender, receiver) = mpsc::channel();
//! let sender = sender.named("reader", "out"); // else it is called after this place in the source
//! let receiver = receiver.named("store", "in");
//! sender.send(20.5)?;
//! assert_eq!(receiver.recv(), Ok(20.5));
//! # Ok::<(), mpsc::SendError<f64>>(())
//! ```
//!
//! # What is recorded
//!
//! * Each send with its outcome, its time and the depth of the queue before it. A send that waits holds
//!   the wait in its execution time.
//! * Each receive, caused by the send, with the time that the message was inside.
//! * Each message that is dropped inside, with its receiver or by being overwritten: a `MessageSent` with
//!   the outcome *dropped*, caused by the send. A message that comes back in an error is not dropped.
//! * Exact counters: `messages = failures + received + dropped + still inside` on every edge, for all
//!   messages, sampled or not. Messages that were sent before the recording began are no part of it.
//!
//! # Causes
//!
//! What a task sends is caused by what it received last. What a task is, is known inside
//! [`traced_actor`](crate::traced_actor): the life (`run`) of an actor is one, on a thread or on an
//! executor. Inside a handler the message that is handled stays the cause. Elsewhere a receive causes
//! nothing, because a thread runs many tasks and nobody knows which one asked.
//!
//! # Names
//!
//! Each sending handle has its name, which its clones inherit. The receiving end has the name that was
//! given last. Where several receivers share a channel, a send names that one, and a receive names the
//! handle that took the message. `#[traced_connector]` methods over a channel of the same names are one
//! send, not two.
//!
//! # Policies
//!
//! A channel takes any message. What `#[sample(…)]` says of its type is found by the type; that of a generic
//! type only with `with_policy()` on either end. A message without a policy is recorded under the name of
//! its Rust type, always.
//!
//! # Limits
//!
//! * Types of other crates that want the original (`select!` of crossbeam, wrappers into streams and
//!   sinks) get it by `as_inner()` or `into_inner()`. It carries [`Parcel`]s; give what it receives to
//!   `accept`, or open it.
//! * A blocking send that has to wait for room stamps the message before the wait, and so do the asynchronous
//!   sends of flume and async-channel: their waiting time starts there. tokio's asynchronous sends stamp it after.
//! * A parcel takes 80 bytes beside the message. Making a channel allocates once more than the original.
//! * `Debug` shows the name of the type only.
//!
//! Without the feature `enable` nothing is recorded: a call costs the original's and the move of the
//! larger parcel.

#[cfg(feature = "async-channel")]
pub mod async_channel;
#[cfg(feature = "crossbeam")]
pub mod crossbeam;
#[cfg(feature = "flume")]
pub mod flume;
pub mod std;
#[cfg(feature = "tokio")]
pub mod tokio;

mod ends;
mod link;
mod name;
mod parcel;
#[cfg(feature = "tokio")]
mod spare;
#[cfg(feature = "_waiting")]
mod waiting;

pub use parcel::Parcel;
