//! Writing a segment: rows in, a whole file out.

use std::io;
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use reflow_trace::wire::{EdgeNames, EventRow};

use super::checksum::Summed;
use super::columns::{Columns, Origins};
use super::reach::{Flags, REACH_KEY, ReachBuilder};
use super::schema::{SCHEMA, properties};
use crate::store::StoreError;
use crate::store::embedded::files::NewFile;
use crate::store::embedded::shared::Shared;
use crate::store::rollup::{BatchRollup, EdgeTable, Summary};

/// Takes rows in the order of their time.
pub(crate) struct SegmentWriter {
    name: String,
    shared: Arc<Shared>,
    parquet: ArrowWriter<Summed<Box<dyn NewFile>>>,
    columns: Columns,
    edges: EdgeTable,
    rollup: BatchRollup,
    reach: ReachBuilder,
    events: u64,
    times_ns: Option<(i64, i64)>,
    offsets: Option<(u64, u64)>,
}

/// What was written, and is neither synced nor named.
pub(crate) struct FinishedSegment {
    pub(crate) file: Box<dyn NewFile>,
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    pub(crate) crc32c: u32,
    /// First and last, both included.
    pub(crate) times_ns: (i64, i64),
    /// First and last, both included.
    pub(crate) offsets: (u64, u64),
    pub(crate) summary: Summary,
}

impl SegmentWriter {
    /// Begins in an empty file; `name` is for errors, `rows` is how many will come.
    pub(crate) fn new(
        file: Box<dyn NewFile>,
        name: String,
        rows: u64,
        shared: Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let parquet =
            ArrowWriter::try_new(Summed::new(file), SCHEMA.clone(), Some(properties(rows)))
                .map_err(|error| write_failed(&name, error))?;
        Ok(Self {
            name,
            shared,
            parquet,
            columns: Columns::default(),
            edges: EdgeTable::default(),
            rollup: BatchRollup::default(),
            reach: ReachBuilder::default(),
            events: 0,
            times_ns: None,
            offsets: None,
        })
    }

    /// The number of an edge in this segment, for [`push`](Self::push).
    pub(crate) fn edge(&mut self, names: &EdgeNames<'_>) -> u32 {
        self.edges.number(names)
    }

    /// Adds a row that came in the batch at `offset` and whose edge has this number.
    pub(crate) fn push(
        &mut self,
        offset: u64,
        row: &EventRow<'_>,
        number: u32,
    ) -> Result<(), StoreError> {
        let time_ns = row.start_ns;
        let (first_ns, last_ns) = self.times_ns.unwrap_or((time_ns, time_ns));
        debug_assert!(last_ns <= time_ns, "rows come in the order of their time");
        self.times_ns = Some((first_ns.min(time_ns), last_ns.max(time_ns)));
        let (first, last) = self.offsets.unwrap_or((offset, offset));
        self.offsets = Some((first.min(offset), last.max(offset)));
        self.events += 1;
        if self.events.is_multiple_of(4_096) {
            self.shared.check_open()?;
        }
        let edge = &self.edges.edges()[number as usize];
        self.rollup.add(number, edge, row);
        let origins = self
            .columns
            .push(offset, row, number, edge)
            .map_err(|error| write_failed(&self.name, error.into()))?;
        self.push_reach(row, &origins);
        if self.columns.is_full() {
            self.write_chunk()?;
        }
        Ok(())
    }

    fn push_reach(&mut self, row: &EventRow<'_>, origins: &Origins) {
        let mut flags = Flags::default();
        if row.sections.is_empty() {
            let causes = origins.parent.into_iter();
            self.reach.push(origins.event, causes, origins.trace, flags);
            return;
        }
        if row.names_in_sections() {
            flags = flags.with(Flags::NAMED);
        }
        let joined: Vec<_> = row.further_causes().map(|id| id.origin()).collect();
        if !joined.is_empty() {
            flags = flags.with(Flags::JOINED);
        }
        if joined.iter().any(Option::is_none) {
            flags = flags.with(Flags::JOINED_FOREIGN);
        }
        let causes = origins
            .parent
            .into_iter()
            .chain(joined.into_iter().flatten());
        self.reach.push(origins.event, causes, origins.trace, flags);
    }

    fn write_chunk(&mut self) -> Result<(), StoreError> {
        let chunk = self
            .columns
            .finish()
            .map_err(|error| write_failed(&self.name, error.into()))?;
        self.parquet
            .write(&chunk)
            .map_err(|error| write_failed(&self.name, error))
    }

    /// Writes the index of ids behind the last row group.
    fn write_reach(&mut self) -> Result<(), ParquetError> {
        let outside = |error: io::Error| ParquetError::External(Box::new(error));
        let bytes = std::mem::take(&mut self.reach).finish().encode();
        let bytes = bytes.map_err(outside)?;
        self.parquet.flush()?;
        let place = format!("{} {}", self.parquet.bytes_written(), bytes.len());
        self.parquet.write_all(&bytes).map_err(outside)?;
        self.parquet
            .append_key_value_metadata(KeyValue::new(REACH_KEY.to_owned(), place));
        Ok(())
    }

    /// Lets the file itself tell whether it is damaged, wherever it is taken.
    fn write_checksum(&mut self) -> Result<(), ParquetError> {
        self.parquet.sync()?;
        let checksum = self.parquet.inner().checksum();
        self.parquet.append_key_value_metadata(checksum);
        Ok(())
    }

    /// Ends the file. `None` when no row was added.
    pub(crate) fn finish(mut self) -> Result<Option<FinishedSegment>, StoreError> {
        let (Some(times_ns), Some(offsets)) = (self.times_ns, self.offsets) else {
            return Ok(None);
        };
        if !self.columns.is_empty() {
            self.write_chunk()?;
        }
        self.write_reach()
            .and_then(|()| self.write_checksum())
            .map_err(|error| write_failed(&self.name, error))?;
        let written = self.parquet.into_inner();
        let written = written.map_err(|error| write_failed(&self.name, error))?;
        Ok(Some(FinishedSegment {
            file: written.to,
            events: self.events,
            bytes: written.bytes,
            crc32c: written.crc32c,
            times_ns,
            offsets,
            summary: self.rollup.finish(),
        }))
    }
}

/// What the writer of Parquet said; the error of the file is inside, where it was one.
fn write_failed(name: &str, error: ParquetError) -> StoreError {
    let what = format!("write the segment `{name}`");
    if let ParquetError::External(source) = &error
        && let Some(io) = source.downcast_ref::<io::Error>()
    {
        let same = io.raw_os_error().map_or_else(
            || io::Error::new(io.kind(), io.to_string()),
            io::Error::from_raw_os_error,
        );
        return StoreError::io(what, same);
    }
    StoreError::io(what, io::Error::other(error))
}
