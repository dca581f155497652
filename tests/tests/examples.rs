//! The examples, run as a user runs them, against counts that do not come from them.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use reflow_trace::graph::Count;
use reflow_trace::lineage::{Completeness, FlowIndex};
use reflow_trace::{DataFlowGraph, EventId, TraceEvent};

/// What an example left behind.
struct Run {
    stdout: String,
    stderr: String,
    exit_code: Option<i32>,
    /// What `REFLOW_TRACE` had it write beside what it does by itself.
    events: Vec<TraceEvent>,
}

/// Runs an example in `directory`, recorded from outside into a file.
fn run(example: &str, directory: &Path, arguments: &[&str]) -> Run {
    let recording = directory.join("flow.jsonl");
    let output = Command::new(binary(example))
        .args(arguments)
        .current_dir(directory)
        .env("REFLOW_TRACE", format!("file:{}", recording.display()))
        .output()
        .expect("the example was built");
    // A program that only prints its usage starts no recording.
    let lines = std::fs::read_to_string(recording).unwrap_or_default();
    let event = |line| serde_json::from_str(line).expect("every line is an event");
    Run {
        stdout: String::from_utf8(output.stdout).expect("the output is text"),
        stderr: String::from_utf8(output.stderr).expect("the complaints are text"),
        exit_code: output.status.code(),
        events: lines.lines().map(event).collect(),
    }
}

/// Builds the examples as `cargo run --example` does at the root, once, and says where one is.
fn binary(example: &str) -> PathBuf {
    static BINARIES: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let binaries = BINARIES.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("tests/ is in the root");
        let output = Command::new(env!("CARGO"))
            .args([
                "build",
                "--examples",
                "--message-format",
                "json-render-diagnostics",
            ])
            .current_dir(root)
            .output()
            .expect("cargo can be started");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaints}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let messages = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        messages
            .filter_map(|message: serde_json::Value| {
                let name = message["target"]["name"].as_str()?.to_owned();
                Some((name, message["executable"].as_str()?.into()))
            })
            .collect()
    });
    binaries[example].clone()
}

/// An empty directory for one test.
fn directory(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("examples")
        .join(test);
    if directory.exists() {
        std::fs::remove_dir_all(&directory).expect("the last run's files can be removed");
    }
    std::fs::create_dir_all(&directory).expect("the directory can be made");
    directory
}

fn message_type(event: &TraceEvent) -> &str {
    let message = event.data.message.as_ref();
    message.map_or("", |message| &message.message_type)
}

/// The message ids of the data flows of one type, in the order in which they were sent.
fn ids_of(events: &[TraceEvent], wanted: &str) -> Vec<u64> {
    let mut flows: Vec<&TraceEvent> = events
        .iter()
        .filter(|event| event.is_data_flow() && message_type(event) == wanted)
        .collect();
    flows.sort_by_key(|event| event.timestamp);
    let id = |event: &&TraceEvent| event.message_id().and_then(serde_json::Value::as_u64);
    flows
        .iter()
        .map(|event| id(event).expect("every message has an id"))
        .collect()
}

/// The exact number of messages of each type over each edge.
fn exact_counts(events: &[TraceEvent]) -> BTreeMap<(String, String, String), u64> {
    let graph = DataFlowGraph::from_events(events);
    let mut counts = BTreeMap::new();
    for edge in graph.edges() {
        for flow in &edge.messages {
            let key = (
                edge.from_actor.clone(),
                edge.to_actor.clone(),
                flow.message_type.clone(),
            );
            let Count::Exact(count) = flow.count else {
                panic!("the counters of {key:?} are missing");
            };
            counts.insert(key, count);
        }
    }
    counts
}

fn counts(rows: &[(&str, &str, &str, u64)]) -> BTreeMap<(String, String, String), u64> {
    let owned = |&(from, to, message_type, count): &(&str, &str, &str, u64)| {
        (
            (from.to_owned(), to.to_owned(), message_type.to_owned()),
            count,
        )
    };
    rows.iter().map(owned).collect()
}

/// The message types from the root to `last`, by the ids of their causes.
fn story(events: &[TraceEvent], last: &TraceEvent) -> Vec<(String, String)> {
    let by_id: HashMap<EventId, &TraceEvent> =
        events.iter().map(|event| (event.event_id, event)).collect();
    let mut story = Vec::new();
    let mut next = Some(last);
    while let Some(event) = next {
        if event.is_data_flow() {
            story.insert(0, (event.actor_id.clone(), message_type(event).to_owned()));
        }
        next = event.causality.parent_event_id.map(|id| by_id[&id]);
        assert!(story.len() <= events.len(), "causes go in a circle");
    }
    story
}

