//! What is read, what is refused and how. Whether Reflow's own types agree is asked in `tests/reflow-json`.

use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::event::{TraceEvent, TraceEventType, TraceId};
use crate::query::{SubscriptionFilters, TraceQuery};

fn read(text: &str) -> Result<Request, ProtocolError> {
    read_request(text, &JsonLimits::default())
}

fn message(text: &str) -> String {
    read(text).expect_err("it is wrong").to_string()
}

const TRACE: TraceId = TraceId(Uuid::from_u128(7));

#[test]
fn a_subscription_is_of_the_family_that_its_member_says() {
    let current = read(r#"{"Subscribe": {"filters": {"actor_ids": ["a"]}}}"#);
    let older = read(r#" { "Subscribe" : { "filter" : { "actor_ids": ["a"]}}}"#);
    let wanted = || SubscriptionRequest {
        actor_ids: Some(vec!["a".to_owned()]),
        ..SubscriptionRequest::default()
    };
    let (filters, filter) = (wanted(), wanted());
    assert_eq!(
        current,
        Ok(Request::Tracing(TracingRequest::Subscribe { filters }))
    );
    assert_eq!(
        older,
        Ok(Request::Message(TraceMessage::Subscribe { filter }))
    );
    assert_eq!(
        message(r#"{"Subscribe": {"filter": {"actor_ids": 5}}}"#),
        "in `Subscribe`: invalid type: integer `5`, expected a sequence at line 1 column 40"
    );
}

#[test]
fn what_both_families_have_is_the_current_one() {
    let text = json!({"GetTrace": {"trace_id": TRACE}}).to_string();
    let trace_id = TRACE;
    let request_id = None;
    let expected = TracingRequest::GetTrace {
        request_id,
        trace_id,
    };
    assert_eq!(read(&text), Ok(Request::Tracing(expected)));
    assert_eq!(
        read("\"GetMetrics\""),
        Ok(Request::Message(TraceMessage::GetMetrics))
    );
}

#[test]
fn what_later_versions_add_is_read_and_only_written_when_it_is_there() {
    let id = Uuid::from_u128(9);
    let later = json!({"QueryTraces": {"request_id": id, "query": {"limit": 3}}}).to_string();
    let Ok(Request::Tracing(request)) = read(&later) else {
        panic!("it is a request of the current family");
    };
    let written = serde_json::to_value(&request).expect("serializes");
    assert_eq!(
        Ok(written),
        serde_json::from_str(&later).map_err(|error| error.to_string())
    );
    let TracingRequest::QueryTraces { request_id, query } = request else {
        panic!("it is a query");
    };
    assert_eq!((request_id, query.limit), (Some(RequestId(id)), Some(3)));
    let answer = TracingResponse::QueryResults {
        request_id: None,
        traces: vec![],
        total_count: 0,
    };
    let answer = serde_json::to_string(&answer).expect("serializes");
    assert_eq!(answer, r#"{"QueryResults":{"traces":[],"total_count":0}}"#);

    let ended = json!({"EndTrace": {"trace_id": TRACE, "status": "Completed"}}).to_string();
    let status = ExecutionStatus::Completed;
    let expected = TracingRequest::EndTrace {
        trace_id: TRACE,
        status,
    };
    assert_eq!(read(&ended), Ok(Request::Tracing(expected)));
}

#[test]
fn metrics_that_nobody_measured_are_read_as_unknown() {
    let mut event = serde_json::to_value(TraceEvent::actor_created("a")).expect("serializes");
    event["data"]["performance_metrics"] = json!({"execution_time_ns": null, "queue_depth": 4});
    let text = json!({"RecordEvent": {"trace_id": TRACE, "event": event}}).to_string();
    let Ok(Request::Tracing(TracingRequest::RecordEvent { event, .. })) = read(&text) else {
        panic!("it is an event");
    };
    let metrics = event.data.performance_metrics;
    assert_eq!(metrics.queue_depth, Some(4));
    assert_eq!(
        (metrics.execution_time_ns, metrics.cpu_usage_percent),
        (None, None)
    );
}

#[test]
fn an_unknown_message_is_told_with_those_that_are_known() {
    assert_eq!(
        message("\"Pnig\""),
        "no message is called `Pnig`; did you mean `Ping`?"
    );
    assert_eq!(
        message(r#"{"DropEverything": {}}"#),
        "no message is called `DropEverything`; there are StartTrace, RecordEvent, EndTrace, GetTrace, \
         QueryTraces, GetFlowVersions, Ping, Subscribe, Unsubscribe, StoreTrace, GetMetrics"
    );
    let hostile = json!({format!("\u{1b}[31m{}", "x".repeat(10_000)): 1}).to_string();
    let told = message(&hostile);
    assert!(
        told.starts_with("no message is called `␛[31mxxx") && told.len() < 400,
        "{told}"
    );
}

#[test]
fn what_is_no_message_is_told_so() {
    let no_message = "this is no message: it is neither `\"Name\"` nor `{\"Name\": …}`";
    for text in [
        "",
        "   ",
        "null",
        "[]",
        "17",
        "{",
        "{}",
        "{17: 1}",
        "Ping",
        "{\"Ping",
        "\u{feff}\"Ping\"",
    ] {
        assert_eq!(message(text), no_message, "{text}");
    }
    for (text, told) in [
        ("\"StartTrace\"", "in `StartTrace`: "),
        (r#"{"Ping": {"now": true}}"#, "in `Ping`: "),
        (r#"{"Ping": null, "Pong": null}"#, "in `Ping`: "),
        (
            r#"{"Ping": null} {"Ping": null}"#,
            "in `Ping`: trailing characters",
        ),
        (
            r#"{"GetTrace": {"trace_id": "7"}}"#,
            "in `GetTrace`: UUID parsing failed",
        ),
        (r#"{"GetTrace": {"trace_id": "#, "in `GetTrace`: EOF"),
        (
            r#"{"QueryTraces": {"query": {"limit": -1}}}"#,
            "in `QueryTraces`: invalid value: integer `-1`",
        ),
        (
            r#"{"QueryTraces": {"query": {"sql": "DROP"}}}"#,
            "in `QueryTraces`: unknown field `sql`",
        ),
        (
            r#"{"Subscribe": {"filters": {"actors": []}}}"#,
            "in `Subscribe`: unknown field `actors`",
        ),
        (
            r#"{"GetFlowVersions": {"flow_id": "\ud800"}}"#,
            "in `GetFlowVersions`: ",
        ),
    ] {
        let is = message(text);
        assert!(is.starts_with(told), "{text}: {is}");
    }
}

#[test]
fn a_text_is_as_long_and_as_deep_as_the_limits_say_and_no_more() {
    let limits = JsonLimits {
        bytes_max: 100,
        depth_max: 5,
    };
    let of_length = |bytes: usize| format!("\"Ping\"{}", " ".repeat(bytes - 6));
    assert!(read_request(&of_length(100), &limits).is_ok());
    let (bytes, bytes_max) = (101, 100);
    let refused = read_request(&of_length(101), &limits);
    assert_eq!(refused, Err(ProtocolError::TooLong { bytes, bytes_max }));

    // Brackets in strings are no structure, whatever is escaped in them.
    assert!(read_query(r#"{"actor_filter": "[[[[[[[[ \" [[[[ \\"}"#, &limits).is_ok());
    let of_depth = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(
        read_request(&of_depth(5), &limits),
        Err(ProtocolError::NoMessage)
    );
    let (depth_max, at) = (5, 5);
    let refused = read_request(&of_depth(6), &limits);
    assert_eq!(refused, Err(ProtocolError::TooDeep { depth_max, at }));
}

#[test]
fn no_depth_ends_the_stack() {
    let deep = format!("{{\"StoreTrace\": {}", "[".repeat(100_000));
    assert!(matches!(read(&deep), Err(ProtocolError::TooDeep { .. })));
    let limits = JsonLimits {
        depth_max: usize::MAX,
        ..JsonLimits::default()
    };
    for deep in [deep, "{\"QueryTraces\":".repeat(100_000)] {
        let refused = read_request(&deep, &limits);
        assert!(
            matches!(refused, Err(ProtocolError::Malformed { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn an_error_is_answered_in_either_family() {
    let error = read("\"Pnig\"").expect_err("no such message");
    let message = || "no message is called `Pnig`; did you mean `Ping`?".to_owned();
    let code = ErrorCode::InvalidRequest;
    assert_eq!(
        error.response(),
        TracingResponse::Error {
            message: message(),
            code
        }
    );
    assert_eq!(
        error.older_response(),
        TraceResponse::Error { message: message() }
    );

    let limits = JsonLimits::default();
    for answer in [
        serde_json::to_string(&error.response()),
        serde_json::to_string(&error.older_response()),
    ] {
        let answer = answer.expect("serializes");
        let read = read_response(&answer, &limits).expect("it is a response");
        let is_current = matches!(read, Response::Tracing(_));
        assert_eq!(is_current, answer.contains("code"));
    }
}

#[test]
fn a_question_is_written_as_it_is_read() {
    let query = TraceQuery {
        time_range: Some((chrono::DateTime::UNIX_EPOCH, chrono::DateTime::UNIX_EPOCH)),
        event_types: Some(vec![TraceEventType::DataFlow {
            to_actor: "*".into(),
            to_port: "*".into(),
        }]),
        actor_filter: Some("a".into()),
        custom_filter: Some("message_id = 'a\\\"b'"),
        performance_filter: Some("size_bytes > 1"),
        limit: Some(1),
        offset: Some(2),
    };
    let request = QueryRequest::from(query.clone());
    let text = serde_json::to_string(&query).expect("serializes");
    let read = read_query(&text, &JsonLimits::default()).expect("it is a question");
    assert_eq!(read, request);
    assert_eq!(read.question(), query);

    let filters = SubscriptionFilters {
        actor_ids: Some(vec!["a".into()]),
        event_types: query.event_types.clone(),
        custom_filter: Some("port = ''".into()),
        performance_filter: Some("size_bytes > 1".into()),
    };
    let text = serde_json::to_string(&filters).expect("serializes");
    let read = read_subscription(&text, &JsonLimits::default()).expect("they are filters");
    assert_eq!(read, SubscriptionRequest::from(filters.clone()));
    assert_eq!(read.filters(), filters);
}

#[test]
fn a_trace_of_events_says_only_what_they_say() {
    let mut late = TraceEvent::actor_failed("b", "too hot");
    late.timestamp = chrono::DateTime::from_timestamp(20, 0).expect("in range");
    let mut early = TraceEvent::actor_started("b");
    early.timestamp = chrono::DateTime::from_timestamp(10, 0).expect("in range");

    let trace = FlowTrace::of_events(TRACE, vec![late.clone(), early.clone()]);
    assert_eq!((trace.start_time, trace.end_time), (early.timestamp, None));
    let error = "too hot".to_owned();
    assert_eq!(trace.status, ExecutionStatus::Failed { error });
    assert_eq!(trace.events, [early.clone(), late]);

    assert_eq!(
        FlowTrace::of_events(TRACE, vec![early]).status,
        ExecutionStatus::Running
    );
    let empty = FlowTrace::of_events(TRACE, vec![]);
    assert_eq!(empty.start_time, chrono::DateTime::UNIX_EPOCH);
}

#[test]
fn a_notification_without_a_trace_has_the_nil_one() {
    let notification = TracingResponse::notification(TraceEvent::actor_created("a"));
    let TracingResponse::EventNotification { trace_id, .. } = notification else {
        panic!("it is a notification");
    };
    assert!(trace_id.0.is_nil());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 512 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let limits = JsonLimits::default();
        let _refused = read(&text);
        let _refused = read_response(&text, &limits);
        let _refused = read_query(&text, &limits);
    }

    #[test]
    fn no_damage_to_a_message_makes_it_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let event = TraceEvent::data_flow("a", "out", "b", "in", "T", 3);
        let text = json!({"RecordEvent": {"trace_id": TRACE, "event": event}}).to_string();
        let mut bytes = text.into_bytes();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _refused = read(&String::from_utf8_lossy(&bytes));
    }
}
