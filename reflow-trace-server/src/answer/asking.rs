//! What everything that answers a question shares: how long it may take, how much it may hold, what it
//! may show, and what it has cost so far.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use reflow_trace::TraceEvent;
use reflow_trace::api::{ApiError, ErrorCode, Work};

use crate::config::QueryLimits;
use crate::live::without_content;
use crate::store::{Effort, StoreError, Watch};

/// What who asks may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    /// Captured content of messages.
    pub(crate) content: bool,
}

/// A question under way.
#[derive(Debug)]
pub(crate) struct Asking {
    begun: Instant,
    cancelled: Arc<AtomicBool>,
    stop: Stop,
    pub(crate) limits: QueryLimits,
    pub(crate) rights: Rights,
    pub(crate) cost: Cost,
    /// Bytes of content in what was found and is kept.
    held_bytes: AtomicU64,
}

/// Until when questions may still be answered by a server that is about to stop; nothing where it is not.
pub(crate) type Stop = Arc<OnceLock<Instant>>;

/// What answering has cost so far; the counters of [`Work`].
#[derive(Debug, Default)]
pub(crate) struct Cost {
    pub(crate) segments: AtomicU64,
    pub(crate) segments_opened: AtomicU64,
    pub(crate) pages: AtomicU64,
    pub(crate) pages_read: AtomicU64,
    pub(crate) rows_looked_at: AtomicU64,
    pub(crate) events_decoded: AtomicU64,
    pub(crate) cells: AtomicU64,
}

impl Asking {
    /// A question that begins now, and is over when `cancelled` says so.
    pub(crate) fn new(limits: QueryLimits, rights: Rights, cancelled: Arc<AtomicBool>) -> Self {
        Self {
            begun: Instant::now(),
            cancelled,
            stop: Stop::default(),
            limits,
            rights,
            cost: Cost::default(),
            held_bytes: AtomicU64::new(0),
        }
    }

    /// The same, over when the server stops, too.
    pub(crate) fn until(self, stop: Stop) -> Self {
        Self { stop, ..self }
    }

    /// Whether to go on; to be asked at least once for every page of rows.
    ///
    /// # Errors
    ///
    /// The time is over, the server stops, or nobody waits for the answer any more.
    pub(crate) fn go_on(&self) -> Result<(), ApiError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(ApiError::new(
                ErrorCode::TimedOut,
                "the question was cancelled",
            ));
        }
        let now = Instant::now();
        if self.stop.get().is_some_and(|&stop| now >= stop) {
            return Err(stopping());
        }
        if now.duration_since(self.begun) >= self.limits.timeout {
            return Err(ApiError::new(
                ErrorCode::TimedOut,
                format!(
                    "answering took longer than {:?} (`query.timeout`): ask about a shorter time or with a narrower filter",
                    self.limits.timeout
                ),
            ));
        }
        Ok(())
    }

    /// Counts cells of roll-ups that were added up.
    pub(crate) fn spend_cells(&self, cells: u64) {
        self.cost.cells.fetch_add(cells, Ordering::Relaxed);
    }

    /// What a fault of the store is to who asks this question: where it was given up, the reason for that.
    pub(crate) fn of_store(&self, error: &StoreError) -> ApiError {
        match (error, self.go_on()) {
            (StoreError::GivenUp, Err(reason)) => reason,
            (StoreError::GivenUp, Ok(())) if self.holds_too_much() => ApiError::new(
                ErrorCode::TooLarge,
                format!(
                    "what was found has more than {} bytes of captured content (`query.answer_bytes_max`): ask about less, or with a token without the scope `content`",
                    self.limits.answer_bytes_max
                ),
            ),
            _ => of_store(error),
        }
    }

    fn holds_too_much(&self) -> bool {
        let held = usize::try_from(self.held_bytes.load(Ordering::Relaxed));
        held.is_ok_and(|held| held > self.limits.answer_bytes_max)
    }

    /// The event as it may be shown to who asks.
    pub(crate) fn shown(&self, event: TraceEvent) -> TraceEvent {
        if self.rights.content {
            event
        } else {
            without_content(event)
        }
    }

    /// What it has cost so far.
    pub(crate) fn work(&self) -> Work {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Work {
            segments: read(&self.cost.segments),
            segments_opened: read(&self.cost.segments_opened),
            pages: read(&self.cost.pages),
            pages_read: read(&self.cost.pages_read),
            rows_looked_at: read(&self.cost.rows_looked_at),
            events_decoded: read(&self.cost.events_decoded),
            cells: read(&self.cost.cells),
            micros: u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        }
    }
}

impl Watch for Asking {
    fn go_on(&self) -> Result<(), StoreError> {
        // Why is told by who asks next; see [`of_store`](Self::of_store).
        Self::go_on(self).map_err(|_| StoreError::GivenUp)
    }

    fn keep(&self, event: TraceEvent) -> Result<TraceEvent, StoreError> {
        let event = self.shown(event);
        let captured = event.data.message.as_ref();
        let captured = captured.map_or(0, |message| message.serialized_data.len());
        let changed = event.data.state_diff.as_ref();
        let changed = changed.map_or(0, |diff| {
            diff.after.len() + diff.before.as_ref().map_or(0, Vec::len)
        });
        let bytes = (captured + changed) as u64;
        self.held_bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.holds_too_much() {
            return Err(StoreError::GivenUp);
        }
        Ok(event)
    }

    fn spend(&self, effort: Effort) {
        let add = |counter: &AtomicU64, more| counter.fetch_add(more, Ordering::Relaxed);
        add(&self.cost.segments, effort.segments);
        add(&self.cost.segments_opened, effort.segments_opened);
        add(&self.cost.pages, effort.pages);
        add(&self.cost.pages_read, effort.pages_read);
        add(&self.cost.rows_looked_at, effort.rows_looked_at);
        add(&self.cost.events_decoded, effort.events_decoded);
    }
}

/// Why nothing is answered any more.
pub(crate) fn stopping() -> ApiError {
    ApiError::new(ErrorCode::Stopping, "the server is about to stop")
}

/// What a fault of the store is to who asks.
pub(crate) fn of_store(error: &StoreError) -> ApiError {
    let code = if error.is_retryable() {
        ErrorCode::Busy
    } else {
        ErrorCode::Store
    };
    ApiError::new(code, error.to_string())
}
