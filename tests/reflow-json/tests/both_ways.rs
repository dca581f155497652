//! Reflow's own types read every event that is written here, field by field, and the reverse.

#![deny(warnings)]
#![forbid(unsafe_code)]

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use reflow_trace::ledger::{CounterSnapshot, EdgeCounters, Loss, LossReason};
use reflow_trace::{
    Context, MemorySink, Message, StateDiff, StateDiffType, TraceEvent, TraceEventType, sample,
    traced_actor, traced_connector,
};
use reflow_tracing_protocol as reflow;
use serde_json::json;

fn read_by_reflow(event: &TraceEvent) -> reflow::TraceEvent {
    let text = serde_json::to_string(event).expect("serializes");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn read_by_us(event: &reflow::TraceEvent) -> TraceEvent {
    let text = serde_json::to_string(event).expect("serializes");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Compares what both have fields for. Whole structures are taken apart without `..`, so that a field
/// that Reflow adds is missed by nobody.
fn assert_same(ours: &TraceEvent, theirs: &reflow::TraceEvent) {
    let reflow::TraceEvent {
        event_id,
        timestamp,
        event_type,
        actor_id,
        data,
        causality,
    } = theirs;
    assert_eq!((ours.event_id.0, ours.timestamp), (event_id.0, *timestamp));
    assert_eq!(ours.actor_id, *actor_id);
    assert_same_type(&ours.event_type, event_type);

    let reflow::CausalityInfo {
        parent_event_id,
        root_cause_event_id,
        dependency_chain,
        span_id,
    } = causality;
    let our_parent = ours.causality.parent_event_id.map(|id| id.0);
    assert_eq!(our_parent, parent_event_id.as_ref().map(|id| id.0));
    let our_root = ours.causality.root_cause_event_id.map(|id| id.0);
    assert_eq!(our_root.unwrap_or_default(), root_cause_event_id.0);
    let our_chain = ours.causality.dependency_chain.iter().map(|id| id.0);
    assert!(our_chain.eq(dependency_chain.iter().map(|id| id.0)));
    assert_eq!(ours.causality.span_id, *span_id);

    let reflow::TraceEventData {
        port,
        message,
        state_diff,
        error,
        performance_metrics,
        custom_attributes,
    } = data;
    assert_eq!((&ours.data.port, &ours.data.error), (port, error));
    assert_eq!(ours.data.custom_attributes, *custom_attributes);
    let our_message = ours.data.message.as_ref().map(|message| {
        (
            &message.message_type,
            message.size_bytes,
            &message.checksum,
            &message.serialized_data,
        )
    });
    let their_message = message.as_ref().map(
        |reflow::MessageSnapshot {
             message_type,
             size_bytes,
             checksum,
             serialized_data,
         }| (message_type, *size_bytes, checksum, serialized_data),
    );
    assert_eq!(our_message, their_message);
    let our_diff = ours
        .data
        .state_diff
        .as_ref()
        .map(|diff| (&diff.before, &diff.after, format!("{:?}", diff.diff_type)));
    let their_diff = state_diff.as_ref().map(
        |reflow::StateDiff {
             before,
             after,
             diff_type,
         }| (before, after, format!("{diff_type:?}")),
    );
    assert_eq!(our_diff, their_diff);

    let reflow::PerformanceMetrics {
        execution_time_ns,
        memory_usage_bytes,
        cpu_usage_percent,
        queue_depth,
        throughput_msgs_per_sec,
    } = *performance_metrics;
    let ours = &ours.data.performance_metrics;
    assert_eq!(
        ours.execution_time_ns.unwrap_or_default(),
        execution_time_ns
    );
    assert_eq!(
        ours.memory_usage_bytes.unwrap_or_default(),
        memory_usage_bytes
    );
    assert_eq!(
        ours.cpu_usage_percent.unwrap_or_default(),
        cpu_usage_percent
    );
    assert_eq!(ours.queue_depth.unwrap_or_default(), queue_depth);
    // A reader of JSON may lose the last digit.
    let ours = ours.throughput_msgs_per_sec.unwrap_or_default();
    assert!((ours - throughput_msgs_per_sec).abs() <= ours.abs() * 1e-12);
}

fn assert_same_type(ours: &TraceEventType, theirs: &reflow::TraceEventType) {
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
}

/// What was written by one is the same for the other, and still the same after the way back.
fn assert_both_ways(ours: &TraceEvent) {
    let theirs = read_by_reflow(ours);
    assert_same(ours, &theirs);
    assert_same(&read_by_us(&theirs), &theirs);
}

fn kinds(events: &[TraceEvent]) -> BTreeSet<&'static str> {
    events.iter().map(|event| event.event_type.name()).collect()
}

#[test]
fn reflow_reads_what_every_constructor_makes() {
    let content = Some(b"content".to_vec());
    let events = [
        TraceEvent::data_flow("a", "out", "b", "in", "T", 256),
        TraceEvent::data_flow_with_content("a", "out", "b", "in", "T", 7, content),
        TraceEvent::message_sent("a", "out", "T", usize::MAX),
        TraceEvent::message_received("b", "in", "T", 0),
        TraceEvent::actor_created("传感器 \u{0}\"\\"),
        TraceEvent::actor_started(""),
        TraceEvent::actor_completed("a"),
        TraceEvent::actor_failed("a", "too hot"),
        TraceEvent::network_event("net"),
        TraceEvent::loss(Loss {
            reason: LossReason::RingFull,
            count: u64::MAX,
        }),
        TraceEvent::edge_counters(&CounterSnapshot {
            producer: reflow_trace::event::ProducerId::from_bits(5),
            edges: vec![EdgeCounters::default()],
        }),
    ];
    events.iter().for_each(assert_both_ways);
    assert_eq!(kinds(&events).len(), 8);
}

#[test]
fn reflow_reads_every_kind_and_every_field() {
    let filled = |event_type| {
        let mut event = TraceEvent::message_sent("a", "out", "T", 3);
        event.event_type = event_type;
        event.data.error = Some("none".into());
        event.data.state_diff = Some(StateDiff {
            before: Some(vec![0, 255]),
            after: vec![1],
            diff_type: StateDiffType::Incremental,
        });
        event.data.custom_attributes = HashMap::from([
            (
                "nested".to_owned(),
                json!({"list": [1, -2, null, true, "text"]}),
            ),
            ("unknown".to_owned(), json!("is no list of ours here")),
        ]);
        let metrics = &mut event.data.performance_metrics;
        metrics.execution_time_ns = Some(u64::MAX);
        metrics.memory_usage_bytes = Some(usize::MAX);
        metrics.cpu_usage_percent = Some(12.5);
        metrics.queue_depth = Some(7);
        metrics.throughput_msgs_per_sec = Some(1.0 / 3.0);
        metrics.waiting_time_ns = Some(5);
        event.causality.parent_event_id = Some(reflow_trace::EventId::new());
        event.causality.root_cause_event_id = None;
        event.causality.dependency_chain = vec![reflow_trace::EventId::new(); 3];
        event.causality.joined_event_ids = vec![reflow_trace::EventId::new()];
        event.causality.span_id = "span".into();
        event.causality.hop_count = Some(255);
        event
    };
    let events = [
        TraceEventType::ActorCreated,
        TraceEventType::ActorStarted,
        TraceEventType::ActorCompleted,
        TraceEventType::ActorFailed,
        TraceEventType::MessageSent,
        TraceEventType::MessageReceived,
        TraceEventType::StateChanged,
        TraceEventType::PortConnected,
        TraceEventType::PortDisconnected,
        TraceEventType::DataFlow {
            to_actor: "b".into(),
            to_port: "in".into(),
        },
        TraceEventType::NetworkEvent,
    ]
    .map(filled);
    events.iter().for_each(assert_both_ways);
    assert_eq!(kinds(&events).len(), events.len());
    for diff_type in [
        StateDiffType::Full,
        StateDiffType::Incremental,
        StateDiffType::MemoryOnly,
    ] {
        let mut event = events[0].clone();
        event.data.state_diff = Some(StateDiff {
            before: None,
            after: Vec::new(),
            diff_type,
        });
        assert_both_ways(&event);
    }
}

#[test]
fn we_read_what_reflow_writes() {
    let id = || reflow::EventId(uuid::Uuid::from_u128(7));
    let message = reflow::MessageSnapshot {
        message_type: "T".into(),
        size_bytes: 3,
        checksum: "sha256:".into(),
        serialized_data: vec![1, 2, 3],
    };
    let metrics = |number: u64| reflow::PerformanceMetrics {
        execution_time_ns: number,
        memory_usage_bytes: number as usize,
        cpu_usage_percent: number as f32,
        queue_depth: number as usize,
        throughput_msgs_per_sec: number as f64,
    };
    let event = |event_type, number| reflow::TraceEvent {
        event_id: id(),
        timestamp: chrono::DateTime::from_timestamp(1_700_000_000, 123_456_789).expect("in range"),
        event_type,
        actor_id: "a".into(),
        data: reflow::TraceEventData {
            port: Some("out".into()),
            message: Some(message.clone()),
            state_diff: None,
            error: None,
            performance_metrics: metrics(number),
            custom_attributes: HashMap::from([("key".to_owned(), json!(null))]),
        },
        causality: reflow::CausalityInfo {
            parent_event_id: Some(id()),
            root_cause_event_id: id(),
            dependency_chain: vec![id()],
            span_id: "span".into(),
        },
    };
    for event_type in [
        reflow::TraceEventType::ActorCreated,
        reflow::TraceEventType::ActorStarted,
        reflow::TraceEventType::ActorCompleted,
        reflow::TraceEventType::ActorFailed,
        reflow::TraceEventType::MessageSent,
        reflow::TraceEventType::MessageReceived,
        reflow::TraceEventType::StateChanged,
        reflow::TraceEventType::PortConnected,
        reflow::TraceEventType::PortDisconnected,
        reflow::TraceEventType::DataFlow {
            to_actor: "b".into(),
            to_port: "in".into(),
        },
        reflow::TraceEventType::NetworkEvent,
    ] {
        for number in [0, 1_000] {
            let theirs = event(event_type.clone(), number);
            let ours = read_by_us(&theirs);
            assert_same(&ours, &theirs);
            // Theirs is never unknown, a zero neither.
            assert_eq!(
                ours.data.performance_metrics.execution_time_ns,
                Some(number)
            );
            assert_same(&ours, &read_by_reflow(&ours));
        }
    }
}

#[sample(always)]
#[derive(Default)]
struct Reading {
    #[trace(id)]
    id: u64,
    #[trace(context)]
    context: Context,
    #[trace(attribute)]
    celsius: f64,
}

struct Connector;

#[traced_connector(from_actor = ("a"), from_port = ("out"), to_actor = ("b"), to_port = ("in"))]
impl Connector {
    fn send<M: Message>(&self, message: M, works: bool) -> Result<M, String> {
        if works {
            Ok(message)
        } else {
            Err("closed".into())
        }
    }
}

struct Actor;

#[traced_actor(actor = "\"b\"")]
impl Actor {
    fn handle(&mut self, message: Reading) -> Result<(), String> {
        Connector
            .send(Reading::default(), message.id == 1)
            .map(drop)
    }

    fn run(mut self, inbox: Vec<Reading>) -> Result<(), String> {
        inbox
            .into_iter()
            .try_for_each(|message| self.handle(message))
    }
}

#[test]
fn reflow_reads_what_connectors_and_actors_record() {
    let memory = MemorySink::with_capacity(1_000);
    let guard = reflow_trace::builder()
        .sink(memory.clone())
        .start()
        .expect("the only test here that records");
    let inbox = |ids: &[u64]| {
        let readings = ids.iter().map(|&id| Reading {
            id,
            celsius: 0.1,
            ..Reading::default()
        });
        let sent = readings.map(|reading| Connector.send(reading, true).expect("it works"));
        sent.collect::<Vec<_>>()
    };
    Actor.run(inbox(&[1, 1])).expect("it works");
    Actor.run(inbox(&[1, 2])).expect_err("the second does not");
    guard
        .flush(Duration::from_secs(60))
        .expect("the sink takes everything");

    let events = memory.events();
    events.iter().for_each(assert_both_ways);
    let expected = [
        "ActorCompleted",
        "ActorFailed",
        "ActorStarted",
        "DataFlow",
        "MessageReceived",
        "MessageSent",
        "NetworkEvent",
    ];
    assert!(
        kinds(&events).into_iter().eq(expected),
        "{:?}",
        kinds(&events)
    );
    assert!(
        events
            .iter()
            .any(|event| event.causality.parent_event_id.is_some())
    );
    assert!(
        events
            .iter()
            .any(|event| event.as_edge_counters().is_some())
    );
}
