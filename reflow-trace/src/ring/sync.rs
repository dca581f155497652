//! The one place that chooses between the standard atomics and loom's.

#[cfg(all(loom, test))]
pub(super) use loom::sync::{
    Arc,
    atomic::{AtomicU64, Ordering, fence},
};
#[cfg(not(all(loom, test)))]
pub(super) use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering, fence},
};
