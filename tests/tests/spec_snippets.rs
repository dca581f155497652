//! Every snippet of the specification *Data Flow Tracing*, in its order, as a test.
//!
//! `docs/SPEC.md` says which are verbatim, which are adapted and why, and what is missing. The two
//! connectors are in `spec_connectors.rs`. One recording serves all tests of this process, so that
//! each uses actors of its own and looks at nothing else.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use reflow_trace::graph::Count;
use reflow_trace::lineage::FlowIndex;
use reflow_trace::query::{SubscriptionFilters, TraceQuery};
use reflow_trace::{
    DataFlowGraph, DataFlowSampler, EventId, Guard, MemorySink, MessageSnapshot, Outcome,
    PerformanceMetrics, TraceEvent, TraceEventData, TraceEventType, TracingConfig,
    TracingIntegration, global_tracing,
};
use serde_json::json;

/// The snippets return `Result<()>` and leave open what it is.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What the snippets know of a message.
struct Message {
    type_name: &'static str,
    content: &'static str,
}

impl Message {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn size_bytes(&self) -> usize {
        self.content.len()
    }

    fn priority(&self) -> u8 {
        7
    }

    fn correlation_id(&self) -> &'static str {
        "order-66"
    }

    fn serialize(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self.content)
    }
}

const READING: Message = Message {
    type_name: "SensorReading",
    content: "21.5",
};

/// The recording of this process.
fn recording() -> &'static (Guard, MemorySink) {
    static RECORDING: OnceLock<(Guard, MemorySink)> = OnceLock::new();
    RECORDING.get_or_init(|| {
        let memory = MemorySink::with_capacity(10_000);
        let guard = reflow_trace::builder()
            .sink(memory.clone())
            .start()
            .expect("nothing else records in this process");
        (guard, memory)
    })
}

fn tracing() -> TracingIntegration {
    recording();
    global_tracing().expect("the recording has begun")
}

/// What was recorded of the actors whose names begin with `prefix`.
fn recorded(prefix: &str) -> Vec<TraceEvent> {
    let (guard, memory) = recording();
    guard
        .flush(Duration::from_secs(10))
        .expect("a memory sink does not stall");
    let mut events = memory.events();
    events.retain(|event| event.actor_id.starts_with(prefix));
    events
}

fn message_type(event: &TraceEvent) -> &str {
    let message = event.data.message.as_ref();
    message.map_or("", |message| &message.message_type)
}

/// Snippet 2, the event structure.
#[tokio::test]
async fn an_event_holds_everything_the_event_structure_names() -> Result<()> {
    let event = TraceEvent {
        event_type: TraceEventType::DataFlow {
            to_actor: "structure_processor".to_string(), // Destination actor
            to_port: "input".to_string(),                // Destination port
        },
        actor_id: "structure_reader".to_string(), // Source actor (from_actor)
        data: TraceEventData {
            port: Some("output".to_string()), // Source port
            message: Some(MessageSnapshot {
                message_type: "SensorReading".to_string(),
                size_bytes: 256,
                checksum: "sha256:abc123...".to_string(),
                serialized_data: vec![], // Optional data capture
                ..Default::default()
            }),
            performance_metrics: PerformanceMetrics {
                execution_time_ns: Some(1_500_000), // 1.5ms transfer time
                queue_depth: Some(3),               // Destination queue depth
                throughput_msgs_per_sec: Some(1000.0),
                memory_usage_bytes: Some(512), // Memory for message processing
                cpu_usage_percent: Some(2.5),
                ..Default::default()
            },
            custom_attributes: HashMap::from(
                [
                    ("source_actor", json!("sensor_reader")),
                    ("source_port", json!("data")),
                    ("destination_actor", json!("data_processor")),
                    ("destination_port", json!("input")),
                    ("message_id", json!("msg_12345")),
                    ("protocol", json!("memory_channel")),
                    ("compression", json!("none")),
                ]
                .map(|(key, value)| (key.to_string(), value)),
            ),
            ..Default::default()
        },
        // `event_id` and `timestamp`, which the snippet declares by their types.
        ..TraceEvent::data_flow("", "", "", "", "", 0)
    };

    tracing().record_event(event.clone()).await?;
    let events = recorded("structure_reader");
    assert_eq!(events, [event], "what is read is what was recorded");

    let json = serde_json::to_value(&events[0])?;
    let metrics = &json["data"]["performance_metrics"];
    assert_eq!(json["event_type"]["DataFlow"]["to_port"], "input");
    assert_eq!(json["data"]["message"]["size_bytes"], 256);
    assert_eq!(metrics["execution_time_ns"], 1_500_000);
    assert_eq!(metrics["queue_depth"], 3);
    assert_eq!(json["data"]["custom_attributes"]["message_id"], "msg_12345");
    Ok(())
}

