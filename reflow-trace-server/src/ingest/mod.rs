//! Taking batches in: what one connection may do, decided by a state machine without clock and socket.
//!
//! A client says hello and is welcomed with credits, bytes of batches that it may send. Each batch is
//! checked in the order of what the check costs: frame and checksum, credits, order, limits of the header,
//! memory, and only then is it unpacked and read. What can be read goes to the [committer](crate::commit);
//! the answer becomes a cumulative acknowledgement that carries new credits.
//!
//! # Refusals
//!
//! *For good*, when a batch itself is at fault (over a limit, or not readable): the client counts it as lost
//! and goes on. *For now*, when the server is (no room, no memory, about to stop), or when the connection
//! cannot be trusted any more (damaged bytes, an order that makes no sense): nothing further is accepted on
//! this connection, the client keeps what is not acknowledged and comes again.
//!
//! # What cannot happen
//!
//! An acknowledgement never covers a batch that is not durable, unless that batch was refused for good
//! before it. A batch that arrives out of its order is never taken: a later connection brings it again. A
//! session holds at most one frame beyond its share of the [memory budget](Budget), and no input makes it
//! panic.
//!
//! # Driving it
//!
//! Whoever has a socket or simulates one feeds [`Input`]s with the time since any beginning, carries out the
//! [`Output`]s in their order, comes again at [`Session::wake_at`], and reads nothing from the socket while
//! [`Session::wants_input`] is false.

mod budget;
mod machine;
mod refuse;
mod stream;
#[cfg(test)]
mod tests;

pub use budget::{Budget, Permit, Place, memory_of};
pub use machine::{Closing, End, Input, Output, Session};
pub use refuse::code_word;

/// The WebSocket subprotocol of batches.
pub const SUBPROTOCOL: &str = "reflow-trace.v1";
