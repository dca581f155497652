//! What every package of the benchmark measures with: one body of work, one floor, one way to time it.
//!
//! Each package includes this folder by path, so that ours, the peers and the build without tracing
//! do the same work, and each measures the bare send and the floor in its own process: ratios never
//! compare two processes.

pub(crate) mod floor;
pub(crate) mod rows;
pub(crate) mod work;

/// Why a measurement could not be made.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Slots of a ring, ours by default; the buffer of the floor is as large.
pub(crate) const RING_SLOTS: usize = 4_096;

/// Sends in a burst: what fits a ring, and stays below the fill at which a writer wakes the
/// collector, which is a system call.
pub(crate) const BURST: u64 = 3_000;
