//! What a program has recorded comes back from segments as it was.
//!
//! A binary of its own, because a recording belongs to the whole process.

mod recording;

use reflow_trace::{Context, Edge, TraceEvent, sample};
use reflow_trace_server::store::embedded::{EmbeddedStore, Settings};
use reflow_trace_server::store::{Admitted, Snapshot, Store, TimeRange};

#[sample(rate = 1.0)]
struct Order {
    #[trace(id)]
    id: String,
    #[trace(context)]
    context: Context,
}

#[sample(rate = 0.5)]
struct Reading {
    #[trace(id)]
    id: u64,
    #[trace(context)]
    context: Context,
}

/// Sends, receives, failures, chains of causes, and all forms of message ids, on this thread.
fn work(thread: u64) {
    let edges = [
        Edge::new("reader", "out", "validator", "in"),
        Edge::new("validator", "valid", "größe", "in"),
        Edge::new("größe", "", "store", "in"),
    ];
    for number in 0..400 {
        let id = match number % 4 {
            0 => format!("order-{number:06}"),
            1 => format!("{:032x}", number * 7_919),
            2 => uuid::Uuid::from_u128(u128::from(number) << 90 | 0xabc).to_string(),
            _ => format!("odd {thread}/{number}!"),
        };
        let mut order = Order {
            id,
            context: Context::default(),
        };
        for edge in &edges {
            let sent = reflow_trace::send(edge, order, Ok::<_, std::convert::Infallible>);
            order = sent.unwrap_or_else(|never| match never {});
        }
        reflow_trace::handle("store", "in", order, |order| {
            let reading = Reading {
                id: number,
                context: Context::default(),
            };
            let sent = reflow_trace::send(&edges[0], reading, |reading| {
                (reading.id % 3 > 0).then_some(()).ok_or("too cold")
            });
            let _kept_for_its_outcome = (sent, order.id.len(), order.context);
        });
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime can be made").block_on(future)
}

#[test]
fn what_was_recorded_comes_back_from_segments_as_it_was() {
    let admitted: Vec<Admitted> = recording::admitted(recording::frames(1_000, 3, work));
    // In the order that the store promises: time, offset, place.
    let mut due: Vec<TraceEvent> = Vec::new();
    for one in &admitted {
        due.extend(one.batch.events().take(one.batch.len()));
    }
    due.sort_by_key(|event| event.timestamp);
    assert!(due.len() > 4_000, "{} events", due.len());

    let directory = tempfile::TempDir::new().expect("a directory can be made");
    let store = EmbeddedStore::open(Settings {
        seal_events: 1_500,
        ..Settings::new(directory.path())
    })
    .unwrap_or_else(|error| panic!("{error}"));
    block_on(store.commit(admitted)).expect("there is room");
    for place in ["the log", "segments"] {
        let view = store.view();
        let found: Vec<TraceEvent> = view
            .events(TimeRange::ALL)
            .map(|event| event.unwrap_or_else(|error| panic!("{error}")))
            .collect();
        assert_eq!(found.len(), due.len(), "{place}");
        for (found, due) in std::iter::zip(&found, &due) {
            assert_eq!(found, due, "{place}");
        }
        block_on(store.seal_all(0)).expect("there is room");
    }
    assert_eq!(store.stats().tail_events, 0);
    // The exact counters count what was not sampled too.
    let view = store.view();
    let ledger = view
        .producers()
        .iter()
        .next()
        .expect("there is one producer");
    let counters = ledger.counters.as_ref().expect("they came with the flush");
    let messages: u64 = counters.edges.iter().map(|edge| edge.messages).sum();
    assert_eq!(messages, 3 * 400 * 4);
    assert_eq!(ledger.events, due.len() as u64);
}
