//! Who comes in: hosts, origins, tokens, scopes, limits of connections and requests.

use std::time::Duration;

use reflow_trace_server::http::token::{NewToken, Scopes};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Client, SUBPROTOCOL, connect};
use crate::server::{ask, read_answer, start};

fn token(name: &str, scopes: &str) -> NewToken {
    NewToken::draw(name, Scopes::parse(scopes).unwrap()).unwrap()
}

fn bearer(token: &NewToken) -> String {
    format!("Bearer {}", token.secret)
}

/// The status with which `/ingest` refuses these headers; the subprotocol is among them.
async fn refused(server: &crate::server::TestServer, headers: &[(&str, &str)]) -> u16 {
    let mut all = vec![SUBPROTOCOL];
    all.extend(headers);
    match connect(server.addr(), &all).await {
        Ok(_) => panic!("was let in with {headers:?}"),
        Err(response) => response.status().as_u16(),
    }
}

#[tokio::test]
async fn the_pages_are_there_and_say_what_they_are() {
    let server = start(|_| {}).await;
    let about = server.get("/").await;
    assert_eq!(about.status, 200);
    assert!(
        about.body.contains("/ingest") && about.body.contains("/metrics"),
        "{}",
        about.body
    );
    assert!(
        about.head.contains("nosniff") && about.head.contains("default-src 'none'"),
        "{}",
        about.head
    );
    assert_eq!(server.get("/ready").await.body, "ready\n");
    let metrics = server.get("/metrics").await;
    assert!(
        metrics.head.contains("text/plain; version=0.0.4"),
        "{}",
        metrics.head
    );
    assert!(metrics.body.contains("\nreflow_trace_ready 1\n"));
    let nothing = server.get("/nothing").await;
    assert_eq!(nothing.status, 404);
    assert!(
        nothing.body.contains("`/` says what there is"),
        "{}",
        nothing.body
    );
    let posted = ask(
        server.addr(),
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(posted.status, 405);
    assert_eq!(
        server
            .metric("reflow_trace_http_refusals_total{reason=\"not_found\"}")
            .await,
        1.0
    );
}

#[tokio::test]
async fn a_foreign_host_is_refused_everywhere() {
    let server = start(|config| config.http.hosts = vec!["trace.example".to_owned()]).await;
    for path in ["/", "/health", "/metrics", "/ingest", "/nothing"] {
        let answer = server.get_with(path, &[("Host", "evil.example")]).await;
        assert_eq!(answer.status, 421, "{path}");
        assert!(answer.body.contains("`http.hosts`"), "{}", answer.body);
    }
    assert_eq!(
        server
            .get_with("/health", &[("Host", "trace.example:80")])
            .await
            .status,
        200
    );
    let none = ask(server.addr(), "GET /health HTTP/1.0\r\n\r\n").await;
    assert_eq!(none.status, 400);
    let two = [("Host", "localhost"), ("Host", "evil.example")];
    assert_eq!(server.get_with("/health", &two).await.status, 400);
    server.is_alive().await;
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_is_refused() {
    let server = start(|_| {}).await;
    assert_eq!(
        refused(&server, &[("origin", "https://evil.example")]).await,
        403
    );
    assert_eq!(refused(&server, &[("origin", "null")]).await, 403);
    assert_eq!(
        server
            .get_with("/metrics", &[("Origin", "https://evil.example")])
            .await
            .status,
        403
    );
    assert!(
        connect(
            server.addr(),
            &[SUBPROTOCOL, ("origin", "http://localhost:3000")]
        )
        .await
        .is_ok()
    );
    server.is_alive().await;
}

#[tokio::test]
async fn a_wrong_or_missing_token_and_a_wrong_scope_are_refused_each_with_its_reason() {
    let (writer, reader) = (token("writer", "ingest"), token("reader", "query"));
    let lines = vec![writer.line.clone(), reader.line.clone()];
    let server = start(|config| config.auth.tokens = lines).await;
    assert_eq!(refused(&server, &[]).await, 401);
    assert_eq!(
        refused(&server, &[("authorization", "Bearer rft_wrong")]).await,
        401
    );
    assert_eq!(
        refused(&server, &[("authorization", &bearer(&reader))]).await,
        403
    );
    let headers = [SUBPROTOCOL, ("authorization", &bearer(&writer))];
    let mut client = connect(server.addr(), &headers)
        .await
        .unwrap_or_else(|response| panic!("{response:?}"));
    client.hello().await;
    let number = client.send_batch(1).await;
    assert_eq!(client.ack().await.number, number);

    let missing = server.get("/metrics").await;
    assert_eq!(missing.status, 401);
    assert!(
        missing
            .head
            .to_lowercase()
            .contains("www-authenticate: bearer"),
        "{}",
        missing.head
    );
    let scope = server
        .get_with("/metrics", &[("Authorization", &bearer(&writer))])
        .await;
    assert_eq!(scope.status, 403);
    assert!(scope.body.contains("`query`"), "{}", scope.body);
    let metrics = server
        .get_with("/metrics", &[("Authorization", &bearer(&reader))])
        .await;
    assert_eq!(metrics.status, 200);
    for reason in ["no_token", "wrong_token", "wrong_scope"] {
        assert!(
            metrics.body.contains(&format!("reason=\"{reason}\"")),
            "{reason}"
        );
    }
    // What says nothing about anybody needs no token.
    for path in ["/", "/health", "/ready"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn without_websocket_or_subprotocol_it_is_said_what_is_spoken() {
    let server = start(|_| {}).await;
    let plain = server.get("/ingest").await;
    assert_eq!(plain.status, 426);
    assert!(plain.body.contains("reflow-trace.v1"), "{}", plain.body);
    for headers in [vec![], vec![("sec-websocket-protocol", "graphql-ws")]] {
        let Err(response) = connect(server.addr(), &headers).await else {
            panic!("was let in");
        };
        assert_eq!(response.status(), 400);
        let body = String::from_utf8(response.into_body().unwrap_or_default()).unwrap();
        assert!(body.contains("reflow-trace.v1"), "{body}");
    }
    server.is_alive().await;
}

#[tokio::test]
async fn one_session_too_many_is_told_to_come_later() {
    let server = start(|config| config.ingest.sessions_max = 1).await;
    let first = Client::open(server.addr()).await;
    let Err(response) = connect(server.addr(), &[SUBPROTOCOL]).await else {
        panic!("was let in");
    };
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    drop(first);
    while server.metric("reflow_trace_sessions").await > 0.0 {
        tokio::task::yield_now().await;
    }
    server.is_alive().await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_why_and_closed() {
    let server = start(|config| config.http.connections_max = 2).await;
    let one = Client::open(server.addr()).await;
    let two = Client::open(server.addr()).await;
    let third = server.get("/health").await;
    assert_eq!(third.status, 503);
    assert!(
        third.body.contains("`http.connections_max`"),
        "{}",
        third.body
    );
    drop((one, two));
    let mut status = 503;
    while status == 503 {
        status = server.get("/health").await.status;
    }
    assert_eq!(status, 200);
    server.is_alive().await;
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_or_is_too_large_ends_its_connection() {
    let server = start(|config| {
        config.http.header_timeout = Duration::from_millis(200);
        config.http.header_bytes_max = 8 << 10;
    })
    .await;
    let mut slow = TcpStream::connect(server.addr()).await.unwrap();
    slow.write_all(b"GET /health HTTP/1.1\r\nHost: loc")
        .await
        .unwrap();
    let mut rest = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut slow, &mut rest);
    tokio::time::timeout(crate::server::PATIENCE, read)
        .await
        .unwrap()
        .unwrap();

    let mut idle = TcpStream::connect(server.addr()).await.unwrap();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut idle, &mut rest);
    tokio::time::timeout(crate::server::PATIENCE, read)
        .await
        .unwrap()
        .unwrap();

    let mut large = TcpStream::connect(server.addr()).await.unwrap();
    let head = format!(
        "GET /health HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\n\r\n",
        "x".repeat(64 << 10)
    );
    // The server may have stopped to listen in the middle.
    let _heard = large.write_all(head.as_bytes()).await;
    assert_eq!(read_answer(&mut large).await.status, 431);
    server.is_alive().await;
}

#[tokio::test]
async fn who_asks_and_does_not_read_is_given_up() {
    let server = start(|config| {
        config.http.write_timeout = Duration::from_millis(200);
        config.http.header_timeout = Duration::from_secs(3600);
    })
    .await;
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let ask = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    // Until neither side takes anything any more, and then until the server has had enough.
    let flood = async { while stream.write_all(&ask).await.is_ok() {} };
    tokio::time::timeout(crate::server::PATIENCE, flood)
        .await
        .unwrap();
    server.is_alive().await;
}
