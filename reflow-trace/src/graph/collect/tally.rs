//! Adds up what counters and events say of one message type over one edge.

use std::collections::BTreeMap;

use super::super::model::{Count, MessageFlow};
use super::super::percentile::Durations;
use crate::event::ProducerId;

/// All that is known of one message type over one edge.
#[derive(Default)]
pub(super) struct Tally {
    /// By producer.
    pub(super) counters: BTreeMap<ProducerId, Counted>,
    /// Recorded attempts, by the producer of the event where it is known.
    pub(super) seen: BTreeMap<Option<ProducerId>, Seen>,
    pub(super) execution_times: Durations,
    pub(super) waiting_times: Durations,
}

/// What a producer has counted itself.
#[derive(Default)]
pub(super) struct Counted {
    pub(super) messages: u64,
    pub(super) failures: u64,
    /// Of the messages, those that were never recorded.
    pub(super) not_sampled: u64,
}

#[derive(Default)]
pub(super) struct Seen {
    pub(super) attempts: Samples,
    pub(super) failures: Samples,
}

impl Tally {
    pub(super) fn into_flow(self, message_type: String, something_lost: bool) -> MessageFlow {
        let mut count = Count::default();
        let mut failures = Count::default();
        for (producer, counted) in &self.counters {
            let seen = self.seen.get(&Some(*producer));
            let seen_attempts = seen.map_or(0, |seen| seen.attempts.events());
            let seen_failures = seen.map_or(0, |seen| seen.failures.events());
            let recorded = counted.messages.saturating_sub(counted.not_sampled);
            count = count + counted_unless_older(counted.messages, recorded, seen_attempts);
            failures =
                failures + counted_unless_older(counted.failures, counted.failures, seen_failures);
        }
        for (producer, seen) in &self.seen {
            let covered = match producer {
                Some(producer) => self.counters.contains_key(producer),
                None => !self.counters.is_empty(),
            };
            if !covered {
                count = count + seen.attempts.estimate(something_lost);
                failures = failures + seen.failures.estimate(something_lost);
            }
        }
        MessageFlow {
            message_type,
            count,
            failures,
            execution_time: self.execution_times.percentiles(),
            waiting_time: self.waiting_times.percentiles(),
        }
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

/// Events by weight. Adding up integers per weight gives the same sum in every order.
#[derive(Default)]
pub(super) struct Samples {
    events_by_weight_bits: BTreeMap<u64, u64>,
    events_of_unknown_weight: u64,
}

impl Samples {
    pub(super) fn add(&mut self, weight: Option<f64>) {
        match weight {
            Some(weight) => {
                *self
                    .events_by_weight_bits
                    .entry(weight.to_bits())
                    .or_default() += 1;
            }
            None => self.events_of_unknown_weight += 1,
        }
    }

    fn events(&self) -> u64 {
        self.events_by_weight_bits.values().sum::<u64>() + self.events_of_unknown_weight
    }

    fn estimate(&self, something_lost: bool) -> Count {
        let all_weigh_one = self
            .events_by_weight_bits
            .keys()
            .all(|&bits| f64::from_bits(bits) == 1.0);
        if self.events_of_unknown_weight > 0 || (all_weigh_one && something_lost) {
            return Count::AtLeast(self.events());
        }
        if all_weigh_one {
            return Count::Exact(self.events());
        }
        let sum: f64 = self
            .events_by_weight_bits
            .iter()
            .map(|(&bits, &events)| f64::from_bits(bits) * events as f64)
            .sum();
        Count::Estimated(sum.round() as u64)
    }
}
