//! What is known of every edge and type: exact counters and roll-ups brought together. No event is read.
//!
//! Over all of time the rule is that of [`DataFlowGraph::from_events`](reflow_trace::DataFlowGraph::from_events):
//! what a producer has counted itself is exact, what another has sent without counting is estimated from its events,
//! and the sum can be trusted as much as its weakest part.
//!
//! Counters know no time. So a stretch of time is counted by its events, and that is exact only where the counters
//! prove that every message of the edge and type is stored: each producer has counted exactly as many as there are
//! events of it, and none that it did not sample. Otherwise it is an estimate where messages were sampled, and a lower bound where none was or it is
//! not known.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use reflow_trace::api::{ApiError, ErrorCode};
use reflow_trace::event::ProducerId;
use reflow_trace::graph::Count;
use reflow_trace::ledger::{EdgeCounters, Loss, LossReason};

use super::Asking;
use crate::store::rollup::{EdgeName, Happening, Histogram, MINUTE_NS, Rollup, Sum};
use crate::store::{Snapshot, StoreError, TimeRange, Watch};

/// Cells that are added up between two looks at the clock.
const CELLS_AT_ONCE: usize = 4_096;

/// The first and the last moment that is asked for.
pub(super) type Span = (DateTime<Utc>, DateTime<Utc>);

/// Everything that flowed.
#[derive(Default)]
pub(super) struct Flows {
    /// By edge and type.
    pub(super) flows: BTreeMap<(EdgeName, String), Flow>,
    /// Actors that have reported something of themselves, and how often each has failed.
    pub(super) actors: BTreeMap<String, u64>,
    /// What was lost, over all of time.
    pub(super) losses: Vec<Loss>,
    /// The whole minutes that were added up; `None`: all of time.
    pub(super) span: Option<Span>,
}

/// What is known of one type over one edge.
pub(super) struct Flow {
    pub(super) messages: Count,
    pub(super) failures: Count,
    pub(super) received: Count,
    pub(super) dropped: Count,
    /// Events of sends, and the bytes of their messages.
    pub(super) events: u64,
    pub(super) bytes: u64,
    /// Of sends.
    pub(super) execution: Histogram,
    /// Of what was taken up.
    pub(super) waiting: Histogram,
}

/// Gathers what flowed in a stretch of time, `None` for all of it, over edges that begin or end at `actor`.
pub(super) fn gather(
    view: &dyn Snapshot,
    span: Option<Span>,
    actor: Option<&str>,
    asking: &Asking,
) -> Result<Flows, ApiError> {
    let range = span.map_or(Ok(TimeRange::ALL), range_of)?;
    let mut gathering = Gathering {
        asking,
        range,
        actor,
        keys: HashMap::new(),
        tallies: Vec::new(),
        actors: BTreeMap::new(),
        is_cut: false,
    };
    // All of them: what is stored over all of time is what the counters are compared with.
    view.each_rollup(TimeRange::ALL, &mut |part| gathering.add(part))
        .map_err(|error| asking.of_store(&error))?;
    let mut losses = BTreeMap::<LossReason, u64>::new();
    for ledger in view.producers().iter() {
        asking.go_on()?;
        for (&reason, &count) in &ledger.losses {
            let lost = losses.entry(reason).or_default();
            *lost = lost.saturating_add(count);
        }
        for line in ledger.counters.iter().flat_map(|it| &it.edges) {
            gathering.add_counters(ledger.producer, line);
        }
    }
    // What is under a name that is not its own is lost to its own.
    let something_lost = gathering.is_cut || losses.values().any(|&count| count > 0);
    let is_all = range == TimeRange::ALL;
    let flows = gathering.keys.into_iter().filter_map(|(key, place)| {
        let flow = gathering.tallies[place].judge(is_all, something_lost, gathering.is_cut)?;
        Some((key, flow))
    });
    Ok(Flows {
        flows: flows.collect(),
        actors: gathering.actors,
        losses: losses
            .into_iter()
            .map(|(reason, count)| Loss { reason, count })
            .collect(),
        span: (!is_all).then(|| minutes_of(range)),
    })
}