mod sensor_pipeline {
    use super::*;

    /// The readings that the sensor sends; every fortieth is broken, every fortieth too hot.
    const READINGS: u64 = 400;

    fn is_broken(reading: &u64) -> bool {
        reading % 40 == 7
    }

    fn is_hot(reading: &u64) -> bool {
        reading % 40 == 13
    }

    #[test]
    fn the_counters_are_the_messages_that_were_sent() {
        let run = run("sensor_pipeline", &directory("counters"), &[]);
        assert_eq!(run.exit_code, Some(0), "{}", run.stderr);
        let intact = READINGS - (0..READINGS).filter(is_broken).count() as u64;
        let hot = (0..READINGS).filter(is_hot).count() as u64;
        let expected = counts(&[
            ("sensor_reader", "data_validator", "SensorReading", READINGS),
            (
                "data_validator",
                "data_transformer",
                "ValidatedReading",
                intact,
            ),
            (
                "data_transformer",
                "analytics_engine",
                "ProcessedData",
                intact,
            ),
            ("analytics_engine", "dashboard", "CriticalAlert", hot),
            ("analytics_engine", "dashboard", "DebugInfo", intact),
            ("analytics_engine", "dashboard", "Insights", intact),
        ]);
        assert_eq!(exact_counts(&run.events), expected);

        for ((from, to, message_type), count) in expected {
            let names = [&from, &to, &message_type, &count.to_string()];
            let row = |line: &&str| names.iter().all(|name| line.contains(*name));
            assert!(
                run.stdout.lines().any(|line| row(&line)),
                "{names:?}:\n{}",
                run.stdout
            );
        }
    }

    #[test]
    fn alerts_are_traced_always_and_debug_messages_never() {
        let run = run("sensor_pipeline", &directory("policies"), &[]);
        let hot: Vec<u64> = (0..READINGS).filter(is_hot).collect();
        assert_eq!(ids_of(&run.events, "CriticalAlert"), hot);
        let is_debug = |event: &&TraceEvent| message_type(event) == "DebugInfo";
        assert_eq!(run.events.iter().find(is_debug), None);
    }

    #[test]
    fn a_sampled_reading_is_seen_at_every_hop_and_in_order() {
        let run = run("sensor_pipeline", &directory("lineages"), &[]);
        let sampled = ids_of(&run.events, "SensorReading");
        // 25 % of 400; the bounds are ten standard deviations away.
        assert!(
            (14..=186).contains(&sampled.len()),
            "{} of {READINGS}",
            sampled.len()
        );
        assert!(sampled.is_sorted_by(|a, b| a < b), "{sampled:?}");

        let intact: Vec<u64> = sampled.into_iter().filter(|id| !is_broken(id)).collect();
        for message_type in ["ValidatedReading", "ProcessedData", "Insights"] {
            assert_eq!(ids_of(&run.events, message_type), intact, "{message_type}");
        }
    }

    #[test]
    fn the_causes_of_every_insight_lead_to_its_reading() {
        let run = run("sensor_pipeline", &directory("causes"), &[]);
        let insights = run
            .events
            .iter()
            .filter(|event| message_type(event) == "Insights");
        let mut stories = 0;
        for insight in insights.filter(|event| event.is_data_flow()) {
            let expected = [
                ("sensor_reader", "SensorReading"),
                ("data_validator", "ValidatedReading"),
                ("data_transformer", "ProcessedData"),
                ("analytics_engine", "Insights"),
            ]
            .map(|(actor, message_type)| (actor.to_owned(), message_type.to_owned()));
            assert_eq!(story(&run.events, insight), expected);
            stories += 1;
        }
        assert!(stories > 0);
    }

