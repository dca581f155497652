//! A hub with a committer and a store in memory: what subscribers see, and what they do not.

use std::collections::HashSet;
use std::sync::Arc;

use reflow_trace::event::ProducerId;
use reflow_trace::query::SubscriptionFilters;
use reflow_trace::wire::{BatchLimits, Frame, WireBatch, seal_events};
use reflow_trace::{TraceEvent, TraceEventType};
use tokio::sync::watch;

use super::choice::Choice;
use super::shown::SharedBatch;
use super::window::{At, Window};
use super::*;
use crate::answer::Rights;
use crate::commit::{Answers, Committer, Health, Lease, Submission};
use crate::config::{CommitLimits, LiveLimits};
use crate::http::Phase;
use crate::ingest::Budget;
use crate::observe::Metrics;
use crate::store::embedded::{EmbeddedStore, Settings};
use crate::store::memory::MemoryStore;
use crate::store::{Admitted, Committed, Store};

const ALL: Rights = Rights { content: true };

pub(super) struct World {
    committer: Committer,
    pub(super) hub: Hub,
    pub(super) metrics: Arc<Metrics>,
    phase: watch::Sender<Phase>,
    lease: Arc<Lease>,
    answers: Answers,
    number: u64,
}

pub(super) fn limits() -> LiveLimits {
    LiveLimits {
        subscriptions_max: 4,
        window_events_max: 10,
        ..LiveLimits::default()
    }
}

impl World {
    pub(super) async fn new(limits: LiveLimits) -> Self {
        Self::with(limits, Arc::new(MemoryStore::new())).await
    }

    pub(super) async fn with(limits: LiveLimits, store: Arc<dyn Store>) -> Self {
        let metrics = Arc::new(Metrics::default());
        let (committer, _ended) = Committer::start(
            Arc::clone(&store),
            &CommitLimits::default(),
            Arc::new(Health::default()),
            Arc::clone(&metrics),
        );
        let (phase, seen) = watch::channel(Phase::Serving);
        let hub = Hub::start(&committer, store, &limits, Arc::clone(&metrics), seen).await;
        let (lease, answers) = Lease::new();
        Self {
            committer,
            hub: hub.expect("a store in memory has an end"),
            metrics,
            phase,
            lease,
            answers,
            number: 0,
        }
    }