/// The stretch from the first moment to the last, both included.
fn range_of((first, last): Span) -> Result<TimeRange, ApiError> {
    if first > last {
        return Err(ApiError::new(
            ErrorCode::InvalidQuestion,
            format!(
                "`time_range` ends at {last} before it begins at {first}: write the earlier time first"
            ),
        ));
    }
    let nearest = |time: DateTime<Utc>| {
        let beyond = if time.timestamp() < 0 {
            i64::MIN
        } else {
            i64::MAX
        };
        time.timestamp_nanos_opt().unwrap_or(beyond)
    };
    Ok(TimeRange {
        start_ns: nearest(first),
        end_ns: nearest(last).saturating_add(1),
    })
}

/// The first and the last moment of the minutes that a stretch touches.
fn minutes_of(range: TimeRange) -> Span {
    let first = range.start_ns.div_euclid(MINUTE_NS);
    let last = range.end_ns.saturating_sub(1).div_euclid(MINUTE_NS);
    let end_ns = last.saturating_mul(MINUTE_NS).saturating_add(MINUTE_NS - 1);
    (
        DateTime::from_timestamp_nanos(first.saturating_mul(MINUTE_NS)),
        DateTime::from_timestamp_nanos(end_ns),
    )
}

struct Gathering<'a> {
    asking: &'a Asking,
    range: TimeRange,
    actor: Option<&'a str>,
    /// Where the tally of each edge and type is.
    keys: HashMap<(EdgeName, String), usize>,
    tallies: Vec<Tally>,
    actors: BTreeMap<String, u64>,
    /// Some events were added up under a name that is not theirs.
    is_cut: bool,
}

/// All that is known of one type over one edge.
#[derive(Default)]
struct Tally {
    /// In the stretch of time.
    sent: Sum,
    received: Sum,
    dropped: Sum,
    bytes: u64,
    execution: Histogram,
    waiting: Histogram,
    /// Over all of time: events by their producer, and what it has counted itself.
    by_producer: BTreeMap<Option<ProducerId>, OfProducer>,
}

#[derive(Default)]
struct OfProducer {
    sent: Sum,
    received: Sum,
    dropped: Sum,
    counted: Option<Counted>,
}

#[derive(Default)]
struct Counted {
    messages: u64,
    /// Of the messages, those that were never recorded.
    not_sampled: u64,
    failures: u64,
    received: u64,
    dropped: u64,
}

