//! A store in memory that fails when it is told to, and can be held.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use reflow_trace_server::store::memory::MemoryStore;
use reflow_trace_server::store::{
    Admitted, Committed, MaintenanceReport, Snapshot, Store, StoreError, StoreFuture, StoreStats,
};
use tokio::sync::Semaphore;

pub(crate) struct TestStore {
    state: Mutex<State>,
    is_full: AtomicBool,
    /// Commits wait for a permit of it. Open unless held.
    gate: Semaphore,
    is_held: AtomicBool,
    panics: AtomicBool,
}

#[derive(Default)]
struct State {
    last: HashMap<u64, u64>,
    stored: Vec<(u64, u64)>,
    events: u64,
    groups: Vec<usize>,
}

impl Default for TestStore {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            is_full: AtomicBool::new(false),
            gate: Semaphore::new(0),
            is_held: AtomicBool::new(false),
            panics: AtomicBool::new(false),
        }
    }
}

impl TestStore {
    /// From now on there is no room, or there is again.
    pub(crate) fn fill(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::SeqCst);
    }

    /// The next commit panics.
    pub(crate) fn panic_once(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }

    /// From now on commits wait.
    pub(crate) fn hold(&self) {
        self.is_held.store(true, Ordering::SeqCst);
    }

    /// What waits, and what comes, goes through.
    pub(crate) fn release(&self) {
        self.is_held.store(false, Ordering::SeqCst);
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    pub(crate) fn has(&self, stream: u64, number: u64) -> bool {
        self.stored().contains(&(stream, number))
    }

    pub(crate) fn stored(&self) -> Vec<(u64, u64)> {
        self.state.lock().unwrap().stored.clone()
    }

    pub(crate) fn groups(&self) -> Vec<usize> {
        self.state.lock().unwrap().groups.clone()
    }

    fn commit_now(&self, group: &[Admitted]) -> Result<Vec<Committed>, StoreError> {
        assert!(
            !self.panics.swap(false, Ordering::SeqCst),
            "the test says so"
        );
        if self.is_full.load(Ordering::SeqCst) {
            return Err(StoreError::Full {
                what: "a group",
                detail: "the test says so".to_owned(),
            });
        }
        let mut state = self.state.lock().unwrap();
        if !group.is_empty() {
            state.groups.push(group.len());
        }
        let mut committed = Vec::new();
        for admitted in group {
            let (stream, number) = (admitted.stream(), admitted.number());
            let last = state.last.entry(stream).or_default();
            if number <= *last {
                committed.push(Committed::Duplicate);
                continue;
            }
            *last = number;
            state.stored.push((stream, number));
            state.events += admitted.batch.len() as u64;
            committed.push(Committed::Stored {
                offset: state.stored.len() as u64,
            });
        }
        Ok(committed)
    }
}

impl Store for TestStore {
    fn commit(&self, group: Vec<Admitted>) -> StoreFuture<'_, Vec<Committed>> {
        Box::pin(async move {
            if self.is_held.load(Ordering::SeqCst) {
                self.gate.acquire().await.unwrap().forget();
            }
            self.commit_now(&group)
        })
    }

    fn last(&self, stream: u64) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            Ok(self
                .state
                .lock()
                .unwrap()
                .last
                .get(&stream)
                .copied()
                .unwrap_or(0))
        })
    }

    fn snapshot(&self) -> StoreFuture<'_, Arc<dyn Snapshot>> {
        // Nothing that is in it can be read back.
        Box::pin(async { MemoryStore::new().snapshot().await })
    }

    fn maintain(&self, _now_ns: i64) -> StoreFuture<'_, MaintenanceReport> {
        Box::pin(async { Ok(MaintenanceReport::default()) })
    }

    fn stats(&self) -> StoreStats {
        let state = self.state.lock().unwrap();
        let mut stats = StoreStats::default();
        stats.batches = state.stored.len() as u64;
        stats.events = state.events;
        stats
    }
}
