//! What breaks, and what holds all the same.

use std::time::Duration;

use reflow_trace::protocol::{SubscriptionRequest, TracingRequest};
use reflow_trace::{TraceEvent, TraceId};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::MaybeTlsStream;

use crate::talk::{Client, TestServer, connect_narrow, flow, start};

#[tokio::test]
async fn a_store_that_fails_is_told_and_nothing_is_acknowledged() {
    let server = start(|config| config.commit.retry_wait = Duration::from_millis(5)).await;
    let mut client = server.connect().await;
    let trace_id = TraceId::new();
    client.store(trace_id, flow("a")).await;
    server.store.fill(true);
    client.record(trace_id, flow("b")).await;
    let error = client.recorded().await.unwrap_err();
    assert_eq!(error, "the server has no room to store it");
    client
        .request(&TracingRequest::EndTrace {
            trace_id,
            status: reflow_trace::protocol::ExecutionStatus::Completed,
        })
        .await;
    assert!(client.recorded().await.is_err());
    server.store.fill(false);
    server
        .becomes(|server| u64::from(server.running.is_ready()), 1)
        .await;
    // On the same connection, which lives.
    client.store(trace_id, flow("c")).await;
    assert_eq!(server.running.metrics().stored_events.get(), 2);
}

#[tokio::test]
async fn who_leaves_before_the_answer_was_promised_nothing_and_harms_nobody() {
    let server = start(|_| {}).await;
    server.store.hold(true);
    let mut leaves = server.connect().await;
    leaves.record(TraceId::new(), flow("a")).await;
    server
        .becomes(|server| server.running.metrics().queue_batches.get(), 1)
        .await;
    drop(leaves);
    let mut stays = server.connect().await;
    stays.record(TraceId::new(), flow("b")).await;
    server.store.hold(false);
    assert_eq!(stays.recorded().await, Ok(()));
    server
        .becomes(|server| server.running.metrics().connections.get(), 1)
        .await;
}

