//! What a store holds at one moment, as a view that stays as it is.

use std::sync::Arc;

use reflow_trace::api::Cursor;
use reflow_trace::event::ProducerId;
use reflow_trace::lineage::{Numbers, named_causes};
use reflow_trace::query::CompiledQuery;
use reflow_trace::query::filter::{Column, Literal, Range};
use reflow_trace::wire::EventRow;
use reflow_trace::{EventId, TraceEvent, TraceId};
use serde_json::Value;

use super::columns::Part;
use super::rollup::Rollup;
use super::{ProducerLedgers, StoreError, Watch, plain};

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

/// What an event is looked up by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Key<'a> {
    /// The event of this id; more than one where somebody has sent it twice.
    Event(EventId),
    /// All events of a trace.
    Trace(TraceId),
    /// The direct effects of an event: those that name it as their cause, as one of several, or, where they name no
    /// cause, as the last of the chain that led to them.
    Parent(EventId),
    /// Events whose message has this id, exactly: the number 5 is not the text `5`.
    Message(&'a Value),
}

impl Key<'_> {
    /// Whether the event has this key.
    pub fn is_of(&self, event: &TraceEvent) -> bool {
        match *self {
            Self::Event(id) => event.event_id == id,
            Self::Trace(id) => event.trace_id == Some(id),
            Self::Parent(id) => named_causes(event).any(|cause| cause == id),
            Self::Message(id) => event.message_id() == Some(id),
        }
    }
}

/// An event with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Where it stands in the order of all events: by time, by the offset of its batch, by its place among
    /// those of this time in the batch. It is the same as long as the event is stored.
    pub place: Cursor,
    /// The event.
    pub event: TraceEvent,
}

/// Events with their places, one after the other; reading a segment may fail in between.
pub type FoundEvents<'a> = Box<dyn Iterator<Item = Result<Found, StoreError>> + Send + 'a>;

/// The events of one batch.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundBatch {
    /// The place of the batch in the log.
    pub offset: u64,
    /// Its events in the order of their time, and for equal times of their place in it.
    pub events: Vec<TraceEvent>,
}

/// Batches one after the other; reading a segment may fail in between.
pub type FoundBatches<'a> = Box<dyn Iterator<Item = Result<FoundBatch, StoreError>> + Send + 'a>;

/// Which events are looked for, and in which order.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// What has to be true of them. Its limit and its offset are the matter of who asks.
    pub query: CompiledQuery,
    /// Only events of this kind, by its [name](reflow_trace::TraceEventType::name).
    pub kind: Option<&'static str>,
    /// Only what comes after this place, in the order that is asked for.
    pub after: Option<Cursor>,
    /// The newest first.
    pub newest_first: bool,
    /// About how many will be taken, so that no more are prepared.
    pub most: usize,
}

impl Scan {
    /// Everything that the query is true of, the oldest first.
    pub fn new(query: CompiledQuery) -> Self {
        Self {
            query,
            kind: None,
            after: None,
            newest_first: false,
            most: usize::MAX,
        }
    }

    /// The stretch of time in which answers can be, as stores keep times. Nothing but times is looked at.
    pub fn range(&self) -> TimeRange {
        let bounds = self.query.bounds(Column::Timestamp);
        let mut range = TimeRange::ALL;
        let end = |ns: i64| ns.saturating_add(1);
        match bounds.range() {
            _ if bounds.may_be_unknown() => {}
            Range::Among(times) => {
                let times = times.iter().filter_map(nearest_ns);
                let (first, last) = times.fold((i64::MAX, i64::MIN), |(first, last), ns| {
                    (first.min(ns), last.max(ns))
                });
                // Where there is no time at all, the stretch is empty.
                (range.start_ns, range.end_ns) = (first, end(last));
                if first > last {
                    range.end_ns = first.min(i64::MAX - 1);
                    range.start_ns = range.end_ns;
                }
            }
            Range::Between { low, high } => {
                if let Some(low) = low.as_ref().and_then(nearest_ns) {
                    range.start_ns = low;
                }
                if let Some(high) = high.as_ref().and_then(nearest_ns) {
                    range.end_ns = end(high);
                }
            }
        }
        if let Some(after) = self.after {
            if self.newest_first {
                range.end_ns = range.end_ns.min(end(after.time_ns));
            } else {
                range.start_ns = range.start_ns.max(after.time_ns);
            }
        }
        range
    }

