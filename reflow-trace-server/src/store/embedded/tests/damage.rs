//! The disk gives back something else than was written, or nothing.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::store::conformance::assert_equal;
use crate::store::{Snapshot, StoreError, TimeRange, UnusableDirectory};

/// A closed store with a few segments and a few batches in the log.
fn written() -> (TempDir, MemoryStore) {
    let directory = directory();
    let model = MemoryStore::new();
    let settings = Settings {
        merge_fan: 0,
        ..small(directory.path())
    };
    let store = open(settings);
    let mut batches = Batches::new(1);
    for round in 0..4 {
        commit_both(&store, &model, &mut batches, round * 5 + 1..round * 5 + 6);
        seal_all(&store);
    }
    commit_both(&store, &model, &mut batches, 21..24);
    (directory, model)
}

fn segments(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.join("segments")).expect("it is there");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("it is there").path())
        .collect();
    paths.sort();
    paths
}

/// The store works, and says of which events it does not.
fn assert_goes_on(directory: &Path, context: &str) {
    let store = open(small(directory));
    for _ in 0..segments(directory).len() + 2 {
        let _set_aside = block_on(store.maintain(NOON_NS));
    }
    let stats = store.stats();
    assert_eq!(stats.damaged_segments, 1, "{context}");
    assert!(stats.damaged_events > 0, "{context}");
    let view = store.view();
    let read: Result<Vec<_>, _> = view.events(TimeRange::ALL).collect();
    let read = read.unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(
        read.len() as u64 + stats.damaged_events,
        stats.events,
        "{context}"
    );
    view.rollup(TimeRange::ALL)
        .unwrap_or_else(|error| panic!("{context}: {error}"));
    commit(&store, vec![Batches::new(2).batch(8, 1, 5)]);
    drop((view, store));
    let store = open(small(directory));
    assert_eq!(store.stats().damaged_segments, 1, "{context}, opened again");
    assert_eq!(
        store.stats().damaged_events,
        stats.damaged_events,
        "{context}, opened again"
    );
}

#[test]
fn a_missing_segment_keeps_nobody_from_starting() {
    let (directory, _model) = written();
    let first = &segments(directory.path())[0];
    fs::remove_file(first).expect("it is there");
    assert_goes_on(directory.path(), "missing");
}

#[test]
fn a_segment_that_is_cut_short_is_set_aside_at_any_length() {
    let (directory, _model) = written();
    let victim = &segments(directory.path())[1];
    let whole = fs::read(victim).expect("it is there");
    for length in [0, 1, 4, whole.len() / 2, whole.len() - 8, whole.len() - 1] {
        let copy = copy_of(directory.path());
        fs::write(segments(copy.path())[1].clone(), &whole[..length]).expect("there is room");
        assert_goes_on(copy.path(), &format!("{length} bytes"));
    }
}

#[test]
fn a_flipped_bit_anywhere_is_found_and_the_segment_set_aside() {
    let (directory, _model) = written();
    let whole = fs::read(&segments(directory.path())[1]).expect("it is there");
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..8 {
        let copy = copy_of(directory.path());
        let mut broken = whole.clone();
        let place = random.usize(..broken.len());
        broken[place] ^= 1 << random.u8(0..8);
        fs::write(segments(copy.path())[1].clone(), &broken).expect("there is room");
        {
            // Whatever a question meets before it is found out, it does not panic.
            let store = open(small(copy.path()));
            let _read_or_not: Vec<_> = store.view().events(TimeRange::ALL).collect();
        }
        assert_goes_on(copy.path(), &format!("a bit of byte {place}"));
    }
}

