//! Turns, times, panics, and what is counted of them.

use std::pin::pin;
use std::sync::mpsc;

use reflow_trace::api::MetricsQuestion;
use tokio::sync::oneshot;

use super::*;
use crate::store::memory::MemoryStore;

/// Much longer than anything takes; only a test that fails waits for it.
const FOR_EVER: Duration = Duration::from_secs(60);

const RIGHTS: Rights = Rights { content: false };

fn engine(change: impl FnOnce(&mut QueryLimits)) -> Engine {
    let mut limits = QueryLimits {
        timeout: FOR_EVER,
        ..QueryLimits::default()
    };
    change(&mut limits);
    Engine::new(Arc::new(MemoryStore::new()), limits)
}

fn flag() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

/// A question that has begun and stays until it is let go.
struct Stuck {
    let_go: mpsc::Sender<()>,
    task: tokio::task::JoinHandle<Result<(), ApiError>>,
}

async fn stuck(engine: &Engine) -> Stuck {
    let (let_go, gone) = mpsc::channel::<()>();
    let (begun, has_begun) = oneshot::channel();
    let engine = engine.clone();
    let task = tokio::spawn(async move {
        let question = move |_: &dyn Snapshot, _: &Asking| {
            let _heard = begun.send(());
            let _let_go = gone.recv_timeout(FOR_EVER);
            Ok(())
        };
        engine.run("stuck", RIGHTS, flag(), question).await
    });
    has_begun.await.expect("it has a place");
    Stuck { let_go, task }
}

/// Whether it is so when it is looked at once.
async fn is_pending(future: impl Future<Output = Result<Answer, ApiError>>) -> bool {
    tokio::time::timeout(Duration::ZERO, future).await.is_err()
}

async fn metrics(engine: &Engine) -> Result<Answer, ApiError> {
    let question = Question::Metrics(MetricsQuestion {});
    engine.answer(question, RIGHTS, flag()).await
}

