//! The questions of the specification *Data Flow Tracing*, asked of a real server: what a program records goes
//! to it through a `ServerSink`, and a `TracingClient` asks.
//!
//! `docs/SPEC.md` names each test. One recording and one server serve all tests of this process, so that each
//! uses actors and messages of its own and looks at nothing else.

#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use reflow_trace::client::ask::Seen;
use reflow_trace::{
    DataFlowGraph, Guard, Outcome, ServerSink, Subscription, SubscriptionFilters, TraceEvent,
    TraceEventType, TraceQuery, TracingClient, global_tracing,
};
use reflow_trace_server::config::Config;
use reflow_trace_server::{RunningServer, Server};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The snippets return `Result<()>` and leave open what it is.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Much longer than anything here takes; it only ends a test that would never end.
const FOR_EVER: Duration = Duration::from_secs(60);

struct Scene {
    runtime: Runtime,
    guard: Guard,
    tracing_client: TracingClient,
    _server: RunningServer,
    _directory: TempDir,
}

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("the system gives threads");
        let directory = tempfile::tempdir().expect("the directory of tests is writable");
        let mut config = Config::default();
        config.listen.set_port(0);
        config.data = directory.path().to_owned();
        let server = runtime.block_on(Server::start(config)).expect("it starts");
        let url = format!("ws://{}", server.addr());
        let sink = ServerSink::builder(&url)
            .start()
            .expect("the address is good");
        let guard = reflow_trace::builder().sink(sink).start();
        Scene {
            runtime,
            guard: guard.expect("nobody else records"),
            tracing_client: TracingClient::new(&url).expect("the address is good"),
            _server: server,
            _directory: directory,
        }
    })
}

