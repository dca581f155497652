//! Two processes, one lineage.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use reflow_trace::{ENVIRONMENT_VARIABLE, EventId, TraceEvent};

const COUNT: u64 = 5_000;

/// A process that is ended with the test, however the test ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended by itself, unless the test has failed.
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

fn relay(file: &Path, words: &[&str]) -> Process {
    let child = Command::new(env!("CARGO_BIN_EXE_relay"))
        .args(words)
        .env(ENVIRONMENT_VARIABLE, format!("file:{}", file.display()))
        .stdout(Stdio::piped())
        .spawn();
    Process(child.expect("the program was built with this test"))
}

fn events_in(file: &Path) -> Vec<TraceEvent> {
    let text = std::fs::read_to_string(file).expect("the file is there");
    let events: Vec<TraceEvent> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("every line is an event"))
        .collect();
    assert_eq!(events.iter().find_map(TraceEvent::as_loss), None);
    events
        .into_iter()
        .filter(|event| event.trace_id.is_some())
        .collect()
}

/// What both processes have recorded.
fn both() -> (Vec<TraceEvent>, Vec<TraceEvent>) {
    let directory: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("processes");
    let _was_there = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("the directory of tests is writable");
    let (sent, received) = (
        directory.join("sent.jsonl"),
        directory.join("received.jsonl"),
    );
    let count = COUNT.to_string();

    let mut receiver = relay(&received, &["receive", &count]);
    let mut address = String::new();
    let stdout = receiver.0.stdout.take().expect("it is piped");
    BufReader::new(stdout)
        .read_line(&mut address)
        .expect("it says where it listens");
    let mut sender = relay(&sent, &["send", address.trim(), &count]);
    for process in [&mut sender, &mut receiver] {
        assert!(process.0.wait().expect("it was started").success());
    }
    (events_in(&sent), events_in(&received))
}

fn number(event: &TraceEvent) -> u64 {
    let number = &event.data.custom_attributes["number"];
    number.as_u64().expect("every reading has one")
}

fn of_kind<'a>(events: &'a [TraceEvent], kind: &str) -> HashMap<u64, &'a TraceEvent> {
    let events = events
        .iter()
        .filter(|event| event.event_type.name() == kind);
    events.map(|event| (number(event), event)).collect()
}

#[test]
fn a_lineage_goes_on_in_the_other_process_and_both_keep_the_same_traces() {
    let (sent, received) = both();
    let flows = of_kind(&sent, "DataFlow");
    let handlings = of_kind(&received, "MessageReceived");
    let stored = of_kind(&received, "DataFlow");

    // 5 000 draws at 10 %: five standard deviations are 106.
    assert!(
        (394..=606).contains(&flows.len()),
        "{} of {COUNT}",
        flows.len()
    );
    let numbers =
        |events: &HashMap<u64, &TraceEvent>| events.keys().copied().collect::<HashSet<_>>();
    assert_eq!(numbers(&flows), numbers(&handlings), "both keep the same");
    assert_eq!(numbers(&flows), numbers(&stored), "to the end");

    let producer = |id: EventId| id.origin().map(|origin| origin.producer);
    for (number, flow) in &flows {
        let (handling, stored) = (handlings[number], stored[number]);
        assert_eq!(handling.trace_id, flow.trace_id);
        assert_eq!(stored.trace_id, flow.trace_id);
        assert_ne!(producer(handling.event_id), producer(flow.event_id));
        assert_eq!(flow.causality.root_cause_event_id, Some(flow.event_id));
        assert_eq!(handling.causality.parent_event_id, Some(flow.event_id));
        assert_eq!(handling.causality.root_cause_event_id, None);
        assert_eq!(stored.causality.parent_event_id, Some(handling.event_id));
        let hops = [flow, handling, stored].map(|event| event.causality.hop_count);
        assert_eq!(hops, [Some(0), Some(1), Some(1)]);
        // Two clocks.
        assert_eq!(handling.data.performance_metrics.waiting_time_ns, None);
        assert_eq!(handling.weight(), flow.weight());
        assert!(!handling.data.custom_attributes.contains_key("unlinked"));
    }
}
