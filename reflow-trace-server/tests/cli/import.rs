//! Importing: once, whatever is done; nothing lost without a word.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde_json::json;

use crate::events::{any, plain, read, write};
use crate::program::{Serving, ended, program, run};

#[test]
fn the_same_file_is_stored_once_and_the_second_run_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = write(directory.path(), "a.jsonl", &plain(10_000));
    run("import {} --data {}", &[&file, &data])
        .with(0)
        .says("stored");
    run("import {} --data {}", &[&file, &data])
        .with(0)
        .says("all of them stored before: nothing was added");
    let told = run("import {} --data {} --json", &[&file, &data])
        .with(0)
        .json();
    assert_eq!(told[0]["events"], 10_000);
    assert_eq!(told[0]["new"], 0);
    assert_eq!(told[0]["known"], 10_000);
    // Under another name it is the same file.
    let other = directory.path().join("b.jsonl");
    fs::rename(&file, &other).unwrap();
    let told = run("import {} --data {} --json", &[&other, &data])
        .with(0)
        .json();
    assert_eq!(told[0]["new"], 0);
}

#[test]
fn an_import_goes_on_when_nobody_reads_what_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let files: Vec<_> = (0..3u64)
        .map(|number| {
            write(
                directory.path(),
                &format!("{number}.jsonl"),
                &any(number, 50),
            )
        })
        .collect();
    // The third has a line that is torn.
    let text = std::fs::read_to_string(&files[2]).unwrap();
    std::fs::write(&files[2], text + "{\"event_id\":").unwrap();
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    let mut command = program();
    command.args(["import", "--json", "--data"]).arg(&data);
    let ended = ended(command.args(&files).stdout(write));
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let report = run("query --data {} --json --limit 1000", &[&data])
        .with(0)
        .json();
    assert_eq!(report.len(), 150);
}

#[test]
fn a_server_stores_the_same_file_once_too() {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), "a.jsonl", &plain(10_000));
    let serving = Serving::start(&[]);
    for new in [10_000, 0] {
        let told = run("import {} --server {} --json", &[&file, serving.url()])
            .with(0)
            .json();
        assert_eq!(told[0]["new"], new);
        assert_eq!(told[0]["known"], 10_000 - new);
    }
    let events = run("export --server {}", &[serving.url()]).with(0);
    assert_eq!(read(&events.out), plain_ids(&file));
}

fn plain_ids(file: &std::path::Path) -> Vec<reflow_trace::TraceEvent> {
    read(&fs::read_to_string(file).unwrap())
}

#[test]
fn a_file_that_has_grown_is_not_stored_twice_without_being_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let events = plain(100);
    let file = write(directory.path(), "a.jsonl", &events[..50]);
    run("import {} --data {}", &[&file, &data]).with(0);
    let file = write(directory.path(), "a.jsonl", &events);
    run("import {} --data {}", &[&file, &data])
        .with(7)
        .says("--again");
    let stored = run("export --data {}", &[&data]).with(0);
    assert_eq!(read(&stored.out).len(), 50);
    run("import {} --data {} --again", &[&file, &data]).with(0);
    let stored = run("export --data {}", &[&data]).with(0);
    assert_eq!(read(&stored.out).len(), 150);
}

#[test]
fn what_cannot_be_read_is_told_with_its_line_and_costs_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = write(directory.path(), "a.jsonl", &plain(10));
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let torn = &lines[9][..lines[9].len() / 2];
    let text = [
        &lines[..5].join("\n"),
        "{\"no\":\"event\"}",
        "\u{1b}[2J",
        &lines[5..9].join("\n"),
        torn,
    ]
    .join("\n");
    fs::write(&file, text).unwrap();
    let ended = run("import {} --data {}", &[&file, &data]).with(1);
    assert!(
        ended
            .err
            .contains("line 6: no event: missing field `event_id`"),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("line 7: no JSON: "), "{}", ended.err);
    assert!(
        ended
            .err
            .contains("line 12: the file ends in the middle of it"),
        "{}",
        ended.err
    );
    assert!(
        ended.err.contains("9 events stored, 3 left out"),
        "{}",
        ended.err
    );
    assert!(!ended.err.contains('\u{1b}'), "{}", ended.err);

    let strict = directory.path().join("strict");
    run("import {} --data {} --strict", &[&file, &strict])
        .with(8)
        .says("nothing of it was imported");
    let stored = run("export --data {}", &[&strict]).with(0);
    assert_eq!(stored.out, "");
}

