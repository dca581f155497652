//! The thread that has the database: commits, and the transactions of maintenance, one after the other.
//!
//! One thread and one connection, so that nothing ever waits for a lock of SQLite's, and the order of
//! commits is the order in which they were sent.

use std::sync::Arc;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::database::failed;
use super::log::{self, Totals, Written};
use super::shared::Shared;
use super::steps::Step;
use crate::store::{Admitted, Committed, ProducerLedgers, StoreError};

/// What the thread is asked to do.
pub(crate) enum Command {
    Commit(
        Vec<Admitted>,
        oneshot::Sender<Result<Vec<Committed>, StoreError>>,
    ),
    Last(u64, oneshot::Sender<Result<u64, StoreError>>),
    /// A piece of maintenance.
    Run(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// Who owns the database.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) connection: Connection,
    /// As they are on the disk.
    pub(crate) totals: Totals,
    /// What producers have said in what is sealed, as it is on the disk.
    pub(crate) sealed: ProducerLedgers,
    /// Streams that are remembered.
    pub(crate) streams: u64,
}

impl Writer {
    /// Works until nobody can ask any more, and closes the database then.
    pub(crate) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        while let Some(command) = commands.blocking_recv() {
            // Who has asked may have gone.
            match command {
                Command::Commit(group, reply) => drop(reply.send(self.commit(group))),
                Command::Last(stream, reply) => drop(reply.send(self.last(stream))),
                Command::Run(work) => work(&mut self),
            }
        }
    }

    fn last(&self, stream: u64) -> Result<u64, StoreError> {
        let last = log::last(&self.connection, stream);
        last.map(Option::unwrap_or_default)
            .map_err(|error| failed("looking a stream up", &error))
    }

    fn commit(&mut self, group: Vec<Admitted>) -> Result<Vec<Committed>, StoreError> {
        let committed_ns = self.shared.seams.clock.now_ns();
        let written = self
            .check_room()
            .and_then(|()| log::commit(&mut self.connection, self.totals, group, committed_ns));
        let mut state = self.shared.state();
        match written {
            Ok(written) => {
                let Written {
                    committed,
                    stored,
                    totals,
                    new_streams,
                } = written;
                self.streams += new_streams;
                self.totals = totals;
                state.totals = totals;
                state.counts.duplicates += (committed.len() - stored.len()) as u64;
                for batch in stored {
                    state.push_tail(batch);
                }
                Ok(committed)
            }
            Err(error) => {
                state.counts.failed_commits += 1;
                Err(error)
            }
        }
    }

    /// Refuses while too much waits to be sealed.
    fn check_room(&self) -> Result<(), StoreError> {
        let settings = &self.shared.settings;
        let state = self.shared.state();
        let limits = [
            (state.tail_events, settings.tail_events_max, "events"),
            (
                state.tail_memory_bytes,
                settings.tail_bytes_max,
                "bytes of memory",
            ),
        ];
        match limits
            .into_iter()
            .find(|(waiting, most, _)| waiting >= most)
        {
            Some((waiting, most, unit)) => Err(StoreError::Behind {
                waiting,
                most,
                unit,
            }),
            None => Ok(()),
        }
    }

    /// Runs changes in one transaction, the totals with them, and waits for the disk.
    pub(crate) fn transact(
        &mut self,
        what: &'static str,
        totals: Totals,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let run = || -> rusqlite::Result<()> {
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            change(&transaction)?;
            totals.write(&transaction)?;
            transaction.commit()
        };
        run().map_err(|error| match error.sqlite_error_code() {
            // As in commits: a crash now may find the transaction whole, so nothing may be done that it would miss.
            Some(rusqlite::ErrorCode::SystemIoFailure) => {
                StoreError::Unknown(format!("{what}: {error}"))
            }
            _ => failed(what, &error),
        })?;
        if self.shared.seams.steps.reach(Step::Doubted).is_err() {
            return Err(StoreError::Unknown(format!("{what}: a test says so")));
        }
        self.totals = totals;
        Ok(())
    }
}

/// Asks the writer from another thread of the store.
#[derive(Clone)]
pub(crate) struct WriterHandle(pub(crate) mpsc::Sender<Command>);

impl WriterHandle {
    /// Runs `work` on the writer's thread and waits for it. Not for threads that poll futures.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Run(Box::new(move |writer| {
            // Who has asked is waiting.
            drop(reply.send(work(writer)));
        }));
        self.0
            .blocking_send(command)
            .map_err(|_closed| StoreError::Closing)?;
        answer
            .blocking_recv()
            .map_err(|_closed| StoreError::Closing)
    }
}
