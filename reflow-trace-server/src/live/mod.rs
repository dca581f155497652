//! What is committed, as it happens: subscriptions, isolated from each other and from ingest.
//!
//! The committer sends every batch that is durable through a bounded ring that overwrites
//! ([`Committer::live`](crate::commit::Committer::live)). One task, the feed of the [`Hub`], puts them into
//! one *window*: the newest batches, bounded by events and by bytes, by their offsets. A [`Subscriber`] is
//! a place in the log and a condition. It looks for its place in the window, evaluates its condition in
//! the task of its own connection, and waits where there is nothing newer.
//!
//! # Why one window and not a queue for each
//!
//! A queue for each subscriber holds the same batches once more for everybody who is slow, each at a place of
//! its own, so that the bound on memory is a product. Places in one window cost nothing: a thousand
//! subscribers that stopped reading hold a thousand numbers. Publishing is one push, whoever subscribes,
//! so that nobody can slow the committer or somebody else. Who is further behind than the window reaches is
//! told which offsets it has missed (one gap, however long it was away), and goes on with what is there.
//!
//! # Seams
//!
//! Everything goes by offset, which ascends by one from batch to batch. So an older place than the window has
//! is filled up from the store, in rounds that hold neither a snapshot nor a place among those who read
//! while the subscriber is busy, until the window has it: nothing is missing at the seam and nothing is
//! there twice. What was read and not taken yet is bounded for all of them together (`shelf`); what had to go is read
//! again. What was retired, or damaged, is told as a gap.
//!
//! # What cannot happen
//!
//! A row becomes an event at most once for everybody, and only when the condition of somebody may be true of it
//! (`choice`); JSON is written at most once for everybody who may see the same. Content that was captured
//! never reaches who has no right to it: there are two forms of such an event, and [`Rights`] chooses.
//! Without a subscription nothing is kept and nothing is done.
//!
//! [`Rights`]: crate::answer::Rights

mod backfill;
#[cfg(test)]
mod backfill_tests;
mod choice;
mod hub;
mod shelf;
mod shown;
mod subscriber;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use hub::Hub;
pub(crate) use shown::{Shown, without_content};
pub(crate) use subscriber::{Seen, Subscriber};
