//! Sums over all minutes, by the producer of the events.
//!
//! What a producer has counted exactly must not be added to what the samples of the same producer stand for.
//! So the events of each producer are summed up apart; the minutes, which nobody asks for here, are not.

use std::collections::HashMap;

use reflow_trace::event::ProducerId;
use reflow_trace::graph::Count;

use super::{CELLS_MAX, Cell, Happening, Observation};

/// What a sum is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SumKey {
    /// Whose events; `None` for those whose ids do not say.
    pub producer: Option<ProducerId>,
    /// The edge, by its place in the roll-up.
    pub edge: u32,
    /// The message type, by its place in the roll-up.
    pub message_type: u32,
    /// What happened.
    pub happening: Happening,
}

/// Events, and the messages that they stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stand {
    /// Events.
    pub events: u64,
    /// Messages that those stand for whose weight is known.
    pub weight: f64,
    /// Events whose weight is unknown; they are not in `weight`.
    pub unweighted: u64,
}

/// Everything that happened, and what of it failed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    /// All.
    pub all: Stand,
    /// Of them those that failed, were cancelled, panicked or timed out.
    pub failed: Stand,
}

/// The sums of a roll-up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    sums: HashMap<SumKey, Sum>,
}

impl Stand {
    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.weight += other.weight;
        self.unweighted += other.unweighted;
    }

    /// How many messages there were by these events, where nobody has counted them.
    ///
    /// Events that each stand for themselves are all there were, unless something was lost.
    pub fn estimate(&self, something_lost: bool) -> Count {
        let all_weigh_one = self.weight == (self.events - self.unweighted.min(self.events)) as f64;
        if self.unweighted > 0 || (all_weigh_one && something_lost) {
            Count::AtLeast(self.events)
        } else if all_weigh_one {
            Count::Exact(self.events)
        } else {
            Count::Estimated(self.weight.round() as u64)
        }
    }
}

impl Sum {
    pub(super) fn of(seen: &Observation) -> Self {
        let all = Stand {
            events: 1,
            weight: seen.weight.unwrap_or(0.0),
            unweighted: u64::from(seen.weight.is_none()),
        };
        let failed = if seen.failed { all } else { Stand::default() };
        Self { all, failed }
    }

    /// The same of a cell.
    pub fn of_cell(cell: &Cell) -> Self {
        Self {
            all: Stand {
                events: cell.events,
                weight: cell.weight,
                unweighted: cell.unweighted,
            },
            failed: Stand {
                events: cell.failures,
                weight: cell.failed_weight,
                unweighted: cell.failed_unweighted,
            },
        }
    }

    /// Adds another sum.
    pub fn add(&mut self, other: &Self) {
        self.all.add(&other.all);
        self.failed.add(&other.failed);
    }
}

impl Sums {
    /// One after the other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&SumKey, &Sum)> {
        self.sums.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sums.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// Adds to a sum; false where it is a new one and there is no room.
    pub(super) fn add(&mut self, key: SumKey, sum: &Sum) -> bool {
        if let Some(known) = self.sums.get_mut(&key) {
            known.add(sum);
            return true;
        }
        if self.sums.len() >= CELLS_MAX {
            return false;
        }
        self.sums.insert(key, *sum);
        true
    }

    /// Adds to what stands for all that have no room: of its producer, or of nobody when these have none either.
    pub(super) fn add_overflow(&mut self, mut key: SumKey, sum: &Sum) {
        if self.sums.len() >= 2 * CELLS_MAX && !self.sums.contains_key(&key) {
            key.producer = None;
        }
        self.sums.entry(key).or_default().add(sum);
    }
}
