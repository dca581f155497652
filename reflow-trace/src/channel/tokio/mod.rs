//! The channels of `tokio::sync`, traced.

pub mod mpsc;
pub mod oneshot;
