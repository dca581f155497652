//! Recording is switched on from outside, and nothing is lost however the program ends.
//!
//! Ends that run no code at all (`abort`, `_exit`, a signal) lose what is in the rings; that is
//! documented and not tested.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use reflow_trace::{ENVIRONMENT_VARIABLE, TraceEvent};

/// A directory of this test alone, empty.
fn directory(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("activation")
        .join(test);
    // It may be there from the last time, or not.
    let _was_there = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("the directory of tests is writable");
    directory
}

/// Runs the program in `directory`, with the variable or without.
fn run(directory: &Path, wish: Option<&str>, begin: &str, end: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_activated"));
    command.args([begin, end]).current_dir(directory);
    match wish {
        Some(wish) => command.env(ENVIRONMENT_VARIABLE, wish),
        None => command.env_remove(ENVIRONMENT_VARIABLE),
    };
    command
        .output()
        .expect("the program was built with this test")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The messages in the file, and after them nothing but what the tracing says of itself.
fn messages_in(file: &Path) -> usize {
    let text = std::fs::read_to_string(file).expect("the file is there");
    let events: Vec<TraceEvent> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("every line is an event"))
        .collect();
    assert_eq!(events.iter().find_map(TraceEvent::as_loss), None);
    let messages = events.iter().filter(|event| event.is_data_flow());
    messages.filter(|event| event.actor_id == "counter").count()
}

fn files_in(directory: &Path) -> usize {
    std::fs::read_dir(directory).expect("it was made").count()
}

/// How the program ends, its exit code, and how many messages it has sent by then.
const ENDS: [(&str, i32, usize); 6] = [
    ("return", 0, 10),
    ("exit", 3, 10),
    ("exit-in-thread", 3, 20),
    ("panic", 101, 10),
    ("panic-in-thread", 0, 20),
    ("thread-before-main", 0, 20),
];

fn everything_is_in_the_file(begin: &str) {
    for (end, code, messages) in ENDS {
        let directory = directory(&format!("{begin}-{end}"));
        let output = run(&directory, Some("file:flow.jsonl"), begin, end);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{end}: {}",
            stderr(&output)
        );
        assert_eq!(
            messages_in(&directory.join("flow.jsonl")),
            messages,
            "{end}"
        );
        assert!(
            !stderr(&output).contains("reflow-trace:"),
            "{end}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_program_that_never_calls_init_delivers_everything_however_it_ends() {
    everything_is_in_the_file("unaware");
}

#[test]
fn a_program_that_forgets_its_guard_delivers_everything_however_it_ends() {
    everything_is_in_the_file("init");
}

#[test]
fn without_the_variable_there_is_no_file_and_no_word() {
    let directory = directory("without");
    let output = run(&directory, None, "unaware", "return");
    assert!(output.status.success());
    assert_eq!(
        (stdout(&output).as_str(), stderr(&output).as_str()),
        ("sum 55\n", "")
    );
    assert_eq!(files_in(&directory), 0);
}

#[test]
fn a_program_that_sends_nothing_makes_no_file() {
    let directory = directory("idle");
    let output = run(&directory, Some("file:flow.jsonl"), "idle", "return");
    assert_eq!(
        (stdout(&output).as_str(), stderr(&output).as_str()),
        ("idle\n", "")
    );
    assert_eq!(files_in(&directory), 0);
}

#[test]
fn a_malformed_value_is_said_in_one_line_and_changes_nothing_else() {
    let long = "x".repeat(10_000);
    for wrong in [
        "on",
        "1",
        "file:",
        "flow.jsonl",
        "http://localhost",
        "a\nb",
        "\u{1b}[31m",
        &long,
    ] {
        for begin in ["unaware", "init", "init-late", "init-twice"] {
            let directory = directory("malformed");
            let output = run(&directory, Some(wrong), begin, "return");
            assert!(output.status.success(), "{wrong:?} {begin}");
            assert!(stdout(&output).contains("sum 55\n"), "{wrong:?} {begin}");
            let said = stderr(&output);
            assert_eq!(said.lines().count(), 1, "{begin}: {said}");
            assert!(
                said.contains("`file:PATH`") && said.contains("`off`"),
                "{said}"
            );
            assert!(said.len() < 1_000 && !said.contains('\u{1b}'), "{said}");
            assert_eq!(files_in(&directory), 0);
        }
    }
    let output = run(&directory("malformed"), Some("on"), "init", "return");
    assert!(
        stdout(&output).contains("recording false"),
        "{}",
        stdout(&output)
    );
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_is_said_in_one_line() {
    use std::os::unix::ffi::OsStrExt;

    let output = Command::new(env!("CARGO_BIN_EXE_activated"))
        .args(["unaware", "return"])
        .env(
            ENVIRONMENT_VARIABLE,
            std::ffi::OsStr::from_bytes(b"file:\xff"),
        )
        .current_dir(directory("no-text"))
        .output()
        .expect("the program was built with this test");
    assert_eq!(stdout(&output), "sum 55\n");
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
}

#[test]
fn off_overrides_init_and_the_file_of_the_program() {
    for begin in ["unaware", "init", "own.jsonl"] {
        let directory = directory("off");
        let output = run(&directory, Some("off"), begin, "return");
        assert!(output.status.success() && stdout(&output).contains("sum 55"));
        assert!(!stdout(&output).contains("recording true"));
        assert_eq!(stderr(&output), "");
        assert_eq!(files_in(&directory), 0);
    }
}

#[test]
fn the_file_of_the_environment_overrides_that_of_the_program() {
    let directory = directory("override");
    let output = run(&directory, Some("file:outer.jsonl"), "own.jsonl", "return");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(messages_in(&directory.join("outer.jsonl")), 10);
    assert!(!directory.join("own.jsonl").exists());

    let output = run(&directory, None, "own.jsonl", "return");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(messages_in(&directory.join("own.jsonl")), 10);
}

#[test]
fn what_was_sent_before_init_is_in_the_same_file() {
    let directory = directory("late");
    let output = run(&directory, Some("file:flow.jsonl"), "init-late", "return");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(messages_in(&directory.join("flow.jsonl")), 20);
}

#[test]
fn a_file_that_cannot_be_written_is_said_in_one_line_and_the_program_goes_on() {
    let directory = directory("unwritable");
    let output = run(
        &directory,
        Some("file:missing/flow.jsonl"),
        "unaware",
        "thread-before-main",
    );
    assert!(output.status.success());
    assert_eq!(stdout(&output), "sum 55\nsum 55\n");
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("`missing/flow.jsonl`"), "{said}");
    assert_eq!(files_in(&directory), 0);
}

#[test]
fn a_file_from_outside_that_cannot_be_written_does_not_fail_init() {
    let directory = directory("unwritable-init");
    let output = run(
        &directory,
        Some("file:missing/flow.jsonl"),
        "init",
        "return",
    );
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "recording true\nsum 55\n");
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("`missing/flow.jsonl`"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_complaint_that_nobody_reads_changes_nothing() {
    let (unread, full) = std::io::pipe().expect("there are pipes");
    drop(unread);
    let output = Command::new(env!("CARGO_BIN_EXE_activated"))
        .args(["init-late", "return"])
        .env(ENVIRONMENT_VARIABLE, "on")
        .stderr(full)
        .output()
        .expect("the program was built with this test");
    assert!(output.status.success());
    assert_eq!(stdout(&output), "sum 55\nsum 55\n");
}
