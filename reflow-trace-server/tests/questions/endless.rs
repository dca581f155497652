//! A store in which a search never comes to its end, unless it is told not to go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reflow_trace::event::ProducerId;
use reflow_trace::lineage::Numbers;
use reflow_trace_server::store::columns::Part;
use reflow_trace_server::store::memory::MemoryStore;
use reflow_trace_server::store::rollup::Rollup;
use reflow_trace_server::store::{
    Admitted, Committed, Events, FoundEvents, MaintenanceReport, ProducerLedgers, Scan, Snapshot,
    Store, StoreError, StoreFuture, StoreStats, TimeRange, Watch,
};

#[derive(Default)]
pub(crate) struct EndlessStore {
    inner: MemoryStore,
    has_begun: Arc<AtomicBool>,
}

struct EndlessSnapshot {
    inner: Arc<dyn Snapshot>,
    has_begun: Arc<AtomicBool>,
}

impl EndlessStore {
    /// Whether somebody has begun to search.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::SeqCst)
    }
}

impl Store for EndlessStore {
    fn commit(&self, group: Vec<Admitted>) -> StoreFuture<'_, Vec<Committed>> {
        self.inner.commit(group)
    }

    fn last(&self, stream: u64) -> StoreFuture<'_, u64> {
        self.inner.last(stream)
    }

    fn snapshot(&self) -> StoreFuture<'_, Arc<dyn Snapshot>> {
        Box::pin(async {
            let snapshot = EndlessSnapshot {
                inner: self.inner.snapshot().await?,
                has_begun: Arc::clone(&self.has_begun),
            };
            Ok(Arc::new(snapshot) as Arc<dyn Snapshot>)
        })
    }

    fn maintain(&self, now_ns: i64) -> StoreFuture<'_, MaintenanceReport> {
        self.inner.maintain(now_ns)
    }

    fn stats(&self) -> StoreStats {
        self.inner.stats()
    }
}

impl Snapshot for EndlessSnapshot {
    fn end(&self) -> u64 {
        self.inner.end()
    }

    fn begin(&self) -> u64 {
        self.inner.begin()
    }

    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn events(&self, range: TimeRange) -> Events<'_> {
        self.inner.events(range)
    }

    fn scan<'a>(&'a self, _scan: &'a Scan, watch: &'a dyn Watch) -> FoundEvents<'a> {
        self.has_begun.store(true, Ordering::SeqCst);
        let mut has_ended = false;
        Box::new(std::iter::from_fn(move || {
            while !has_ended {
                if let Err(error) = watch.go_on() {
                    has_ended = true;
                    return Some(Err(error));
                }
                std::thread::yield_now();
            }
            None
        }))
    }

    fn parts(&self) -> Vec<Arc<dyn Part>> {
        self.inner.parts()
    }

    fn each_rollup(
        &self,
        range: TimeRange,
        visit: &mut dyn FnMut(&Rollup) -> Result<(), StoreError>,
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
