//! Reading a segment: only the columns that are asked for, and of them only the pages that are needed.
//!
//! Which rows are worth reading is narrowed down step by step, each time to a [`RowSet`]: by the time, by the
//! least and the greatest value that each page has of any column, by whatever else somebody knows. Nothing
//! is decoded before [`SegmentReader::read`].

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::data_type::AsBytes;
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use super::bloom::{self, Bits};
use super::guarded::{Guarded, guarded};
use super::reach::{REACH_KEY, Reach};
use super::row_set::RowSet;
use super::schema::{FORMAT, PAGE_ROWS, Place, SCHEMA, with_bloom};
use super::{Segment, SegmentRows};
use crate::store::columns::{Scalar, Seen, Values, Within};
use crate::store::{StoreError, TimeRange};

/// Values beyond which reading their filters costs more than it spares.
const FILTERED_MAX: usize = 64;
/// Bytes of a batch, nearly: a merge holds one of each segment that it reads.
const BATCH_BYTES: u64 = 16 << 20;
/// Rows of a batch, whatever they weigh.
const ROWS_MIN: usize = 16;

/// Where everything is in a segment; cheap to clone.
#[derive(Clone)]
pub(crate) struct Map {
    metadata: ArrowReaderMetadata,
    /// The rows of each row group.
    groups: Arc<[Range<usize>]>,
    reach: Arc<Reach>,
    /// The filters of each row group, by column.
    blooms: Blooms,
}

/// The filters of each row group, by column.
type Blooms = Arc<[Vec<(Place, Bits)>]>;

/// An open segment.
pub(crate) struct SegmentReader {
    segment: Arc<Segment>,
    file: File,
    map: Map,
}

/// Columns of some rows of a segment, at most a page of rows at a time.
pub(crate) struct Batches {
    segment: Arc<Segment>,
    reader: Guarded,
}

/// All columns of some rows of a segment, at most a page of rows at a time.
pub(crate) struct Chunks(Batches);

impl Map {
    fn load(segment: &Segment, file: &File) -> Result<Self, StoreError> {
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
        let metadata = guarded(|| ArrowReaderMetadata::load(file, options))
            .map_err(|error| damaged(segment, error))?;
        let mut end = 0;
        let groups = metadata.metadata().row_groups().iter().map(|group| {
            let start = end;
            end += group.num_rows().unsigned_abs() as usize;
            start..end
        });
        let groups = groups.collect();
        let mut map = Self {
            metadata,
            groups,
            reach: Arc::default(),
            blooms: Arc::default(),
        };
        map.check(segment)?;
        map.reach = Arc::new(map.load_reach(segment, file)?);
        map.blooms = map.load_blooms(segment, file)?;
        Ok(map)
    }

    /// What our key in the metadata of the file says.
    fn said(&self, key: &str) -> Option<&str> {
        let file = self.metadata.metadata().file_metadata();
        let all = file.key_value_metadata()?;
        let ours = all.iter().find(|entry| entry.key == key)?;
        ours.value.as_deref()
    }

    fn load_reach(&self, segment: &Segment, file: &File) -> Result<Reach, StoreError> {
        let broken = || damaged(segment, "its index of ids cannot be read");
        let (offset, length) = self
            .said(REACH_KEY)
            .and_then(|said| {
                let (offset, length) = said.split_once(' ')?;
                Some((offset.parse::<u64>().ok()?, length.parse::<u64>().ok()?))
            })
            .filter(|&(offset, length)| offset.saturating_add(length) <= segment.entry.bytes)
            .ok_or_else(broken)?;
        let mut bytes = vec![0; length as usize];
        bloom::read_at(file, &mut bytes, offset).map_err(|error| unreadable(segment, error))?;
        let rows = self.groups.last().map_or(0, |last| last.end);
        Reach::decode(&bytes, rows).ok_or_else(broken)
    }

    fn load_blooms(&self, segment: &Segment, file: &File) -> Result<Blooms, StoreError> {
        let groups = self.metadata.metadata().row_groups().iter().map(|group| {
            let mut blooms = Vec::new();
            for place in with_bloom() {
                let column = group.column(place as usize);
                let lies = column
                    .bloom_filter_offset()
                    .zip(column.bloom_filter_length());
                let Some((offset, length)) = lies else {
                    continue;
                };
                let bits = bloom::find(file, offset.unsigned_abs(), length.unsigned_abs().into())
                    .map_err(|error| unreadable(segment, error))?;
                blooms.extend(bits.map(|bits| (place, bits)));
            }
            Ok(blooms)
        });
        groups.collect()
    }

