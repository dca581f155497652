//! What happens, as it is stored.

use std::io::Write as _;
use std::process::Stdio;

use crate::events::{plain, read, write};
use crate::program::{Running, Serving, program, run};

/// Waits until it listens: what is stored before that is asked for by its place in the log.
fn tail(serving: &Serving, more: &str) -> Running {
    Running::start(
        &format!("tail --server {{}} --from-offset 1{more}"),
        &[serving.url()],
    )
}

#[test]
fn what_is_stored_is_shown_and_ctrl_c_is_a_good_end() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(&[]);
    let events = plain(100);
    let file = write(directory.path(), "a.jsonl", &events);
    let mut tail = tail(&serving, " --json");
    run("import {} --server {}", &[&file, serving.url()]).with(0);
    let lines: Vec<String> = (0..100).map(|_| tail.line()).collect();
    assert_eq!(read(&lines.join("\n")), events);
    #[cfg(unix)]
    {
        tail.signal("INT");
        let ended = tail.end().with(0);
        assert_eq!(ended.err, "");
    }
}

#[test]
fn only_what_was_asked_for_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(&[]);
    let file = write(directory.path(), "a.jsonl", &plain(100));
    run("import {} --server {}", &[&file, serving.url()]).with(0);
    let line = "tail --server {} --from-offset 1 destination_actor~=~'store' --actor store --type DataFlow --limit 5";
    let shown = run(line, &[serving.url()]).with(0);
    assert_eq!(shown.out.lines().count(), 5, "{}", shown.out);
    assert!(
        shown
            .out
            .lines()
            .all(|line| line.contains("validator.out → store.in")),
        "{}",
        shown.out
    );
}

#[cfg(unix)]
#[test]
fn a_reader_that_is_gone_ends_it_silently() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(&[]);
    let file = write(directory.path(), "a.jsonl", &plain(5_000));
    run("import {} --server {}", &[&file, serving.url()]).with(0);
    let mut tail = tail(&serving, "");
    tail.line();
    let ended = tail.end().with(0);
    assert_eq!(ended.err, "");
    // The same of everything that prints much.
    for line in ["query --json --limit 5000", "export"] {
        let mut running = Running::start(&format!("{line} --server {{}}"), &[serving.url()]);
        running.line();
        assert_eq!(running.end().with(0).err, "", "{line}");
    }
}

#[test]
fn a_server_that_starts_again_is_followed_without_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let events = plain(200);
    let first = write(directory.path(), "a.jsonl", &events[..100]);
    let second = write(directory.path(), "b.jsonl", &events[100..]);
    let mut serving = Serving::at(&data, "127.0.0.1:0", &[]);
    let listen = serving.url.strip_prefix("http://").unwrap().to_owned();
    let mut tail = tail(&serving, " --json");
    run("import {} --server {}", &[&first, serving.url()]).with(0);
    let mut lines: Vec<String> = (0..100).map(|_| tail.line()).collect();
    serving.kill();
    let serving = Serving::at(&data, &listen, &[]);
    run("import {} --server {}", &[&second, serving.url()]).with(0);
    lines.extend((0..100).map(|_| tail.line()));
    assert_eq!(read(&lines.join("\n")), events);
    tail.child.kill().unwrap();
    assert!(tail.end().err.contains("is there again"));
}

#[test]
fn what_is_no_longer_there_is_said_where_it_would_stand() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(&[
        "--store-seal-events",
        "1000",
        "--store-retain-bytes",
        "1",
        "--commit-maintain-interval",
        "10ms",
    ]);
    let file = write(directory.path(), "a.jsonl", &plain(20_000));
    run("import {} --server {}", &[&file, serving.url()]).with(0);
    // Retention leaves the log alone, so that something is left in it at the end.
    let last = write(directory.path(), "b.jsonl", &plain(10));
    run("import {} --server {}", &[&last, serving.url()]).with(0);
    loop {
        let stats = run("stats --server {} --json", &[serving.url()])
            .with(0)
            .json();
        if stats[0]["metrics"]["events"].as_u64().unwrap() < 10_000 {
            break;
        }
    }
    let mut tail = tail(&serving, " --json");
    let first: serde_json::Value = serde_json::from_str(&tail.line()).unwrap();
    assert!(first["gap"]["to_offset"].as_u64().unwrap() > 1, "{first}");
    tail.child.kill().unwrap();
    tail.end();
}

#[test]
fn statements_come_from_standard_input_too() {
    let serving = Serving::start(&[]);
    let mut child = program()
        .args(["sql", "--server", &serving.url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"SELECT COUNT(*) AS n FROM data_flow_events")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    match output.status.code() {
        Some(0) => assert_eq!(String::from_utf8(output.stdout).unwrap(), "n\n0\n"),
        // A server that was built without the feature says so.
        Some(7) => assert!(err.contains("sql"), "{err}"),
        code => panic!("{code:?} {err}"),
    }
}
