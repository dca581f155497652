//! What a program has really recorded is answered by a server as it is answered in the program.
//!
//! A binary of its own, because a recording belongs to the whole process.

mod recording;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use reflow_trace::api::{LineageSubject, SpanQuestion};
use reflow_trace::lineage::{Completeness, FlowIndex};
use reflow_trace::{Context, DataFlowGraph, Edge, TraceEvent, TraceQuery, TracingClient, sample};
use reflow_trace_server::Server;
use reflow_trace_server::config::Config;
use reflow_trace_server::store::Store;
use reflow_trace_server::store::embedded::{EmbeddedStore, Settings};

#[sample(rate = 1.0)]
struct Order {
    #[trace(id)]
    id: u64,
    #[trace(context)]
    context: Context,
}

/// An order goes through three actors and is taken up by each; every tenth fails on its way, and every eleventh is
/// left lying.
fn work(thread: u64) {
    let edges = [
        Edge::new("reader", "out", "validator", "in"),
        Edge::new("validator", "valid", "packer", "in"),
        Edge::new("packer", "out", "store", "in"),
    ];
    for number in 0..300 {
        let order = Order {
            id: thread * 1_000 + number,
            context: Context::default(),
        };
        pass(&edges, order, number);
    }
}

fn pass(edges: &[Edge], order: Order, number: u64) {
    let Some((edge, rest)) = edges.split_first() else {
        return;
    };
    if rest.is_empty() && number.is_multiple_of(10) {
        let failed = reflow_trace::send(edge, order, |order| Err::<(), u64>(order.id));
        assert!(failed.is_err());
        return;
    }
    let sent = reflow_trace::send(edge, order, Ok::<_, Infallible>);
    let order = sent.unwrap_or_else(|never| match never {});
    if rest.is_empty() && number.is_multiple_of(11) {
        return;
    }
    reflow_trace::handle(edge.to_actor(), "in", order, |order| {
        pass(rest, order, number)
    });
}

#[tokio::test]
async fn a_server_answers_what_the_program_would_answer_itself() {
    let admitted = recording::admitted(recording::frames(1_000, 3, work));
    let events: Vec<TraceEvent> = admitted.iter().flat_map(|one| one.batch.events()).collect();
    let directory = tempfile::TempDir::new().expect("a directory can be made");
    let store = EmbeddedStore::open(Settings {
        seal_events: 1_500,
        ..Settings::new(directory.path())
    });
    let store = store.unwrap_or_else(|error| panic!("{error}"));
    let half = admitted.len() / 2;
    for (place, one) in admitted.into_iter().enumerate() {
        store.commit(vec![one]).await.expect("there is room");
        if place == half {
            store.seal_all(0).await.expect("there is room");
        }
    }
    let mut config = Config::default();
    config.listen.set_port(0);
    let server = Server::start_with(config, Arc::new(store)).await;
    let server = server.unwrap_or_else(|error| panic!("{error}"));
    let client = TracingClient::new(format!("ws://{}", server.addr())).expect("it is an address");

    let index = FlowIndex::new(&events);
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for number in (0..300u64).filter(|number| number % 11 == 0 || number % 7 == 0) {
        let of = LineageSubject::MessageId(number.into());
        let due = index.lineage(number).expect("it is there");
        let due = due.to_answer(of.clone(), usize::MAX);
        let found = client.lineage(of).await.expect("it is there");
        assert_eq!(found.to_string(), due.to_string());
        assert_eq!(found.traces, due.traces);
        // What has failed is over; what was left lying may be taken up one day.
        let is_whole = number % 10 == 0 || number % 11 != 0;
        for state in &found.traces {
            let verdict = format!("{:?}", state.completeness);
            *verdicts.entry(verdict).or_default() += 1;
            assert_eq!(
                state.completeness == Completeness::Complete,
                is_whole,
                "{found}"
            );
        }
    }
    println!("{verdicts:?}");
    assert!(verdicts.contains_key("Complete"), "{verdicts:?}");
    assert!(verdicts.contains_key("Unknown(NotTakenUp)"), "{verdicts:?}");

    let due = DataFlowGraph::from_events(&events);
    let found = client
        .edges(SpanQuestion::default())
        .await
        .expect("there is an answer");
    let sent: Vec<_> = found
        .edges
        .iter()
        .filter(|edge| edge.messages.value() > 0)
        .collect();
    assert_eq!(sent.len(), due.edges().len());
    for (found, due) in sent.into_iter().zip(due.edges()) {
        let due = &due.messages[0];
        assert_eq!(
            (found.messages, found.failures),
            (due.count, due.failures),
            "{found:?}"
        );
        assert!(found.execution.is_some());
        assert!(
            found.waiting.is_some(),
            "what is taken up waits on the edge it came by: {found:?}"
        );
    }

    let missing = client
        .missing_flows(TraceQuery::default())
        .await
        .expect("there is an answer");
    let due = index.missing_flows(|_| true);
    assert_eq!(missing.missing.len(), due.len());
    assert_eq!(due.len(), 3 * 30, "what has failed");
    let _ended = server.shutdown(Duration::from_secs(30)).await;
}
