//! Whether all of a trace is there.
//!
//! The rule is in `rules.md`. What is known to be missing is looked for first, then every doubt; complete is
//! what is left.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::index::{FlowIndex, Place};
use super::numbers::Numbers;
use super::story::has_mark;
use super::times::{is_receive, start_ns};
use crate::event::{EventId, ProducerId, TraceEvent, TraceId};
use crate::ledger::Coverage;
use crate::sampling::{Randomness, Threshold};

/// Whether all events of a trace are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// All of them, as of the last notice of the producer.
    Complete,
    /// Some event is known to be missing.
    Partial(Missing),
    /// It cannot be told.
    Unknown(Doubt),
}

/// How it is known that an event of a trace is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// An event names a cause that is not there.
    Cause,
    /// Something came before the first event that is there.
    Beginning,
}

/// Why it cannot be told whether a trace is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// There is no event of it.
    NoEvents,
    /// A message carried no context, or only its id links it.
    HopWithoutContext,
    /// A delivered message was not taken up within the trace: it waits, or its receiver is not traced.
    NotTakenUp,
    /// Its producer has not said how far its numbers go; flush the recording, or keep its notices.
    NoCoverage,
    /// Its R does not reach the largest threshold that has left a message out, or a message was left
    /// out by `never`.
    Sampling,
    /// An event may have been lost, discarded or not have ended since the trace began.
    LossOverlaps,
    /// Several producers took part, or ids from elsewhere.
    SeveralProducers,
    /// It has more events than were looked at.
    NotLookedAt,
}

impl fmt::Display for Completeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Complete => "complete",
            Self::Partial(Missing::Cause) => "partial: a cause is missing",
            Self::Partial(Missing::Beginning) => "partial: its beginning is missing",
            Self::Unknown(Doubt::NoEvents) => "unknown: no event of it is there",
            Self::Unknown(Doubt::HopWithoutContext) => {
                "unknown whether complete: a message carried no context"
            }
            Self::Unknown(Doubt::NotTakenUp) => {
                "unknown whether complete: a message was not taken up, or not by a traced actor"
            }
            Self::Unknown(Doubt::NoCoverage) => {
                "unknown whether complete: the events say not how many there were"
            }
            Self::Unknown(Doubt::Sampling) => {
                "unknown whether complete: a policy may have left a message out"
            }
            Self::Unknown(Doubt::LossOverlaps) => {
                "unknown whether complete: an event may be lost or still under way"
            }
            Self::Unknown(Doubt::SeveralProducers) => {
                "unknown whether complete: several producers took part"
            }
            Self::Unknown(Doubt::NotLookedAt) => {
                "unknown whether complete: it has more events than were looked at"
            }
        })
    }
}

/// What has to be known beyond the events of a trace to tell whether it is complete: which numbers are there,
/// and how far each producer says that they go.
///
/// A [`FlowIndex`] over all events of a recording finds it among them. Who has loaded a part of them, as a
/// store does, brings it along ([`FlowIndex::with_testimony`]); the rule is the same.
#[derive(Clone, Debug, Default)]
pub struct Testimony {
    numbers: Numbers,
    told: BTreeMap<ProducerId, CoverageHistory>,
    producers: usize,
}

/// What a producer has said of how much its events show, in all its notices together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverageHistory {
    /// The newest, with the largest threshold and the farthest straying of the clock of all of them.
    pub coverage: Coverage,
    /// When it was first said that so much was lost without a number, nanoseconds since 1970 by the clock of
    /// the producer.
    pub lost_without_number_since_ns: i64,
}

impl CoverageHistory {
    /// What a notice of this time says.
    pub fn new(time_ns: i64, coverage: Coverage) -> Self {
        Self {
            coverage,
            lost_without_number_since_ns: time_ns,
        }
    }