/// Runs a test where the client of the scene is at hand.
fn run<F>(test: impl FnOnce(&'static TracingClient) -> F) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let scene = scene();
    scene.runtime.block_on(test(&scene.tracing_client))
}

/// Waits until what was recorded is stored.
fn stored() -> Result<()> {
    Ok(scene().guard.flush(FOR_EVER)?)
}

async fn record(event: TraceEvent) -> Result<()> {
    let tracing = global_tracing().ok_or("the recording has begun")?;
    Ok(tracing.record_event(event).await?)
}

/// The pipeline of snippet 3; `prefix` keeps the tests apart.
async fn record_pipeline(prefix: &str, message_id: &str) -> Result<()> {
    let flows = [
        ("Sensor Reader", "Data Validator", "SensorReading"),
        ("Data Validator", "Data Transformer", "ValidatedReading"),
        ("Data Transformer", "Analytics Engine", "ProcessedData"),
        ("Analytics Engine", "Dashboard", "Insights"),
    ];
    for (from, to, message_type) in flows {
        let (from, to) = (format!("{prefix}{from}"), format!("{prefix}{to}"));
        let mut event = TraceEvent::data_flow(from, "out", to, "in", message_type, 256);
        event.data.custom_attributes =
            HashMap::from([("message_id".to_string(), json!(message_id))]);
        event.data.performance_metrics.execution_time_ns = Some(match message_type {
            "ProcessedData" => 25_000_000,
            _ => 1_500_000,
        });
        record(event).await?;
    }
    stored()
}

fn message_type(event: &TraceEvent) -> &str {
    let message = event.data.message.as_ref();
    message.map_or("", |message| &message.message_type)
}

const TYPES: [&str; 4] = [
    "SensorReading",
    "ValidatedReading",
    "ProcessedData",
    "Insights",
];

/// Snippet 4, data lineage.
#[test]
fn the_server_finds_all_data_flow_of_a_message() -> Result<()> {
    run(async |tracing_client| {
        record_pipeline("4 ", "msg_12345").await?;
        // Find all data flow for a specific message
        let query = TraceQuery {
            event_types: Some(vec![TraceEventType::DataFlow {
                to_actor: "*".to_string(),
                to_port: "*".to_string(),
            }]),
            custom_filter: Some("message_id = 'msg_12345'"),
            ..Default::default()
        };

        let lineage = tracing_client.query_traces(query).await?;

        let types: Vec<&str> = lineage.iter().map(message_type).collect();
        assert_eq!(types, TYPES);
        assert!(!lineage.is_cut());

        // With every cause and effect, and how each stands to the others.
        let lineage = tracing_client.lineage("msg_12345").await?;
        let flows = lineage.events.iter().filter(|event| event.is_data_flow());
        assert_eq!(flows.map(message_type).collect::<Vec<_>>(), TYPES);
        assert_eq!(lineage.steps.len(), lineage.events.len());
        Ok(())
    })
}

/// Snippet 5, performance analysis.
#[test]
fn the_server_finds_slow_transfers() -> Result<()> {
    run(async |tracing_client| {
        record_pipeline("5 ", "msg_5").await?;
        let slow_transfers = {
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
            tracing_client.query_traces(slow_transfers).await?
        };
        let ours = slow_transfers
            .iter()
            .filter(|event| event.actor_id.starts_with("5 "));
        assert_eq!(
            ours.map(message_type).collect::<Vec<_>>(),
            ["ProcessedData"]
        );
        Ok(())
    })
}

/// Snippet 7, real-time monitoring.
#[test]
fn the_server_tells_of_the_flows_of_an_actor_as_they_are_stored() -> Result<()> {
    async fn next_flow(subscription: &mut Subscription) -> Result<TraceEvent> {
        loop {
            let seen = tokio::time::timeout(FOR_EVER, subscription.next()).await?;
            if let Seen::Events { mut events, .. } = seen.ok_or("it goes on")?? {
                assert_eq!(events.len(), 1, "{events:#?}");
                return events.pop().ok_or_else(|| "it has one".into());
            }
        }
    }
    run(async |tracing_client| {
        // Subscribe to data flow events for specific actors
        let filters = SubscriptionFilters {
            actor_ids: Some(vec!["critical_processor".to_string()]),
            event_types: Some(vec![TraceEventType::DataFlow {
                to_actor: "*".to_string(),
                to_port: "*".to_string(),
            }]),
            ..Default::default()
        };

        let mut subscription = tracing_client.subscribe(filters).await?;

        for (from, to) in [
            ("critical_processor", "anybody"),
            ("somebody", "critical_processor"),
        ] {
            record(TraceEvent::data_flow("7 a", "out", "7 b", "in", "Other", 1)).await?;
            let sent = TraceEvent::data_flow(from, "out", to, "in", "Critical", 1);
            record(sent.clone()).await?;
            stored()?;
            assert_eq!(next_flow(&mut subscription).await?.event_id, sent.event_id);
        }
        Ok(())
    })
}

/// Snippet 14, monitoring performance impact: what the tracing costs, and how the server is doing.
#[test]
fn the_tracing_and_the_server_tell_how_they_are_doing() -> Result<()> {
    run(async |tracing_client| {
        record_pipeline("14 ", "msg_14").await?;
        // Monitor tracing overhead
        let tracing_metrics = global_tracing().unwrap().get_performance_metrics().await?;

        println!("Events per second: {}", tracing_metrics.events_per_second);
        println!("Average latency: {}ms", tracing_metrics.avg_latency_ms);
        println!("Memory usage: {}MB", tracing_metrics.memory_usage_mb);
        assert!(tracing_metrics.memory_usage_mb > 0.0);

        let tracing_metrics = tracing_client.get_performance_metrics().await?;

        println!("Events per second: {}", tracing_metrics.events_per_second);
        println!("Average latency: {}ms", tracing_metrics.avg_latency_ms);
        println!("Memory usage: {}MB", tracing_metrics.memory_usage_mb);
        assert!(tracing_metrics.events >= 4, "{tracing_metrics:?}");
        assert_eq!(tracing_metrics.producers.len(), 1);
        Ok(())
    })
}

/// Snippet 15, data flow diagrams.
#[test]
fn the_picture_is_drawn_from_what_the_server_has() -> Result<()> {
    run(async |tracing_client| {
        record_pipeline("15 ", "msg_15").await?;
        let directory = tempfile::tempdir()?;
        let data_flow_diagram = directory.path().join("data_flow_diagram.svg");
        let flow_data = {
            use chrono::{Duration, Utc};

            // Generate data flow graph for the last hour
            tracing_client
                .query_data_flows(TraceQuery {
                    time_range: Some((Utc::now() - Duration::hours(1), Utc::now())),
                    ..Default::default()
                })
                .await?
        };

        let graph = DataFlowGraph::from_events(&flow_data);
        graph.render_to_file(&data_flow_diagram)?;

        let picture = std::fs::read_to_string(&data_flow_diagram)?;
        assert!(picture.contains("<svg") && picture.trim_end().ends_with("</svg>"));
        assert!(picture.contains("15 Analytics Engine") && picture.contains("ProcessedData"));

        // The same from what the server has added up, and drawn by the server.
        let last_hour = reflow_trace::api::SpanQuestion::last(Duration::from_secs(3600));
        let graph = tracing_client.graph(last_hour.clone()).await?;
        let is_there = |from: &str, to: &str| {
            let mut edges = graph.edges().iter();
            edges.any(|edge| edge.from_actor == from && edge.to_actor == to)
        };
        assert!(is_there("15 Sensor Reader", "15 Data Validator"));
        let drawn = tracing_client.render_graph(last_hour.into()).await?;
        assert!(drawn.text.contains("15 Analytics Engine"));
        Ok(())
    })
}

/// Snippet 17, missing data flows.
#[test]
fn the_server_tells_which_messages_did_not_flow() -> Result<()> {
    run(async |tracing_client| {
        let start_time = chrono::Utc::now();
        for (message_id, arrives) in [("m1", true), ("m2", false)] {
            let sent = TraceEvent::message_sent("source_actor", "out", "SensorReading", 4);
            let mut events = vec![TraceEvent {
                outcome: Some(if arrives {
                    Outcome::Delivered
                } else {
                    Outcome::Failed
                }),
                ..sent
            }];
            if arrives {
                events.push(TraceEvent::data_flow(
                    "source_actor",
                    "out",
                    "17 b",
                    "in",
                    "SensorReading",
                    4,
                ));
            }
            for mut event in events {
                let attributes = &mut event.data.custom_attributes;
                attributes.insert("message_id".to_string(), json!(message_id));
                record(event).await?;
            }
        }
        stored()?;
        let end_time = chrono::Utc::now();
        let find_data_flow_for_message = async |sent_event: &TraceEvent| {
            tracing_client.find_data_flow_for_message(sent_event).await
        };
        let mut missing = Vec::new();

        // Debug missing data flows
        let missing_flows = TraceQuery {
            actor_filter: Some("source_actor".to_string()),
            event_types: Some(vec![TraceEventType::MessageSent]),
            time_range: Some((start_time, end_time)),
            ..Default::default()
        };

        let sent_messages = tracing_client.query_traces(missing_flows.clone()).await?;

        // Check if corresponding DataFlow events exist
        for sent_event in sent_messages {
            let corresponding_flow = find_data_flow_for_message(&sent_event).await?;
            if corresponding_flow.is_none() {
                println!("Missing data flow for message: {:?}", sent_event);
                missing.push(sent_event.message_id().cloned());
            }
        }

        assert_eq!(missing, [Some(json!("m2"))]);

        // The same in one question.
        let answer = tracing_client.missing_flows(missing_flows).await?;
        let ids = answer
            .missing
            .iter()
            .map(|flow| flow.sent.message_id().cloned());
        assert_eq!(ids.collect::<Vec<_>>(), [Some(json!("m2"))]);
        Ok(())
    })
}
