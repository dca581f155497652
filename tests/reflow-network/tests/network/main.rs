//! A network of Reflow 0.2.1, with its own client, unmodified, runs against our server: its events are
//! stored, found, watched and drawn.
//!
//! The server is the program `reflow-trace`, which has to be built before; `REFLOW_TRACE_SERVER` names it,
//! else it is `target/debug/reflow-trace` of the repository. Those who ask and watch speak with Reflow's own
//! types, so that what we answer is what they can read.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests that unwraps says where it failed"
)]

mod asking;
mod flow;
mod server;

use reflow_trace::DataFlowGraph;
use reflow_tracing_protocol::{
    FlowId, FlowTrace, SubscriptionFilters, TraceEvent, TraceEventType, TraceQuery, TracingRequest,
    TracingResponse,
};

use asking::Asking;
use flow::PACKETS;
use server::Serving;

fn any_flow() -> TraceEventType {
    TraceEventType::DataFlow {
        to_actor: "*".to_owned(),
        to_port: "*".to_owned(),
    }
}

fn everything() -> TraceQuery {
    TraceQuery {
        flow_id: None,
        execution_id: None,
        time_range: None,
        status: None,
        actor_filter: None,
        limit: Some(1_000),
        offset: None,
    }
}

fn is_flow(event: &TraceEvent, from: &str, to: &str) -> bool {
    event.actor_id == from
        && matches!(&event.event_type, TraceEventType::DataFlow { to_actor, .. } if to_actor == to)
}

/// Runs the network; what a watcher with these filters has seen until all flows were there.
async fn run(serving: &Serving, watcher: &mut Asking) -> Vec<TraceEvent> {
    watcher
        .say(&TracingRequest::Subscribe {
            filters: SubscriptionFilters {
                flow_ids: None,
                actor_ids: None,
                event_types: None,
                status_filter: None,
            },
        })
        .await;
    // Answered in order: the subscription has begun.
    watcher.say(&TracingRequest::Ping).await;
    assert!(matches!(watcher.heard().await, TracingResponse::Pong));
    let network = flow::start(&serving.url());
    let mut seen = Vec::new();
    // What happens before its client has connected is lost in the client: it says when it has.
    loop {
        let event = watcher.notified().await;
        let has_begun = event.data.custom_attributes.contains_key("reflow.trace");
        seen.push(event);
        if has_begun {
            break;
        }
    }
    flow::feed(&network);
    let count = |seen: &[TraceEvent], from: &str, to: &str| {
        seen.iter().filter(|event| is_flow(event, from, to)).count()
    };
    while count(&seen, "double", "add") < PACKETS || count(&seen, "add", "keep") < PACKETS {
        seen.push(watcher.notified().await);
    }
    network.shutdown();
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_was_never_changed_is_stored_found_watched_and_drawn() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(directory.path());
    let mut watcher = Asking::connect(&serving.url()).await;
    let seen = run(&serving, &mut watcher).await;

    // Found by what the network's own client can ask.
    let mut asker = Asking::connect(&serving.url()).await;
    let (traces, total) = asker.query(everything()).await;
    assert_eq!(traces.len(), total);
    let stored: Vec<&TraceEvent> = traces.iter().flat_map(|trace| &trace.events).collect();
    for event in seen.iter().filter(|event| is_flow(event, "double", "add")) {
        let found = stored.iter().find(|one| one.event_id == event.event_id);
        assert_eq!(found.unwrap().actor_id, event.actor_id);
    }
    let only = TraceQuery {
        actor_filter: Some("add".to_owned()),
        ..everything()
    };
    let (of_one_actor, _) = asker.query(only).await;
    assert!(of_one_actor.len() >= 2 * PACKETS);
    let one = &of_one_actor[0];
    let again = asker.trace(&one.trace_id).await.unwrap();
    assert_eq!(again.events.len(), one.events.len());

    // Its session is a flow.
    let session: Vec<&FlowTrace> = (traces.iter())
        .filter(|trace| trace.flow_id.as_str().starts_with("network_session_"))
        .collect();
    assert_eq!(session.len(), 1);
    let versions = asker.versions(&session[0].flow_id).await;
    assert_eq!(versions.len(), 1);
    assert!(asker.versions(&FlowId::new("nobody's")).await.is_empty());

    // The same after a restart.
    let serving = serving.restart();
    let mut asker = Asking::connect(&serving.url()).await;
    let (after, total_after) = asker.query(everything()).await;
    assert!(total_after >= total);
    assert!(after.len() >= traces.len());

    // Drawn, from what is stored, by our own reader of the same messages.
    let json = serde_json::to_string(&stored).unwrap();
    let events: Vec<reflow_trace::TraceEvent> = serde_json::from_str(&json).unwrap();
    let graph = DataFlowGraph::from_events(&events);
    let edges: Vec<_> = (graph.edges().iter())
        .map(|edge| (edge.from_actor.as_str(), edge.to_actor.as_str()))
        .collect();
    assert_eq!(edges, [("add", "keep"), ("double", "add")]);
    assert!(graph.to_svg().contains("double"));

    // And by the server, and found by our own questions.
    let svg = serving.post("/api/graph", "{\"format\":\"svg\"}");
    for actor in ["double", "add", "keep"] {
        assert!(svg.contains(actor), "{svg}");
    }
    let query = serde_json::json!({
        "query": { "event_types": [any_flow()], "custom_filter": "destination_actor = 'keep'" }
    });
    let page = serving.post("/api/query_traces", &query.to_string());
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["events"].as_array().unwrap().len(), PACKETS);
}
