//! The model: the contract of a store in a few lines, in memory.
//!
//! Nothing of it survives the process. It is what other stores are compared with, and what a test of the
//! server uses that needs no disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reflow_trace::event::ProducerId;
use reflow_trace::lineage::Numbers;

use super::columns::{BatchPart, Part};
use super::rollup::{Rollup, Summary};
use super::{
    Admitted, Committed, Events, MaintenanceReport, ProducerLedgers, Snapshot, Store, StoreError,
    StoreFuture, StoreStats, TimeRange,
};

/// Keeps everything in memory and nothing else.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    lasts: HashMap<u64, u64>,
    /// By their offsets, from 1 upwards.
    batches: Vec<Arc<BatchPart>>,
    ledgers: ProducerLedgers,
    stats: StoreStats,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn commit(&mut self, admitted: Admitted) -> Committed {
        let last = self.lasts.entry(admitted.stream()).or_default();
        let number = admitted.number();
        if number <= *last {
            self.stats.duplicates += 1;
            return Committed::Duplicate;
        }
        self.stats.gaps = self.stats.gaps.saturating_add(number - *last - 1);
        *last = number;
        let events = admitted.batch.len() as u64;
        self.stats.batches += 1;
        self.stats.events += events;
        self.stats.tail_batches += 1;
        self.stats.tail_events += events;
        self.stats.tail_memory_bytes += admitted.batch.memory_bytes() as u64;
        self.ledgers.add(&admitted.batch, 0);
        let offset = self.batches.len() as u64 + 1;
        self.batches
            .push(Arc::new(BatchPart::new(admitted.batch, offset)));
        Committed::Stored { offset }
    }
}

impl Store for MemoryStore {
    fn commit(&self, group: Vec<Admitted>) -> StoreFuture<'_, Vec<Committed>> {
        Box::pin(async move {
            let mut state = self.state();
            Ok(group.into_iter().map(|one| state.commit(one)).collect())
        })
    }

    fn last(&self, stream: u64) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(self.state().lasts.get(&stream).copied().unwrap_or(0)) })
    }

    fn snapshot(&self) -> StoreFuture<'_, Arc<dyn Snapshot>> {
        Box::pin(async move {
            let state = self.state();
            Ok(Arc::new(MemorySnapshot {
                batches: state.batches.clone(),
                ledgers: state.ledgers.clone(),
            }) as Arc<dyn Snapshot>)
        })
    }

    fn maintain(&self, _now_ns: i64) -> StoreFuture<'_, MaintenanceReport> {
        Box::pin(async { Ok(MaintenanceReport::default()) })
    }

    fn stats(&self) -> StoreStats {
        self.state().stats.clone()
    }
}

struct MemorySnapshot {
    batches: Vec<Arc<BatchPart>>,
    ledgers: ProducerLedgers,
}

impl Snapshot for MemorySnapshot {
    fn end(&self) -> u64 {
        self.batches.len() as u64 + 1
    }

    fn begin(&self) -> u64 {
        1
    }

    fn len(&self) -> u64 {
        let lens = self.batches.iter().map(|kept| kept.batch().len() as u64);
        lens.sum()
    }

    fn events(&self, range: TimeRange) -> Events<'_> {
        let rows = self.batches.iter().flat_map(|kept| kept.batch().rows());
        let mut rows: Vec<_> = rows.filter(|row| range.contains(row.start_ns)).collect();
        // Stable: what has one time stays in the order of offset and place.
        rows.sort_by_key(|row| row.start_ns);
        Box::new(rows.into_iter().map(|row| {
            row.to_event().ok_or_else(|| {
                StoreError::damaged("a batch in memory", "an event of it cannot be read")
            })
        }))
    }

    fn parts(&self) -> Vec<Arc<dyn Part>> {
        let whole = self.batches.iter().filter(|kept| !kept.batch().is_empty());
        whole.map(|kept| kept.clone() as Arc<dyn Part>).collect()
    }

    fn each_rollup(
        &self,
        range: TimeRange,
        visit: &mut dyn FnMut(&Rollup) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for kept in &self.batches {
            let summary = Summary::of_batch(kept.batch());
            if range == TimeRange::ALL || summary.rollup.cells_in(range).next().is_some() {
                visit(&summary.rollup)?;
            }
        }
        Ok(())
    }

    fn numbers(&self, producer: ProducerId) -> Result<Numbers, StoreError> {
        let mut numbers = Numbers::default();
        for kept in &self.batches {
            numbers.merge(&Summary::of_batch(kept.batch()).numbers, Some(producer));
        }
        Ok(numbers)
    }

    fn producers(&self) -> &ProducerLedgers {
        &self.ledgers
    }
}
