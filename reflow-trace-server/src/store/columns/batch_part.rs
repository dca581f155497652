//! A batch in memory as a part of a snapshot: for stores that keep batches, and need know nothing of columns.

use std::sync::{Arc, OnceLock};

use arrow_array::RecordBatch;
use reflow_trace::wire::WireBatch;

use super::{Part, Pieces, Wanted};
use crate::store::embedded::{columns_of, in_time, projected};
use crate::store::{StoreError, Watch};

/// A batch with its place in the log. Its columns are made when somebody asks for them, and kept.
#[derive(Debug)]
pub struct BatchPart {
    offset: u64,
    batch: Arc<WireBatch>,
    columns: OnceLock<RecordBatch>,
}

impl BatchPart {
    /// The part of a batch that is stored at this offset.
    pub fn new(batch: Arc<WireBatch>, offset: u64) -> Self {
        Self {
            offset,
            batch,
            columns: OnceLock::new(),
        }
    }

    /// The batch.
    pub fn batch(&self) -> &WireBatch {
        &self.batch
    }

    /// Its place in the log.
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

impl Part for BatchPart {
    fn rows(&self) -> u64 {
        self.batch.len() as u64
    }

    fn times_ns(&self) -> (i64, i64) {
        self.batch.time_range().unwrap_or((i64::MAX, i64::MIN))
    }

    fn read(&self, wanted: &Wanted, watch: Arc<dyn Watch>) -> Result<Pieces, StoreError> {
        watch.go_on()?;
        let columns = match self.columns.get() {
            Some(columns) => columns.clone(),
            None => {
                let columns = columns_of(&self.batch, self.offset)
                    .map_err(|error| StoreError::damaged("a batch in memory", error))?;
                self.columns.get_or_init(|| columns).clone()
            }
        };
        let piece = projected(&in_time(&columns, wanted.range), &wanted.places);
        Ok(Box::new(std::iter::once(piece)))
    }
}
