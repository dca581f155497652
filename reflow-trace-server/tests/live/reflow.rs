//! What Reflow's clients say and are answered.

use std::collections::HashMap;

use reflow_trace::protocol::{
    ExecutionId, ExecutionStatus, FlowId, FlowTrace, FlowVersion, QueryRequest, RequestId,
    SubscriptionRequest, TraceMessage, TraceMetadata, TraceResponse, TracingRequest,
    TracingResponse,
};
use reflow_trace::{TraceEvent, TraceEventType, TraceId};
use reflow_trace_server::Server;
use reflow_trace_server::config::Config;

use crate::talk::{Client, connect, flow, start};

async fn trace(client: &mut Client, trace_id: TraceId) -> Option<FlowTrace> {
    let request_id = Some(RequestId(uuid::Uuid::from_u128(5)));
    let request = TracingRequest::GetTrace {
        request_id,
        trace_id,
    };
    client.request(&request).await;
    match client.response().await {
        TracingResponse::TraceData {
            request_id: named,
            trace,
        } => {
            assert_eq!(named, request_id);
            trace.map(|trace| *trace)
        }
        other => panic!("{other:?}"),
    }
}

async fn query(client: &mut Client, query: QueryRequest) -> (Vec<FlowTrace>, usize) {
    let request = TracingRequest::QueryTraces {
        request_id: None,
        query,
    };
    client.request(&request).await;
    match client.response().await {
        TracingResponse::QueryResults {
            traces,
            total_count,
            request_id: None,
        } => (traces, total_count),
        other => panic!("{other:?}"),
    }
}

fn version() -> FlowVersion {
    FlowVersion {
        major: 1,
        git_hash: Some("abc".to_owned()),
        ..FlowVersion::default()
    }
}

#[tokio::test]
async fn what_is_acknowledged_is_found_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let config = || {
        let mut config = Config::default();
        config.listen.set_port(0);
        config.data = directory.path().to_owned();
        config
    };
    let trace_id = TraceId::new();
    let sent = flow("store");
    let running = Server::start(config()).await.unwrap();
    let mut client = connect(running.addr(), &[]).await.unwrap();
    let flow_id = FlowId("a flow".to_owned());
    client
        .request(&TracingRequest::StartTrace {
            trace_id: Some(trace_id),
            flow_id: flow_id.clone(),
            version: version(),
        })
        .await;
    let started = TracingResponse::TraceStarted { trace_id };
    assert_eq!(client.response().await, started);
    client.store(trace_id, sent.clone()).await;
    client
        .request(&TracingRequest::EndTrace {
            trace_id,
            status: ExecutionStatus::Completed,
        })
        .await;
    assert_eq!(client.recorded().await, Ok(()));
    let before = trace(&mut client, trace_id).await.unwrap();
    drop(client);
    running.shutdown(std::time::Duration::from_secs(10)).await;

    let running = Server::start(config()).await.unwrap();
    let mut client = connect(running.addr(), &[]).await.unwrap();
    let after = trace(&mut client, trace_id).await.unwrap();
    assert_eq!(after, before);
    let mut kept = sent;
    kept.trace_id = Some(trace_id);
    assert_eq!(after.events, [kept]);
    assert_eq!(after.flow_id, flow_id);
    assert_eq!(after.version, version());
    assert_eq!(after.status, ExecutionStatus::Completed);
    assert!(after.end_time.unwrap() >= after.start_time);
    client
        .request(&TracingRequest::GetFlowVersions { flow_id })
        .await;
    let versions = vec![version()];
    let expected = TracingResponse::FlowVersions { versions };
    assert_eq!(client.response().await, expected);
    assert_eq!(trace(&mut client, TraceId::new()).await, None);
}

