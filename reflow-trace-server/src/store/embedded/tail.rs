//! What is in the log and in no segment yet, decoded, in memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arrow_array::RecordBatch;
use reflow_trace::wire::WireBatch;

use super::segment::{columns_of, memory_bytes};
use super::tail_reach::TailReach;
use crate::store::StoreError;
use crate::store::rollup::Summary;

/// One batch of the tail; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct TailBatch(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    offset: u64,
    committed_ns: i64,
    logged: Logged,
    /// Made when somebody asks, and once.
    summary: OnceLock<Summary>,
    columns: OnceLock<KeptColumns>,
    reach: OnceLock<TailReach>,
}

/// Memory for the columns of batches. It bounds what is kept, not what is made.
#[derive(Debug)]
pub(crate) struct ColumnsMemory {
    bytes: AtomicU64,
    bytes_max: u64,
}

/// Columns that are kept as long as their batch.
#[derive(Debug)]
struct KeptColumns {
    columns: RecordBatch,
    bytes: u64,
    memory: Arc<ColumnsMemory>,
}

impl ColumnsMemory {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self {
            bytes: AtomicU64::new(0),
            bytes_max,
        }
    }

    /// How much is kept.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Takes so many bytes, or none.
    fn take(&self, bytes: u64) -> bool {
        let taken = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = taken.saturating_add(bytes) <= self.bytes_max;
        if !fits {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }
}

impl Drop for KeptColumns {
    fn drop(&mut self) {
        self.memory.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What a row of the log holds.
#[derive(Clone, Debug)]
pub(crate) enum Logged {
    Whole(Arc<WireBatch>),
    /// It is no longer what was admitted.
    Damaged {
        events: u64,
    },
}

impl TailBatch {
    pub(crate) fn new(offset: u64, committed_ns: i64, logged: Logged) -> Self {
        Self(Arc::new(Inner {
            offset,
            committed_ns,
            logged,
            summary: OnceLock::new(),
            columns: OnceLock::new(),
            reach: OnceLock::new(),
        }))
    }

    pub(crate) fn offset(&self) -> u64 {
        self.0.offset
    }

    pub(crate) fn committed_ns(&self) -> i64 {
        self.0.committed_ns
    }

    /// `None` when it is damaged.
    pub(crate) fn batch(&self) -> Option<&Arc<WireBatch>> {
        match &self.0.logged {
            Logged::Whole(batch) => Some(batch),
            Logged::Damaged { .. } => None,
        }
    }

    /// Events that can be read.
    pub(crate) fn events(&self) -> u64 {
        self.batch().map_or(0, |batch| batch.len() as u64)
    }

    /// Events that cannot.
    pub(crate) fn damaged_events(&self) -> u64 {
        match self.0.logged {
            Logged::Whole(_) => 0,
            Logged::Damaged { events } => events,
        }
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        let batch = self.batch().map_or(0, |batch| batch.memory_bytes());
        (size_of::<Inner>() + batch) as u64
    }

    /// The rows as columns, in the order of their time; `None` when it is damaged. They are made when somebody
    /// asks, and kept while there is memory for it.
    pub(crate) fn columns(
        &self,
        memory: &Arc<ColumnsMemory>,
    ) -> Result<Option<RecordBatch>, StoreError> {
        if let Some(kept) = self.0.columns.get() {
            return Ok(Some(kept.columns.clone()));
        }
        let Some(batch) = self.batch() else {
            return Ok(None);
        };
        let columns = columns_of(batch, self.offset())
            .map_err(|error| StoreError::damaged("a batch in memory", error))?;
        let bytes = memory_bytes(&columns) as u64;
        if memory.take(bytes) {
            // Two may do it at the same time; the second is dropped and gives its bytes back.
            let _kept = self.0.columns.set(KeptColumns {
                columns: columns.clone(),
                bytes,
                memory: memory.clone(),
            });
        }
        Ok(Some(columns))
    }

    /// Which ids are in it; made when somebody asks, and once.
    pub(crate) fn reach(&self) -> &TailReach {
        self.0.reach.get_or_init(|| {
            self.batch()
                .map(|batch| TailReach::of(batch))
                .unwrap_or_default()
        })
    }

    pub(crate) fn summary(&self) -> &Summary {
        self.0.summary.get_or_init(|| {
            self.batch()
                .map(|batch| Summary::of_batch(batch))
                .unwrap_or_default()
        })
    }
}