    #[test]
    fn the_story_that_is_printed_goes_from_cause_to_cause() {
        let run = run("sensor_pipeline", &directory("story"), &[]);
        let mut lines = run
            .stdout
            .lines()
            .skip_while(|line| !line.starts_with("what led to"));
        lines.next().expect("a story is told");
        let mut cause = "nothing".to_owned();
        let mut told = Vec::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words[1..4], ["caused", "by", cause.as_str()], "{line}");
            cause = words[0].to_owned();
            told.push(line);
        }
        assert!(
            told.first()
                .is_some_and(|line| line.contains("sensor_reader.out")),
            "{told:#?}"
        );
        assert!(
            told.last()
                .is_some_and(|line| line.contains("dashboard.in")),
            "{told:#?}"
        );
    }

    #[test]
    fn the_picture_shows_the_five_actors() {
        let directory = directory("picture");
        run("sensor_pipeline", &directory, &[]);
        let picture = std::fs::read_to_string(directory.join("data_flow_diagram.svg"))
            .expect("the picture was written");
        assert!(picture.contains("<svg") && picture.trim_end().ends_with("</svg>"));
        let actors = [
            "sensor_reader",
            "data_validator",
            "data_transformer",
            "analytics_engine",
            "dashboard",
        ];
        for actor in actors {
            assert!(picture.contains(actor), "{actor} is not in the picture");
        }
    }

    #[test]
    fn nothing_is_lost() {
        let run = run("sensor_pipeline", &directory("losses"), &[]);
        let graph = DataFlowGraph::from_events(&run.events);
        assert_eq!(graph.losses(), []);
    }
}

mod lineage {
    use super::*;

    const TASKS: u64 = 40;

    /// The lines of the output that begin with the first text and end before the second.
    fn part<'a>(stdout: &'a str, first: &str, before: &str) -> Vec<&'a str> {
        let lines = stdout.lines().skip_while(|line| !line.starts_with(first));
        let lines: Vec<&str> = lines.take_while(|line| !line.starts_with(before)).collect();
        assert!(!lines.is_empty(), "no `{first}` in {stdout}");
        lines
    }

    #[test]
    fn every_message_goes_its_way() {
        let run = run("lineage", &directory("lineage_counts"), &[]);
        assert_eq!(run.exit_code, Some(0), "{}", run.stderr);
        let expected = counts(&[
            ("source", "splitter", "Task", TASKS),
            ("splitter", "left", "Half", TASKS),
            ("splitter", "right", "Half", TASKS),
            ("left", "joiner", "Half", TASKS),
            ("right", "joiner", "Half", TASKS),
            ("joiner", "polisher", "Whole", TASKS),
            ("polisher", "polisher", "Whole", 2 * TASKS),
            ("polisher", "store", "Whole", TASKS),
        ]);
        assert_eq!(exact_counts(&run.events), expected);
    }

    #[test]
    fn the_printed_lineage_goes_from_the_task_over_both_halves_to_the_store() {
        let run = run("lineage", &directory("lineage_printed"), &[]);
        let lines = part(&run.stdout, "lineage of event", "critical path");
        // Send and handling of a task, four times half, and one, two and one times whole.
        assert!(lines[0].ends_with(": 18 events"), "{}", lines[0]);
        assert_eq!(lines.len(), 19);
        assert!(
            lines[1].contains("source.out → splitter.in Task"),
            "{}",
            lines[1]
        );
        // Which half came last is a matter of time, and with it which of them is told first.
        let asked = lines.iter().find(|line| line.starts_with('▶'));
        assert!(
            asked.is_some_and(|line| line.contains("store.in takes up Whole")),
            "{lines:#?}"
        );
        // What happened is told in its order, on either side of the fan-out.
        let at = |what: &str| {
            let place = lines.iter().position(|line| line.contains(what));
            place.unwrap_or_else(|| panic!("no `{what}` in {lines:#?}"))
        };
        for side in ["left", "right"] {
            let way = [
                at("splitter.in takes up"),
                at(&format!("splitter.out → {side}.in")),
                at(&format!("{side}.in takes up")),
                at(&format!("{side}.out → joiner.in")),
            ];
            assert!(way.is_sorted(), "{lines:#?}");
        }
        let rounds = lines
            .iter()
            .filter(|line| line.contains("polisher.out → polisher.in"));
        assert_eq!(rounds.count(), 2);
        let joined = lines[at("joiner.out → polisher.in")];
        assert!(joined.contains("(also from #"), "{joined}");
        let path = part(&run.stdout, "critical path", "trace");
        assert!(path[0].contains("over 14 events"), "{}", path[0]);
        assert!(run.stdout.contains(": complete\n"), "{}", run.stdout);
    }

    #[test]
    fn the_slow_one_is_named_and_the_others_wait_for_it() {
        let run = run("lineage", &directory("lineage_slow"), &[]);
        let lines = part(&run.stdout, "the bottleneck is", " 4");
        assert_eq!(lines[0], "the bottleneck is right");
        let says = |text: &str| lines.iter().any(|line| line.trim_start().starts_with(text));
        assert!(says("splitter only waits for right"), "{lines:#?}");
        assert!(says("source only waits for splitter"), "{lines:#?}");
    }

    #[test]
    fn dependencies_are_counted_and_the_refused_message_is_missing() {
        let run = run("lineage", &directory("lineage_answers"), &[]);
        let store = part(&run.stdout, "store", "the bottleneck");
        assert_eq!(store[1], "  depends on polisher: 40 Whole");
        assert_eq!(store[6], "  depends on source through 4 others");
        assert!(
            run.stdout.contains("\nsource (a source)\n"),
            "{}",
            run.stdout
        );
        let missing = part(&run.stdout, "message 13 of polisher", "\n");
        assert!(missing[0].ends_with("did not flow: NotDelivered(Failed)"));
        assert_eq!(run.stdout.matches("did not flow").count(), 1);
    }

    #[test]
    fn every_trace_of_it_is_complete() {
        let run = run("lineage", &directory("lineage_complete"), &[]);
        let index = FlowIndex::new(&run.events);
        let verdicts = index.completeness_of_all();
        // Both halves of a task are of its trace, and so is the whole.
        assert_eq!(
            verdicts.get(&Completeness::Complete),
            Some(&(TASKS as usize)),
            "{verdicts:?}"
        );
    }
}

