//! Pages of events: limits, wrong questions, and what happens to the store in between.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use reflow_trace::api::{ApiError, ErrorCode, EventsPage, EventsQuestion};
use reflow_trace::protocol::QueryRequest;
use reflow_trace::{TraceEvent, TraceEventType};

use super::{all, asking, asking_within, directory, small, view};
use crate::answer::{Asking, Rights, events};
use crate::config::QueryLimits;
use crate::store::conformance::{Batches, block_on};
use crate::store::embedded::{EmbeddedStore, Settings};
use crate::store::memory::MemoryStore;
use crate::store::{Snapshot, Store};

fn asked(query: QueryRequest) -> EventsQuestion {
    EventsQuestion {
        query,
        ..EventsQuestion::default()
    }
}

fn fill(store: &dyn Store, batches: &mut Batches, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let batch = batches.batch(1, number, 30);
        block_on(store.commit(vec![batch])).expect("there is room");
    }
}

/// All pages, with whatever `between` does between two of them.
fn pages(store: &dyn Store, newest_first: bool, mut between: impl FnMut(usize)) -> Vec<TraceEvent> {
    let mut question = asked(QueryRequest {
        limit: Some(37),
        ..QueryRequest::default()
    });
    question.newest_first = newest_first;
    let mut seen = Vec::new();
    for page in 0.. {
        let snapshot = view(store);
        let answer = events::query(&*snapshot, &question, &asking()).expect("it is answered");
        seen.extend(answer.events);
        let Some(next) = answer.next else {
            return seen;
        };
        question.after = Some(next);
        between(page);
    }
    seen
}

#[test]
fn pages_together_are_everything_once_in_both_directions() {
    let directory = directory();
    let store = small(directory.path(), 4);
    fill(&store, &mut Batches::new(41), 1..40);
    block_on(store.maintain(0)).expect("there is room");
    let mut due = all(&*view(&store));
    assert_eq!(pages(&store, false, |_| {}), due);
    due.reverse();
    assert_eq!(pages(&store, true, |_| {}), due);
}

/// Sealing and merging move every event, and nobody who reads page by page sees it.
#[test]
fn what_is_sealed_and_merged_between_two_pages_is_neither_repeated_nor_left_out() {
    for newest_first in [false, true] {
        let directory = directory();
        let store = small(directory.path(), 3);
        fill(&store, &mut Batches::new(42), 1..40);
        let mut due = all(&*view(&store));
        if newest_first {
            due.reverse();
        }
        let seen = pages(&store, newest_first, |page| {
            let now_ns = page as i64 * 3_600_000_000_000;
            block_on(store.maintain(now_ns)).expect("there is room");
        });
        assert_eq!(seen, due);
        assert!(store.stats().merged_segments > 0, "it was merged");
    }
}

/// A page never repeats or invents; what was retired in the meantime is gone.
#[test]
fn what_is_retired_between_two_pages_is_gone_and_nothing_else_is() {
    let directory = directory();
    let store = EmbeddedStore::open(Settings {
        seal_events: 100,
        merge_fan: 0,
        retain_bytes: Some(60_000),
        ..Settings::new(directory.path())
    });
    let store = store.expect("the directory can be used");
    fill(&store, &mut Batches::new(43), 1..60);
    let before = all(&*view(&store));
    let seen = pages(&store, false, |page| {
        if page % 3 == 0 {
            block_on(store.seal_all(0)).expect("there is room");
        }
    });
    assert!(store.stats().retired_events > 0, "some were retired");
    // In the order of before, so that nothing comes twice and nothing is made up.
    let mut rest = before.iter();
    assert!(
        seen.iter()
            .all(|event| rest.by_ref().any(|known| known == event))
    );
    let kept = all(&*view(&store));
    let mut rest = seen.iter();
    let was_seen = |event: &TraceEvent| rest.by_ref().any(|known| known == event);
    assert!(kept.iter().all(was_seen), "what is still there was seen");
}

/// A snapshot that is held reads on while everything below it is replaced.
#[test]
fn a_scan_under_way_reads_on_while_segments_are_replaced_and_retired() {
    let directory = directory();
    let store = EmbeddedStore::open(Settings {
        seal_events: 100,
        merge_fan: 2,
        retain_bytes: Some(1),
        ..Settings::new(directory.path())
    });
    let store = store.expect("the directory can be used");
    fill(&store, &mut Batches::new(44), 1..30);
    let snapshot = view(&store);
    let due = all(&*snapshot);
    let compiled = QueryRequest::default().question().compile();
    let mut scan = crate::store::Scan::new(compiled.expect("it is a query"));
    scan.most = 1;
    let asking = asking();
    let mut found = snapshot.scan(&scan, &asking);
    let mut seen: Vec<_> = found
        .by_ref()
        .take(5)
        .collect::<Result<_, _>>()
        .expect("read");
    for _ in 0..3 {
        block_on(store.seal_all(0)).expect("there is room");
    }
    assert!(store.stats().retired_events > 0, "they were retired");
    seen.extend(found.collect::<Result<Vec<_>, _>>().expect("read"));
    assert!(seen.iter().map(|found| &found.event).eq(&due));
}

fn model() -> Arc<dyn Snapshot> {
    let store = MemoryStore::new();
    fill(&store, &mut Batches::new(45), 1..20);
    view(&store)
}

