//! Where collected events go.
//!
//! Each sink has a thread and a bounded queue of its own: one that is slow, stalls or panics harms
//! neither the program nor the other sinks. What finds its queue full is lost for that sink and
//! counted.

mod json_lines;
mod memory;
mod progress;
mod worker;

pub use json_lines::JsonLinesSink;
pub use memory::MemorySink;
pub use progress::{Progress, SinkProgress};
pub(crate) use worker::SinkWorker;

use std::sync::Arc;

use crate::collector::Batch;

/// What a sink may say went wrong.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// A place for events.
///
/// # Examples
///
/// ```
/// use reflow_trace::{Batch, Sink, SinkError};
///
/// struct Count(u64);
///
/// impl Sink for Count {
///     fn name(&self) -> &str {
///         "count"
///     }
///     fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
///         self.0 += batch.events().count() as u64;
///         Ok(())
///     }
/// }
/// ```
pub trait Sink: Send {
    /// How the sink is called in the ledger.
    fn name(&self) -> &str;

    /// Takes a batch. It comes in the order of collection, from one thread.
    ///
    /// # Errors
    ///
    /// The events of the batch are counted as lost for this sink; the next batch comes all the same.
    fn write(&mut self, batch: &Batch) -> Result<(), SinkError>;

    /// Makes sure that what was written is where it belongs.
    ///
    /// # Errors
    ///
    /// Shown in the ledger.
    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// What tells how far the sink is, where a batch is not settled when `write` returns. Asked for once,
    /// before the first batch. Without one, what was written counts as stored.
    fn progress(&self) -> Option<Arc<dyn Progress>> {
        None
    }
}