#[test]
fn many_mistakes_are_counted_and_not_all_shown() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.jsonl");
    fs::write(&file, "nonsense\n".repeat(1_000)).unwrap();
    let data = directory.path().join("data");
    let ended = run("import {} --data {}", &[&file, &data]).with(1);
    assert_eq!(ended.err.matches("no JSON").count(), 10, "{}", ended.err);
    assert!(ended.err.contains("990 more mistakes"), "{}", ended.err);
    assert!(ended.err.contains("1000 events left out"), "{}", ended.err);
}

#[test]
fn files_that_are_none_are_refused_before_anything_is_imported() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let good = write(directory.path(), "good.jsonl", &plain(10));
    let place = |name: &str| directory.path().join(name);
    fs::write(place("text.parquet"), "no Parquet").unwrap();
    fs::write(place("empty.parquet"), "").unwrap();
    let parquet = place("whole.parquet");
    run("import {} --data {}", &[&good, &place("other")]).with(0);
    run("export -o {} --data {}", &[&parquet, &place("other")]).with(0);
    let whole = fs::read(&parquet).unwrap();
    fs::write(place("cut.parquet"), &whole[..whole.len() - 10]).unwrap();
    for (name, said) in [
        ("none.jsonl", "No such file"),
        ("text.parquet", "is no Parquet file"),
        ("empty.parquet", "is no Parquet file"),
        (
            "cut.parquet",
            "is no Parquet file, or only the beginning of one",
        ),
        ("", "is no regular file"),
    ] {
        run("import {} {} --data {}", &[&good, &place(name), &data])
            .with(8)
            .says(said);
        assert!(!data.exists(), "{name}");
    }
}

#[test]
fn a_parquet_file_that_is_damaged_inside_does_not_pass_for_a_whole_one() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let events = write(directory.path(), "a.jsonl", &any(1, 500));
    run("import {} --data {}", &[&events, &place("one")]).with(0);
    run(
        "export -o {} --data {}",
        &[&place("a.parquet"), &place("one")],
    )
    .with(0);
    let exported = run("export --data {}", &[&place("one")]).with(0).out;
    let whole = fs::read(place("a.parquet")).unwrap();
    for at in (4..whole.len() - 64).step_by(whole.len() / 40) {
        let mut bytes = whole.clone();
        for byte in &mut bytes[at..at + 8] {
            *byte = !*byte;
        }
        fs::write(place("b.parquet"), bytes).unwrap();
        let data = place(&format!("data{at}"));
        let ended = run("import {} --data {}", &[&place("b.parquet"), &data]);
        assert!(!ended.err.contains("panicked"), "{at}: {ended:#?}");
        if ended.code == Some(0) {
            // What is behind the rows is an index that nothing depends on here.
            let events = run("export --data {}", &[&data]).with(0);
            assert_eq!(sorted(&events.out), sorted(&exported), "{at}");
        } else {
            assert_eq!(ended.code, Some(8), "{at}: {ended:#?}");
        }
    }
}

/// The only segment of a store in which 500 events are.
fn segment(directory: &std::path::Path) -> std::path::PathBuf {
    let file = write(directory, "a.jsonl", &any(1, 500));
    run("import {} --data {}", &[&file, &directory.join("first")]).with(0);
    let mut segments = fs::read_dir(directory.join("first/segments")).unwrap();
    segments.next().unwrap().unwrap().path()
}

