//! What the threads of the store and its views share: the state in memory.
//!
//! Only the thread that writes the database changes what is stored, each time right after it has committed
//! the same to the disk. So whoever looks sees what is durable, and all of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reflow_trace::lineage::Numbers;
use rusqlite::Connection;

use super::catalogue;
use super::chain::Chain;
use super::database;
use super::directory::{Layout, Lock};
use super::log::Totals;
use super::segment::{Maps, Segment, SegmentReader};
use super::settings::{Seams, Settings};
use super::summaries::Summaries;
use super::tail::{ColumnsMemory, TailBatch};
use crate::store::rollup::Rollup;
use crate::store::{ProducerLedgers, StoreError, StoreStats};

/// Shared by the store, its threads and its views. The directory is locked until the last of them is gone.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) seams: Seams,
    pub(crate) layout: Layout,
    state: Mutex<State>,
    /// For roll-ups; opened when one is asked for.
    reader: Mutex<Option<Connection>>,
    /// Those that were asked for lately.
    summaries: Summaries,
    /// Where everything is in the segments that were read last.
    maps: Maps,
    /// For the columns of batches in the tail.
    pub(crate) columns_memory: Arc<ColumnsMemory>,
    /// The store is being dropped: what is begun is given up, and comes with the next start.
    closing: AtomicBool,
    _lock: Lock,
}

/// What is stored.
#[derive(Default)]
pub(crate) struct State {
    /// By their numbers.
    pub(crate) segments: Arc<Vec<Arc<Segment>>>,
    /// Of segments that are damaged, and of damaged rows that were in the log: the first offset and the one after the
    /// last.
    pub(crate) holes: Arc<Vec<(u64, u64)>>,
    /// The same of retired segments, as far as it is among the offsets of segments that are kept.
    pub(crate) retired_among: Arc<Vec<(u64, u64)>>,
    /// By their offsets; the segments have everything before.
    pub(crate) tail: Chain<TailBatch>,
    pub(crate) tail_events: u64,
    pub(crate) tail_memory_bytes: u64,
    pub(crate) ledgers: ProducerLedgers,
    pub(crate) totals: Totals,
    /// The catalogue has forgotten them; their files wait until nobody holds them.
    pub(crate) retired: Vec<Arc<Segment>>,
    pub(crate) counts: Counts,
}

/// Figures that nothing else holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) duplicates: u64,
    pub(crate) failed_commits: u64,
    pub(crate) sealed_segments: u64,
    pub(crate) merged_segments: u64,
    pub(crate) orphans_removed: u64,
    pub(crate) damaged_segments: u64,
    pub(crate) damaged_events: u64,
    pub(crate) damaged_ledgers: u64,
    pub(crate) database_bytes: u64,
    pub(crate) last_failure: Option<String>,
    pub(crate) clock_in_doubt: bool,
}

impl State {
    pub(crate) fn push_tail(&mut self, batch: TailBatch) {
        self.tail_events += batch.events();
        self.tail_memory_bytes += batch.memory_bytes();
        self.counts.damaged_events += batch.damaged_events();
        if let Some(wire) = batch.batch() {
            self.ledgers.add(wire, batch.committed_ns());
        }
        self.tail.push_back(batch);
    }

    /// Takes out what is before this offset, because it is sealed.
    pub(crate) fn shorten_tail(&mut self, end: u64) {
        let is_gone = |batch: &TailBatch| batch.offset() < end;
        for batch in self.tail.iter().take_while(|batch| is_gone(batch)) {
            self.tail_events -= batch.events();
            self.tail_memory_bytes -= batch.memory_bytes();
        }
        self.tail.shorten(is_gone);
    }

    /// Puts segments in the place of others.
    pub(crate) fn replace_segments(&mut self, removed: &[u64], added: Vec<Arc<Segment>>) {
        let (gone, mut kept): (Vec<_>, Vec<_>) = self
            .segments
            .iter()
            .cloned()
            .partition(|segment| removed.contains(&segment.entry.id));
        kept.extend(added);
        kept.sort_by_key(|segment| segment.entry.id);
        self.segments = Arc::new(kept);
        self.retired.extend(gone);
    }
}

impl Shared {
    pub(crate) fn new(
        settings: Settings,
        seams: Seams,
        layout: Layout,
        lock: Lock,
        state: State,
    ) -> Self {
        // The tail itself has room for so much; its columns take about as much, and no more than that is kept.
        let columns_memory = ColumnsMemory::new(settings.tail_bytes_max);
        Self {
            maps: Maps::default(),
            columns_memory: Arc::new(columns_memory),
            settings,
            seams,
            layout,
            state: Mutex::new(state),
            reader: Mutex::new(None),
            summaries: Summaries::default(),
            closing: AtomicBool::new(false),
            _lock: lock,
        }
    }

    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// An error once the store is being dropped. Asked between the parts of long work.
    pub(crate) fn check_open(&self) -> Result<(), StoreError> {
        if self.closing.load(Ordering::Relaxed) {
            return Err(StoreError::Closing);
        }
        Ok(())
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a segment; where everything is in it is remembered for the next time.
    pub(crate) fn open(&self, segment: &Arc<Segment>) -> Result<SegmentReader, StoreError> {
        self.maps.open(segment)
    }

    /// The sums of a segment, also of one that is retired.
    pub(crate) fn rollup(&self, segment: u64) -> Result<Arc<Rollup>, StoreError> {
        self.summaries.rollup(segment, || self.summary(segment))
    }

    /// The numbers of attempts in a segment, also of one that is retired.
    pub(crate) fn numbers(&self, segment: u64) -> Result<Arc<Numbers>, StoreError> {
        self.summaries.numbers(segment, || self.summary(segment))
    }

    fn summary(&self, segment: u64) -> Result<Vec<u8>, StoreError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *reader {
            Some(connection) => connection,
            none => none.insert(database::open_for_reading(&self.layout.database())?),
        };
        catalogue::summary(connection, segment)
    }

    pub(crate) fn stats(&self) -> StoreStats {
        let state = self.state();
        let sum = |of: fn(&Segment) -> u64| state.segments.iter().map(|segment| of(segment)).sum();
        StoreStats {
            batches: state.totals.batches,
            events: state.totals.events,
            gaps: state.totals.gaps,
            duplicates: state.counts.duplicates,
            failed_commits: state.counts.failed_commits,
            tail_batches: state.tail.len() as u64,
            tail_events: state.tail_events,
            tail_memory_bytes: state.tail_memory_bytes + self.columns_memory.bytes(),
            tail_since_ns: state.tail.front().map(TailBatch::committed_ns),
            segments: state.segments.len() as u64,
            segment_events: sum(|segment| segment.entry.events),
            segment_bytes: sum(|segment| segment.entry.bytes),
            held_bytes: state
                .retired
                .iter()
                .map(|segment| segment.entry.bytes)
                .sum(),
            database_bytes: state.counts.database_bytes,
            sealed_segments: state.counts.sealed_segments,
            merged_segments: state.counts.merged_segments,
            retired_segments: state.totals.retired_segments,
            retired_events: state.totals.retired_events,
            retired_producers: state.totals.retired_producers,
            retired_streams: state.totals.retired_streams,
            orphans_removed: state.counts.orphans_removed,
            damaged_segments: state.counts.damaged_segments,
            damaged_events: state.counts.damaged_events,
            damaged_ledgers: state.counts.damaged_ledgers,
            last_failure: state.counts.last_failure.clone(),
            clock_in_doubt: state.counts.clock_in_doubt,
        }
    }
}
