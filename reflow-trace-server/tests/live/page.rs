//! Pages that only listen, and tickets.

use std::time::Duration;

use reflow_trace::protocol::{SubscriptionRequest, TracingRequest};
use reflow_trace::{TraceEvent, TraceId};
use reflow_trace_server::config::Config;
use reflow_trace_server::http::token::{NewToken, Scopes};
use tokio_tungstenite::tungstenite::http::StatusCode;

use crate::talk::{PATIENCE, Said, TestServer, flow, start};

const OWN: (&str, &str) = ("origin", "http://localhost:3000");

#[tokio::test]
async fn a_page_gets_plain_events_without_content_until_it_says_something() {
    let server = start(|_| {}).await;
    let mut page = server.connect_with(&[OWN]).await.unwrap();
    let mut silent = server.connect().await;
    server.becomes(TestServer::subscriptions, 1).await;
    let mut client = server.connect().await;
    let secret =
        TraceEvent::data_flow_with_content("a", "out", "b", "in", "T", 2, Some(b"secret".to_vec()));
    client.store(TraceId::new(), secret.clone()).await;
    let text = page.text().await;
    let event: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(event["event_type"]["DataFlow"]["to_actor"], "b");
    assert_eq!(event["event_id"], secret.event_id.0.to_string());
    assert_eq!(
        event["data"]["message"]["serialized_data"],
        serde_json::json!([])
    );
    // Its first word ends that.
    page.lives().await;
    client.store(TraceId::new(), flow("c")).await;
    page.lives().await;
    // Who is no page has got nothing at all.
    silent.lives().await;
    assert_eq!(server.subscriptions(), 0);
}

#[tokio::test]
async fn a_page_from_elsewhere_does_not_come_in_and_a_plain_get_is_a_page() {
    let server = start(|_| {}).await;
    for foreign in ["https://evil.example", "null"] {
        let refused = server.connect_with(&[("origin", foreign)]).await;
        assert_eq!(refused.err(), Some(403), "{foreign}");
    }
    let addr = server.addr();
    let get =
        |more: &str| format!("GET / HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n{more}\r\n");
    let page = server.request(&get("")).await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("This server stores"), "{page}");
    let page = server.request(&get("Upgrade: smoke\r\n")).await;
    assert!(page.starts_with("HTTP/1.1 426"), "{page}");
    let open = start(|config| config.insecure.allow_null_origin = true).await;
    let mut page = open.connect_with(&[("origin", "null")]).await.unwrap();
    open.becomes(TestServer::subscriptions, 1).await;
    page.lives().await;
}

/// A server with one token for each of these scopes; the secrets.
async fn guarded(scopes: &[&str]) -> (TestServer, Vec<String>) {
    guarded_with(scopes, |_| {}).await
}

async fn guarded_with(
    scopes: &[&str],
    change: impl FnOnce(&mut Config),
) -> (TestServer, Vec<String>) {
    let tokens: Vec<_> = (0..)
        .zip(scopes)
        .map(|(number, scopes)| {
            NewToken::draw(&format!("t{number}"), Scopes::parse(scopes).unwrap()).unwrap()
        })
        .collect();
    let lines = tokens.iter().map(|token| token.line.clone()).collect();
    let server = start(|config| {
        config.auth.tokens = lines;
        change(config);
    })
    .await;
    let secrets = tokens.into_iter().map(|token| token.secret).collect();
    (server, secrets)
}

