//! What a bad network does to a conversation, by seeds.
//!
//! The client is a real traced program, the server a real server, both for many short runs: in each a seed
//! says how often messages are cut, torn, held up, repeated, moved, turned, or go nowhere with nobody told.
//! Afterwards the network is good, and everything gets through.
//!
//! `DURABILITY_SEED=17` repeats the faults of one seed, as far as threads take the same turns;
//! `cargo xtask measure durability` runs many (`DURABILITY_FULL`).

#![forbid(unsafe_code)]

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use reflow_trace_durability::oracle::{Findings, Stored};
use reflow_trace_durability::process::{ClientPlan, ServerProcess};
use reflow_trace_durability::proxy::{Faults, Proxy};
use reflow_trace_durability::runs::{asked_seed, is_full};
use reflow_trace_durability::shared::Attempts;

const SEEDS: u64 = 6;
const SEEDS_FULL: u64 = 100;
const PATIENCE: Duration = Duration::from_secs(120);

/// One kind of fault often, or several now and then.
fn faults(dice: &mut fastrand::Rng, seed: u64) -> Faults {
    let mut faults = Faults::default();
    let mut set = |kind: u64, most: u32, dice: &mut fastrand::Rng| {
        let rate = dice.u32(1..=most);
        let place = match kind {
            0 => &mut faults.cuts,
            1 => &mut faults.tears,
            2 => &mut faults.stalls_ms,
            3 => &mut faults.half_opens,
            4 => &mut faults.delays_ms,
            5 => &mut faults.reorders,
            6 => &mut faults.duplicates,
            7 => &mut faults.corrupts,
            8 => &mut faults.corrupts_the_line,
            _ => &mut faults.refuses,
        };
        *place = match kind {
            2 => rate * 4,
            4 => rate.min(20),
            9 => rate * 5,
            _ => rate,
        };
    };
    if seed.is_multiple_of(2) {
        set(seed / 2 % 10, 100, dice);
    } else {
        for kind in 0..10 {
            if dice.bool() {
                // Of a silent line one a run is enough: it lasts until the network is good again.
                set(kind, if kind == 3 { 5 } else { 25 }, dice);
            }
        }
    }
    faults
}

/// One conversation.
fn run(seed: u64) -> (Findings, usize) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let faults = faults(&mut dice, seed);
    println!("DURABILITY_SEED={seed} {faults:?}");
    let directory = tempfile::tempdir().expect("the directory of tests is writable");
    let path = |name: &str| directory.path().join(name);
    let program = Path::new(env!("CARGO_BIN_EXE_durability-server"));
    let server = ServerProcess::start(program, &path("data"), &["--commit-group-wait", "5ms"]);
    let proxy = Proxy::start(server.address(), faults, seed).expect("the system gives a port");
    let plan = ClientPlan {
        program: env!("CARGO_BIN_EXE_durability-client").into(),
        server: proxy.address(),
        spool: path("spool"),
        attempts: path("attempts"),
        rate: 10_000,
    };
    let client = plan.start(seed);
    // A time in which things go wrong, not one that anything is waited for.
    thread::sleep(Duration::from_millis(dice.u64(700..1_500)));
    proxy.set_faults(Faults::default());
    let acked = || proxy.witness().look(|seen| seen.acked_batches());
    let before = acked();
    let end = Instant::now() + PATIENCE;
    while acked() <= before {
        assert!(
            Instant::now() < end,
            "no progress after the network was good again"
        );
        thread::sleep(Duration::from_millis(5));
    }
    let metrics = client.finish();
    assert!(server.stop(), "the server ends in good order");

    let stored = Stored::read(&path("data"));
    let findings = stored.check(&proxy.witness().seen());
    let begun = Attempts::open(&path("attempts")).and_then(|attempts| attempts.read());
    let begun = begun.expect("it was written");
    assert_eq!(
        stored.check_orders(seed, &begun),
        0,
        "everything got through"
    );
    let ledger = &metrics.ledger;
    assert!(ledger.balances(), "{ledger}");
    let sink = ledger
        .sinks
        .iter()
        .find(|sink| sink.name == "server")
        .expect("it has one");
    assert_eq!(
        (sink.stored, sink.queued, sink.pending),
        (stored.len(), 0, 0),
        "{ledger}"
    );
    assert_eq!((&ledger.lost, &sink.lost), (&vec![], &vec![]), "{ledger}");
    (findings, proxy.connections())
}

#[test]
fn whatever_a_network_does_everything_is_stored_once() {
    let seeds = match asked_seed() {
        Some(seed) => seed..seed + 1,
        None => 0..if is_full() { SEEDS_FULL } else { SEEDS },
    };
    let (mut sum, mut connections) = (Findings::default(), 0);
    for seed in seeds {
        let (findings, made) = run(seed);
        println!("  {findings:?}, {made} connections");
        sum.stored_events += findings.stored_events;
        sum.retries += findings.retries;
        connections += made;
    }
    println!(
        "{} events stored, {} batches sent again, {connections} connections",
        sum.stored_events, sum.retries
    );
    if asked_seed().is_none() {
        assert!(
            sum.retries > 0,
            "a network that is bad makes somebody send again"
        );
    }
}
