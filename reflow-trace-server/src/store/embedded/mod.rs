//! The embedded store: an SQLite commit log, and Parquet segments, in one directory.
//!
//! # On the disk
//!
//! ```text
//! <directory>/
//!   lock                    held by the server that has the directory; its process number as text
//!   store.sqlite (-wal, -shm)
//!                           the commit log and the catalogue
//!   segments/
//!     0000000000000042.parquet
//!                           segment 42, never changed
//!     0000000000000043.unfinished
//!                           a segment that is being written
//!   damaged/                segments that are not what was written, for the operator
//! ```
//!
//! The database is the only truth: a file that it does not name is removed when the store is opened. Foreign
//! files are left alone, and so is what is left of damaged segments. The tables, in format 2 (`PRAGMA user_version`; `application_id` is `RFTS`); numbers
//! without a sign are stored by their bits:
//!
//! | table | one row is | columns |
//! | --- | --- | --- |
//! | `log` | a batch that is in no segment | `offset` from 1; `stream`; `number`; `committed_ns` (ns since 1970, server's clock); `events`; `frame`, the bytes as they came |
//! | `damaged_log` | such a row that could not be read when its neighbours were sealed | the same |
//! | `streams` | a stream | `stream`; `last`, the highest number committed; `seen_ns`, when |
//! | `segments` | a segment | `id`; `first_offset`, `last_offset`; `events`; `bytes` and `crc32c` of the file; `first_ns`, `last_ns`, times of events, both included; `committed_first_ns`, `committed_last_ns`; `damage`, why it is set aside, else null |
//! | `rollups` | the sums of a segment | `segment`; `form`, see [`rollup`](crate::store::rollup) |
//! | `ledgers` | a producer | `producer`; `ledger`, JSON of [`LedgerOfProducer`](crate::store::LedgerOfProducer) over what is sealed |
//! | `totals` | one row | `next_offset`, `next_segment`, and the sums that [`StoreStats`] shows |
//! | `retired` | a stretch of offsets of retired segments, among those of segments that are kept | `first_offset`; `end_offset`, the one after the last |
//!
//! What is in a segment stands in the header of `segment/mod.rs`, and in `store::columns`.
//!
//! # The way of a batch
//!
//! *Commit.* One transaction writes the frames of a group into `log`, the last numbers into `streams` and the
//! totals, in a WAL with `synchronous = FULL`: one write and one sync for the group. Then the decoded batches
//! join the tail in memory.
//!
//! *Seal.* The oldest of the tail is sorted by time and written to files that are synced, and whose
//! names are synced. Then one transaction takes the rows out of `log` and puts the segments, their roll-ups and
//! the ledgers in.
//!
//! *Merge, retire.* The same: files first, then one transaction, then the files that it has made
//! superfluous, once no view holds them.
//!
//! # What cannot happen
//!
//! * A crash between any two steps loses nothing and doubles nothing: either the transaction is there or not,
//!   and files on the wrong side of it are orphans, which are removed at the next start and counted.
//! * A view never changes and never loses a file: it shares the list of segments, and files are removed
//!   only when nobody holds their segment.
//! * A segment that is missing or damaged keeps nobody from starting, committing or reading the others.

mod batches;
mod catalogue;
mod chain;
mod database;
mod directory;
mod files;
mod find;
mod inspect;
mod log;
mod maintain;
mod open;
mod part;
mod place;
mod scan;
mod segment;
mod settings;
mod shared;
mod steps;
mod stretches;
mod summaries;
mod tail;
mod tail_reach;
mod view;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

pub(crate) use inspect::{Finding, Findings, Inspection, Level, Sums, inspect, lost_by};
pub(crate) use part::{in_time, projected};
pub(crate) use segment::{LooseReader, LooseWriter, NotLoose};
pub use segment::{Place, SCHEMA};
pub(crate) use segment::{SegmentRows, columns_of};
use settings::Seams;
pub use settings::Settings;
pub use view::View;

use super::{
    Admitted, Committed, MaintenanceReport, Snapshot, Store, StoreError, StoreFuture, StoreStats,
};
use maintain::Request;
use shared::Shared;
use writer::Command;

/// The store that a server has unless it is told otherwise. See the header of this module.
///
/// It has two threads. When it is dropped, what was asked to be committed is, sealing and merging are given up until the
/// next start, and the database is closed.
///
/// # Examples
///
/// ```no_run
/// use reflow_trace_server::store::Store;
/// use reflow_trace_server::store::embedded::{EmbeddedStore, Settings};
///
/// let store = EmbeddedStore::open(Settings::new("/var/lib/reflow-trace"))?;
/// println!("{} events", store.stats().events);
/// # Ok::<(), reflow_trace_server::store::StoreError>(())
/// ```
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    /// `None` when it is being dropped.
    writer: Option<mpsc::Sender<Command>>,
    maintainer: Option<mpsc::Sender<Request>>,
    threads: Vec<JoinHandle<()>>,
}

impl EmbeddedStore {
    /// Opens the store in a directory, or makes one there; whatever a crash has left is tidied up.
    ///
    /// Reads the log, so it takes about a second for each five million events that were not sealed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] when the directory cannot be used; it says why and what to do.
    pub fn open(settings: Settings) -> Result<Self, StoreError> {
        open::open(settings, Seams::default())
    }

    /// What is stored now, as [`Store::snapshot`] gives it, without waiting.
    pub fn view(&self) -> Arc<View> {
        Arc::new(View::take(&self.shared))
    }

    /// Seals everything that is in the log, due or not; otherwise as [`Store::maintain`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn seal_all(&self, now_ns: i64) -> Result<MaintenanceReport, StoreError> {
        self.request(now_ns, true).await
    }

    async fn request(&self, now_ns: i64, seal_all: bool) -> Result<MaintenanceReport, StoreError> {
        let (reply, answer) = oneshot::channel();
        let request = Request {
            now_ns,
            seal_all,
            reply,
        };
        let maintainer = self.maintainer.as_ref().ok_or(StoreError::Closing)?;
        maintainer
            .send(request)
            .await
            .map_err(|_closed| StoreError::Closing)?;
        answer.await.map_err(|_closed| StoreError::Closing)?
    }

    async fn ask<T>(
        &self,
        command: Command,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let writer = self.writer.as_ref().ok_or(StoreError::Closing)?;
        writer
            .send(command)
            .await
            .map_err(|_closed| StoreError::Closing)?;
        answer.await.map_err(|_closed| StoreError::Closing)?
    }
}

impl Store for EmbeddedStore {
    fn commit(&self, group: Vec<Admitted>) -> StoreFuture<'_, Vec<Committed>> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            self.ask(Command::Commit(group, reply), answer).await
        })
    }

    fn last(&self, stream: u64) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            self.ask(Command::Last(stream, reply), answer).await
        })
    }

    fn snapshot(&self) -> StoreFuture<'_, Arc<dyn Snapshot>> {
        Box::pin(async move { Ok(self.view() as Arc<dyn Snapshot>) })
    }

    fn maintain(&self, now_ns: i64) -> StoreFuture<'_, MaintenanceReport> {
        Box::pin(self.request(now_ns, false))
    }

    fn stats(&self) -> StoreStats {
        self.shared.stats()
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        // Sealing and merging are given up where they are; the writer ends what it was asked to commit. The
        // maintainer asks the writer, so it ends first.
        self.shared.close();
        self.maintainer = None;
        self.writer = None;
        for thread in self.threads.drain(..) {
            // A panic there was told by its own means.
            let _ended = thread.join();
        }
    }
}
