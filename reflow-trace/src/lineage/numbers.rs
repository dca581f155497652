//! Which numbers of attempts are there.
//!
//! Attempts are numbered without gaps on each ring, so what is missing is a number between others. What is
//! there is kept as runs, so that millions of events are a few words; a store keeps those of each of its
//! parts and unites them, without reading an event.

use std::collections::{BTreeMap, HashSet};

use crate::event::{EventId, ProducerId};

/// The numbers that events carry, ring by ring, and how many events carry none.
///
/// What does not fit into the bounds is left out in a way that only adds doubt: a number that is left out
/// looks like one that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    rings: BTreeMap<(ProducerId, u32), BTreeMap<u64, Run>>,
    /// Events without a number, by a hash of their ids: an event that is stored twice is one. `None` when
    /// there are too many.
    by_hand: Option<HashSet<u64>>,
    runs: usize,
    runs_max: usize,
    by_hand_max: usize,
    is_cut: bool,
}

/// Numbers without a gap between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// When the earliest of these events began, nanoseconds since 1970; `i64::MAX` when it is not known.
    pub earliest_ns: i64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self::bounded(usize::MAX, usize::MAX)
    }
}

impl Numbers {
    /// None yet, and never more than so many runs, and so many events without a number, each of them 8 bytes
    /// or a little more.
    pub fn bounded(runs_max: usize, by_hand_max: usize) -> Self {
        Self {
            rings: BTreeMap::new(),
            by_hand: Some(HashSet::new()),
            runs: 0,
            runs_max,
            by_hand_max,
            is_cut: false,
        }
    }

    /// Adds an event that began at `start_ns`, where that is known.
    pub fn add(&mut self, id: EventId, start_ns: Option<i64>) {
        match id.origin() {
            Some(origin) => {
                let run = Run {
                    first: origin.sequence,
                    last: origin.sequence,
                    earliest_ns: start_ns.unwrap_or(i64::MAX),
                };
                self.add_run(origin.producer, origin.ring, run);
            }
            None => self.add_by_hand(folded(id)),
        }
    }

    /// Adds the numbers of a run. One whose last number is before its first is none.
    pub fn add_run(&mut self, producer: ProducerId, ring: u32, run: Run) {
        if run.last < run.first {
            return;
        }
        if let Some(runs) = self.rings.get_mut(&(producer, ring)) {
            // Mostly it is the next number.
            if let Some(mut last) = runs.last_entry()
                && last.get().last.checked_add(1) == Some(run.first)
            {
                let last = last.get_mut();
                last.last = run.last;
                last.earliest_ns = last.earliest_ns.min(run.earliest_ns);
                return;
            }
        } else if self.runs >= self.runs_max {
            self.is_cut = true;
            return;
        }
        let runs = self.rings.entry((producer, ring)).or_default();
        let before = runs.len();
        unite(runs, run);
        self.runs = self.runs + runs.len() - before;
        if self.runs > self.runs_max {
            // What lies furthest back is doubted first.
            runs.pop_first();
            self.runs -= 1;
        }
    }

    /// Adds an event without a number by the hash of its id.
    pub fn add_by_hand(&mut self, hash: u64) {
        if let Some(known) = &mut self.by_hand {
            known.insert(hash);
            if known.len() > self.by_hand_max {
                self.by_hand = None;
            }
        }
    }

    /// Says that numbers of unknown rings, or events without a number, were left out.
    pub fn leave_out(&mut self, rings: bool, by_hand: bool) {
        self.is_cut |= rings;
        if by_hand {
            self.by_hand = None;
        }
    }

    /// Adds those of another part, of one producer alone where it is named.
    pub fn merge(&mut self, other: &Self, only: Option<ProducerId>) {
        let (first, last) = match only {
            Some(producer) => (producer, producer),
            None => (ProducerId::from_bits(0), ProducerId::from_bits(u64::MAX)),
        };
        for (&(producer, ring), runs) in other.rings.range((first, 0)..=(last, u32::MAX)) {
            for &run in runs.values() {
                self.add_run(producer, ring, run);
            }
        }
        self.leave_out(other.is_cut, other.by_hand.is_none());
        for &hash in other.by_hand.iter().flatten() {
            self.add_by_hand(hash);
        }
    }

    /// All runs, by producer, ring and number.
    pub fn runs(&self) -> impl Iterator<Item = (ProducerId, u32, Run)> {
        let rings = self.rings.iter();
        rings.flat_map(|(&(producer, ring), runs)| {
            runs.values().map(move |&run| (producer, ring, run))
        })
    }

    /// Hashes of the events without a number; `None` when there are too many to keep apart.
    pub fn by_hand(&self) -> Option<&HashSet<u64>> {
        self.by_hand.as_ref()
    }