/// The pipeline of snippet 3, recorded by hand; `prefix` keeps the tests apart.
async fn record_pipeline(prefix: &str) -> Result<()> {
    let flows = [
        ("Sensor Reader", "Data Validator", "SensorReading"),
        ("Data Validator", "Data Transformer", "ValidatedReading"),
        ("Data Transformer", "Analytics Engine", "ProcessedData"),
        ("Analytics Engine", "Dashboard", "Insights"),
    ];
    for (from, to, message_type) in flows {
        let (from, to) = (format!("{prefix}{from}"), format!("{prefix}{to}"));
        let mut event = TraceEvent::data_flow(from, "out", to, "in", message_type, 256);
        event
            .data
            .custom_attributes
            .insert("message_id".to_string(), json!("msg_12345"));
        event.data.performance_metrics.execution_time_ns = Some(match message_type {
            "ProcessedData" => 25_000_000,
            _ => 1_500_000,
        });
        tracing().record_event(event).await?;
    }
    Ok(())
}

/// Snippet 3, the Mermaid graph.
#[tokio::test]
async fn the_graph_of_the_pipeline_is_the_specified_one() -> Result<()> {
    record_pipeline("3 ").await?;
    let graph = DataFlowGraph::from_events(&recorded("3 "));
    let edges: Vec<String> = graph
        .edges()
        .iter()
        .map(|edge| {
            let label = &edge.messages[0].message_type;
            format!("[{}] -->|{label}| [{}]", edge.from_actor, edge.to_actor)
        })
        .map(|edge| edge.replace("3 ", ""))
        .collect();
    for specified in [
        "[Sensor Reader] -->|SensorReading| [Data Validator]",
        "[Data Validator] -->|ValidatedReading| [Data Transformer]",
        "[Data Transformer] -->|ProcessedData| [Analytics Engine]",
        "[Analytics Engine] -->|Insights| [Dashboard]",
    ] {
        assert!(
            edges.iter().any(|edge| edge == specified),
            "{specified}: {edges:#?}"
        );
    }
    assert_eq!(edges.len(), 4);

    let mermaid = graph.to_mermaid();
    for label in [
        "SensorReading",
        "ValidatedReading",
        "ProcessedData",
        "Insights",
    ] {
        assert!(mermaid.contains(label), "{mermaid}");
    }
    Ok(())
}

/// Snippet 4, a query by message id. `query_traces` needs the server; in process the same question is
/// asked of the events.
#[tokio::test]
async fn what_a_lineage_query_finds_is_in_the_events() -> Result<()> {
    record_pipeline("4 ").await?;
    let events = recorded("4 ");
    // Find all data flow for a specific message
    let query = TraceQuery {
        event_types: Some(vec![TraceEventType::DataFlow {
            to_actor: "*".to_string(),
            to_port: "*".to_string(),
        }]),
        custom_filter: Some("message_id = 'msg_12345'"),
        ..Default::default()
    };

    let expected = [
        "SensorReading",
        "ValidatedReading",
        "ProcessedData",
        "Insights",
    ];
    let found: Vec<&str> = query.compile()?.select(&events).map(message_type).collect();
    assert_eq!(found, expected);

    // With every cause and effect.
    let index = FlowIndex::new(&events);
    let lineage = index.lineage("msg_12345").ok_or("it was recorded")?;
    let flows = lineage.steps().iter().map(|step| step.event);
    let types: Vec<&str> = flows
        .filter(|event| event.is_data_flow())
        .map(message_type)
        .collect();
    assert_eq!(types, expected);
    Ok(())
}

