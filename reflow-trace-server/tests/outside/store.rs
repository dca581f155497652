//! A store of one file for each group, written under another name, synced, and renamed.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

use reflow_trace::event::ProducerId;
use reflow_trace::lineage::Numbers;
use reflow_trace::wire::frame::{FrameScanner, Scanned};
use reflow_trace::wire::{BatchLimits, WireBatch};
use reflow_trace_server::store::columns::{BatchPart, Part};
use reflow_trace_server::store::rollup::{Rollup, Summary};
use reflow_trace_server::store::{
    Admitted, Committed, Events, MaintenanceReport, ProducerLedgers, Snapshot, Store, StoreError,
    StoreFuture, StoreStats, TimeRange,
};
use tokio::sync::oneshot;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

enum Command {
    Commit(Vec<Admitted>, Reply<Vec<Committed>>),
    Last(u64, Reply<u64>),
}

/// Groups in files.
pub(crate) struct FileStore {
    state: Arc<Mutex<State>>,
    /// `None` when it is being dropped.
    commands: Option<mpsc::Sender<Command>>,
    writer: Option<JoinHandle<()>>,
}

/// What is stored, as memory knows it.
#[derive(Clone, Default)]
struct State {
    groups: u64,
    lasts: HashMap<u64, u64>,
    /// By their offsets, from 1 upwards.
    batches: Vec<Arc<BatchPart>>,
    ledgers: ProducerLedgers,
    stats: StoreStats,
}

impl FileStore {
    /// Opens the store in a directory that is there.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        let mut state = State::default();
        for file in groups(directory)? {
            state.groups += 1;
            let group = read_group(&file)?;
            state.apply(&group);
        }
        let state = Arc::new(Mutex::new(state));
        let (commands, asked) = mpsc::channel();
        let (shared, directory) = (state.clone(), directory.to_owned());
        let writer = std::thread::Builder::new()
            .name("file-store".to_owned())
            .spawn(move || work(&asked, &shared, &directory))
            .map_err(|error| StoreError::io("start a thread of the store", error))?;
        Ok(Self {
            state,
            commands: Some(commands),
            writer: Some(writer),
        })
    }

    /// Sends when the future is polled first, which is when the order of commits is decided.
    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let commands = self.commands.as_ref().ok_or(StoreError::Closing)?;
        commands
            .send(command(reply))
            .map_err(|_closed| StoreError::Closing)?;
        answer.await.map_err(|_closed| StoreError::Closing)?
    }
}

impl Drop for FileStore {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(writer) = self.writer.take() {
            let _ended = writer.join();
        }
    }
}

impl Store for FileStore {
    fn commit(&self, group: Vec<Admitted>) -> StoreFuture<'_, Vec<Committed>> {
        Box::pin(self.ask(|reply| Command::Commit(group, reply)))
    }

    fn last(&self, stream: u64) -> StoreFuture<'_, u64> {
        Box::pin(self.ask(move |reply| Command::Last(stream, reply)))
    }

    fn snapshot(&self) -> StoreFuture<'_, Arc<dyn Snapshot>> {
        Box::pin(async move {
            let state = locked(&self.state);
            Ok(Arc::new(FileSnapshot {
                batches: state.batches.clone(),
                ledgers: state.ledgers.clone(),
            }) as Arc<dyn Snapshot>)
        })
    }

    fn maintain(&self, _now_ns: i64) -> StoreFuture<'_, MaintenanceReport> {
        Box::pin(async { Ok(MaintenanceReport::default()) })
    }

    fn stats(&self) -> StoreStats {
        locked(&self.state).stats.clone()
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work(asked: &mpsc::Receiver<Command>, state: &Mutex<State>, directory: &Path) {
    while let Ok(command) = asked.recv() {
        // Who has asked may have gone.
        match command {
            Command::Commit(group, reply) => {
                let groups = locked(state).groups;
                let written = write_group(directory, groups + 1, &group);
                let mut state = locked(state);
                let answer = written.map(|()| {
                    state.groups += 1;
                    state.apply(&group)
                });
                state.stats.failed_commits += u64::from(answer.is_err());
                drop(state);
                drop(reply.send(answer));
            }
            Command::Last(stream, reply) => {
                let last = locked(state).lasts.get(&stream).copied();
                drop(reply.send(Ok(last.unwrap_or(0))));
            }
        }
    }
}

impl State {
    /// Duplicates are found out again when the files are read: they lie there, and mean nothing.
    fn apply(&mut self, group: &[Admitted]) -> Vec<Committed> {
        group
            .iter()
            .map(|admitted| self.apply_one(admitted))
            .collect()
    }

    fn apply_one(&mut self, admitted: &Admitted) -> Committed {
        let (last, number) = (
            self.lasts.entry(admitted.stream()).or_default(),
            admitted.number(),
        );
        if number <= *last {
            self.stats.duplicates += 1;
            return Committed::Duplicate;
        }
        self.stats.gaps = self.stats.gaps.saturating_add(number - *last - 1);
        *last = number;
        self.stats.batches += 1;
        let events = admitted.batch.len() as u64;
        self.stats.events += events;
        // Everything is in memory, for as long as it is stored.
        self.stats.tail_batches += 1;
        self.stats.tail_events += events;
        self.stats.tail_memory_bytes += admitted.batch.memory_bytes() as u64;
        self.ledgers.add(&admitted.batch, 0);
        let offset = self.batches.len() as u64 + 1;
        let part = BatchPart::new(admitted.batch.clone(), offset);
        self.batches.push(Arc::new(part));
        Committed::Stored { offset }
    }
}

fn path_of(directory: &Path, group: u64) -> PathBuf {
    directory.join(format!("{group:016}.group"))
}

/// The files in the order in which they were written. What was not renamed was not committed.
fn groups(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let (mut files, mut group) = (Vec::new(), 1);
    while path_of(directory, group).exists() {
        files.push(path_of(directory, group));
        group += 1;
    }
    Ok(files)
}

fn write_group(directory: &Path, group: u64, batches: &[Admitted]) -> Result<(), StoreError> {
    let unfinished = directory.join("unfinished");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&unfinished)?;
        for admitted in batches {
            file.write_all(admitted.frame.bytes())?;
        }
        file.sync_all()
    };
    write().map_err(|error| StoreError::io(format!("write `{}`", unfinished.display()), error))?;
    let rename = || -> std::io::Result<()> {
        fs::rename(&unfinished, path_of(directory, group))?;
        File::open(directory)?.sync_all()
    };
    // A crash now may find it renamed, and may not.
    rename().map_err(|error| StoreError::Unknown(error.to_string()))
}

