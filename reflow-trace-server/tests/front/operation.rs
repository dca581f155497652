//! What an operator sees: a store without room, readiness, metrics, live batches, an orderly end.

use std::time::Duration;

use reflow_trace::TraceEvent;
use reflow_trace::event::ProducerId;
use reflow_trace::ledger::{Loss, LossReason};
use reflow_trace::wire::frame::{Message, RefusalCode};
use reflow_trace::wire::seal_events;
use reflow_trace_server::Ending;

use crate::client::{Client, SUBPROTOCOL, Said, connect};
use crate::server::{PATIENCE, start};

#[tokio::test]
async fn a_store_without_room_refuses_for_now_and_the_server_recovers_by_itself() {
    let server = start(|config| config.commit.retry_wait = Duration::from_millis(20)).await;
    let mut client = Client::open(server.addr()).await;
    let first = client.send_batch(2).await;
    assert_eq!(client.ack().await.number, first);

    server.store.fill(true);
    let second = client.send_batch(2).await;
    let refusal = client.refusal().await;
    assert_eq!(
        (refusal.code, refusal.retryable),
        (RefusalCode::StoreFull, true),
        "{refusal:?}"
    );
    assert_eq!(refusal.batch, Some((client.stream, second)));
    assert!(refusal.retry_after_ms.is_some());
    client.is_closed_with(1013).await;
    let ready = server.get("/ready").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("no room"), "{}", ready.body);
    assert_eq!(server.get("/health").await.status, 200);
    let Err(response) = connect(server.addr(), &[SUBPROTOCOL]).await else {
        panic!("was let in");
    };
    assert_eq!(response.status(), 503);
    assert_eq!(server.metric("reflow_trace_ready").await, 0.0);
    assert!(
        server
            .metric("reflow_trace_commit_failures_total{kind=\"full\"}")
            .await
            >= 1.0
    );

    server.store.fill(false);
    while server.get("/ready").await.status != 200 {
        tokio::task::yield_now().await;
    }
    let stream = client.stream;
    let mut again = Client::open(server.addr()).await;
    again.stream = stream;
    again.skip(second - 1).await;
    assert_eq!(again.send_batch(2).await, second);
    assert_eq!(again.ack().await.number, second);
    assert_eq!(server.store.stored(), [(stream, first), (stream, second)]);
    server.is_alive().await;
}