    /// That it is a segment of a format that is known, and the one that the catalogue means.
    fn check(&self, segment: &Segment) -> Result<(), StoreError> {
        let file = self.metadata.metadata().file_metadata();
        if self.said(FORMAT.0) != Some(FORMAT.1) {
            return Err(damaged(segment, "its format is another one"));
        }
        if self.metadata.schema().fields() != SCHEMA.fields() {
            return Err(damaged(segment, "its columns are others"));
        }
        if file.num_rows().cast_unsigned() != segment.entry.events {
            return Err(damaged(segment, "it has another number of rows"));
        }
        Ok(())
    }

    /// Bytes of memory that it takes, nearly.
    pub(crate) fn memory_bytes(&self) -> usize {
        let blooms = self.blooms.iter().map(|group| size_of_val(&group[..]));
        self.metadata.metadata().memory_size() + self.reach.memory_bytes() + blooms.sum::<usize>()
    }
}

impl SegmentReader {
    /// Reads where everything is. Nothing is decoded yet.
    pub(crate) fn open(segment: Arc<Segment>) -> Result<Self, StoreError> {
        Self::open_with(segment, None)
    }

    /// The same with a map that somebody has kept.
    pub(crate) fn open_with(segment: Arc<Segment>, map: Option<Map>) -> Result<Self, StoreError> {
        let file = File::open(&segment.path).map_err(|error| {
            segment.suspect();
            StoreError::io(format!("open `{}`", segment.path.display()), error)
        })?;
        let map = match map {
            Some(map) => map,
            None => Map::load(&segment, &file)?,
        };
        Ok(Self { segment, file, map })
    }

    /// Where everything is, to be kept for the next time.
    pub(crate) fn map(&self) -> &Map {
        &self.map
    }