    /// Adds what a notice of this time says. Notices may come in any order.
    pub fn add(&mut self, time_ns: i64, next: &Coverage) {
        let known = &self.coverage;
        let lost = known.lost_without_number.max(next.lost_without_number);
        if next.lost_without_number > known.lost_without_number {
            self.lost_without_number_since_ns = time_ns;
        } else if next.lost_without_number == known.lost_without_number {
            let since_ns = self.lost_without_number_since_ns;
            self.lost_without_number_since_ns = since_ns.min(time_ns);
        }
        let threshold = known.threshold.max(next.threshold);
        let clock_wander_ns = known.clock_wander_ns.max(next.clock_wander_ns);
        // Numbers only grow, so that the highest are the last.
        if height(next) >= height(known) {
            self.coverage = next.clone();
        }
        self.coverage.threshold = threshold;
        self.coverage.clock_wander_ns = clock_wander_ns;
        self.coverage.lost_without_number = lost;
    }
}

impl Testimony {
    /// These numbers, and nothing said about them. `producers`: how many have said anything, in all.
    pub fn new(numbers: Numbers, producers: usize) -> Self {
        Self {
            numbers,
            told: BTreeMap::new(),
            producers,
        }
    }

    /// Adds what a producer has said.
    pub fn tell(&mut self, history: CoverageHistory) {
        self.told.insert(history.coverage.producer, history);
    }

    /// What follows for each producer that has said something.
    fn shown(&self) -> HashMap<ProducerId, Shown> {
        let told = self.told.iter();
        told.map(|(&producer, history)| (producer, self.shown_of(producer, history)))
            .collect()
    }

    fn shown_of(&self, producer: ProducerId, history: &CoverageHistory) -> Shown {
        let coverage = &history.coverage;
        let mut rings = self.numbers.rings_of(producer);
        let knows_all_rings = !self.numbers.is_cut()
            && rings.all(|ring| ring == 0 || coverage.rings.iter().any(|known| known.ring == ring));
        // Events recorded by hand carry no number: all or nothing.
        let by_hand = self.numbers.by_hand().map(|known| known.len() as u64);
        let by_hand_are_there = coverage.by_hand_waiting == 0
            && (coverage.by_hand == 0
                || (self.producers == 1 && by_hand.is_some_and(|known| coverage.by_hand <= known)));
        let gapless_since_ns = if knows_all_rings && by_hand_are_there {
            let rings = coverage.rings.iter();
            let gaps =
                rings.map(|ring| self.numbers.last_gap_ns(producer, ring.ring, ring.numbered));
            gaps.max().unwrap_or(i64::MIN)
        } else {
            i64::MAX
        };
        Shown {
            threshold: coverage.threshold,
            clock_wander_ns: coverage.clock_wander_ns,
            gapless_since_ns,
            lost_since_ns: match coverage.lost_without_number {
                0 => i64::MIN,
                _ => history.lost_without_number_since_ns,
            },
        }
    }
}

/// What the events of one producer show.
#[derive(Debug)]
pub(super) struct Shown {
    /// Largest threshold that left a message out, so far.
    threshold: Threshold,
    clock_wander_ns: u64,
    /// An event that is missing may have begun after this; `i64::MAX`: at any time.
    gapless_since_ns: i64,
    /// What was lost without a number was lost until then; `i64::MIN`: there is no such thing.
    lost_since_ns: i64,
}

impl<'a> FlowIndex<'a> {
    /// As [`FlowIndex::new`], for a part of the events: whether traces are complete is told by testimony from
    /// elsewhere and not by what is missing here.
    pub fn with_testimony(
        events: impl IntoIterator<Item = &'a TraceEvent>,
        testimony: &Testimony,
    ) -> Self {
        let index = Self::new(events);
        let _first = index.shown.set(testimony.shown());
        index
    }

    /// Whether all events of a trace are there; the rule is on [the module's page](crate::lineage#whether-a-trace-is-complete).
    pub fn completeness(&self, trace: TraceId) -> Completeness {
        self.judge(trace).unwrap_or_else(|verdict| verdict)
    }

    /// How many traces are complete, partial, and unknown.
    pub fn completeness_of_all(&self) -> HashMap<Completeness, usize> {
        let mut counts = HashMap::new();
        for trace in self.traces() {
            *counts.entry(self.completeness(trace)).or_default() += 1;
        }
        counts
    }