#[tokio::test]
async fn no_batch_overtakes_one_that_was_not_stored() {
    let server = start(|config| {
        config.commit.retry_wait = Duration::from_millis(1);
        config.commit.group_batches = 1;
    })
    .await;
    // Many times, because the order of what happens is not ours.
    for _ in 0..50 {
        server.store.fill(true);
        let mut client = loop {
            if let Ok(client) = connect(server.addr(), &[SUBPROTOCOL]).await {
                break client;
            }
            server.store.fill(false);
            while !server.running.is_ready() {
                tokio::task::yield_now().await;
            }
            server.store.fill(true);
        };
        client.hello().await;
        let stream = client.stream;
        for _ in 0..5 {
            client.send_batch(1).await;
        }
        server.store.fill(false);
        // Until it is closed.
        while let Said::Message(_) = client.said().await {
            if server.store.has(stream, 5) {
                break;
            }
        }
        let numbers: Vec<u64> = server
            .store
            .stored()
            .into_iter()
            .filter(|(of, _)| *of == stream)
            .map(|(_, n)| n)
            .collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn batches_that_come_during_a_commit_are_committed_together_and_acknowledged_together() {
    let server = start(|_| {}).await;
    server.store.hold();
    let mut client = Client::open(server.addr()).await;
    for _ in 0..20 {
        client.send_batch(1).await;
    }
    while server.metric("reflow_trace_commit_queue_batches").await < 20.0 {
        tokio::task::yield_now().await;
    }
    // Nothing is acknowledged that is not stored.
    assert_eq!(server.store.stored(), []);
    server.store.release();
    let mut acks = 0;
    loop {
        acks += 1;
        if client.ack().await.number == 20 {
            break;
        }
    }
    let groups = server.store.groups();
    assert!(groups.len() <= 3 && acks <= 3, "{groups:?}, {acks} acks");
    assert_eq!(groups.iter().sum::<usize>(), 20);
}

#[tokio::test]
async fn live_subscribers_get_what_was_committed_in_the_order_of_the_log_and_a_slow_one_is_told() {
    let server = start(|config| config.commit.live_batches_max = 4).await;
    let mut live = server.running.live();
    let mut slow = server.running.live();
    let mut client = Client::open(server.addr()).await;
    for expected in 1..=10 {
        let number = client.send_batch(3).await;
        assert_eq!(client.ack().await.number, number);
        let batch = live.recv().await.unwrap();
        assert_eq!((batch.offset, batch.batch.len()), (expected, 3));
    }
    match slow.recv().await {
        Err(tokio::sync::broadcast::error::RecvError::Lagged(missed)) => assert_eq!(missed, 6),
        other => panic!("{other:?}"),
    }
    assert_eq!(slow.recv().await.unwrap().offset, 7);
}

#[tokio::test]
async fn batches_wait_for_memory_and_are_refused_for_now_when_there_is_none_for_too_long() {
    let server = start(|config| {
        config.ingest.frame_bytes_max = 64 << 10;
        config.ingest.plain_bytes_max = 256 << 10;
        config.ingest.events_max = 1000;
        config.ingest.memory_bytes_max = 1 << 20;
        config.ingest.memory_wait = Duration::from_millis(200);
    })
    .await;
    server.store.hold();
    let mut client = Client::open(server.addr()).await;
    // Each takes more than 200 KB.
    for _ in 0..8 {
        client.send_batch(1000).await;
    }
    let refusal = client.refusal().await;
    assert_eq!(
        (refusal.code, refusal.retryable),
        (RefusalCode::Busy, true),
        "{refusal:?}"
    );
    client.is_closed_with(1013).await;
    assert!(server.metric("reflow_trace_memory_waits_total").await >= 1.0);
    assert!(server.metric("reflow_trace_memory_bytes").await <= f64::from(1 << 20));
    server.store.release();
    server.is_alive().await;
    while server.metric("reflow_trace_memory_bytes").await > 0.0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_waits_for_memory_goes_on_when_there_is_some() {
    let server = start(|config| {
        config.ingest.frame_bytes_max = 64 << 10;
        config.ingest.plain_bytes_max = 256 << 10;
        config.ingest.events_max = 1000;
        config.ingest.memory_bytes_max = 1 << 20;
        config.ingest.memory_wait = Duration::from_secs(600);
    })
    .await;
    server.store.hold();
    let mut one = Client::open(server.addr()).await;
    let mut other = Client::open(server.addr()).await;
    for _ in 0..20 {
        one.send_batch(1000).await;
        other.send_batch(1000).await;
    }
    while server.metric("reflow_trace_memory_waits_total").await < 2.0 {
        tokio::task::yield_now().await;
    }
    server.store.release();
    for client in [&mut one, &mut other] {
        while client.ack().await.number < 20 {}
    }
    server.is_alive().await;
}

#[tokio::test]
async fn an_orderly_end_answers_what_was_taken_and_says_goodbye() {
    let server = start(|_| {}).await;
    server.store.hold();
    let mut client = Client::open(server.addr()).await;
    let number = client.send_batch(2).await;
    while server.metric("reflow_trace_commit_queue_batches").await < 1.0 {
        tokio::task::yield_now().await;
    }
    let (addr, store) = (server.addr(), server.store);
    let ending = tokio::spawn(server.running.shutdown(PATIENCE));
    match client.message().await {
        Message::Goodbye(goodbye) => assert!(goodbye.retry_after_ms.is_some()),
        other => panic!("{other:?}"),
    }
    // What comes now is not taken.
    client.send_batch(2).await;
    store.release();
    assert_eq!(client.ack().await.number, number);
    client.is_closed_with(1001).await;
    drop(client);
    assert_eq!(ending.await.unwrap(), Ending::InOrder);
    assert_eq!(store.stored().len(), 1);
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_client_that_does_not_leave_does_not_hold_the_end_up() {
    let server = start(|_| {}).await;
    server.store.hold();
    let mut client = Client::open(server.addr()).await;
    client.send_batch(2).await;
    while server.metric("reflow_trace_commit_queue_batches").await < 1.0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        server.running.shutdown(Duration::from_millis(100)).await,
        Ending::Cut
    );
    assert_eq!(server.store.stored(), []);
}

#[tokio::test]
async fn a_client_that_says_goodbye_gets_its_acknowledgements_first() {
    let server = start(|_| {}).await;
    let mut client = Client::open(server.addr()).await;
    let mut last = 0;
    for _ in 0..5 {
        last = client.send_batch(1).await;
    }
    client
        .send(&Message::Goodbye(
            reflow_trace::wire::frame::Goodbye::default(),
        ))
        .await;
    while client.ack().await.number < last {}
    assert!(matches!(client.message().await, Message::Goodbye(_)));
    client.is_closed_with(1000).await;
    server.is_alive().await;
}

#[tokio::test]
async fn a_store_that_panics_is_a_store_that_fails() {
    let server = start(|config| config.commit.retry_wait = Duration::from_millis(20)).await;
    server.store.panic_once();
    let mut client = Client::open(server.addr()).await;
    client.send_batch(1).await;
    let refusal = client.refusal().await;
    assert_eq!(
        (refusal.code, refusal.retryable),
        (RefusalCode::Internal, true),
        "{refusal:?}"
    );
    while !server.running.is_ready() {
        tokio::task::yield_now().await;
    }
    server.is_alive().await;
}

#[tokio::test]
async fn a_flood_of_empty_batches_is_bounded_by_memory_too() {
    let server = start(|_| {}).await;
    server.store.hold();
    let mut client = Client::open(server.addr()).await;
    for _ in 0..1000 {
        client.send_batch(0).await;
    }
    while server.metric("reflow_trace_commit_queue_batches").await < 1000.0 {
        tokio::task::yield_now().await;
    }
    assert!(server.metric("reflow_trace_memory_bytes").await >= 1000.0 * 2048.0);
    server.store.release();
    while client.ack().await.number < 1000 {}
}

#[tokio::test]
async fn what_clients_have_lost_themselves_is_counted_by_reason() {
    let server = start(|_| {}).await;
    let mut client = Client::open(server.addr()).await;
    client.begin().await;
    let number = client.take_number();
    let losses = [(LossReason::RingFull, 7), (LossReason::SinkFull, 2)];
    let notices: Vec<TraceEvent> = losses
        .map(|(reason, count)| TraceEvent::loss(Loss { reason, count }))
        .into();
    let frame = seal_events(&notices, ProducerId::random(), client.stream, number, None).unwrap();
    client.send_bytes(frame.into_bytes()).await;
    assert_eq!(client.ack().await.number, number);
    for (reason, count) in losses {
        let name = format!("reflow_trace_client_lost_events_total{{reason=\"{reason}\"}}");
        assert_eq!(server.metric(&name).await, count as f64);
    }
}
