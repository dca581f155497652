//! Loads for measurements: the traffic, a client that has its batches ready, and the server in a process
//! of its own whose memory is watched.

pub mod sealed;
pub mod server;
pub mod traffic;

/// Why a measurement failed.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