/// Snippet 5, slow transfers.
#[tokio::test]
async fn what_a_query_for_slow_transfers_finds_is_in_the_events() -> Result<()> {
    record_pipeline("5 ").await?;
    let events = recorded("5 ");
    let query = {
        use chrono::{Duration, Utc};

        // Query for slow data transfers
        let slow_transfers = TraceQuery {
            event_types: Some(vec![TraceEventType::DataFlow {
                to_actor: "*".to_string(),
                to_port: "*".to_string(),
            }]),
            performance_filter: Some("execution_time_ns > 10000000"), // > 10ms
            time_range: Some((Utc::now() - Duration::hours(1), Utc::now())),
            ..Default::default()
        };
        slow_transfers.compile()?
    };
    let types: Vec<&str> = query.select(&events).map(message_type).collect();
    assert_eq!(types, ["ProcessedData"]);

    // Where the time goes: 25 of 25 + 3 × 1.5 ms.
    let slowest = FlowIndex::new(&events).edge_shares().swap_remove(0);
    assert_eq!(slowest.ends[0], "5 Data Transformer");
    assert_eq!(slowest.transfer, Duration::from_millis(25));
    assert!((slowest.share - 25.0 / 29.5).abs() < 1e-9);
    Ok(())
}

/// Snippet 6, the dependency query. SQL needs the server.
#[tokio::test]
async fn what_the_dependency_query_sums_up_is_in_the_graph() -> Result<()> {
    record_pipeline("6 ").await?;
    record_pipeline("6 ").await?;
    let events = recorded("6 ");
    let graph = DataFlowGraph::from_events(&events);
    for edge in graph.edges() {
        assert_eq!(edge.count(), Count::AtLeast(2), "{edge:?}");
        let of_edge = events
            .iter()
            .filter(|event| event.actor_id == edge.from_actor);
        let total_bytes: usize = of_edge
            .filter_map(|event| event.data.message.as_ref())
            .map(|message| message.size_bytes)
            .sum();
        assert_eq!(total_bytes, 512);
    }
    assert_eq!(graph.edges().len(), 4);

    // Which actors depend on which data sources, directly and through others
    let map = FlowIndex::new(&events).dependency_map();
    let dependencies: Vec<(&str, usize)> = map
        .dependencies_of("6 Dashboard")
        .iter()
        .map(|dependency| (dependency.on, dependency.distance))
        .collect();
    let expected = [
        ("6 Analytics Engine", 1),
        ("6 Data Transformer", 2),
        ("6 Data Validator", 3),
        ("6 Sensor Reader", 4),
    ];
    assert_eq!(dependencies, expected);
    assert_eq!(map.sources_of("6 Dashboard"), ["6 Sensor Reader"]);
    Ok(())
}

/// Snippet 7, a subscription. `subscribe` needs the server; what it lets through is asked of events.
#[test]
fn a_subscription_lets_through_the_flows_of_its_actors() -> Result<()> {
    // Subscribe to data flow events for specific actors
    let filters = SubscriptionFilters {
        actor_ids: Some(vec!["critical_processor".to_string()]),
        event_types: Some(vec![TraceEventType::DataFlow {
            to_actor: "*".to_string(),
            to_port: "*".to_string(),
        }]),
        ..Default::default()
    };

    let wanted = filters.compile()?;
    let flow = |from, to| TraceEvent::data_flow(from, "out", to, "in", "T", 1);
    assert!(wanted.matches(&flow("critical_processor", "b")));
    assert!(wanted.matches(&flow("a", "critical_processor")));
    assert!(!wanted.matches(&flow("a", "b")));
    assert!(!wanted.matches(&TraceEvent::actor_failed("critical_processor", "too hot")));
    Ok(())
}

