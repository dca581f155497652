//! [`TracingClient`] against a server: what it says when something is wrong, and how it goes on.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::StreamExt;
use reflow_trace::api::{ErrorCode, MetricsQuestion, Question};
use reflow_trace::client::ask::Seen;
use reflow_trace::{
    AskError, Subscription, SubscriptionFilters, TraceEvent, TraceQuery, TracingClient,
};
use reflow_trace_server::config::Config;
use reflow_trace_server::{RunningServer, Server};

use crate::scene::{PATIENCE, record, start, start_with, token, until};
use crate::slow::SlowStore;

fn client(server: &RunningServer) -> TracingClient {
    TracingClient::new(format!("ws://{}", server.addr())).unwrap()
}

fn numbered(numbers: std::ops::Range<usize>) -> Vec<TraceEvent> {
    numbers
        .map(|number| TraceEvent::actor_started(format!("{number}")))
        .collect()
}

/// The names of so many further events; gaps are none.
async fn next_names(events: &mut Subscription, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    while names.len() < count {
        let seen = tokio::time::timeout(PATIENCE, events.next()).await.unwrap();
        match seen.expect("it goes on").unwrap() {
            Seen::Events { events, .. } => {
                names.extend(events.into_iter().map(|event| event.actor_id));
            }
            Seen::Live { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    names
}

async fn server_in(directory: &Path, addr: Option<SocketAddr>) -> RunningServer {
    let mut config = Config::default();
    config.listen.set_port(addr.map_or(0, |addr| addr.port()));
    config.data = directory.to_owned();
    Server::start(config).await.unwrap()
}

#[tokio::test]
async fn where_nobody_listens_the_error_names_the_address_and_what_to_do() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = free.local_addr().unwrap();
    drop(free);
    let client = TracingClient::new(format!("ws://{addr}")).unwrap();
    let error = client
        .get_performance_metrics()
        .await
        .expect_err("nobody listens");
    assert!(matches!(error, AskError::Unreachable { .. }), "{error:?}");
    let said = error.to_string();
    assert!(
        said.starts_with(&format!("cannot connect to `ws://{addr}/api`: ")),
        "{said}"
    );
    assert!(
        said.ends_with("is the server running there? `reflow-trace serve` starts one"),
        "{said}"
    );
    let error = client
        .subscribe(SubscriptionFilters::default())
        .await
        .expect_err("nobody listens");
    assert!(error.is_retryable(), "{error}");
}

#[tokio::test]
async fn an_event_as_deep_as_may_be_sent_is_given_to_everybody_who_asks() {
    let deep = |levels| {
        let value = (0..levels).fold(serde_json::Value::Null, |deep, _| vec![deep].into());
        let mut event = TraceEvent::actor_started("deep");
        let attribute = ("deep".to_owned(), value);
        event.data.custom_attributes.extend([attribute]);
        event
    };
    let (event, too_deep) = (deep(64), deep(65));
    let producer = reflow_trace::event::ProducerId::random();
    let sealed = reflow_trace::wire::seal_events(&[too_deep], producer, 1, 1, None);
    assert!(sealed.is_err());

    let server = start(|_| {}).await;
    record(server.addr(), std::slice::from_ref(&event)).await;
    record(server.addr(), &numbered(0..1)).await;
    let client = client(&server);
    let found = client.query_traces(TraceQuery::default()).await.unwrap();
    assert_eq!(found.len(), 2);
    let is_it = |found: &TraceEvent| {
        found.data.custom_attributes["deep"] == event.data.custom_attributes["deep"]
    };
    assert!(is_it(&found[0]));
    let lineage = client.lineage(found[0].event_id).await.unwrap();
    assert!(is_it(&lineage.events[0]));
    let everything = SubscriptionFilters::default();
    let mut events = client.subscribe_from(everything, 1).await.unwrap();
    assert_eq!(next_names(&mut events, 2).await, ["deep", "0"]);
    assert_eq!(server.metrics().asker_ends.of("gone"), 0);
}

#[tokio::test]
async fn a_token_is_presented_and_missed() {
    let query = token("query");
    let server = start(|config| config.auth.tokens = vec![query.line.clone()]).await;
    let url = format!("ws://{}", server.addr());
    let stranger = TracingClient::new(&url).unwrap();
    let error = stranger
        .get_performance_metrics()
        .await
        .expect_err("no token");
    assert!(error.to_string().contains("401"), "{error}");
    let known = TracingClient::builder(&url)
        .token(&query.secret)
        .start()
        .unwrap();
    known.get_performance_metrics().await.unwrap();
    let error = known
        .subscribe(SubscriptionFilters::default())
        .await
        .expect_err("no scope");
    let code = error.api_error().map(|error| error.code);
    assert_eq!(code, Some(ErrorCode::Forbidden), "{error}");
}

#[tokio::test]
async fn clones_share_a_connection_and_a_thousand_questions_at_once_are_all_answered() {
    let server = start(|_| {}).await;
    let client = client(&server);
    let asked: Vec<_> = (0..1_000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get_performance_metrics().await })
        })
        .collect();
    for answer in asked {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(server.metrics().askers.get(), 1);
    assert_eq!(server.metrics().answers.of("answered"), 1_000);
    drop(client);
    let counted = server.metrics();
    until(|| counted.askers.get() == 0).await;
}

