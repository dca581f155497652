//! Questions over HTTP: who may ask, what a question is, and what becomes of one that is none.

use std::sync::Arc;
use std::time::Duration;

use reflow_trace::api::{ErrorCode, ServerMetrics};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::scene::{
    bearer, get, heard, post, post_with, request, say, start, start_with, token, until,
};
use crate::slow::SlowStore;

#[tokio::test]
async fn a_question_is_answered_by_post_and_by_get() {
    let server = start(|_| {}).await;
    for answer in [
        post(&server, "/api/metrics", "{}").await,
        post(&server, "/api/metrics", "").await,
        get(&server, "/api/metrics").await,
    ] {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(
            answer.head.contains("content-type: application/json"),
            "{answer:?}"
        );
        assert!(answer.head.contains("nosniff"), "{answer:?}");
        let metrics: ServerMetrics = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(metrics.events, 0);
    }
    let page = get(&server, "/api").await;
    assert_eq!(page.status, 200);
    for said in ["/api/query_traces", "last=1h", "reflow-trace.api.1"] {
        assert!(page.body.contains(said), "{}", page.body);
    }
    let metrics = server.metrics();
    assert_eq!(metrics.questions.of("metrics"), 3);
    assert_eq!(metrics.answers.of("answered"), 3);
}

