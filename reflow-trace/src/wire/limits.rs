//! What a batch may hold.

use super::frame::FrameLimits;

/// What a reader of batches accepts; a writer keeps to the same, so that it makes nothing that is refused.
///
/// A batch of `n` events takes at most about `120 × n` bytes of memory once it is read, beside its sections
/// and its dictionary; a line of counters, whose five names are written out, up to 1.5 KB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Of the frame around it.
    pub frame: FrameLimits,
    /// Most events in a batch; default 65 536. The collector closes its batches at 8 192.
    pub events_max: u32,
    /// Most names in the dictionary of a batch; default 524 288, for a snapshot of the counters may name
    /// every edge of a process. A name has at most [`NAME_BYTES_MAX`](crate::NAME_BYTES_MAX) bytes.
    pub names_max: u32,
    /// Most edges, most message types, most thresholds and most rings in the dictionary of a batch;
    /// default 65 536 of each.
    pub entries_max: u32,
    /// Most lines in the snapshots of exact counters, edges and rings together; default 131 072.
    pub counters_max: u32,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            frame: FrameLimits::default(),
            events_max: 1 << 16,
            names_max: 1 << 19,
            entries_max: 1 << 16,
            counters_max: 1 << 17,
        }
    }
}
