//! What a reader needs to tell whether it has seen everything.
//!
//! Events alone cannot say that none is missing: a leaf that was not recorded leaves no mark. So each
//! producer says, beside its exact counters, how far its attempts were numbered, which messages its
//! policies left out, and what it lost before it had a number. A number that was given and is not among
//! the events is a gap, whatever became of it: lost, under way, discarded by a sink, filtered out by
//! whoever passed the events on. See [`FlowIndex::completeness`](crate::lineage::FlowIndex::completeness).

use serde::{Deserialize, Serialize};

use super::TRACING_ACTOR;
use crate::event::{ProducerId, TraceEvent};
use crate::sampling::Threshold;

const ATTRIBUTE: &str = "coverage";

/// How much of what happened the events of one producer show, as of one moment; of several snapshots
/// the one with the highest numbers holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Whose attempts these are.
    pub producer: ProducerId,
    /// The largest threshold that has left a message out: a trace whose R reaches it was left out of
    /// nothing. `never` when messages were left out whatever their R.
    pub threshold: Threshold,
    /// How far the attempts of each ring were numbered.
    pub rings: Vec<RingCoverage>,
    /// Attempts that were lost before they had a number.
    pub lost_without_number: u64,
    /// Events recorded by hand that were collected; they carry no numbers.
    pub by_hand: u64,
    /// Events recorded by hand that were not collected yet.
    pub by_hand_waiting: u64,
    /// How far the wall clock has been seen to stray from the monotonic one, in nanoseconds: two times
    /// that are further apart than twice this are in their true order.
    pub clock_wander_ns: u64,
}

/// How far the attempts of one ring were numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingCoverage {
    /// The ring.
    pub ring: u32,
    /// The last number that was given; numbers begin at 1.
    pub numbered: u64,
}

impl TraceEvent {
    /// Adds what a reader needs to tell whether it has seen everything; it travels with the counters.
    #[must_use]
    pub fn with_coverage(mut self, coverage: &Coverage) -> Self {
        let value = serde_json::to_value(coverage).unwrap_or_default();
        self.data
            .custom_attributes
            .insert(ATTRIBUTE.to_owned(), value);
        self
    }

    /// What this event says of how much its producer's events show, when it says so.
    pub fn as_coverage(&self) -> Option<Coverage> {
        if self.actor_id != TRACING_ACTOR {
            return None;
        }
        Coverage::deserialize(self.data.custom_attributes.get(ATTRIBUTE)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::CounterSnapshot;

    #[test]
    fn coverage_travels_with_the_counters() {
        let producer = ProducerId::from_bits(5);
        let coverage = Coverage {
            producer,
            threshold: Threshold::NEVER,
            rings: vec![RingCoverage {
                ring: 1,
                numbered: u64::MAX,
            }],
            lost_without_number: 3,
            by_hand: 2,
            by_hand_waiting: 1,
            clock_wander_ns: 7,
        };
        let edges = vec![];
        let event = TraceEvent::edge_counters(&CounterSnapshot { producer, edges });
        let json = serde_json::to_string(&event.with_coverage(&coverage)).expect("serializes");
        let event: TraceEvent = serde_json::from_str(&json).expect("parses");
        assert_eq!(event.as_coverage(), Some(coverage));
        assert!(event.as_edge_counters().is_some());
        assert_eq!(TraceEvent::network_event("a").as_coverage(), None);
    }
}
