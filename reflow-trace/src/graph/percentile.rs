//! Percentiles of durations that were sampled.
//!
//! Nearest rank: the smallest duration such that at least p % of all messages took no longer. A
//! sampled event stands for 1/p messages, so slow messages that were kept at a higher rate do not
//! push the median up. Where one event does not say what it stands for, all count alike.

use std::time::Duration;

use super::model::Percentiles;

/// Durations with the number of messages that each stands for.
#[derive(Debug, Default)]
pub(super) struct Durations(Vec<(u64, Option<f64>)>);

impl Durations {
    pub(super) fn push(&mut self, ns: u64, weight: Option<f64>) {
        self.0.push((ns, weight));
    }

    /// `None` when there is no duration at all.
    pub(super) fn percentiles(mut self) -> Option<Percentiles> {
        let weighted = self.0.iter().all(|(_, weight)| weight.is_some());
        for (_, weight) in &mut self.0 {
            *weight = Some(weight.filter(|_| weighted).unwrap_or(1.0));
        }
        // Equal durations are sorted by weight too: the sum must not depend on their order.
        self.0.sort_by(|a, b| {
            let weights = a.1.unwrap_or(1.0).total_cmp(&b.1.unwrap_or(1.0));
            a.0.cmp(&b.0).then(weights)
        });
        Some(Percentiles {
            p50: self.at(0.50)?,
            p99: self.at(0.99)?,
        })
    }

    fn at(&self, quantile: f64) -> Option<Duration> {
        let total: f64 = self.0.iter().filter_map(|(_, weight)| *weight).sum();
        // Half a millionth of slack, because a sum of floats may miss the rank by a hair.
        let rank = total * quantile * (1.0 - 5e-7);
        let mut reached = 0.0;
        for (ns, weight) in &self.0 {
            reached += weight.unwrap_or(1.0);
            if reached >= rank {
                return Some(Duration::from_nanos(*ns));
            }
        }
        self.0.last().map(|(ns, _)| Duration::from_nanos(*ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(samples: impl IntoIterator<Item = (u64, Option<f64>)>) -> Option<(u128, u128)> {
        let percentiles = Durations(samples.into_iter().collect()).percentiles()?;
        Some((percentiles.p50.as_nanos(), percentiles.p99.as_nanos()))
    }

    #[test]
    fn nothing_has_no_percentiles() {
        assert_eq!(of([]), None);
    }

    #[test]
    fn percentiles_are_durations_that_were_seen() {
        assert_eq!(of([(7, Some(1.0))]), Some((7, 7)));
        assert_eq!(of([(3, Some(1.0)), (1, Some(1.0))]), Some((1, 3)));
        assert_eq!(
            of((1..=100).rev().map(|ns| (ns, Some(1.0)))),
            Some((50, 99))
        );
        assert_eq!(of((1..=1000).map(|ns| (ns, Some(1.0)))), Some((500, 990)));
    }

    #[test]
    fn a_sample_counts_for_all_that_it_stands_for() {
        let slow_kept_always = [(10, Some(100.0)), (900, Some(1.0)), (901, Some(1.0))];
        assert_eq!(of(slow_kept_always), Some((10, 900)));
        let one_unknown = [(10, Some(100.0)), (900, None), (901, Some(1.0))];
        assert_eq!(of(one_unknown), Some((900, 901)));
    }
}
