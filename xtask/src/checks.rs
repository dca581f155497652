//! The checks. CI is this table and nothing else.

use crate::step::{Step, cargo, nightly_cargo};
use crate::tools::{CLIPPY, MIRI, RUSTFMT, has_nextest};

/// The package in which tracing is compiled out.
const COMPILED_OUT: &str = "--manifest-path tests/compiled-out/Cargo.toml";

/// Every check, cheapest first.
pub(crate) fn all() -> Vec<Step> {
    vec![
        Step::check(
            "lock",
            "the lock files say what the manifests say",
            [
                cargo("metadata --quiet --locked --format-version 1"),
                cargo(&format!(
                    "metadata --quiet --locked --format-version 1 {COMPILED_OUT}"
                )),
            ],
        ),
        Step::check(
            "fmt",
            "one layout, so that a diff shows meaning only",
            [
                cargo("fmt --all --check"),
                cargo(&format!("fmt --all --check {COMPILED_OUT}")),
            ],
        )
        .needs(RUSTFMT),
        Step::check(
            "clippy",
            "no warning anywhere, tests and benches included",
            [cargo(
                "clippy --workspace --all-targets --all-features --quiet -- -D warnings",
            )],
        )
        .needs(CLIPPY),
        Step::check(
            "clippy-without",
            "no warning where tracing is compiled out either",
            [
                cargo("clippy -p reflow-trace --no-default-features --quiet -- -D warnings"),
                cargo(&format!(
                    "clippy {COMPILED_OUT} --workspace --all-targets --quiet -- -D warnings"
                ))
                .target("compiled-out"),
            ],
        )
        .needs(CLIPPY),
        Step::check(
            "docs",
            "the documentation builds without a warning: no dead link, nothing undocumented",
            [cargo("doc --workspace --no-deps --all-features --quiet")
                .set("RUSTDOCFLAGS", "-D warnings")],
        ),
        tests(),
        Step::tests(
            "doc-tests",
            "every example in the documentation compiles and runs",
            [cargo("test --workspace --all-features --doc --quiet")],
        ),
        Step::check(
            "main-job",
            "the first command of the README works",
            [cargo("run --quiet --example sensor_pipeline")],
        ),
        Step::tests(
            "compiled-out",
            "without the feature `enable`: the whole API compiles, runs, records nothing, changes nothing",
            [
                cargo(&format!("run --quiet {COMPILED_OUT}")).target("compiled-out"),
                cargo(&format!(
                    "test --quiet {COMPILED_OUT} --test nothing_is_recorded"
                ))
                .target("compiled-out"),
            ],
        ),
        Step::tests(
            "same-assembly",
            "without the feature `enable` an annotated connector is the plain one, instruction by instruction",
            [
                cargo(&format!("test --quiet {COMPILED_OUT} --test same_assembly"))
                    .target("compiled-out"),
            ],
        ),
        Step::tests(
            "loom",
            "every interleaving of the ring's producer and consumer, on the shipped type",
            [cargo("test -p reflow-trace --release --lib ring --quiet")
                .set("RUSTFLAGS", "--cfg loom")
                .target("loom")],
        ),
        Step::tests(
            "miri",
            "no undefined behaviour in the ring",
            [nightly_cargo("miri test -p reflow-trace --lib ring --quiet").target("miri")],
        )
        .needs(MIRI),
    ]
}

fn tests() -> Step {
    let runner = if has_nextest() {
        "nextest run --workspace --all-features --no-fail-fast --status-level fail --final-status-level fail"
    } else {
        "test --workspace --all-features --tests --no-fail-fast --quiet"
    };
    Step::tests(
        "tests",
        "every test of every crate, the examples among them",
        [cargo(runner)],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_distinct_and_every_step_has_a_reason_and_a_command() {
        let mut names = HashSet::new();
        for step in all() {
            assert!(names.insert(step.name), "`{}` is there twice", step.name);
            assert!(
                !step.why.is_empty() && !step.commands.is_empty(),
                "{}",
                step.name
            );
        }
    }
}