/// Snippet 8, the configuration.
#[test]
fn the_configuration_is_written_as_specified() {
    let tracing_config = TracingConfig {
        server_url: "ws://localhost:8080".to_string(),
        enabled: true,  // Enables all tracing including data flow
        batch_size: 50, // Batch size for data flow events
        batch_timeout: Duration::from_millis(1000),
        enable_compression: true, // Recommended for data flow events
        ..Default::default()
    };
    assert!(tracing_config.enabled);
}

/// Snippet 10, the sampler.
#[test]
fn the_sampler_never_before_always_before_rate() {
    let sampler = DataFlowSampler {
        sample_rate: 0.0,                               // 0.0 to 1.0
        always_trace: vec!["alarm".to_string()],        // Actor names to always trace
        never_trace: vec!["debug_printer".to_string()], // Actor names to never trace
    };
    for (from_actor, to_actor, expected) in [
        ("debug_printer", "alarm", false),
        ("alarm", "debug_printer", false),
        ("alarm", "store", true),
        ("store", "alarm", true),
        ("reader", "store", false),
    ] {
        assert_eq!(sampler.should_trace(from_actor, to_actor), expected);
    }
    let everything = DataFlowSampler {
        sample_rate: 1.0,
        ..sampler
    };
    assert!(everything.should_trace("reader", "store"));
}

/// Snippet 11, message content capture.
#[tokio::test]
async fn content_is_captured_with_its_checksum() -> Result<()> {
    let message = READING;
    let (from_actor, from_port, to_actor, to_port) = ("capture_a", "out", "capture_b", "in");
    let (message_type, size_bytes) = (message.type_name(), message.size_bytes());
    let event = TraceEvent::data_flow_with_content(
        from_actor,
        from_port,
        to_actor,
        to_port,
        message_type,
        size_bytes,
        Some(message.serialize()?), // Optional content capture
    );
    tracing().record_event(event).await?;

    let events = recorded("capture_a");
    let captured = events[0]
        .data
        .message
        .as_ref()
        .ok_or("a message was captured")?;
    assert_eq!(captured.serialized_data, b"\"21.5\"");
    // sha256sum of these six bytes.
    assert_eq!(captured.checksum, CHECKSUM);
    Ok(())
}

const CHECKSUM: &str = "sha256:710556624efec37b7e9979a0d166b7e3cf498ab461341c0d7f8172ef10ac280a";

/// Snippet 12, custom metadata.
async fn trace_enhanced_data_flow(
    tracing: &TracingIntegration,
    from_actor: &str,
    from_port: &str,
    to_actor: &str,
    to_port: &str,
    message: &Message,
    custom_metadata: HashMap<String, serde_json::Value>,
) -> Result<()> {
    let mut event = TraceEvent::data_flow(
        from_actor.to_string(),
        from_port.to_string(),
        to_actor.to_string(),
        to_port.to_string(),
        message.type_name(),
        message.size_bytes(),
    );

    // Add custom metadata
    event.data.custom_attributes.extend(custom_metadata);

    // Add message-specific metadata
    event
        .data
        .custom_attributes
        .insert("message_priority".to_string(), json!(message.priority()));
    event.data.custom_attributes.insert(
        "message_correlation_id".to_string(),
        json!(message.correlation_id()),
    );

    Ok(tracing.record_event(event).await?)
}

#[tokio::test]
async fn custom_metadata_arrives_with_the_event() -> Result<()> {
    let metadata = HashMap::from([("tenant".to_string(), json!({"name": "acme", "tier": 3}))]);
    let (from, to) = ("metadata_a", "metadata_b");
    trace_enhanced_data_flow(&tracing(), from, "out", to, "in", &READING, metadata).await?;

    let events = recorded("metadata_a");
    let attributes = &events[0].data.custom_attributes;
    assert_eq!(attributes["tenant"], json!({"name": "acme", "tier": 3}));
    assert_eq!(attributes["message_priority"], json!(7));
    assert_eq!(attributes["message_correlation_id"], json!("order-66"));
    Ok(())
}