    /// Commits a batch and waits until it is; its offset.
    pub(super) async fn commit(&mut self, events: &[TraceEvent]) -> u64 {
        self.number += 1;
        let frame = frame(events, self.number);
        let batch = WireBatch::decode(&frame, &BatchLimits::default()).expect("sealed just now");
        self.committer.submit(Submission {
            admitted: Admitted {
                frame,
                batch: Arc::new(batch),
            },
            lease: Arc::clone(&self.lease),
            permit: Budget::new(1).take(1, &mut None).expect("free"),
        });
        let answer = self.answers.recv().await.expect("an answer").remove(0);
        match answer.result {
            Ok(Committed::Stored { offset }) => offset,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn commit_flows(&mut self, to: &str, count: usize) -> u64 {
        let events: Vec<_> = (0..count).map(|_| flow(to)).collect();
        self.commit(&events).await
    }

    pub(super) fn subscribe(&self, filters: &SubscriptionFilters, from: Option<u64>) -> Subscriber {
        let wanted = filters.compile().expect("right filters");
        self.hub.subscribe(wanted, from, ALL).expect("a place")
    }
}

fn frame(events: &[TraceEvent], number: u64) -> Frame {
    seal_events(events, ProducerId::random(), 7, number, None).expect("sealed")
}

pub(super) fn flow(to: &str) -> TraceEvent {
    TraceEvent::data_flow("a", "out", to, "in", "T", 8)
}

fn to(actor: &str) -> SubscriptionFilters {
    SubscriptionFilters {
        actor_ids: Some(vec![actor.to_owned()]),
        ..SubscriptionFilters::default()
    }
}

pub(super) fn everything() -> SubscriptionFilters {
    SubscriptionFilters::default()
}

/// In short: `live 3`, `2 of 4`, `gap 1..3`.
pub(super) async fn next(subscriber: &mut Subscriber) -> String {
    match subscriber.next().await {
        Some(Seen::Live { offset }) => format!("live {offset}"),
        Some(Seen::Events { offset, events }) => format!("{} of {offset}", events.len()),
        Some(Seen::Gap {
            from_offset,
            to_offset,
        }) => format!("gap {from_offset}..{to_offset}"),
        None => "stops".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_sees_what_fits_and_is_committed_after_it_came() {
    let mut world = World::new(limits()).await;
    world.commit_flows("b", 2).await;
    let mut b = world.subscribe(&to("b"), None);
    let mut c = world.subscribe(&to("c"), None);
    world.commit_flows("b", 3).await;
    world.commit(&[flow("c"), flow("b")]).await;
    assert_eq!(next(&mut b).await, "live 2");
    assert_eq!(next(&mut b).await, "3 of 2");
    assert_eq!(next(&mut b).await, "1 of 3");
    assert_eq!(next(&mut c).await, "live 2");
    assert_eq!(next(&mut c).await, "1 of 3");
    assert_eq!(world.metrics.live_events.get(), 5);
    assert_eq!(world.metrics.subscriptions.get(), 2);
    drop((b, c));
    assert_eq!(world.metrics.subscriptions.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_is_too_slow_is_told_once_what_it_missed_and_nobody_else_is() {
    let mut world = World::new(limits()).await;
    let mut slow = world.subscribe(&everything(), None);
    let mut fast = world.subscribe(&everything(), None);
    assert_eq!(next(&mut slow).await, "live 1");
    assert_eq!(next(&mut fast).await, "live 1");
    for offset in 1..=8 {
        world.commit_flows("b", 4).await;
        assert_eq!(next(&mut fast).await, format!("4 of {offset}"));
    }
    // The window has 10 events: two batches of 4.
    assert_eq!(next(&mut slow).await, "gap 1..7");
    assert_eq!(next(&mut slow).await, "4 of 7");
    assert_eq!(next(&mut slow).await, "4 of 8");
    assert_eq!(world.metrics.live_gaps.get(), 1);
    assert_eq!(world.metrics.live_missed_batches.get(), 6);
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_is_filled_up_and_at_the_seam_nothing_is_missing_or_twice() {
    let mut world = World::new(limits()).await;
    for _ in 1..=20 {
        world.commit_flows("b", 3).await;
    }
    let mut past = world.subscribe(&everything(), Some(4));
    for _ in 21..=40 {
        world.commit_flows("b", 3).await;
    }
    assert_eq!(next(&mut past).await, "live 21");
    for offset in 4..=40 {
        assert_eq!(next(&mut past).await, format!("3 of {offset}"));
    }
    world.commit_flows("b", 1).await;
    assert_eq!(next(&mut past).await, "1 of 41");
    assert_eq!(world.metrics.live_gaps.get(), 0);
}

#[tokio::test]
async fn what_is_damaged_is_said_to_be_missing_where_it_was() {
    let directory = tempfile::tempdir().expect("a directory");
    let settings = Settings {
        seal_after: std::time::Duration::ZERO,
        merge_fan: 0,
        ..Settings::new(directory.path())
    };
    let open = || EmbeddedStore::open(settings.clone());
    let store: Arc<dyn Store> = Arc::new(open().expect("it opens"));
    let mut world = World::with(limits(), Arc::clone(&store)).await;
    for offset in 1..=40 {
        world.commit_flows("b", 3).await;
        if offset % 10 == 0 && offset < 40 {
            store.maintain(i64::MAX / 2).await.expect("sealed");
        }
    }
    assert_eq!(store.stats().segments, 3);
    drop((world, store));
    let mut files: Vec<_> = std::fs::read_dir(directory.path().join("segments"))
        .expect("it is there")
        .map(|file| file.expect("it is there").path())
        .collect();
    files.sort();
    let file = std::fs::File::options().write(true).open(&files[1]);
    file.and_then(|file| file.set_len(100)).expect("it is cut");
    // The committer and its task let go of the directory before it can be opened again.
    let store = loop {
        match open() {
            Ok(store) => break Arc::new(store),
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let world = World::with(limits(), store).await;
    let mut past = world.subscribe(&everything(), Some(1));
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| last != "3 of 40") {
        seen.push(next(&mut past).await);
    }
    let flows = |offsets: std::ops::RangeInclusive<u64>| offsets.map(|at| format!("3 of {at}"));
    let due = ["live 41".to_owned()].into_iter().chain(flows(1..=10));
    let due = due.chain(["gap 11..21".to_owned()]).chain(flows(21..=40));
    assert_eq!(seen, due.collect::<Vec<_>>());
    assert_eq!(world.metrics.live_gaps.get(), 1);
    // Who begins inside of it is told of what is behind.
    let mut inside = world.subscribe(&everything(), Some(15));
    assert_eq!(next(&mut inside).await, "live 41");
    assert_eq!(next(&mut inside).await, "gap 15..21");
    assert_eq!(next(&mut inside).await, "3 of 21");
}

#[tokio::test(start_paused = true)]
async fn heavy_events_are_filled_up_a_few_at_a_time_and_each_once() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(limits()).await;
    let mut number = 0;
    for _ in 1..=30 {
        let events: Vec<_> = (0..random.usize(1..6))
            .map(|_| {
                number += 1;
                let mut event = flow("b");
                event.timestamp = chrono::DateTime::from_timestamp_nanos(number);
                let content = vec![7; random.usize(..300_000)];
                if let Some(message) = &mut event.data.message {
                    message.serialized_data = content;
                }
                event
            })
            .collect();
        world.commit(&events).await;
    }
    let mut past = world.subscribe(&everything(), Some(1));
    assert!(next(&mut past).await.starts_with("live"));
    let mut due = 1;
    while due <= number {
        let Some(Seen::Events { events, .. }) = past.next().await else {
            panic!("nothing is missing")
        };
        let bytes: usize = events.iter().map(|event| event.bytes()).sum();
        assert!(events.len() == 1 || bytes <= 2 << 20, "{bytes} at one time");
        for event in events {
            assert_eq!(event.timestamp.timestamp_nanos_opt(), Some(due));
            due += 1;
        }
    }
    assert_eq!(world.metrics.live_gaps.get(), 0);
}

/// What is there from the first offset on: the batches seen, after what was missing.
async fn seen_from_the_first(world: &World) -> (Option<String>, Vec<String>) {
    let mut past = world.subscribe(&everything(), Some(1));
    assert_eq!(next(&mut past).await, "live 41");
    let (mut gap, mut seen) = (None, Vec::new());
    while seen.last().is_none_or(|last| last != "3 of 40") {
        let one = next(&mut past).await;
        if one.starts_with("gap") {
            assert_eq!(gap.replace(one), None);
            assert!(seen.is_empty(), "what is missing is said first");
        } else {
            seen.push(one);
        }
    }
    (gap, seen)
}

#[tokio::test]
async fn what_is_sealed_is_filled_up_and_what_is_retired_is_said_to_be_missing() {
    let directory = tempfile::tempdir().expect("a directory");
    let settings = Settings {
        seal_after: std::time::Duration::ZERO,
        ..Settings::new(directory.path())
    };
    let open = |settings| EmbeddedStore::open(settings).expect("it opens");
    let store: Arc<dyn Store> = Arc::new(open(settings.clone()));
    let mut world = World::with(limits(), Arc::clone(&store)).await;
    for offset in 1..=40 {
        assert_eq!(world.commit_flows("b", 3).await, offset);
        if offset == 30 {
            store.maintain(i64::MAX / 2).await.expect("sealed");
            assert_eq!(store.stats().tail_events, 0);
        }
    }
    let all: Vec<_> = (1..=40).map(|offset| format!("3 of {offset}")).collect();
    assert_eq!(seen_from_the_first(&world).await, (None, all.clone()));
    drop((world, store));

    let settings = Settings {
        retain_bytes: Some(1),
        seal_after: std::time::Duration::MAX,
        ..settings
    };
    // The committer and its task let go of the directory before it can be opened again.
    let store = loop {
        match EmbeddedStore::open(settings.clone()) {
            Ok(store) => break Arc::new(store),
            Err(_) => tokio::task::yield_now().await,
        }
    };
    store.maintain(i64::MAX / 2).await.expect("retired");
    let world = World::with(limits(), store).await;
    let (gap, seen) = seen_from_the_first(&world).await;
    assert_eq!(gap.as_deref(), Some("gap 1..31"));
    assert_eq!(seen, all[30..]);
}

#[tokio::test(start_paused = true)]
async fn thousands_of_subscriptions_cost_little_and_each_sees_its_own() {
    let limits = LiveLimits {
        subscriptions_max: 5_000,
        ..LiveLimits::default()
    };
    let mut world = World::new(limits).await;
    let mut all: Vec<_> = (0..5_000)
        .map(|number| world.subscribe(&to(&format!("b{}", number % 10)), None))
        .collect();
    for number in 0..20 {
        world.commit_flows(&format!("b{}", number % 10), 2).await;
    }
    for (number, one) in all.iter_mut().enumerate() {
        assert_eq!(next(one).await, "live 1");
        let first = number % 10 + 1;
        assert_eq!(next(one).await, format!("2 of {first}"));
        assert_eq!(next(one).await, format!("2 of {}", first + 10));
    }
    assert_eq!(world.metrics.live_gaps.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_has_not_come_is_waited_for() {
    let mut world = World::new(limits()).await;
    let mut later = world.subscribe(&everything(), Some(3));
    assert_eq!(next(&mut later).await, "live 1");
    for _ in 0..3 {
        world.commit_flows("b", 1).await;
    }
    assert_eq!(next(&mut later).await, "1 of 3");
}

#[tokio::test(start_paused = true)]
async fn a_future_that_is_dropped_loses_nothing() {
    let mut world = World::new(limits()).await;
    for _ in 0..30 {
        world.commit_flows("b", 1).await;
    }
    let mut past = world.subscribe(&everything(), Some(1));
    let mut seen = Vec::new();
    while seen.len() < 31 {
        // Polled once and dropped, over and over; then something else has its turn.
        let polled = tokio::time::timeout(std::time::Duration::ZERO, next(&mut past)).await;
        seen.extend(polled.ok());
        tokio::task::yield_now().await;
    }
    let expected = (1..=30).map(|offset| format!("1 of {offset}"));
    assert_eq!(seen[1..], expected.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn as_many_as_may_be_and_not_one_more() {
    let world = World::new(limits()).await;
    let mut held: Vec<_> = (0..4)
        .map(|_| world.subscribe(&everything(), None))
        .collect();
    let refused = world
        .hub
        .subscribe(everything().compile().expect("right"), None, ALL);
    let error = refused.err().expect("one too many");
    assert_eq!(
        error.to_string(),
        "4 subscriptions are open, as many as `live.subscriptions_max` allows; try again later"
    );
    held.pop();
    assert!(
        world
            .hub
            .subscribe(everything().compile().expect("right"), None, ALL)
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_ends_subscriptions_and_begins_none() {
    let world = World::new(limits()).await;
    let mut one = world.subscribe(&everything(), None);
    assert_eq!(next(&mut one).await, "live 1");
    let waiting = tokio::spawn(async move { next(&mut one).await });
    tokio::task::yield_now().await;
    world.phase.send_replace(Phase::Stopping);
    assert_eq!(waiting.await.expect("ended"), "stops");
    let refused = world
        .hub
        .subscribe(everything().compile().expect("right"), None, ALL);
    assert!(refused.is_err());
}

#[tokio::test(start_paused = true)]
async fn content_is_for_those_who_may_see_it_and_an_event_is_made_once() {
    let mut world = World::new(limits()).await;
    let wanted = || everything().compile().expect("right");
    let bare = Rights { content: false };
    let mut may = world.hub.subscribe(wanted(), None, ALL).expect("a place");
    let mut also = world.hub.subscribe(wanted(), None, ALL).expect("a place");
    let mut may_not = world.hub.subscribe(wanted(), None, bare).expect("a place");
    let secret =
        TraceEvent::data_flow_with_content("a", "o", "b", "i", "T", 2, Some(b"{}".to_vec()));
    world.commit(&[secret]).await;
    let event = async |subscriber: &mut Subscriber| {
        assert_eq!(next(subscriber).await, "live 1");
        match subscriber.next().await {
            Some(Seen::Events { events, .. }) => Arc::clone(&events[0]),
            other => panic!("{other:?}"),
        }
    };
    let (whole, same, stripped) = (
        event(&mut may).await,
        event(&mut also).await,
        event(&mut may_not).await,
    );
    let content = |shown: &Shown| {
        let message = shown.data.message.as_ref();
        message.map(|message| message.serialized_data.clone())
    };
    assert_eq!(content(&whole), Some(b"{}".to_vec()));
    assert!(Arc::ptr_eq(&whole, &same));
    assert_eq!(content(&stripped), Some(Vec::new()));
    assert!(!stripped.json().contains("123,125"), "{}", stripped.json());
    assert!(whole.json().contains("123,125"), "{}", whole.json());
}

#[test]
fn the_window_is_bounded_by_events_and_by_bytes_whatever_is_made_of_them() {
    let batch = |offset: u64| {
        let frame = frame(&[flow("b"), flow("c")], offset);
        let batch = WireBatch::decode(&frame, &BatchLimits::default()).expect("sealed");
        SharedBatch::new(offset, Arc::new(batch))
    };
    let one = batch(1).bytes();
    let mut window = Window::new(
        LiveLimits {
            window_events_max: 100,
            window_bytes_max: one * 3,
            ..LiveLimits::default()
        },
        1,
    );
    for offset in 1..=5 {
        window.push(batch(offset), true);
    }
    assert!(matches!(window.at(2), At::Gone(3)));
    let At::Batch(three) = window.at(3) else {
        panic!("three fit")
    };
    let (_, grown) = three.event(0).expect("there");
    assert!(grown > 0);
    assert_eq!(three.event(0).expect("there").1, 0, "made once");
    window.grow(3, grown);
    assert!(matches!(window.at(3), At::Gone(_)), "the oldest went");
    assert!(matches!(window.at(5), At::Batch(_)), "the newest stays");
    assert!(matches!(window.at(6), At::Ahead));
    // What the feed itself missed is missing for everybody.
    window.push(batch(9), true);
    assert!(matches!(window.at(6), At::Gone(9)));
    window.push(batch(10), false);
    assert!(matches!(window.at(9), At::Gone(11)), "nobody subscribes");
    // Whoever is slow makes events of a batch that goes before it has told so.
    for offset in 11..=60 {
        let oldest = (offset - 3).max(11);
        let made = match window.at(oldest) {
            At::Batch(shared) => [0, 1].map(|row| shared.event(row).expect("there").1),
            _ => [0, 0],
        };
        window.push(batch(offset), true);
        if offset >= 14 {
            assert!(matches!(window.at(oldest), At::Gone(_)), "three fit");
            window.grow(oldest, made.iter().sum());
        }
    }
    assert!(matches!(window.at(58), At::Batch(_)));
}

#[test]
fn a_row_that_is_left_out_is_one_that_is_not_wanted() {
    let seed = std::env::var("REFLOW_TRACE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("REFLOW_TRACE_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let batches = recorded(&mut random);
    let mut left_out = HashSet::new();
    for _ in 0..100 {
        let filters = any_filters(&mut random);
        let choice = Choice::new(filters.compile().expect("right"));
        for batch in &batches {
            for (place, row) in batch.rows().enumerate() {
                let event = batch.event(place).expect("there");
                if !choice.may_want(&row) {
                    left_out.insert(place);
                    assert!(!choice.wants(&event), "{filters:?}\n{event:?}");
                }
            }
        }
    }
    assert!(!left_out.is_empty());
}

const ACTORS: [&str; 4] = ["a", "b", "c", "*"];

/// Batches of the recording itself, and one of events that were built by hand.
fn recorded(random: &mut fastrand::Rng) -> Vec<WireBatch> {
    let mut batches: Vec<_> = std::fs::read_dir(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../reflow-trace/tests/golden/wire"
    ))
    .expect("golden frames")
    .filter_map(|file| {
        let path = file.expect("a file").path();
        let is_batch = path.file_name()?.to_str()?.starts_with("batch-");
        let bytes = is_batch.then(|| std::fs::read(&path).expect("readable"))?;
        let limits = BatchLimits::default();
        let frame = Frame::parse(bytes.into(), &limits.frame).ok()?;
        WireBatch::decode(&frame, &limits).ok()
    })
    .collect();
    assert!(batches.iter().any(|batch| !batch.is_empty()));
    let events: Vec<_> = (0..200)
        .map(|_| {
            let (from, to) = (actor(random), actor(random));
            let mut event = match random.u8(..4) {
                0 => TraceEvent::message_sent(from, "out", "T", 3),
                1 => TraceEvent::actor_started(from),
                2 => TraceEvent::message_received(from, "in", "U", 5),
                _ => TraceEvent::data_flow(from, "out", to, "in", "T", random.usize(..20)),
            };
            if random.bool() {
                event.data.performance_metrics.execution_time_ns = Some(random.u64(..20));
            }
            event
        })
        .collect();
    let frame = frame(&events, 1);
    batches.push(WireBatch::decode(&frame, &BatchLimits::default()).expect("sealed"));
    batches
}

fn actor(random: &mut fastrand::Rng) -> &'static str {
    ACTORS[random.usize(..3)]
}

fn any_filters(random: &mut fastrand::Rng) -> SubscriptionFilters {
    let any = |random: &mut fastrand::Rng| ACTORS[random.usize(..4)].to_owned();
    let conditions = [
        "execution_time_ns > 9",
        "NOT execution_time_ns > 9",
        "size_bytes BETWEEN 3 AND 8",
        "message_type IN ('T', 'SensorReading')",
        "message_type IS NULL OR queue_depth > 2",
        "waiting_time_ns IS NULL",
        "parent_event_id IS NOT NULL",
        "memory_usage_bytes < 600",
        "message_type LIKE 'S%' AND source_actor != 'a'",
    ];
    SubscriptionFilters {
        actor_ids: random.bool().then(|| vec![any(random), any(random)]),
        event_types: random.bool().then(|| {
            vec![
                TraceEventType::DataFlow {
                    to_actor: any(random),
                    to_port: if random.bool() { "*" } else { "in" }.to_owned(),
                },
                if random.bool() {
                    TraceEventType::MessageSent
                } else {
                    TraceEventType::ActorStarted
                },
            ]
        }),
        custom_filter: random
            .bool()
            .then(|| conditions[random.usize(..conditions.len())].to_owned()),
        performance_filter: None,
    }
}