    /// Whether there was no room for some ring.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The rings of a producer.
    pub(super) fn rings_of(&self, producer: ProducerId) -> impl Iterator<Item = u32> {
        let rings = self.rings.range((producer, 0)..=(producer, u32::MAX));
        rings.map(|(&(_, ring), _)| ring)
    }

    /// The begin of the earliest event that is known to be numbered after the last gap of a ring:
    /// everything missing was numbered before. `i64::MIN` without a gap, `i64::MAX` when nothing is.
    pub(super) fn last_gap_ns(&self, producer: ProducerId, ring: u32, numbered: u64) -> i64 {
        let runs = self.rings.get(&(producer, ring));
        match runs.and_then(|runs| runs.last_key_value()) {
            None if numbered == 0 => i64::MIN,
            // Numbers at the end are missing, or the notice is older than the events.
            None => i64::MAX,
            Some((_, run)) if run.last != numbered => i64::MAX,
            Some((_, run)) if run.first <= 1 => i64::MIN,
            Some((_, run)) => run.earliest_ns,
        }
    }
}

/// Puts a run among others; what touches becomes one.
fn unite(runs: &mut BTreeMap<u64, Run>, mut run: Run) {
    if let Some((_, before)) = runs.range_mut(..=run.first).next_back()
        && before.last.saturating_add(1) >= run.first
    {
        before.earliest_ns = before.earliest_ns.min(run.earliest_ns);
        if before.last >= run.last {
            return;
        }
        before.last = run.last;
        run = *before;
    }
    while let Some((&first, next)) = runs.range(run.first.saturating_add(1)..).next()
        && first <= run.last.saturating_add(1)
    {
        run.last = run.last.max(next.last);
        run.earliest_ns = run.earliest_ns.min(next.earliest_ns);
        runs.remove(&first);
    }
    runs.insert(run.first, run);
}

/// The id in 64 bits.
fn folded(id: EventId) -> u64 {
    let bits = id.as_uuid().as_u128();
    (bits >> 64) as u64 ^ bits as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const P: ProducerId = ProducerId::from_bits(7);

    fn run(first: u64, last: u64, earliest_ns: i64) -> Run {
        Run {
            first,
            last,
            earliest_ns,
        }
    }

    fn runs(numbers: &Numbers) -> Vec<Run> {
        numbers.runs().map(|(.., run)| run).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 200 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn numbers_in_any_order_and_any_parts_become_the_same_runs(
            added in proptest::collection::vec((1u64..40, 0usize..3), 0..60)
        ) {
            let start = |number: u64| 1_000 - number as i64 * 3;
            let mut whole = Numbers::default();
            let mut parts = vec![Numbers::default(); 3];
            for &(number, part) in &added {
                let one = run(number, number, start(number));
                whole.add_run(P, 1, one);
                parts[part].add_run(P, 1, one);
            }
            let mut united = Numbers::default();
            for part in &parts {
                united.merge(part, Some(P));
            }
            let mut all: Vec<u64> = added.iter().map(|&(number, _)| number).collect();
            all.sort_unstable();
            all.dedup();
            let due: Vec<Run> = all
                .chunk_by(|one, next| one + 1 == *next)
                .map(|chunk| {
                    let last = chunk[chunk.len() - 1];
                    run(chunk[0], last, start(last))
                })
                .collect();
            prop_assert_eq!(runs(&whole), due.clone());
            prop_assert_eq!(united.runs, due.len());
            prop_assert_eq!(runs(&united), due);
        }
    }

    #[test]
    fn what_has_no_room_looks_as_if_it_were_missing() {
        let mut numbers = Numbers::bounded(3, 2);
        for number in [1, 3, 5, 7, 9] {
            numbers.add_run(P, 1, run(number, number, 0));
        }
        let left: Vec<u64> = runs(&numbers).iter().map(|run| run.first).collect();
        assert_eq!(left, [5, 7, 9]);
        assert!(!numbers.is_cut(), "what is missing is seen by its gap");
        numbers.add_run(P, 2, run(1, 1, 0));
        assert!(numbers.is_cut(), "a ring that is not known leaves no gap");
        assert_eq!(numbers.rings_of(P).collect::<Vec<_>>(), [1]);
        for hash in [5, 5, 6] {
            numbers.add_by_hand(hash);
        }
        assert_eq!(numbers.by_hand().map(HashSet::len), Some(2));
        numbers.add_by_hand(7);
        assert_eq!(numbers.by_hand(), None);
    }

    #[test]
    fn odd_runs_do_no_harm() {
        let mut numbers = Numbers::default();
        numbers.add_run(P, 1, run(5, 4, 0));
        assert_eq!(numbers.runs().count(), 0);
        numbers.add_run(P, 1, run(0, u64::MAX, 3));
        numbers.add_run(P, 1, run(u64::MAX, u64::MAX, 1));
        assert_eq!(runs(&numbers), [run(0, u64::MAX, 1)]);
    }
}