mod word_flow {
    use super::*;

    const PIECE_BYTES_MAX: usize = 64 * 1024;

    /// A row of the output: lines, words, bytes, name.
    type Row = (u64, u64, u64, String);

    /// Files that are easy to count wrong. Every word has a printable character in it, because
    /// versions of `wc` disagree about words that have none.
    fn odd_files() -> Vec<(&'static str, Vec<u8>)> {
        let all_bytes: Vec<u8> = (0..=255).flat_map(|byte| [b'x', byte]).collect();
        let across_the_border = [vec![b'a'; PIECE_BYTES_MAX - 2], b" bcd e".to_vec()].concat();
        let scattered: Vec<u8> = pseudo_random(200_000)
            .into_iter()
            .flat_map(|byte| [byte, b'y'])
            .collect();
        vec![
            ("empty", vec![]),
            ("one_newline", b"\n".to_vec()),
            ("no_newline_at_the_end", b"one two\nthree".to_vec()),
            (
                "carriage_returns",
                b"one\r\ntwo\r\n\r\nthree\rfour".to_vec(),
            ),
            (
                "all_white_space",
                b" a\tb\x0bc\x0cd\re\n \t\x0b\x0c\r\n".to_vec(),
            ),
            ("zeros", b"a\0b c\0\0d\0 \0e".to_vec()),
            ("not_ascii", "naïve façade, Größe\n日本語x\u{a0}y\n".into()),
            ("not_utf8", b"a\xff\xfe b\x80c\n\xc3x".to_vec()),
            ("all_bytes", all_bytes),
            ("one_long_word", vec![b'w'; 3 * PIECE_BYTES_MAX + 5]),
            ("exactly_one_piece", vec![b'v'; PIECE_BYTES_MAX]),
            ("across_the_border", across_the_border),
            ("scattered", scattered),
        ]
    }