    /// Whether the place is still to come.
    pub(crate) fn is_due(&self, place: Cursor) -> bool {
        match self.after {
            None => true,
            Some(after) if self.newest_first => place < after,
            Some(after) => place > after,
        }
    }

    /// Whether the event of the row would be an answer.
    pub(crate) fn matches_row(&self, row: &EventRow<'_>) -> bool {
        self.kind.is_none_or(|kind| row.event_type() == kind) && self.query.matches_row(row)
    }

    /// Whether it is an answer.
    pub(crate) fn matches(&self, event: &TraceEvent) -> bool {
        self.kind.is_none_or(|kind| event.event_type.name() == kind) && self.query.matches(event)
    }
}

/// The time as a store keeps it: the nearest that there is.
pub(crate) fn nearest_ns(time: &Literal) -> Option<i64> {
    let Literal::Time(time) = time else {
        return None;
    };
    let nearest = if time.timestamp() < 0 {
        i64::MIN
    } else {
        i64::MAX
    };
    Some(time.timestamp_nanos_opt().unwrap_or(nearest))
}

/// What a store holds at one moment. The contract is in the header of [`store`](super).
///
/// Its methods read files and decode: call them where waiting is allowed.
pub trait Snapshot: Send + Sync {
    /// The first offset that is not in it.
    fn end(&self) -> u64;

    /// The first offset that is in it: what is before was retired. The [end](Self::end) where it is empty.
    fn begin(&self) -> u64;

    /// Stretches of offsets of which something can no longer be read, because it was damaged or retired: the first and
    /// the one after the last, ascending, apart from each other.
    fn holes(&self) -> Vec<(u64, u64)> {
        Vec::new()
    }

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

    /// The events of a stretch of time that have one of these keys, in the order of their places, each once.
    ///
    /// Only what may have one is opened, and only what has one becomes an event. It may end as soon as it has more
    /// than `most`, whichever they are: then there are more, and that is all that is said of the others.
    ///
    /// # Errors
    ///
    /// When something cannot be read, or when `watch` ends it.
    fn find(
        &self,
        keys: &[Key<'_>],
        range: TimeRange,
        most: usize,
        watch: &dyn Watch,
    ) -> Result<Vec<Found>, StoreError> {
        plain::find(self.parts(), keys, range, most, watch)
    }

    /// Events that a query is true of, in the order of their places or against it.
    ///
    /// Nothing is decoded before it is asked for; what cannot be an answer by its time or by the least and greatest
    /// values of a page is not read, and only answers become events. After an error nothing more comes.
    ///
    /// Whoever reads page by page takes a new snapshot for each, and goes on [after](Scan::after) the last place: no
    /// event comes twice and none is made up, whatever was sealed, merged or retired in between. What was retired does
    /// not come any more, and what was stored behind that place in the meantime does.
    fn scan<'a>(&'a self, scan: &'a Scan, watch: &'a dyn Watch) -> FoundEvents<'a> {
        plain::scan(self.parts(), scan, watch)
    }

    /// The batches from this offset on, in the order of their offsets, as far as they are still there and hold
    /// events.
    fn batches_from<'a>(&'a self, offset: u64, watch: &'a dyn Watch) -> FoundBatches<'a> {
        plain::batches_from(self.parts(), offset, watch)
    }

    /// What it holds, column by column: everything once, in parts whose times may overlap.
    fn parts(&self) -> Vec<Arc<dyn Part>>;

    /// Shows what happened on each edge in each minute, part by part: of every part in which there may be
    /// something of `range`. Minutes outside of it are among them.
    ///
    /// # Errors
    ///
    /// When the catalogue cannot be read; and whatever `visit` says, which ends it.
    fn each_rollup(
        &self,
        range: TimeRange,
        visit: &mut dyn FnMut(&Rollup) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// What happened on each edge in each minute that `range` touches, whole minutes.
    ///
    /// # Errors
    ///
    /// As [`each_rollup`](Self::each_rollup).
    fn rollup(&self, range: TimeRange) -> Result<Rollup, StoreError> {
        let mut sums = Rollup::default();
        self.each_rollup(range, &mut |part| {
            sums.merge(part, range);
            Ok(())
        })?;
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
