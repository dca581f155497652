//! Reads the store as the next server would, and compares it with what was seen.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use reflow_trace::event::{EventId, ProducerId};
use reflow_trace::wire::{BatchLimits, Frame, WireBatch};
use reflow_trace_server::store::embedded::{EmbeddedStore, Settings};
use reflow_trace_server::store::{Store, StoreStats, TimeRange};

use crate::shared::{Begun, THREADS, place_of};
use crate::witness::Seen;

/// Everything that a store holds.
#[derive(Debug)]
pub struct Stored {
    /// How often each event is there.
    times: HashMap<EventId, u32>,
    /// By run and thread of the program, the orders that are there.
    orders: BTreeMap<(u64, usize), Vec<u64>>,
    /// By run, the ticks that are there.
    ticks: BTreeMap<u64, u64>,
    /// By run, who has recorded it.
    producers: BTreeMap<u64, ProducerId>,
    /// Messages in the exact counters that each producer has sent last.
    counted: BTreeMap<ProducerId, u64>,
    /// What the store says of itself.
    pub stats: StoreStats,
}

/// What came of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Events in batches that were acknowledged.
    pub acked_events: u64,
    /// Events that are stored.
    pub stored_events: u64,
    /// Batches that were sent again.
    pub retries: u64,
    /// Of them, those that the server had acknowledged: duplicates that it has to find.
    pub repeats: u64,
}

impl Stored {
    /// Opens the store in `directory`, whose server has ended, and reads all of it.
    ///
    /// # Panics
    ///
    /// When it cannot be opened or read: that is what is tested.
    pub fn read(directory: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.expect("the system gives a thread");
        let store =
            EmbeddedStore::open(Settings::new(directory)).expect("it starts after any crash");
        let snapshot = runtime.block_on(store.snapshot()).expect("it can be read");
        let mut stored = Self {
            times: HashMap::new(),
            orders: BTreeMap::new(),
            ticks: BTreeMap::new(),
            producers: BTreeMap::new(),
            counted: BTreeMap::new(),
            stats: store.stats(),
        };
        for ledger in snapshot.producers().iter() {
            if let Some(counters) = &ledger.counters {
                let messages = counters.edges.iter().map(|edge| edge.messages).sum();
                stored.counted.insert(ledger.producer, messages);
            }
        }
        for event in snapshot.events(TimeRange::ALL) {
            let event = event.expect("every event can be read");
            *stored.times.entry(event.event_id).or_default() += 1;
            let number = event.message_id().and_then(|id| id.as_u64());
            let Some((run, thread, count)) = number.map(place_of) else {
                continue;
            };
            if let Some(origin) = event.event_id.origin() {
                stored.producers.insert(run, origin.producer);
            }
            let message = event.data.message.as_ref();
            if message.is_some_and(|message| message.message_type.ends_with("Order")) {
                stored.orders.entry((run, thread)).or_default().push(count);
            } else {
                *stored.ticks.entry(run).or_default() += 1;
            }
        }
        for counts in stored.orders.values_mut() {
            counts.sort_unstable();
        }
        stored
    }

    /// How many events there are.
    pub fn len(&self) -> u64 {
        self.times.values().map(|&times| u64::from(times)).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Orders of a run.
    pub fn orders_of(&self, run: u64) -> u64 {
        let of_run = self.orders.range((run, 0)..(run + 1, 0));
        of_run.map(|(_, counts)| counts.len() as u64).sum()
    }

    /// Ticks of a run.
    pub fn ticks_of(&self, run: u64) -> u64 {
        self.ticks.get(&run).copied().unwrap_or(0)
    }

    /// Messages of a run in the exact counters; `None` when they never arrived.
    pub fn counted_by(&self, run: u64) -> Option<u64> {
        let producer = self.producers.get(&run)?;
        self.counted.get(producer).copied()
    }

    /// Compares with what client and server said to each other.
    ///
    /// # Panics
    ///
    /// When an event is there twice, when one that was acknowledged is not there, when one is there that was
    /// never sent, or when a batch was sent again with other bytes.
    pub fn check(&self, seen: &Seen) -> Findings {
        let twice: Vec<_> = self.times.iter().filter(|&(_, &times)| times > 1).collect();
        assert!(
            twice.is_empty(),
            "{} events are stored more than once",
            twice.len()
        );
        assert_eq!(seen.changed, [], "a batch is sealed once");
        let mut findings = Findings {
            stored_events: self.len(),
            ..Findings::default()
        };
        let mut sent: u64 = 0;
        for (stream, of_stream) in &seen.streams {
            findings.retries += of_stream.retries;
            findings.repeats += of_stream.repeats;
            for (number, frame) in &of_stream.batches {
                let ids = ids_of(frame);
                let there = ids.iter().filter(|id| self.times.contains_key(id)).count();
                sent += there as u64;
                assert!(
                    there == 0 || there == ids.len(),
                    "{there} of {} events of batch {number} of {stream:016x} are stored",
                    ids.len()
                );
                let is_acked = *number <= of_stream.acked && !of_stream.refused.contains(number);
                if is_acked {
                    findings.acked_events += ids.len() as u64;
                    assert_eq!(
                        there,
                        ids.len(),
                        "batch {number} of {stream:016x} was acknowledged"
                    );
                }
            }
        }
        assert_eq!(sent, self.len(), "something is stored that was never sent");
        findings
    }

    /// Checks that whole batches are there, such as those that lay in a spool.
    ///
    /// # Panics
    ///
    /// When an event of theirs is not.
    pub fn check_batches(&self, batches: &BTreeMap<(u64, u64), Frame>) {
        for ((stream, number), frame) in batches {
            let missing = ids_of(frame)
                .iter()
                .filter(|id| !self.times.contains_key(id))
                .count();
            assert_eq!(
                missing, 0,
                "batch {number} of {stream:016x} lay in the spool"
            );
        }
    }

    /// Checks the orders of a run against what it has begun; how many of them are not there.
    ///
    /// # Panics
    ///
    /// When one is there that was never begun, or is there twice.
    pub fn check_orders(&self, run: u64, begun: &[Begun; THREADS]) -> u64 {
        let mut missing = 0;
        for (thread, begun) in begun.iter().enumerate() {
            let there = self
                .orders
                .get(&(run, thread))
                .map_or(&[][..], Vec::as_slice);
            assert!(
                there.windows(2).all(|pair| pair[0] < pair[1]),
                "an order of run {run} is stored twice"
            );
            let last = there.last().copied().unwrap_or(0);
            assert!(
                last <= begun.orders,
                "order {last} of run {run} was never sent"
            );
            missing += begun.orders - there.len() as u64;
        }
        missing
    }
}

/// The ids of the events in a batch.
///
/// # Panics
///
/// When it cannot be read.
pub fn ids_of(frame: &Frame) -> Vec<EventId> {
    let batch =
        WireBatch::decode(frame, &BatchLimits::default()).expect("a client seals what can be read");
    batch.rows().map(|row| row.event_id).collect()
}
