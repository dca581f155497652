//! The probe: what generated code calls around a send, a handling or a life.
//!
//! A probe is a [`Flow`], the place of an attempt on the stack of its thread. `begin_*` decides, counts
//! and stamps; `end` writes the record. When a future yields, its attempt is [`Parked`] in it. What is generic over the message or the future is a thin wrapper;
//! the work is done by functions that exist once.
//!
//! The names of this module are for generated code.

mod attempt;
mod batch;
mod begin;
mod body;
mod broadcast;
pub(crate) mod channel;
mod content;
mod depth;
mod elsewhere;
mod ends;
mod flow;
mod found;
mod future;
mod handling;
mod judge;
mod kept;
mod life;
mod parked;
mod pending;
mod receive;
mod send;
mod site;
#[cfg(test)]
#[expect(
    clippy::needless_borrow,
    reason = "the references choose the impl, as in generated code"
)]
mod tests;
mod trace;
mod write;

pub use batch::{
    Batch, BatchFuture, BatchOf, BeginBatch, Items, One, Seen, begin_batch_in, deferred_batch,
    instrumented_batch,
};
pub use begin::{BeginHandling, Probed, Sending, SendingAny, sending, sending_of};
pub use body::{call, declared};
pub use broadcast::{FanOut, Reached};
pub use depth::{Depth, DepthFallback, QueueLength, Unsaid};
pub(crate) use elsewhere::{CAUSES_NOT_NAMED, Elsewhere, PARENT_SPAN_ID};
pub use ends::{AsName, Ends, Name, Names, Text, edge, ends, names};
pub use flow::Flow;
pub(crate) use found::AnyMessage;
pub use future::{Deferred, Instrumented, begins_here, deferred, instrumented};
pub use handling::{Receiver, receiver, receiver_by_default};
pub use judge::{Judge, Unjudged, judge, judge_of, outcome_if, unjudged};
pub use kept::Kept;
pub use life::begin_life;
pub use parked::Parked;
pub use pending::{MayPend, Polled};
pub use receive::{Receive, begin_receive, receive, receive_of};
pub use site::Site;

/// Whether recording may be on: one relaxed load, false for good once it is known to be off.
#[inline]
pub fn on() -> bool {
    crate::runtime::may_be_on()
}