#[tokio::test]
async fn a_trace_that_is_handed_in_whole_is_given_back_whole_and_once() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    let trace_id = TraceId::new();
    let mut whole = FlowTrace::of_events(trace_id, vec![flow("a"), flow("b")]);
    for event in &mut whole.events {
        event.trace_id = Some(trace_id);
    }
    whole.flow_id = FlowId("f".to_owned());
    whole.execution_id = ExecutionId(uuid::Uuid::from_u128(9));
    whole.status = ExecutionStatus::Failed {
        error: "it broke".to_owned(),
    };
    whole.version = version();
    whole.metadata = TraceMetadata {
        user_id: Some("me".to_owned()),
        tags: HashMap::from([("k".to_owned(), "v".to_owned())]),
        ..TraceMetadata::default()
    };
    for _ in 0..2 {
        let message = TraceMessage::StoreTrace {
            trace: Box::new(whole.clone()),
        };
        client.say(&serde_json::to_string(&message).unwrap()).await;
        let stored = TraceResponse::TraceStored { trace_id };
        assert_eq!(client.older().await, stored);
    }
    assert_eq!(trace(&mut client, trace_id).await.unwrap(), whole);
}

#[tokio::test]
async fn traces_are_found_by_their_events_their_flow_and_their_state() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    let ids: Vec<_> = (0..5).map(|_| TraceId::new()).collect();
    for trace_id in &ids {
        client.store(*trace_id, flow("a")).await;
        client
            .store(*trace_id, TraceEvent::actor_started("b"))
            .await;
    }
    client
        .store(ids[3], TraceEvent::actor_failed("b", "no"))
        .await;
    client
        .request(&TracingRequest::StartTrace {
            trace_id: Some(ids[4]),
            flow_id: FlowId("f".to_owned()),
            version: version(),
        })
        .await;
    client.response().await;
    // An event without a trace.
    client
        .store(TraceId(uuid::Uuid::nil()), flow("elsewhere"))
        .await;

    let found = |traces: &[FlowTrace]| -> Vec<_> {
        let place = |trace: &FlowTrace| ids.iter().position(|id| *id == trace.trace_id);
        traces.iter().map(place).collect()
    };
    let all = QueryRequest {
        actor_filter: Some("a".to_owned()),
        limit: Some(2),
        offset: Some(1),
        ..QueryRequest::default()
    };
    let (traces, total_count) = query(&mut client, all).await;
    assert_eq!((found(&traces), total_count), (vec![Some(1), Some(2)], 5));
    assert_eq!(traces[0].events.len(), 2, "whole, not only what was found");

    let by = |change: fn(&mut QueryRequest)| {
        let mut query = QueryRequest::default();
        change(&mut query);
        query
    };
    for (asked, expected) in [
        (
            by(|asked| asked.flow_id = Some(FlowId("f".to_owned()))),
            vec![Some(4)],
        ),
        (
            by(|asked| {
                asked.status = Some(ExecutionStatus::Failed {
                    error: String::new(),
                })
            }),
            vec![Some(3)],
        ),
        (
            by(|asked| asked.custom_filter = Some("destination_actor = 'elsewhere'".to_owned())),
            vec![None],
        ),
        (
            by(|asked| asked.event_types = Some(vec![TraceEventType::ActorFailed])),
            vec![Some(3)],
        ),
        (
            by(|asked| asked.actor_filter = Some("nobody".to_owned())),
            vec![],
        ),
    ] {
        let (traces, total_count) = query(&mut client, asked.clone()).await;
        assert_eq!(found(&traces), expected, "{asked:?}");
        assert_eq!(total_count, expected.len());
    }
    let nil = QueryRequest {
        actor_filter: Some("elsewhere".to_owned()),
        ..QueryRequest::default()
    };
    assert_eq!(query(&mut client, nil).await.0[0].events.len(), 1);
}

#[tokio::test]
async fn events_that_arrive_together_are_committed_together_and_answered_in_order() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    let trace_id = TraceId::new();
    server.store.hold(true);
    for _ in 0..500 {
        client.record(trace_id, flow("a")).await;
    }
    client.say("{\"Nonsense\": 1}").await;
    client.record(trace_id, flow("a")).await;
    client.request(&TracingRequest::Ping).await;
    server.store.hold(false);
    for _ in 0..500 {
        assert_eq!(client.recorded().await, Ok(()));
    }
    let error = client.error().await;
    assert!(error.starts_with("InvalidRequest: no message is called `Nonsense`"));
    assert_eq!(client.recorded().await, Ok(()));
    assert_eq!(client.response().await, TracingResponse::Pong);
    let metrics = server.running.metrics();
    assert_eq!(metrics.stored_events.get(), 501);
    assert_eq!(metrics.reflow_events.get(), 501);
    let batches = metrics.stored_batches.get();
    assert!(batches <= 10, "{batches} batches for 501 events");
}