#[tokio::test]
async fn dropping_a_question_cancels_it_and_one_without_end_is_late() {
    let store = Arc::new(SlowStore::default());
    let gate = store.gate();
    let server = start_with(store, |_| {}).await;
    let counted = server.metrics();
    let patient = client(&server);
    let hasty = TracingClient::builder(format!("ws://{}", server.addr()))
        .timeout(Duration::from_millis(50))
        .start()
        .unwrap();
    let question = || Question::Metrics(MetricsQuestion {});
    {
        let mut asked = pin!(patient.ask(question()));
        tokio::select! {
            answer = &mut asked => panic!("{answer:?}"),
            () = until(|| gate.waiting() == 1) => {}
        }
    }
    until(|| counted.answers.of("cancelled") == 1).await;
    let error = hasty.ask(question()).await.expect_err("late");
    assert_eq!(
        error.to_string(),
        "no answer came within 50ms; ask for less, or set a longer `timeout`"
    );
    until(|| counted.answers.of("cancelled") == 2).await;
    gate.open();
    patient.get_performance_metrics().await.unwrap();
}

#[tokio::test]
async fn after_the_server_was_away_questions_and_subscriptions_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let server = server_in(directory.path(), None).await;
    let addr = server.addr();
    let client = TracingClient::builder(format!("ws://{addr}"))
        .options(reflow_trace::ServerOptions {
            reconnect_first: Duration::from_millis(5),
            reconnect_max: Duration::from_millis(50),
            ..Default::default()
        })
        .start()
        .unwrap();
    let mut events = client
        .subscribe(SubscriptionFilters::default())
        .await
        .unwrap();
    record(addr, &numbered(0..10)).await;
    let mut names = next_names(&mut events, 10).await;
    server.shutdown(PATIENCE).await;
    client
        .get_performance_metrics()
        .await
        .expect_err("nobody is there");

    let server = server_in(directory.path(), Some(addr)).await;
    // Stored before anybody is back.
    record(addr, &numbered(10..2_000)).await;
    record(addr, &numbered(2_000..3_000)).await;
    names.extend(next_names(&mut events, 2_990).await);
    let expected: Vec<String> = (0..3_000).map(|number| number.to_string()).collect();
    assert!(names == expected, "{} of {}", names.len(), expected.len());
    let metrics = client.get_performance_metrics().await.unwrap();
    assert_eq!((metrics.events, metrics.subscriptions), (3_000, 1));
    drop(events);
    let counted = server.metrics();
    until(|| counted.subscriptions.get() == 0).await;
    server.shutdown(PATIENCE).await;
}

#[tokio::test]
async fn who_reads_late_gets_everything_in_order() {
    let server = start(|_| {}).await;
    let client = client(&server);
    let mut events = client
        .subscribe(SubscriptionFilters::default())
        .await
        .unwrap();
    // More than is kept for one that does not read.
    for part in 0..30 {
        record(server.addr(), &numbered(part * 1_000..(part + 1) * 1_000)).await;
    }
    // The connection is there for others.
    client.get_performance_metrics().await.unwrap();
    let names = next_names(&mut events, 30_000).await;
    let expected: Vec<String> = (0..30_000).map(|number| number.to_string()).collect();
    assert!(names == expected, "{} of {}", names.len(), expected.len());
}

#[test]
fn it_works_in_blocking_code_and_under_any_executor() {
    struct Thread(std::thread::Thread);
    impl Wake for Thread {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let waker = Waker::from(Arc::new(Thread(std::thread::current())));
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(value) => return value,
                Poll::Pending => std::thread::park_timeout(PATIENCE),
            }
        }
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(start(|_| {}));
    let client = client(&server);
    assert_eq!(
        block_on(client.get_performance_metrics()).unwrap().events,
        0
    );
    let events = block_on(client.subscribe(SubscriptionFilters::default())).unwrap();
    runtime.block_on(record(server.addr(), &numbered(0..3)));
    let mut flat = pin!(events.filter_map(async |seen| match seen.unwrap() {
        Seen::Events { events, .. } => Some(events.len()),
        _ => None,
    }));
    assert_eq!(block_on(flat.next()), Some(3));
}

