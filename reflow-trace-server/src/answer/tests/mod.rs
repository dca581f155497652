//! The answers against the same questions in memory, over networks that are made up and really stored.

mod behind;
mod edges;
mod hostile;
mod lineage;
mod missing;
mod network;
mod paging;
mod pruning;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use reflow_trace::TraceEvent;
use tempfile::TempDir;

use super::{Asking, Rights};
use crate::config::QueryLimits;
use crate::store::conformance::block_on;
use crate::store::embedded::{EmbeddedStore, Settings};
use crate::store::{Snapshot, Store, TimeRange};

/// A directory in memory where there is such a place.
fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        TempDir::new_in(memory)
    } else {
        TempDir::new()
    };
    made.expect("a directory can be made")
}

/// A store in which segments are small and many; so many of them are merged, or none.
fn small(directory: &Path, merge_fan: usize) -> EmbeddedStore {
    let settings = Settings {
        seal_events: 150,
        merge_events_max: 1_000,
        merge_fan,
        ..Settings::new(directory)
    };
    EmbeddedStore::open(settings).expect("the directory can be used")
}

fn asking() -> Asking {
    asking_within(QueryLimits::default())
}

fn asking_within(limits: QueryLimits) -> Asking {
    Asking::new(
        limits,
        Rights { content: true },
        Arc::new(AtomicBool::new(false)),
    )
}

fn view(store: &dyn Store) -> Arc<dyn Snapshot> {
    block_on(store.snapshot()).expect("a snapshot is given")
}

/// Everything that is stored, in its order.
fn all(view: &dyn Snapshot) -> Vec<TraceEvent> {
    let events: Result<_, _> = view.events(TimeRange::ALL).collect();
    events.expect("every event can be read")
}