#[tokio::test]
async fn a_subscriber_is_told_of_what_fits_until_it_has_enough() {
    let server = start(|_| {}).await;
    let mut watcher = server.connect().await;
    let filters = SubscriptionRequest {
        actor_ids: Some(vec!["critical".to_owned()]),
        event_types: Some(vec![TraceEventType::DataFlow {
            to_actor: "*".to_owned(),
            to_port: "*".to_owned(),
        }]),
        custom_filter: Some("size_bytes < 100".to_owned()),
        ..SubscriptionRequest::default()
    };
    watcher
        .request(&TracingRequest::Subscribe { filters })
        .await;
    watcher.lives().await;
    let mut client = server.connect().await;
    let trace_id = TraceId::new();
    client.store(trace_id, flow("other")).await;
    client
        .store(trace_id, TraceEvent::actor_started("critical"))
        .await;
    let wanted = flow("critical");
    client.store(trace_id, wanted.clone()).await;
    let told = watcher.notified().await;
    assert_eq!(told.event_id, wanted.event_id);
    watcher.request(&TracingRequest::Unsubscribe).await;
    watcher.lives().await;
    client.store(trace_id, flow("critical")).await;
    watcher.lives().await;
    assert_eq!(server.subscriptions(), 0);
}

#[tokio::test]
async fn a_subscription_to_a_flow_is_of_its_traces_whenever_they_began() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    let begin = async |client: &mut Client, name: &str| {
        let request = TracingRequest::StartTrace {
            trace_id: None,
            flow_id: FlowId(name.to_owned()),
            version: version(),
        };
        client.request(&request).await;
        match client.response().await {
            TracingResponse::TraceStarted { trace_id } => trace_id,
            other => panic!("{other:?}"),
        }
    };
    let before = begin(&mut client, "f").await;
    let other = begin(&mut client, "g").await;
    let mut watcher = server.connect().await;
    let filters = SubscriptionRequest {
        flow_ids: Some(vec![FlowId("f".to_owned())]),
        status_filter: Some(vec![ExecutionStatus::Running]),
        event_types: Some(vec![TraceEventType::DataFlow {
            to_actor: "*".to_owned(),
            to_port: "*".to_owned(),
        }]),
        ..SubscriptionRequest::default()
    };
    watcher
        .request(&TracingRequest::Subscribe { filters })
        .await;
    watcher.lives().await;
    let after = begin(&mut client, "f").await;
    for (trace_id, to) in [(other, "no"), (before, "one"), (after, "two")] {
        client.store(trace_id, flow(to)).await;
    }
    client
        .request(&TracingRequest::EndTrace {
            trace_id: before,
            status: ExecutionStatus::Completed,
        })
        .await;
    client.recorded().await.unwrap();
    client.store(before, flow("ended")).await;
    client.store(after, flow("three")).await;
    for expected in ["one", "two", "three"] {
        let told = watcher.notified().await;
        assert_eq!(told.destination().unwrap().0, expected);
    }
}

#[tokio::test]
async fn the_older_family_is_answered_in_its_own_words() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    client.say("\"GetMetrics\"").await;
    match client.older().await {
        TraceResponse::Metrics { data } => {
            assert_eq!(data["reflow_trace_reflow_requests_total"]["GetMetrics"], 1);
            assert_eq!(data["reflow_trace_ready"], 1.0);
        }
        other => panic!("{other:?}"),
    }
    let filter = SubscriptionRequest {
        custom_filter: Some("size_bytes >".to_owned()),
        ..SubscriptionRequest::default()
    };
    let message = TraceMessage::Subscribe { filter };
    client.say(&serde_json::to_string(&message).unwrap()).await;
    match client.older().await {
        TraceResponse::Error { message } => assert!(message.contains("custom_filter"), "{message}"),
        other => panic!("{other:?}"),
    }
    client.lives().await;
}

