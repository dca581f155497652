//! What a store holds at one moment, as a view that stays as it is.

use reflow_trace::TraceEvent;
use reflow_trace::event::ProducerId;
use reflow_trace::lineage::Numbers;

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

    /// Shows what happened on each edge in each minute, part by part: of every part in which there may be
    /// something of `range`. Minutes outside of it are among them.
    ///
    /// # Errors
    ///
    /// When the catalogue cannot be read.
    fn each_rollup(
        &self,
        range: TimeRange,
        visit: &mut dyn FnMut(&Rollup),
    ) -> Result<(), StoreError>;

    /// What happened on each edge in each minute that `range` touches, whole minutes.
    ///
    /// # Errors
    ///
    /// As [`each_rollup`](Self::each_rollup).
    fn rollup(&self, range: TimeRange) -> Result<Rollup, StoreError> {
        let mut sums = Rollup::default();
        self.each_rollup(range, &mut |part| sums.merge(part, range))?;
        Ok(sums)
    }

    /// Which numbers of attempts of this producer are among the events.
    ///
    /// What was retired is not: it looks as if it were missing.
    ///
    /// # Errors
    ///
    /// When the catalogue cannot be read.
    fn numbers(&self, producer: ProducerId) -> Result<Numbers, StoreError>;

    /// What each producer has said of itself: exact counters, coverage, losses.
    fn producers(&self) -> &ProducerLedgers;
}
