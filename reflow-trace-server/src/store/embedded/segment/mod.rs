//! A segment: one immutable Parquet file of events, in the order of their time.
//!
//! # The file
//!
//! Plain Parquet (format version 2), so that any tool reads it. One row is one event. Rows are in the order
//! of `time_ns`, then of `offset`, then of their place in the batch. Row groups have up to 2²⁰ rows; pages
//! up to 8 192 rows; zstd on every page; page index on every column; `sorting_columns` says the order.
//! Its key-value metadata have `reflow_trace.format` = `1`.
//!
//! *null* means: not known, or there is none. Names are UTF-8. Numbers of 52, 48 or 22 bits are those in
//! the ids of this project (`reflow_trace::event`).
//!
//! | column | type | what it holds, and in what unit |
//! | --- | --- | --- |
//! | `time_ns` | timestamp, ns, UTC | begin of the send, of the handling, or of the event |
//! | `offset` | u64 | the batch it came in, by its place in the log |
//! | `producer`, `ring`, `sequence` | u64, u32, u64 | the event id, where it was made by a ring |
//! | `event_id` | 16 bytes | the event id where it was not, as the bytes of the UUID |
//! | `kind` | u8 | as in [`RowKind`](reflow_trace::wire::RowKind) |
//! | `outcome` | u8 | 0 delivered, 1 failed, 2 cancelled, 3 panicked, 4 dropped, 5 timed out |
//! | `flags` | u16 | as in [`EventRow`](reflow_trace::wire::EventRow) |
//! | `duration_ns` | u64 | of the send or the handling, ns |
//! | `from_actor`, `from_port`, `to_actor`, `to_port` | text | the edge |
//! | `protocol`, `compression` | text | how messages are carried on it |
//! | `message_type` | text | name of the type or variant |
//! | `size_bytes` | u64 | of the message, bytes |
//! | `queue_depth` | u64 | messages that waited at the destination |
//! | `waiting_ns` | u64 | between send and taking up, ns |
//! | `memory_bytes` | u64 | what the message holds in memory, bytes |
//! | `cpu_percent` | f32 | of the process over a second, per cent of one core |
//! | `throughput` | f64 | messages over the edge in a second |
//! | `parent_producer`, `parent_ring`, `parent_sequence` | u64, u32, u64 | the direct cause, where it was made by a ring |
//! | `parent_id` | 16 bytes | the direct cause where it was not |
//! | `trace_producer`, `trace_ring`, `trace_number` | u64, u32, u64 | the trace, by the place of its root; the trace id is a permutation of these |
//! | `trace_id` | 16 bytes | the trace where its id is of another making |
//! | `randomness` | u64 | R, where it is not the low 56 bits of the trace id; all ones: there is a trace id and no R |
//! | `hops` | u8 | messages between the root and this one |
//! | `threshold` | u64 | T, 0 to 2⁵⁶ |
//! | `message_prefix`, `message_width`, `message_number` | text, u8, u64 | the id of the message where it is a text with a number at its end: the text before, the least number of digits, the number; without prefix and width it is a plain number |
//! | `message_uuid` | 16 bytes | the id of the message where it is a UUID |
//! | `message_text` | text | the id of the message where it is any other text |
//! | `message_other` | text | the id of the message in any other form, as JSON; for searching only |
//! | `sections` | bytes | everything else, as it came |
//!
//! Small numbers and not ids are in the columns because they compress a hundred times better, and because
//! a difference to the row before is what grows slowly. Bloom filters (one in a hundred false) are on
//! `trace_number`, `message_number`, on every column of 16 bytes, on `message_text` and on `message_other`: so a
//! question for one message or one trace opens few row groups. One event and its effects are found by their
//! trace, or by the page index of `sequence` and `parent_sequence`, which grow with time; filters on these
//! two would take half as much room as everything else together.
//!
//! # What cannot happen
//!
//! A file is never changed: it is written under another name, synced, named, and known to the catalogue
//! only after. So a file that the catalogue knows is whole unless the disk has lost it, and its CRC-32C in
//! the catalogue tells.

mod columns;
mod loose;
mod read;
mod rows;
mod schema;
mod write;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use loose::{LooseReader, LooseWriter, NotLoose};
pub(crate) use read::{Chunks, SegmentReader, damaged};
pub(crate) use rows::SegmentRows;
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
