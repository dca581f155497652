//! What is in the log and in no segment yet, decoded, in memory.

use std::sync::{Arc, OnceLock};

use reflow_trace::wire::WireBatch;

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

    pub(crate) fn summary(&self) -> &Summary {
        self.0.summary.get_or_init(|| {
            self.batch()
                .map(|batch| Summary::of_batch(batch))
                .unwrap_or_default()
        })
    }
}
