//! What is filled up from the store: how much of it lies about, how many read, and what becomes of who leaves.

use std::future::Future as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use reflow_trace::event::ProducerId;
use reflow_trace::lineage::Numbers;

use super::tests::{World, everything, flow, limits, next};
use super::*;
use crate::config::LiveLimits;
use crate::store::columns::Part;
use crate::store::memory::MemoryStore;
use crate::store::rollup::Rollup;
use crate::store::{
    Admitted, Committed, Events, FoundBatches, MaintenanceReport, ProducerLedgers, Snapshot, Store,
    StoreError, StoreFuture, StoreStats, TimeRange, Watch,
};

/// A store whose batches come only once the gate is open, or their reader has given up.
struct Gated {
    inner: MemoryStore,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_open: AtomicBool,
    /// Readings that have begun, and those of them that were given up.
    begun: AtomicUsize,
    given_up: AtomicUsize,
    /// Stretches of offsets of which something is said to be missing.
    holes: Vec<(u64, u64)>,
}

struct GatedSnapshot {
    inner: Arc<dyn Snapshot>,
    gate: Arc<Gate>,
}

impl Store for Gated {
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
            Ok(Arc::new(GatedSnapshot { inner, gate }) as Arc<dyn Snapshot>)
        })
    }

    fn maintain(&self, now_ns: i64) -> StoreFuture<'_, MaintenanceReport> {
        self.inner.maintain(now_ns)
    }

    fn stats(&self) -> StoreStats {
        self.inner.stats()
    }
}

impl Snapshot for GatedSnapshot {
    fn end(&self) -> u64 {
        self.inner.end()
    }

    fn begin(&self) -> u64 {
        self.inner.begin()
    }

    fn holes(&self) -> Vec<(u64, u64)> {
        self.gate.holes.clone()
    }

    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn events(&self, range: TimeRange) -> Events<'_> {
        self.inner.events(range)
    }

    fn batches_from<'a>(&'a self, offset: u64, watch: &'a dyn Watch) -> FoundBatches<'a> {
        self.gate.begun.fetch_add(1, Ordering::SeqCst);
        while !self.gate.is_open.load(Ordering::SeqCst) {
            if let Err(error) = watch.go_on() {
                self.gate.given_up.fetch_add(1, Ordering::SeqCst);
                return Box::new(std::iter::once(Err(error)));
            }
            std::thread::yield_now();
        }
        self.inner.batches_from(offset, watch)
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

/// Lets everything else run until this is so.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

/// Begins to read, and goes away before anything is there.
async fn begin(subscriber: &mut Subscriber) {
    let mut next = std::pin::pin!(next(subscriber));
    let once = std::future::poll_fn(|context| Poll::Ready(next.as_mut().poll(context)));
    assert!(once.await.is_pending());
}

#[tokio::test]
async fn few_read_at_one_time_however_often_somebody_comes_and_goes() {
    let gate = Arc::<Gate>::default();
    let store = Gated {
        inner: MemoryStore::new(),
        gate: Arc::clone(&gate),
    };
    let limits = LiveLimits {
        subscriptions_max: 100,
        ..limits()
    };
    let mut world = World::with(limits, Arc::new(store)).await;
    world.commit_flows("b", 3).await;
    let mut all = Vec::new();
    for _ in 0..20 {
        let mut one = world.subscribe(&everything(), Some(1));
        assert_eq!(next(&mut one).await, "live 2");
        begin(&mut one).await;
        all.push(one);
    }
    until(|| gate.begun.load(Ordering::SeqCst) == 4).await;
    // Those who wait for a place are gone before they have one, and whoever reads is told so.
    drop(all);
    until(|| gate.given_up.load(Ordering::SeqCst) == 4).await;
    assert_eq!(gate.begun.load(Ordering::SeqCst), 4);
    let mut last = world.subscribe(&everything(), Some(1));
    gate.is_open.store(true, Ordering::SeqCst);
    assert_eq!(next(&mut last).await, "live 2");
    assert_eq!(next(&mut last).await, "3 of 1");
}

#[tokio::test]
async fn what_was_read_for_all_who_do_not_take_it_is_bounded_and_comes_once_in_the_end() {
    let bytes_max = 1 << 20;
    let limits = LiveLimits {
        subscriptions_max: 100,
        window_bytes_max: bytes_max,
        ..limits()
    };
    let mut world = World::new(limits).await;
    let mut due = Vec::new();
    for batch in 0..40 {
        let events: Vec<_> = (0..3).map(|_| flow("b")).collect();
        due.extend(events.iter().map(|event| event.event_id));
        assert_eq!(world.commit(&events).await, batch + 1);
    }
    let mut all = Vec::new();
    for _ in 0..30 {
        let mut one = world.subscribe(&everything(), Some(1));
        assert_eq!(next(&mut one).await, "live 41");
        begin(&mut one).await;
        // Each of them has read for itself, and taken nothing.
        until(|| one.has_read()).await;
        assert!(world.hub.shelved_bytes() <= bytes_max);
        all.push(one);
    }
    assert!(world.hub.shelved_bytes() > bytes_max / 2);
    for mut one in all {
        let mut seen = Vec::new();
        while seen.len() < due.len() {
            match one.next().await {
                Some(Seen::Events { events, .. }) => {
                    seen.extend(events.iter().map(|event| event.event_id));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(seen, due);
    }
    assert_eq!(world.metrics.live_gaps.get(), 0);
    assert_eq!(world.hub.shelved_bytes(), 0);
}

#[tokio::test]
async fn who_is_told_that_something_is_missing_has_had_what_is_left_of_it() {
    let gate = Gate {
        is_open: AtomicBool::new(true),
        // The first is among others, and longer than a round.
        holes: vec![(2, 6), (7, 8)],
        ..Gate::default()
    };
    let store = Gated {
        inner: MemoryStore::new(),
        gate: Arc::new(gate),
    };
    let mut world = World::with(limits(), Arc::new(store)).await;
    for _ in 1..=8 {
        world.commit_flows("b", 1_500).await;
    }
    let mut past = world.subscribe(&everything(), Some(1));
    let (mut had, mut missing, mut told) = ([0; 9], Vec::new(), 0);
    while had[8] < 1_500 {
        match past.next().await {
            Some(Seen::Events { offset, events }) => {
                assert!(
                    told <= offset,
                    "{offset} comes behind what is before {told}"
                );
                had[offset as usize] += events.len();
            }
            Some(Seen::Gap {
                from_offset,
                to_offset,
            }) => {
                let before = &had[1..to_offset as usize];
                assert!(before.iter().all(|&events| events == 1_500), "{had:?}");
                missing.extend(from_offset..to_offset);
                told = to_offset;
            }
            Some(Seen::Live { .. }) => {}
            None => panic!("it goes on"),
        }
    }
    assert_eq!(missing, [2, 3, 4, 5, 7]);
    assert_eq!(had[1..], [1_500; 8]);
}
