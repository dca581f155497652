//! Every message of both families: Reflow's own types read what ours write, and the reverse.
//!
//! What is compared is the JSON, less the members that are `null`: Reflow writes those, we leave them out,
//! and both read either.

#![deny(warnings)]
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use reflow_trace::protocol::{
    ErrorCode, ExecutionId, ExecutionStatus, FlowId, FlowTrace, FlowVersion, JsonLimits,
    QueryRequest, Request, Response, SubscriptionRequest, TraceMessage, TraceMetadata,
    TraceResponse, TracingRequest, TracingResponse, adopted, read_request, read_response,
};
use reflow_trace::{TraceEvent, TraceEventType, TraceId};
use reflow_tracing_protocol as reflow;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

const TRACE: Uuid = Uuid::from_u128(7);

fn text(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("serializes")
}

/// The JSON without what is `null`, and without what our events say beyond the protocol.
fn bare(message: &impl Serialize) -> Value {
    let mut json = serde_json::to_value(message).expect("serializes");
    strip(&mut json);
    json
}

fn strip(json: &mut Value) {
    match json {
        Value::Object(members) => {
            members.retain(|name, value| !value.is_null() && !is_ours(name));
            members.values_mut().for_each(strip);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        _ => {}
    }
}

fn is_ours(name: &str) -> bool {
    matches!(name, "unknown" | "outcome" | "sampling")
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 123_456_789).expect("in range")
}

/// The name of the kind of a message.
fn kind(message: &impl Serialize) -> String {
    match serde_json::to_value(message).expect("serializes") {
        Value::String(name) => name,
        Value::Object(members) => members.keys().next().expect("one member").clone(),
        other => panic!("{other} is no message"),
    }
}

// What Reflow's own types hold.

fn their_event() -> reflow::TraceEvent {
    let mut event = reflow::TraceEvent::data_flow(
        "a".into(),
        "out".into(),
        "传感器 \u{0}\"\\".into(),
        "in".into(),
        "T".into(),
        3,
    );
    event.data.custom_attributes =
        HashMap::from([("nested".to_owned(), json!({"list": [1, -2.5]}))]);
    event
}

fn their_version() -> reflow::FlowVersion {
    reflow::FlowVersion {
        major: 1,
        minor: 2,
        patch: u32::MAX,
        git_hash: Some("abc".into()),
        timestamp: at(1),
    }
}

fn their_query() -> reflow::TraceQuery {
    reflow::TraceQuery {
        flow_id: Some(reflow::FlowId::new("flow")),
        execution_id: Some(reflow::ExecutionId(TRACE)),
        time_range: Some((at(1), at(2))),
        status: Some(reflow::ExecutionStatus::Failed {
            error: "too hot".into(),
        }),
        actor_filter: Some("a".into()),
        limit: Some(3),
        offset: Some(4),
    }
}

fn their_empty_query() -> reflow::TraceQuery {
    reflow::TraceQuery {
        flow_id: None,
        execution_id: None,
        time_range: None,
        status: None,
        actor_filter: None,
        limit: None,
        offset: None,
    }
}

fn their_filters() -> reflow::SubscriptionFilters {
    reflow::SubscriptionFilters {
        flow_ids: Some(vec![reflow::FlowId::new("flow")]),
        actor_ids: Some(vec!["a".into()]),
        event_types: Some(vec![
            reflow::TraceEventType::MessageSent,
            reflow::TraceEventType::DataFlow {
                to_actor: "*".into(),
                to_port: "*".into(),
            },
        ]),
        status_filter: Some(vec![
            reflow::ExecutionStatus::Pending,
            reflow::ExecutionStatus::Running,
            reflow::ExecutionStatus::Completed,
            reflow::ExecutionStatus::Cancelled,
        ]),
    }
}

fn their_empty_filters() -> reflow::SubscriptionFilters {
    reflow::SubscriptionFilters {
        flow_ids: None,
        actor_ids: None,
        event_types: None,
        status_filter: None,
    }
}

