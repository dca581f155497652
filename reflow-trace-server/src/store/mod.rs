//! Where committed batches live: the contract that every store keeps, and the stores.
//!
//! # The contract
//!
//! A store takes [`Admitted`] batches in groups and gives their events back. In what follows a *stream*
//! is one run of one client, a *number* the place of a batch in it, from 1 upwards, and an *offset* the
//! place of a batch in the store, from 1 upwards.
//!
//! **Durable.** When [`Store::commit`] returns `Ok`, everything in the group survives the death of the
//! process, of the machine, and of the power, at any moment after. Nothing that it returned `Err` for is
//! ever seen, with one exception: after [`StoreError::Unknown`] the group may be there or not, and asking
//! again ([`Store::last`], or committing the same group) tells.
//!
//! **All or nothing.** A group is committed whole or not at all, duplicates aside.
//!
//! **Order.** Groups take effect in the order in which `commit` was called (in which the futures were
//! first polled), and the batches of a group in the order they have there. Offsets ascend by one, without
//! gaps, over the batches that are stored; duplicates have none.
//!
//! **Duplicates.** A store remembers the highest number of each stream. A batch whose number is not above
//! it is a [`Committed::Duplicate`], whatever it holds: nothing of it is stored. This holds within a
//! group, across groups and across restarts.
//!
//! **Gaps.** A number that skips others is stored; how many were skipped is counted in
//! [`StoreStats::gaps`], which stands still at the largest number there is. They are lost by the client, which
//! has counted them, and cannot come later.
//!
//! **Retryable errors.** [`StoreError::is_retryable`] says whether the same group may succeed later
//! without anybody changing it: the disk is full, the store is behind or closing. After any error the
//! store goes on: reading does, and so does committing once the cause has gone.
//!
//! **Snapshots.** [`Store::snapshot`] gives a view that never changes: it holds exactly the batches with
//! offsets below [`Snapshot::end`], less those that were retired before it was taken. It stays readable
//! however long it is held, while others commit, while segments are replaced, and while they are retired.
//! A commit that has returned is in every snapshot that is taken after.
//!
//! **What comes back** is equal to what [`WireBatch::events`](reflow_trace::wire::WireBatch::events) gave
//! for recorded events, in the order of their time, and for equal times of their offset and place. What the
//! tracing reports of itself comes back as what it means, in [`Snapshot::producers`]: the newest counters
//! and coverage of each producer, and its losses added up by reason.
//!
//! **Figures.** Every event that was stored is counted in one place of [`StoreStats`]: `events` is the sum of
//! `tail_events`, `segment_events`, `retired_events` and `damaged_events`. A store without segments has all in
//! its tail.
//!
//! **Retention.** [`Store::maintain`] may retire the oldest batches as the configuration says, by when they
//! were committed. It never retires what no rule asks for. A retired batch is still a duplicate when it
//! comes again.
//!
//! The suite in [`conformance`] asks all of this of any store; the model in [`memory`] is the contract in
//! a few lines of code.
//!
//! # A store of one's own
//!
//! Needs nothing but what is public here: [`ProducerLedgers::add`] sums up what producers say,
//! [`Summary::of_batch`](rollup::Summary::of_batch) what happened on edges, [`BatchPart`](columns::BatchPart) makes columns, [`StoreError::io`] and [`StoreError::damaged`] put errors
//! of a disk into the words of this package. `tests/outside` in the repository is a durable one of two hundred
//! lines that passes the suite.

mod admitted;
mod error;
mod ledger;
mod ledgers;
mod plain;
mod snapshot;
mod stats;
mod watch;

pub mod columns;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod embedded;
pub mod memory;
pub mod rollup;

use std::future::Future;
use std::pin::Pin;

pub use admitted::{Admitted, Committed};
pub use error::{StoreError, UnusableDirectory};
pub use ledger::LedgerOfProducer;
pub use ledgers::ProducerLedgers;
pub use snapshot::{
    Events, Found, FoundBatch, FoundBatches, FoundEvents, Key, Scan, Snapshot, TimeRange,
};
pub use stats::{MaintenanceReport, StoreStats};
pub use watch::{Effort, Unwatched, Watch};

/// What the methods of a [`Store`] return, so that `Arc<dyn Store>` works.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps batches durably, once each, and gives their events back. The contract is in the header of this
/// module.
///
/// No method blocks the thread that polls it: work that waits for a disk runs on threads of the store.
/// A future that is dropped before it is ready has done its work or not; a commit may take effect.
pub trait Store: Send + Sync {
    /// Makes a group durable, and says for each of its batches what became of it.
    ///
    /// An empty group writes and syncs something small: so one asks whether committing works again.
    ///
    /// # Errors
    ///
    /// See [`StoreError`]; nothing of the group is stored then, unless it is [`StoreError::Unknown`].
    fn commit(&self, group: Vec<Admitted>) -> StoreFuture<'_, Vec<Committed>>;

    /// The highest number that was committed of `stream`; 0 when none was.
    ///
    /// Every commit that was called before is taken into account.
    fn last(&self, stream: u64) -> StoreFuture<'_, u64>;

    /// What is stored now, as a view that stays as it is.
    fn snapshot(&self) -> StoreFuture<'_, std::sync::Arc<dyn Snapshot>>;

    /// Does what is due at `now_ns`, nanoseconds since 1970: seals, merges, retires, cleans up.
    ///
    /// The server calls it every second or so, and nobody else has to. Two calls at once run one after
    /// the other.
    ///
    /// # Errors
    ///
    /// Whatever kept a part from being done; the other parts were tried nevertheless, and the next call
    /// tries again. Nothing is lost.
    fn maintain(&self, now_ns: i64) -> StoreFuture<'_, MaintenanceReport>;

    /// Figures about the store; cheap, never waits for a disk.
    fn stats(&self) -> StoreStats;
}
