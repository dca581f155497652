//! The collector: one thread that empties the rings, makes batches and hands them to the sinks.
//!
//! It looks at every `batch_timeout`, and earlier when a ring is half full, an event is recorded by
//! hand or somebody asks for a flush. It never waits for a sink.

mod account;
mod batch;
mod collect;
mod flush;
mod process;
mod rates;

pub use batch::Batch;
#[cfg(all(test, feature = "wire"))]
pub(crate) use batch::Moment;
pub(crate) use collect::Collector;