#[test]
fn a_segment_that_is_damaged_anywhere_before_its_footer_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let whole = fs::read(segment(directory.path())).unwrap();
    // Behind the rows and the index of ids stand the page index and the footer, which says where they begin.
    let text = String::from_utf8_lossy(&whole);
    let (_, behind) = text.rsplit_once("reflow_trace.crc32c").unwrap();
    let (length, _) = behind.split_once(':').unwrap();
    let digits = length.trim_start_matches(|character: char| !character.is_ascii_digit());
    let rows: usize = digits.parse().unwrap();
    for at in (4..rows).step_by(rows / 20).chain([rows - 1]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(place("b.parquet"), bytes).unwrap();
        run(
            "import {} --data {}",
            &[&place("b.parquet"), &place("second")],
        )
        .with(8)
        .says("is damaged: its checksum");
        assert!(!place("second").exists(), "{at}");
    }
}

#[test]
fn a_file_without_a_checksum_is_imported_with_a_word_and_with_strict_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let mut bytes = fs::read(segment(directory.path())).unwrap();
    // Under another key nobody knows what it is.
    let key = b"reflow_trace.crc32c";
    let mut windows = bytes.windows(key.len());
    let at = windows.rposition(|window| window == key).unwrap();
    bytes[at + key.len() - 1] = b'x';
    fs::write(place("b.parquet"), bytes).unwrap();
    let said = "nobody can tell whether it is damaged";
    run(
        "import {} --data {} --strict",
        &[&place("b.parquet"), &place("strict")],
    )
    .with(8)
    .says(said);
    let stored = run("export --data {}", &[&place("strict")]).with(0);
    assert_eq!(stored.out, "");
    run(
        "import {} --data {}",
        &[&place("b.parquet"), &place("second")],
    )
    .with(0)
    .says(said);
    let of = |name: &str| run("export --data {}", &[&place(name)]).with(0).out;
    assert_eq!(read(&of("first")), read(&of("second")));
}

/// Events of one time stand in the order of their batches.
fn sorted(text: &str) -> Vec<reflow_trace::TraceEvent> {
    let mut events = read(text);
    events.sort_by_key(|event| (event.timestamp, event.event_id));
    events
}

#[test]
fn what_a_recording_says_of_itself_stays_its_own() {
    use reflow_trace::event::ProducerId;
    use reflow_trace::ledger::{CounterSnapshot, EdgeCounters};
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let counters = CounterSnapshot {
        producer: ProducerId::from_bits(0xabc),
        edges: vec![EdgeCounters {
            from_actor: "reader".to_owned(),
            from_port: "out".to_owned(),
            to_actor: "validator".to_owned(),
            to_port: "in".to_owned(),
            message_type: "Reading".to_owned(),
            messages: 77,
            ..EdgeCounters::default()
        }],
    };
    let mut events = plain(10);
    events.push(reflow_trace::TraceEvent::edge_counters(&counters));
    let file = write(directory.path(), "a.jsonl", &events);
    run("import {} --data {}", &[&file, &data]).with(0);
    let stats = run("stats --data {} --json", &[&data]).with(0).json();
    let producers = stats[0]["metrics"]["producers"].as_array().unwrap();
    let ours = producers
        .iter()
        .find(|producer| producer["producer"] == 0xabc)
        .unwrap();
    assert_eq!(ours["messages"], 77);
}

#[test]
fn an_import_that_was_killed_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = write(directory.path(), "a.jsonl", &plain(20_000));
    for _ in 0..3 {
        // Killed at any place: in the middle, before its beginning, or after its end.
        let mut child = crate::program::program()
            .args(["import"])
            .arg(&file)
            .arg("--data")
            .arg(&data)
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while !data.join("store.sqlite").exists() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let told = run("import {} --data {} --json", &[&file, &data])
        .with(0)
        .json();
    assert_eq!(told[0]["events"], 20_000);
    let report = run("doctor --data {} --json", &[&data]).with(0).json();
    assert_eq!(report[0]["sums"]["stored"], 20_000);
}

