//! Files in the form of segments that belong to no store: what `export` writes and `import` reads.
//!
//! The columns are the same, so that whatever reads a segment reads such a file, and the reverse; but nothing
//! is known of it beforehand: a file may be anything, and no fault of it concerns a store.
//!
//! Nothing in Parquet tells a bit that has flipped in a page from one that was meant. The catalogue of a store has
//! the checksum of each segment; such a file carries its own: its key-value metadata have
//! `reflow_trace.crc32c` = `bytes:crc`, the CRC-32C, in hexadecimal digits, of that many bytes from the
//! beginning, which are all row groups. A segment that is read as a loose file has none and is believed.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use reflow_trace::TraceEvent;
use reflow_trace::wire::WireBatch;

use super::SegmentRows;
use super::columns::Columns;
use super::schema::{FORMAT, PAGE_ROWS, SCHEMA, properties};
use crate::store::rollup::EdgeTable;

/// Rows of which nobody knows how many there will be: what bloom filters are made for at first.
const ROWS_GUESSED: u64 = 1 << 20;

/// The key of the checksum.
const CHECKSUM: &str = "reflow_trace.crc32c";

/// What is written, counted and summed up on the way.
struct Summed<W> {
    to: W,
    bytes: u64,
    crc32c: u32,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        let (taken, _rest) = bytes.split_at(written.min(bytes.len()));
        self.bytes += taken.len() as u64;
        self.crc32c = crc32c::crc32c_append(self.crc32c, taken);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Writes events as a segment has them.
pub(crate) struct LooseWriter<W: Write + Send> {
    parquet: ArrowWriter<Summed<W>>,
    columns: Columns,
    edges: EdgeTable,
    batches: u64,
}

impl<W: Write + Send> LooseWriter<W> {
    pub(crate) fn new(to: W) -> Result<Self, ParquetError> {
        let to = Summed {
            to,
            bytes: 0,
            crc32c: 0,
        };
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
        let Summed { bytes, crc32c, .. } = self.parquet.inner();
        let checksum = KeyValue::new(CHECKSUM.to_owned(), format!("{bytes}:{crc32c:08x}"));
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
    reader: ParquetRecordBatchReader,
    rows: u64,
}

impl LooseReader {
    pub(crate) fn open(path: &Path) -> Result<Self, NotLoose> {
        let file = File::open(path)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(PAGE_ROWS);
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
        if let Some(checksum) = value(CHECKSUM)
            && !is_right(checksum, path)?
        {
            return Err(NotLoose::Damaged);
        }
        Ok(Self {
            rows: about.num_rows().unsigned_abs(),
            reader: builder.build()?,
        })
    }

    /// How many rows there are to be.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }
}

/// Whether the beginning of the file has this checksum.
fn is_right(checksum: &str, path: &Path) -> io::Result<bool> {
    let said = checksum.split_once(':').and_then(|(bytes, crc32c)| {
        Some((bytes.parse().ok()?, u32::from_str_radix(crc32c, 16).ok()?))
    });
    let Some((bytes, expected)) = said else {
        return Ok(false);
    };
    let mut file = File::open(path)?.take(bytes);
    let mut buffer = vec![0; 1 << 18];
    let mut crc32c = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(file.limit() == 0 && crc32c == expected),
            read => crc32c = crc32c::crc32c_append(crc32c, &buffer[..read]),
        }
    }
}

/// The events of some rows, one after the other; in the place of a row that is no event, why not. After an
/// error of the file itself nothing more comes.
impl Iterator for LooseReader {
    type Item = Result<Vec<Result<TraceEvent, String>>, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = match self.reader.next()? {
            Ok(batch) => SegmentRows::new(batch),
            Err(error) => return Some(Err(error.into())),
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