async fn ticket(server: &TestServer, secret: &str) -> Result<String, StatusCode> {
    let addr = server.addr();
    let answer = server
        .request(&format!(
            "POST /api/ticket HTTP/1.1\r\nHost: {addr}\r\nAuthorization: Bearer {secret}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        ))
        .await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
    if status != 200 {
        return Err(StatusCode::from_u16(status).unwrap());
    }
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["expires_in_ms"], 30_000);
    Ok(body["ticket"].as_str().unwrap().to_owned())
}

fn with(ticket: &str) -> String {
    serde_json::json!({ "ticket": { "ticket": ticket } }).to_string()
}

#[tokio::test]
async fn a_ticket_lets_a_page_in_once_with_the_scopes_of_its_bearer() {
    let (server, secrets) = guarded(&["subscribe", "ingest", "subscribe+content"]).await;
    let good = ticket(&server, &secrets[0]).await.unwrap();
    let mut page = server.connect_with(&[OWN]).await.unwrap();
    assert_eq!(
        server.subscriptions(),
        0,
        "nothing before it has said who it is"
    );
    page.say(&with(&good)).await;
    server.becomes(TestServer::subscriptions, 1).await;
    let bearer = format!("Bearer {}", secrets[1]);
    let mut client = server
        .connect_with(&[("authorization", &bearer)])
        .await
        .unwrap();
    client.store(TraceId::new(), flow("b")).await;
    assert!(page.text().await.starts_with("{\"event_id\""));
    // It may subscribe and nothing else.
    let query = TracingRequest::QueryTraces {
        request_id: None,
        query: Default::default(),
    };
    page.request(&query).await;
    assert_eq!(
        page.error().await,
        "Unauthorized: the token does not permit `QueryTraces`: its scopes lack `query`"
    );
    page.record(TraceId::new(), flow("b")).await;
    assert!(page.error().await.contains("its scopes lack `ingest`"));

    let mut again = server.connect_with(&[OWN]).await.unwrap();
    again.say(&with(&good)).await;
    assert!(
        again
            .error()
            .await
            .starts_with("Unauthorized: this is no ticket")
    );
    again.is_closed_with(1008).await;

    assert_eq!(
        ticket(&server, "rft_wrong").await,
        Err(StatusCode::UNAUTHORIZED)
    );
    assert_eq!(
        ticket(&server, &secrets[1]).await,
        Err(StatusCode::FORBIDDEN)
    );
}

#[tokio::test]
async fn content_is_for_who_may_see_it_also_by_a_ticket() {
    let (server, secrets) = guarded(&["subscribe", "ingest", "subscribe+content"]).await;
    let mut watchers = Vec::new();
    for secret in [&secrets[0], &secrets[2]] {
        let good = ticket(&server, secret).await.unwrap();
        let mut client = server.connect().await;
        client.say(&with(&good)).await;
        let filters = SubscriptionRequest::default();
        client.request(&TracingRequest::Subscribe { filters }).await;
        client.lives().await;
        watchers.push(client);
    }
    let bearer = format!("Bearer {}", secrets[1]);
    let mut client = server
        .connect_with(&[("authorization", &bearer)])
        .await
        .unwrap();
    let content = Some(b"secret".to_vec());
    let event = TraceEvent::data_flow_with_content("a", "o", "b", "i", "T", 6, content);
    client.store(TraceId::new(), event).await;
    let mut seen = Vec::new();
    for watcher in &mut watchers {
        let event = watcher.notified().await;
        seen.push(event.data.message.unwrap().serialized_data);
    }
    assert_eq!(seen, [b"".to_vec(), b"secret".to_vec()]);
}

#[tokio::test]
async fn without_token_and_ticket_nobody_is_listened_to() {
    let (server, _) = guarded(&["ingest"]).await;
    let mut client = server.connect().await;
    client.record(TraceId::new(), flow("b")).await;
    let error = client.error().await;
    assert!(
        error.starts_with("Unauthorized: a token is needed"),
        "{error}"
    );
    client.is_closed_with(1008).await;
    let wrong = server
        .connect_with(&[("authorization", "Bearer rft_no")])
        .await;
    assert_eq!(wrong.err(), Some(401));
    let mut silent = server.connect_with(&[OWN]).await.unwrap();
    silent.say("{\"ticket\":").await;
    assert!(matches!(silent.said().await, Said::Text(_)));
    silent.is_closed_with(1008).await;
}

#[tokio::test]
async fn who_does_not_say_who_it_is_in_time_is_sent_away() {
    let (server, secrets) = guarded_with(&["subscribe"], |config| {
        config.ingest.hello_timeout = Duration::from_secs(1);
    })
    .await;
    let good = ticket(&server, &secrets[0]).await.unwrap();
    let mut page = server.connect_with(&[OWN]).await.unwrap();
    page.say(&with(&good)).await;
    page.lives().await;
    // They answer pings and say nothing else.
    let mut silent_page = server.connect_with(&[OWN]).await.unwrap();
    let mut silent = server.connect().await;
    for client in [&mut silent_page, &mut silent] {
        let closed = tokio::time::timeout(PATIENCE, client.is_closed_with(1008));
        assert_eq!(closed.await.unwrap(), "no token and no ticket");
    }
    page.lives().await;
}
