//! Which events are answers.

use chrono::{DateTime, Utc};

use super::*;
use crate::event::{TraceEvent, TraceEventType};

fn flow(to_actor: &str, to_port: &str) -> TraceEventType {
    TraceEventType::DataFlow {
        to_actor: to_actor.to_owned(),
        to_port: to_port.to_owned(),
    }
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).expect("in range")
}

fn events() -> Vec<TraceEvent> {
    let mut events = vec![
        TraceEvent::data_flow("a", "out", "b", "in", "T", 1),
        TraceEvent::data_flow("b", "out", "c", "in", "T", 2),
        TraceEvent::message_sent("b", "out", "T", 3),
        TraceEvent::data_flow("c", "out", "*", "other", "T", 4),
        TraceEvent::actor_failed("b", "too hot"),
    ];
    for (second, event) in events.iter_mut().enumerate() {
        event.timestamp = at(second as i64);
    }
    events
}

/// The places of the answers.
fn found(query: &TraceQuery<'_>) -> Vec<i64> {
    let events = events();
    let query = query.compile().expect("it is a good question");
    query
        .select(&events)
        .map(|event| event.timestamp.timestamp())
        .collect()
}

#[test]
fn a_question_without_parts_finds_everything() {
    assert_eq!(found(&TraceQuery::default()), [0, 1, 2, 3, 4]);
}

#[test]
fn a_star_stands_for_any_actor_and_any_port() {
    for (types, expected) in [
        (vec![flow("*", "*")], vec![0, 1, 3]),
        (vec![flow("b", "*")], vec![0]),
        (vec![flow("b", "*"), flow("b", "in")], vec![0]),
        (vec![flow("c", "in"), flow("c", "other")], vec![1]),
        (vec![flow("*", "in")], vec![0, 1]),
        (vec![flow("*", "in"), flow("*", "other")], vec![0, 1, 3]),
        (vec![flow("x", "in")], vec![]),
        (
            vec![TraceEventType::MessageSent, flow("c", "*")],
            vec![1, 2],
        ),
        (vec![TraceEventType::ActorStarted], vec![]),
    ] {
        let query = TraceQuery {
            event_types: Some(types.clone()),
            ..Default::default()
        };
        assert_eq!(found(&query), expected, "{types:?}");
    }
}

#[test]
fn an_actor_is_found_at_both_ends() {
    let of = |actor: &str| TraceQuery {
        actor_filter: Some(actor.to_owned()),
        ..Default::default()
    };
    assert_eq!(found(&of("b")), [0, 1, 2, 4]);
    assert_eq!(found(&of("c")), [1, 3]);
    assert_eq!(found(&of("x")), [] as [i64; 0]);
    assert_eq!(found(&of("*")), [0, 1, 2, 3, 4]);
    let called_star = TraceQuery {
        custom_filter: Some("destination_actor = '*'"),
        ..Default::default()
    };
    assert_eq!(found(&called_star), [3]);
}

#[test]
fn both_ends_of_a_time_range_belong_to_it() {
    let within = |start, end| TraceQuery {
        time_range: Some((at(start), at(end))),
        ..Default::default()
    };
    assert_eq!(found(&within(1, 3)), [1, 2, 3]);
    assert_eq!(found(&within(2, 2)), [2]);
    assert_eq!(
        within(3, 1).compile(),
        Err(QueryError::TimeRangeReversed {
            start: at(3),
            end: at(1)
        })
    );
}

#[test]
fn both_conditions_must_be_true() {
    let query = TraceQuery {
        custom_filter: Some("source_actor IN ('a', 'b')"),
        performance_filter: Some("size_bytes >= 2"),
        ..Default::default()
    };
    assert_eq!(found(&query), [1, 2]);
}

#[test]
fn offset_and_limit_count_answers() {
    let page = |offset, limit| TraceQuery {
        event_types: Some(vec![flow("*", "*")]),
        offset,
        limit,
        ..Default::default()
    };
    assert_eq!(found(&page(Some(1), Some(1))), [1]);
    assert_eq!(found(&page(Some(1), None)), [1, 3]);
    assert_eq!(found(&page(None, Some(0))), [] as [i64; 0]);
    assert_eq!(
        found(&page(Some(usize::MAX), Some(usize::MAX))),
        [] as [i64; 0]
    );
}

#[test]
fn a_filter_may_come_from_a_string() {
    let id = "it's";
    let text = format!("message_id != {}", filter::quoted(id));
    let query = TraceQuery {
        custom_filter: Some(&text),
        ..Default::default()
    };
    assert_eq!(found(&query), [] as [i64; 0]);
}

