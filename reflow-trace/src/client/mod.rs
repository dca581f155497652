//! Events to a server.

mod driver;
pub mod machine;
mod sink;
pub mod spool;

pub use sink::{ServerSink, ServerSinkBuilder, ServerStatus, ServerWatch};
