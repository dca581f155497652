//! One check for each promise.

use std::sync::Arc;

use reflow_trace::TraceEvent;
use reflow_trace::event::ProducerId;

use super::batches::{Batches, NOON_NS, batch_of};
use super::compare::{assert_equal, assert_same_view, events};
use super::lookups::assert_same_answers;
use super::{Make, block_on};
use crate::store::memory::MemoryStore;
use crate::store::{Committed, Store, TimeRange};

const HOUR_NS: i64 = 3_600_000_000_000;

fn commit(store: &dyn Store, group: Vec<crate::store::Admitted>) -> Vec<Committed> {
    block_on(store.commit(group)).expect("there is room")
}

/// A store, and a model that has been given the same: `groups` groups of two streams.
fn filled(
    make: Make<'_>,
    seed: u64,
    groups: u64,
) -> (Box<dyn super::Subject>, Arc<dyn Store>, MemoryStore) {
    let mut subject = make();
    let (store, model) = (subject.open(), MemoryStore::new());
    let mut batches = Batches::new(seed);
    for number in 1..=groups {
        let group = vec![batches.batch(1, number, 20), batches.batch(2, number, 20)];
        commit(&*store, group.clone());
        commit(&model, group);
    }
    (subject, store, model)
}

/// Nothing is made up.
pub fn an_empty_store_holds_nothing(make: Make<'_>) {
    let mut subject = make();
    let store = subject.open();
    assert_equal(&*store, &MemoryStore::new(), "empty");
    assert_eq!(block_on(store.last(7)).expect("it can be asked"), 0);
    assert_eq!(store.stats().events, 0);
}

/// Every field of every event, in the order of time.
pub fn what_was_committed_comes_back_as_it_was(make: Make<'_>) {
    let (_subject, store, model) = filled(make, 1, 20);
    assert_equal(&*store, &model, "committed");
    let maintained = block_on(store.maintain(NOON_NS + 1_000 * HOUR_NS));
    maintained.expect("there is room");
    assert_equal(&*store, &model, "maintained");
}

/// Over groups, with duplicates between them.
pub fn offsets_ascend_by_one(make: Make<'_>) {
    let mut subject = make();
    let store = subject.open();
    let mut batches = Batches::new(2);
    let first = vec![batches.batch(1, 1, 3), batches.batch(2, 1, 3)];
    let stored = |offset| Committed::Stored { offset };
    assert_eq!(commit(&*store, first.clone()), [stored(1), stored(2)]);
    let mut second = first;
    second.insert(1, batches.batch(1, 2, 3));
    let duplicate = Committed::Duplicate;
    assert_eq!(commit(&*store, second), [duplicate, stored(3), duplicate]);
    let snapshot = block_on(store.snapshot()).expect("a snapshot is given");
    assert_eq!(snapshot.end(), 4);
}