#[tokio::test]
async fn what_is_no_question_is_told_as_json_with_a_status_that_fits() {
    let server = start(|_| {}).await;
    let addr = server.addr();
    let invalid = ErrorCode::InvalidQuestion;
    for (answer, status, code, said) in [
        (
            post(&server, "/api/edgse", "{}").await,
            404,
            ErrorCode::NotFound,
            "did you mean `edges`?",
        ),
        (
            get(&server, "/api/edgse").await,
            404,
            ErrorCode::NotFound,
            "did you mean `edges`?",
        ),
        (
            get(&server, "/api/a/b").await,
            404,
            ErrorCode::NotFound,
            "there is nothing here",
        ),
        (
            say(addr, &request(addr, "PUT /api/edges", &[], Some("{}"))).await,
            405,
            invalid,
            "with this method",
        ),
        (
            post(&server, "/api/edges", "{").await,
            400,
            invalid,
            "in `edges`: EOF",
        ),
        (
            post(&server, "/api/edges", "[]x").await,
            400,
            invalid,
            "in `edges`: ",
        ),
        (
            post(&server, "/api/edges", r#"{"acotr": "a"}"#).await,
            400,
            invalid,
            "unknown field `acotr`, expected `time_range` or `actor`",
        ),
        (
            post(
                &server,
                "/api/query_traces",
                r#"{"query": {"limit": "all"}}"#,
            )
            .await,
            400,
            invalid,
            "in `query_traces`: invalid type",
        ),
        (
            post(&server, "/api/edges", &"[".repeat(60_000)).await,
            400,
            invalid,
            "nested more than 32 deep",
        ),
        (
            post(&server, "/api/edges", &"{\"a\":".repeat(100_000)).await,
            413,
            ErrorCode::TooLarge,
            "at most 65536 bytes",
        ),
        (
            get(&server, "/api/edges?lats=1h").await,
            400,
            invalid,
            "`edges` has no parameter `lats`",
        ),
        (
            post_with(
                &server,
                "/api/edges",
                &[("Content-Type", "text/plain")],
                "{}",
            )
            .await,
            415,
            invalid,
            "application/json",
        ),
        (
            post_with(
                &server,
                "/api/edges",
                &[("Content-Type", "application/x-www-form-urlencoded")],
                "a=b",
            )
            .await,
            415,
            invalid,
            "application/json",
        ),
        (
            post_with(&server, "/api/edges", &[("Host", "evil.example")], "{}").await,
            421,
            ErrorCode::Forbidden,
            "`http.hosts`",
        ),
        (
            post_with(
                &server,
                "/api/edges",
                &[("Origin", "https://evil.example")],
                "{}",
            )
            .await,
            403,
            ErrorCode::Forbidden,
            "`http.origins`",
        ),
        (
            say(
                addr,
                &request(
                    addr,
                    "GET /api/graph",
                    &[("Sec-Fetch-Site", "cross-site")],
                    None,
                ),
            )
            .await,
            403,
            ErrorCode::Forbidden,
            "`http.origins`",
        ),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
        let error = answer.error();
        assert_eq!(error.code, code, "{error:?}");
        assert!(error.message.contains(said), "{}", error.message);
        assert!(!error.message.contains(char::is_control), "{error:?}");
    }
    // Elsewhere a refusal is for people, as before.
    assert_eq!(
        get(&server, "/nothing").await.body,
        "there is nothing here; `/` says what there is\n"
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_or_never_ends_costs_its_limit_and_no_more() {
    let server = start(|config| {
        config.http.header_timeout = Duration::from_millis(200);
    })
    .await;
    let addr = server.addr();
    let head = |length: &str| {
        format!(
            "POST /api/edges HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
        )
    };
    // It says itself that it is too large: nothing is waited for.
    let answer = say(addr, &head("Content-Length: 100000000")).await;
    assert_eq!(
        (answer.status, answer.error().code),
        (413, ErrorCode::TooLarge)
    );
    // It does not say so.
    let chunk = format!("{:x}\r\n{}\r\n", 40_000, " ".repeat(40_000));
    let text = head("Transfer-Encoding: chunked") + &chunk + &chunk;
    let answer = say(addr, &text).await;
    assert_eq!(
        (answer.status, answer.error().code),
        (413, ErrorCode::TooLarge)
    );
    // It begins and never ends.
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream
        .write_all(head("Content-Length: 10").as_bytes())
        .await
        .unwrap();
    stream.write_all(b"{").await.unwrap();
    let answer = heard(&mut stream).await;
    assert_eq!(answer.status, 408, "{answer:?}");
    assert!(
        answer.error().message.contains("`http.header_timeout`"),
        "{answer:?}"
    );
    assert_eq!(get(&server, "/api/metrics").await.status, 200);
    assert_eq!(server.metrics().questions_open.get(), 0);
}

#[tokio::test]
async fn a_token_permits_what_its_scopes_say() {
    let tokens = ["query", "subscribe", "ingest", "query+content"].map(token);
    let lines: Vec<String> = tokens.iter().map(|token| token.line.clone()).collect();
    let mut names: Vec<String> = lines;
    names[3] = names[3].replacen("query:", "query-content:", 1);
    let server = start(|config| config.auth.tokens = names).await;
    let nobody = post(&server, "/api/metrics", "{}").await;
    assert_eq!(
        (nobody.status, nobody.error().code),
        (401, ErrorCode::Forbidden)
    );
    assert!(
        nobody.head.contains("www-authenticate: bearer"),
        "{nobody:?}"
    );
    for (token, status) in tokens.iter().zip([200, 403, 403, 200]) {
        let authorization = bearer(token);
        let headers = [("Authorization", authorization.as_str())];
        let answer = post_with(&server, "/api/metrics", &headers, "{}").await;
        assert_eq!(answer.status, status, "{} {answer:?}", token.line);
        if status == 403 {
            assert!(
                answer.error().message.contains("lack `query`"),
                "{answer:?}"
            );
        }
    }
    // What there is to ask is nobody's business either.
    assert_eq!(get(&server, "/api").await.status, 401);
    assert_eq!(get(&server, "/api/edgse").await.status, 401);
}

#[tokio::test]
async fn who_goes_away_leaves_the_line() {
    let store = Arc::new(SlowStore::default());
    let gate = store.gate();
    let server = start_with(store, |config| config.query.concurrent_max = 1).await;
    let metrics = server.metrics();
    let ask = request(server.addr(), "POST /api/metrics", &[], Some("{}"));
    let mut connections = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(server.addr()).await.unwrap();
        stream.write_all(ask.as_bytes()).await.unwrap();
        connections.push(stream);
    }
    until(|| gate.waiting() == 1 && metrics.questions_open.get() == 3).await;
    drop(connections);
    until(|| metrics.questions_open.get() == 0).await;
    assert_eq!(metrics.answers.of("cancelled"), 3);
    assert_eq!(gate.waiting(), 1, "those in the line never began");
    gate.open();
    assert_eq!(post(&server, "/api/metrics", "{}").await.status, 200);
}

#[tokio::test]
async fn a_thousand_questions_at_once_are_answered_or_told_that_the_server_is_busy() {
    let store = Arc::new(SlowStore::default());
    let gate = store.gate();
    let server = start_with(store, |config| {
        config.http.connections_max = 2_000;
        config.query.concurrent_max = 2;
        config.query.waiting_max = 10;
    })
    .await;
    let (addr, metrics) = (server.addr(), server.metrics());
    let ask = request(addr, "POST /api/metrics", &[], Some("{}"));
    let asked: Vec<_> = (0..1_000)
        .map(|_| {
            let ask = ask.clone();
            tokio::spawn(async move { say(addr, &ask).await })
        })
        .collect();
    // All of those that find no place are told before a single one is answered.
    until(|| metrics.answers.of("busy") == 988).await;
    gate.open();
    let mut counts = [0, 0];
    for answer in asked {
        let answer = answer.await.unwrap();
        match answer.status {
            200 => counts[0] += 1,
            503 => {
                counts[1] += 1;
                assert!(answer.head.contains("retry-after: 1"), "{answer:?}");
                assert_eq!(answer.error().code, ErrorCode::Busy);
            }
            _ => panic!("{answer:?}"),
        }
    }
    assert_eq!(counts, [12, 988]);
}

#[tokio::test]
async fn an_answer_that_is_too_large_says_what_to_ask_instead() {
    let server = start(|config| config.query.answer_bytes_max = 32).await;
    let answer = post(&server, "/api/metrics", "{}").await;
    assert_eq!(
        (answer.status, answer.error().code),
        (413, ErrorCode::TooLarge)
    );
    assert!(
        answer.error().message.contains("`query.answer_bytes_max`"),
        "{answer:?}"
    );
}
