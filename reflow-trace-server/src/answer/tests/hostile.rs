//! Wrong questions, hostile names and made-up causes: each has an answer or an error that says what to do.

use chrono::DateTime;
use reflow_trace::api::{
    ErrorCode, GraphFormat, GraphQuestion, LineageQuestion, LineageSubject, SpanQuestion,
};
use reflow_trace::event::ProducerId;
use reflow_trace::lineage::Role;
use reflow_trace::{EventId, TraceEvent, TraceId};
use serde_json::{Value, json};

use super::network::BEGIN_NS;
use super::*;
use crate::answer::dependencies::dependencies;
use crate::answer::edges::edges;
use crate::answer::graph::graph;
use crate::answer::lineage::lineage;
use crate::store::conformance::batch_of;
use crate::store::memory::MemoryStore;

/// Names that want to be something else.
const NAMES: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"];\nclick n0 \"javascript:alert(1)\"",
    "' OR 1=1; DROP TABLE log; --",
    "\u{1b}[31m\u{202e}evil\0",
    "",
    "größe\u{10ffff}",
];

fn holding(events: &[TraceEvent]) -> Arc<dyn Snapshot> {
    let store = MemoryStore::new();
    let batch = batch_of(events, ProducerId::from_bits(7), 7, 1);
    block_on(store.commit(vec![batch])).expect("there is room");
    view(&store)
}

fn hostile_flows() -> Vec<TraceEvent> {
    let mut events = Vec::new();
    for from in NAMES {
        for to in NAMES {
            events.push(TraceEvent::data_flow(from, from, to, to, from, 1));
        }
    }
    events
}

#[test]
fn hostile_names_stay_names_in_every_form_of_the_graph() {
    let view = holding(&hostile_flows());
    let of = |format| {
        let question = GraphQuestion {
            format,
            ..GraphQuestion::default()
        };
        graph(&*view, &question, &asking())
            .expect("there is a graph")
            .text
    };
    for format in [GraphFormat::Svg, GraphFormat::Dot, GraphFormat::Mermaid] {
        let text = of(format);
        // In DOT a text is whatever stands between quotes.
        let markup = if format == GraphFormat::Dot {
            "\"];\n"
        } else {
            "<script>alert"
        };
        let inside = text.replace("\"];\n  ", "").replace("\"];\n}", "");
        for forbidden in [markup, "\u{1b}", "\u{202e}", "\0", "\nclick"] {
            let text = if forbidden == markup { &inside } else { &text };
            assert!(
                !text.contains(forbidden),
                "{format:?}: {forbidden:?}\n{text}"
            );
        }
    }
    let json: Value = serde_json::from_str(&of(GraphFormat::Json)).expect("it is JSON");
    let names: Vec<&str> = json["nodes"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|node| node["name"].as_str())
        .collect();
    let mut due = NAMES.to_vec();
    due.sort_unstable();
    assert_eq!(names, due, "whole and as they are");
}

#[test]
fn hostile_names_choose_what_is_called_so() {
    let view = holding(&hostile_flows());
    for name in NAMES {
        let question = SpanQuestion {
            actor: Some(name.to_owned()),
            ..SpanQuestion::default()
        };
        let answer = edges(&*view, &question, &asking()).expect("there is an answer");
        assert_eq!(answer.edges.len(), 2 * NAMES.len() - 1, "{name:?}");
        let depends = dependencies(&*view, &question, &asking()).expect("there is an answer");
        assert_eq!(depends.actors[0].actor, name);
    }
    let nobody = SpanQuestion {
        actor: Some("\u{1b}[31mnobody".to_owned()),
        ..SpanQuestion::default()
    };
    assert!(
        edges(&*view, &nobody, &asking())
            .expect("none is an answer")
            .edges
            .is_empty()
    );
    let error = dependencies(&*view, &nobody, &asking()).expect_err("there is none");
    assert_eq!(error.code, ErrorCode::NotFound);
    assert!(error.message.contains("`edges` lists the names"), "{error}");
    assert!(!error.message.contains('\u{1b}'), "{error}");
}

