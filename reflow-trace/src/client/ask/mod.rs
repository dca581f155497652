//! Questions to a server, and what happens there as it happens.
//!
//! A [`TracingClient`] has one connection, which all its clones share: it is made by the first question,
//! kept, and made again by the next question after it was lost. It lives on a thread of its own with an
//! executor of its own, so that the methods work under any executor and in blocking code
//! (`pollster::block_on`, `futures::executor::block_on`), and a program that stops polling holds nobody up.
//!
//! # Questions
//!
//! A question is answered, refused by the server ([`AskError::Refused`], with the place in a filter that is
//! wrong), or cannot be asked: nobody answers, or its time is over. Dropping the future of a question cancels
//! it at the server. When the connection is lost while the server is at it, it is asked once more, on the
//! next connection: questions change nothing. Sixteen are with the server at one time; more wait here.
//!
//! # Subscriptions
//!
//! A [`Subscription`] is a stream of what fits, from now on. The server tells with each event its place in the
//! log, so after a loss of the connection it goes on from there: nothing is lost and nothing comes twice.
//! Where that cannot be (the server has retired or never had what is missing) a [`Seen::Gap`] says so. Who
//! reads slowly holds a bounded number of events here; the rest stays with the server, and is
//! fetched from its store when there is room again.
//!
//! Without the feature `enable` all of this works as well: it records nothing, it asks.
//!
//! # What is in here
//!
//! `book` decides what is said, without a clock and a socket; `driver` is the thread; `queue` lies between
//! it and a subscription.

mod book;
mod client;
mod driver;
mod error;
mod events;
mod queue;
mod subscription;

pub use client::{EVENTS_DEFAULT, TracingClient, TracingClientBuilder};
pub use error::{AskError, Refusal};
pub use events::TraceEvents;
pub use subscription::{Seen, Subscription};
