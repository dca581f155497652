//! The ledgers of all producers, of which a copy is had for nothing.
//!
//! Every view of a store has one, and the next commit changes the store's. So they lie in parts that are shared,
//! and what is changed copies one part of many.

use std::collections::BTreeMap;
use std::sync::Arc;

use reflow_trace::event::{PRODUCER_BITS, ProducerId};
use reflow_trace::wire::WireBatch;

use super::LedgerOfProducer;

/// Bits of the number of a producer that say in which part it is: the highest, so that the parts are in order.
const PART_BITS: u32 = 8;

type Part = BTreeMap<ProducerId, Arc<LedgerOfProducer>>;

/// What producers have said of themselves, by their numbers; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerLedgers {
    parts: Arc<[Arc<Part>]>,
    len: usize,
}

impl Default for ProducerLedgers {
    fn default() -> Self {
        let empty = Arc::<Part>::default();
        Self {
            parts: std::iter::repeat_n(empty, 1 << PART_BITS).collect(),
            len: 0,
        }
    }
}

impl ProducerLedgers {
    /// One after the other, by the number of the producer.
    pub fn iter(&self) -> impl Iterator<Item = &LedgerOfProducer> {
        let parts = self.parts.iter();
        parts.flat_map(|part| part.values().map(|ledger| &**ledger))
    }

    /// That of one producer.
    pub fn get(&self, producer: ProducerId) -> Option<&LedgerOfProducer> {
        let part = self.parts.get(part_of(producer))?;
        part.get(&producer).map(|ledger| &**ledger)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds what a batch says of its producer, which was committed at this time by the server's clock in nanoseconds
    /// since 1970. Losses are added up, so whoever stores a batch once has to add it once.
    pub fn add(&mut self, batch: &WireBatch, committed_ns: i64) {
        let producer = batch.producer();
        self.change(producer, |part| {
            let ledger = part
                .entry(producer)
                .or_insert_with(|| Arc::new(LedgerOfProducer::new(producer)));
            Arc::make_mut(ledger).add(batch, committed_ns);
        });
    }

    /// Puts a ledger that was read back in the place of one that is there.
    pub fn put(&mut self, ledger: LedgerOfProducer) {
        let producer = ledger.producer;
        self.change(producer, |part| {
            part.insert(producer, Arc::new(ledger));
        });
    }

    /// Forgets one; nothing where there is none.
    pub fn forget(&mut self, producer: ProducerId) {
        if self.get(producer).is_some() {
            self.change(producer, |part| {
                part.remove(&producer);
            });
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

    fn change(&mut self, producer: ProducerId, change: impl FnOnce(&mut Part)) {
        if let Some(part) = Arc::make_mut(&mut self.parts).get_mut(part_of(producer)) {
            let before = part.len();
            let part = Arc::make_mut(part);
            change(part);
            self.len = self.len - before + part.len();
        }
    }
}

/// A producer that is to be forgotten unless it speaks again before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outdated {
    pub(crate) producer: ProducerId,
    /// What was stored of it when it was chosen.
    batches: u64,
}

fn part_of(producer: ProducerId) -> usize {
    (producer.bits() >> (PRODUCER_BITS - PART_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_in_the_order_of_their_numbers_and_copies_stay_as_they_are() {
        let mut random = fastrand::Rng::with_seed(1);
        let (mut ledgers, mut model) = (ProducerLedgers::default(), BTreeMap::new());
        let mut copies = Vec::new();
        for step in 0..2_000 {
            // Few at the beginning of a part, so that some are met again; and the last there is.
            let part = random.u64(0..1 << PART_BITS);
            let bits = (part << (PRODUCER_BITS - PART_BITS)) + random.u64(0..4);
            let producer = ProducerId::from_bits(if step % 50 == 0 { u64::MAX } else { bits });
            if random.u8(0..3) == 0 {
                ledgers.forget(producer);
                model.remove(&producer);
            } else {
                let mut ledger = LedgerOfProducer::new(producer);
                ledger.batches = step;
                ledgers.put(ledger.clone());
                model.insert(producer, ledger);
            }
            assert!(ledgers.iter().eq(model.values()), "step {step}");
            assert_eq!(ledgers.len(), model.len());
            assert_eq!(ledgers.is_empty(), model.is_empty());
            assert_eq!(ledgers.get(producer), model.get(&producer));
            if step % 100 == 0 {
                copies.push((ledgers.clone(), model.clone()));
            }
        }
        for (ledgers, model) in copies {
            assert!(ledgers.iter().eq(model.values()));
        }
    }
}
