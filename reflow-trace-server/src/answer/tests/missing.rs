//! What is missing over a store is what is missing over all of its events.

use std::collections::BTreeMap;

use chrono::DateTime;
use fastrand::Rng;
use reflow_trace::api::{ErrorCode, EventsQuestion, MissingAnswer};
use reflow_trace::event::ProducerId;
use reflow_trace::ledger::{Loss, LossReason};
use reflow_trace::lineage::{FlowIndex, MissingReason};
use reflow_trace::protocol::QueryRequest;
use reflow_trace::{EventId, Outcome, TraceEvent};
use serde_json::json;

use super::network::BEGIN_NS;
use super::*;
use crate::answer::missing::missing;
use crate::store::conformance::batch_of;
use crate::store::memory::MemoryStore;

fn ask(view: &dyn Snapshot, question: &EventsQuestion) -> MissingAnswer {
    missing(view, question, &asking()).expect("there is an answer")
}

/// Page by page, so many at a time.
fn pages(view: &dyn Snapshot, limit: usize, newest_first: bool) -> Vec<(EventId, MissingReason)> {
    let mut question = EventsQuestion {
        query: QueryRequest {
            limit: Some(limit),
            ..QueryRequest::default()
        },
        newest_first,
        ..EventsQuestion::default()
    };
    let mut found = Vec::new();
    for _ in 0..1_000 {
        let page = ask(view, &question);
        assert!(page.missing.len() <= limit);
        found.extend(page.missing.iter().map(|it| (it.sent.event_id, it.reason)));
        question.after = page.next;
        if page.next.is_none() {
            return found;
        }
    }
    panic!("the pages have no end");
}

/// Some of everything: linked by cause, by id, by order, failed, retried, lost, put in.
fn events(random: &mut Rng) -> Vec<TraceEvent> {
    let mut events = Vec::new();
    let mut now_ns = BEGIN_NS;
    for number in 0..random.u64(30..90) {
        now_ns += random.i64(0..3) * 1_000;
        let from = ["a", "b", "c"][random.usize(0..3)];
        let size = random.usize(1..3);
        let at = |mut event: TraceEvent, random: &mut Rng, after: i64| {
            event.timestamp = DateTime::from_timestamp_nanos(now_ns + after);
            event.event_id = EventId::from_uuid(uuid::Uuid::from_u128(random.u128(..)));
            event.causality.root_cause_event_id = None;
            event
        };
        let mut sent = at(TraceEvent::message_sent(from, "out", "T", size), random, 0);
        let mut flow = at(
            TraceEvent::data_flow(from, "out", "z", "in", "T", size),
            random,
            1_500,
        );
        let id = json!(number / 2);
        match random.u8(0..6) {
            0 => flow.causality.parent_event_id = Some(sent.event_id),
            1 => {
                for event in [&mut sent, &mut flow] {
                    let attributes = &mut event.data.custom_attributes;
                    attributes.insert("message_id".into(), id.clone());
                }
            }
            2 => {
                sent.outcome = Some(Outcome::Failed);
                let attributes = &mut sent.data.custom_attributes;
                attributes.insert("message_id".into(), id.clone());
            }
            3 => sent.actor_id = "put-in".to_owned(),
            _ => {}
        }
        let (has_sent, has_flow) = (random.u8(..) > 20, random.u8(..) > 40);
        events.extend(has_sent.then_some(sent));
        events.extend(has_flow.then_some(flow));
    }
    events
}

