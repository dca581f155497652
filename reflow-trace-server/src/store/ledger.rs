//! What producers have said of themselves: exact counters, coverage, losses.
//!
//! Counters and coverage are cumulative, so of several the one that counts most holds, in whatever order
//! they come. Losses are told once each and are added up; that none is added twice is the work of the
//! store, which stores no batch twice.

use std::collections::BTreeMap;
use std::fmt;

use reflow_trace::event::ProducerId;
use reflow_trace::ledger::{CounterSnapshot, Coverage, LossReason};
use reflow_trace::lineage::CoverageHistory;
use reflow_trace::wire::WireBatch;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// What one producer has said of itself, and what is stored of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerOfProducer {
    /// Who.
    pub producer: ProducerId,
    /// When a batch of it was last committed, nanoseconds since 1970 by the server's clock.
    pub seen_ns: i64,
    /// Batches stored, retired ones included.
    pub batches: u64,
    /// Events stored, retired ones included.
    pub events: u64,
    /// Its newest exact counters.
    pub counters: Option<CounterSnapshot>,
    /// How much of what happened its events show: as it was told last, with the largest threshold ever.
    pub coverage: Option<Coverage>,
    /// When it was first told that so much was lost without a number, by the producer's clock. `None`: not known.
    #[serde(default)]
    pub lost_without_number_since_ns: Option<i64>,
    /// What it has lost.
    #[serde(deserialize_with = "losses_added_up")]
    pub losses: BTreeMap<LossReason, u64>,
}

impl LedgerOfProducer {
    pub(super) fn new(producer: ProducerId) -> Self {
        Self {
            producer,
            seen_ns: i64::MIN,
            batches: 0,
            events: 0,
            counters: None,
            coverage: None,
            lost_without_number_since_ns: None,
            losses: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, batch: &WireBatch, committed_ns: i64) {
        self.seen_ns = self.seen_ns.max(committed_ns);
        self.batches += 1;
        self.events += batch.len() as u64;
        if let Some(counters) = batch.counters()
            && self
                .counters
                .as_ref()
                .is_none_or(|known| counted(known) <= counted(counters))
        {
            self.counters = Some(counters.clone());
        }
        for (time_ns, coverage) in batch.coverages() {
            let history = match self.history() {
                Some(mut known) => {
                    known.add(time_ns, coverage);
                    known
                }
                None => CoverageHistory::new(time_ns, coverage.clone()),
            };
            self.lost_without_number_since_ns = Some(history.lost_without_number_since_ns);
            self.coverage = Some(history.coverage);
        }
        for loss in batch.losses() {
            let lost = self.losses.entry(loss.reason).or_default();
            *lost = lost.saturating_add(loss.count);
        }
    }

    /// What it has said of how much its events show, as the rule of completeness needs it.
    pub fn history(&self) -> Option<CoverageHistory> {
        let coverage = self.coverage.clone()?;
        // Where it is not known it may have been a moment ago.
        let since_ns = self.lost_without_number_since_ns.unwrap_or(i64::MAX);
        Some(CoverageHistory::new(since_ns, coverage))
    }

    /// Bytes of memory it takes, nearly.
    pub(crate) fn memory_bytes(&self) -> usize {
        let edges = self.counters.iter().flat_map(|counters| &counters.edges);
        let names: usize = edges
            .map(|edge| {
                size_of_val(edge)
                    + edge.from_actor.len()
                    + edge.from_port.len()
                    + edge.to_actor.len()
                    + edge.to_port.len()
                    + edge.message_type.len()
            })
            .sum();
        let rings = self.coverage.as_ref().map_or(0, |all| all.rings.len());
        size_of::<Self>() + names + rings * 16 + self.losses.len() * 32
    }
}

/// A later version may have written several reasons that this one does not know: together they are one.
fn losses_added_up<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<LossReason, u64>, D::Error> {
    struct Losses;

    impl<'de> Visitor<'de> for Losses {
        type Value = BTreeMap<LossReason, u64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("losses by reason")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut losses = BTreeMap::new();
            while let Some((reason, count)) = map.next_entry::<LossReason, u64>()? {
                let lost = losses.entry(reason).or_insert(0_u64);
                *lost = lost.saturating_add(count);
            }
            Ok(losses)
        }
    }

    deserializer.deserialize_map(Losses)
}

/// What only grows in the counters of a producer.
fn counted(counters: &CounterSnapshot) -> u128 {
    let edges = counters.edges.iter();
    edges
        .map(|edge| {
            u128::from(edge.messages) + u128::from(edge.received) + u128::from(edge.dropped)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_by_reasons_of_a_later_version_are_added_up() {
        let mut ledger = LedgerOfProducer::new(ProducerId::from_bits(3));
        ledger.losses.insert(LossReason::Refused, 2);
        let mut json = serde_json::to_value(&ledger).expect("serializes");
        json["losses"]["eaten_by_mice"] = 3.into();
        json["losses"]["eaten_by_moths"] = 4.into();
        let read: LedgerOfProducer =
            serde_json::from_value(json).expect("the reasons alone are not known");
        ledger.losses.insert(LossReason::Other, 7);
        assert_eq!(read, ledger);
    }
}
