//! The server of reflow-trace, as a library: a test or an example can start a whole server in its own
//! process.
//!
//! Sessions take batches in (`ingest`), one committer groups them (`commit`), a [`store`] makes them
//! durable, and only then are they acknowledged. What was acknowledged is never forgotten and never
//! stored twice, whatever dies in between.

pub mod store;