fn their_trace() -> reflow::FlowTrace {
    reflow::FlowTrace {
        trace_id: reflow::TraceId(TRACE),
        flow_id: reflow::FlowId::new("flow"),
        execution_id: reflow::ExecutionId(TRACE),
        version: their_version(),
        start_time: at(1),
        end_time: Some(at(2)),
        status: reflow::ExecutionStatus::Running,
        events: vec![
            their_event(),
            reflow::TraceEvent::actor_failed("b".into(), "too hot".into()),
        ],
        metadata: reflow::TraceMetadata {
            user_id: Some("user".into()),
            session_id: None,
            environment: "test".into(),
            hostname: "host".into(),
            process_id: 5,
            thread_id: "6".into(),
            tags: HashMap::from([("key".to_owned(), "value".to_owned())]),
        },
    }
}

fn their_requests() -> Vec<reflow::TracingRequest> {
    use reflow::TracingRequest::{
        GetFlowVersions, GetTrace, Ping, QueryTraces, RecordEvent, StartTrace, Subscribe,
        Unsubscribe,
    };
    let trace_id = || reflow::TraceId(TRACE);
    let flow_id = || reflow::FlowId::new("flow");
    vec![
        StartTrace {
            flow_id: flow_id(),
            version: their_version(),
        },
        RecordEvent {
            trace_id: trace_id(),
            event: their_event(),
        },
        GetTrace {
            trace_id: trace_id(),
        },
        QueryTraces {
            query: their_query(),
        },
        QueryTraces {
            query: their_empty_query(),
        },
        GetFlowVersions { flow_id: flow_id() },
        Ping,
        Subscribe {
            filters: their_filters(),
        },
        Subscribe {
            filters: their_empty_filters(),
        },
        Unsubscribe,
    ]
}

fn their_messages() -> Vec<reflow::TraceMessage> {
    use reflow::TraceMessage::{GetMetrics, GetTrace, QueryTraces, StoreTrace, Subscribe};
    vec![
        StoreTrace {
            trace: their_trace(),
        },
        QueryTraces {
            query: their_query(),
        },
        GetTrace {
            trace_id: reflow::TraceId(TRACE),
        },
        Subscribe {
            filter: their_filters(),
        },
        Subscribe {
            filter: their_empty_filters(),
        },
        GetMetrics,
    ]
}

fn their_responses() -> Vec<reflow::TracingResponse> {
    use reflow::TracingResponse::{
        Error, EventNotification, EventRecorded, FlowVersions, Pong, QueryResults, TraceData,
        TraceStarted,
    };
    let trace_id = || reflow::TraceId(TRACE);
    let codes = [
        reflow::ErrorCode::NotFound,
        reflow::ErrorCode::InvalidRequest,
        reflow::ErrorCode::StorageError,
        reflow::ErrorCode::SerializationError,
        reflow::ErrorCode::Unauthorized,
        reflow::ErrorCode::InternalError,
    ];
    let mut all = vec![
        TraceStarted {
            trace_id: trace_id(),
        },
        EventRecorded {
            success: true,
            error: None,
        },
        EventRecorded {
            success: false,
            error: Some("disk full".into()),
        },
        TraceData {
            trace: Some(their_trace()),
        },
        TraceData { trace: None },
        QueryResults {
            traces: vec![their_trace()],
            total_count: usize::MAX,
        },
        FlowVersions {
            versions: vec![their_version()],
        },
        Pong,
        EventNotification {
            trace_id: trace_id(),
            event: their_event(),
        },
    ];
    all.extend(codes.map(|code| Error {
        message: "no".into(),
        code,
    }));
    all
}

fn their_older_responses() -> Vec<reflow::TraceResponse> {
    use reflow::TraceResponse::{Error, Metrics, TraceData, TraceStored, TracesFound};
    vec![
        TraceStored {
            trace_id: reflow::TraceId(TRACE),
        },
        TracesFound {
            traces: vec![their_trace()],
        },
        TraceData {
            trace: their_trace(),
        },
        Error {
            message: "no".into(),
        },
        Metrics {
            data: json!({"traces_stored": 1}),
        },
    ]
}

// What ours hold.

