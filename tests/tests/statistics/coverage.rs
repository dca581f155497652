//! How often the truth lies within the stated error of an estimate.
//!
//! One trial is one estimate over first messages that no other trial of the same tally looks at. Each
//! first message has an R of its own, so that trials are independent and their number within the error is
//! binomial. Which trials count is decided by the truth alone, never by what was sampled.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use reflow_trace::lineage::{Estimate, FlowIndex};

use crate::bound::expected;
use crate::job::Kind;
use crate::judge::Run;

/// Fewer traces than this are not expected to give a normal distribution.
const TRACES_MIN: f64 = 30.0;

/// Trials of one kind of estimate.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) trials: usize,
    /// The truth was within one standard error.
    pub(crate) within_one: usize,
    /// The truth was within 1.96 standard errors.
    pub(crate) within_two: usize,
    /// Sum of the errors, each divided by its standard error.
    pub(crate) sum_of_errors: f64,
}

impl Tally {
    fn add(&mut self, estimate: &Estimate, truth: f64) {
        let value = estimate.value.expect("every event says what it stands for");
        let error = estimate.standard_error.expect("and so the error is known");
        let off = (value - truth) / error.max(f64::MIN_POSITIVE);
        self.trials += 1;
        self.within_one += usize::from(off.abs() <= 1.0);
        self.within_two += usize::from(off.abs() <= 1.96);
        self.sum_of_errors += off;
    }

    /// Fails where the shares are not those of a normal distribution: 68.3 % within one standard error and
    /// 95 % within 1.96. An estimate from a few dozen traces of different lengths is only nearly normal,
    /// so that some percent more or less are allowed for, and beyond them what chance does but for one
    /// case in a million. An error that is stated too large fails as one that is stated too small.
    pub(crate) fn assert_is_as_stated(&self, what: &str) {
        println!(
            "{what}: {} trials, {:.1} % within one standard error, {:.1} % within 1.96, mean {:+.3}",
            self.trials,
            100.0 * self.within_one as f64 / self.trials as f64,
            100.0 * self.within_two as f64 / self.trials as f64,
            self.sum_of_errors / self.trials as f64,
        );
        let within_one = expected(self.trials, 0.62, 0.75);
        assert!(
            within_one.contains(&self.within_one),
            "{what}: {self:?}, not in {within_one:?}"
        );
        let within_two = expected(self.trials, 0.91, 0.985);
        assert!(
            within_two.contains(&self.within_two),
            "{what}: {self:?}, not in {within_two:?}"
        );
    }
}

/// The tallies of all runs.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    /// Messages and bytes by kind, over groups of first messages.
    messages: HashMap<&'static str, Tally>,
    bytes: HashMap<&'static str, Tally>,
    /// The edge and type of each run with the most messages that were sampled by a rate.
    busiest: Tally,
    /// All edges and types; those of one run share their traces, so that nothing is asserted of it.
    edges: Tally,
}

/// First messages in one group, so that some dozens of their traces are recorded.
fn group_size(kind: Kind) -> usize {
    (150.0 / kind.rate()) as usize
}

impl Coverage {
    pub(crate) fn add(&mut self, run: &Run, index: &FlowIndex<'_>) {
        let attempts = run.attempts();
        for kind in [Kind::Half, Kind::Tenth, Kind::Hundredth] {
            let size = group_size(kind);
            let mut groups = vec![Vec::new(); run.truth.root_count().div_ceil(size)];
            for &event in attempts.get(kind.name()).into_iter().flatten() {
                let root = run.root_of(event).expect("an attempt has its number");
                groups[root / size].push(event);
            }
            for (number, events) in groups.into_iter().enumerate() {
                let roots = run.truth.roots.iter().skip(number * size).take(size);
                let (mut traces, mut messages, mut bytes) = (0.0, 0, 0);
                for root in roots {
                    let sent = root.messages[kind as usize].load(Ordering::Relaxed);
                    traces += if sent > 0 { kind.rate() } else { 0.0 };
                    messages += sent;
                    bytes += root.bytes[kind as usize].load(Ordering::Relaxed);
                }
                if traces < TRACES_MIN {
                    continue;
                }
                let index = FlowIndex::new(events);
                let of_messages = index.estimate(|_| Some(1.0));
                let size = |message: &reflow_trace::MessageSnapshot| message.size_bytes as f64;
                let of_bytes = index.estimate(|event| event.data.message.as_ref().map(size));
                (self.messages.entry(kind.name()).or_default())
                    .add(&of_messages, f64::from(messages));
                self.bytes
                    .entry(kind.name())
                    .or_default()
                    .add(&of_bytes, bytes as f64);
            }
        }
        self.add_edges(run, index);
    }

    fn add_edges(&mut self, run: &Run, index: &FlowIndex<'_>) {
        let mut busiest: Option<(f64, Estimate, f64)> = None;
        for edge in index.edge_estimates() {
            let seed = run.plan.seed;
            let kind = Kind::ALL
                .into_iter()
                .find(|kind| kind.name() == edge.message_type);
            let kind = kind.unwrap_or_else(|| panic!("seed {seed}: {edge:?}"));
            let truth = edge.counted_messages.expect("there are counters") as f64;
            if kind == Kind::Always {
                let known = (edge.messages.value, edge.messages.standard_error);
                assert_eq!(known, (Some(truth), Some(0.0)), "seed {seed}: {edge:?}");
            }
            let recorded = truth * kind.rate();
            if kind == Kind::Always || recorded < TRACES_MIN {
                continue;
            }
            self.edges.add(&edge.messages, truth);
            if busiest.is_none_or(|(most, ..)| most < recorded) {
                busiest = Some((recorded, edge.messages, truth));
            }
        }
        if let Some((_, estimate, truth)) = busiest {
            self.busiest.add(&estimate, truth);
        }
    }

    /// Prints all shares, and fails where one is not as stated.
    pub(crate) fn assert_is_as_stated(&self) {
        println!("edges and types, not independent: {:?}", self.edges);
        self.busiest
            .assert_is_as_stated("the busiest edge of each run");
        for kind in [Kind::Half, Kind::Tenth, Kind::Hundredth] {
            for (what, tallies) in [("messages", &self.messages), ("bytes", &self.bytes)] {
                if let Some(tally) = tallies.get(kind.name()) {
                    tally.assert_is_as_stated(&format!("{what} at {}", kind.rate()));
                }
            }
        }
    }
}
