//! Questions: the same answer from a server and from its directory.

use crate::events::{plain, read, write};
use crate::program::{Serving, run};

/// A server with 1 000 plain events.
fn serving() -> (Serving, Vec<reflow_trace::TraceEvent>) {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(&[]);
    let events = plain(1_000);
    let file = write(directory.path(), "a.jsonl", &events);
    run("import {} --server {}", &[&file, serving.url()]).with(0);
    (serving, events)
}

#[test]
fn a_directory_answers_as_its_server_did() {
    let (mut serving, _) = serving();
    let lines = [
        "query --limit 10",
        "query --newest --limit 10 --json",
        "query source_actor~=~'reader'~AND~execution_time_ns~>~1500ns --limit 3",
        "query --type DataFlow --actor store --limit 3 --json",
        "query --from 2026-01-01 --to 2026-01-01 --limit 3",
        "lineage 7",
        "lineage 7 --json",
        "graph --format mermaid",
        "graph --format json",
        "export --limit 50",
    ];
    // What answering has cost is another thing each time.
    let answer = |ended: crate::program::Ended| {
        let text = ended.out;
        text.split(",\"work\":").next().unwrap().to_owned()
    };
    let of_server: Vec<String> = lines
        .iter()
        .map(|line| answer(run(&format!("{line} --server {{}}"), &[serving.url()]).with(0)))
        .collect();
    let data = serving.data();
    run("query --data {}", &[&data])
        .with(4)
        .says("is in use by another server");
    serving.kill();
    for (line, expected) in std::iter::zip(lines, of_server) {
        assert!(!expected.is_empty(), "{line}");
        let found = answer(run(&format!("{line} --data {{}}"), &[&data]).with(0));
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn a_page_says_where_the_next_begins_until_there_is_none() {
    let (serving, events) = serving();
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let line = format!("query --json --limit 300{after} --server {{}}");
        let page = run(&line, &[serving.url()]).with(0);
        found.extend(read(&page.out));
        match page.err.trim().strip_prefix("there are more: ") {
            Some(next) => after = format!(" {next}"),
            None => break,
        }
    }
    assert_eq!(found, events);
}

#[test]
fn the_cost_is_shown_where_it_was_asked_for() {
    let (serving, _) = serving();
    let ended = run("query --limit 5 --explain --server {}", &[serving.url()]).with(0);
    assert!(ended.err.contains("segments, decoded"), "{}", ended.err);
}

#[test]
fn what_is_not_there_is_5_and_a_question_that_finds_nothing_is_answered() {
    let (serving, events) = serving();
    let url = serving.url();
    run("lineage 99999 --server {}", &[url]).with(5);
    run(
        "lineage --event 00000000-0000-0000-0000-00000000002a --server {}",
        &[url],
    )
    .with(5);
    run(
        "lineage --trace 00000000-0000-0000-0000-0000000fffff --server {}",
        &[url],
    )
    .with(5);
    let event = events[1].event_id;
    run(&format!("lineage --event {event} --server {{}}"), &[url])
        .with(0)
        .says("reader.out → validator.in");
    run("query message_type~=~'None' --server {}", &[url])
        .with(0)
        .says("no event fits");
    let none = run("query message_type~=~'None' --json --server {}", &[url]).with(0);
    assert_eq!((none.out.as_str(), none.err.as_str()), ("", ""));
}

#[test]
fn a_picture_goes_where_it_is_wanted() {
    let (serving, _) = serving();
    let directory = tempfile::tempdir().unwrap();
    for (name, beginning) in [
        ("a.svg", "<svg"),
        ("a.dot", "digraph"),
        ("a.mmd", "flowchart"),
        ("a.json", "{"),
    ] {
        let path = directory.path().join(name);
        run("graph -o {} --server {}", &[&path, serving.url()]).with(0);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.trim_start().starts_with(beginning), "{name}: {text}");
    }
    let nowhere = directory.path().join("no/such.svg");
    run("graph -o {} --server {}", &[&nowhere, serving.url()]).with(8);
}

#[test]
fn figures_are_json_and_counts_say_how_much_they_can_be_trusted() {
    let (serving, _) = serving();
    let stats = run("stats --json --server {}", &[serving.url()])
        .with(0)
        .json();
    assert_eq!(stats[0]["metrics"]["events"], 1_000);
    assert_eq!(stats[0]["edges"]["edges"].as_array().unwrap().len(), 2);
    let shown = run("stats --server {}", &[serving.url()]).with(0);
    // Nobody has counted them: they stand for at least themselves.
    assert!(shown.out.contains("≥ 500"), "{}", shown.out);
}

#[test]
fn missing_flows_are_found_and_told_with_a_reason() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut events = plain(10);
    let mut sent = reflow_trace::TraceEvent::message_sent("reader", "out", "Reading", 4);
    sent.outcome = Some(reflow_trace::Outcome::Failed);
    events.push(sent.clone());
    let file = write(directory.path(), "a.jsonl", &events);
    run("import {} --data {}", &[&file, &data]).with(0);
    let report = run("doctor --missing-flows --json --data {}", &[&data])
        .with(0)
        .json();
    let missing = &report[0]["missing_flows"];
    assert_eq!(missing[0]["sent"]["event_id"], sent.event_id.to_string());
    assert_eq!(missing[0]["reason"]["not_delivered"], "failed");
    run("doctor --missing-flows --data {}", &[&data])
        .with(0)
        .says(&sent.event_id.to_string());
    run("doctor --missing-flows --strict --data {}", &[&data]).with(1);
}