    /// How many bytes the file has; `None` where the system does not say.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.file.metadata().ok().map(|about| about.len())
    }

    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// Every row.
    pub(crate) fn all(&self) -> RowSet {
        RowSet::of(self.map.groups.iter().cloned())
    }

    /// The rows in pages that `range` touches. Rows before and after may be among them.
    pub(crate) fn in_time(&self, range: TimeRange) -> RowSet {
        let high = match range.end_ns {
            // The last moment that there is belongs to it.
            i64::MAX => i64::MAX,
            end_ns => end_ns.saturating_sub(1),
        };
        if range.start_ns > high {
            return RowSet::default();
        }
        let whole = |ns| Some(Scalar::Whole(i128::from(ns)));
        let times = Within {
            place: Place::time_ns,
            values: Values::Between {
                low: whole(range.start_ns),
                high: whole(high),
            },
            or_null: false,
        };
        self.narrow(&self.all(), &times)
    }

    /// The rows of these in pages that may hold what is wanted of a column, by the least and the greatest value
    /// of each page and by whether it has nulls.
    pub(crate) fn narrow(&self, rows: &RowSet, within: &Within) -> RowSet {
        let mut left = RowSet::default();
        for (group, about) in self.map.groups.iter().enumerate() {
            let here = rows.within(about.clone());
            if here.is_empty() {
                continue;
            }
            let pages = self.pages(group, within);
            for stretch in here.and(&pages).stretches() {
                left.push(stretch.clone());
            }
        }
        left
    }

    /// The rows of the pages of a row group that may hold what is wanted.
    fn pages(&self, group: usize, within: &Within) -> RowSet {
        let place = within.place as usize;
        let rows = self.map.groups[group].clone();
        let metadata = self.map.metadata.metadata();
        let index = metadata
            .column_index()
            .and_then(|groups| groups.get(group)?.get(place));
        let offsets = metadata
            .offset_index()
            .and_then(|groups| groups.get(group)?.get(place));
        let (Some(index), Some(offsets)) = (index, offsets) else {
            // No index, no pruning.
            return RowSet::of([rows]);
        };
        let starts = offsets
            .page_locations()
            .iter()
            .map(|page| rows.start + page.first_row_index.unsigned_abs() as usize);
        let ends = starts.clone().skip(1).chain([rows.end]);
        let pages = std::iter::zip(starts, ends).enumerate();
        RowSet::of(pages.filter_map(|(page, (start, end))| {
            may_hold(index, page, end - start, within).then_some(start..end)
        }))
    }

    /// The index of ids.
    pub(crate) fn reach(&self) -> &Reach {
        &self.map.reach
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.map.groups.last().map_or(0, |last| last.end)
    }

    /// The rows of row groups whose filter says that they may have this value in this column.
    pub(crate) fn with_value<T: AsBytes + ?Sized>(
        &self,
        place: Place,
        value: &T,
    ) -> Result<RowSet, StoreError> {
        let mut rows = RowSet::default();
        for (group, blooms) in std::iter::zip(&*self.map.groups, &*self.map.blooms) {
            let bits = blooms.iter().find(|(known, _)| *known == place);
            let may_have = match bits {
                // No filter: anything may be there.
                None => true,
                Some(&(_, bits)) => bloom::may_have(&self.file, bits, value)
                    .map_err(|error| unreadable(&self.segment, error))?,
            };
            if may_have {
                rows.push(group.clone());
            }
        }
        Ok(rows)
    }

    /// The rows of row groups whose filters say that they may have one of the values that are wanted; every row where
    /// no filter tells.
    pub(crate) fn by_filter(&self, within: &Within) -> Result<RowSet, StoreError> {
        let values = match &within.values {
            Values::Among(values) if !within.or_null && values.len() <= FILTERED_MAX => values,
            _ => return Ok(self.all()),
        };
        if !with_bloom().any(|place| place == within.place) {
            return Ok(self.all());
        }
        let rows = values.iter().map(|value| match value {
            // As they lie in the file: numbers without sign in 64 bits with one.
            Scalar::Whole(number) => match u64::try_from(*number) {
                Ok(number) => self.with_value(within.place, &number.cast_signed()),
                Err(_) => Ok(RowSet::default()),
            },
            Scalar::Bytes(bytes) => self.with_value(within.place, &**bytes),
            Scalar::Float(_) => Ok(self.all()),
        });
        Ok(RowSet::any(rows.collect::<Result<Vec<_>, _>>()?))
    }

    /// How many pages of rows there are: of [`PAGE_ROWS`] in each row group, as far as they have so many.
    pub(crate) fn pages_len(&self) -> u64 {
        let groups = self.map.groups.iter();
        groups
            .map(|rows| rows.len().div_ceil(PAGE_ROWS) as u64)
            .sum()
    }

    /// How many of them have at least one of these rows.
    pub(crate) fn pages_of(&self, rows: &RowSet) -> u64 {
        let mut pages = 0;
        for group in self.map.groups.iter() {
            let mut behind = 0;
            for stretch in rows.within(group.clone()).stretches() {
                let first = ((stretch.start - group.start) / PAGE_ROWS).max(behind);
                behind = (stretch.end - group.start).div_ceil(PAGE_ROWS);
                pages += behind.saturating_sub(first) as u64;
            }
        }
        pages
    }

    /// These columns of these rows, in the order of the rows. The columns come in the order of the schema.
    pub(crate) fn read(&self, rows: &RowSet, places: &[Place]) -> Result<Batches, StoreError> {
        if rows.is_empty() {
            return Ok(Batches {
                segment: self.segment.clone(),
                reader: Guarded::empty(),
            });
        }
        let file = self.file.try_clone().map_err(|error| {
            StoreError::io(format!("open `{}`", self.segment.path.display()), error)
        })?;
        let schema = self.map.metadata.parquet_schema();
        let columns = ProjectionMask::roots(schema, places.iter().map(|&place| place as usize));
        let (groups, selection) = self.selection(rows);
        let reader = guarded(|| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.map.metadata.clone())
                .with_batch_size(self.rows_at_once())
                .with_projection(columns)
                .with_row_groups(groups)
                .with_row_selection(selection)
                .build()
        });
        let reader = reader.map_err(|error| damaged(&self.segment, error))?;
        Ok(Batches {
            segment: self.segment.clone(),
            reader: Guarded::new(reader),
        })
    }

    /// Bytes of a row with all of its columns, nearly: the mean of the row group that has the heaviest.
    pub(crate) fn bytes_of_a_row(&self) -> u64 {
        let groups = self.map.metadata.metadata().row_groups().iter();
        groups
            .map(|group| {
                group.total_byte_size().unsigned_abs() / group.num_rows().unsigned_abs().max(1)
            })
            .max()
            .unwrap_or(0)
    }

    /// Rows of a batch: a page, or fewer where the rows of this file are heavy. It is the same whichever columns
    /// are read.
    fn rows_at_once(&self) -> usize {
        let rows = BATCH_BYTES / self.bytes_of_a_row().max(1);
        let rows = usize::try_from(rows).unwrap_or(PAGE_ROWS);
        rows.clamp(ROWS_MIN, PAGE_ROWS)
    }

    /// The row groups, and of all their rows those that are wanted.
    fn selection(&self, rows: &RowSet) -> (Vec<usize>, RowSelection) {
        let mut groups = Vec::new();
        let mut chosen: Vec<Range<usize>> = Vec::new();
        let mut rows_before = 0;
        for (group, about) in self.map.groups.iter().enumerate() {
            let here = rows.within(about.clone());
            if here.is_empty() {
                continue;
            }
            groups.push(group);
            let shifted = here.stretches().iter().map(|stretch| {
                stretch.start - about.start + rows_before..stretch.end - about.start + rows_before
            });
            chosen.extend(shifted);
            rows_before += about.len();
        }
        let selection = RowSelection::from_consecutive_ranges(chosen.into_iter(), rows_before);
        (groups, selection)
    }

    /// All columns of the rows in pages that `range` touches. Rows before and after may be among them.
    pub(crate) fn chunks(&self, range: TimeRange) -> Result<Chunks, StoreError> {
        self.read(&self.in_time(range), Place::ALL).map(Chunks)
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|error| damaged(&self.segment, error)))
    }
}