#[test]
fn an_import_outlives_its_server() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = write(directory.path(), "a.jsonl", &plain(20_000));
    let mut serving = Serving::at(&data, "127.0.0.1:0", &[]);
    let listen = serving.url.strip_prefix("http://").unwrap().to_owned();
    let import = crate::program::Running::start("import {} --server {}", &[&file, serving.url()]);
    // Killed in the middle, or after the end: all of it is there afterwards in either case.
    let log = data.join("store.sqlite-wal");
    while fs::metadata(&log).map_or(0, |about| about.len()) < 1 << 20 {
        std::thread::yield_now();
    }
    serving.kill();
    let serving = Serving::at(&data, &listen, &[]);
    import.end().with(0);
    let stats = run("doctor --server {} --json", &[serving.url()])
        .with(0)
        .json();
    assert_eq!(stats[0]["faults"], 0);
    let mut serving = serving;
    serving.kill();
    let report = run("doctor --data {} --json", &[&data]).with(0).json();
    assert_eq!(report[0]["sums"]["stored"], 20_000);
}

#[test]
fn an_import_that_is_stored_outlives_a_server_that_is_away_when_it_asks_how_much_was_new() {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), "a.jsonl", &plain(1_000));
    let serving = Serving::start(&[]);
    let way = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", way.local_addr().unwrap());
    let server = serving.url.strip_prefix("http://").unwrap().to_owned();
    let lost = std::thread::spawn(move || lead(&way, &server));
    let told = run("import {} --server {} --json", &[&file, Path::new(&url)]);
    let told = told.with(0).json();
    assert_eq!(
        (&told[0]["events"], &told[0]["new"]),
        (&json!(1_000), &json!(1_000))
    );
    lost.join().unwrap();
}

/// Leads to a server, over a way that breaks while the upload is under way, for all but the upload: what is asked from
/// then on is lost, and the first connection after it is not let through. Ends when that was.
fn lead(way: &TcpListener, server: &str) {
    let is_broken = Arc::new(AtomicBool::new(false));
    let (questions, _) = way.accept().unwrap();
    let asked = pass_both(&questions, server, &is_broken);
    let (upload, _) = way.accept().unwrap();
    is_broken.store(true, Ordering::SeqCst);
    let uploaded = pass_both(&upload, server, &Arc::default());
    uploaded.join().unwrap();
    questions.shutdown(Shutdown::Both).unwrap();
    asked.join().unwrap();
    drop(way.accept().unwrap());
    let (questions, _) = way.accept().unwrap();
    pass_both(&questions, server, &Arc::default());
}

/// Passes on what is said on a connection and what the server answers, until the client has said all. What is said
/// once the way is broken is lost.
fn pass_both(client: &TcpStream, server: &str, is_broken: &Arc<AtomicBool>) -> JoinHandle<()> {
    let mut there = [
        client.try_clone().unwrap(),
        TcpStream::connect(server).unwrap(),
    ];
    let mut back = [there[1].try_clone().unwrap(), client.try_clone().unwrap()];
    std::thread::spawn(move || {
        let [from, to] = &mut back;
        let _bytes = std::io::copy(from, to);
        let _closed = to.shutdown(Shutdown::Write);
    });
    let is_broken = is_broken.clone();
    std::thread::spawn(move || {
        let [from, to] = &mut there;
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            if !is_broken.load(Ordering::SeqCst) && to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _closed = to.shutdown(Shutdown::Write);
    })
}

#[test]
fn a_server_that_takes_less_than_a_batch_is_told_of_by_its_settings() {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), "a.jsonl", &plain(5_000));
    let serving = Serving::start(&["--ingest-events-max", "100"]);
    run("import {} --server {}", &[&file, serving.url()])
        .with(7)
        .says("ingest.events_max");
}
