//! Full disks: for segments, for the database, and a real one.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::files::{Files, NewFile, RealFiles};
use super::*;
use crate::store::StoreError;
use crate::store::conformance::assert_equal;

/// The files of the system, of which segments may take so many bytes more.
struct Limited(Arc<AtomicU64>);

struct LimitedFile(Box<dyn NewFile>, Arc<AtomicU64>);

impl Files for Limited {
    fn create(&self, path: &Path) -> io::Result<Box<dyn NewFile>> {
        Ok(Box::new(LimitedFile(
            RealFiles.create(path)?,
            self.0.clone(),
        )))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealFiles.rename(from, to)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        RealFiles.sync_directory(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealFiles.remove(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        RealFiles.list(path)
    }
}

impl Write for LimitedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.1.load(Ordering::Relaxed);
        let fits = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        if fits == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = self.0.write(&bytes[..fits])?;
        self.1.fetch_sub(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl NewFile for LimitedFile {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

fn assert_full(error: &StoreError) {
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(error.is_retryable());
}

#[test]
fn without_room_for_a_segment_everything_else_goes_on() {
    // Whichever byte is the one too many.
    for room in [0, 1, 4, 100, 1_000, 5_000] {
        let directory = directory();
        let left = Arc::new(AtomicU64::new(room));
        let seams = Seams {
            files: Arc::new(Limited(left.clone())),
            ..seams()
        };
        let store = open_with(small(directory.path()), seams);
        let model = MemoryStore::new();
        let mut batches = Batches::new(room);
        commit_both(&store, &model, &mut batches, 1..10);
        let error = block_on(store.seal_all(NOON_NS)).expect_err("there is no room");
        assert_full(&error);
        let context = format!("with room for {room} bytes");
        assert_eq!(
            store.stats().last_failure,
            Some(error.to_string()),
            "{context}"
        );
        assert_equal(&store, &model, &context);
        let files = std::fs::read_dir(directory.path().join("segments")).expect("it is there");
        assert_eq!(
            files.count() as u64,
            store.stats().segments,
            "{context}: nothing is left behind"
        );
        commit_both(&store, &model, &mut batches, 10..12);
        left.store(u64::MAX, Ordering::Relaxed);
        seal_all(&store);
        assert_eq!(store.stats().tail_batches, 0, "{context}");
        assert_eq!(store.stats().last_failure, None, "{context}");
        assert_equal(&store, &model, &context);
    }
}

#[test]
fn a_full_database_refuses_the_group_and_nothing_else() {
    let directory = directory();
    let settings = Settings {
        database_bytes_max: Some(600_000),
        seal_events: u64::MAX,
        ..small(directory.path())
    };
    let store = open(settings);
    let model = MemoryStore::new();
    let mut batches = Batches::new(1);
    let mut number = 0;
    let error = loop {
        number += 1;
        let group = vec![batches.batch(1, number, 100), batches.batch(2, number, 100)];
        match block_on(store.commit(group.clone())) {
            Ok(_) => commit(&model, group),
            Err(error) => break error,
        };
        assert!(number < 1_000, "it is full at some time");
    };
    assert_full(&error);
    assert_eq!(error.kind(), "full");
    assert_eq!(store.stats().failed_commits, 1);
    assert_equal(&store, &model, "after a group was refused");
    assert_eq!(
        block_on(store.last(1)).expect("it can be asked"),
        number - 1
    );
    // Sealing makes room.
    seal_all(&store);
    assert_equal(&store, &model, "sealed");
    commit_both(&store, &model, &mut batches, number..number + 5);
    assert_equal(&store, &model, "gone on");
    drop(store);
    assert_equal(&open(small(directory.path())), &model, "opened again");
}

#[test]
fn what_cannot_be_sealed_fast_enough_is_refused_and_then_accepted() {
    let directory = directory();
    let settings = Settings {
        tail_events_max: 100,
        ..small(directory.path())
    };
    let store = open(settings);
    let mut batches = Batches::new(1);
    let mut number = 0;
    let (error, refused) = loop {
        number += 1;
        let batch = batches.batch(1, number, 30);
        if let Err(error) = block_on(store.commit(vec![batch.clone()])) {
            break (error, batch);
        }
    };
    assert!(
        matches!(error, StoreError::Behind { most: 100, .. }),
        "{error}"
    );
    assert!(error.is_retryable());
    assert!(
        block_on(store.commit(Vec::new())).is_err(),
        "a probe says the same"
    );
    block_on(store.maintain(NOON_NS)).expect("there is room");
    commit(&store, vec![refused]);
}

#[test]
fn a_store_that_is_behind_names_the_limit_that_it_has_reached() {
    let behind_with = |change: fn(&mut Settings)| {
        let directory = directory();
        let mut settings = small(directory.path());
        change(&mut settings);
        let store = open(settings);
        let mut batches = Batches::new(1);
        let errors = (1..100).find_map(|number| {
            let batch = batches.batch(1, number, 30);
            block_on(store.commit(vec![batch])).err()
        });
        errors.map(|error| error.to_string()).unwrap_or_default()
    };
    let by_events = behind_with(|settings| settings.tail_events_max = 100);
    assert!(
        by_events.contains(" events wait to be sealed and 100 may"),
        "{by_events}"
    );
    let by_bytes = behind_with(|settings| settings.tail_bytes_max = 20_000);
    assert!(
        by_bytes.contains(" bytes of memory wait to be sealed and 20000 may"),
        "{by_bytes}"
    );
}

/// A file system of its own, where the machine allows it.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let directory = directory();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(directory.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(directory))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn on_a_disk_that_is_really_full_reading_goes_on_and_room_brings_it_back() {
    let Some(disk) = SmallDisk::mount("3m") else {
        println!("not asked: mounting a file system is not permitted here");
        return;
    };
    let store_at = disk.0.path().join("store");
    let ballast = disk.0.path().join("ballast");
    let settings = Settings {
        seal_events: u64::MAX,
        ..small(&store_at)
    };
    let store = open(settings.clone());
    let model = MemoryStore::new();
    let mut batches = Batches::new(1);
    commit_both(&store, &model, &mut batches, 1..20);
    seal_all(&store);
    commit_both(&store, &model, &mut batches, 20..30);
    let mut file = std::fs::File::create(&ballast).expect("there is room");
    while file.write(&[0; 4_096]).is_ok() {}
    let mut number = 30;
    let error = loop {
        let group = vec![batches.batch(1, number, 100)];
        match block_on(store.commit(group.clone())) {
            Ok(_) => commit(&model, group),
            Err(error) => break error,
        };
        number += 1;
        assert!(number < 10_000, "it is full at some time");
    };
    assert_full(&error);
    assert_equal(&store, &model, "while it is full");
    assert!(block_on(store.seal_all(NOON_NS)).is_err());
    assert_equal(&store, &model, "while it is full and was not sealed");
    drop(store);
    match super::super::open::open(settings.clone(), seams()) {
        Ok(store) => assert_equal(&store, &model, "opened on a full disk"),
        // The system's own files beside the database need a few kilobytes.
        Err(error) => assert_full(&error),
    }
    std::fs::remove_file(&ballast).expect("it is there");
    drop(file);
    let store = open(settings);
    assert_equal(&store, &model, "opened with room");
    seal_all(&store);
    commit_both(&store, &model, &mut batches, number..number + 5);
    assert_equal(&store, &model, "with room");
}
