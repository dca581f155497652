//! Traced channels of the standard library.

pub mod mpsc;
