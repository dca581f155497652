//! What questions leave unread, by the counters that every answer carries.

use reflow_trace::api::{EventsPage, EventsQuestion};
use reflow_trace::event::ProducerId;
use reflow_trace::protocol::QueryRequest;
use reflow_trace::{EventId, Outcome, TraceEvent};
use serde_json::json;
use tempfile::TempDir;

use super::{asking, directory, small};
use crate::answer::events;
use crate::store::conformance::{batch_of, block_on};
use crate::store::embedded::EmbeddedStore;
use crate::store::memory::MemoryStore;
use crate::store::{Key, Scan, Snapshot, Store, TimeRange, Unwatched};

/// 2025, a second for each segment.
const BEGIN_NS: i64 = 1_750_000_000_000_000_000;
const SEGMENTS: i64 = 6;
const EVENTS: i64 = 140;
const SECOND_NS: i64 = 1_000_000_000;

/// Segments of a second each, and a second in the tail.
fn filled() -> (TempDir, EmbeddedStore) {
    let directory = directory();
    let store = small(directory.path(), 0);
    for second in 0..=SEGMENTS {
        let events: Vec<_> = (0..EVENTS).map(|number| event(second, number)).collect();
        let number = second as u64 + 1;
        let batch = batch_of(&events, ProducerId::from_bits(7), 1, number);
        block_on(store.commit(vec![batch])).expect("there is room");
        if second < SEGMENTS {
            block_on(store.seal_all(0)).expect("there is room");
        }
    }
    assert_eq!(store.stats().segments, SEGMENTS as u64);
    (directory, store)
}

fn event(second: i64, number: i64) -> TraceEvent {
    let actor = if number % 2 == 0 { "reader" } else { "parser" };
    let mut event = TraceEvent::data_flow(actor, "out", "store", "in", "Reading", 8);
    let time_ns = BEGIN_NS + second * SECOND_NS + number * 1_000;
    event.timestamp = chrono::DateTime::from_timestamp_nanos(time_ns);
    event.outcome = Some(if second == 3 && number == 9 {
        Outcome::Failed
    } else {
        Outcome::Delivered
    });
    event.data.performance_metrics.execution_time_ns = Some((second * 1_000 + number) as u64);
    let id = json!(format!("order-{:06}", second * EVENTS + number));
    event.data.custom_attributes.insert("message_id".into(), id);
    event
}

fn ask(view: &dyn Snapshot, query: QueryRequest) -> EventsPage {
    let asked = EventsQuestion {
        query,
        ..EventsQuestion::default()
    };
    events::query(view, &asked, &asking()).expect("it is answered")
}

fn filtered(filter: &str) -> QueryRequest {
    QueryRequest {
        custom_filter: Some(filter.to_owned()),
        ..QueryRequest::default()
    }
}

#[test]
fn a_stretch_of_time_opens_the_segments_that_it_touches() {
    let (_directory, store) = filled();
    let view = store.view();
    let at = |second: i64, us: i64| {
        chrono::DateTime::from_timestamp_nanos(BEGIN_NS + second * SECOND_NS + us * 1_000)
    };
    let page = ask(
        &*view,
        QueryRequest {
            time_range: Some((at(2, 10), at(3, 19))),
            ..QueryRequest::default()
        },
    );
    // Both ends belong to it.
    assert_eq!(page.events.len(), 130 + 20);
    assert_eq!(page.work.segments, SEGMENTS as u64);
    assert_eq!(page.work.segments_opened, 2);
    assert_eq!(page.work.events_decoded, page.events.len() as u64);
    // What is in the tail alone opens none.
    let page = ask(
        &*view,
        QueryRequest {
            time_range: Some((at(6, 0), at(60, 0))),
            ..QueryRequest::default()
        },
    );
    assert_eq!(page.events.len(), 140);
    assert_eq!(page.work.segments_opened, 0);
}

#[test]
fn a_message_id_opens_the_segments_whose_filter_says_maybe() {
    let (_directory, store) = filled();
    let view = store.view();
    let mut opened = 0;
    for number in 0..SEGMENTS * EVENTS {
        let id = json!(format!("order-{number:06}"));
        let asking = asking();
        let found = view.find(&[Key::Message(&id)], TimeRange::ALL, usize::MAX, &asking);
        assert_eq!(found.expect("it can be read").len(), 1, "{id}");
        let work = asking.work();
        assert!(work.segments_opened >= 1, "{id}");
        assert_eq!(work.events_decoded, 1, "{id}");
        opened += work.segments_opened;
    }
    // One in a hundred is opened for nothing.
    assert!(opened < (SEGMENTS * EVENTS * 11 / 10) as u64, "{opened}");
    let asking = asking();
    let nobody = json!("nobody");
    let found = view.find(&[Key::Message(&nobody)], TimeRange::ALL, 9, &asking);
    assert_eq!(found.expect("it can be read"), []);
    assert!(asking.work().segments_opened <= 1);
    assert_eq!(asking.work().events_decoded, 0);
}

