//! The whole way as a user goes it: a program with attributes, the address of a server, and questions
//! afterwards.

#![forbid(unsafe_code)]

use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{SendError, Sender, channel};
use std::time::Duration;

use reflow_trace::lineage::fill_causality;
use reflow_trace::{
    Context, ENVIRONMENT_VARIABLE, MemorySink, ServerSink, TraceEvent, global_tracing, sample,
    traced_actor, traced_connector,
};
use reflow_trace_server::config::Config;
use reflow_trace_server::store::{Store, TimeRange};
use reflow_trace_server::{Ending, RunningServer, Server};
use tokio::runtime::Runtime;

/// Much longer than anything here takes; it only ends a test that would never end.
const FOR_EVER: Duration = Duration::from_secs(60);

#[sample(always)]
struct Order {
    #[trace(id)]
    number: String,
    #[trace(attribute)]
    amount: u64,
    #[trace(context)]
    context: Context,
}

struct Connector<'a> {
    from_actor: &'a str,
    to_actor: &'a str,
    from_port: &'static str,
    to_port: &'static str,
    channel: Sender<Order>,
}

#[traced_connector]
impl Connector<'_> {
    fn send(&self, message: Order) -> Result<(), SendError<Order>> {
        self.channel.send(message)
    }
}

/// Passes on what it is given, and so becomes its cause.
struct Clerk<'a> {
    next: Connector<'a>,
}

#[traced_actor]
impl Clerk<'_> {
    fn handle(&mut self, message: Order) -> Result<(), SendError<Order>> {
        self.next.send(Order {
            number: message.number,
            amount: message.amount + 1,
            context: Context::NONE,
        })
    }
}

fn server(runtime: &Runtime, data: &std::path::Path) -> RunningServer {
    let mut config = Config::default();
    config.listen.set_port(0);
    config.data = data.to_owned();
    runtime.block_on(Server::start(config)).expect("it starts")
}

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("the system gives threads")
}

fn stored(runtime: &Runtime, store: &Arc<dyn Store>) -> Vec<TraceEvent> {
    let snapshot = runtime.block_on(store.snapshot()).expect("it can be read");
    let events = snapshot
        .events(TimeRange::ALL)
        .collect::<Result<Vec<_>, _>>();
    let mut events = by_id(events.expect("every event can be read"));
    // Chains are computed where they are asked for; the memory sink has done it by itself.
    fill_causality(&mut events);
    events
}

fn by_id(mut events: Vec<TraceEvent>) -> Vec<TraceEvent> {
    events.sort_by_key(|event| event.event_id);
    events
}

fn work(orders: u64) {
    let (to_clerk, clerk_inbox) = channel();
    let (to_desk, desk_inbox) = channel();
    let first = Connector {
        from_actor: "shop",
        to_actor: "clerk",
        from_port: "out",
        to_port: "in",
        channel: to_clerk,
    };
    let mut clerk = Clerk {
        next: Connector {
            from_actor: "clerk",
            to_actor: "desk",
            from_port: "out",
            to_port: "in",
            channel: to_desk,
        },
    };
    for number in 0..orders {
        let order = Order {
            // Ids of different forms travel in different ways.
            number: if number % 3 == 0 {
                format!("ord-{number:08}")
            } else {
                format!("„{number}“ & more")
            },
            amount: number * 17,
            context: Context::NONE,
        };
        first.send(order).expect("the inbox is open");
        let order = clerk_inbox.recv().expect("it was sent");
        clerk.handle(order).expect("the desk is open");
    }
    drop(desk_inbox);
    // A send that fails is no data flow, and travels as what it is.
    let lost = Order {
        number: "lost".to_owned(),
        amount: 0,
        context: Context::NONE,
    };
    clerk.handle(lost).expect_err("nobody is at the desk");
}

#[test]
fn what_the_server_gives_back_is_what_the_program_saw() {
    let directory = tempfile::tempdir().expect("the directory of tests is writable");
    let runtime = runtime();
    let server = server(&runtime, directory.path());
    let memory = MemorySink::with_capacity(100_000);
    let sink = ServerSink::builder(format!("ws://{}", server.addr()))
        .start()
        .expect("the address is good");
    let builder = reflow_trace::builder().ring_capacity(1 << 16);
    let guard = builder
        .sink(memory.clone())
        .sink(sink)
        .start()
        .expect("nobody else records");
    work(3_000);
    guard.flush(FOR_EVER).expect("the server acknowledges");
    let ledger = global_tracing()
        .expect("it records")
        .performance_metrics()
        .ledger;
    assert!(ledger.balances(), "{ledger}");

    // What the tracing says of itself is kept as what it means, and not as events.
    let recorded =
        |event: &TraceEvent| event.as_loss().is_none() && event.event_id.origin().is_some();
    let seen: Vec<_> = memory.events().into_iter().filter(recorded).collect();
    assert_eq!(
        seen.len(),
        3 * 3_000 + 2,
        "a send, a handling, a send for each; and the one that failed"
    );
    let seen = by_id(seen);
    let store = server.store();
    let there = stored(&runtime, &store);
    assert_eq!(there.len(), seen.len());
    for (there, seen) in there.iter().zip(&seen) {
        assert_eq!(there, seen);
    }

    // Sealed into a segment, and after another start, they are the same.
    drop(guard);
    assert_eq!(runtime.block_on(server.shutdown(FOR_EVER)), Ending::InOrder);
    drop(store);
    let server = self::server(&runtime, directory.path());
    assert_eq!(stored(&runtime, &server.store()), seen);
    runtime.block_on(server.shutdown(FOR_EVER));
}

#[test]
fn a_program_that_knows_nothing_of_it_is_traced_by_one_variable() {
    let directory = tempfile::tempdir().expect("the directory of tests is writable");
    let runtime = runtime();
    let server = server(&runtime, directory.path());
    let output = Command::new(env!("CARGO_BIN_EXE_durability-unaware"))
        .args(["unaware", "return"])
        .env(ENVIRONMENT_VARIABLE, format!("ws://{}", server.addr()))
        .output()
        .expect("the program was built with this test");
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "sum 55\n",
        "{output:?}"
    );
    let there = stored(&runtime, &server.store());
    assert_eq!(
        there.len(),
        10,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(there.iter().all(|event| event.actor_id == "counter"));
    runtime.block_on(server.shutdown(FOR_EVER));
}
