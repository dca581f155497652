//! Names that want to do harm, and terminals that are narrow.

use crate::events::{any, write};
use crate::program::{Serving, run, run_within};

/// Nothing in it can control a terminal or hide.
#[track_caller]
fn is_harmless(text: &str) {
    let bad = |c: char| {
        (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{200b}'
    };
    let found: Vec<&str> = text.lines().filter(|line| line.contains(bad)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_name_can_control_a_terminal_whatever_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(&[]);
    let file = write(directory.path(), "\u{1b}[2J.jsonl", &any(3, 500));
    let ended = run("import {} --server {}", &[&file, serving.url()]).with(0);
    is_harmless(&ended.err);
    for line in [
        "query --limit 500",
        "query --limit 500 --json",
        "stats",
        "stats --json",
        "graph --format json",
        "graph --json",
        "export",
        "export --json",
        "tail --from-offset 1 --limit 500",
        "tail --from-offset 1 --limit 500 --json",
        "doctor --missing-flows",
        "doctor --missing-flows --json",
        "lineage \u{1b}[31mred\u{1b}[0m\u{7}",
        "lineage no\u{1b}such",
    ] {
        let ended = run(&format!("{line} --server {{}}"), &[serving.url()]);
        assert!(matches!(ended.code, Some(0 | 5)), "{line}: {ended:#?}");
        is_harmless(&ended.out);
        is_harmless(&ended.err);
    }
}

#[test]
fn everything_fits_a_narrow_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = write(directory.path(), "a.jsonl", &any(5, 200));
    run("import {} --data {}", &[&file, &data]).with(0);
    for columns in [40, 80, 120] {
        for line in [
            "query --limit 200",
            "stats",
            "doctor",
            "doctor --missing-flows",
        ] {
            let shown = run_within(columns, &format!("{line} --data {{}}"), &[&data]).with(0);
            for text in shown.out.lines() {
                let wide = reflow_trace::terminal::columns(text);
                assert!(wide <= columns, "{line}: {wide} of {columns}: {text}");
            }
        }
    }
}