#[test]
fn ids_that_are_looked_for_together_cost_a_page_once() {
    let (_directory, store) = filled();
    let view = store.view();
    let ids: Vec<_> = (0..EVENTS)
        .map(|number| json!(format!("order-{number:06}")))
        .collect();
    let keys: Vec<_> = ids.iter().map(Key::Message).collect();
    let asking = asking();
    let found = view.find(&keys, TimeRange::ALL, usize::MAX, &asking);
    assert_eq!(found.expect("it can be read").len(), EVENTS as usize);
    // All are in one page of one segment; a filter says maybe once in a hundred times, and each id has two forms.
    let work = asking.work();
    assert!(work.pages_read <= 2 + 2 * SEGMENTS as u64, "{work:?}");
}

#[test]
fn answers_with_others_between_them_have_the_places_that_they_have_in_their_batch() {
    let events: Vec<_> = (0..EVENTS)
        .map(|number| TraceEvent {
            timestamp: chrono::DateTime::from_timestamp_nanos(BEGIN_NS),
            ..event(0, number)
        })
        .collect();
    let directory = directory();
    let store = small(directory.path(), 0);
    let memory = MemoryStore::new();
    let batch = batch_of(&events, ProducerId::from_bits(7), 1, 1);
    block_on(store.commit(vec![batch.clone()])).expect("there is room");
    block_on(store.seal_all(0)).expect("there is room");
    block_on(memory.commit(vec![batch])).expect("there is room");
    for filter in ["actor_id = 'reader'", "message_id LIKE '%7'"] {
        let query = filtered(filter).question().compile().expect("it is right");
        let scan = Scan::new(query);
        let places = |view: &dyn Snapshot| -> Vec<_> {
            let found = view.scan(&scan, &Unwatched);
            found
                .map(|found| found.expect("it is whole").place)
                .collect()
        };
        let found = places(&*store.view());
        assert!(found.len() > 10, "{filter}");
        assert_eq!(found, places(&*super::view(&memory)), "{filter}");
    }
}

#[test]
fn what_an_offset_passes_over_is_made_into_no_event() {
    let (_directory, store) = filled();
    let query = QueryRequest {
        offset: Some(50),
        limit: Some(10),
        ..QueryRequest::default()
    };
    let page = ask(&*store.view(), query);
    assert_eq!(page.events.len(), 10);
    assert_eq!(page.events[0].message_id(), Some(&json!("order-000050")));
    assert!(page.work.events_decoded <= 11, "{:?}", page.work);
}

#[test]
fn an_event_id_opens_one_segment() {
    let (_directory, store) = filled();
    let view = store.view();
    let all: Vec<EventId> = view
        .events(TimeRange::ALL)
        .map(|event| event.expect("it can be read").event_id)
        .collect();
    for &id in all.iter().step_by(50) {
        let page = ask(&*view, filtered(&format!("event_id = '{id}'")));
        let ids: Vec<_> = page.events.iter().map(|event| event.event_id).collect();
        assert_eq!(ids, [id]);
        assert!(page.work.segments_opened <= 2, "{:?}", page.work);
        assert_eq!(page.work.events_decoded, 1);
    }
}

/// Whatever is asked, only answers become events.
#[test]
fn no_more_events_are_decoded_than_are_answered() {
    let (_directory, store) = filled();
    let view = store.view();
    let opened = |filter: &str, segments: u64, events: usize| {
        let page = ask(&*view, filtered(filter));
        assert_eq!(page.events.len(), events, "{filter}");
        assert_eq!(page.work.events_decoded, events as u64, "{filter}");
        assert_eq!(page.work.segments_opened, segments, "{filter}");
    };
    // By the greatest value of each page.
    opened("execution_time_ns >= 5us", 1, 140 + 140);
    opened("execution_time_ns BETWEEN 2010 AND 2019", 1, 10);
    opened("outcome = 'failed'", 1, 1);
    opened("source_actor = 'writer'", 0, 0);
    opened("execution_time_ns > 99us", 0, 0);
    opened(
        "message_type = 'Alarm' OR queue_depth > 3",
        SEGMENTS as u64,
        0,
    );
    opened("source_actor = 'reader' AND execution_time_ns < 10", 1, 5);
    opened("attr.no_such = 1", SEGMENTS as u64, 0);
    // And of them no more than fit a page, but for one that tells that there is more.
    let page = ask(
        &*view,
        QueryRequest {
            limit: Some(5),
            ..QueryRequest::default()
        },
    );
    assert_eq!(page.events.len(), 5);
    assert!(page.next.is_some());
    assert_eq!(
        (page.work.events_decoded, page.work.segments_opened),
        (6, 1)
    );
}
