//! How long things are kept, and in how many pieces.

use reflow_trace::TraceEvent;
use reflow_trace::event::ProducerId;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use super::super::steps::{Step, Steps};
use super::*;
use crate::store::columns::{Place, Wanted};
use crate::store::conformance::{assert_equal, batch_of};
use crate::store::{Effort, Snapshot, StoreError, TimeRange, Unwatched, Watch};

const DAY: Duration = Duration::from_secs(86_400);

/// A clock that a test sets.
fn clock() -> (Clock, Arc<AtomicI64>) {
    let time = Arc::new(AtomicI64::new(NOON_NS));
    let shown = time.clone();
    (Clock(Arc::new(move || shown.load(Ordering::Relaxed))), time)
}

fn maintain(store: &EmbeddedStore, now_ns: i64) {
    block_on(store.maintain(now_ns)).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn what_is_retired_from_among_what_is_kept_is_known_to_be_missing() {
    let directory = directory();
    let (clock, time) = clock();
    let settings = || Settings {
        seal_events: 1_000,
        retain_for: Some(DAY),
        ..small(directory.path())
    };
    let store = open_with(
        settings(),
        Seams {
            clock: clock.clone(),
            ..seams()
        },
    );
    // Sealed together, the second batch is in a segment of its own, because its events have another time.
    for (hours, event_ns) in [(0, NOON_NS), (0, NOON_NS - 50 * HOUR_NS), (2, NOON_NS)] {
        time.store(NOON_NS + hours * HOUR_NS, Ordering::Relaxed);
        let event = TraceEvent {
            timestamp: chrono::DateTime::from_timestamp_nanos(event_ns),
            ..TraceEvent::data_flow("a", "out", "b", "in", "T", 8)
        };
        let number = store.view().end();
        let batch = batch_of(&[event], ProducerId::from_bits(1), 1, number);
        commit(&store, vec![batch]);
    }
    seal_all(&store);
    assert_eq!((store.stats().segments, store.view().holes()), (2, vec![]));
    let pass = |store: &EmbeddedStore, hours: std::ops::RangeInclusive<i64>| {
        for hour in hours {
            time.store(NOON_NS + hour * HOUR_NS, Ordering::Relaxed);
            maintain(store, NOON_NS + hour * HOUR_NS);
        }
    };
    pass(&store, 3..=25);
    let view = store.view();
    assert_eq!((view.len(), view.begin()), (2, 1));
    assert_eq!(view.holes(), [(2, 3)]);
    drop((view, store));
    let store = open_with(settings(), Seams { clock, ..seams() });
    assert_eq!(store.view().holes(), [(2, 3)], "it is known for good");
    // Until everything before it is gone, too: that is told by where the store begins.
    pass(&store, 25..=27);
    let view = store.view();
    assert_eq!((view.len(), view.begin()), (0, 4));
    assert_eq!(view.holes(), []);
}

#[test]
fn what_is_too_old_is_retired_by_when_it_was_committed() {
    let directory = directory();
    let (clock, time) = clock();
    let settings = Settings {
        retain_for: Some(DAY),
        ..small(directory.path())
    };
    let store = open_with(settings, Seams { clock, ..seams() });
    let mut batches = Batches::new(1);
    // Its events have times from one end of time to the other.
    commit(&store, vec![batches.batch(1, 1, 60)]);
    let events = store.stats().events;
    seal_all(&store);
    for hour in 1..=24 {
        time.store(NOON_NS + hour * HOUR_NS, Ordering::Relaxed);
        maintain(&store, NOON_NS + hour * HOUR_NS);
    }
    assert_eq!(store.view().len(), events, "it is a day old, and not more");
    commit(&store, vec![batches.batch(1, 2, 60)]);
    let second = store.stats().events - events;
    block_on(store.seal_all(NOON_NS + 24 * HOUR_NS)).expect("there is room");
    maintain(&store, NOON_NS + 25 * HOUR_NS);
    assert_eq!(store.view().len(), second);
    let stats = store.stats();
    assert_eq!(stats.retired_events, events);
    assert_eq!(stats.segment_events + stats.retired_events, stats.events);
    let view = store.view();
    assert_eq!((view.begin(), view.holes()), (2, Vec::new()));
    drop(view);
    drop(store);
    let store = open(small(directory.path()));
    assert_eq!(
        store.stats().retired_events,
        events,
        "also when it is opened again"
    );
    let repeated = Batches::new(1).batch(1, 1, 60);
    assert_eq!(
        commit(&store, vec![repeated]),
        [Committed::Duplicate],
        "and is still a duplicate"
    );
}

#[test]
fn a_clock_that_jumps_ahead_retires_nothing_for_an_hour() {
    let directory = directory();
    let store = open(Settings {
        retain_for: Some(DAY),
        ..small(directory.path())
    });
    commit(&store, vec![Batches::new(1).batch(1, 1, 60)]);
    seal_all(&store);
    let events = store.stats().events;
    maintain(&store, NOON_NS + 9_000 * HOUR_NS);
    assert!(store.stats().clock_in_doubt);
    assert_eq!(store.view().len(), events);
    // It was put right.
    maintain(&store, NOON_NS + HOUR_NS / 2);
    assert!(!store.stats().clock_in_doubt);
    assert_eq!(store.view().len(), events);
    // It was right: the machine has slept.
    maintain(&store, NOON_NS + 9_000 * HOUR_NS);
    assert_eq!(store.view().len(), events);
    maintain(&store, NOON_NS + 9_001 * HOUR_NS);
    assert_eq!(store.view().len(), 0);
}

#[test]
fn what_is_too_much_goes_the_oldest_first() {
    let directory = directory();
    let settings = |retain_bytes| Settings {
        retain_bytes,
        merge_fan: 0,
        ..small(directory.path())
    };
    let store = open(settings(None));
    let mut batches = Batches::new(1);
    for number in 1..=10 {
        commit(&store, vec![batches.batch(1, number, 60)]);
        seal_all(&store);
    }
    let before = store.stats();
    drop(store);
    let store = open(settings(Some(before.segment_bytes / 2)));
    maintain(&store, NOON_NS);
    let after = store.stats();
    assert!(after.segment_bytes <= before.segment_bytes / 2);
    assert!(
        after.segment_bytes > before.segment_bytes / 4,
        "and no more than has to"
    );
    assert_eq!(after.segment_events + after.retired_events, after.events);
    let kept: Vec<_> = store.view().events(TimeRange::ALL).collect();
    assert_eq!(kept.len() as u64, after.segment_events);
    let newest = batches_of(1, 10);
    let is_kept = |event: &TraceEvent| {
        kept.iter()
            .any(|kept| kept.as_ref().is_ok_and(|kept| kept == event))
    };
    assert!(newest.iter().all(is_kept), "the newest is there");
}

/// The events of the last of so many batches.
fn batches_of(seed: u64, count: u64) -> Vec<TraceEvent> {
    let mut batches = Batches::new(seed);
    let last = (1..=count)
        .map(|number| batches.batch(1, number, 60))
        .last();
    let batch = last.expect("there is one").batch;
    (0..batch.len())
        .filter_map(|index| batch.event(index))
        .collect()
}

#[test]
fn a_file_stays_as_long_as_a_view_holds_it() {
    let directory = directory();
    let store = open(Settings {
        retain_bytes: Some(0),
        ..small(directory.path())
    });
    let model = MemoryStore::new();
    commit_both(&store, &model, &mut Batches::new(1), 1..5);
    let view = store.view();
    seal_all(&store);
    let files = || {
        std::fs::read_dir(directory.path().join("segments"))
            .expect("it is there")
            .count()
    };
    assert_eq!(
        files(),
        0,
        "what the view holds is in the log, and the segment was held by nobody"
    );
    let due: Vec<_> = view.events(TimeRange::ALL).map(Result::ok).collect();
    assert_eq!(due.len() as u64, model.stats().events);
    drop(view);

    let store_at = super::directory();
    let store = open(small(store_at.path()));
    let model = MemoryStore::new();
    commit_both(&store, &model, &mut Batches::new(1), 1..5);
    seal_all(&store);
    let view = store.view();
    drop(store);
    // The directory is the view's until it goes.
    assert_eq!(view.len(), model.stats().events);
    drop(view);
    let store = open(Settings {
        retain_bytes: Some(0),
        ..small(store_at.path())
    });
    let view = store.view();
    let mut reading = view.events(TimeRange::ALL);
    assert!(reading.next().is_some_and(|event| event.is_ok()));
    maintain(&store, NOON_NS);
    assert_eq!(store.view().len(), 0);
    assert!(store.stats().held_bytes > 0);
    assert!(reading.all(|event| event.is_ok()));
    assert_eq!(
        view.rollup(TimeRange::ALL)
            .map(|sums| sums.events() > 0)
            .ok(),
        Some(true)
    );
    drop(reading);
    drop(view);
    maintain(&store, NOON_NS);
    assert_eq!(store.stats().held_bytes, 0);
    let files = std::fs::read_dir(store_at.path().join("segments")).expect("it is there");
    assert_eq!(files.count(), 0);
}

#[test]
fn a_store_that_is_dropped_gives_up_what_it_seals() {
    let directory = directory();
    let model = MemoryStore::new();
    let mut batches = Batches::new(1);
    let store = Arc::new(open(small(directory.path())));
    commit_both(&*store, &model, &mut batches, 1..30);
    let sealing = store.shared.clone();
    sealing.close();
    let error = block_on(store.seal_all(NOON_NS)).expect_err("it is closing");
    assert_eq!(error.kind(), "closing");
    assert_eq!(store.stats().sealed_segments, 0);
    drop((sealing, store));
    let store = open(small(directory.path()));
    assert_equal(&store, &model, "opened again");
    seal_all(&store);
    assert_equal(&store, &model, "sealed then");
}

#[test]
fn there_are_never_many_segments() {
    let directory = directory();
    let store = open(small(directory.path()));
    let model = MemoryStore::new();
    let mut batches = Batches::new(1);
    let mut most = 0;
    for number in 1..60 {
        commit_both(&store, &model, &mut batches, number..number + 1);
        seal_all(&store);
        most = most.max(store.stats().segments);
    }
    // Three of each power of three up to 500 events, and whole ones of 250 to 500.
    let whole = store.stats().events / 170;
    println!(
        "{most} segments at most for {} events",
        store.stats().events
    );
    assert!(most <= whole + 3 * 6, "{most} segments");
    assert_equal(&store, &model, "merged");
    assert!(store.stats().merged_segments > 15);
}

#[test]
fn heavy_events_are_written_and_read_a_few_at_a_time() {
    const EVENTS: u64 = 72;
    let heavy = |number: u64| {
        let mut event = TraceEvent::network_event("camera");
        event.timestamp = chrono::DateTime::from_timestamp_nanos(NOON_NS + number as i64);
        let picture = format!("{number:04}").repeat(1 << 18);
        let attributes = &mut event.data.custom_attributes;
        attributes.insert("picture".to_owned(), picture.into());
        event
    };
    let directory = directory();
    let store = open(small(directory.path()));
    let model = MemoryStore::new();
    for number in 0..EVENTS / 2 {
        let events = [heavy(2 * number), heavy(2 * number + 1)];
        let batch = batch_of(&events, ProducerId::from_bits(7), 1, number + 1);
        commit(&store, vec![batch.clone()]);
        commit(&model, vec![batch]);
        if number % 12 == 11 {
            seal_all(&store);
        }
    }
    assert!(store.stats().merged_segments > 0);
    assert_equal(&store, &model, "merged");
    let view = block_on(store.snapshot()).expect("a view");
    let wanted = Wanted {
        range: TimeRange::ALL,
        within: Vec::new(),
        places: Place::ALL.to_vec(),
    };
    for part in view.parts() {
        for piece in part.read(&wanted, Arc::new(Unwatched)).expect("it reads") {
            let rows = piece.expect("it is whole").num_rows();
            assert!(rows <= 16, "{rows} rows of 1 MiB at one time");
        }
    }
}

/// Counts what is decoded.
#[derive(Default)]
struct Counting(AtomicU64);

impl Watch for Counting {
    fn go_on(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn spend(&self, effort: Effort) {
        self.0.fetch_add(effort.events_decoded, Ordering::Relaxed);
    }
}

#[test]
fn what_is_dense_behind_what_is_empty_is_not_decoded_at_once() {
    let directory = directory();
    let store = open(small(directory.path()));
    let producer = ProducerId::from_bits(7);
    let empty = (1..=400).map(|number| batch_of(&[], producer, 1, number));
    commit(&store, empty.collect());
    for number in 401..=440 {
        let events: Vec<_> = (0..1_000)
            .map(|row| {
                let mut event = TraceEvent::network_event("a");
                event.timestamp = chrono::DateTime::from_timestamp_nanos(NOON_NS + row);
                event
            })
            .collect();
        commit(&store, vec![batch_of(&events, producer, 1, number)]);
        if number == 420 {
            seal_all(&store);
        }
    }
    let view = block_on(store.snapshot()).expect("a view");
    let counting = Counting::default();
    let mut batches = view.batches_from(1, &counting);
    let first = batches.next().expect("there is one").expect("it is whole");
    assert_eq!((first.offset, first.events.len()), (401, 1_000));
    let decoded = counting.0.load(Ordering::Relaxed);
    assert!(decoded <= 9_000, "{decoded} of 40 000 events");
    assert_eq!(batches.count(), 39);
}

#[test]
fn a_late_spool_makes_a_segment_of_its_own() {
    let directory = directory();
    let store = open(Settings {
        merge_fan: 0,
        ..small(directory.path())
    });
    let producer = ProducerId::from_bits(3);
    let at = |time_ns: i64| {
        let mut event = TraceEvent::message_sent("a", "out", "T", 1);
        event.timestamp = chrono::DateTime::from_timestamp_nanos(time_ns);
        event
    };
    let now: Vec<_> = (0..20).map(|second| at(NOON_NS + second)).collect();
    let late: Vec<_> = (0..20)
        .map(|second| at(NOON_NS - 30 * HOUR_NS + second))
        .collect();
    let wrong = vec![at(i64::MAX), at(0)];
    let parts = [now, late, wrong];
    let group = parts
        .iter()
        .zip(1..)
        .map(|(events, number)| batch_of(events, producer, 1, number));
    commit(&store, group.collect());
    seal_all(&store);
    assert_eq!(store.stats().segments, 4);
    let view = store.view();
    let opened = view.touched(TimeRange {
        start_ns: NOON_NS - HOUR_NS,
        end_ns: NOON_NS + HOUR_NS,
    });
    assert_eq!(opened, 1, "a question about now opens what is of now");
    assert_eq!(view.events(TimeRange::ALL).count(), 42);
}

#[test]
fn times_all_over_make_few_segments() {
    let directory = directory();
    let store = open(Settings {
        seal_events: 10_000,
        ..small(directory.path())
    });
    let mut random = fastrand::Rng::with_seed(1);
    let events: Vec<_> = (0..1_000)
        .map(|_| {
            let mut event = TraceEvent::message_sent("a", "out", "T", 1);
            event.timestamp = chrono::DateTime::from_timestamp_nanos(random.i64(..));
            event
        })
        .collect();
    commit(
        &store,
        vec![batch_of(&events, ProducerId::from_bits(3), 1, 1)],
    );
    seal_all(&store);
    assert!(
        store.stats().segments <= 8,
        "{} segments",
        store.stats().segments
    );
    assert_eq!(store.view().events(TimeRange::ALL).count(), 1_000);
}

#[test]
fn ledgers_and_streams_are_bounded_and_what_is_forgotten_is_counted() {
    let directory = directory();
    let store = open(Settings {
        ledger_bytes_max: 5_000,
        streams_max: 20,
        ..small(directory.path())
    });
    let mut batches = Batches::new(1);
    for stream in 1..=50 {
        commit(&store, vec![batches.batch(stream, 1, 5)]);
    }
    seal_all(&store);
    maintain(&store, NOON_NS);
    let stats = store.stats();
    assert!(stats.retired_producers > 10, "{stats:?}");
    assert_eq!(stats.retired_streams, 32);
    let producers = store.view().producers().len() as u64;
    assert_eq!(producers + stats.retired_producers, 50);
    drop(store);
    let store = open(small(directory.path()));
    assert_eq!(
        store.view().producers().len() as u64,
        producers,
        "also when it is opened again"
    );
    assert_eq!(
        block_on(store.last(50)).ok(),
        Some(1),
        "the newest is remembered"
    );
}

#[test]
fn a_producer_that_speaks_while_it_is_to_be_forgotten_is_remembered() {
    let directory = directory();
    let (clock, time) = clock();
    let speaks: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>> = Arc::default();
    let speaks_then = speaks.clone();
    let steps = Steps(Some(Arc::new(move |step| {
        if step == Step::Chosen
            && let Some(speak) = speaks_then.get()
        {
            speak();
        }
        false
    })));
    let settings = Settings {
        retain_for: Some(DAY),
        ..small(directory.path())
    };
    let seams = Seams {
        clock,
        steps,
        ..seams()
    };
    let store = Arc::new(open_with(settings, seams));
    let event = [TraceEvent::message_sent("a", "out", "T", 1)];
    let (old, silent) = (ProducerId::from_bits(3), ProducerId::from_bits(4));
    let first = batch_of(&event, old, 1, 1);
    commit(&*store, vec![first, batch_of(&event, silent, 2, 1)]);
    seal_all(&store);
    for hour in 1..=24 {
        maintain(&store, NOON_NS + hour * HOUR_NS);
    }
    time.store(NOON_NS + 25 * HOUR_NS, Ordering::Relaxed);
    let speaker = Arc::downgrade(&store);
    let once = AtomicBool::new(false);
    let speak = move || {
        if let Some(store) = speaker.upgrade()
            && !once.swap(true, Ordering::Relaxed)
        {
            commit(&*store, vec![batch_of(&event, old, 1, 2)]);
        }
    };
    assert!(speaks.set(Box::new(speak)).is_ok(), "nobody has set it");
    maintain(&store, NOON_NS + 25 * HOUR_NS);
    let view = store.view();
    let ledger = view.producers().get(old);
    assert_eq!(
        ledger.map(|ledger| (ledger.batches, ledger.events)),
        Some((2, 2)),
        "it is no longer silent"
    );
    assert!(view.producers().get(silent).is_none());
    assert_eq!(store.stats().retired_producers, 1);
}

#[test]
fn what_is_committed_while_the_store_is_maintained_is_not_sealed_before_it_is_due() {
    let directory = directory();
    let store = open_with(
        small(directory.path()),
        Seams {
            clock: Clock(Arc::new(|| NOON_NS + 1)),
            ..seams()
        },
    );
    let mut batches = Batches::new(1);
    commit(&store, vec![batches.batch(1, 1, 30)]);
    let events = store.stats().events;
    let report = block_on(store.maintain(NOON_NS)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.sealed_events, 0, "{events} of 60, and not old");
    let put_back_ns = NOON_NS - HOUR_NS;
    let report = block_on(store.maintain(put_back_ns)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        report.sealed_events, events,
        "nobody knows for how long it has waited"
    );
}