#[tokio::test]
async fn a_query_is_answered_whole_however_many_pages_it_takes() {
    let server = start(|config| config.query.events_max = 100).await;
    let client = client(&server);
    for part in 0..5 {
        record(server.addr(), &numbered(part * 200..(part + 1) * 200)).await;
    }
    let query = |limit, offset| TraceQuery {
        limit,
        offset,
        ..TraceQuery::default()
    };
    let all = client.query_traces(query(None, None)).await.unwrap();
    assert!(!all.is_cut());
    let ids: HashSet<_> = all.iter().map(|event| event.event_id).collect();
    assert_eq!((all.len(), ids.len()), (1_000, 1_000));
    assert!(all.is_sorted_by_key(|event| event.timestamp));
    assert!(server.metrics().questions.of("query_traces") >= 10);

    let some = client.query_traces(query(Some(250), None)).await.unwrap();
    assert!(some.is_cut(), "there are more");
    assert_eq!(&some[..], &all[..250]);
    // What is left out is left out once and not on every page.
    let later = client
        .query_traces(query(Some(250), Some(700)))
        .await
        .unwrap();
    assert_eq!(&later[..], &all[700..950]);
    let end = client.query_traces(query(None, Some(950))).await.unwrap();
    assert_eq!((&end[..], end.is_cut()), (&all[950..], false));
    let nothing = client.query_data_flows(query(None, None)).await.unwrap();
    assert!(nothing.is_empty() && !nothing.is_cut());
    let none = client.query_traces(query(Some(0), None)).await.unwrap();
    assert!(none.is_empty());
}

#[tokio::test]
async fn a_mistake_in_a_filter_is_shown_at_its_place() {
    let server = start(|_| {}).await;
    let query = TraceQuery {
        custom_filter: Some("message_id = 'a' AND siz_bytes > 3"),
        ..TraceQuery::default()
    };
    let error = client(&server)
        .query_traces(query)
        .await
        .expect_err("a typo");
    assert_eq!(
        format!("{error:#}").lines().skip(1).collect::<Vec<_>>(),
        [
            "message_id = 'a' AND siz_bytes > 3",
            "                     ^^^^^^^^^"
        ],
        "{error:#}"
    );
    assert!(error.to_string().contains("size_bytes"), "{error}");
}

#[tokio::test]
async fn the_data_flow_of_a_message_is_found_by_its_id_or_by_its_cause() {
    let server = start(|_| {}).await;
    let client = client(&server);
    let sent = |port: &str| TraceEvent::message_sent("a", port, "T", 1);
    let flow = |port: &str| TraceEvent::data_flow("a", port, "b", "in", "T", 1);
    let (by_id, by_cause, lost, never_stored) = (sent("1"), sent("2"), sent("3"), sent("4"));
    let with = |mut event: TraceEvent, id: serde_json::Value| {
        event
            .data
            .custom_attributes
            .insert("message_id".to_owned(), id);
        event
    };
    let hostile = serde_json::json!("it's; DROP TABLE --");
    let by_id = with(by_id, hostile.clone());
    let flow_by_id = with(flow("1"), hostile);
    let by_number = with(sent("5"), serde_json::json!(7));
    let flow_by_number = with(flow("5"), serde_json::json!(7));
    let mut flow_by_cause = flow("2");
    flow_by_cause.causality.parent_event_id = Some(by_cause.event_id);
    let events = [
        by_id.clone(),
        flow_by_id.clone(),
        by_number.clone(),
        flow_by_number.clone(),
        by_cause.clone(),
        flow_by_cause.clone(),
        lost.clone(),
    ];
    record(server.addr(), &events).await;
    for (sent, flow) in [
        (&by_id, Some(&flow_by_id)),
        (&by_number, Some(&flow_by_number)),
        (&by_cause, Some(&flow_by_cause)),
        (&lost, None),
        (&never_stored, None),
    ] {
        let found = client.find_data_flow_for_message(sent).await.unwrap();
        let ids = (
            found.map(|flow| flow.event_id),
            flow.map(|flow| flow.event_id),
        );
        assert_eq!(ids.0, ids.1, "{sent:?}");
    }
}