#[tokio::test]
async fn compressed_messages_are_read_and_answered_in_text() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    let request = TracingRequest::RecordEvent {
        trace_id: TraceId::new(),
        event: Box::new(flow("a")),
    };
    let text = serde_json::to_vec(&request).unwrap();
    client
        .say_bytes(zstd::bulk::compress(&text, 3).unwrap())
        .await;
    assert_eq!(client.recorded().await, Ok(()));
    client.say_bytes(text).await;
    assert_eq!(client.recorded().await, Ok(()));
}

#[tokio::test]
async fn what_is_wrong_with_a_message_is_said_and_the_connection_lives() {
    let server = start(|_| {}).await;
    let mut client = server.connect().await;
    let deep = format!("{{\"QueryTraces\":{}", "[".repeat(100_000));
    for (text, expected) in [
        (
            "",
            "SerializationError: this is no message: it is neither `\"Name\"` nor `{\"Name\": …}`",
        ),
        (
            "{\"RecordEvnt\": {}}",
            "InvalidRequest: no message is called `RecordEvnt`; did you mean `RecordEvent`?",
        ),
        (
            "{\"RecordEvent\": {\"trace_id\": 5}}",
            "SerializationError: in `RecordEvent`: ",
        ),
        (
            &deep,
            "InvalidRequest: at byte 78 this message is nested more than 64 deep",
        ),
        (
            "{\"Subscribe\": {\"filters\": {\"custom_filter\": \"size_bytes > \"}}}",
            "InvalidRequest: `custom_filter`: ",
        ),
        (
            "{\"QueryTraces\": {\"query\": {\"custom_filter\": \"'; DROP TABLE\"}}}",
            "InvalidRequest: `custom_filter`: ",
        ),
        (
            "{\"ticket\":{\"ticket\":\"00\"}}",
            "InvalidRequest: a ticket has to be the first message",
        ),
    ] {
        client.say(text).await;
        let error = client.error().await;
        assert!(error.starts_with(expected), "{error}");
    }
    client.say_bytes(vec![0xff; 100]).await;
    let error = client.error().await;
    assert!(
        error.starts_with("SerializationError: a binary message is neither"),
        "{error}"
    );
    let bomb = zstd::bulk::compress(&vec![b' '; 64 << 20], 3).unwrap();
    client.say_bytes(bomb).await;
    let error = client.error().await;
    assert!(error.contains("`live.ratio_max` allow no more"), "{error}");
    client.lives().await;
    assert_eq!(server.running.metrics().stored_events.get(), 0);
}

#[tokio::test]
async fn an_event_that_can_never_be_stored_is_said_to_be_and_its_neighbours_are_stored() {
    let server = start(|config| {
        config.ingest.frame_bytes_max = 4 << 10;
        config.ingest.plain_bytes_max = 4 << 10;
    })
    .await;
    let mut client = server.connect().await;
    let trace_id = TraceId::new();
    let mut huge = flow("a");
    let noise: String = (0..4_000).map(|_| fastrand::alphanumeric()).collect();
    huge.data.error = Some(noise);
    server.store.hold(true);
    client.record(trace_id, flow("first")).await;
    for event in [flow("a"), huge, flow("b")] {
        client.record(trace_id, event).await;
    }
    server.store.hold(false);
    assert_eq!(client.recorded().await, Ok(()));
    assert_eq!(client.recorded().await, Ok(()));
    let error = client.recorded().await.unwrap_err();
    assert!(error.contains("bytes"), "{error}");
    assert_eq!(client.recorded().await, Ok(()));
    assert_eq!(server.running.metrics().stored_events.get(), 3);
}

#[tokio::test]
async fn a_message_over_the_limit_ends_the_connection_after_saying_why() {
    let server = start(|config| config.live.message_bytes_max = 10_000).await;
    let mut client = server.connect().await;
    client.say(&"x".repeat(10_001)).await;
    let error = client.error().await;
    assert!(error.contains("more than 10000 bytes"), "{error}");
    client.is_closed_with(1008).await;
}