#[test]
fn what_is_not_there_is_not_found_and_the_error_says_why() {
    let view = holding(&[TraceEvent::data_flow("a", "out", "b", "in", "T", 1)]);
    for (of, says) in [
        (
            LineageSubject::MessageId(json!("5\u{1b}")),
            "a number is another id",
        ),
        (
            LineageSubject::MessageId(json!(5)),
            "a text of these digits",
        ),
        (LineageSubject::EventId(EventId::new()), "retired"),
        (LineageSubject::TraceId(TraceId::new()), "retired"),
    ] {
        let question = LineageQuestion { of, limit: None };
        let error = lineage(&*view, &question, &asking()).expect_err("it is not there");
        assert_eq!(error.code, ErrorCode::NotFound);
        assert!(error.message.contains(says), "{error}");
        assert!(!error.message.contains('\u{1b}'), "{error}");
    }
    for id in [json!(null), json!([1]), json!({"a": 1}), json!(true)] {
        let question = LineageQuestion {
            of: LineageSubject::MessageId(id),
            limit: None,
        };
        let error = lineage(&*view, &question, &asking()).expect_err("it is no id");
        assert_eq!(error.code, ErrorCode::InvalidQuestion);
    }
}

#[test]
fn a_time_that_ends_before_it_begins_is_an_error_and_any_other_is_answered() {
    let view = holding(&hostile_flows());
    let time = DateTime::from_timestamp_nanos;
    let ask = |range| {
        let question = SpanQuestion {
            time_range: Some(range),
            actor: None,
        };
        edges(&*view, &question, &asking())
    };
    let error = ask((time(1), time(0))).expect_err("it is reversed");
    assert_eq!(error.code, ErrorCode::InvalidQuestion);
    assert!(
        error.message.contains("write the earlier time first"),
        "{error}"
    );
    let (min, max) = (
        DateTime::<chrono::Utc>::MIN_UTC,
        DateTime::<chrono::Utc>::MAX_UTC,
    );
    let answer = ask((min, max)).expect("it is a time");
    assert_eq!(answer.edges.len(), NAMES.len() * NAMES.len());
    assert!(ask((max, max)).expect("it is a time").edges.is_empty());
    assert!(ask((min, min)).expect("it is a time").edges.is_empty());
    assert!(
        ask((time(i64::MIN), time(i64::MIN)))
            .expect("it is a time")
            .edges
            .is_empty()
    );
}

#[test]
fn made_up_causes_are_answered_and_end() {
    let mut events: Vec<TraceEvent> = (0..4)
        .map(|_| TraceEvent::data_flow("a", "out", "b", "in", "T", 1))
        .collect();
    let ids: Vec<EventId> = events.iter().map(|event| event.event_id).collect();
    // A circle of three, and one who causes himself.
    for (at, cause) in [(0, 2), (1, 0), (2, 1), (3, 3)] {
        events[at].causality.parent_event_id = Some(ids[cause]);
        events[at].timestamp = DateTime::from_timestamp_nanos(BEGIN_NS + at as i64);
    }
    let view = holding(&events);
    let ask = |id| {
        let question = LineageQuestion {
            of: LineageSubject::EventId(id),
            limit: None,
        };
        lineage(&*view, &question, &asking()).expect("it is there")
    };
    let circle = ask(ids[1]);
    assert_eq!(circle.events.len(), 3);
    let alone = ask(ids[3]);
    assert_eq!(alone.steps.len(), 1);
    assert_eq!(
        (alone.steps[0].role, alone.steps[0].causes.len()),
        (Role::Subject, 0)
    );
}

#[test]
fn an_answer_that_is_too_large_is_refused_with_advice() {
    let view = holding(&hostile_flows());
    let limits = QueryLimits {
        answer_bytes_max: 1_000,
        ..QueryLimits::default()
    };
    let error = edges(
        &*view,
        &SpanQuestion::default(),
        &asking_within(limits.clone()),
    );
    let error = error.expect_err("it is too large");
    assert_eq!(error.code, ErrorCode::TooLarge);
    assert!(
        error.message.contains("`query.answer_bytes_max`"),
        "{error}"
    );
    let picture = graph(&*view, &GraphQuestion::default(), &asking_within(limits));
    assert_eq!(
        picture.map_err(|error| error.code),
        Err(ErrorCode::TooLarge)
    );
}

#[test]
fn who_may_not_see_content_sees_none_in_a_lineage() {
    let mut event =
        TraceEvent::data_flow_with_content("a", "out", "b", "in", "T", 6, Some(b"secret".to_vec()));
    event.event_id = EventId::new();
    let view = holding(&[event.clone()]);
    let question = LineageQuestion {
        of: LineageSubject::EventId(event.event_id),
        limit: None,
    };
    let content = |rights| {
        let asking = Asking::new(QueryLimits::default(), rights, Arc::default());
        let answer = lineage(&*view, &question, &asking).expect("it is there");
        let message = answer.events[0].data.message.clone();
        message.expect("it has one").serialized_data
    };
    assert_eq!(content(Rights { content: true }), b"secret");
    assert!(content(Rights { content: false }).is_empty());
}