impl Iterator for Chunks {
    type Item = Result<SegmentRows, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.0.next()?.and_then(|batch| {
            SegmentRows::new(batch).map_err(|error| damaged(&self.0.segment, error))
        });
        Some(rows)
    }
}

/// Whether a page may hold what is wanted.
fn may_hold(index: &ColumnIndexMetaData, page: usize, rows: usize, within: &Within) -> bool {
    if matches!(index, ColumnIndexMetaData::NONE) {
        return true;
    }
    let has_nulls = index.null_count(page).is_none_or(|nulls| nulls > 0);
    if within.or_null && has_nulls {
        return true;
    }
    if index.is_null_page(page) {
        return rows == 0;
    }
    let is_signed = within.place == Place::time_ns;
    let (least, greatest) = match index {
        ColumnIndexMetaData::INT64(values) => {
            let seen = |value: Option<&i64>| {
                let value = *value?;
                Some(Seen::Whole(if is_signed {
                    i128::from(value)
                } else {
                    i128::from(value.cast_unsigned())
                }))
            };
            (seen(values.min_value(page)), seen(values.max_value(page)))
        }
        ColumnIndexMetaData::INT32(values) => {
            let seen = |value: Option<&i32>| Some(Seen::Whole(i128::from(value?.cast_unsigned())));
            (seen(values.min_value(page)), seen(values.max_value(page)))
        }
        // What is no number is left out of the statistics, and nobody finds it by a value.
        ColumnIndexMetaData::FLOAT(values) => {
            let seen = |value: Option<&f32>| Some(Seen::Float(f64::from(*value?)));
            (seen(values.min_value(page)), seen(values.max_value(page)))
        }
        ColumnIndexMetaData::DOUBLE(values) => {
            let seen = |value: Option<&f64>| Some(Seen::Float(*value?));
            (seen(values.min_value(page)), seen(values.max_value(page)))
        }
        // Long ones are cut, the least downwards and the greatest upwards.
        ColumnIndexMetaData::BYTE_ARRAY(values)
        | ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(values) => (
            values.min_value(page).map(Seen::Bytes),
            values.max_value(page).map(Seen::Bytes),
        ),
        ColumnIndexMetaData::NONE
        | ColumnIndexMetaData::BOOLEAN(_)
        | ColumnIndexMetaData::INT96(_) => return true,
    };
    within.values.touch(least, greatest)
}

/// An error of the file itself.
fn unreadable(segment: &Segment, error: std::io::Error) -> StoreError {
    segment.suspect();
    StoreError::io(format!("read `{}`", segment.path.display()), error)
}

/// An error of reading; the segment is looked at when the store is maintained next.
pub(crate) fn damaged(segment: &Segment, error: impl ToString) -> StoreError {
    segment.suspect();
    StoreError::damaged(segment.path.display().to_string(), error)
}