/// Within a group and across groups; and whatever the repetition holds.
pub fn a_duplicate_is_stored_once(make: Make<'_>) {
    let mut subject = make();
    let store = subject.open();
    let event = |name: &str| TraceEvent::message_sent(name, "out", "T", 1);
    let producer = ProducerId::from_bits(5);
    let batch = |name, number| batch_of(&[event(name)], producer, 9, number);
    let group = vec![batch("first", 1), batch("other", 1), batch("second", 2)];
    let expected = [
        Committed::Stored { offset: 1 },
        Committed::Duplicate,
        Committed::Stored { offset: 2 },
    ];
    assert_eq!(commit(&*store, group), expected);
    assert_eq!(
        commit(&*store, vec![batch("third", 2)]),
        [Committed::Duplicate]
    );
    let snapshot = block_on(store.snapshot()).expect("a snapshot is given");
    let stored = events(&*snapshot, TimeRange::ALL);
    let mut names: Vec<_> = stored.iter().map(|event| event.actor_id.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(store.stats().duplicates, 2);
    assert_eq!(block_on(store.last(9)).expect("it can be asked"), 2);
}

/// And what was skipped is a duplicate from then on.
pub fn skipped_numbers_are_counted(make: Make<'_>) {
    let mut subject = make();
    let store = subject.open();
    let mut batches = Batches::new(3);
    commit(
        &*store,
        vec![batches.batch(1, 4, 3), batches.batch(1, 6, 3)],
    );
    assert_eq!(store.stats().gaps, 4);
    assert_eq!(
        commit(&*store, vec![batches.batch(1, 5, 3)]),
        [Committed::Duplicate]
    );
    let largest = batches.batch(2, u64::MAX, 3);
    assert_eq!(
        commit(&*store, vec![largest]),
        [Committed::Stored { offset: 3 }]
    );
    assert_eq!(block_on(store.last(2)).expect("it can be asked"), u64::MAX);
    assert_eq!(store.stats().gaps, u64::MAX, "the count stops there");
}

/// So one asks whether committing works.
pub fn an_empty_group_is_committed(make: Make<'_>) {
    let mut subject = make();
    let store = subject.open();
    assert_eq!(commit(&*store, Vec::new()), []);
    assert_equal(&*store, &MemoryStore::new(), "after an empty group");
}

/// While others commit.
pub fn a_snapshot_stays_as_it_is(make: Make<'_>) {
    let (_subject, store, model) = filled(make, 4, 5);
    let held = block_on(store.snapshot()).expect("a snapshot is given");
    let due = block_on(model.snapshot()).expect("a snapshot is given");
    let mut batches = Batches::new(5);
    for number in 6..10 {
        commit(&*store, vec![batches.batch(1, number, 20)]);
    }
    assert_same_view(&*held, &*due, "held");
}

/// While segments are made, merged and replaced.
pub fn a_snapshot_survives_maintenance(make: Make<'_>) {
    let (_subject, store, model) = filled(make, 6, 5);
    let mut batches = Batches::new(7);
    let mut held = Vec::new();
    for number in 6..40 {
        let group = vec![batches.batch(1, number, 20)];
        commit(&*store, group.clone());
        commit(&model, group);
        held.push((
            block_on(store.snapshot()).expect("a snapshot is given"),
            block_on(model.snapshot()).expect("a snapshot is given"),
        ));
        let now_ns = NOON_NS + number as i64 * 100 * HOUR_NS;
        block_on(store.maintain(now_ns)).expect("there is room");
    }
    for (place, (ours, theirs)) in held.iter().enumerate() {
        assert_same_view(
            &**ours,
            &**theirs,
            &format!("held before maintenance {place}"),
        );
    }
}

/// All of it, from the log and from segments.
pub fn what_was_committed_is_there_after_opening_again(make: Make<'_>) {
    let (mut subject, store, model) = filled(make, 8, 10);
    if !subject.is_durable() {
        return;
    }
    drop(store);
    let store = subject.open();
    assert_equal(&*store, &model, "opened again");
    block_on(store.maintain(NOON_NS + 1_000 * HOUR_NS)).expect("there is room");
    drop(store);
    let store = subject.open();
    assert_equal(&*store, &model, "opened again after maintenance");
    let next = commit(&*store, vec![Batches::new(9).batch(3, 1, 1)]);
    assert_eq!(next, [Committed::Stored { offset: 21 }]);
}

/// Also when all that it repeats was sealed.
pub fn a_duplicate_is_known_after_opening_again(make: Make<'_>) {
    let mut subject = make();
    if !subject.is_durable() {
        return;
    }
    let batch = Batches::new(10).batch(5, 3, 10);
    let store = subject.open();
    commit(&*store, vec![batch.clone()]);
    drop(store);
    let store = subject.open();
    assert_eq!(commit(&*store, vec![batch.clone()]), [Committed::Duplicate]);
    block_on(store.maintain(NOON_NS + 1_000 * HOUR_NS)).expect("there is room");
    drop(store);
    let store = subject.open();
    assert_eq!(commit(&*store, vec![batch]), [Committed::Duplicate]);
    assert_eq!(block_on(store.last(5)).expect("it can be asked"), 3);
}

/// From its first nanosecond on, and none after.
pub fn a_range_holds_what_is_in_it(make: Make<'_>) {
    let mut subject = make();
    let store = subject.open();
    let producer = ProducerId::from_bits(1);
    let at = |time_ns: i64| {
        let mut event = TraceEvent::message_sent(format!("{time_ns}"), "out", "T", 1);
        event.timestamp = chrono::DateTime::from_timestamp_nanos(time_ns);
        event
    };
    let times = [i64::MIN, -1, 0, 1, 2, 3, NOON_NS, i64::MAX];
    let all: Vec<_> = times.iter().rev().map(|&time_ns| at(time_ns)).collect();
    commit(&*store, vec![batch_of(&all, producer, 1, 1)]);
    for round in ["in the log", "sealed"] {
        let snapshot = block_on(store.snapshot()).expect("a snapshot is given");
        let found = |start_ns, end_ns| -> Vec<i64> {
            let found = events(&*snapshot, TimeRange { start_ns, end_ns });
            let times = found
                .iter()
                .map(|event| event.timestamp.timestamp_nanos_opt());
            times
                .map(|time_ns| time_ns.expect("it was one of ours"))
                .collect()
        };
        assert_eq!(found(i64::MIN, i64::MAX), times, "{round}");
        assert_eq!(found(0, 3), [0, 1, 2], "{round}");
        assert_eq!(found(i64::MIN, 0), [i64::MIN, -1], "{round}");
        assert_eq!(found(4, i64::MAX), [NOON_NS, i64::MAX], "{round}");
        assert_eq!(found(1, 1), [0i64; 0], "{round}");
        drop(snapshot);
        block_on(store.maintain(i64::MAX)).expect("there is room");
    }
}

/// By ids, by conditions, by offsets; in the log, in segments, and over both; against a look at every event.
pub fn what_is_asked_for_is_found_and_nothing_else(make: Make<'_>) {
    let mut random = fastrand::Rng::with_seed(21);
    let (_subject, store, model) = filled(make, 21, 12);
    for round in ["in the log", "in segments", "in both"] {
        let ours = block_on(store.snapshot()).expect("a snapshot is given");
        let theirs = block_on(model.snapshot()).expect("a snapshot is given");
        assert_same_answers(&*ours, &*theirs, &mut random, 25, round);
        block_on(store.maintain(NOON_NS + 1_000 * HOUR_NS)).expect("there is room");
        if round == "in segments" {
            let group = vec![Batches::new(22).batch(1, 13, 50)];
            commit(&*store, group.clone());
            commit(&model, group);
        }
    }
}

/// In the log, in segments, and over both.
pub fn rollups_say_what_the_events_say(make: Make<'_>) {
    let (_subject, store, model) = filled(make, 11, 10);
    block_on(store.maintain(NOON_NS + 1_000 * HOUR_NS)).expect("there is room");
    let group = vec![Batches::new(12).batch(1, 11, 50)];
    commit(&*store, group.clone());
    commit(&model, group);
    assert_equal(&*store, &model, "in segments and in the log");
    let snapshot = block_on(store.snapshot()).expect("a snapshot is given");
    let sums = snapshot
        .rollup(TimeRange::ALL)
        .expect("the sums can be read");
    let messages = events(&*snapshot, TimeRange::ALL);
    let is_about_an_actor = |event: &&TraceEvent| event.event_type.name() != "NetworkEvent";
    assert_eq!(
        sums.events(),
        messages.iter().filter(is_about_an_actor).count() as u64
    );
}

/// Whatever the order in which they come; losses are added up.
pub fn producers_are_told_by_what_counts_most(make: Make<'_>) {
    let (_subject, store, model) = filled(make, 13, 60);
    block_on(store.maintain(NOON_NS + 1_000 * HOUR_NS)).expect("there is room");
    assert_equal(&*store, &model, "told");
    let snapshot = block_on(store.snapshot()).expect("a snapshot is given");
    assert_eq!(snapshot.producers().len(), 2);
    for ledger in snapshot.producers().iter() {
        assert_eq!(ledger.batches, 60);
        assert!(ledger.counters.is_some() && ledger.coverage.is_some());
        assert!(!ledger.losses.is_empty());
    }
}

/// With every batch sent twice, and maintenance meanwhile.
pub fn commits_from_many_threads_are_each_stored_once(make: Make<'_>) {
    const THREADS: u64 = 4;
    const NUMBERS: u64 = 20;
    let mut subject = make();
    let store = subject.open();
    std::thread::scope(|scope| {
        for stream in 1..=THREADS {
            let store = &store;
            scope.spawn(move || {
                let mut batches = Batches::new(stream);
                for number in 1..=NUMBERS {
                    let batch = batches.batch(stream, number, 10);
                    commit(&**store, vec![batch.clone()]);
                    let again = commit(&**store, vec![batch]);
                    assert_eq!(again, [Committed::Duplicate]);
                }
            });
        }
        for round in 0..10 {
            let now_ns = NOON_NS + round * 1_000 * HOUR_NS;
            block_on(store.maintain(now_ns)).expect("there is room");
        }
    });
    let stats = store.stats();
    assert_eq!(stats.batches, THREADS * NUMBERS);
    assert_eq!(stats.duplicates, THREADS * NUMBERS);
    let model = MemoryStore::new();
    for stream in 1..=THREADS {
        let mut batches = Batches::new(stream);
        let group = (1..=NUMBERS).map(|number| batches.batch(stream, number, 10));
        commit(&model, group.collect());
    }
    let snapshot = block_on(store.snapshot()).expect("a snapshot is given");
    let due = block_on(model.snapshot()).expect("a snapshot is given");
    let ids = |events: Vec<TraceEvent>| {
        let mut ids: Vec<_> = events.into_iter().map(|event| event.event_id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(
        ids(events(&*snapshot, TimeRange::ALL)),
        ids(events(&*due, TimeRange::ALL))
    );
}