fn read_group(file: &Path) -> Result<Vec<Admitted>, StoreError> {
    let place = file.display().to_string();
    let bytes = fs::read(file).map_err(|error| StoreError::io(format!("read `{place}`"), error))?;
    let limits = BatchLimits::default();
    FrameScanner::new(bytes.into(), limits.frame.clone())
        .map(|scanned| match scanned {
            Scanned::Frame { frame, .. } => {
                let batch = WireBatch::decode(&frame, &limits)
                    .map_err(|error| StoreError::damaged(&place, error))?;
                Ok(Admitted {
                    frame,
                    batch: Arc::new(batch),
                })
            }
            Scanned::Broken { error, .. } | Scanned::Tail { error, .. } => {
                Err(StoreError::damaged(&place, error))
            }
        })
        .collect()
}

struct FileSnapshot {
    batches: Vec<Arc<BatchPart>>,
    ledgers: ProducerLedgers,
}

impl Snapshot for FileSnapshot {
    fn end(&self) -> u64 {
        self.batches.len() as u64 + 1
    }

    fn begin(&self) -> u64 {
        1
    }

    fn len(&self) -> u64 {
        self.batches.iter().map(|part| part.rows()).sum()
    }

    fn events(&self, range: TimeRange) -> Events<'_> {
        let rows = self.batches.iter().flat_map(|part| part.batch().rows());
        let mut rows: Vec<_> = rows.filter(|row| range.contains(row.start_ns)).collect();
        // Stable: what has one time stays in the order of offset and place.
        rows.sort_by_key(|row| row.start_ns);
        Box::new(rows.into_iter().map(|row| {
            let event = row.to_event();
            event
                .ok_or_else(|| StoreError::damaged("a batch in memory", "an event of it is broken"))
        }))
    }

    fn parts(&self) -> Vec<Arc<dyn Part>> {
        let parts = self.batches.iter().filter(|part| part.rows() > 0);
        parts.map(|part| part.clone() as Arc<dyn Part>).collect()
    }

    fn each_rollup(
        &self,
        _range: TimeRange,
        visit: &mut dyn FnMut(&Rollup) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for part in &self.batches {
            visit(&Summary::of_batch(part.batch()).rollup)?;
        }
        Ok(())
    }

    fn numbers(&self, producer: ProducerId) -> Result<Numbers, StoreError> {
        let mut numbers = Numbers::default();
        for part in &self.batches {
            numbers.merge(&Summary::of_batch(part.batch()).numbers, Some(producer));
        }
        Ok(numbers)
    }

    fn producers(&self) -> &ProducerLedgers {
        &self.ledgers
    }
}
