//! Whether two stores hold the same.

use std::collections::BTreeMap;

use reflow_trace::TraceEvent;

use super::batches::NOON_NS;
use super::{assert_same_answers, block_on};
use crate::store::rollup::{Cell, EdgeName, Happening, Rollup};
use crate::store::{Snapshot, Store, TimeRange};

/// All events of a stretch of time.
///
/// # Panics
///
/// When one of them cannot be read.
pub(super) fn events(snapshot: &dyn Snapshot, range: TimeRange) -> Vec<TraceEvent> {
    let events: Result<_, _> = snapshot.events(range).collect();
    events.expect("every event can be read")
}

/// Stretches of time that are worth asking about.
pub(super) fn ranges() -> Vec<TimeRange> {
    let range = |start_ns, end_ns| TimeRange { start_ns, end_ns };
    vec![
        TimeRange::ALL,
        range(NOON_NS, NOON_NS + 10),
        range(NOON_NS + 5, NOON_NS + 150_000_000_000),
        range(i64::MIN, NOON_NS),
        range(NOON_NS + 100_000_000_000, i64::MAX),
        range(NOON_NS, NOON_NS),
    ]
}

/// Checks that two stores give the same answers to everything that the contract promises.
///
/// Both have retired nothing.
///
/// # Panics
///
/// When they do not; `context` says where.
pub fn assert_equal(store: &dyn Store, model: &dyn Store, context: &str) {
    let ours = block_on(store.snapshot()).expect("a snapshot is given");
    let theirs = block_on(model.snapshot()).expect("a snapshot is given");
    assert_same_view(&*ours, &*theirs, context);
    let (stats, due) = (store.stats(), model.stats());
    assert_eq!(
        (stats.batches, stats.events, stats.gaps),
        (due.batches, due.events, due.gaps),
        "{context}"
    );
    assert_eq!(
        stats.tail_events + stats.segment_events + stats.retired_events + stats.damaged_events,
        stats.events,
        "{context}: the events are in the tail, in segments, retired or damaged"
    );
}

/// The same for two snapshots.
pub(super) fn assert_same_view(ours: &dyn Snapshot, theirs: &dyn Snapshot, context: &str) {
    assert_eq!(ours.end(), theirs.end(), "{context}: end");
    assert_eq!(ours.len(), theirs.len(), "{context}: len");
    for range in ranges() {
        let (found, due) = (events(ours, range), events(theirs, range));
        if found != due {
            let place = std::iter::zip(&found, &due).position(|(one, other)| one != other);
            panic!(
                "{context}: {range:?}: {} events instead of {}, the first that differs is {place:?}:\n{:#?}\ninstead of\n{:#?}",
                found.len(),
                due.len(),
                place.and_then(|place| found.get(place)),
                place.and_then(|place| due.get(place)),
            );
        }
        let (found, due) = (ours.rollup(range), theirs.rollup(range));
        assert_same_sums(
            &found.expect("the sums can be read"),
            &due.expect("the sums can be read"),
            context,
        );
    }
    let mut random = fastrand::Rng::with_seed(ours.end());
    assert_same_answers(ours, theirs, &mut random, 2, context);
    let told = |snapshot: &dyn Snapshot| -> Vec<_> {
        let ledgers = snapshot.producers().iter();
        ledgers
            .map(|ledger| {
                let mut ledger = ledger.clone();
                // By whose clock it was seen is no matter of the contract.
                ledger.seen_ns = 0;
                ledger
            })
            .collect()
    };
    assert_eq!(told(ours), told(theirs), "{context}: producers");
}

fn assert_same_sums(ours: &Rollup, theirs: &Rollup, context: &str) {
    type Key<'a> = (i64, &'a EdgeName, &'a str, Happening);
    let by_name = |rollup: &Rollup| -> BTreeMap<_, Cell> {
        let cells = rollup.named();
        cells
            .map(|(minute, edge, name, happening, cell)| {
                (
                    (minute, edge.clone(), name.to_owned(), happening),
                    cell.clone(),
                )
            })
            .collect()
    };
    let (found, due) = (by_name(ours), by_name(theirs));
    let keys = |cells: &BTreeMap<(i64, EdgeName, String, Happening), Cell>| {
        cells.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&found), keys(&due), "{context}: cells");
    for ((key, cell), other) in std::iter::zip(&found, due.values()) {
        let key: Key<'_> = (key.0, &key.1, &key.2, key.3);
        // A sum of fractions depends on their order, a little.
        for (found, due) in [
            (cell.weight, other.weight),
            (cell.failed_weight, other.failed_weight),
        ] {
            let difference = (found - due).abs();
            assert!(difference <= due.abs() * 1e-9, "{context}: {key:?}");
        }
        let cell = Cell {
            weight: other.weight,
            failed_weight: other.failed_weight,
            ..cell.clone()
        };
        assert_eq!(&cell, other, "{context}: {key:?}");
    }
}
