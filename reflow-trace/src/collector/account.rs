//! Adding up what the lanes have counted.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::edge::{EdgeNumber, TypeNumber};
use crate::lane::{LaneShared, Purpose};
use crate::ledger::{
    CounterSnapshot, Coverage, EdgeCounters, Ledger, Loss, LossReason, RingCoverage,
};
use crate::runtime::{Runtime, dictionary};
use crate::sampling::Threshold;

/// Sums over all lanes.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) attempted: u64,
    pub(super) not_sampled: u64,
    pub(super) begun: u64,
    pub(super) ring_full: u64,
    pub(super) too_large: u64,
}

/// What only the collector knows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Collected {
    /// Records read from rings.
    pub(super) popped: u64,
    pub(super) overwritten: u64,
    /// Events recorded by hand that came through.
    pub(super) by_hand: u64,
    pub(super) by_hand_too_large: u64,
}

impl Runtime {
    fn lanes_now(&self) -> Vec<std::sync::Arc<LaneShared>> {
        self.lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .shared
            .clone()
    }

    pub(super) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for lane in self.lanes_now() {
            for cell in lane.cells() {
                totals.attempted += cell.messages.get();
                totals.not_sampled += cell.not_sampled();
            }
            totals.begun = totals
                .begun
                .wrapping_add(lane.numbered.get())
                .wrapping_sub(lane.deferred.get());
            totals.ring_full += lane.ring_full.get();
            totals.too_large += lane.too_large.get();
        }
        totals
    }

    /// Messages sent over each edge so far.
    pub(super) fn messages_by_edge(&self) -> std::collections::HashMap<EdgeNumber, u64> {
        let mut messages = std::collections::HashMap::new();
        for cell in self.lanes_now().iter().flat_map(|lane| lane.cells()) {
            if cell.purpose == Purpose::Send {
                *messages.entry(cell.edge).or_default() += cell.messages.get();
            }
        }
        messages
    }

    /// The exact counters of all sends, and of what came out of traced channels, ordered by edge and type.
    pub(crate) fn counters(&self) -> CounterSnapshot {
        let mut flows: BTreeMap<(EdgeNumber, TypeNumber), EdgeCounters> = BTreeMap::new();
        for cell in self.lanes_now().iter().flat_map(|lane| lane.cells()) {
            // A cell that was entered for a message that another method had already counted is empty.
            let is_counted = matches!(cell.purpose, Purpose::Send | Purpose::Take | Purpose::Loss);
            if !is_counted || cell.messages.get() == 0 {
                continue;
            }
            let counters = flows
                .entry((cell.edge, cell.message_type))
                .or_insert_with(|| {
                    let names = dictionary().edge_names(cell.edge);
                    let [from_actor, from_port, to_actor, to_port] =
                        names.ends().map(str::to_owned);
                    let message_type = dictionary().type_name(cell.message_type).to_string();
                    EdgeCounters {
                        from_actor,
                        from_port,
                        to_actor,
                        to_port,
                        message_type,
                        ..EdgeCounters::default()
                    }
                });
            match cell.purpose {
                Purpose::Take => counters.received += cell.messages.get(),
                Purpose::Loss => counters.dropped += cell.messages.get(),
                Purpose::Send | Purpose::Receive | Purpose::Life => {
                    counters.messages += cell.messages.get();
                    counters.bytes += cell.bytes.get();
                    counters.failures += cell.failures.get();
                    counters.not_sampled += cell.not_sampled();
                }
            }
        }
        CounterSnapshot {
            producer: self.producer(),
            edges: flows.into_values().collect(),
        }
    }

    /// What a reader needs to tell whether it has seen everything.
    pub(super) fn coverage(&self, collected: &Collected, clock_wander_ns: u64) -> Coverage {
        // As in the ledger: what comes later in an attempt's life is read first.
        let by_hand_lost = self.by_hand_lost.load(Ordering::Acquire) + collected.by_hand_too_large;
        let by_hand_not_sampled = self.by_hand_not_sampled.load(Ordering::Acquire);
        let by_hand_attempted = self.by_hand_attempted.load(Ordering::Acquire);
        let by_hand_ended = by_hand_lost + by_hand_not_sampled + collected.by_hand;
        // Of what was switched off nobody knows anything. What was recorded by hand and left out may have been
        // decided by any of the samplers that were in force.
        let mut threshold = if self.policy().was_switched_off || by_hand_not_sampled > 0 {
            Threshold::NEVER
        } else {
            Threshold::ALWAYS
        };
        let mut rings = Vec::new();
        for lane in self.lanes_now() {
            let numbered = lane.numbered.get();
            if numbered > 0 {
                let ring = lane.ring;
                rings.push(RingCoverage { ring, numbered });
            }
            // A life belongs to no trace.
            let cells = lane.cells().into_iter();
            for cell in cells.filter(|cell| cell.purpose != Purpose::Life) {
                threshold = threshold.max(cell.threshold());
            }
        }
        Coverage {
            producer: self.producer(),
            threshold,
            rings,
            lost_without_number: self.without_ring.load(Ordering::Relaxed) + by_hand_lost,
            by_hand: collected.by_hand,
            by_hand_waiting: by_hand_attempted.saturating_sub(by_hand_ended),
            clock_wander_ns,
        }
    }

    /// Losses before collection, by reason.
    pub(super) fn losses(&self, totals: &Totals, collected: &Collected) -> Vec<Loss> {
        let without_ring = self.without_ring.load(Ordering::Relaxed);
        let ended_without_ring = self.ended_without_ring.load(Ordering::Relaxed);
        [
            (LossReason::RingFull, totals.ring_full),
            (LossReason::Overwritten, collected.overwritten),
            (LossReason::NoRing, without_ring + ended_without_ring),
            (
                LossReason::ManualQueueFull,
                self.by_hand_lost.load(Ordering::Relaxed),
            ),
            (
                LossReason::TooLarge,
                totals.too_large + collected.by_hand_too_large,
            ),
        ]
        .into_iter()
        .filter(|&(_, count)| count > 0)
        .map(|(reason, count)| Loss { reason, count })
        .collect()
    }

    /// The ledger without the sinks.
    pub(super) fn ledger(&self, collected: &Collected) -> Ledger {
        // What comes later in an attempt's life is read first, so that a number read meanwhile makes
        // something look in flight rather than missing.
        let by_hand_lost = self.by_hand_lost.load(Ordering::Acquire);
        let by_hand_not_sampled = self.by_hand_not_sampled.load(Ordering::Acquire);
        let by_hand = self.by_hand_attempted.load(Ordering::Acquire);
        let totals = self.totals();
        // What has a number is under way or in a ring until it is collected or lost.
        let ended = collected.popped
            + collected.overwritten
            + totals.ring_full
            + totals.too_large
            + self.ended_without_ring.load(Ordering::Relaxed);
        let waiting_by_hand = by_hand.saturating_sub(
            by_hand_lost + by_hand_not_sampled + collected.by_hand + collected.by_hand_too_large,
        );
        Ledger {
            attempted: totals.attempted + self.without_ring.load(Ordering::Relaxed) + by_hand,
            not_sampled: totals.not_sampled + by_hand_not_sampled,
            collected: collected.popped + collected.by_hand,
            in_flight: totals.begun.saturating_sub(ended) + waiting_by_hand,
            lost: self.losses(&totals, collected),
            sinks: Vec::new(),
        }
    }
}
