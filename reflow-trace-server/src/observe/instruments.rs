//! Counters, gauges and histograms: atomics that anybody may add to and one reads.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

/// A number that also falls.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

/// One counter for each of a few words.
///
/// The words are the program's own and few, but for some that clients send; beyond [`WORDS_MAX`] they are
/// counted together, so that nobody can make the page grow.
#[derive(Debug, Default)]
pub struct Words(Mutex<BTreeMap<String, u64>>);

/// How long things took.
#[derive(Debug)]
pub struct Durations {
    bounds_us: &'static [u64],
    /// One more than bounds.
    buckets: Vec<AtomicU64>,
    sum_ns: AtomicU64,
}

/// Different words of one metric.
const WORDS_MAX: usize = 64;
/// All further ones.
const OTHER: &str = "other";

impl Counter {
    /// Adds to it.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// What has been counted.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Gauge {
    /// Adds to it.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Takes away what was added.
    pub fn sub(&self, amount: u64) {
        self.0.fetch_sub(amount, Ordering::Relaxed);
    }

    /// Its value now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Words {
    /// Adds to the counter of a word.
    pub fn add(&self, word: &str, amount: u64) {
        let mut words = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let is_known = words.contains_key(word);
        let word = if is_known || words.len() < WORDS_MAX {
            word
        } else {
            OTHER
        };
        *words.entry(word.to_owned()).or_insert(0) += amount;
    }

    /// Every word and what was counted, in the order of the alphabet.
    pub fn get(&self) -> Vec<(String, u64)> {
        let words = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        words
            .iter()
            .map(|(word, count)| (word.clone(), *count))
            .collect()
    }

    /// The counter of one word.
    pub fn of(&self, word: &str) -> u64 {
        let words = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        words.get(word).copied().unwrap_or(0)
    }
}

impl Durations {
    pub(super) fn new(bounds_us: &'static [u64]) -> Self {
        Self {
            bounds_us,
            buckets: (0..=bounds_us.len()).map(|_| AtomicU64::new(0)).collect(),
            sum_ns: AtomicU64::new(0),
        }
    }

    /// One more thing took so long.
    pub fn record(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = self.bounds_us.partition_point(|bound| *bound < us);
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.buckets
            .iter()
            .map(|bucket| bucket.load(Ordering::Relaxed))
            .sum()
    }

    /// Upper bounds in seconds with how many took no longer; the sum in seconds; how many in all.
    pub(super) fn read(&self) -> (Vec<(f64, u64)>, f64, u64) {
        let mut below = 0;
        let mut cumulative = Vec::with_capacity(self.bounds_us.len());
        for (bound, bucket) in self.bounds_us.iter().zip(&self.buckets) {
            below += bucket.load(Ordering::Relaxed);
            cumulative.push((*bound as f64 / 1e6, below));
        }
        let last = self
            .buckets
            .last()
            .map_or(0, |bucket| bucket.load(Ordering::Relaxed));
        let sum = self.sum_ns.load(Ordering::Relaxed) as f64 / 1e9;
        (cumulative, sum, below + last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let durations = Durations::new(&[1_000, 2_000]);
        for us in [0, 999, 1_000, 1_001, 2_000, 2_001, 9_000_000] {
            durations.record(Duration::from_micros(us));
        }
        let (buckets, sum, count) = durations.read();
        assert_eq!(buckets, [(0.001, 3), (0.002, 5)]);
        assert_eq!(count, 7);
        assert!((sum - 9.007001).abs() < 1e-9, "{sum}");
    }

    #[test]
    fn words_that_clients_choose_do_not_make_the_page_grow() {
        let words = Words::default();
        for number in 0..1000 {
            words.add(&format!("word{number}"), 1);
        }
        words.add("word0", 1);
        assert_eq!(words.get().len(), WORDS_MAX + 1);
        assert_eq!(words.of("word0"), 2);
        assert_eq!(words.of(OTHER), 1000 - WORDS_MAX as u64);
    }
}
