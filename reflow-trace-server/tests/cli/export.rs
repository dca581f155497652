//! Exporting: every event whole, the file whole or not at all.

use std::fs;

use crate::events::{any, plain, read, write};
use crate::program::{Serving, run};

#[test]
fn what_is_exported_and_imported_again_is_the_same_event_by_event() {
    for seed in 0..4 {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        let events = any(seed, 1_500);
        let file = write(directory.path(), "a.jsonl", &events);
        // What was written, read as JSON: floats are those that JSON has.
        let mut events = read(&fs::read_to_string(&file).unwrap());
        run("import {} --data {}", &[&file, &place("first")]).with(0);
        run(
            "export -o {} --data {}",
            &[&place("b.jsonl"), &place("first")],
        )
        .with(0);
        run(
            "export -o {} --data {}",
            &[&place("b.parquet"), &place("first")],
        )
        .with(0);
        let exported = fs::read_to_string(place("b.jsonl")).unwrap();
        let in_order = read(&exported);
        let mut first = in_order.clone();
        // Events of one time stand in the order of their batches.
        events.sort_by_key(|event| (event.timestamp, event.event_id));
        first.sort_by_key(|event| (event.timestamp, event.event_id));
        assert_eq!(first, events, "seed {seed}");
        for (name, form) in [("jsonl", "b.jsonl"), ("parquet", "b.parquet")] {
            run("import {} --data {}", &[&place(form), &place(name)]).with(0);
            let again = run("export --data {}", &[&place(name)]).with(0);
            assert_eq!(read(&again.out), in_order, "seed {seed}, by {name}");
        }
    }
}

#[test]
fn a_segment_of_a_store_can_be_imported_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let file = write(directory.path(), "a.jsonl", &any(7, 500));
    run("import {} --data {}", &[&file, &place("first")]).with(0);
    let mut segments = fs::read_dir(place("first/segments")).unwrap();
    let segment = segments.next().unwrap().unwrap().path();
    run("import {} --data {}", &[&segment, &place("second")]).with(0);
    let of = |name: &str| run("export --data {}", &[&place(name)]).with(0).out;
    assert_eq!(read(&of("first")), read(&of("second")));
}

#[test]
fn filters_choose_and_pages_follow_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), "a.jsonl", &plain(25_000));
    let serving = Serving::start(&["--query-events-max", "1000"]);
    run("import {} --server {}", &[&file, serving.url()]).with(0);
    let all = run("export --server {}", &[serving.url()]).with(0);
    assert_eq!(read(&all.out), plain_of(&file));
    let some = run(
        "export --server {} destination_actor~=~'store' --limit 1500",
        &[serving.url()],
    )
    .with(0);
    let some = read(&some.out);
    assert_eq!(some.len(), 1_500);
    assert!(
        some.iter()
            .all(|event| event.destination() == Some(("store", "in")))
    );
}

fn plain_of(file: &std::path::Path) -> Vec<reflow_trace::TraceEvent> {
    read(&fs::read_to_string(file).unwrap())
}

#[test]
fn a_place_that_cannot_be_written_is_found_out_and_what_was_there_stays() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = write(directory.path(), "a.jsonl", &plain(10));
    run("import {} --data {}", &[&file, &data]).with(0);
    let nowhere = directory.path().join("no/such/a.jsonl");
    run("export -o {} --data {}", &[&nowhere, &data])
        .with(8)
        .says("cannot write `");
    run(
        "export -o {} --format jsonl --data {}",
        &[directory.path(), &data],
    )
    .with(8);

    let kept = directory.path().join("kept.jsonl");
    fs::write(&kept, "before").unwrap();
    let none = directory.path().join("none");
    run("export -o {} --data {}", &[&kept, &none]).with(4);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "before");
    let names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        names
            .iter()
            .all(|name| !name.to_string_lossy().ends_with(".tmp")),
        "{names:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_leaves_no_half_file() {
    // The device that is always full.
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = write(directory.path(), "a.jsonl", &plain(5_000));
    run("import {} --data {}", &[&file, &data]).with(0);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = crate::program::program()
        .args(["export", "--data"])
        .arg(&data)
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("No space left"),
        "{output:?}"
    );
}
