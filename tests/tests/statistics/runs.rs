//! Many runs of random networks.

use std::ops::Range;
use std::time::Duration;

use reflow_trace::Overflow;
use reflow_trace::lineage::FlowIndex;

use crate::coverage::Coverage;
use crate::job::Kind;
use crate::judge::{Run, Verdicts};
use crate::network::Plan;
use crate::truth::Truth;

/// All five kinds; few that make many events, so that a million messages fit into memory.
const ALL_KINDS: [(Kind, usize); 5] = [
    (Kind::Always, 4),
    (Kind::Half, 8),
    (Kind::Tenth, 32),
    (Kind::Hundredth, 46),
    (Kind::Never, 10),
];
/// Without `never`, under which no trace is known to be complete.
const BY_RATES: [(Kind, usize); 4] = [
    (Kind::Always, 6),
    (Kind::Half, 9),
    (Kind::Tenth, 35),
    (Kind::Hundredth, 50),
];
const TWO_RATES: [(Kind, usize); 3] = [(Kind::Always, 20), (Kind::Half, 30), (Kind::Tenth, 50)];
const ALWAYS: [(Kind, usize); 1] = [(Kind::Always, 1)];

const PATIENT: Overflow = Overflow::Wait(Duration::from_secs(600));

/// Whether the long runs are asked for: `cargo xtask measure statistics` does.
pub(crate) fn is_full() -> bool {
    std::env::var_os("STATISTICS_FULL").is_some()
}

/// The seeds to run, or the one that is asked for.
fn seeds(range: Range<u64>) -> Vec<u64> {
    match std::env::var("STATISTICS_SEED") {
        Ok(seed) => vec![seed.parse().expect("`STATISTICS_SEED` is a number")],
        Err(_) => range.collect(),
    }
}

/// The plan of a seed: by turns with all kinds, with rates, with two of them, and with everything.
fn plan(seed: u64, messages: usize) -> Plan {
    let kinds = match seed % 4 {
        0 => &ALL_KINDS[..],
        1 => &BY_RATES,
        2 => &TWO_RATES,
        // Every event of every message: a tenth of the messages makes as many events.
        _ => &ALWAYS,
    };
    let messages = if seed % 4 == 3 {
        messages / 8
    } else {
        messages
    };
    Plan {
        seed,
        messages,
        kinds: kinds.to_vec(),
        fails: seed % 8 < 5,
    }
}

fn print_run(run: &Run, verdicts: Verdicts) {
    let (actors, edges) = run.size();
    let sum = |of: fn(&crate::truth::FlowTruth) -> &std::sync::atomic::AtomicU64| run.truth.sum(of);
    let traces = verdicts.complete + verdicts.partial + verdicts.unknown;
    println!(
        "| {} | {actors} | {edges} | {} | {} | {} | {} | {} | {traces} | {} | {} | {} | {:.1} s |",
        run.plan.seed,
        sum(|it| &it.messages),
        sum(|it| &it.failures),
        sum(|it| &it.dropped),
        run.events.len(),
        run.ledger.lost_total(),
        verdicts.complete,
        verdicts.partial,
        verdicts.unknown,
        run.took.as_secs_f64(),
    );
}

/// Runs without loss: everything holds.
fn everything_holds(seeds: &[u64], messages: usize) {
    let mut coverage = Coverage::default();
    let (mut sent, mut checked, mut from_below) = (0, 0, 0);
    for &seed in seeds {
        let run = Run::record(plan(seed, messages), 1 << 14, PATIENT);
        run.assert_counters_are_exact();
        run.assert_the_ledger_balances();
        run.assert_nothing_is_lost();
        let waits = run.waits();
        let index = FlowIndex::new(&run.everything);
        let verdicts = run.verdicts(&index);
        assert_completeness_is_found(&run, verdicts);
        coverage.add(&run, &index);
        print_run(&run, verdicts);
        let mean_us = waits.slack_ns as f64 / waits.checked.max(1) as f64 / 1_000.0;
        println!("  waits: {waits:?}, bounds {mean_us:.1} µs apart on average");
        sent += run.truth.sum(|it| &it.messages);
        checked += waits.checked;
        from_below += waits.from_below;
    }
    assert!(
        from_below > 0 && from_below <= checked,
        "no wait was bounded from below"
    );
    println!(
        "{sent} messages in {} runs; {checked} waits between their bounds, {from_below} of them from below too",
        seeds.len()
    );
    if seeds.len() > 1 {
        coverage.assert_is_as_stated();
    }
}

/// The verdict is not only true, it is given where it can be: otherwise never to say *complete* would do.
fn assert_completeness_is_found(run: &Run, verdicts: Verdicts) {
    let seed = run.plan.seed;
    let is_used = |kind| run.plan.kinds.iter().any(|(used, _)| *used == kind);
    if is_used(Kind::Never) {
        assert_eq!(verdicts.complete, 0, "seed {seed}: {verdicts:?}");
    } else if run.plan.kinds == ALWAYS && !run.plan.fails {
        // A message that was dropped inside was not taken up; here there is none.
        let all = Verdicts {
            complete: traces_of(&run.truth),
            ..Verdicts::default()
        };
        assert_eq!(verdicts, all, "seed {seed}");
    } else if !run.plan.fails {
        assert!(verdicts.complete > 0, "seed {seed}: {verdicts:?}");
    }
}

fn traces_of(truth: &Truth) -> usize {
    let roots = truth.roots.iter();
    roots
        .filter(|root| root.events.load(std::sync::atomic::Ordering::Relaxed) > 0)
        .count()
}

/// Rings that are far too small: the counters are exact all the same, what is missing is told to the
/// event, and no trace is called complete that is not.
fn what_is_lost_is_known(seeds: &[u64], messages: usize) {
    let mut lost = 0;
    for &seed in seeds {
        let mut plan = plan(seed, messages);
        if seed % 2 == 1 {
            plan.kinds = ALWAYS.to_vec();
        }
        let run = Run::record(plan, 64, Overflow::DropNewest);
        run.assert_counters_are_exact();
        run.assert_the_ledger_balances();
        let index = FlowIndex::new(&run.everything);
        let verdicts = run.verdicts(&index);
        print_run(&run, verdicts);
        if run.plan.kinds == ALWAYS {
            // Where all are recorded, an estimate falls short by what is lost; some of that may have been
            // of the lives of actors.
            let estimate = index.estimate(|event| event.trace_id.map(|_| 1.0));
            let value = estimate
                .value
                .expect("every message says what it stands for");
            let missing = run.attempts_of_messages() - value as u64;
            let lost = run.ledger.lost_total();
            let may_be_missing = lost.saturating_sub(run.events_of_lives())..=lost;
            assert!(
                may_be_missing.contains(&missing),
                "seed {seed}: {missing} of {lost}"
            );
        }
        lost += run.ledger.lost_total();
    }
    assert!(lost > 0, "the rings were large enough after all");
}

#[test]
fn counters_estimates_waits_and_verdicts_are_true() {
    match is_full() {
        false => everything_holds(&seeds(0..8), 20_000),
        true => everything_holds(&seeds(0..16), 1_000_000),
    }
}

#[test]
fn beside_losses_counters_are_exact_and_verdicts_true() {
    match is_full() {
        false => what_is_lost_is_known(&seeds(100..103), 10_000),
        true => what_is_lost_is_known(&seeds(100..104), 1_000_000),
    }
}
