//! What `doctor` finds, and that it changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use reflow_trace::TraceEvent;
use reflow_trace::event::ProducerId;
use reflow_trace::ledger::{CounterSnapshot, Loss, LossReason};
use rusqlite::Connection;
use serde_json::Value;

use crate::events::{plain, write};
use crate::program::{Serving, run};

/// A store with a segment of 5 000 events and a log of 100.
fn store(directory: &Path) -> PathBuf {
    let data = directory.join("data");
    let file = write(directory, "a.jsonl", &plain(5_000));
    run("import {} --data {}", &[&file, &data]).with(0);
    data
}

/// Every file with its content and the time of its last change.
fn image(directory: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut files = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let changed = fs::metadata(&path).unwrap().modified().unwrap();
                files.insert(path.clone(), (fs::read(path).unwrap(), changed));
            }
        }
    }
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn codes(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let part = |name: &str| finding[name].as_str().unwrap().to_owned();
            format!("{} {}", part("level"), part("code"))
        })
        .collect()
}

/// What is found, and with which exit code.
#[track_caller]
fn found(data: &Path, code: i32) -> (Vec<String>, Value) {
    let report = run("doctor --data {} --json", &[data]).with(code).json();
    (codes(&report[0]), report[0].clone())
}

fn segment(data: &Path) -> PathBuf {
    let mut segments = fs::read_dir(data.join("segments")).unwrap();
    segments.next().unwrap().unwrap().path()
}

#[test]
fn a_whole_store_is_healthy_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let data = store(directory.path());
    let before = image(&data);
    let (codes, report) = found(&data, 0);
    assert!(codes.is_empty(), "{codes:?}");
    assert_eq!(report["healthy"], true);
    assert_eq!(report["sums"]["stored"], 5_000);
    assert_eq!(report["sums"]["in_segments"], 5_000);
    run("doctor --data {} --quick", &[&data])
        .with(0)
        .says("no fault");
    assert_eq!(image(&data), before);
}

#[test]
fn a_store_as_a_crash_has_left_it_is_read_with_its_write_ahead_log_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(&[]);
    let file = write(directory.path(), "a.jsonl", &plain(5_000));
    run("import {} --server {}", &[&file, serving.url()]).with(0);
    serving.kill();
    let data = directory.path().join("copy");
    copy(&serving.data(), &data);
    assert!(fs::metadata(data.join("store.sqlite-wal")).unwrap().len() > 0);
    let before = image(&data);
    let (codes, report) = found(&data, 0);
    assert!(codes.is_empty(), "{codes:?}");
    assert_eq!(report["sums"]["stored"], 5_000);
    assert_eq!(report["sums"]["log"], 5_000);
    assert_eq!(image(&data), before);
}

#[test]
fn every_kind_of_damage_to_a_segment_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let whole = store(directory.path());
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 3] = [
        ("flipped", |path| {
            let mut bytes = fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        ("cut", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
        }),
        ("gone", |path| fs::remove_file(path).unwrap()),
    ];
    for (name, damage) in damages {
        let data = directory.path().join(name);
        copy(&whole, &data);
        damage(&segment(&data));
        let before = image(&data);
        let (codes, _) = found(&data, 1);
        assert_eq!(codes, ["fault segment"], "{name}");
        assert_eq!(image(&data), before, "{name}");
    }
}

#[test]
fn a_database_that_was_changed_does_not_add_up() {
    let directory = tempfile::tempdir().unwrap();
    let whole = store(directory.path());
    let changes = [
        ("UPDATE totals SET events = events + 1", "fault sums"),
        ("UPDATE totals SET next_segment = 1", "fault sums"),
        ("UPDATE totals SET gaps = 3", "warning gaps"),
        ("DELETE FROM rollups", "fault rollup"),
        ("UPDATE ledgers SET ledger = '{'", "fault ledgers"),
        (
            "UPDATE segments SET damage = 'it was hit by a truck'",
            "fault set_aside",
        ),
        (
            "UPDATE segments SET first_ns = first_ns + 1",
            "fault segment",
        ),
        (
            "UPDATE segments SET committed_last_ns = 9000000000000000000",
            "warning clock_future",
        ),
        (
            "UPDATE segments SET committed_last_ns = 0",
            "warning clock_ahead",
        ),
        ("DROP TABLE segments", "fault database"),
    ];
    for (at, (change, code)) in changes.into_iter().enumerate() {
        let data = directory.path().join(format!("changed{at}"));
        copy(&whole, &data);
        let connection = Connection::open(data.join("store.sqlite")).unwrap();
        connection.execute_batch(change).unwrap();
        connection.close().unwrap();
        let (codes, _) = found(&data, i32::from(code.starts_with("fault")));
        assert!(codes.contains(&code.to_owned()), "{change}: {codes:?}");
    }
}

