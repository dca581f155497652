//! Reading a segment: only the pages in which something of a stretch of time can be.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use super::schema::{FORMAT, PAGE_ROWS, Place, SCHEMA};
use super::{Segment, SegmentRows};
use crate::store::{StoreError, TimeRange};

/// An open segment.
pub(crate) struct SegmentReader {
    segment: Arc<Segment>,
    file: File,
    metadata: ArrowReaderMetadata,
}

/// Rows of a segment, chunk by chunk.
pub(crate) struct Chunks {
    segment: Arc<Segment>,
    reader: ParquetRecordBatchReader,
}

impl SegmentReader {
    /// Reads where everything is. Nothing is decoded yet.
    pub(crate) fn open(segment: Arc<Segment>) -> Result<Self, StoreError> {
        let file = File::open(&segment.path).map_err(|error| {
            segment.suspect();
            StoreError::io(format!("open `{}`", segment.path.display()), error)
        })?;
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
        let metadata =
            ArrowReaderMetadata::load(&file, options).map_err(|error| damaged(&segment, error))?;
        let reader = Self {
            segment,
            file,
            metadata,
        };
        reader.check()?;
        Ok(reader)
    }

    /// That it is a segment of a format that is known, and the one that the catalogue means.
    fn check(&self) -> Result<(), StoreError> {
        let file = self.metadata.metadata().file_metadata();
        let format = file.key_value_metadata().and_then(|all| {
            let ours = all.iter().find(|entry| entry.key == FORMAT.0)?;
            ours.value.as_deref()
        });
        if format != Some(FORMAT.1) {
            return Err(damaged(&self.segment, "its format is another one"));
        }
        if self.metadata.schema().fields() != SCHEMA.fields() {
            return Err(damaged(&self.segment, "its columns are others"));
        }
        if file.num_rows().cast_unsigned() != self.segment.entry.events {
            return Err(damaged(&self.segment, "it has another number of rows"));
        }
        Ok(())
    }

    /// The rows in pages that `range` touches. Rows before and after may be among them.
    pub(crate) fn chunks(self, range: TimeRange) -> Result<Chunks, StoreError> {
        let (groups, selection) = self.pages(range);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file, self.metadata);
        let reader = builder
            .with_batch_size(PAGE_ROWS)
            .with_row_groups(groups)
            .with_row_selection(selection)
            .build()
            .map_err(|error| damaged(&self.segment, error))?;
        Ok(Chunks {
            segment: self.segment,
            reader,
        })
    }

    /// The row groups, and of all their rows those in pages that `range` touches.
    fn pages(&self, range: TimeRange) -> (Vec<usize>, RowSelection) {
        let metadata = self.metadata.metadata();
        let mut groups = Vec::new();
        let mut chosen: Vec<Range<usize>> = Vec::new();
        let mut rows_before = 0;
        for (group, about) in metadata.row_groups().iter().enumerate() {
            let rows = about.num_rows().unsigned_abs() as usize;
            let pages = self.pages_of_group(group, rows, range);
            if pages.is_empty() {
                continue;
            }
            groups.push(group);
            for page in pages {
                chosen.push(page.start + rows_before..page.end + rows_before);
            }
            rows_before += rows;
        }
        let selection = RowSelection::from_consecutive_ranges(chosen.into_iter(), rows_before);
        (groups, selection)
    }

    fn pages_of_group(&self, group: usize, rows: usize, range: TimeRange) -> Vec<Range<usize>> {
        let metadata = self.metadata.metadata();
        let time = Place::time_ns as usize;
        let index = metadata
            .column_index()
            .and_then(|groups| groups.get(group)?.get(time));
        let offsets = metadata
            .offset_index()
            .and_then(|groups| groups.get(group)?.get(time));
        let (Some(ColumnIndexMetaData::INT64(times)), Some(offsets)) = (index, offsets) else {
            // No index, no pruning.
            return std::iter::once(0..rows).collect();
        };
        let starts: Vec<usize> = offsets
            .page_locations()
            .iter()
            .map(|page| page.first_row_index.unsigned_abs() as usize)
            .collect();
        let ends = starts.iter().copied().skip(1).chain([rows]);
        std::iter::zip(&starts, ends)
            .enumerate()
            .filter(|&(page, _)| {
                times
                    .min_value(page)
                    .zip(times.max_value(page))
                    .is_none_or(|(&first, &last)| range.touches(first, last))
            })
            .map(|(_, (&start, end))| start..end)
            .collect()
    }
}

impl Iterator for Chunks {
    type Item = Result<SegmentRows, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.reader.next()? {
            Ok(batch) => SegmentRows::new(batch).map_err(|error| damaged(&self.segment, error)),
            Err(error) => Err(damaged(&self.segment, error)),
        })
    }
}

/// An error of reading; the segment is looked at when the store is maintained next.
pub(crate) fn damaged(segment: &Segment, error: impl ToString) -> StoreError {
    segment.suspect();
    StoreError::damaged(segment.path.display().to_string(), error)
}