fn our_event() -> TraceEvent {
    TraceEvent::data_flow_with_content("a", "out", "b", "in", "T", 3, Some(b"abc".to_vec()))
}

fn our_version() -> FlowVersion {
    FlowVersion {
        major: 1,
        minor: 2,
        patch: 3,
        git_hash: None,
        timestamp: at(1),
    }
}

fn our_trace() -> FlowTrace {
    FlowTrace {
        flow_id: FlowId("flow".into()),
        version: our_version(),
        end_time: Some(at(9)),
        metadata: TraceMetadata {
            session_id: Some("s".into()),
            ..TraceMetadata::default()
        },
        ..FlowTrace::of_events(
            TraceId(TRACE),
            vec![our_event(), TraceEvent::actor_failed("b", "hot")],
        )
    }
}

fn our_query() -> QueryRequest {
    QueryRequest {
        flow_id: Some(FlowId("flow".into())),
        execution_id: Some(ExecutionId(TRACE)),
        status: Some(ExecutionStatus::Failed {
            error: "too hot".into(),
        }),
        time_range: Some((at(1), at(2))),
        actor_filter: Some("a".into()),
        limit: Some(3),
        offset: Some(4),
        ..QueryRequest::default()
    }
}

fn our_filters() -> SubscriptionRequest {
    SubscriptionRequest {
        flow_ids: Some(vec![FlowId("flow".into())]),
        status_filter: Some(vec![ExecutionStatus::Cancelled, ExecutionStatus::Pending]),
        actor_ids: Some(vec!["a".into()]),
        event_types: Some(vec![TraceEventType::DataFlow {
            to_actor: "*".into(),
            to_port: "*".into(),
        }]),
        ..SubscriptionRequest::default()
    }
}

fn our_requests() -> Vec<TracingRequest> {
    use TracingRequest::{
        GetFlowVersions, GetTrace, Ping, QueryTraces, RecordEvent, StartTrace, Subscribe,
        Unsubscribe,
    };
    let trace_id = TraceId(TRACE);
    let flow_id = || FlowId("flow".into());
    vec![
        StartTrace {
            trace_id: None,
            flow_id: flow_id(),
            version: our_version(),
        },
        RecordEvent {
            trace_id,
            event: Box::new(our_event()),
        },
        GetTrace {
            request_id: None,
            trace_id,
        },
        QueryTraces {
            request_id: None,
            query: our_query(),
        },
        QueryTraces {
            request_id: None,
            query: QueryRequest::default(),
        },
        GetFlowVersions { flow_id: flow_id() },
        Ping,
        Subscribe {
            filters: our_filters(),
        },
        Subscribe {
            filters: SubscriptionRequest::default(),
        },
        Unsubscribe,
    ]
}

fn our_messages() -> Vec<TraceMessage> {
    use TraceMessage::{GetMetrics, GetTrace, QueryTraces, StoreTrace, Subscribe};
    vec![
        StoreTrace {
            trace: Box::new(our_trace()),
        },
        QueryTraces { query: our_query() },
        GetTrace {
            trace_id: TraceId(TRACE),
        },
        Subscribe {
            filter: our_filters(),
        },
        GetMetrics,
    ]
}

fn our_responses() -> Vec<TracingResponse> {
    use TracingResponse::{
        Error, EventNotification, EventRecorded, FlowVersions, Pong, QueryResults, TraceData,
        TraceStarted,
    };
    let trace_id = TraceId(TRACE);
    let codes = [
        ErrorCode::NotFound,
        ErrorCode::InvalidRequest,
        ErrorCode::StorageError,
        ErrorCode::SerializationError,
        ErrorCode::Unauthorized,
        ErrorCode::InternalError,
    ];
    let mut all = vec![
        TraceStarted { trace_id },
        EventRecorded {
            success: true,
            error: None,
        },
        EventRecorded {
            success: false,
            error: Some("disk full".into()),
        },
        TraceData {
            request_id: None,
            trace: Some(Box::new(our_trace())),
        },
        TraceData {
            request_id: None,
            trace: None,
        },
        QueryResults {
            request_id: None,
            traces: vec![our_trace()],
            total_count: 9,
        },
        FlowVersions {
            versions: vec![our_version()],
        },
        Pong,
        EventNotification {
            trace_id,
            event: Box::new(our_event()),
        },
    ];
    all.extend(codes.map(|code| Error {
        message: "no".into(),
        code,
    }));
    all
}

