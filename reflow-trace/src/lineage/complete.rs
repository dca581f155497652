//! Whether all of a trace is there.
//!
//! The rule is in `rules.md`. What is known to be missing is looked for first, then every doubt; complete is
//! what is left.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::index::{FlowIndex, Place};
use super::story::has_mark;
use super::times::{is_receive, start_ns};
use crate::event::{ProducerId, TraceEvent, TraceId};
use crate::ledger::Coverage;
use crate::sampling::Randomness;

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
        })
    }
}

/// What the events of one producer show.
#[derive(Debug)]
pub(super) struct Shown {
    /// Largest threshold that left a message out, so far.
    coverage: Coverage,
    /// An event that is missing may have begun after this; `i64::MAX`: at any time.
    gapless_since_ns: i64,
    /// Times of the snapshots with what was lost without a number until then.
    lost_without_number: Vec<(i64, u64)>,
}

/// The number of an event in its ring, and when it began.
type Numbered = (u64, Option<i64>);

impl FlowIndex<'_> {
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
        if !shown
            .coverage
            .threshold
            .keeps(Randomness::from_bits(root as u64))
        {
            return doubted(Doubt::Sampling);
        }
        if !start_ns(head).is_some_and(|start| shown.is_whole_since(start)) {
            return doubted(Doubt::LossOverlaps);
        }
        Ok(Completeness::Complete)
    }

    fn shown(&self, producer: ProducerId) -> Option<&Shown> {
        let shown = self.shown.get_or_init(|| self.look_at_all());
        shown.get(&producer)
    }

    fn look_at_all(&self) -> HashMap<ProducerId, Shown> {
        let mut numbers: HashMap<(ProducerId, u32), Vec<Numbered>> = HashMap::new();
        let mut without_number = 0u64;
        for event in &self.events {
            match event.event_id.origin() {
                Some(origin) => numbers
                    .entry((origin.producer, origin.ring))
                    .or_default()
                    .push((origin.sequence, start_ns(event))),
                None => without_number += 1,
            }
        }
        for of_ring in numbers.values_mut() {
            of_ring.sort_unstable();
        }
        let mut all = HashMap::new();
        for (&producer, snapshots) in &self.notices.coverage {
            // Numbers only grow, so that the highest are the last.
            let last = snapshots.iter().map(|(_, coverage)| coverage);
            let Some(last) = last.max_by_key(|coverage| height(coverage)) else {
                continue;
            };
            let largest = snapshots.iter().map(|(_, coverage)| coverage.threshold);
            let strayed = snapshots
                .iter()
                .map(|(_, coverage)| coverage.clock_wander_ns);
            let mut coverage = last.clone();
            coverage.threshold = largest.max().unwrap_or(last.threshold);
            coverage.clock_wander_ns = strayed.max().unwrap_or(last.clock_wander_ns);
            let lost_without_number = snapshots
                .iter()
                .map(|(time, coverage)| (*time, coverage.lost_without_number))
                .collect();

            let rings = numbers.keys().filter(|&&(other, _)| other == producer);
            let knows_all_rings = rings
                .filter(|&&(_, ring)| ring > 0)
                .all(|&(_, ring)| coverage.rings.iter().any(|known| known.ring == ring));
            // Events recorded by hand carry no number: all or nothing.
            let by_hand_are_there = coverage.by_hand_waiting == 0
                && (coverage.by_hand == 0
                    || (self.notices.coverage.len() == 1 && coverage.by_hand <= without_number));
            let gapless_since_ns = if knows_all_rings && by_hand_are_there {
                let rings = coverage.rings.iter().map(|ring| {
                    let seen = numbers.get(&(producer, ring.ring));
                    last_gap_ns(seen.map_or(&[], Vec::as_slice), ring.numbered)
                });
                rings.max().unwrap_or(i64::MIN)
            } else {
                i64::MAX
            };
            all.insert(
                producer,
                Shown {
                    coverage,
                    gapless_since_ns,
                    lost_without_number,
                },
            );
        }
        all
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

/// The begin of the earliest event that is known to be numbered after the last gap of a ring:
/// everything missing was numbered before. `i64::MIN` without a gap, `i64::MAX` when nothing is.
fn last_gap_ns(seen: &[Numbered], numbered: u64) -> i64 {
    let last = seen.last().map_or(0, |&(sequence, _)| sequence);
    if last != numbered {
        // Numbers at the end are missing, or the notice is older than the events.
        return i64::MAX;
    }
    let mut expected = numbered;
    let mut earliest = i64::MAX;
    for &(sequence, start) in seen.iter().rev() {
        if sequence != expected {
            return earliest;
        }
        earliest = earliest.min(start.unwrap_or(i64::MAX));
        expected = expected.saturating_sub(1);
    }
    if expected == 0 { i64::MIN } else { earliest }
}

impl Shown {
    /// Whether nothing that began at `start_ns` or later can be missing.
    fn is_whole_since(&self, start_ns: i64) -> bool {
        const MARGIN_NS: i64 = 1_000_000;
        let strayed = i64::try_from(self.coverage.clock_wander_ns).unwrap_or(i64::MAX);
        let slack = strayed.saturating_mul(2).saturating_add(MARGIN_NS);
        let surely_before = start_ns.saturating_sub(slack);
        let until_then = self
            .lost_without_number
            .iter()
            .filter(|&&(time, _)| time < surely_before)
            .map(|&(_, lost)| lost)
            .max();
        self.gapless_since_ns < surely_before
            && self.coverage.lost_without_number == until_then.unwrap_or(0)
    }
}
