//! Questions and subscriptions over a WebSocket: many at once, each by its id.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::SinkExt;
use reflow_trace::TraceEvent;
use reflow_trace::api::{
    Answer, ClientMessage, ErrorCode, MetricsQuestion, Question, ServerMessage,
};
use reflow_trace::protocol::SubscriptionRequest;
use reflow_trace::query::SubscriptionFilters;
use reflow_trace_server::Ending;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;

use crate::endless::EndlessStore;
use crate::scene::{
    Asker, PATIENCE, bearer, get, post_with, record, start, start_with, token, until,
};
use crate::slow::SlowStore;

fn metrics(id: u64) -> ClientMessage {
    ClientMessage::Ask {
        id,
        question: Question::Metrics(MetricsQuestion {}),
    }
}

fn subscribe(id: u64, from_offset: Option<u64>) -> ClientMessage {
    ClientMessage::Subscribe {
        id,
        filters: SubscriptionRequest::default(),
        from_offset,
    }
}

fn event(name: &str) -> TraceEvent {
    TraceEvent::actor_started(name)
}

fn names(events: &[TraceEvent]) -> Vec<&str> {
    events.iter().map(|event| event.actor_id.as_str()).collect()
}

async fn is_answered(asker: &mut Asker, id: u64) {
    match asker.hear().await {
        ServerMessage::Answer { id: of, answer } => {
            assert_eq!(of, id);
            assert!(matches!(*answer, Answer::Metrics(_)));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn many_questions_are_answered_each_by_its_id() {
    let server = start(|_| {}).await;
    let mut asker = Asker::open(&server).await;
    let mut open: HashSet<u64> = [7, 0, u64::MAX, 3].into();
    for id in &open {
        asker.say(&metrics(*id)).await;
    }
    while !open.is_empty() {
        match asker.hear().await {
            ServerMessage::Answer { id, .. } => assert!(open.remove(&id), "{id} twice"),
            other => panic!("{other:?}"),
        }
    }
    // An id that is answered may be used again.
    asker.say(&metrics(7)).await;
    is_answered(&mut asker, 7).await;
}

#[tokio::test]
async fn what_is_no_message_is_told_and_the_connection_goes_on() {
    let server = start(|_| {}).await;
    let mut asker = Asker::open(&server).await;
    let invalid = ErrorCode::InvalidQuestion;
    for (text, id, code, said) in [
        ("", None, invalid, "in `message`: EOF"),
        ("\"ask\"", None, invalid, "in `message`: "),
        (r#"{"ask": {}}"#, None, invalid, "missing field"),
        (
            r#"{"drop_everything": {"id": 4}}"#,
            Some(4),
            invalid,
            "unknown variant",
        ),
        (
            r#"{"ask": {"id": 5, "question": {"edges": {"acotr": "a"}}}}"#,
            Some(5),
            invalid,
            "unknown field `acotr`",
        ),
        (
            r#"{"ask": {"id": 6, "question": {"edgse": {}}}}"#,
            Some(6),
            invalid,
            "unknown variant",
        ),
        (
            &"[".repeat(60_000),
            None,
            invalid,
            "nested more than 32 deep",
        ),
        (
            r#"{"unsubscribe": {"id": 9}}"#,
            None,
            ErrorCode::NotFound,
            "no subscription has the id 9",
        ),
        (
            r#"{"ticket": {"ticket": "x"}}"#,
            None,
            invalid,
            "first message",
        ),
        (
            r#"{"subscribe": {"id": 8, "filters": {"custom_filter": "siz > 3"}}}"#,
            Some(8),
            ErrorCode::InvalidFilter,
            "siz",
        ),
        (
            r#"{"subscribe": {"id": 8, "filters": {"flow_ids": ["f"]}}}"#,
            Some(8),
            ErrorCode::Unsupported,
            "`flow_ids`",
        ),
    ] {
        asker.say_text(text).await;
        let (of, error) = asker.refusal().await;
        assert_eq!((of, error.code), (id, code), "{text:.80}: {error}");
        assert!(error.message.contains(said), "{error}");
        if code == ErrorCode::InvalidFilter {
            let place = error.place.expect("it is in a text");
            assert_eq!(
                (place.field.as_str(), place.start, place.end),
                ("custom_filter", 0, 3)
            );
        }
    }
    asker
        .socket
        .send(Message::Binary(vec![1, 2, 3].into()))
        .await
        .unwrap();
    assert_eq!(asker.refusal().await.0, None);
    // Cancelling what is not there is nothing to talk about.
    asker.say(&ClientMessage::Cancel { id: 77 }).await;
    asker.say(&metrics(1)).await;
    is_answered(&mut asker, 1).await;

    asker.say_text(&" ".repeat(70_000)).await;
    let (status, reason) = asker
        .hear_any()
        .await
        .expect_err("it is closed")
        .expect("with a word");
    assert_eq!(status, 1009, "{reason}");
    assert_eq!(get(&server, "/api/metrics").await.status, 200);
}

#[tokio::test]
async fn an_id_in_use_and_more_than_may_be_open_are_refused_and_a_cancelled_one_is_free() {
    let store = Arc::new(SlowStore::default());
    let gate = store.gate();
    let server = start_with(store, |config| {
        config.query.concurrent_max = 1;
        config.query.asker_open_max = 3;
    })
    .await;
    let metrics_of_server = server.metrics();
    let mut asker = Asker::open(&server).await;
    for id in 1..=3 {
        asker.say(&metrics(id)).await;
    }
    until(|| gate.waiting() == 1 && metrics_of_server.questions_open.get() == 3).await;
    asker.say(&metrics(2)).await;
    let (id, error) = asker.refusal().await;
    assert_eq!((id, error.code), (None, ErrorCode::InvalidQuestion));
    assert!(error.message.contains("the id 2 is in use"), "{error}");
    asker.say(&metrics(4)).await;
    let (id, error) = asker.refusal().await;
    assert_eq!((id, error.code), (Some(4), ErrorCode::Busy));
    assert!(error.message.contains("`query.asker_open_max`"), "{error}");

    for id in 1..=2 {
        asker.say(&ClientMessage::Cancel { id }).await;
    }
    until(|| metrics_of_server.answers.of("cancelled") == 2).await;
    asker.say(&metrics(4)).await;
    gate.open();
    let mut answered = Vec::new();
    for _ in 0..2 {
        match asker.hear().await {
            ServerMessage::Answer { id, .. } => answered.push(id),
            other => panic!("{other:?}"),
        }
    }
    answered.sort_unstable();
    assert_eq!(answered, [3, 4], "nobody hears of what was cancelled");
}

#[tokio::test]
async fn who_closes_leaves_the_line() {
    let store = Arc::new(SlowStore::default());
    let gate = store.gate();
    let server = start_with(store, |config| config.query.concurrent_max = 1).await;
    let counted = server.metrics();
    let mut asker = Asker::open(&server).await;
    for id in 0..20 {
        asker.say(&metrics(id)).await;
    }
    until(|| counted.questions_open.get() == 20 && counted.askers.get() == 1).await;
    drop(asker);
    until(|| counted.questions_open.get() == 0 && counted.askers.get() == 0).await;
    assert_eq!(gate.waiting(), 1);
    gate.open();
    assert_eq!(get(&server, "/api/metrics").await.status, 200);
}

#[tokio::test]
async fn a_subscription_gets_what_fits_from_where_it_was_asked() {
    let server = start(|_| {}).await;
    record(server.addr(), &[event("before")]).await;
    let mut asker = Asker::open(&server).await;
    asker.say(&subscribe(1, None)).await;
    assert_eq!(
        asker.hear().await,
        ServerMessage::Subscribed { id: 1, offset: 2 }
    );
    let filters = SubscriptionFilters {
        actor_ids: Some(vec!["wanted".to_owned()]),
        ..SubscriptionFilters::default()
    };
    let wanted = ClientMessage::Subscribe {
        id: 2,
        filters: filters.into(),
        from_offset: Some(1),
    };
    asker.say(&wanted).await;
    assert_eq!(
        asker.hear().await,
        ServerMessage::Subscribed { id: 2, offset: 2 }
    );
    record(server.addr(), &[event("other"), event("wanted")]).await;
    let mut heard = [Vec::new(), Vec::new()];
    for _ in 0..2 {
        match asker.hear().await {
            ServerMessage::Events { id, offset, events } => {
                assert_eq!(offset, 2);
                heard[id as usize - 1].extend(names(&events).iter().map(|&name| name.to_owned()));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        heard,
        [
            vec!["other".to_owned(), "wanted".to_owned()],
            vec!["wanted".to_owned()]
        ]
    );

    asker.say(&ClientMessage::Unsubscribe { id: 1 }).await;
    assert_eq!(asker.hear().await, ServerMessage::Unsubscribed { id: 1 });
    asker.say(&subscribe(1, Some(1))).await;
    assert_eq!(
        asker.hear().await,
        ServerMessage::Subscribed { id: 1, offset: 3 }
    );
    let mut all = Vec::new();
    while all.len() < 3 {
        match asker.hear().await {
            ServerMessage::Events { id: 1, events, .. } => {
                all.extend(names(&events).iter().map(|&name| name.to_owned()));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(all, ["before", "other", "wanted"]);
    drop(asker);
    let counted = server.metrics();
    until(|| counted.subscriptions.get() == 0).await;
}

#[tokio::test]
async fn a_token_permits_questions_or_subscriptions_and_a_page_brings_a_ticket() {
    let tokens = ["query", "subscribe", "ingest"].map(token);
    let lines = tokens.iter().map(|token| token.line.clone()).collect();
    let server = start(|config| config.auth.tokens = lines).await;
    let [query, subscriber, ingest] = tokens.map(|token| bearer(&token));

    let refused = async |headers: &[(&str, &str)]| match Asker::open_with(&server, headers).await {
        Ok(_) => panic!("let in with {headers:?}"),
        Err((status, body)) => {
            assert!(body.contains("\"code\":\"forbidden\""), "{body}");
            status
        }
    };
    assert_eq!(refused(&[]).await, 401);
    assert_eq!(refused(&[("authorization", "Bearer x")]).await, 401);
    assert_eq!(refused(&[("authorization", &ingest)]).await, 403);

    let mut asker = Asker::open_with(&server, &[("authorization", &query)])
        .await
        .unwrap();
    asker.say(&subscribe(1, None)).await;
    let (id, error) = asker.refusal().await;
    assert_eq!((id, error.code), (Some(1), ErrorCode::Forbidden));
    assert!(error.message.contains("lack `subscribe`"), "{error}");
    asker.say(&metrics(2)).await;
    is_answered(&mut asker, 2).await;

    // A browser.
    let origin = format!("http://{}", server.addr());
    let page = [("origin", origin.as_str())];
    let told = post_with(
        &server,
        "/api/ticket",
        &[("Authorization", &subscriber)],
        "",
    )
    .await;
    assert_eq!(told.status, 200, "{told:?}");
    let told: serde_json::Value = serde_json::from_str(&told.body).unwrap();
    let ticket = ClientMessage::Ticket {
        ticket: told["ticket"].as_str().unwrap().to_owned(),
    };
    let mut asker = Asker::open_with(&server, &page).await.unwrap();
    asker.say(&ticket).await;
    asker.say(&metrics(1)).await;
    assert_eq!(asker.refusal().await.1.code, ErrorCode::Forbidden);
    asker.say(&subscribe(2, None)).await;
    assert_eq!(
        asker.hear().await,
        ServerMessage::Subscribed { id: 2, offset: 1 }
    );

    // Once; and nothing else is the first message.
    for first in [ticket, metrics(1)] {
        let mut asker = Asker::open_with(&server, &page).await.unwrap();
        asker.say(&first).await;
        let (status, reason) = asker
            .hear_any()
            .await
            .expect_err("closed")
            .expect("with a word");
        assert_eq!(status, 1008);
        assert!(reason.contains("/api/ticket"), "{reason}");
    }
}

#[tokio::test]
async fn who_says_nothing_is_asked_and_then_closed() {
    let server = start(|config| {
        config.ingest.ping_interval = Duration::from_millis(30);
        config.ingest.idle_timeout = Duration::from_millis(120);
    })
    .await;
    let mut there = Asker::open(&server).await;
    there.say(&subscribe(1, None)).await;
    // It answers pings while it listens.
    let listening = tokio::spawn(async move {
        assert!(matches!(
            there.hear().await,
            ServerMessage::Subscribed { .. }
        ));
        there.hear().await
    });
    let silent = Asker::open(&server).await;
    let counted = server.metrics();
    until(|| counted.asker_ends.of("silent") == 1).await;
    drop(silent);
    record(server.addr(), &[event("still there")]).await;
    match listening.await.unwrap() {
        ServerMessage::Events { events, .. } => assert_eq!(names(&events), ["still there"]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_asks_and_never_reads_holds_little_and_is_given_up() {
    let server = start(|config| {
        config.http.write_timeout = Duration::from_millis(300);
        config.query.asker_open_max = 8;
    })
    .await;
    let counted = server.metrics();
    let mut asker = Asker::open(&server).await;
    asker.say(&subscribe(0, Some(1))).await;
    // More than the buffers of the kernel hold: some megabytes of events.
    let large = "x".repeat(200);
    let many: Vec<TraceEvent> = (0..8_000).map(|_| event(&large)).collect();
    for _ in 0..6 {
        record(server.addr(), &many).await;
        // The others.
        assert_eq!(get(&server, "/api/metrics").await.status, 200);
    }
    until(|| counted.asker_ends.of("gone") == 1).await;
    assert_eq!((counted.askers.get(), counted.subscriptions.get()), (0, 0));
    assert_eq!(counted.unread_bytes.get(), 0);
    drop(asker);
}

#[tokio::test]
async fn at_the_end_of_the_server_there_is_a_goodbye() {
    let store = Arc::new(SlowStore::default());
    let gate = store.gate();
    let server = start_with(store, |config| config.query.concurrent_max = 1).await;
    let mut asker = Asker::open(&server).await;
    asker.say(&subscribe(1, None)).await;
    assert!(matches!(
        asker.hear().await,
        ServerMessage::Subscribed { .. }
    ));
    asker.say(&metrics(2)).await;
    let counted = server.metrics();
    until(|| gate.waiting() == 1).await;
    asker.say(&metrics(3)).await;
    until(|| counted.questions_open.get() == 2).await;
    let stopping = tokio::spawn(server.shutdown(PATIENCE));
    // The subscription and who waits for a turn are told; what has begun is answered.
    let mut told: Vec<u64> = Vec::new();
    for _ in 0..2 {
        let (id, error) = asker.refusal().await;
        assert_eq!(error.code, ErrorCode::Stopping);
        told.extend(id);
    }
    told.sort_unstable();
    assert_eq!(told, [1, 3]);
    asker.say(&metrics(4)).await;
    assert_eq!(asker.refusal().await.1.code, ErrorCode::Stopping);
    gate.open();
    is_answered(&mut asker, 2).await;
    let closed = asker
        .hear_any()
        .await
        .expect_err("closed")
        .expect("with a word");
    assert_eq!(closed, (1001, "the server is about to stop".to_owned()));
    drop(asker);
    assert_eq!(stopping.await.unwrap(), Ending::InOrder);
}

#[tokio::test]
async fn who_takes_an_answer_for_longer_than_silence_may_last_is_not_silent() {
    // Longer than a busy machine takes to find the answer, for nobody is heard meanwhile.
    let idle_timeout = Duration::from_secs(60);
    let server = start(|config| {
        config.ingest.ping_interval = Duration::from_secs(20);
        config.ingest.idle_timeout = idle_timeout;
        config.http.write_timeout = Duration::from_secs(600);
    })
    .await;
    // More than the buffers of the kernel hold.
    let large = || {
        let mut event = event("large");
        let text = ("text".to_owned(), "x".repeat(2_000_000).into());
        event.data.custom_attributes.extend([text]);
        event
    };
    for _ in 0..7 {
        record(server.addr(), &[large()]).await;
    }
    let mut asker = Asker::open_narrow(&server).await;
    asker
        .say_text(r#"{"ask": {"id": 1, "question": {"query_traces": {}}}}"#)
        .await;
    let MaybeTlsStream::Plain(tcp) = asker.socket.get_ref() else {
        panic!("it is not encrypted");
    };
    // The answer has begun to come, for a ping is not as long.
    let mut begun = vec![0; 16 << 10];
    while tcp.peek(&mut begun).await.unwrap() < begun.len() {
        tokio::task::yield_now().await;
    }
    assert!(server.metrics().unread_bytes.get() > 0);
    tokio::time::pause();
    tokio::time::advance(3 * idle_timeout).await;
    tokio::time::resume();
    match asker.hear().await {
        ServerMessage::Answer { id: 1, answer } => {
            assert!(matches!(*answer, Answer::QueryTraces(page) if page.events.len() == 7));
        }
        other => panic!("{other:?}"),
    }
    asker.say(&metrics(2)).await;
    is_answered(&mut asker, 2).await;
}

#[tokio::test]
async fn a_question_that_takes_longer_than_a_server_has_to_stop_is_told_so_and_the_end_is_in_order()
{
    let store = Arc::new(EndlessStore::default());
    let server = start_with(Arc::clone(&store) as _, |_| {}).await;
    let mut asker = Asker::open(&server).await;
    asker
        .say_text(r#"{"ask": {"id": 1, "question": {"query_traces": {}}}}"#)
        .await;
    until(|| store.has_begun()).await;
    let stopping = tokio::spawn(server.shutdown(Duration::from_secs(4)));
    let (id, error) = asker.refusal().await;
    assert_eq!((id, error.code), (Some(1), ErrorCode::Stopping));
    let closed = asker.hear_any().await.expect_err("closed");
    assert_eq!(closed.expect("with a word").0, 1001);
    drop(asker);
    assert_eq!(stopping.await.unwrap(), Ending::InOrder);
}
