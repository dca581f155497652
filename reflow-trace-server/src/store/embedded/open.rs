//! Opening a store: whatever state a crash, a full disk or an operator has left it in.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use rusqlite::Connection;
use tokio::sync::mpsc;

use super::EmbeddedStore;
use super::catalogue::{self, SegmentEntry};
use super::database::{self, failed};
use super::directory::{self, Layout};
use super::files::Files;
use super::log::{self, Totals};
use super::maintain::{Maintainer, is_loss, move_aside};
use super::segment::Segment;
use super::settings::{Seams, Settings};
use super::shared::{Shared, State};
use super::writer::{Writer, WriterHandle};
use crate::store::StoreError;

/// Commands that wait for a thread of the store; who has more to ask waits.
const WAITING_MAX: usize = 64;

pub(super) fn open(settings: Settings, seams: Seams) -> Result<EmbeddedStore, StoreError> {
    let layout = Layout::new(&settings.directory);
    let lock = directory::take(&layout)?;
    let connection = database::open(&layout.database(), settings.database_bytes_max)?;
    let mut state = State {
        totals: Totals::read(&connection)?,
        ..State::default()
    };
    let entries = catalogue::segments(&connection)?;
    let known: HashSet<PathBuf> = entries
        .iter()
        .map(|entry| layout.segment(entry.id))
        .collect();
    let newest_id = entries.iter().map(|entry| entry.id).max().unwrap_or(0);
    state.totals.next_segment = state.totals.next_segment.max(newest_id + 1);
    let (sealed, unreadable) = catalogue::ledgers(&connection)?;
    state.ledgers = sealed.clone();
    state.counts.damaged_ledgers = unreadable;
    open_segments(&layout, &connection, entries, &mut state);
    state.counts.orphans_removed = sweep(&*seams.files, &layout, &connection, &known)?;
    state.retired_among = Arc::new(catalogue::retired(&connection)?);
    let damaged = damaged_in_log(&connection)?;
    state.counts.damaged_events += damaged.iter().map(|(_, events)| events).sum::<u64>();
    let holes = damaged.iter().map(|&(offset, _)| (offset, offset + 1));
    Arc::make_mut(&mut state.holes).extend(holes);
    for batch in log::read(&connection)? {
        state.push_tail(batch);
    }
    let newest_commit_ns = state
        .segments
        .iter()
        .map(|segment| segment.entry.committed_last_ns)
        .chain(state.tail.iter().map(|batch| batch.committed_ns()))
        .max();
    let writer = Writer {
        streams: catalogue::streams(&connection)?,
        totals: state.totals,
        sealed,
        connection,
        shared: Arc::new(Shared::new(settings, seams, layout, lock, state)),
    };
    start(writer, newest_commit_ns)
}

fn start(writer: Writer, newest_commit_ns: Option<i64>) -> Result<EmbeddedStore, StoreError> {
    let shared = writer.shared.clone();
    let (commands, for_writer) = mpsc::channel(WAITING_MAX);
    let (requests, for_maintainer) = mpsc::channel(WAITING_MAX);
    let maintainer = Maintainer::new(
        shared.clone(),
        WriterHandle(commands.clone()),
        newest_commit_ns,
    );
    let not_started = |error| StoreError::io("start a thread of the store", error);
    let writing = thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || writer.run(for_writer))
        .map_err(not_started)?;
    let maintaining = thread::Builder::new()
        .name("store-maintainer".to_owned())
        .spawn(move || maintainer.run(for_maintainer))
        .map_err(not_started)?;
    Ok(EmbeddedStore {
        shared,
        writer: Some(commands),
        maintainer: Some(requests),
        threads: vec![maintaining, writing],
    })
}

/// Looks whether the files are there, by name and length; their checksums are looked at later, one by one.
fn open_segments(
    layout: &Layout,
    connection: &Connection,
    entries: Vec<SegmentEntry>,
    state: &mut State,
) {
    let mut segments = Vec::new();
    let mut holes = Vec::new();
    for mut entry in entries {
        let path = layout.segment(entry.id);
        if entry.damage.is_none() {
            entry.damage = match std::fs::metadata(&path) {
                Ok(about) if about.len() == entry.bytes => None,
                Ok(about) => Some(format!(
                    "it has {} bytes, and {} were written",
                    about.len(),
                    entry.bytes
                )),
                Err(error) if is_loss(&error) => Some(format!("it cannot be read: {error}")),
                // That may pass; it is looked at again when the store is maintained.
                Err(_) => None,
            };
            if let Some(damage) = &entry.damage {
                // On a full disk it is found out again at the next start.
                let _written = connection.execute(
                    "UPDATE segments SET damage = ? WHERE id = ?",
                    rusqlite::params![damage, entry.id.cast_signed()],
                );
            }
        }
        if entry.damage.is_some() {
            // Also when it was found before: a crash may have come between, or moving it have failed.
            move_aside(layout, entry.id);
            state.counts.damaged_segments += 1;
            state.counts.damaged_events += entry.events;
            holes.push((entry.first_offset, entry.last_offset + 1));
        } else {
            segments.push(Arc::new(Segment::new(entry, path)));
        }
    }
    state.segments = Arc::new(segments);
    state.holes = Arc::new(holes);
}

/// Removes files and roll-ups that the catalogue does not know, and says how many files. It knows damaged
/// segments, too: one that could not be moved aside is the operator's, wherever it lies.
fn sweep(
    files: &dyn Files,
    layout: &Layout,
    connection: &Connection,
    known: &HashSet<PathBuf>,
) -> Result<u64, StoreError> {
    let directory = layout.segments();
    let found = files
        .list(&directory)
        .map_err(|error| StoreError::io(format!("list `{}`", directory.display()), error))?;
    let mut removed = 0;
    for file in found {
        if Layout::segment_id(&file).is_some() && !known.contains(&file) {
            files
                .remove(&file)
                .map_err(|error| StoreError::io(format!("remove `{}`", file.display()), error))?;
            removed += 1;
        }
    }
    let orphaned = catalogue::orphaned_rollups(connection)
        .map_err(|error| failed("looking for roll-ups of no segment", &error))?;
    for id in orphaned {
        // They take room and nothing else; on a full disk they stay until the next start.
        let _removed =
            connection.execute("DELETE FROM rollups WHERE segment = ?", [id.cast_signed()]);
    }
    Ok(removed)
}

/// Rows that were set aside before: the offset of each, and how many events it held.
fn damaged_in_log(connection: &Connection) -> Result<Vec<(u64, u64)>, StoreError> {
    let read = || -> rusqlite::Result<Vec<(u64, u64)>> {
        let mut statement = connection.prepare("SELECT offset, events FROM damaged_log")?;
        let rows = statement.query_map([], |row| {
            let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok((number(0)?, number(1)?))
        })?;
        rows.collect()
    };
    read().map_err(|error| failed("counting damaged rows", &error))
}