#[test]
fn a_wrong_question_names_its_part() {
    let message = |query: TraceQuery<'_>| query.compile().expect_err("it is wrong").to_string();
    assert_eq!(
        message(TraceQuery {
            performance_filter: Some("execution_time > 10"),
            ..Default::default()
        }),
        "`performance_filter`: no field is called `execution_time`; did you mean \
         `execution_time_ns`? (column 1)"
    );
    let error = TraceQuery {
        performance_filter: Some("execution_time > 10"),
        ..Default::default()
    };
    let error = error.compile().expect_err("it is wrong");
    assert_eq!(error.excerpt(), Some("execution_time > 10\n^^^^^^^^^^^^^^"));
    assert_eq!(
        message(TraceQuery {
            custom_filter: Some(""),
            ..Default::default()
        }),
        "`custom_filter`: this filter is empty; leave it out to find everything (column 1)"
    );
    assert_eq!(
        message(TraceQuery {
            time_range: Some((at(60), at(0))),
            ..Default::default()
        }),
        "`time_range` ends at 1970-01-01 00:00:00 UTC, before it begins at 1970-01-01 00:01:00 UTC; \
         write the earlier time first"
    );
    assert_eq!(
        message(TraceQuery {
            event_types: Some(vec![]),
            ..Default::default()
        }),
        "`event_types` is an empty list, which finds nothing; leave it out to find everything"
    );
}

#[test]
fn lists_have_a_longest_length() {
    let types = |count: usize| TraceQuery {
        event_types: Some((0..count).map(|at| flow(&at.to_string(), "*")).collect()),
        ..Default::default()
    };
    assert!(types(LISTED_MAX).compile().is_ok());
    let part = QueryPart::EventTypes;
    let listed = LISTED_MAX + 1;
    assert_eq!(
        types(listed).compile(),
        Err(QueryError::ListTooLong { part, listed })
    );

    let actors = |count: usize| SubscriptionFilters {
        actor_ids: Some(vec!["a".to_owned(); count]),
        ..Default::default()
    };
    assert!(actors(LISTED_MAX).compile().is_ok());
    let part = QueryPart::ActorIds;
    assert_eq!(
        actors(listed).compile(),
        Err(QueryError::ListTooLong { part, listed })
    );
    assert_eq!(actors(0).compile(), Err(QueryError::EmptyList(part)));
}

#[test]
fn a_subscriber_sees_what_it_asked_for() {
    let filters = SubscriptionFilters {
        actor_ids: Some(vec!["b".to_owned(), "c".to_owned()]),
        event_types: Some(vec![flow("*", "*")]),
        custom_filter: Some("message_type = 'T'".to_owned()),
        performance_filter: Some("size_bytes < 4".to_owned()),
    };
    let wanted = filters.compile().expect("good wishes");
    let seen: Vec<bool> = events().iter().map(|event| wanted.matches(event)).collect();
    assert_eq!(seen, [true, true, false, false, false]);
}

#[test]
fn what_a_store_prunes_by_is_told() {
    let query = TraceQuery {
        event_types: Some(vec![
            flow("b", "in"),
            flow("c", "*"),
            TraceEventType::MessageSent,
        ]),
        ..Default::default()
    };
    let compiled = query.compile().expect("a good question");
    let types = compiled.event_types().expect("kinds were given");
    let mut names: Vec<_> = types.names().collect();
    names.sort_unstable();
    assert_eq!(names, ["DataFlow", "MessageSent"]);
    let mut destinations: Vec<_> = types.destinations().expect("no star").collect();
    destinations.sort_unstable();
    assert_eq!(destinations, ["b", "c"]);

    for unbounded in [flow("*", "*"), flow("*", "in")] {
        let types = EventTypes::new(&[flow("b", "in"), unbounded]).expect("good kinds");
        assert!(types.destinations().is_none());
        assert_eq!(types.names().collect::<Vec<_>>(), ["DataFlow"]);
    }
}

#[test]
fn the_bounds_of_a_question_are_those_of_all_its_parts() {
    use filter::{Column, Literal, Range};

    let query = TraceQuery {
        time_range: Some((at(10), at(50))),
        custom_filter: Some("timestamp >= '1970-01-01T00:00:20Z' AND message_id = 'a'"),
        performance_filter: Some("size_bytes > 1"),
        ..Default::default()
    };
    let compiled = query.compile().expect("a good question");
    let (low, high) = (Some(Literal::Time(at(20))), Some(Literal::Time(at(50))));
    assert_eq!(
        compiled.bounds(Column::Timestamp).range(),
        &Range::Between { low, high }
    );
    let ids = Range::Among(vec![Literal::Text("a".to_owned())]);
    assert_eq!(compiled.bounds(Column::MessageId).range(), &ids);
    assert_eq!(compiled.bounds(Column::SourceActor), filter::Bounds::any());
}