/// A subscriber over a socket that nobody reads.
async fn deaf(server: &TestServer) -> TcpStream {
    let addr = server.addr();
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {addr}\r\nOrigin: http://localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn watcher(server: &TestServer) -> Client {
    let mut watcher = server.connect().await;
    let filters = SubscriptionRequest::default();
    watcher
        .request(&TracingRequest::Subscribe { filters })
        .await;
    watcher.lives().await;
    watcher
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_stops_reading_is_ended_and_others_see_everything() {
    let server = start(|config| {
        config.http.write_timeout = Duration::from_millis(300);
        config.live.window_bytes_max = 1 << 20;
    })
    .await;
    let _deaf = deaf(&server).await;
    let mut watcher = watcher(&server).await;
    server.becomes(TestServer::subscriptions, 2).await;
    let mut client = server.connect().await;
    let mut large = flow("b");
    large.data.error = Some("x".repeat(60_000));
    let mut seen = 0;
    // The kernel takes a few megabytes before it takes nothing any more.
    while server.subscriptions() == 2 {
        let mut event: TraceEvent = large.clone();
        event
            .data
            .custom_attributes
            .insert("number".to_owned(), seen.into());
        client.store(TraceId::new(), event).await;
        let event = watcher.notified().await;
        assert_eq!(event.data.custom_attributes["number"], seen);
        seen += 1;
        assert!(seen < 100_000, "it is never ended");
    }
    assert_eq!(server.subscriptions(), 1);
    watcher.lives().await;
}

#[tokio::test]
async fn a_slow_subscriber_is_told_where_something_is_missing() {
    let server = start(|config| {
        config.live.window_events_max = 5;
        // The hub forgets more quickly than the subscriber's connection asks.
        config.commit.group_wait = Duration::ZERO;
    })
    .await;
    let mut watcher = watcher(&server).await;
    let mut client = server.connect().await;
    let events = (0..200).map(|number| {
        let mut event = flow("b");
        event.data.error = Some(format!("{number} {}", "x".repeat(40_000)));
        event
    });
    for event in events {
        client.store(TraceId::new(), event).await;
    }
    // Everything arrives, or a word about what does not, whichever of the two was quicker.
    let (mut seen, mut missing) = (0, 0);
    while seen + missing < 200 {
        let event = watcher.notified().await;
        match event.data.custom_attributes.get("gap_to_offset") {
            Some(to) => {
                let from = event.data.custom_attributes["gap_from_offset"].as_u64();
                missing += to.as_u64().unwrap() - from.unwrap();
            }
            None => seen += 1,
        }
    }
    assert_eq!(seen + missing, 200);
    watcher.lives().await;
}

#[tokio::test]
async fn too_many_subscriptions_are_told_so_and_the_others_go_on() {
    let server = start(|config| config.live.subscriptions_max = 1).await;
    let mut first = watcher(&server).await;
    let mut second = server.connect().await;
    let filters = SubscriptionRequest::default();
    second.request(&TracingRequest::Subscribe { filters }).await;
    let error = second.error().await;
    assert!(error.contains("`live.subscriptions_max`"), "{error}");
    // A page cannot be told, but closed.
    let own = ("origin", "http://localhost");
    let mut page = server.connect_with(&[own]).await.unwrap();
    page.is_closed_with(1008).await;
    second.store(TraceId::new(), flow("b")).await;
    first.notified().await;
}

#[tokio::test]
async fn a_server_that_stops_answers_what_it_took_and_closes() {
    let server = start(|_| {}).await;
    let mut watcher = watcher(&server).await;
    let mut client = server.connect().await;
    server.store.hold(true);
    client.record(TraceId::new(), flow("a")).await;
    server
        .becomes(|server| server.running.metrics().queue_batches.get(), 1)
        .await;
    let TestServer { running, store } = server;
    let stopped = tokio::spawn(running.shutdown(Duration::from_secs(30)));
    assert_eq!(watcher.is_closed_with(1001).await, "the server stops");
    store.hold(false);
    assert_eq!(client.recorded().await, Ok(()));
    client.is_closed_with(1001).await;
    drop((watcher, client));
    let ending = stopped.await.unwrap();
    assert_eq!(ending, reflow_trace_server::Ending::InOrder);
}

#[tokio::test]
async fn a_message_waits_for_memory_and_is_told_when_there_is_none() {
    let server = start(|config| {
        config.ingest.frame_bytes_max = 64 << 10;
        config.ingest.plain_bytes_max = 64 << 10;
        config.ingest.events_max = 1_000;
        config.ingest.memory_bytes_max = 1 << 20;
        config.ingest.memory_wait = Duration::from_millis(50);
    })
    .await;
    let mut holds = server.connect().await;
    let mut large = flow("a");
    large.data.error = Some("x".repeat(60_000));
    server.store.hold(true);
    holds.record(TraceId::new(), large.clone()).await;
    server
        .becomes(|server| server.running.metrics().queue_batches.get(), 1)
        .await;
    let mut waits = server.connect().await;
    waits.record(TraceId::new(), large.clone()).await;
    let error = waits.error().await;
    assert!(error.contains("no memory to spare"), "{error}");
    server.store.hold(false);
    assert_eq!(holds.recorded().await, Ok(()));
    waits.store(TraceId::new(), large).await;
}

#[tokio::test]
async fn a_large_answer_is_counted_until_it_is_taken_and_who_takes_it_slowly_is_not_silent() {
    // Longer than a busy machine takes to find the answer, for nobody is heard meanwhile.
    let idle_timeout = Duration::from_secs(60);
    let server = start(|config| {
        config.ingest.ping_interval = Duration::from_secs(20);
        config.ingest.idle_timeout = idle_timeout;
        config.http.write_timeout = Duration::from_secs(600);
    })
    .await;
    let mut client = connect_narrow(server.addr()).await;
    let trace_id = TraceId::new();
    // More than the buffers of the kernel hold.
    const BYTES: usize = 2_000_000;
    for _ in 0..7 {
        let mut event = flow("b");
        let text = ("text".to_owned(), "x".repeat(BYTES).into());
        event.data.custom_attributes.extend([text]);
        client.store(trace_id, event).await;
    }
    let request_id = None;
    client
        .request(&TracingRequest::GetTrace {
            request_id,
            trace_id,
        })
        .await;
    let MaybeTlsStream::Plain(tcp) = client.0.get_ref() else {
        panic!("it is not encrypted");
    };
    // The answer has begun to come, for a ping is not as long.
    let mut begun = vec![0; 16 << 10];
    while tcp.peek(&mut begun).await.unwrap() < begun.len() {
        tokio::task::yield_now().await;
    }
    watcher(&server).await.lives().await;
    let unread_bytes = || server.running.metrics().unread_bytes.get();
    assert!(unread_bytes() as usize > 7 * BYTES, "{}", unread_bytes());
    tokio::time::pause();
    tokio::time::advance(3 * idle_timeout).await;
    tokio::time::resume();
    assert!(client.text().await.len() > 7 * BYTES);
    client.lives().await;
    assert_eq!(unread_bytes(), 0);
}
