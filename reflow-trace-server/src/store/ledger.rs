//! What producers have said of themselves: exact counters, coverage, losses.
//!
//! Counters and coverage are cumulative, so of several the one that counts most holds, in whatever order
//! they come. Losses are told once each and are added up; that none is added twice is the work of the
//! store, which stores no batch twice.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

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
    fn new(producer: ProducerId) -> Self {
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

    fn add(&mut self, batch: &WireBatch, committed_ns: i64) {
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

/// The ledgers of all producers; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProducerLedgers {
    by_producer: Arc<BTreeMap<ProducerId, Arc<LedgerOfProducer>>>,
}

impl ProducerLedgers {
    /// One after the other, by the number of the producer.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &LedgerOfProducer> {
        self.by_producer.values().map(|ledger| &**ledger)
    }

    /// That of one producer.
    pub fn get(&self, producer: ProducerId) -> Option<&LedgerOfProducer> {
        self.by_producer.get(&producer).map(|ledger| &**ledger)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_producer.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_producer.is_empty()
    }

    /// Adds what a batch says, which was committed at this time by the server's clock.
    pub(crate) fn add(&mut self, batch: &WireBatch, committed_ns: i64) {
        let producer = batch.producer();
        let ledger = Arc::make_mut(&mut self.by_producer)
            .entry(producer)
            .or_insert_with(|| Arc::new(LedgerOfProducer::new(producer)));
        Arc::make_mut(ledger).add(batch, committed_ns);
    }

    /// Puts a ledger that was read back.
    pub(crate) fn put(&mut self, ledger: LedgerOfProducer) {
        Arc::make_mut(&mut self.by_producer).insert(ledger.producer, Arc::new(ledger));
    }

    /// Forgets one.
    pub(crate) fn forget(&mut self, producer: ProducerId) {
        if self.by_producer.contains_key(&producer) {
            Arc::make_mut(&mut self.by_producer).remove(&producer);
        }
    }

    /// Which are to be forgotten: all that were not seen since `since_ns`, and, the one that was not seen for
    /// longest first, as many as are above `bytes_max` together.
    pub(crate) fn outdated(&self, since_ns: i64, bytes_max: usize) -> Vec<Outdated> {
        let mut newest_first: Vec<&LedgerOfProducer> = self.iter().collect();
        newest_first.sort_by_key(|ledger| std::cmp::Reverse((ledger.seen_ns, ledger.producer)));
        let mut bytes = 0;
        let outdated = newest_first.into_iter().filter(|ledger| {
            bytes += ledger.memory_bytes();
            ledger.seen_ns < since_ns || bytes > bytes_max
        });
        let outdated = outdated.map(|ledger| Outdated {
            producer: ledger.producer,
            batches: ledger.batches,
        });
        outdated.collect()
    }

    /// Whether a producer has said nothing since it was chosen to be forgotten.
    pub(crate) fn is_silent_since(&self, chosen: Outdated) -> bool {
        self.get(chosen.producer)
            .is_some_and(|ledger| ledger.batches == chosen.batches)
    }
}

/// A producer that is to be forgotten unless it speaks again before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outdated {
    pub(crate) producer: ProducerId,
    /// What was stored of it when it was chosen.
    batches: u64,
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
