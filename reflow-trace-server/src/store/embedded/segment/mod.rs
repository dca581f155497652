//! A segment: one immutable Parquet file of events, in the order of their time.
//!
//! # The file
//!
//! Plain Parquet (format version 2), so that any tool reads it. One row is one event. Rows are in the order
//! of `time_ns`, then of `offset`, then of their place in the batch. Row groups have up to 2¹⁷ rows; pages
//! up to 8 192 rows; zstd on every page; page index on every column; `sorting_columns` says the order.
//! Its key-value metadata have `reflow_trace.format` = `2`, and `reflow_trace.reach` = the place and the length of
//! the index of ids, which lies before the footer and is described in `reach.rs`, and `reflow_trace.crc32c`, the checksum
//! of all row groups and of that index, so that a copy of the file can be checked without the catalogue (`checksum.rs`).
//!
//! The columns are those of [`SCHEMA`]; what each holds stands in [`columns`](crate::store::columns).
//!
//! Small numbers and not ids are in the columns because they compress a hundred times better, and because
//! a difference to the row before is what grows slowly. Ids of ours (events, causes, traces) are found by the index of
//! ids, which leads to the page. Bloom filters (one in a hundred false) are on `message_number`, on every column
//! of 16 bytes, on `message_text` and on `message_other`: so a question for one message opens few row groups.
//!
//! # What cannot happen
//!
//! A file is never changed: it is written under another name, synced, named, and known to the catalogue
//! only after. So a file that the catalogue knows is whole unless the disk has lost it, and its CRC-32C in
//! the catalogue tells.

mod batch;
mod bloom;
mod checksum;
mod columns;
mod guarded;
mod loose;
mod maps;
mod message;
mod reach;
mod read;
mod row_set;
mod rows;
mod schema;
mod write;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use batch::{columns_of, memory_bytes};
pub(crate) use loose::{LooseReader, LooseWriter, NotLoose};
pub(crate) use maps::Maps;
pub(crate) use message::MessageForms;
pub(crate) use reach::{Flags, Series};
pub(crate) use read::{Batches, Chunks, SegmentReader, damaged};
pub(crate) use row_set::RowSet;
pub(crate) use rows::SegmentRows;
pub(crate) use schema::PAGE_ROWS;
pub use schema::{Place, SCHEMA};
pub(crate) use write::SegmentWriter;

use super::catalogue::SegmentEntry;

/// A segment that the catalogue knows, or knew until it was retired. The file is there as long as somebody
/// holds this.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) entry: SegmentEntry,
    pub(crate) path: PathBuf,
    /// Reading it has failed.
    suspected: AtomicBool,
    /// Its CRC was right, since it was opened or written.
    verified: AtomicBool,
}

impl Segment {
    pub(crate) fn new(entry: SegmentEntry, path: PathBuf) -> Self {
        Self {
            entry,
            path,
            suspected: AtomicBool::new(false),
            verified: AtomicBool::new(false),
        }
    }

    pub(crate) fn suspect(&self) {
        self.suspected.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_suspected(&self) -> bool {
        self.suspected.load(Ordering::Relaxed)
    }

    pub(crate) fn set_verified(&self) {
        self.suspected.store(false, Ordering::Relaxed);
        self.verified.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_verified(&self) -> bool {
        self.verified.load(Ordering::Relaxed)
    }
}
