//! The whole path under a simulated clock, disk and network, thousands of times.
//!
//! The state machines are those that run in production: the client's machine and its spool, the server's
//! session and the queue of its committer. Around them a seed decides what is sent when, what is cut, torn,
//! turned, lost or repeated on the way, who dies in which step, and what the disk has kept of it.
//!
//! What must hold: nothing is acknowledged before it is stored; what was acknowledged, and what lay in a
//! spool when its process died, is stored once; nothing else is stored; every loss is counted, to the
//! event; and once nothing fails any more, everything gets through in bounded time.
//!
//! Every seed can be repeated: `DURABILITY_SEED=17`. `cargo xtask measure durability` runs a hundred
//! times as many (`DURABILITY_FULL`). A plan that fails is printed with the smallest one found that fails
//! too.

#![forbid(unsafe_code)]

mod line;
mod plan;
mod process;
mod server;
mod verdict;
mod world;

use reflow_trace_durability::runs::{asked_seed, is_full};

use plan::Plan;
use verdict::run;
use world::Tally;

const SEEDS: u64 = 300;
const SEEDS_FULL: u64 = 50_000;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_stored_twice_whatever_fails() {
    let seeds = match asked_seed() {
        Some(seed) => seed..seed + 1,
        None => 0..if is_full() { SEEDS_FULL } else { SEEDS },
    };
    let mut sum = Tally::default();
    for seed in seeds.clone() {
        let plan = Plan::of_seed(seed);
        match run(plan) {
            Ok(tally) => sum.add(&tally),
            Err(violation) => {
                let smallest = plan.shrink(|plan| run(plan).is_err());
                let there = run(smallest).err().unwrap_or_default();
                panic!("{plan}\n  {violation}\nsmallest: {smallest}\n  {there}");
            }
        }
    }
    println!("seeds {seeds:?}: {sum:?}");
    if asked_seed().is_none() {
        sum.is_worth_something();
    }
}

#[test]
fn a_seed_is_one_run() {
    let plan = Plan::of_seed(7);
    assert_eq!(run(plan), run(plan));
}

impl Tally {
    fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.batches, other.batches),
            (&mut self.acks, other.acks),
            (&mut self.duplicates, other.duplicates),
            (&mut self.server_deaths, other.server_deaths),
            (
                &mut self.server_deaths_under_way,
                other.server_deaths_under_way,
            ),
            (&mut self.client_deaths, other.client_deaths),
            (
                &mut self.client_deaths_under_way,
                other.client_deaths_under_way,
            ),
            (&mut self.failed_commits, other.failed_commits),
            (&mut self.connections, other.connections),
            (&mut self.strikes, other.strikes),
            (&mut self.lost, other.lost),
        ];
        for (sum, more) in pairs {
            *sum += more;
        }
    }

    /// Whether enough went wrong for the rest to mean something.
    fn is_worth_something(&self) {
        for (what, count) in [
            ("acknowledgements", self.acks),
            ("duplicates", self.duplicates),
            (
                "deaths of the server with batches under way",
                self.server_deaths_under_way,
            ),
            (
                "deaths of a client with batches under way",
                self.client_deaths_under_way,
            ),
            ("commits that failed", self.failed_commits),
            ("losses", self.lost),
        ] {
            assert!(count > 50, "only {count} {what}");
        }
    }
}