#[tokio::test]
async fn who_finds_the_line_full_hears_at_once_that_the_server_is_busy() {
    let engine = engine(|limits| {
        limits.concurrent_max = 1;
        limits.waiting_max = 1;
    });
    let first = stuck(&engine).await;
    let mut second = pin!(metrics(&engine));
    assert!(is_pending(second.as_mut()).await, "it waits for the first");
    let third = metrics(&engine).await.expect_err("the line is full");
    assert_eq!(third.code, ErrorCode::Busy);
    assert!(third.message.contains("`query.waiting_max`"), "{third}");
    first.let_go.send(()).expect("it waits");
    second.await.expect("its turn has come");
    first.task.await.expect("no panic").expect("it was let go");
    metrics(&engine).await.expect("there is room again");
    let counted = |result| engine.metrics.answers.of(result);
    assert_eq!((counted("answered"), counted("busy")), (3, 1));
    assert_eq!(engine.metrics.questions_open.get(), 0);
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_is_told_so_and_keeps_its_place_until_it_ends() {
    let engine = engine(|limits| {
        limits.concurrent_max = 1;
        limits.waiting_max = 0;
    });
    let (begun, has_begun) = oneshot::channel();
    let (ended, has_ended) = oneshot::channel();
    let (look, looks) = mpsc::channel::<()>();
    let question = move |_: &dyn Snapshot, asking: &Asking| {
        let _heard = begun.send(());
        let _told = looks.recv_timeout(FOR_EVER);
        let _heard = ended.send(asking.go_on());
        Ok(())
    };
    {
        let mut asked = Box::pin(engine.run("left", RIGHTS, flag(), question));
        tokio::select! {
            _ended = &mut asked => panic!("it waits"),
            begun = has_begun => begun.expect("it begins"),
        }
    }
    // Its thread is still busy, and nobody else gets a thread beside it.
    let refused = metrics(&engine).await.expect_err("the place is taken");
    assert_eq!(refused.code, ErrorCode::Busy);
    look.send(()).expect("it waits");
    let told = has_ended.await.expect("it ends");
    assert!(told.is_err(), "it was told that nobody waits");
    let _place = tokio::time::timeout(FOR_EVER, engine.places.acquire())
        .await
        .expect("the place is free")
        .expect("it is open");
    assert_eq!(engine.metrics.answers.of("cancelled"), 1);
}

#[tokio::test]
async fn waiting_counts_and_who_has_waited_too_long_is_told() {
    let engine = engine(|limits| {
        limits.concurrent_max = 1;
        limits.timeout = Duration::from_millis(30);
    });
    let first = stuck(&engine).await;
    let late = metrics(&engine).await.expect_err("no place came free");
    assert_eq!(late.code, ErrorCode::Busy);
    assert!(late.message.contains("30ms"), "{late}");
    let too_late = first.task.await.expect("no panic");
    assert_eq!(too_late.expect_err("too late").code, ErrorCode::TimedOut);
    drop(first.let_go);
}

#[tokio::test]
async fn an_answer_that_panics_is_an_error_and_the_next_is_answered() {
    let engine = engine(|limits| limits.concurrent_max = 1);
    for round in 1..=3 {
        let question =
            |_: &dyn Snapshot, _: &Asking| -> Result<(), ApiError> { panic!("on purpose") };
        let fault = engine.run("faulty", RIGHTS, flag(), question).await;
        let fault = fault.expect_err("it panics");
        assert_eq!(fault.code, ErrorCode::Store);
        assert!(!fault.message.contains("on purpose"), "{fault}");
        assert_eq!(engine.metrics.answers.of("store"), round);
        metrics(&engine).await.expect("the server lives");
    }
}

#[tokio::test]
async fn an_error_is_one_line_that_can_be_shown_and_tells_strangers_nothing_of_files() {
    let own = engine(|_| {});
    let metrics = Arc::new(Metrics::default());
    let of_server = Engine::for_server(Arc::clone(&own.store), own.limits.clone(), metrics);
    for (engine, code, message, told) in [
        (
            &own,
            ErrorCode::Store,
            "`/data/7.parquet` is damaged",
            "`/data/7.parquet` is damaged",
        ),
        (
            &of_server,
            ErrorCode::Store,
            "`/data/7.parquet` is damaged",
            STORE_FAULT,
        ),
        (
            &of_server,
            ErrorCode::NotFound,
            "no `\u{1b}[2J\n\u{202e}`",
            "no `␛[2J␊\u{fffd}`",
        ),
    ] {
        let question = move |_: &dyn Snapshot, _: &Asking| -> Result<(), ApiError> {
            Err(ApiError::new(code, message))
        };
        let error = engine.run("wrong", RIGHTS, flag(), question).await;
        assert_eq!(error.expect_err("it fails").message, told);
    }
    let long = |_: &dyn Snapshot, _: &Asking| -> Result<(), ApiError> {
        Err(ApiError::new(ErrorCode::NotFound, "ö".repeat(100_000)))
    };
    let error = own
        .run("wrong", RIGHTS, flag(), long)
        .await
        .expect_err("it fails");
    assert_eq!(error.message.chars().count(), MESSAGE_CHARS + 1);
}

#[tokio::test]
async fn when_the_server_stops_nobody_waits_and_who_has_begun_ends() {
    let engine = engine(|limits| limits.concurrent_max = 1);
    let first = stuck(&engine).await;
    let mut second = pin!(metrics(&engine));
    assert!(is_pending(second.as_mut()).await, "it waits for the first");
    engine.stop(FOR_EVER);
    assert_eq!(second.await.expect_err("no more").code, ErrorCode::Stopping);
    assert_eq!(
        metrics(&engine).await.expect_err("no more").code,
        ErrorCode::Stopping
    );
    first.let_go.send(()).expect("it waits");
    first.task.await.expect("no panic").expect("it ends");
}

#[tokio::test]
async fn a_question_that_takes_longer_than_a_server_has_to_stop_is_given_up() {
    let engine = engine(|_| {});
    let (begun, has_begun) = oneshot::channel();
    let question = move |_: &dyn Snapshot, asking: &Asking| -> Result<(), ApiError> {
        let _heard = begun.send(());
        loop {
            asking.go_on()?;
            std::thread::yield_now();
        }
    };
    let asked = engine.run("endless", RIGHTS, flag(), question);
    let stop = async {
        has_begun.await.expect("it begins");
        engine.stop(Duration::ZERO);
    };
    let (ended, ()) = tokio::join!(asked, stop);
    assert_eq!(ended.expect_err("given up").code, ErrorCode::Stopping);
}

#[test]
#[cfg(not(feature = "sql"))]
fn without_sql_the_server_says_which_feature_it_lacks() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let asked = async {
        let question = Question::Sql(reflow_trace::api::SqlQuestion::default());
        engine(|_| {}).answer(question, RIGHTS, flag()).await
    };
    let error = runtime
        .expect("a runtime")
        .block_on(asked)
        .expect_err("none");
    assert_eq!(error.code, ErrorCode::Unsupported);
    assert!(error.message.contains("feature `sql`"), "{error}");
}
