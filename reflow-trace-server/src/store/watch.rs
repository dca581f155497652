//! Who looks on while something is looked for: whether to go on, and what it has cost.

use reflow_trace::TraceEvent;

use super::StoreError;

/// What looking for something has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Segments there are.
    pub segments: u64,
    /// Of those, opened.
    pub segments_opened: u64,
    /// Pages of rows there are in the segments that were opened.
    pub pages: u64,
    /// Of those, decoded, in whole or in part; once for each time that columns were read of it.
    pub pages_read: u64,
    /// Rows of which at least one column was looked at, in segments and in the tail.
    pub rows_looked_at: u64,
    /// Rows of which a whole event was made.
    pub events_decoded: u64,
}

/// Who looks on.
pub trait Watch: Send + Sync {
    /// Whether to go on; it is asked at least once for each page of rows.
    ///
    /// # Errors
    ///
    /// Any error ends the work, and is what becomes of it; [`StoreError::GivenUp`] says no more than that.
    fn go_on(&self) -> Result<(), StoreError>;

    /// An event that was found, before it is kept with others: as far as it is wanted.
    ///
    /// # Errors
    ///
    /// Those of [`go_on`](Self::go_on): together they are too much.
    fn keep(&self, event: TraceEvent) -> Result<TraceEvent, StoreError> {
        Ok(event)
    }

    /// Adds what a part of the work has cost.
    fn spend(&self, effort: Effort);
}

/// Nobody looks on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn go_on(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn spend(&self, _effort: Effort) {}
}
