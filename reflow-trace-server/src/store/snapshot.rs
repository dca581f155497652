//! What a store holds at one moment, as a view that stays as it is.

use reflow_trace::TraceEvent;

use super::rollup::Rollup;
use super::{ProducerLedgers, StoreError};

/// Events one after the other; reading a segment may fail in between.
pub type Events<'a> = Box<dyn Iterator<Item = Result<TraceEvent, StoreError>> + Send + 'a>;

/// A stretch of time, in nanoseconds since 1970: from `start_ns` on, and before `end_ns`.
///
/// The last nanosecond that there is, `i64::MAX`, belongs to a stretch that ends there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// The first moment in it.
    pub start_ns: i64,
    /// The first moment after it.
    pub end_ns: i64,
}

impl TimeRange {
    /// All of time.
    pub const ALL: Self = Self {
        start_ns: i64::MIN,
        end_ns: i64::MAX,
    };

    /// Whether an event of this time is in it.
    pub const fn contains(&self, time_ns: i64) -> bool {
        self.start_ns <= time_ns && (time_ns < self.end_ns || self.end_ns == i64::MAX)
    }

    /// Whether something between `first_ns` and `last_ns`, both included, can be in it.
    pub const fn touches(&self, first_ns: i64, last_ns: i64) -> bool {
        self.start_ns <= last_ns && (first_ns < self.end_ns || self.end_ns == i64::MAX)
    }
}

/// Stored batches in the order of the log.
#[derive(Debug)]
pub struct Stored {
    /// The first offset, from the one that was asked for on, that was not retired.
    pub from: u64,
    /// Offsets with their events, ascending, whole batches; those without events are left out.
    pub batches: Vec<(u64, Vec<TraceEvent>)>,
    /// Where to go on: everything that is stored from `from` up to here is in `batches`.
    pub next: u64,
}

/// What a store holds at one moment. The contract is in the header of [`store`](super).
///
/// Its methods read files and decode: call them where waiting is allowed.
pub trait Snapshot: Send + Sync {
    /// The first offset that is not in it.
    fn end(&self) -> u64;

    /// How many events it holds.
    fn len(&self) -> u64;

    /// Whether it holds no event.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The recorded events of a stretch of time, in the order of their time.
    ///
    /// Nothing is decoded before it is asked for, and no more than is.
    fn events(&self, range: TimeRange) -> Events<'_>;

    /// Batches from an offset on, until there are so many events or no more batches.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    fn batches_from(&self, _offset: u64, _events_max: usize) -> Result<Stored, StoreError> {
        Ok(Stored {
            from: self.end(),
            batches: Vec::new(),
            next: self.end(),
        })
    }

    /// What happened on each edge in each minute that `range` touches, whole minutes.
    ///
    /// # Errors
    ///
    /// When the catalogue cannot be read.
    fn rollup(&self, range: TimeRange) -> Result<Rollup, StoreError>;

    /// What each producer has said of itself: exact counters, coverage, losses.
    fn producers(&self) -> &ProducerLedgers;
}