    /// A linear congruential generator with the constants of Knuth's MMIX; always the same bytes.
    fn pseudo_random(count: usize) -> Vec<u8> {
        let step = |state: &u64| {
            Some(
                state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407),
            )
        };
        let states = std::iter::successors(Some(42), step).take(count);
        states.map(|state| (state >> 56) as u8).collect()
    }

    /// Counts by another road than the example: on whole files, by splitting.
    fn independent_count(name: &str, bytes: &[u8]) -> Row {
        let is_space = |byte: &u8| b" \t\n\x0b\x0c\r".contains(byte);
        let words = bytes
            .split(is_space)
            .filter(|word| !word.is_empty())
            .count();
        let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
        (
            lines as u64,
            words as u64,
            bytes.len() as u64,
            name.to_owned(),
        )
    }

    /// The independent counts with the sum that stands below more than one file.
    fn with_total(files: &[(&'static str, Vec<u8>)]) -> Vec<Row> {
        let mut rows: Vec<Row> = files
            .iter()
            .map(|(name, bytes)| independent_count(name, bytes))
            .collect();
        let total = rows.iter().fold((0, 0, 0), |sum, row| {
            (sum.0 + row.0, sum.1 + row.1, sum.2 + row.2)
        });
        rows.push((total.0, total.1, total.2, "total".to_owned()));
        rows
    }

    /// The rows of numbers at the beginning of an output.
    fn rows(output: &str) -> Vec<Row> {
        let row = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let number = |place: usize| words[place].parse().expect("a row begins with numbers");
            (number(0), number(1), number(2), words[3..].join(" "))
        };
        output
            .lines()
            .take_while(|line| !line.is_empty())
            .map(row)
            .collect()
    }

    fn write(directory: &Path, files: &[(&'static str, Vec<u8>)]) -> Vec<&'static str> {
        for (name, bytes) in files {
            std::fs::write(directory.join(name), bytes).expect("the file can be written");
        }
        files.iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn the_totals_are_those_of_an_independent_count() {
        let directory = directory("totals");
        let mut files = odd_files();
        // Words of nothing but unprintable bytes are words.
        files.push(("unprintable", b"\x01 \xa0 \x7f\n".to_vec()));
        files.push(("anything", pseudo_random(300_000)));
        let run = run("word_flow", &directory, &write(&directory, &files));
        assert_eq!(run.exit_code, Some(0), "{}", run.stderr);
        assert_eq!(rows(&run.stdout), with_total(&files));
    }

    /// Where there is no `wc`, the independent count is compared with itself and this says nothing.
    #[test]
    fn the_totals_are_those_of_wc() {
        let directory = directory("wc");
        let files = odd_files();
        let names = write(&directory, &files);
        let wc = Command::new("wc")
            .args(&names)
            .env("LC_ALL", "C")
            .current_dir(&directory)
            .output();
        let by_wc = match wc {
            Ok(output) => rows(&String::from_utf8(output.stdout).expect("wc prints text")),
            Err(_) => with_total(&files),
        };
        let run = run("word_flow", &directory, &names);
        assert_eq!(rows(&run.stdout), by_wc);
    }

    #[test]
    fn every_piece_goes_its_way() {
        let directory = directory("pieces");
        let files = odd_files();
        let run = run("word_flow", &directory, &write(&directory, &files));
        let pieces_of = |bytes: &[u8]| bytes.len().div_ceil(PIECE_BYTES_MAX) as u64 + 1;
        let pieces: u64 = files.iter().map(|(_, bytes)| pieces_of(bytes)).sum();
        let expected = counts(&[
            ("file_reader", "splitter", "Chunk", pieces),
            ("splitter", "counter", "Words", pieces),
            ("counter", "reporter", "FileTotals", files.len() as u64),
        ]);
        assert_eq!(exact_counts(&run.events), expected);

        let totals = run
            .events
            .iter()
            .filter(|event| message_type(event) == "FileTotals");
        for event in totals.filter(|event| event.is_data_flow()) {
            let expected = [
                ("file_reader", "Chunk"),
                ("splitter", "Words"),
                ("counter", "FileTotals"),
            ]
            .map(|(actor, message_type)| (actor.to_owned(), message_type.to_owned()));
            assert_eq!(story(&run.events, event), expected);
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_and_the_others_are_counted() {
        let directory = directory("unreadable");
        write(&directory, &[("good", b"one two\n".to_vec())]);
        let run = run("word_flow", &directory, &["missing", ".", "good"]);
        assert_eq!(run.exit_code, Some(1));
        assert!(run.stderr.contains("missing: "), "{}", run.stderr);
        assert!(run.stderr.contains(".: "), "{}", run.stderr);
        let good = (1, 2, 8, "good".to_owned());
        assert!(rows(&run.stdout).contains(&good), "{}", run.stdout);
    }

    #[test]
    fn without_a_file_it_tells_how_it_is_used() {
        let directory = directory("usage");
        let run_without = run("word_flow", &directory, &[]);
        assert_eq!(run_without.exit_code, Some(2));
        let run_with_help = run("word_flow", &directory, &["--help"]);
        assert_eq!(run_with_help.exit_code, Some(0));
        for run in [run_without, run_with_help] {
            assert!(
                run.stdout.starts_with("usage: word_flow FILE..."),
                "{}",
                run.stdout
            );
        }
    }
}
