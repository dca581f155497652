//! The checks. CI is this table and nothing else.

use crate::step::{Action, Step, cargo, nightly_cargo, root};
use crate::tools::{CLIPPY, MIRI, RUSTFMT, has_nextest};

/// The package in which tracing is compiled out.
const COMPILED_OUT: &str = "--manifest-path tests/compiled-out/Cargo.toml";

/// Every check, cheapest first.
pub(crate) fn all() -> Vec<Step> {
    let apart = packages_apart();
    let in_each = |words: &str| -> Vec<Action> {
        let here = std::iter::once(cargo(words));
        let there = apart
            .iter()
            .map(|manifest| cargo(&format!("{words} --manifest-path {manifest}")));
        here.chain(there).collect()
    };
    vec![
        Step::check(
            "lock",
            "the lock files say what the manifests say",
            in_each("fetch --quiet --locked"),
        ),
        Step::check(
            "fmt",
            "one layout, so that a diff shows meaning only",
            in_each("fmt --all --check"),
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
            "clippy-apart",
            "no warning without the feature `enable`, nor in the packages that are built apart",
            clippy_without(&apart),
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
            "reflow-json",
            "Reflow's own types read what is written here, and the reverse",
            [
                cargo("test --quiet --manifest-path tests/reflow-json/Cargo.toml")
                    .target("reflow-json"),
            ],
        ),
        Step::tests(
            "reflow-network",
            "a network of Reflow's and the page of the specification, neither changed, work with the server as it is run",
            [
                // There already where the tests ran before it.
                cargo("build --workspace --all-features --bins --quiet"),
                cargo("test --quiet --manifest-path tests/reflow-network/Cargo.toml")
                    .target("reflow-network"),
            ],
        ),
        Step::tests(
            "loom",
            "every interleaving of the ring's producer and consumer, on the shipped type",
            [cargo("test -p reflow-trace --release --lib ring:: --quiet")
                .set("RUSTFLAGS", "--cfg loom")
                .target("loom")],
        ),
        Step::tests(
            "miri",
            "no undefined behaviour in the ring, nor where a message is found by its type",
            [
                nightly_cargo("miri test -p reflow-trace --lib --quiet -- ring:: registry::")
                    .target("miri"),
            ],
        )
        .needs(MIRI),
    ]
}

fn clippy_without(apart: &[String]) -> Vec<Action> {
    let library = cargo("clippy -p reflow-trace --no-default-features --quiet -- -D warnings");
    let others = apart.iter().map(|manifest| {
        cargo(&format!(
            "clippy --manifest-path {manifest} --workspace --all-targets --quiet -- -D warnings"
        ))
        .target("compiled-out")
    });
    std::iter::once(library).chain(others).collect()
}

/// The manifests of the packages outside the workspace: those that `exclude` names and that exist.
///
/// Cargo unifies features over what one command builds, so that these have to be built apart.
fn packages_apart() -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap_or_default();
    let list = manifest
        .split_once("\nexclude = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .map_or("", |(list, _)| list);
    let names = list.split(',').map(|name| name.trim().trim_matches('"'));
    let manifests = names
        .filter(|name| !name.is_empty())
        .map(|name| format!("{name}/Cargo.toml"));
    manifests
        .filter(|path| root().join(path).exists())
        .collect()
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
    fn the_packages_that_are_built_apart_are_found() {
        let found = packages_apart();
        assert!(
            found
                .iter()
                .any(|path| path == "tests/compiled-out/Cargo.toml"),
            "{found:?}"
        );
    }

    #[test]
    fn the_shapes_are_compiled_in_both_editions_under_strict_lints() {
        let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap_or_default();
        for edition in ["2021", "2024"] {
            let package = format!("tests/shapes/edition-{edition}");
            assert!(read("Cargo.toml").contains(&package), "{package}");
            let manifest = read(&format!("{package}/Cargo.toml"));
            assert!(
                manifest.contains(&format!("edition = \"{edition}\"")),
                "{manifest}"
            );
        }
        let first_lines = read("tests/shapes/main.rs");
        assert!(first_lines.contains("#![deny(warnings, clippy::pedantic)]"));
    }

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