fn our_older_responses() -> Vec<TraceResponse> {
    use TraceResponse::{Error, Metrics, TraceData, TraceStored, TracesFound};
    vec![
        TraceStored {
            trace_id: TraceId(TRACE),
        },
        TracesFound {
            traces: vec![our_trace()],
        },
        TraceData {
            trace: Box::new(our_trace()),
        },
        Error {
            message: "no".into(),
        },
        Metrics {
            data: json!({"events_stored": 1}),
        },
    ]
}

/// What one wrote is the same when the other has read it and written it again.
fn assert_survives<Other: DeserializeOwned + Serialize>(message: &impl Serialize) {
    let written = text(message);
    let read: Other =
        serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(bare(&read), bare(message));
}

fn kinds<M: Serialize>(messages: &[M]) -> BTreeSet<String> {
    messages.iter().map(kind).collect()
}

#[test]
fn every_message_of_theirs_survives_our_types() {
    their_requests()
        .iter()
        .for_each(assert_survives::<TracingRequest>);
    their_messages()
        .iter()
        .for_each(assert_survives::<TraceMessage>);
    their_responses()
        .iter()
        .for_each(assert_survives::<TracingResponse>);
    their_older_responses()
        .iter()
        .for_each(assert_survives::<TraceResponse>);
}

#[test]
fn every_message_of_ours_survives_their_types() {
    our_requests()
        .iter()
        .for_each(assert_survives::<reflow::TracingRequest>);
    our_messages()
        .iter()
        .for_each(assert_survives::<reflow::TraceMessage>);
    our_responses()
        .iter()
        .for_each(assert_survives::<reflow::TracingResponse>);
    our_older_responses()
        .iter()
        .for_each(assert_survives::<reflow::TraceResponse>);
}

