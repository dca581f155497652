//! The committer: the one way from sessions into the store.
//!
//! Sessions put readable batches into one queue. One task takes them out in groups (a sync of the disk costs
//! milliseconds, whatever it syncs), commits each group, and only when the store has said that it is durable
//! are the sessions told. The order of the queue is the order of the log.
//!
//! # What cannot happen
//!
//! **No batch overtakes one that failed.** A store remembers only the highest number of a stream, so a later
//! batch that is committed after an earlier one failed would turn the earlier one into a duplicate: lost.
//! So a failure breaks the [`Lease`] of every session in the group, and nothing that comes with a broken
//! lease is committed any more; such a session ends, and its client begins anew on another connection.
//!
//! **The queue does not grow without bound.** Every batch in it carries a permit of the memory
//! [budget](crate::ingest::Budget); without one a session reads no further.
//!
//! **Nobody downstream is waited for.** Committed batches go to live subscribers through a bounded ring
//! that overwrites; who is slow is told how many it has missed.
//!
//! [`Queue`] is the part that decides, without clock and runtime; [`Committer`] drives it.

mod driver;
mod health;
mod queue;

pub use driver::{Committer, LiveBatch};
pub use health::Health;
pub use queue::{Answer, Answers, Failure, Group, Lease, Queue, Submission};
