//! When there is no room: on the server's disk, and in the client's spool.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use reflow_trace::{Edge, Guard, ServerOptions, ServerSink, ServerWatch, global_tracing, sample};
use reflow_trace_server::config::Config;
use reflow_trace_server::store::{Store, TimeRange};
use reflow_trace_server::{Ending, RunningServer, Server};
use tokio::runtime::Runtime;

/// Much longer than anything here takes; it only ends a test that would never end.
const FOR_EVER: Duration = Duration::from_secs(120);
const MIB: usize = 1 << 20;

/// A message whose text compresses badly, so that room is soon used up.
#[sample(always)]
struct Letter {
    #[trace(attribute)]
    text: String,
}

/// There is one recording in a process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends about so many bytes; how many messages that were.
fn send(guard: &Guard, bytes: usize, dice: &mut fastrand::Rng) -> u64 {
    const TEXT_BYTES: usize = 2_000;
    let edge = Edge::new("writer", "out", "reader", "in");
    let count = bytes / TEXT_BYTES;
    for number in 0..count {
        let text = (0..TEXT_BYTES).map(|_| dice.alphanumeric()).collect();
        let sent = reflow_trace::send(&edge, Letter { text }, Ok::<_, Infallible>);
        drop(sent.unwrap_or_else(|never| match never {}));
        if number % 32 == 31 {
            // The rings are emptied; the sink need not be.
            let _pending = guard.flush(Duration::from_millis(20));
        }
    }
    count as u64
}

fn options() -> ServerOptions {
    ServerOptions {
        reconnect_first: Duration::from_millis(5),
        reconnect_max: Duration::from_millis(100),
        ..ServerOptions::default()
    }
}

fn begin(url: String, options: ServerOptions) -> (Guard, ServerWatch) {
    let sink = ServerSink::builder(url)
        .options(options)
        .start()
        .expect("the options are good");
    let watch = sink.watch();
    let builder = reflow_trace::builder().ring_capacity(1 << 14).sink(sink);
    (builder.start().expect("nobody else records"), watch)
}

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("the system gives threads")
}

fn config(data: &Path, listen: Option<SocketAddr>) -> Config {
    let mut config = Config::default();
    config.listen.set_port(0);
    if let Some(listen) = listen {
        config.listen = listen;
    }
    config.data = data.to_owned();
    config.commit.retry_wait = Duration::from_millis(50);
    config
}

fn start(runtime: &Runtime, config: Config) -> RunningServer {
    runtime.block_on(Server::start(config)).expect("it starts")
}

/// Events that can be read now.
fn readable(runtime: &Runtime, store: &Arc<dyn Store>) -> u64 {
    let snapshot = runtime.block_on(store.snapshot()).expect("it can be read");
    let events = snapshot.events(TimeRange::ALL);
    let count = events
        .inspect(|event| assert!(event.is_ok(), "{event:?}"))
        .count();
    count as u64
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + FOR_EVER;
    while !holds() {
        assert!(Instant::now() < end, "{what} did not come");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_server_without_room_answers_questions_and_takes_everything_once_there_is_room() {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("the directory of tests is writable");
    let runtime = runtime();
    let mut small = config(directory.path(), None);
    small.store.database_bytes_max = 3 * MIB as u64;
    let server = start(&runtime, small);
    let addr = server.addr();
    let (guard, watch) = begin(format!("ws://{addr}"), options());
    let mut sent = send(&guard, 8 * MIB, &mut fastrand::Rng::with_seed(1));
    wait_until("a refusal", || !server.is_ready());
    sent += send(&guard, MIB, &mut fastrand::Rng::with_seed(2));
    let there = readable(&runtime, &server.store());
    let account = watch.now().account;
    assert!(
        there > 0 && account.stored <= there && there < sent,
        "{there} of {sent}: {account:?}"
    );
    assert!(
        account.pending > 0 && account.lost().is_empty(),
        "the client keeps it: {account:?}"
    );

    runtime.block_on(server.shutdown(FOR_EVER));
    let server = start(&runtime, config(directory.path(), Some(addr)));
    guard.flush(FOR_EVER).expect("there is room now");
    let ledger = global_tracing()
        .expect("it records")
        .performance_metrics()
        .ledger;
    assert!(ledger.balances(), "{ledger}");
    assert_eq!(
        (ledger.attempted, ledger.lost_total()),
        (sent, 0),
        "{ledger}"
    );
    assert_eq!(watch.now().account.stored, sent);
    assert_eq!(
        readable(&runtime, &server.store()),
        sent,
        "everything, once"
    );
    drop(guard);
    assert_eq!(runtime.block_on(server.shutdown(FOR_EVER)), Ending::InOrder);
}

#[test]
fn without_a_server_memory_and_disk_are_bounded_and_the_rest_is_counted_and_known_to_the_server() {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("the directory of tests is writable");
    let spool = directory.path().join("spool");
    let runtime = runtime();
    // A port at which nobody listens yet.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = listener.local_addr().expect("it is bound");
    drop(listener);
    let (guard, watch) = begin(
        format!("ws://{addr}"),
        ServerOptions {
            spool: Some(spool.clone()),
            spool_bytes_max: MIB as u64,
            window_bytes_max: MIB,
            spool_after: Duration::from_millis(10),
            ..options()
        },
    );
    let sent = send(&guard, 6 * MIB, &mut fastrand::Rng::with_seed(3));
    let lost = || -> u64 {
        watch
            .now()
            .account
            .lost()
            .iter()
            .map(|loss| loss.count)
            .sum()
    };
    wait_until("a loss", || lost() > 0);
    let status = watch.now().status;
    assert!(status.window_bytes <= MIB + MIB / 16, "{status:?}");
    let files = std::fs::read_dir(&spool).expect("it was made");
    let bytes: u64 = files
        .map(|file| {
            file.and_then(|file| file.metadata())
                .map_or(0, |about| about.len())
        })
        .sum();
    assert!(bytes <= MIB as u64, "{bytes} bytes in the spool");

    let server = start(&runtime, config(&directory.path().join("data"), Some(addr)));
    guard.flush(FOR_EVER).expect("there is a server now");
    let ledger = global_tracing()
        .expect("it records")
        .performance_metrics()
        .ledger;
    assert!(ledger.balances(), "{ledger}");
    let stored = watch.now().account.stored;
    assert_eq!(
        (ledger.attempted, ledger.lost_total()),
        (sent, 0),
        "{ledger}"
    );
    assert_eq!(stored + lost(), sent, "{ledger}");
    assert_eq!(
        readable(&runtime, &server.store()),
        stored,
        "what was kept, once"
    );
    let last = lost();
    drop(guard);

    // What a client loses it cannot send; the numbers that were given tell how much is missing.
    let snapshot = runtime
        .block_on(server.store().snapshot())
        .expect("it can be read");
    let missing = snapshot.producers().iter().map(|ledger| {
        let coverage = ledger.coverage.as_ref().expect("it is told at the end");
        let numbered: u64 = coverage.rings.iter().map(|ring| ring.numbered).sum();
        numbered - ledger.events
    });
    assert_eq!(
        missing.sum::<u64>(),
        last,
        "the server knows how much is missing"
    );
    assert_eq!(runtime.block_on(server.shutdown(FOR_EVER)), Ending::InOrder);
}