#[test]
fn what_is_missing_over_a_store_is_missing_over_all_of_its_events() {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..24 {
        let mut random = Rng::with_seed(seed);
        let directory = directory();
        let store = small(directory.path(), 0);
        let mut events = events(&mut random);
        if seed % 3 == 0 {
            events.push(TraceEvent::loss(Loss {
                reason: LossReason::RingFull,
                count: 1,
            }));
        }
        let producer = ProducerId::from_bits(9);
        let half = events.len() / 2;
        for (number, part) in (1..).zip(events.chunks(half.max(1))) {
            block_on(store.commit(vec![batch_of(part, producer, 1, number)]))
                .expect("there is room");
            if number == 1 {
                block_on(store.seal_all(0)).expect("there is room");
            }
        }
        let view = view(&store);
        let index = FlowIndex::new(&events);
        let due = index.missing_flows(|_| true);
        let mut due: Vec<_> = due.iter().map(|it| (it.sent.event_id, it.reason)).collect();
        due.sort_by_key(|it| it.0);
        for (limit, newest_first) in [(usize::MAX, false), (3, false), (4, true)] {
            let mut found = pages(&*view, limit, newest_first);
            found.sort_by_key(|it| it.0);
            assert_eq!(
                found, due,
                "seed {seed}, {limit} at a time, newest first: {newest_first}"
            );
        }
        for (_, reason) in due {
            *reasons.entry(format!("{reason:?}")).or_default() += 1;
        }
    }
    println!("{reasons:?}");
    for reason in [
        "NotDelivered(Failed)",
        "NotFound",
        "NotFoundMayBeLost",
        "NotKnown",
    ] {
        assert!(reasons.contains_key(reason), "{reason} is never met");
    }
}

#[test]
fn the_question_chooses_among_the_messages_and_not_among_the_flows() {
    let store = MemoryStore::new();
    let mut events = Vec::new();
    for (number, actor) in (0..).zip(["a", "b", "a", "a"]) {
        let mut sent = TraceEvent::message_sent(actor, "out", "T", 4);
        sent.timestamp = DateTime::from_timestamp_nanos(BEGIN_NS + number * 10);
        let mut flow = TraceEvent::data_flow(actor, "out", "z", "in", "T", 4);
        flow.timestamp = DateTime::from_timestamp_nanos(BEGIN_NS + number * 10 + 5);
        events.push(sent);
        if number != 2 {
            events.push(flow);
        }
    }
    let producer = ProducerId::from_bits(9);
    block_on(store.commit(vec![batch_of(&events, producer, 1, 1)])).expect("there is room");
    let view = view(&store);
    let question = |query: QueryRequest| EventsQuestion {
        query,
        ..EventsQuestion::default()
    };
    let of_actor = question(QueryRequest {
        actor_filter: Some("a".into()),
        ..QueryRequest::default()
    });
    let answer = ask(&*view, &of_actor);
    assert_eq!(
        (answer.looked_at, answer.missing.len(), answer.next),
        (3, 1, None)
    );
    assert_eq!(answer.missing[0].reason, MissingReason::NotFound);
    // The flow of the first one comes after the stretch of time.
    let time = |ns| DateTime::from_timestamp_nanos(BEGIN_NS + ns);
    let of_time = question(QueryRequest {
        time_range: Some((time(0), time(1))),
        ..QueryRequest::default()
    });
    let answer = ask(&*view, &of_time);
    assert_eq!((answer.looked_at, answer.missing.len()), (1, 0));
    let left_out = question(QueryRequest {
        offset: Some(1),
        ..QueryRequest::default()
    });
    assert_eq!(ask(&*view, &left_out).missing.len(), 0);

    let of_traces = question(QueryRequest {
        flow_id: Some(reflow_trace::protocol::FlowId("f".into())),
        ..QueryRequest::default()
    });
    let error = missing(&*view, &of_traces, &asking()).expect_err("events have no such thing");
    assert_eq!(error.code, ErrorCode::InvalidQuestion);
    let wrong = question(QueryRequest {
        custom_filter: Some("size_byte > 4".into()),
        ..QueryRequest::default()
    });
    let error = missing(&*view, &wrong, &asking()).expect_err("there is no such field");
    assert_eq!(error.code, ErrorCode::InvalidFilter);
    assert_eq!(
        error.place.map(|place| (place.start, place.end)),
        Some((0, 9))
    );
}
