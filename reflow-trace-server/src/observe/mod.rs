//! What the server says about itself: metrics and the log.
//!
//! Metrics are plain atomics, counted where the work is done and rendered when somebody asks; the table
//! of their names is in [`metrics`]. The log is for what happens seldom; what a hostile client could make
//! happen often is [limited](limit), and what came from the wire is made [harmless] before it is written.

pub mod harmless;
mod instruments;
pub mod limit;
mod log;
pub mod metrics;
mod recent;

pub use harmless::Harmless;
pub use limit::Limited;
pub(crate) use log::start as start_log;
pub use metrics::Metrics;
pub use recent::{Recent, RecentSums};