#[test]
fn a_row_of_the_log_that_is_not_what_was_admitted_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(&[]);
    let file = write(directory.path(), "a.jsonl", &plain(100));
    run("import {} --server {}", &[&file, serving.url()]).with(0);
    serving.kill();
    let data = serving.data();
    let connection = Connection::open(data.join("store.sqlite")).unwrap();
    let change = "UPDATE log SET frame = zeroblob(length(frame))";
    connection.execute_batch(change).unwrap();
    connection.close().unwrap();
    let (codes, _) = found(&data, 1);
    assert_eq!(codes, ["fault log_row"]);
}

#[test]
fn what_a_crash_or_a_stranger_has_left_is_noted_and_no_fault() {
    let directory = tempfile::tempdir().unwrap();
    let data = store(directory.path());
    fs::write(data.join("segments/0000000000000099.unfinished"), "x").unwrap();
    fs::write(data.join("segments/\u{1b}[2Jnotes.txt"), "x").unwrap();
    fs::create_dir(data.join("damaged")).unwrap();
    fs::write(data.join("damaged/0000000000000007.parquet"), "x").unwrap();
    let (codes, _) = found(&data, 0);
    assert_eq!(
        codes,
        ["note orphans", "note foreign_files", "note damaged_files"]
    );
    let shown = run("doctor --data {}", &[&data]).with(0);
    assert!(!shown.out.contains('\u{1b}'), "{}", shown.out);
}

#[test]
fn what_producers_have_lost_is_a_warning_with_advice() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut events = plain(10);
    let counters = CounterSnapshot {
        producer: ProducerId::from_bits(7),
        edges: Vec::new(),
    };
    events.push(TraceEvent::edge_counters(&counters));
    events.push(TraceEvent::loss(Loss {
        reason: LossReason::RingFull,
        count: 12,
    }));
    let file = write(directory.path(), "a.jsonl", &events);
    run("import {} --data {}", &[&file, &data]).with(0);
    let (codes, report) = found(&data, 0);
    assert_eq!(codes, ["warning lost"]);
    assert_eq!(report["findings"][0]["about"], "producer 0000000000007");
    run("doctor --data {}", &[&data])
        .with(0)
        .says("larger rings");
    run("doctor --data {} --strict", &[&data])
        .with(1)
        .says("1 warning");
}

#[test]
fn what_is_no_store_of_ours_or_is_in_use_is_not_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    let none = directory.path().join("none");
    run("doctor --data {}", &[&none])
        .with(4)
        .says("there is no store in");
    assert!(!none.exists());

    let serving = Serving::start(&[]);
    run("doctor --data {}", &[&serving.data()])
        .with(4)
        .says("is in use by another server (process ");

    let whole = store(directory.path());
    for (name, change, said) in [
        ("newer", "PRAGMA user_version = 99", "has the format 99"),
        (
            "foreign",
            "PRAGMA application_id = 99",
            "is not a database of reflow-trace",
        ),
    ] {
        let data = directory.path().join(name);
        copy(&whole, &data);
        let connection = Connection::open(data.join("store.sqlite")).unwrap();
        connection.execute_batch(change).unwrap();
        connection.close().unwrap();
        run("doctor --data {}", &[&data]).with(4).says(said);
    }
    let data = directory.path().join("text");
    copy(&whole, &data);
    fs::write(
        data.join("store.sqlite"),
        "no database at all, but long enough to be looked at as one",
    )
    .unwrap();
    run("doctor --data {}", &[&data]).with(4);
}
