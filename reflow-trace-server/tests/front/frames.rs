//! What a client may send wrongly: each a clear refusal, with the server alive.

use std::time::Duration;

use futures_util::SinkExt;
use reflow_trace::wire::frame::{FRAME_HEADER_BYTES, Message, RefusalCode};
use tokio_tungstenite::tungstenite;

use crate::client::{Client, Said};
use crate::raw::{Raw, batch};
use crate::server::{TestServer, start};

/// Sends this as the first batch; the refusal of the connection, which then is closed with `status`.
async fn refused(
    server: &TestServer,
    bytes: &[u8],
    status: u16,
) -> reflow_trace::wire::frame::Refusal {
    let mut client = Client::open(server.addr()).await;
    client.begin().await;
    client.send_bytes(bytes.to_vec()).await;
    let refusal = client.refusal().await;
    client.is_closed_with(status).await;
    refusal
}

#[tokio::test]
async fn bytes_that_are_no_frame_end_the_connection_with_the_reason() {
    let server = start(|_| {}).await;
    let good = batch(7, 1, 3).into_bytes().to_vec();
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let cases: [(Vec<u8>, RefusalCode, bool, u16, &str); 8] = [
        (
            b"hello".to_vec(),
            RefusalCode::Malformed,
            true,
            1007,
            "its header alone has 40",
        ),
        (
            Vec::new(),
            RefusalCode::Malformed,
            true,
            1007,
            "its header alone has 40",
        ),
        (
            with(0, b'X'),
            RefusalCode::Malformed,
            true,
            1007,
            "do not begin with `RTF1`",
        ),
        (
            with(3, b'9'),
            RefusalCode::Unsupported,
            false,
            1003,
            "version",
        ),
        (
            with(36, good[36] ^ 1),
            RefusalCode::Malformed,
            true,
            1007,
            "checksum",
        ),
        (
            with(good.len() - 1, good[good.len() - 1] ^ 1),
            RefusalCode::Malformed,
            true,
            1007,
            "checksum",
        ),
        (
            good[..good.len() - 1].to_vec(),
            RefusalCode::Malformed,
            true,
            1007,
            "bytes by its header",
        ),
        (
            Raw {
                kind: 99,
                ..Raw::batch(7, 1, b"", false)
            }
            .bytes(),
            RefusalCode::Unsupported,
            false,
            1003,
            "kind 99",
        ),
    ];
    for (bytes, code, retryable, status, text) in cases {
        let refusal = refused(&server, &bytes, status).await;
        assert_eq!(
            (refusal.code, refusal.retryable, refusal.batch),
            (code, retryable, None),
            "{refusal:?}"
        );
        assert!(refusal.text.contains(text), "{text:?} in {refusal:?}");
        server.is_alive().await;
    }
}

#[tokio::test]
async fn a_batch_that_cannot_be_read_is_refused_for_good_and_the_next_is_taken() {
    let server = start(|_| {}).await;
    let mut client = Client::open(server.addr()).await;
    client.begin().await;
    let stream = client.stream;
    let zeros = vec![0; 1 << 20];
    let mut truncated = Raw::batch(stream, 0, &[7; 5000], true);
    truncated.payload.truncate(truncated.payload.len() / 2);
    let bomb = Raw {
        plain_len: 1000,
        ..Raw::batch(stream, 0, &zeros, true)
    };
    let dense = Raw::batch(stream, 0, &zeros, true);
    let huge = Raw {
        plain_len: u32::MAX,
        ..Raw::batch(stream, 0, &[7; 100], true)
    };
    let noise = Raw::batch(stream, 0, &[0xff; 300], false);
    let many = Raw {
        events: u32::MAX,
        ..Raw::batch(stream, 0, &[], false)
    };
    let cases = [
        (truncated, RefusalCode::Malformed, "zstd"),
        (bomb, RefusalCode::Malformed, "zstd"),
        (dense, RefusalCode::TooLarge, "`ratio_max`"),
        (huge, RefusalCode::TooLarge, "`plain_bytes_max`"),
        (noise, RefusalCode::Malformed, "protobuf"),
        (many, RefusalCode::TooLarge, "events"),
    ];
    for (raw, code, text) in cases {
        let number = client.take_number();
        client.send_bytes(Raw { number, ..raw }.bytes()).await;
        let refusal = client.refusal().await;
        assert_eq!(refusal.batch, Some((stream, number)));
        assert_eq!(
            (refusal.code, refusal.retryable),
            (code, false),
            "{refusal:?}"
        );
        assert!(refusal.text.contains(text), "{text:?} in {refusal:?}");
        // It has its answer, and its credits come back.
        assert_eq!(client.ack().await.number, number);
        let next = client.send_batch(2).await;
        assert_eq!(client.ack().await.number, next);
        assert!(server.store.has(stream, next) && !server.store.has(stream, number));
    }
    server.is_alive().await;
}