impl Gathering<'_> {
    fn add(&mut self, part: &Rollup) -> Result<(), StoreError> {
        self.is_cut |= part.is_cut();
        let mut places: HashMap<(u32, u32), Option<usize>> = HashMap::new();
        let mut place_of = |gathering: &mut Self, edge: u32, message_type: u32| {
            *places.entry((edge, message_type)).or_insert_with(|| {
                let edge = part.edges().get(edge as usize)?;
                let message_type = part.types().get(message_type as usize)?;
                gathering.place(edge, message_type)
            })
        };
        for (count, (key, cell)) in (1..).zip(part.cells_in(self.range)) {
            if count % CELLS_AT_ONCE == 0 {
                Watch::go_on(self.asking)?;
            }
            self.asking.spend_cells(1);
            if key.happening == Happening::Lived {
                if let Some(edge) = part.edges().get(key.edge as usize) {
                    self.add_life(&edge.from_actor, cell.failures);
                }
                continue;
            }
            let Some(place) = place_of(self, key.edge, key.message_type) else {
                continue;
            };
            let tally = &mut self.tallies[place];
            let sum = Sum::of_cell(cell);
            match key.happening {
                Happening::Sent => {
                    tally.sent.add(&sum);
                    tally.bytes = tally.bytes.saturating_add(cell.bytes);
                    tally.execution.merge(&cell.execution);
                }
                Happening::Received => {
                    tally.received.add(&sum);
                    tally.waiting.merge(&cell.waiting);
                }
                Happening::Dropped => tally.dropped.add(&sum),
                Happening::Announced | Happening::Lived => {}
            }
        }
        Watch::go_on(self.asking)?;
        for (key, sum) in part.sums().iter() {
            let about_message = !matches!(key.happening, Happening::Announced | Happening::Lived);
            let place = about_message
                .then(|| place_of(self, key.edge, key.message_type))
                .flatten();
            let Some(place) = place else { continue };
            let of_producer = self.tallies[place]
                .by_producer
                .entry(key.producer)
                .or_default();
            match key.happening {
                Happening::Sent => of_producer.sent.add(sum),
                Happening::Received => of_producer.received.add(sum),
                Happening::Dropped => of_producer.dropped.add(sum),
                Happening::Announced | Happening::Lived => {}
            }
        }
        Ok(())
    }

    fn is_wanted(&self, edge: &EdgeName) -> bool {
        self.actor
            .is_none_or(|actor| edge.from_actor == actor || edge.to_actor == actor)
    }

    fn add_life(&mut self, actor: &str, failures: u64) {
        if self.actor.is_some_and(|wanted| wanted != actor) {
            return;
        }
        match self.actors.get_mut(actor) {
            Some(known) => *known += failures,
            None => {
                self.actors.insert(actor.to_owned(), failures);
            }
        }
    }

    fn place(&mut self, edge: &EdgeName, message_type: &str) -> Option<usize> {
        if !self.is_wanted(edge) {
            return None;
        }
        let next = self.tallies.len();
        let key = (edge.clone(), message_type.to_owned());
        let place = *self.keys.entry(key).or_insert(next);
        if place == next {
            self.tallies.push(Tally::default());
        }
        Some(place)
    }

    fn add_counters(&mut self, producer: ProducerId, line: &EdgeCounters) {
        if line.messages == 0 && line.received == 0 && line.dropped == 0 {
            return;
        }
        let edge = EdgeName {
            from_actor: line.from_actor.clone(),
            from_port: line.from_port.clone(),
            to_actor: line.to_actor.clone(),
            to_port: line.to_port.clone(),
        };
        let Some(place) = self.place(&edge, &line.message_type) else {
            return;
        };
        let tally = &mut self.tallies[place];
        let of_producer = tally.by_producer.entry(Some(producer)).or_default();
        // A table that was full lists what it had no room for under one name, more than once.
        let counted = of_producer.counted.get_or_insert_default();
        counted.messages = counted.messages.saturating_add(line.messages);
        counted.not_sampled = counted.not_sampled.saturating_add(line.not_sampled);
        counted.failures = counted.failures.saturating_add(line.failures);
        counted.received = counted.received.saturating_add(line.received);
        counted.dropped = counted.dropped.saturating_add(line.dropped);
    }
}

/// What is known of one kind of happenings: the events of a producer, and what it has counted, where it counts that.
struct Known<'a> {
    seen: &'a Sum,
    counted: Option<u64>,
    /// Of what is counted, what was never recorded.
    not_sampled: u64,
}

type Kind = fn(&OfProducer) -> Known<'_>;

const MESSAGES: Kind = |of| Known {
    seen: &of.sent,
    counted: counted(of, |it| it.messages),
    not_sampled: of.counted.as_ref().map_or(0, |it| it.not_sampled),
};
/// Only the ends of traced channels are counted; elsewhere the events say what they can.
const RECEIVED: Kind = |of| Known {
    seen: &of.received,
    counted: counted(of, |it| it.received),
    not_sampled: 0,
};
const DROPPED: Kind = |of| Known {
    seen: &of.dropped,
    counted: counted(of, |it| it.dropped),
    not_sampled: 0,
};

