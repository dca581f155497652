//! The embedded store under everything that a disk, a clock and an operator can do to it.

mod crash;
mod damage;
mod full;
mod keeping;
mod opening;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::settings::{Clock, Seams};
use super::{EmbeddedStore, Settings};
use crate::store::conformance::{Batches, Subject, block_on};
use crate::store::memory::MemoryStore;
use crate::store::{Admitted, Committed, Store};

pub(super) const HOUR_NS: i64 = 3_600_000_000_000;
/// Where the clocks of the tests stand.
pub(super) const NOON_NS: i64 = 1_750_000_000_000_000_000;

/// A directory in memory where there is such a place, so that syncing thousands of times costs nothing.
pub(super) fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        TempDir::new_in(memory)
    } else {
        TempDir::new()
    };
    made.expect("a directory can be made")
}

/// Settings under which everything happens soon.
pub(super) fn small(directory: &Path) -> Settings {
    Settings {
        seal_events: 60,
        seal_after: Duration::from_secs(1_800),
        merge_events_max: 500,
        merge_fan: 3,
        ..Settings::new(directory)
    }
}

/// A clock that stands still.
pub(super) fn seams() -> Seams {
    Seams {
        clock: Clock(Arc::new(|| NOON_NS)),
        ..Seams::default()
    }
}

pub(super) fn open(settings: Settings) -> EmbeddedStore {
    open_with(settings, seams())
}

pub(super) fn open_with(settings: Settings, seams: Seams) -> EmbeddedStore {
    super::open::open(settings, seams).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn commit(store: &dyn Store, group: Vec<Admitted>) -> Vec<Committed> {
    block_on(store.commit(group)).unwrap_or_else(|error| panic!("{error}"))
}

/// Commits the same to the store and to the model: batches `numbers` of stream 1.
pub(super) fn commit_both(
    store: &dyn Store,
    model: &MemoryStore,
    batches: &mut Batches,
    numbers: std::ops::Range<u64>,
) {
    for number in numbers {
        let group = vec![batches.batch(1, number, 30)];
        commit(store, group.clone());
        commit(model, group);
    }
}

pub(super) fn seal_all(store: &EmbeddedStore) {
    block_on(store.seal_all(NOON_NS)).unwrap_or_else(|error| panic!("{error}"));
}

struct Embedded(TempDir);

impl Subject for Embedded {
    fn open(&mut self) -> Arc<dyn Store> {
        Arc::new(open(small(self.0.path())))
    }

    fn is_durable(&self) -> bool {
        true
    }
}

mod conformance {
    use super::*;

    crate::store_conformance!(|| Embedded(directory()));
}

mod conformance_of_the_model {
    use super::*;

    struct Memory;

    impl Subject for Memory {
        fn open(&mut self) -> Arc<dyn Store> {
            Arc::new(MemoryStore::new())
        }

        fn is_durable(&self) -> bool {
            false
        }
    }

    crate::store_conformance!(|| Memory);
}