/// The lists above leave no kind of message out: a `match` without `_` fails to compile when Reflow adds one.
#[test]
fn no_kind_of_message_is_left_out() {
    for request in their_requests() {
        match request {
            reflow::TracingRequest::StartTrace {
                flow_id: _,
                version: _,
            }
            | reflow::TracingRequest::RecordEvent {
                trace_id: _,
                event: _,
            }
            | reflow::TracingRequest::GetTrace { trace_id: _ }
            | reflow::TracingRequest::QueryTraces { query: _ }
            | reflow::TracingRequest::GetFlowVersions { flow_id: _ }
            | reflow::TracingRequest::Ping
            | reflow::TracingRequest::Subscribe { filters: _ }
            | reflow::TracingRequest::Unsubscribe => {}
        }
    }
    for message in their_messages() {
        match message {
            reflow::TraceMessage::StoreTrace { trace: _ }
            | reflow::TraceMessage::QueryTraces { query: _ }
            | reflow::TraceMessage::GetTrace { trace_id: _ }
            | reflow::TraceMessage::Subscribe { filter: _ }
            | reflow::TraceMessage::GetMetrics => {}
        }
    }
    for response in their_responses() {
        match response {
            reflow::TracingResponse::TraceStarted { trace_id: _ }
            | reflow::TracingResponse::EventRecorded {
                success: _,
                error: _,
            }
            | reflow::TracingResponse::TraceData { trace: _ }
            | reflow::TracingResponse::QueryResults {
                traces: _,
                total_count: _,
            }
            | reflow::TracingResponse::FlowVersions { versions: _ }
            | reflow::TracingResponse::Pong
            | reflow::TracingResponse::EventNotification {
                trace_id: _,
                event: _,
            }
            | reflow::TracingResponse::Error {
                message: _,
                code: _,
            } => {}
        }
    }
    for response in their_older_responses() {
        match response {
            reflow::TraceResponse::TraceStored { trace_id: _ }
            | reflow::TraceResponse::TracesFound { traces: _ }
            | reflow::TraceResponse::TraceData { trace: _ }
            | reflow::TraceResponse::Error { message: _ }
            | reflow::TraceResponse::Metrics { data: _ } => {}
        }
    }
    let counts = BTreeMap::from([
        ("requests", kinds(&their_requests()).len()),
        ("messages", kinds(&their_messages()).len()),
        ("responses", kinds(&their_responses()).len()),
        ("older responses", kinds(&their_older_responses()).len()),
    ]);
    let expected = [
        ("messages", 5),
        ("older responses", 5),
        ("requests", 8),
        ("responses", 8),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
    assert_eq!(kinds(&our_requests()), kinds(&their_requests()));
    assert_eq!(kinds(&our_messages()), kinds(&their_messages()));
    assert_eq!(kinds(&our_responses()), kinds(&their_responses()));
    assert_eq!(
        kinds(&our_older_responses()),
        kinds(&their_older_responses())
    );
}

#[test]
fn each_request_is_read_as_one_of_its_family() {
    let limits = JsonLimits::default();
    for request in their_requests() {
        let read = read_request(&text(&request), &limits);
        let Ok(Request::Tracing(read)) = &read else {
            panic!("{read:?}");
        };
        assert_eq!(bare(read), bare(&request));
    }
    for message in their_messages() {
        let read = read_request(&text(&message), &limits);
        match (kind(&message).as_str(), read) {
            // Both families write these alike.
            ("QueryTraces" | "GetTrace", Ok(Request::Tracing(read))) => {
                assert_eq!(bare(&read), bare(&message));
            }
            (_, Ok(Request::Message(read))) => assert_eq!(bare(&read), bare(&message)),
            (_, other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn each_response_is_read_as_one_of_its_family() {
    let limits = JsonLimits::default();
    for response in their_responses() {
        let read = read_response(&text(&response), &limits);
        let Ok(Response::Tracing(read)) = &read else {
            panic!("{read:?}");
        };
        assert_eq!(bare(read), bare(&response));
    }
    for response in their_older_responses() {
        let read = read_response(&text(&response), &limits);
        match (kind(&response).as_str(), read) {
            ("TraceData", Ok(Response::Tracing(read))) => assert_eq!(bare(&read), bare(&response)),
            (_, Ok(Response::Trace(read))) => assert_eq!(bare(&read), bare(&response)),
            (_, other) => panic!("{other:?}"),
        }
    }
}

/// Reflow's constructors measure nothing and invent a root.
#[test]
fn what_their_constructors_invent_is_unknown_to_us() {
    let theirs = reflow::TracingRequest::RecordEvent {
        trace_id: reflow::TraceId(TRACE),
        event: their_event(),
    };
    let read = read_request(&text(&theirs), &JsonLimits::default());
    let Ok(Request::Tracing(TracingRequest::RecordEvent { trace_id, event })) = read else {
        panic!("{read:?}");
    };
    assert_eq!(event.data.performance_metrics.execution_time_ns, Some(0));
    assert!(event.causality.root_cause_event_id.is_some());
    let event = adopted(*event, trace_id);
    assert_eq!(event.trace_id, Some(TraceId(TRACE)));
    assert_eq!(event.data.performance_metrics, Default::default());
    assert_eq!(event.causality.root_cause_event_id, None);
}

/// What we ask beyond the protocol does no harm where it is not known.
#[test]
fn a_question_of_ours_is_read_by_theirs_as_far_as_they_know_it() {
    let query = QueryRequest {
        custom_filter: Some("size_bytes > 1".into()),
        event_types: Some(vec![TraceEventType::MessageSent]),
        ..our_query()
    };
    let request = TracingRequest::QueryTraces {
        request_id: None,
        query,
    };
    let read: reflow::TracingRequest =
        serde_json::from_str(&text(&request)).expect("they pass over it");
    let plain = TracingRequest::QueryTraces {
        request_id: None,
        query: our_query(),
    };
    assert_eq!(bare(&read), bare(&plain));
}
