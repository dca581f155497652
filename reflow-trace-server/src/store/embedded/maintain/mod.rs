//! The thread that seals, merges, retires and cleans up.
//!
//! It reads and writes files by itself, beside the commits, and asks the thread of the database for one
//! short transaction at the end of each piece of work. An error in one piece keeps no other from being done, and
//! neither does a panic: without this thread nothing would be sealed any more, and soon nothing taken in.

mod check;
mod clock;
mod merge;
mod output;
mod retain;
mod seal;

use std::io;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::database::PAGE_BYTES;
use super::shared::Shared;
use super::steps::Halt;
use super::writer::WriterHandle;
use crate::store::{MaintenanceReport, StoreError};
pub(crate) use check::{damage, is_loss, move_aside};
use clock::SteppedClock;

/// What the thread is asked to do.
pub(crate) struct Request {
    pub(crate) now_ns: i64,
    /// Seal all that there is, due or not.
    pub(crate) seal_all: bool,
    pub(crate) reply: oneshot::Sender<Result<MaintenanceReport, StoreError>>,
}

/// Who does it.
pub(crate) struct Maintainer {
    shared: Arc<Shared>,
    writer: WriterHandle,
    /// The number of the next segment.
    next_segment: u64,
    /// Files that the catalogue may name after a crash, and may not.
    doubtful: Vec<PathBuf>,
    clock: SteppedClock,
}

impl Maintainer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        writer: WriterHandle,
        newest_commit_ns: Option<i64>,
    ) -> Self {
        let next_segment = shared.state().totals.next_segment;
        Self {
            shared,
            writer,
            next_segment,
            doubtful: Vec::new(),
            clock: SteppedClock::new(newest_commit_ns),
        }
    }

    /// Works until nobody can ask any more.
    pub(crate) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(request) = requests.blocking_recv() {
            let report = self.maintain(request.now_ns, request.seal_all);
            // Who has asked may have gone.
            drop(request.reply.send(report));
        }
    }

    fn maintain(&mut self, now_ns: i64, seal_all: bool) -> Result<MaintenanceReport, StoreError> {
        let believed_ns = self.clock.believe(now_ns);
        let mut report = MaintenanceReport::default();
        let mut first_error = None;
        type Piece = fn(&mut Maintainer, &mut MaintenanceReport, Now) -> Result<(), Halt>;
        // Room is made before it is needed.
        let pieces: [Piece; 7] = [
            Self::retain,
            Self::check_one,
            Self::seal,
            Self::merge,
            Self::retain,
            Self::prepare,
            Self::tidy,
        ];
        let now = Now {
            now_ns,
            believed_ns,
            seal_all,
        };
        for piece in pieces {
            let done = self.shared.check_open().map_err(Halt::from);
            let done = done.and_then(|()| caught(|| piece(self, &mut report, now)));
            match done {
                Ok(()) => {}
                Err(Halt::Killed) => return Err(StoreError::Closing),
                Err(Halt::Failed(error)) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        let mut state = self.shared.state();
        state.counts.clock_in_doubt = believed_ns.is_none();
        state.counts.last_failure = first_error.as_ref().map(ToString::to_string);
        drop(state);
        first_error.map_or(Ok(report), Err)
    }

    /// Makes what look-ups ask of the batches of the tail, so that no question has to.
    fn prepare(&mut self, _report: &mut MaintenanceReport, _now: Now) -> Result<(), Halt> {
        let tail = self.shared.state().tail.clone();
        for batch in tail.iter() {
            self.shared.check_open()?;
            batch.reach();
        }
        Ok(())
    }

    /// Removes files that nobody holds, gives pages back, and measures the database.
    fn tidy(&mut self, report: &mut MaintenanceReport, _now: Now) -> Result<(), Halt> {
        self.remove_files(report)?;
        let path = self.shared.layout.database();
        let bytes: u64 = ["", "-wal"]
            .iter()
            .filter_map(|suffix| {
                let mut name = path.clone().into_os_string();
                name.push(suffix);
                std::fs::metadata(name).ok()
            })
            .map(|about| about.len())
            .sum();
        self.shared.state().counts.database_bytes = bytes;
        self.writer.run(|writer| writer.give_back())??;
        Ok(())
    }
}

/// A panic in a piece of work as an error of it. What it has written and not swapped in is in nobody's way: its
/// files are removed as those of a process that was killed are.
fn caught(work: impl FnOnce() -> Result<(), Halt>) -> Result<(), Halt> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let what = crate::panicked::text(&*panic);
        let fault = io::Error::other(format!("a fault of the server: {what}"));
        Err(StoreError::io("maintain the store", fault).into())
    })
}

/// The time of one call.
#[derive(Clone, Copy)]
struct Now {
    now_ns: i64,
    /// The same, unless the clock has made a step that is not believed yet.
    believed_ns: Option<i64>,
    seal_all: bool,
}

impl super::writer::Writer {
    /// Gives pages that sealing has left empty back to the file system, a few at a time.
    fn give_back(&mut self) -> Result<(), StoreError> {
        /// Empty pages that stay for the next rows.
        const KEPT: u64 = (64 << 20) / PAGE_BYTES;
        const AT_ONCE: u64 = (8 << 20) / PAGE_BYTES;
        let what = "giving empty pages back";
        let empty: i64 = self
            .connection
            .pragma_query_value(None, "freelist_count", |row| row.get(0))
            .map_err(|error| super::database::failed(what, &error))?;
        if empty.unsigned_abs() > KEPT {
            self.connection
                .execute_batch(&format!("PRAGMA incremental_vacuum({AT_ONCE})"))
                .map_err(|error| super::database::failed(what, &error))?;
        }
        Ok(())
    }
}