/// Snippet 13, causality tracking.
async fn trace_causally_linked_data_flow(
    tracing: &TracingIntegration,
    triggering_event_id: EventId,
    from_actor: &str,
    from_port: &str,
    to_actor: &str,
    to_port: &str,
    message: &Message,
) -> Result<()> {
    let mut event = TraceEvent::data_flow(
        from_actor.to_string(),
        from_port.to_string(),
        to_actor.to_string(),
        to_port.to_string(),
        message.type_name(),
        message.size_bytes(),
    );

    // Link to triggering event
    event.causality.parent_event_id = Some(triggering_event_id);
    event.causality.dependency_chain.push(triggering_event_id);

    Ok(tracing.record_event(event).await?)
}

#[tokio::test]
async fn a_causally_linked_event_names_its_cause() -> Result<()> {
    let trigger = TraceEvent::message_received("causality_a", "in", "SensorReading", 4);
    let triggering_event_id = trigger.event_id;
    tracing().record_event(trigger).await?;
    let (from, to) = ("causality_a", "causality_b");
    trace_causally_linked_data_flow(
        &tracing(),
        triggering_event_id,
        from,
        "out",
        to,
        "in",
        &READING,
    )
    .await?;

    let events = recorded("causality_a");
    let [received, sent] = events.as_slice() else {
        panic!("two events were recorded: {events:#?}");
    };
    assert_eq!(sent.causality.parent_event_id, Some(received.event_id));
    assert_eq!(sent.causality.dependency_chain, [received.event_id]);
    // The event claims to be a root until its causality is changed; read back, it is one no more.
    assert_eq!(sent.causality.root_cause_event_id, Some(received.event_id));
    Ok(())
}

/// Snippet 14, monitoring performance impact.
#[tokio::test]
async fn the_tracing_tells_what_it_costs() -> Result<()> {
    record_pipeline("14 ").await?;
    let pipeline = recorded("14 ");
    // Monitor tracing overhead
    let tracing_metrics = global_tracing().unwrap().get_performance_metrics().await?;

    println!("Events per second: {}", tracing_metrics.events_per_second);
    println!("Average latency: {}ms", tracing_metrics.avg_latency_ms);
    println!("Memory usage: {}MB", tracing_metrics.memory_usage_mb);

    assert!(tracing_metrics.events_per_second >= 0.0);
    assert!(tracing_metrics.avg_latency_ms >= 0.0);
    assert!(tracing_metrics.memory_usage_mb > 0.0, "queues take memory");
    assert!(tracing_metrics.ledger.collected >= pipeline.len() as u64);
    assert_eq!(tracing_metrics.ledger.lost, []);
    Ok(())
}

/// Snippet 15, data flow diagrams. `query_data_flows` needs the server.
#[tokio::test]
async fn the_picture_is_written_to_a_file() -> Result<()> {
    use chrono::{Duration, Utc};

    record_pipeline("15 ").await?;
    let events = recorded("15 ");
    // Generate data flow graph for the last hour
    let query = TraceQuery {
        time_range: Some((Utc::now() - Duration::hours(1), Utc::now())),
        ..Default::default()
    };
    let query = query.compile()?;
    let flow_data: Vec<TraceEvent> = query.select(&events).cloned().collect();
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("spec_snippets");
    std::fs::create_dir_all(&directory)?;
    let file = directory.join("data_flow_diagram.svg");

    let graph = DataFlowGraph::from_events(&flow_data);
    graph.render_to_file(&file)?;

    let picture = std::fs::read_to_string(file)?;
    assert!(picture.contains("<svg") && picture.trim_end().ends_with("</svg>"));
    assert!(picture.contains("15 Analytics Engine") && picture.contains("ProcessedData"));
    Ok(())
}

