//! What is stored, column by column: for those who look at few columns of many events.
//!
//! A [`Snapshot`](super::Snapshot) is made of [`Part`]s: segments, and batches that are in no segment yet. Each
//! gives its rows as arrow has them, in the order of their time, with the columns of [`SCHEMA`] that are
//! asked for; what each column holds stands in the table below. Pages in which nothing of
//! what is wanted can be are not read.
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

mod batch_part;
mod within;

use std::sync::Arc;

use arrow_array::RecordBatch;

pub use super::embedded::{Place, SCHEMA};
pub use batch_part::BatchPart;
pub(crate) use within::Seen;
pub use within::{Scalar, Values, Within};

use super::{StoreError, TimeRange, Watch};

/// A part of what a snapshot holds. It stays readable as long as it is held.
pub trait Part: Send + Sync {
    /// How many rows it has.
    fn rows(&self) -> u64;

    /// Whether it is a segment, and not a batch that is in none yet.
    fn is_segment(&self) -> bool {
        false
    }

    /// Times of its first and of its last row, nanoseconds since 1970.
    fn times_ns(&self) -> (i64, i64);

    /// Its rows, as far as they are wanted. There may be more of them than that: what is wanted keeps pages
    /// from being read, and rows where it can.
    ///
    /// # Errors
    ///
    /// When it cannot be opened; when a piece cannot be read, in the place of that piece.
    fn read(&self, wanted: &Wanted, watch: Arc<dyn Watch>) -> Result<Pieces, StoreError>;
}

/// Rows of a [`Part`], some thousands at a time, in the order of their time.
pub type Pieces = Box<dyn Iterator<Item = Result<RecordBatch, StoreError>> + Send>;

/// What is wanted of a [`Part`].
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Rows of this time.
    pub range: TimeRange,
    /// That hold this, each of it.
    pub within: Vec<Within>,
    /// Of them these columns; they come in the order of the schema.
    pub places: Vec<Place>,
}