    fn judge(&self, trace: TraceId) -> Result<Completeness, Completeness> {
        use Completeness::{Partial, Unknown};
        let places: Vec<Place> = self.places_of_trace(trace).collect();
        if places.is_empty() {
            return Err(Unknown(Doubt::NoEvents));
        }
        let event = |place: Place| self.events[place as usize];
        let is_inside = |&place: &Place| event(place).trace_id == Some(trace);

        // What is known to be missing comes before what is only doubted.
        let mut doubt = None;
        let mut heads = Vec::new();
        for &place in &places {
            if !self.missing_causes_of(place).is_empty() {
                return Err(Partial(Missing::Cause));
            }
            if !self.causes_of(place).iter().any(is_inside) {
                let head = event(place);
                let is_linked_by_id = has_mark(head, "trace_by_id") && !begins(head);
                if has_mark(head, "unlinked") || is_linked_by_id {
                    doubt = doubt.or(Some(Doubt::HopWithoutContext));
                } else if !begins(head) && !has_mark(head, "trace_cut") {
                    if head.event_id.origin().is_some() {
                        return Err(Partial(Missing::Beginning));
                    }
                    // Made by hand, it may say less than it knows.
                    doubt = doubt.or(Some(Doubt::SeveralProducers));
                }
                heads.push(head);
            }
            let is_taken_up = |&effect: &Place| {
                let taken = event(effect);
                is_receive(taken) && (is_inside(&effect) || has_mark(taken, "trace_cut"))
            };
            if event(place).is_data_flow() && !self.effects_of(place).iter().any(is_taken_up) {
                doubt = doubt.or(Some(Doubt::NotTakenUp));
            }
        }
        let doubted = |doubt| Err(Unknown(doubt));
        if let Some(doubt) = doubt {
            return doubted(doubt);
        }
        let &[head] = heads.as_slice() else {
            return doubted(Doubt::HopWithoutContext);
        };
        let (Some(origin), Some((producer, root))) = (head.event_id.origin(), trace.root()) else {
            return doubted(Doubt::SeveralProducers);
        };
        let is_foreign = |&place: &Place| {
            let origin = event(place).event_id.origin();
            origin.is_none_or(|origin| origin.producer != producer)
        };
        if origin.producer != producer || places.iter().any(is_foreign) {
            return doubted(Doubt::SeveralProducers);
        }
        let Some(shown) = self.shown(producer) else {
            return doubted(Doubt::NoCoverage);
        };
        if !shown.threshold.keeps(Randomness::from_bits(root as u64)) {
            return doubted(Doubt::Sampling);
        }
        if !start_ns(head).is_some_and(|start| shown.is_whole_since(start)) {
            return doubted(Doubt::LossOverlaps);
        }
        Ok(Completeness::Complete)
    }

    fn shown(&self, producer: ProducerId) -> Option<&Shown> {
        let shown = self.shown.get_or_init(|| self.testimony().shown());
        shown.get(&producer)
    }

    /// The testimony among the events.
    fn testimony(&self) -> Testimony {
        let mut ordered: Vec<(EventId, Option<i64>)> = self
            .events
            .iter()
            .map(|event| (event.event_id, start_ns(event)))
            .collect();
        // Ascending numbers make runs without a search.
        ordered.sort_unstable_by_key(|&(id, _)| id.as_uuid().as_u128());
        let mut numbers = Numbers::default();
        for (id, start_ns) in ordered {
            numbers.add(id, start_ns);
        }
        let mut testimony = Testimony::new(numbers, self.notices.coverage.len());
        for history in self.notices.coverage.values() {
            testimony.tell(history.clone());
        }
        testimony
    }
}

/// Whether the event is the first of all that it led to.
fn begins(event: &TraceEvent) -> bool {
    event.causality.parent_event_id.is_none()
        && event.causality.root_cause_event_id == Some(event.event_id)
}

fn height(coverage: &Coverage) -> (u128, u64) {
    let numbered = coverage.rings.iter().map(|ring| u128::from(ring.numbered));
    (numbered.sum(), coverage.by_hand)
}

impl Shown {
    /// Whether nothing that began at `start_ns` or later can be missing.
    fn is_whole_since(&self, start_ns: i64) -> bool {
        const MARGIN_NS: i64 = 1_000_000;
        let strayed = i64::try_from(self.clock_wander_ns).unwrap_or(i64::MAX);
        let slack = strayed.saturating_mul(2).saturating_add(MARGIN_NS);
        let surely_before = start_ns.saturating_sub(slack);
        self.gapless_since_ns < surely_before && self.lost_since_ns < surely_before
    }
}