/// Snippet 16, the condition of the dashboard. The connection needs the server.
#[test]
fn the_dashboard_finds_data_flow_in_the_json() -> Result<()> {
    // What JavaScript takes for true in `if (traceEvent.event_type.DataFlow)`.
    let finds = |event: &TraceEvent| -> Result<bool> {
        let trace_event = serde_json::to_value(event)?;
        Ok(trace_event["event_type"]
            .get("DataFlow")
            .is_some_and(|it| it.is_object()))
    };
    assert!(finds(&TraceEvent::data_flow(
        "a", "out", "b", "in", "T", 1
    ))?);
    assert!(!finds(&TraceEvent::message_sent("a", "out", "T", 1))?);
    assert!(!finds(&TraceEvent::actor_created("a"))?);
    Ok(())
}

/// Snippet 17, missing data flows. `query_traces` needs the server; the events come from a memory sink.
#[tokio::test]
async fn a_failed_send_is_a_message_sent_without_a_data_flow() -> Result<()> {
    let start_time = chrono::Utc::now();
    for (message_id, arrives) in [("m1", true), ("m2", false)] {
        let mut sent = TraceEvent::message_sent("missing_a", "out", "SensorReading", 4);
        sent.outcome = Some(if arrives {
            Outcome::Delivered
        } else {
            Outcome::Failed
        });
        let mut events = vec![sent];
        if arrives {
            events.push(TraceEvent::data_flow(
                "missing_a",
                "out",
                "missing_b",
                "in",
                "SensorReading",
                4,
            ));
        }
        for mut event in events {
            event
                .data
                .custom_attributes
                .insert("message_id".to_string(), json!(message_id));
            tracing().record_event(event).await?;
        }
    }

    let end_time = chrono::Utc::now();

    // Debug missing data flows
    let missing_flows = TraceQuery {
        actor_filter: Some("missing_a".to_string()),
        event_types: Some(vec![TraceEventType::MessageSent]),
        time_range: Some((start_time, end_time)),
        ..Default::default()
    };

    let events = recorded("missing_a");
    let query = missing_flows.compile()?;
    let sent_messages = query.select(&events);
    let index = FlowIndex::new(&events);
    // Check if corresponding DataFlow events exist
    let mut missing = Vec::new();
    for sent_event in sent_messages {
        let corresponding_flow = index.find_data_flow_for_message(sent_event);
        if corresponding_flow.is_none() {
            println!("Missing data flow for message: {:?}", sent_event);
            missing.push(sent_event.message_id().cloned());
        }
    }
    assert_eq!(missing, [Some(json!("m2"))]);

    // The same in one question.
    let missing_flows = index.missing_flows(|sent| sent.actor_id == "missing_a");
    let ids = missing_flows.iter().map(|flow| flow.sent.message_id());
    assert_eq!(ids.collect::<Vec<_>>(), [Some(&json!("m2"))]);
    Ok(())
}

/// The table of snippets names every test, and no test that is not there.
#[test]
fn the_table_of_snippets_is_true() {
    let table = include_str!("../../docs/SPEC.md");
    let sources = [
        include_str!("spec_snippets.rs"),
        include_str!("spec_connectors.rs"),
        include_str!("../durability/tests/spec_questions.rs"),
    ];
    // Among other tests, because they need what is there.
    let elsewhere = [
        include_str!("../reflow-network/tests/snippet.rs"),
        include_str!("../../reflow-trace-server/src/answer/sql/tests/spec.rs"),
    ];
    let names = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").nth(2))
        .filter(|tests| tests.starts_with('`'))
        .flat_map(|tests| tests.split(", "))
        .map(|name| format!("fn {}()", name.trim_matches('`')));
    let mut named = 0;
    for function in names {
        let has = |source: &&str| source.contains(&function);
        if sources.iter().any(&has) {
            named += 1;
        } else {
            assert!(elsewhere.iter().any(has), "{function}");
        }
    }
    let tests = sources
        .iter()
        .map(|source| source.matches("test]\n").count())
        .sum::<usize>();
    // All but this one, which is no snippet.
    assert_eq!(named, tests - 1);
}