fn refused(query: QueryRequest) -> ApiError {
    events::query(&*model(), &asked(query), &asking()).expect_err("it is refused")
}

#[test]
fn what_is_about_traces_of_reflow_is_refused_by_name() {
    let error = refused(QueryRequest {
        execution_id: Some(
            serde_json::from_value(serde_json::json!(uuid::Uuid::nil())).expect("an id"),
        ),
        ..QueryRequest::default()
    });
    assert_eq!(error.code, ErrorCode::InvalidQuestion);
    assert!(
        error.message.starts_with("`execution_id` chooses traces"),
        "{error}"
    );
}

#[test]
fn a_wrong_filter_is_refused_with_its_place() {
    let error = refused(QueryRequest {
        performance_filter: Some("queue_depth > 1 AND exection_time_ns > 1ms".to_owned()),
        ..QueryRequest::default()
    });
    assert_eq!(error.code, ErrorCode::InvalidFilter);
    let place = error.place.expect("it has a place");
    assert_eq!(
        (&*place.field, place.start, place.end),
        ("performance_filter", 20, 36)
    );
    // Too large in every way: refused, and at once.
    for filter in [
        "(".repeat(4_000),
        format!("a{}", " ".repeat(4_096)),
        "x' OR '1'='1".to_owned(),
    ] {
        let error = refused(QueryRequest {
            custom_filter: Some(filter),
            ..QueryRequest::default()
        });
        assert_eq!(error.code, ErrorCode::InvalidFilter);
    }
}

#[test]
fn data_flows_are_those_among_the_kinds_that_are_asked_for() {
    let snapshot = model();
    let everything = all(&*snapshot);
    let flows = |types: Option<Vec<TraceEventType>>| -> EventsPage {
        let query = QueryRequest {
            event_types: types,
            ..QueryRequest::default()
        };
        events::query_data_flows(&*snapshot, &asked(query), &asking()).expect("it is answered")
    };
    let due = everything.iter().filter(|event| event.is_data_flow());
    assert!(flows(None).events.iter().eq(due.clone()));
    let to_store = TraceEventType::DataFlow {
        to_actor: "store".into(),
        to_port: "*".into(),
    };
    let due = due.filter(|event| {
        event
            .destination()
            .is_some_and(|(actor, _)| actor == "store")
    });
    assert!(
        flows(Some(vec![to_store, TraceEventType::MessageSent]))
            .events
            .iter()
            .eq(due)
    );
    assert!(
        flows(Some(vec![TraceEventType::MessageSent]))
            .events
            .is_empty()
    );
}

#[test]
fn a_page_has_no_more_events_and_bytes_than_are_allowed() {
    let snapshot = model();
    let everything = all(&*snapshot);
    let ask = |limits: &QueryLimits, question: &EventsQuestion| {
        events::query(&*snapshot, question, &asking_within(limits.clone()))
    };
    let mut question = asked(QueryRequest {
        offset: Some(7),
        ..QueryRequest::default()
    });
    let limits = QueryLimits {
        events_max: 10,
        ..QueryLimits::default()
    };
    let page = ask(&limits, &question).expect("it is answered");
    assert_eq!(page.events, everything[7..17]);
    // The offset counts once.
    question.after = page.next;
    assert_eq!(
        ask(&limits, &question).expect("answered").events,
        everything[17..27]
    );
    question.after = None;
    question.query.limit = Some(0);
    let none = ask(&limits, &question).expect("it is answered");
    assert!(none.events.is_empty() && none.next.is_none());
    let small = QueryLimits {
        answer_bytes_max: 3_000,
        ..QueryLimits::default()
    };
    let page = ask(&small, &asked(QueryRequest::default())).expect("it is answered");
    let bytes = serde_json::to_string(&page.events).expect("JSON").len();
    assert!(
        (500..3_200).contains(&bytes) && page.next.is_some(),
        "{bytes}"
    );
    let tiny = QueryLimits {
        answer_bytes_max: 10,
        ..QueryLimits::default()
    };
    let error = ask(&tiny, &asked(QueryRequest::default())).expect_err("it is too large");
    assert_eq!(error.code, ErrorCode::TooLarge);
}

#[test]
fn who_may_not_see_content_gets_none_and_who_waits_no_longer_no_answer() {
    let snapshot = model();
    let asking = |content, cancelled| {
        let cancelled = Arc::new(AtomicBool::new(cancelled));
        Asking::new(QueryLimits::default(), Rights { content }, cancelled)
    };
    let question = asked(QueryRequest::default());
    let contents = |page: EventsPage| {
        let messages = page
            .events
            .into_iter()
            .filter_map(|event| event.data.message);
        messages
            .filter(|message| !message.serialized_data.is_empty())
            .count()
    };
    let shown = events::query(&*snapshot, &question, &asking(true, false)).expect("answered");
    assert!(contents(shown) > 0);
    let hidden = events::query(&*snapshot, &question, &asking(false, false)).expect("answered");
    assert_eq!(contents(hidden), 0);
    let error = events::query(&*snapshot, &question, &asking(true, true)).expect_err("cancelled");
    assert_eq!(error.code, ErrorCode::TimedOut);
}
