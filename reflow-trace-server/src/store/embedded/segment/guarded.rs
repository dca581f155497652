//! Reading Parquet that may be damaged.
//!
//! The library has an error for most of what a damaged file may say, and panics at some of it, for example at a page
//! that refers to a dictionary which its column does not have. No checksum is looked at before rows are read, because
//! that would be reading all of the file; so whoever reads rows reads them through here, where a panic is the same
//! error as the others.

use std::panic::AssertUnwindSafe;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::errors::ParquetError;

/// What it reads; a panic is an error.
pub(super) fn guarded<T>(
    read: impl FnOnce() -> Result<T, ParquetError>,
) -> Result<T, ParquetError> {
    // What a panic has left half done is not looked at again: the file is opened anew.
    std::panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let what = crate::panicked::text(&*panic);
        let text = format!("the reader of Parquet has given up: {what}");
        Err(ParquetError::General(text))
    })
}

/// Batches of rows; nothing comes behind an error.
pub(super) struct Guarded(Option<ParquetRecordBatchReader>);

impl Guarded {
    pub(super) fn new(reader: ParquetRecordBatchReader) -> Self {
        Self(Some(reader))
    }

    /// No rows at all.
    pub(super) const fn empty() -> Self {
        Self(None)
    }
}

impl Iterator for Guarded {
    type Item = Result<RecordBatch, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.0.as_mut()?;
        let next = guarded(|| match reader.next() {
            Some(batch) => batch.map(Some).map_err(ArrowError::into),
            None => Ok(None),
        });
        if !matches!(next, Ok(Some(_))) {
            self.0 = None;
        }
        next.transpose()
    }
}
