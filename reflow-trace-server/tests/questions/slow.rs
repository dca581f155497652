//! A store whose snapshots answer when they are told to.

use std::sync::{Arc, Condvar, Mutex};

use reflow_trace::event::ProducerId;
use reflow_trace::lineage::Numbers;
use reflow_trace_server::store::columns::Part;
use reflow_trace_server::store::memory::MemoryStore;
use reflow_trace_server::store::rollup::Rollup;
use reflow_trace_server::store::{
    Admitted, Committed, Events, MaintenanceReport, ProducerLedgers, Snapshot, Store, StoreError,
    StoreFuture, StoreStats, TimeRange,
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

struct SlowSnapshot {
    inner: Arc<dyn Snapshot>,
    gate: Arc<Gate>,
}

impl Snapshot for SlowSnapshot {
    fn end(&self) -> u64 {
        self.inner.end()
    }

    fn len(&self) -> u64 {
        self.gate.pass();
        self.inner.len()
    }

    fn events(&self, range: TimeRange) -> Events<'_> {
        self.inner.events(range)
    }

    fn begin(&self) -> u64 {
        self.inner.begin()
    }

    fn parts(&self) -> Vec<Arc<dyn Part>> {
        self.inner.parts()
    }

    fn each_rollup(
        &self,
        range: TimeRange,
        visit: &mut dyn FnMut(&Rollup),
    ) -> Result<(), StoreError> {
        self.inner.each_rollup(range, visit)
    }

    fn numbers(&self, producer: ProducerId) -> Result<Numbers, StoreError> {
        self.inner.numbers(producer)
    }

    fn producers(&self) -> &ProducerLedgers {
        self.inner.producers()
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
        Box::pin(async {
            let inner = self.inner.snapshot().await?;
            let gate = Arc::clone(&self.gate);
            Ok(Arc::new(SlowSnapshot { inner, gate }) as Arc<dyn Snapshot>)
        })
    }

    fn maintain(&self, now_ns: i64) -> StoreFuture<'_, MaintenanceReport> {
        self.inner.maintain(now_ns)
    }

    fn stats(&self) -> StoreStats {
        self.inner.stats()
    }
}
