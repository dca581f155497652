//! Figures about a store and its work.

/// How a store is; each field says when it falls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// Batches stored since the store was made. Never falls.
    pub batches: u64,
    /// Events stored since the store was made. Never falls.
    pub events: u64,
    /// Numbers that were skipped, over all streams. Never falls.
    pub gaps: u64,
    /// Duplicates since the store was opened.
    pub duplicates: u64,
    /// Commits that failed since the store was opened.
    pub failed_commits: u64,
    /// Batches in the log that are in no segment yet. Falls by sealing.
    pub tail_batches: u64,
    /// Their events.
    pub tail_events: u64,
    /// Bytes of memory that they take, nearly.
    pub tail_memory_bytes: u64,
    /// When the oldest of them was committed, nanoseconds since 1970 by the server's clock; `None`
    /// when there is none. The lag of the sealer is what has passed since.
    pub tail_since_ns: Option<i64>,
    /// Segments in the catalogue. Falls by merging and by retention.
    pub segments: u64,
    /// Their events.
    pub segment_events: u64,
    /// Their bytes on the disk.
    pub segment_bytes: u64,
    /// Bytes of files that are retired and still read by somebody. Falls when they let go.
    pub held_bytes: u64,
    /// Bytes of the database and of its write-ahead log.
    pub database_bytes: u64,
    /// Segments made by sealing since the store was opened.
    pub sealed_segments: u64,
    /// Segments that others were merged into since the store was opened.
    pub merged_segments: u64,
    /// Segments retired by retention since the store was made. Never falls.
    pub retired_segments: u64,
    /// Their events. Never falls.
    pub retired_events: u64,
    /// Producers whose ledger was forgotten, by age or for room, since the store was made.
    pub retired_producers: u64,
    /// Streams whose last number was forgotten for room, since the store was made.
    pub retired_streams: u64,
    /// Files without an entry in the catalogue, left by a crash, that were removed when the store was opened.
    pub orphans_removed: u64,
    /// Segments that are missing or damaged and were set aside; nobody removes them but the operator.
    pub damaged_segments: u64,
    /// Their events, which no query finds. `events = tail + segment + retired + damaged`.
    pub damaged_events: u64,
    /// Ledgers of producers that cannot be read and count from 0 again.
    pub damaged_ledgers: u64,
    /// Why the last sealing, merging or retention failed; `None` when it did not.
    pub last_failure: Option<String>,
    /// Retention by age waits, because the clock has made a step that is not believed yet.
    pub clock_in_doubt: bool,
}

/// What one call of [`Store::maintain`](super::Store::maintain) has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MaintenanceReport {
    /// Events that went from the log into segments.
    pub sealed_events: u64,
    /// Segments they went into.
    pub sealed_segments: u64,
    /// Segments that were merged away.
    pub merged_segments: u64,
    /// Segments that were retired.
    pub retired_segments: u64,
    /// Their events.
    pub retired_events: u64,
    /// Files that nobody held any more and that were removed.
    pub removed_files: u64,
    /// Segments that were found missing or damaged.
    pub damaged_segments: u64,
}
