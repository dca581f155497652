//! `kill -9`, of the real programs, at any moment.
//!
//! A server with small segments, so that sealing and merging are killed too, and a traced program that sends
//! thousands of messages a second in small batches. Between them a proxy that only looks: what was under way
//! at a kill is what it had passed on and seen no acknowledgement of.
//!
//! What must hold: everything acknowledged is stored, once; so is everything that lay in a spool when its
//! program died; nothing else is stored than what was sent; and of each program the ledger balances, from the
//! probe to the store.
//!
//! Every second kill waits for its moment: the next at which something is under way. The others come when
//! they come.
//!
//! A few kills here; `cargo xtask measure durability` asks for fifty of each (`DURABILITY_FULL`). The moments
//! come from a seed that is printed; `DURABILITY_SEED=17` gives the same moments, as far as a machine with
//! other work can.

#![forbid(unsafe_code)]

mod scene;

use reflow_trace_durability::histogram::Histogram;
use reflow_trace_durability::runs::{is_full, seed};

use scene::{Scene, milliseconds};

fn kills() -> usize {
    if is_full() { 50 } else { 4 }
}

/// A third at least with batches under way, else nothing was shown.
fn show(what: &str, histogram: &Histogram) {
    println!(
        "batches under way at {} kills of {what}:\n{histogram}",
        histogram.len()
    );
    let (under_way, kills) = (histogram.above_zero(), histogram.len());
    assert!(
        under_way * 3 >= kills,
        "only {under_way} of {kills} kills had batches under way"
    );
}

#[test]
fn a_server_that_is_killed_has_stored_what_it_acknowledged_and_once() {
    let mut dice = start("server");
    let mut scene = Scene::new(dice.u64(..));
    let mut histogram = Histogram::default();
    scene.start_client();
    for kill in 0..kills() {
        scene.wait_for_progress();
        milliseconds(dice.u64(0..300));
        scene.aim(kill);
        histogram.add(scene.kill_server());
        // Clients notice, and come back before it does, or after.
        milliseconds(dice.u64(0..50));
        scene.start_server();
    }
    scene.wait_for_progress();
    scene.finish();
    show("the server", &histogram);
}

#[test]
fn a_client_that_is_killed_loses_what_was_in_its_memory_and_nothing_else() {
    let mut dice = start("client");
    let mut scene = Scene::new(dice.u64(..));
    let mut histogram = Histogram::default();
    for kill in 0..kills() {
        scene.start_client();
        scene.wait_for_progress();
        milliseconds(dice.u64(0..300));
        if kill % 4 == 3 {
            // The line goes dead and the spool fills, so that there is something to be found.
            scene.silence();
            scene.wait_for_spool();
        } else {
            scene.aim(kill);
        }
        histogram.add(scene.kill_client());
        scene.end_silence();
    }
    scene.start_client();
    scene.wait_for_progress();
    scene.finish();
    show("the client", &histogram);
}

#[test]
fn both_may_be_killed_in_any_order() {
    let mut dice = start("both");
    let mut scene = Scene::new(dice.u64(..));
    let mut histogram = Histogram::default();
    scene.start_client();
    for kill in 0..kills() {
        scene.wait_for_progress();
        milliseconds(dice.u64(0..300));
        scene.aim(kill);
        let (server, client) = (dice.bool(), dice.bool());
        if server || !client {
            histogram.add(scene.kill_server());
        }
        if client {
            milliseconds(dice.u64(0..200));
            let under_way = scene.kill_client();
            if !server {
                histogram.add(under_way);
            }
            scene.start_client();
        }
        if server || !client {
            scene.start_server();
        }
    }
    scene.wait_for_progress();
    scene.finish();
    show("either", &histogram);
}

fn start(what: &str) -> fastrand::Rng {
    let seed = seed();
    println!("{what}: DURABILITY_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}
