//! A store in memory that fails when it is told to, and can be held.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reflow_trace_server::store::memory::MemoryStore;
use reflow_trace_server::store::{
    Admitted, Committed, MaintenanceReport, Snapshot, Store, StoreError, StoreFuture, StoreStats,
};
use tokio::sync::watch;

pub(crate) struct TestStore {
    inner: MemoryStore,
    is_full: AtomicBool,
    is_held: watch::Sender<bool>,
}

impl Default for TestStore {
    fn default() -> Self {
        Self {
            inner: MemoryStore::new(),
            is_full: AtomicBool::new(false),
            is_held: watch::Sender::new(false),
        }
    }
}

impl TestStore {
    /// From now on there is no room, or there is again.
    pub(crate) fn fill(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::SeqCst);
    }

    /// From now on commits wait, or no longer.
    pub(crate) fn hold(&self, is_held: bool) {
        self.is_held.send_replace(is_held);
    }
}

impl Store for TestStore {
    fn commit(&self, group: Vec<Admitted>) -> StoreFuture<'_, Vec<Committed>> {
        Box::pin(async move {
            let mut is_held = self.is_held.subscribe();
            is_held.wait_for(|is_held| !is_held).await.unwrap();
            if self.is_full.load(Ordering::SeqCst) {
                return Err(StoreError::Full {
                    what: "a group",
                    detail: "the test says so".to_owned(),
                });
            }
            self.inner.commit(group).await
        })
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
        self.inner.stats()
    }
}