fn counted(of: &OfProducer, count: impl FnOnce(&Counted) -> u64) -> Option<u64> {
    of.counted.as_ref().map(count).filter(|&count| count > 0)
}

impl Tally {
    /// `None` when nothing has happened in the stretch of time.
    fn judge(&self, is_all: bool, something_lost: bool, is_cut: bool) -> Option<Flow> {
        let (messages, failures, received, dropped) = if is_all {
            (
                self.over_all_time(MESSAGES, something_lost),
                self.failures_over_all_time(something_lost),
                self.over_all_time(RECEIVED, something_lost),
                self.over_all_time(DROPPED, something_lost),
            )
        } else {
            let is_proven = |kind| !is_cut && self.is_proven(kind);
            let sent_is_proven = is_proven(MESSAGES);
            (
                count_of(sent_is_proven, self.sent.all.events, || {
                    self.sent.all.estimate(true)
                }),
                count_of(sent_is_proven, self.sent.failed.events, || {
                    self.sent.failed.estimate(true)
                }),
                count_of(is_proven(RECEIVED), self.received.all.events, || {
                    self.received.all.estimate(true)
                }),
                count_of(is_proven(DROPPED), self.dropped.all.events, || {
                    self.dropped.all.estimate(true)
                }),
            )
        };
        let counts = [messages, received, dropped];
        if counts.iter().all(|count| count.value() == 0) {
            return None;
        }
        Some(Flow {
            messages,
            failures,
            received,
            dropped,
            events: self.sent.all.events,
            bytes: self.bytes,
            execution: self.execution.clone(),
            waiting: self.waiting.clone(),
        })
    }

    fn over_all_time(&self, kind: Kind, something_lost: bool) -> Count {
        let some_counted = self
            .by_producer
            .values()
            .any(|of| kind(of).counted.is_some());
        let counts = self.by_producer.iter().map(|(producer, of)| {
            let Known {
                seen,
                counted,
                not_sampled,
            } = kind(of);
            match counted {
                Some(counted) => {
                    let recorded = counted.saturating_sub(not_sampled);
                    counted_unless_older(counted, recorded, seen.all.events)
                }
                // Whose events they are is not known; where somebody has counted, they were counted.
                None if producer.is_none() && some_counted => Count::default(),
                None => seen.all.estimate(something_lost),
            }
        });
        counts.sum()
    }

    fn failures_over_all_time(&self, something_lost: bool) -> Count {
        let some_counted = self
            .by_producer
            .values()
            .any(|of| MESSAGES(of).counted.is_some());
        let counts = self.by_producer.iter().map(|(producer, of)| {
            let counted = of.counted.as_ref().filter(|counted| counted.messages > 0);
            match counted {
                Some(counted) => {
                    counted_unless_older(counted.failures, counted.failures, of.sent.failed.events)
                }
                None if producer.is_none() && some_counted => Count::default(),
                None => of.sent.failed.estimate(something_lost),
            }
        });
        counts.sum()
    }

    /// Whether every message that was ever counted is among the events, and every event was counted.
    fn is_proven(&self, kind: Kind) -> bool {
        self.by_producer.values().all(|of| {
            let Known { seen, counted, .. } = kind(of);
            // Counters are older than the newest events: where some were never recorded, both may be as many by chance.
            let all_sampled = of.counted.as_ref().is_none_or(|it| it.not_sampled == 0);
            all_sampled && counted.unwrap_or(0) == seen.all.events
        })
    }
}

fn count_of(is_proven: bool, events: u64, estimate: impl FnOnce() -> Count) -> Count {
    if is_proven {
        Count::Exact(events)
    } else {
        estimate()
    }
}

/// More events than the last snapshot has counted as recorded are proof that it was taken before them.
fn counted_unless_older(counted: u64, recorded: u64, seen: u64) -> Count {
    if seen > recorded {
        Count::AtLeast(counted.max(seen))
    } else {
        Count::Exact(counted)
    }
}
