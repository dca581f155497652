//! The measurements: what takes long, or whose result is a figure rather than a yes or no.

use crate::step::{Step, cargo, program, target_directory};

/// Every measurement.
pub(crate) fn all() -> Vec<Step> {
    vec![
        Step::check(
            "record",
            "what a record costs: bare, floor, ours, off, compiled out, and the same work in peers",
            [cargo("bench -p reflow-trace --bench record")],
        ),
        Step::check(
            "group-commit",
            "events acknowledged durably each second, and how long that takes, by what a group of batches waits for",
            [cargo("bench -p reflow-trace-server --bench ingest")],
        ),
        Step::check(
            "build-cost",
            "what the attributes cost the user's build: 1 000 methods, plain, ours and in peers",
            [cargo("run --quiet --package xtask --bin build-cost")],
        ),
        fresh_clone(),
        Step::check(
            "soak",
            "a minute of more than can be recorded, into a sink that stalls: exact, balanced, bounded",
            [cargo(
                "run --release -p reflow-trace-tests --bin soak -- 60",
            )],
        ),
        Step::check(
            "statistics",
            "random networks of a million messages each against a count of their own",
            [cargo(
                "test --release -p reflow-trace-tests --test statistics -- --nocapture --test-threads=1",
            )
            .set("STATISTICS_FULL", "1")],
        ),
        Step::check(
            "durability",
            "fifty kills of the server, of the client and of either, bad networks, and simulated worlds by the ten thousand",
            [cargo(
                "test --release -p reflow-trace-durability --tests -- --nocapture --test-threads=1",
            )
            .set("DURABILITY_FULL", "1")],
        ),
        Step::check(
            "ingest",
            "events a second acknowledged durably, bytes an event, memory, and what sends cost meanwhile",
            [
                cargo("build --release -p reflow-trace-durability --bins"),
                cargo("run --release -p reflow-trace-durability --bin ingest"),
            ],
        ),
        Step::check(
            "questions",
            "what answers over ten million events cost: time, rows looked at, memory",
            [
                cargo("build --release -p reflow-trace-durability --features sql --bins"),
                cargo(
                    "run --release -p reflow-trace-durability --features sql --bin questions",
                ),
            ],
        ),
        Step::check(
            "live",
            "how long an event takes from its send to a subscriber, and what subscribers cost ingest",
            [
                cargo("build --release -p reflow-trace-durability --features sql --bins"),
                cargo("run --release -p reflow-trace-durability --features sql --bin live"),
            ],
        ),
    ]
}

/// The time of this step is the result: under two minutes on two cores is the goal.
fn fresh_clone() -> Step {
    let clone = target_directory().join("fresh-clone").display().to_string();
    Step::check(
        "fresh-clone",
        "how long a newcomer waits for the first picture: clone, compile, run",
        [
            program("rm", &format!("-rf {clone}")),
            program("git", &format!("clone --quiet --no-hardlinks . {clone}")),
            cargo(&format!(
                "run --manifest-path {clone}/Cargo.toml --example sensor_pipeline"
            ))
            .target("fresh-clone/target"),
        ],
    )
}