#[tokio::test]
async fn a_dictionary_of_a_million_names_is_refused_before_it_is_built() {
    let server = start(|_| {}).await;
    let mut client = Client::open(server.addr()).await;
    client.begin().await;
    let number = client.take_number();
    let raw = Raw {
        number,
        ..crate::raw::million_names(client.stream)
    };
    client.send_bytes(raw.bytes()).await;
    let refusal = client.refusal().await;
    assert_eq!(
        (refusal.code, refusal.retryable),
        (RefusalCode::TooLarge, false),
        "{refusal:?}"
    );
    assert!(refusal.text.contains("names"), "{refusal:?}");
    server.is_alive().await;
}

#[tokio::test]
async fn a_frame_over_the_limit_is_refused_by_its_number_and_a_message_far_over_it_ends_the_connection()
 {
    let server = start(|config| config.ingest.frame_bytes_max = 100 << 10).await;
    let mut client = Client::open(server.addr()).await;
    client.begin().await;
    let number = client.take_number();
    let over = Raw {
        number,
        ..Raw::batch(client.stream, 0, &[7; (100 << 10) + 1], false)
    };
    client.send_bytes(over.bytes()).await;
    let refusal = client.refusal().await;
    assert_eq!(
        (refusal.code, refusal.batch),
        (RefusalCode::TooLarge, Some((client.stream, number)))
    );
    assert_eq!(client.ack().await.number, number);
    let next = client.send_batch(1).await;
    assert_eq!(client.ack().await.number, next);

    let refusal = refused(&server, &vec![0; 300 << 10], 1009).await;
    assert_eq!((refusal.code, refusal.batch), (RefusalCode::TooLarge, None));
    assert!(
        refusal.text.contains("`ingest.frame_bytes_max`"),
        "{refusal:?}"
    );
    server.is_alive().await;
}

#[tokio::test]
async fn a_text_message_ends_the_connection_with_the_reason() {
    let server = start(|_| {}).await;
    let mut client = Client::open(server.addr()).await;
    client
        .socket
        .send(tungstenite::Message::Text("{}".into()))
        .await
        .unwrap();
    let refusal = client.refusal().await;
    assert_eq!(refusal.code, RefusalCode::Unsupported);
    assert!(refusal.text.contains("binary"), "{refusal:?}");
    client.is_closed_with(1003).await;
    server.is_alive().await;
}

#[tokio::test]
async fn more_than_the_credits_is_refused() {
    let server = start(|config| {
        config.ingest.frame_bytes_max = 64 << 10;
        config.ingest.window_bytes = (64 << 10) + FRAME_HEADER_BYTES;
    })
    .await;
    server.store.hold();
    let mut client = Client::connected(server.addr()).await;
    let credit = client.hello().await.credit_total;
    client.begin().await;
    let mut sent = 0;
    while sent <= credit {
        let frame = batch(client.stream, client.take_number(), 500);
        sent += frame.bytes().len() as u64;
        client.send_bytes(frame.into_bytes()).await;
    }
    let refusal = client.refusal().await;
    assert_eq!(
        (refusal.code, refusal.retryable),
        (RefusalCode::OverCredit, false),
        "{refusal:?}"
    );
    client.is_closed_with(1008).await;
    server.store.release();
    server.is_alive().await;
}

