//! The process dies between any two steps that change the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::steps::{Step, Steps};
use super::*;
use crate::store::StoreError;
use crate::store::conformance::assert_equal;

/// Dies when a step is reached for the `count`-th time, counted from 0, and never after.
fn dies_at(step: Step, count: usize) -> (Steps, Arc<AtomicUsize>) {
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = reached.clone();
    let steps = Steps(Some(Arc::new(move |at| {
        at == step && counter.fetch_add(1, Ordering::Relaxed) == count
    })));
    (steps, reached)
}

#[test]
fn a_death_between_any_two_steps_loses_nothing_and_doubles_nothing() {
    let mut deaths = 0;
    for step in Step::ALL {
        // Each time it is reached at first, and then now and then.
        for count in [0, 1, 2, 5, 13] {
            let directory = directory();
            let (steps, reached) = dies_at(step, count);
            let seams = Seams { steps, ..seams() };
            let model = MemoryStore::new();
            let mut batches = Batches::new(count as u64);
            let mut store = open_with(small(directory.path()), seams);
            let mut next = 1;
            let mut died = false;
            // Enough for several sealings and two merges.
            while next < 13 && !died {
                commit_both(&store, &model, &mut batches, next..next + 4);
                next += 4;
                died = match block_on(store.seal_all(NOON_NS)) {
                    Ok(_) => false,
                    Err(StoreError::Closing) => true,
                    Err(error) => panic!("{step:?} {count}: {error}"),
                };
            }
            let context = format!("died at {step:?}, reached for time {count}");
            drop(store);
            store = open(small(directory.path()));
            assert_equal(&store, &model, &context);
            commit_both(&store, &model, &mut batches, next..next + 4);
            seal_all(&store);
            assert_equal(&store, &model, &format!("{context}, and went on"));
            assert_no_orphans(&store, directory.path(), &context);
            deaths += usize::from(died);
            if reached.load(Ordering::Relaxed) <= count {
                break;
            }
        }
    }
    println!("{deaths} deaths");
    assert!(deaths > 20, "{deaths} deaths");
}

#[test]
fn a_panic_while_sealing_is_an_error_and_the_next_sealing_seals() {
    for step in [Step::BeforeFile, Step::Written, Step::BeforeSwap] {
        let directory = directory();
        let panics = Arc::new(AtomicUsize::new(1));
        let left = Arc::clone(&panics);
        let steps = Steps(Some(Arc::new(move |at| {
            let due = at == step
                && (left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                }))
                .is_ok();
            assert!(!due, "on purpose");
            false
        })));
        let store = open_with(small(directory.path()), Seams { steps, ..seams() });
        let model = MemoryStore::new();
        let mut batches = Batches::new(1);
        commit_both(&store, &model, &mut batches, 1..5);
        let error = block_on(store.seal_all(NOON_NS)).expect_err("it panics");
        assert!(error.to_string().contains("on purpose"), "{error}");
        assert_equal(&store, &model, "after the panic");
        seal_all(&store);
        assert_eq!(panics.load(Ordering::Relaxed), 0);
        assert!(store.stats().sealed_segments > 0, "{step:?}");
        assert_equal(&store, &model, "sealed");
        drop(store);
        let store = open(small(directory.path()));
        assert_equal(&store, &model, "opened again");
        assert_no_orphans(&store, directory.path(), "opened again");
    }
}

#[test]
fn a_swap_of_which_nobody_knows_keeps_its_files_until_somebody_does() {
    for count in 0..3 {
        let directory = directory();
        // From then on the disk fails, until the process dies.
        let reached = Arc::new(AtomicUsize::new(0));
        let counter = reached.clone();
        let steps = Steps(Some(Arc::new(move |at| {
            at == Step::Doubted && counter.fetch_add(1, Ordering::Relaxed) >= count
        })));
        let seams = Seams { steps, ..seams() };
        let model = MemoryStore::new();
        let mut batches = Batches::new(count as u64);
        let store = open_with(small(directory.path()), seams);
        let mut next = 1;
        // The transaction is on the disk, and the store is told that its sync has failed; then it dies.
        while reached.load(Ordering::Relaxed) <= count {
            commit_both(&store, &model, &mut batches, next..next + 4);
            next += 4;
            let sealed = block_on(store.seal_all(NOON_NS));
            let doubted = matches!(&sealed, Err(StoreError::Unknown(_)));
            assert_eq!(doubted, reached.load(Ordering::Relaxed) > count, "{count}");
        }
        drop(store);
        let store = open(small(directory.path()));
        assert_equal(&store, &model, &format!("doubted at {count}"));
        assert_eq!(store.stats().damaged_segments, 0);
    }
}

/// Every file is one that the catalogue knows.
fn assert_no_orphans(store: &EmbeddedStore, directory: &Path, context: &str) {
    let files = std::fs::read_dir(directory.join("segments")).expect("it is there");
    assert_eq!(files.count() as u64, store.stats().segments, "{context}");
}

#[test]
fn orphans_are_removed_and_counted_and_foreign_files_are_left_alone() {
    let directory = directory();
    drop(open(small(directory.path())));
    let segments = directory.path().join("segments");
    for name in [
        "0000000000000001.parquet",
        "0000000000000009.unfinished",
        "notes.txt",
    ] {
        std::fs::write(segments.join(name), "something").expect("it can be written");
    }
    let store = open(small(directory.path()));
    assert_eq!(store.stats().orphans_removed, 2);
    assert!(segments.join("notes.txt").is_file());
    assert!(!segments.join("0000000000000001.parquet").exists());
}