#[test]
fn reading_a_damaged_segment_is_an_error_that_names_it_and_sets_it_aside() {
    let (directory, _model) = written();
    let victim = segments(directory.path())[2].clone();
    let bytes = fs::metadata(&victim).expect("it is there").len();
    fs::write(&victim, vec![0; bytes as usize]).expect("there is room");
    let store = open(small(directory.path()));
    let error = store.view().events(TimeRange::ALL).find_map(Result::err);
    let Some(StoreError::Damaged { place, .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(place, victim.display().to_string());
    let report = block_on(store.maintain(NOON_NS)).expect("there is room");
    assert_eq!(
        report.damaged_segments, 1,
        "what was met is looked at first"
    );
    assert!(
        store
            .view()
            .events(TimeRange::ALL)
            .all(|event| event.is_ok())
    );
    let aside = directory
        .path()
        .join("damaged")
        .join(victim.file_name().expect("it has one"));
    assert!(aside.is_file());
}

#[test]
fn a_damaged_row_of_the_log_is_counted_and_kept_aside() {
    let (directory, model) = written();
    let database = directory.path().join("store.sqlite");
    let lost: i64 = {
        let connection = rusqlite::Connection::open(database).expect("it is there");
        let sql =
            "UPDATE log SET frame = zeroblob(length(frame)) WHERE offset = 22 RETURNING events";
        connection
            .query_row(sql, [], |row| row.get(0))
            .expect("it is there")
    };
    let store = open(small(directory.path()));
    assert_eq!(store.stats().damaged_events, lost as u64);
    for _round in 0..2 {
        let view = store.view();
        assert_eq!(view.len() + lost as u64, model.stats().events);
        assert!(view.events(TimeRange::ALL).all(|event| event.is_ok()));
        assert_eq!(
            view.holes(),
            [(22, 23)],
            "in the log, and once that was sealed"
        );
        seal_all(&store);
    }
    drop(store);
    let store = open(small(directory.path()));
    assert_eq!(store.stats().damaged_events, lost as u64);
    assert_eq!(store.view().holes(), [(22, 23)]);
}

#[test]
fn a_damaged_database_is_refused_with_what_to_do() {
    let (directory, _model) = written();
    let database = directory.path().join("store.sqlite");
    let mut bytes = fs::read(&database).expect("it is there");
    for byte in &mut bytes[16_384..32_768] {
        *byte = 0xff;
    }
    fs::write(&database, &bytes).expect("there is room");
    let error = EmbeddedStore::open(small(directory.path())).err();
    let Some(StoreError::Unusable(unusable)) = error else {
        panic!("{error:?}");
    };
    assert!(
        matches!(*unusable, UnusableDirectory::Damaged { .. }),
        "{unusable}"
    );
    assert!(unusable.to_string().contains("restore it"), "{unusable}");
    let after = fs::read(&database).expect("it is there");
    assert!(after == bytes, "nothing was changed");
}

#[test]
fn a_write_ahead_log_that_is_cut_short_gives_whole_groups() {
    let directory = directory();
    let store = open(small(directory.path()));
    let mut batches = Batches::new(5);
    let mut models = vec![MemoryStore::new()];
    let mut groups = Vec::new();
    for number in 1..8 {
        groups.push(vec![
            batches.batch(1, number, 20),
            batches.batch(2, number, 20),
        ]);
        commit(&store, groups[groups.len() - 1].clone());
        let model = MemoryStore::new();
        commit(&model, groups.concat());
        models.push(model);
    }
    // As a power failure leaves it: the files as they are while the store has them open.
    let wal = fs::read(directory.path().join("store.sqlite-wal")).expect("it is there");
    let database = fs::read(directory.path().join("store.sqlite")).expect("it is there");
    drop(store);
    let mut seen = std::collections::BTreeSet::new();
    for part in 0..=40 {
        let copy = super::directory();
        fs::write(copy.path().join("store.sqlite"), &database).expect("there is room");
        let length = wal.len() * part / 40;
        fs::write(copy.path().join("store.sqlite-wal"), &wal[..length]).expect("there is room");
        let store = open(small(copy.path()));
        let groups = store.stats().batches as usize / 2;
        assert_equal(
            &store,
            &models[groups],
            &format!("{length} bytes of the log"),
        );
        seen.insert(groups);
    }
    assert!(seen.len() > 4, "{seen:?}");
}

fn copy_of(directory: &Path) -> TempDir {
    let copy = super::directory();
    fs::create_dir(copy.path().join("segments")).expect("there is room");
    for file in segments(directory) {
        let name = file.file_name().expect("it has one");
        fs::copy(&file, copy.path().join("segments").join(name)).expect("there is room");
    }
    for name in ["store.sqlite", "store.sqlite-wal"] {
        if directory.join(name).is_file() {
            fs::copy(directory.join(name), copy.path().join(name)).expect("there is room");
        }
    }
    copy
}

#[cfg(unix)]
#[test]
fn a_segment_that_cannot_be_opened_for_a_while_is_not_set_aside() {
    let directory = directory();
    let model = MemoryStore::new();
    let mut batches = Batches::new(1);
    let store = open(small(directory.path()));
    commit_both(&store, &model, &mut batches, 1..3);
    seal_all(&store);
    drop(store);
    let segments = directory.path().join("segments");
    let file = std::fs::read_dir(&segments)
        .expect("it is there")
        .map(|entry| entry.expect("it can be listed").path())
        .next()
        .expect("a segment");
    let away = directory.path().join("away");
    std::fs::rename(&file, &away).expect("it can be moved");
    // A link to itself can no more be opened than a file when too many are open.
    std::os::unix::fs::symlink(&file, &file).expect("a link can be made");
    let store = open(small(directory.path()));
    // One segment is checked by each call.
    let segments = store.stats().segments;
    let error = (0..segments)
        .find_map(|_| block_on(store.maintain(NOON_NS)).err())
        .expect("it cannot be opened");
    assert_eq!(error.kind(), "io", "{error}");
    assert_eq!(store.stats().damaged_segments, 0);
    std::fs::remove_file(&file).expect("the link is there");
    std::fs::rename(&away, &file).expect("it can be moved back");
    for _ in 0..segments {
        block_on(store.maintain(NOON_NS)).unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(store.stats().damaged_segments, 0);
    assert_equal(&store, &model, "after it could not be opened");
}

#[test]
fn a_damaged_segment_that_cannot_be_moved_stays_where_it_is_at_every_start() {
    let (directory, _model) = written();
    let victim = segments(directory.path())[1].clone();
    fs::write(&victim, b"not what was written").expect("it can be written");
    // No directory of this name can be made.
    let aside = directory.path().join("damaged");
    fs::write(&aside, b"").expect("it can be written");
    for start in 1..=3 {
        let store = open(small(directory.path()));
        assert!(victim.is_file(), "start {start}");
        assert_eq!(store.stats().damaged_segments, 1, "start {start}");
        assert_eq!(store.stats().orphans_removed, 0, "start {start}");
    }
    fs::remove_file(&aside).expect("it is there");
    drop(open(small(directory.path())));
    assert!(!victim.exists(), "it is moved as soon as it can be");
    assert!(aside.join(victim.file_name().expect("a name")).is_file());
}

#[test]
fn a_damaged_segment_never_takes_the_place_of_what_was_set_aside_before() {
    let (directory, _model) = written();
    let victim = segments(directory.path())[1].clone();
    let name = victim.file_name().expect("a name").to_owned();
    let aside = directory.path().join("damaged");
    for attempt in ["first", "second", "third"] {
        // Somebody has tried to mend it.
        fs::write(&victim, attempt).expect("it can be written");
        drop(open(small(directory.path())));
        assert!(!victim.exists(), "{attempt}");
    }
    let read = |name: &str| fs::read_to_string(aside.join(name)).ok();
    let name = name.to_str().expect("digits");
    assert_eq!(read(name).as_deref(), Some("first"));
    assert_eq!(read(&format!("{name}.2")).as_deref(), Some("second"));
    assert_eq!(read(&format!("{name}.3")).as_deref(), Some("third"));
}

#[test]
fn a_damaged_segment_that_was_not_moved_before_a_crash_is_kept_for_the_operator() {
    let (directory, _model) = written();
    let segments = directory.path().join("segments");
    let file = fs::read_dir(&segments)
        .expect("it is there")
        .map(|entry| entry.expect("it can be listed").path())
        .next()
        .expect("a segment");
    fs::write(&file, b"not what was written").expect("it can be written");
    drop(open(small(directory.path())));
    let aside = directory
        .path()
        .join("damaged")
        .join(file.file_name().expect("a name"));
    // The catalogue knows of the damage, and the file was not moved yet.
    fs::rename(&aside, &file).expect("it was set aside");
    let store = open(small(directory.path()));
    assert_eq!(store.stats().orphans_removed, 0);
    assert!(aside.exists());
}
