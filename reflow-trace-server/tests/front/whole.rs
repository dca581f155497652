//! The whole server with the store that it has unless told otherwise: what was acknowledged is there, also
//! after a restart, once.

use std::collections::HashSet;
use std::path::Path;

use reflow_trace_server::config::Config;
use reflow_trace_server::store::TimeRange;
use reflow_trace_server::{Ending, RunningServer, Server};

use crate::client::Client;
use crate::server::PATIENCE;

async fn start(data: &Path) -> RunningServer {
    let mut config = Config::default();
    config.listen.set_port(0);
    config.data = data.to_owned();
    Server::start(config).await.unwrap()
}

/// How many different events the store gives back.
async fn stored(server: &RunningServer) -> usize {
    let snapshot = server.store().snapshot().await.unwrap();
    let events = snapshot.events(TimeRange::ALL);
    let ids: HashSet<String> = events
        .map(|event| format!("{:?}", event.unwrap().event_id))
        .collect();
    assert_eq!(ids.len() as u64, snapshot.len());
    ids.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_a_restart_and_once() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let mut client = Client::open(server.addr()).await;
    let stream = client.stream;
    let mut last = 0;
    for _ in 0..20 {
        last = client.send_batch(50).await;
    }
    while client.ack().await.number < last {}
    assert_eq!(server.store().stats().events, 1000);
    drop(client);
    assert_eq!(server.shutdown(PATIENCE).await, Ending::InOrder);

    let server = start(data.path()).await;
    let mut client = Client::open(server.addr()).await;
    client.stream = stream;
    // The last five come again, as if their acknowledgements had been lost, and five more.
    client.skip(last - 5).await;
    for _ in 0..10 {
        last = client.send_batch(50).await;
    }
    while client.ack().await.number < last {}
    let stats = server.store().stats();
    assert_eq!(
        (stats.batches, stats.events, stats.duplicates),
        (25, 1250, 5)
    );
    assert_eq!(stored(&server).await, 1250);
    assert_eq!(server.metrics().duplicates.get(), 5);
    drop(client);
    assert_eq!(server.shutdown(PATIENCE).await, Ending::InOrder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_belongs_to_one_server_at_a_time() {
    let data = tempfile::tempdir().unwrap();
    let first = start(data.path()).await;
    let mut config = Config::default();
    config.listen.set_port(0);
    config.data = data.path().to_owned();
    let error = Server::start(config).await.unwrap_err().to_string();
    assert!(error.contains("in use by another server"), "{error}");
    assert_eq!(first.shutdown(PATIENCE).await, Ending::InOrder);
    // Closed whole: the next one may have it at once.
    assert_eq!(
        start(data.path()).await.shutdown(PATIENCE).await,
        Ending::InOrder
    );
}
