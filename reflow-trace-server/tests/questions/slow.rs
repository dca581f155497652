//! A store that gives its figures when it is told to, and so keeps the answer to a question waiting.

use std::sync::{Arc, Condvar, Mutex};

use reflow_trace_server::store::memory::MemoryStore;
use reflow_trace_server::store::{
    Admitted, Committed, MaintenanceReport, Snapshot, Store, StoreFuture, StoreStats,
};

use crate::scene::PATIENCE;

/// Keeps whoever asks for metrics waiting, until it is opened.
#[derive(Default)]
pub(crate) struct SlowStore {
    inner: MemoryStore,
    gate: Arc<Gate>,
}

#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_open: bool,
    waiting: usize,
}

impl SlowStore {
    pub(crate) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }
}

impl Gate {
    pub(crate) fn open(&self) {
        self.state.lock().unwrap().is_open = true;
        self.changed.notify_all();
    }

    /// How many answers wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().unwrap().waiting
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.waiting += 1;
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !state.is_open)
            .unwrap();
        state.waiting -= 1;
    }
}

impl Store for SlowStore {
    fn commit(&self, group: Vec<Admitted>) -> StoreFuture<'_, Vec<Committed>> {
        self.inner.commit(group)
    }

    fn last(&self, stream: u64) -> StoreFuture<'_, u64> {
        self.inner.last(stream)
    }

    fn snapshot(&self) -> StoreFuture<'_, Arc<dyn Snapshot>> {
        self.inner.snapshot()
    }

    fn maintain(&self, now_ns: i64) -> StoreFuture<'_, MaintenanceReport> {
        self.inner.maintain(now_ns)
    }

    fn stats(&self) -> StoreStats {
        self.gate.pass();
        self.inner.stats()
    }
}
