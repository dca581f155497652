//! [`TracingClient`] against a server: what it says when something is wrong, and how it goes on.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::StreamExt;
use reflow_trace::api::{ErrorCode, MetricsQuestion, Question};
use reflow_trace::client::ask::Seen;
use reflow_trace::{AskError, Subscription, SubscriptionFilters, TraceEvent, TracingClient};
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