#[tokio::test]
async fn a_batch_out_of_its_order_is_refused_for_now_and_never_becomes_a_duplicate() {
    let server = start(|_| {}).await;
    // Not begun.
    let mut client = Client::open(server.addr()).await;
    let stream = client.stream;
    client.send_bytes(batch(stream, 1, 1).into_bytes()).await;
    let refusal = client.refusal().await;
    assert_eq!(
        (refusal.code, refusal.retryable),
        (RefusalCode::OutOfOrder, true),
        "{refusal:?}"
    );
    client.is_closed_with(1008).await;
    // Two before one.
    let mut client = Client::open(server.addr()).await;
    client.stream = stream;
    client.skip(0).await;
    client.send_bytes(batch(stream, 2, 1).into_bytes()).await;
    let refusal = client.refusal().await;
    assert_eq!(refusal.batch, Some((stream, 2)));
    assert!(refusal.text.contains("where 1 is due"), "{refusal:?}");
    assert_eq!(server.store.stored(), []);
    // A batch that was lost on the way, and a skip behind it.
    let mut client = Client::open(server.addr()).await;
    client.stream = stream;
    client.begin().await;
    let _lost = client.take_number();
    client.skip(4).await;
    assert_eq!(client.refusal().await.code, RefusalCode::OutOfOrder);
    assert_eq!(server.store.stored(), []);
    // In order, with a number left out knowingly, and once more, as after a lost acknowledgement.
    for _ in 0..2 {
        let mut client = Client::open(server.addr()).await;
        client.stream = stream;
        client.skip(0).await;
        client.send_batch(1).await;
        client.skip(4).await;
        client.send_batch(1).await;
        while client.ack().await.number < 5 {}
    }
    assert_eq!(server.store.stored(), [(stream, 1), (stream, 5)]);
    server.is_alive().await;
}

#[tokio::test]
async fn who_says_no_hello_and_who_falls_silent_is_closed() {
    let server = start(|config| {
        config.ingest.hello_timeout = Duration::from_millis(100);
        config.ingest.ping_interval = Duration::from_millis(50);
        config.ingest.idle_timeout = Duration::from_millis(200);
    })
    .await;
    let mut mute = Client::connected(server.addr()).await;
    assert!(mute.refusal().await.text.contains("no hello"));
    mute.is_closed_with(1008).await;

    let mut rude = Client::connected(server.addr()).await;
    rude.send(&Message::Ping(1)).await;
    assert_eq!(rude.message().await, Message::Pong(1));
    rude.send_batch(1).await;
    assert!(rude.refusal().await.text.contains("has to be a hello"));

    let mut silent = Client::open(server.addr()).await;
    let mut questions = 0;
    loop {
        match silent.said().await {
            Said::Message(Message::Ping(_)) => questions += 1,
            Said::Close(Some(close)) => break assert_eq!(u16::from(close.code), 1008),
            other => panic!("{other:?}"),
        }
    }
    assert!(questions > 0);
    server.is_alive().await;
}

#[tokio::test]
async fn who_answers_is_not_silent() {
    let server = start(|config| {
        config.ingest.ping_interval = Duration::from_millis(20);
        config.ingest.idle_timeout = Duration::from_secs(3600);
    })
    .await;
    let mut client = Client::open(server.addr()).await;
    for _ in 0..10 {
        match client.message().await {
            Message::Ping(token) => client.send(&Message::Pong(token)).await,
            other => panic!("{other:?}"),
        }
    }
    let number = client.send_batch(1).await;
    loop {
        match client.message().await {
            Message::Ack(ack) => break assert_eq!(ack.number, number),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
