//! A signal ends a command wherever it is held.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};

use crate::events::{plain, write};
use crate::program::{Running, ended, run};

/// A store in which so many events are.
fn store(directory: &Path, events: usize) -> std::path::PathBuf {
    let data = directory.join("data");
    let file = write(directory, "a.jsonl", &plain(events));
    run("import {} --data {}", &[&file, &data]).with(0);
    data
}

/// Waits until the program listens to a signal: before, it is ended by any as every program is.
fn until_it_listens(child: &mut Child, signal: u32) {
    let status = format!("/proc/{}/status", child.id());
    loop {
        assert_eq!(child.try_wait().unwrap(), None, "it has ended");
        let text = fs::read_to_string(&status).unwrap();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
        if caught >> (signal - 1) & 1 == 1 {
            return;
        }
        std::thread::yield_now();
    }
}

#[test]
fn who_is_held_in_opening_a_pipe_that_nobody_reads_ends_by_a_signal() {
    let directory = tempfile::tempdir().unwrap();
    let data = store(directory.path(), 10);
    let pipe = directory.path().join("pipe.jsonl");
    ended(Command::new("mkfifo").arg(&pipe)).with(0);
    for (name, number) in [("INT", 2), ("TERM", 15)] {
        let mut export = Running::start("export --data {} -o {}", &[&data, &pipe]);
        until_it_listens(&mut export.child, number);
        export.signal(name);
        export.end().with(130);
    }
}

#[test]
fn who_is_held_in_writing_to_somebody_who_does_not_read_ends_by_a_signal() {
    let directory = tempfile::tempdir().unwrap();
    let data = store(directory.path(), 5_000);
    let mut export = Running::start("export --data {}", &[&data]);
    assert!(export.line().starts_with('{'));
    export.signal("TERM");
    // The pipe stays open, and full, until the program has ended.
    assert_eq!(export.child.wait().unwrap().code(), Some(130));
}
