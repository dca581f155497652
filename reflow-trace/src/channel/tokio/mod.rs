//! The channels of `tokio::sync`, traced.

pub mod broadcast;
pub mod mpsc;
pub mod oneshot;
