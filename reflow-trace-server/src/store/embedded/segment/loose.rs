//! Files in the form of segments that belong to no store: what `export` writes and `import` reads.
//!
//! The columns are the same, so that whatever reads a segment reads such a file, and the reverse; but nothing
//! is known of it beforehand: a file may be anything, and no fault of it concerns a store.
//!
//! Instead the file says by its [checksum](super::checksum) whether it is damaged.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use reflow_trace::TraceEvent;
use reflow_trace::wire::WireBatch;

use super::SegmentRows;
use super::checksum::{CHECKSUM_KEY, Summed, is_right};
use super::columns::Columns;
use super::guarded::{Guarded, guarded};
use super::schema::{FORMAT, PAGE_ROWS, SCHEMA, properties};
use crate::store::rollup::EdgeTable;

/// Rows of which nobody knows how many there will be: what bloom filters are made for at first.
const ROWS_GUESSED: u64 = 1 << 20;

/// Writes events as a segment has them.
pub(crate) struct LooseWriter<W: Write + Send> {
    parquet: ArrowWriter<Summed<W>>,
    columns: Columns,
    edges: EdgeTable,
    batches: u64,
}

impl<W: Write + Send> LooseWriter<W> {
    pub(crate) fn new(to: W) -> Result<Self, ParquetError> {
        let to = Summed::new(to);
        Ok(Self {
            parquet: ArrowWriter::try_new(to, SCHEMA.clone(), Some(properties(ROWS_GUESSED)))?,
            columns: Columns::default(),
            edges: EdgeTable::default(),
            batches: 0,
        })
    }

    /// Adds the events of a batch, which begin no earlier than those before them. In the place of the
    /// offset, which only a store has, stands the how-manieth batch it is.
    pub(crate) fn push(&mut self, batch: &WireBatch) -> Result<(), ParquetError> {
        self.batches += 1;
        for row in batch.rows() {
            let number = self.edges.number(&row.edge);
            let edge = &self.edges.edges()[number as usize];
            self.columns.push(self.batches, &row, number, edge)?;
            if self.columns.is_full() {
                self.write_chunk()?;
            }
        }
        Ok(())
    }

    fn write_chunk(&mut self) -> Result<(), ParquetError> {
        let chunk = self.columns.finish()?;
        // A file may have any number of edges; what is kept of them is bounded.
        self.edges = EdgeTable::default();
        self.parquet.write(&chunk)
    }

    /// Ends the file, and gives back where it was written to.
    pub(crate) fn finish(mut self) -> Result<W, ParquetError> {
        if !self.columns.is_empty() {
            self.write_chunk()?;
        }
        self.parquet.flush()?;
        self.parquet.sync()?;
        let checksum = self.parquet.inner().checksum();
        self.parquet.append_key_value_metadata(checksum);
        Ok(self.parquet.into_inner()?.to)
    }
}

/// Why a file is none of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotLoose {
    #[error("cannot be opened: {0}")]
    Io(#[from] std::io::Error),
    #[error("is no Parquet file, or only the beginning of one: {0}")]
    Parquet(#[from] ParquetError),
    #[error(
        "is a Parquet file of another kind: only what `reflow-trace export` writes, and the segments of a store, hold whole events"
    )]
    Foreign,
    #[error(
        "is damaged: its checksum is not the one that was written with it; export it again, or restore it"
    )]
    Damaged,
    #[error("has the format {0}, and this version knows format {known}: use the version that wrote it, or a later one", known = FORMAT.1)]
    Newer(String),
}

/// Reads events from a file in the form of a segment.
pub(crate) struct LooseReader {
    reader: Guarded,
    rows: u64,
    is_vouched_for: bool,
}

impl LooseReader {
    pub(crate) fn open(path: &Path) -> Result<Self, NotLoose> {
        let file = File::open(path)?;
        let builder = guarded(|| ParquetRecordBatchReaderBuilder::try_new(file))?;
        let builder = builder.with_batch_size(PAGE_ROWS);
        let about = builder.metadata().file_metadata();
        let value = |key: &str| {
            let mut pairs = about.key_value_metadata().into_iter().flatten();
            let pair = pairs.find(|pair| pair.key == key);
            pair.and_then(|pair| pair.value.as_deref())
        };
        match value(FORMAT.0) {
            Some(known) if known == FORMAT.1 => {}
            Some(other) => return Err(NotLoose::Newer(other.to_owned())),
            None => return Err(NotLoose::Foreign),
        }
        if builder.schema().fields() != SCHEMA.fields() {
            return Err(NotLoose::Foreign);
        }
        let checksum = value(CHECKSUM_KEY);
        if let Some(checksum) = checksum
            && !is_right(checksum, path)?
        {
            return Err(NotLoose::Damaged);
        }
        Ok(Self {
            is_vouched_for: checksum.is_some(),
            rows: about.num_rows().unsigned_abs(),
            reader: Guarded::new(guarded(|| builder.build())?),
        })
    }

    /// How many rows there are to be.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether the file has a checksum, which is right then. What an earlier version wrote has none.
    pub(crate) fn is_vouched_for(&self) -> bool {
        self.is_vouched_for
    }
}

/// The events of some rows, one after the other; in the place of a row that is no event, why not. After an
/// error of the file itself nothing more comes.
impl Iterator for LooseReader {
    type Item = Result<Vec<Result<TraceEvent, String>>, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = match self.reader.next()? {
            Ok(batch) => SegmentRows::new(batch),
            Err(error) => return Some(Err(error)),
        };
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => return Some(Err(ParquetError::General(error.to_string()))),
        };
        let event = |at| {
            let row = rows.row(at).map_err(|error| error.to_string())?;
            let event = row.to_event();
            event.ok_or_else(|| "its sections cannot be read".to_owned())
        };
        Some(Ok((0..rows.len()).map(event).collect()))
    }
}

#[cfg(test)]
mod tests {
    use reflow_trace::event::ProducerId;

    use super::*;
    use crate::store::conformance::batch_of;

    #[test]
    fn no_damage_to_a_file_without_a_checksum_makes_its_reader_panic() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.parquet");
        let mut writer = LooseWriter::new(Vec::new()).expect("memory");
        for number in 1..=20 {
            let actor = format!("actor {number}");
            let events: Vec<_> = (0..100)
                .map(|_| TraceEvent::data_flow(&actor, "out", "b", "in", "T", 8))
                .collect();
            let admitted = batch_of(&events, ProducerId::from_bits(1), 1, number);
            writer.push(&admitted.batch).expect("memory");
        }
        let mut whole = writer.finish().expect("memory");
        let mut windows = whole.windows(CHECKSUM_KEY.len());
        let key = windows.rposition(|window| window == CHECKSUM_KEY.as_bytes());
        // Under another key nobody knows it.
        whole[key.expect("it is there")] = b'x';
        let mut random = fastrand::Rng::with_seed(3);
        let (mut read, mut refused) = (0, 0);
        for _ in 0..200 {
            let mut broken = whole.clone();
            let place = random.usize(..broken.len());
            broken[place] ^= 1 << random.u8(0..8);
            std::fs::write(&path, &broken).expect("there is room");
            let is_read =
                LooseReader::open(&path).is_ok_and(|mut reader| reader.all(|rows| rows.is_ok()));
            if is_read {
                read += 1;
            } else {
                refused += 1;
            }
        }
        assert!(read > 0 && refused > 0, "{read} {refused}");
    }
}
