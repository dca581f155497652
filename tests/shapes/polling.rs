//! When a future is polled, how often, and on which thread.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::*;

#[derive(Clone)]
struct Connector(Arc<Wire>);

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl Connector {
    async fn send(&self, message: Reading) -> Result<(), Full> {
        tokio::task::yield_now().await;
        if message.0 == 7 {
            std::future::pending::<()>().await;
        }
        self.0.push(message)
    }

    async fn send_message(self, message: Reading) -> Result<(), Full> {
        self.send(message).await
    }

    fn send_async(&self, message: Reading) -> impl Future<Output = Result<(), Full>> + 'static {
        let wire = Arc::clone(&self.0);
        async move {
            tokio::task::yield_now().await;
            wire.push(message)
        }
    }

    async fn try_send(&self, message: Reading) -> Result<(), Full> {
        tokio::select! {
            biased;
            () = std::future::ready(()) => self.0.push(message),
            () = std::future::pending() => Err(Full(message.0)),
        }
    }
}

const CANCELLED: &str = "MessageSent a:out -> b:in1 Reading cancelled";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime of one thread")
}

#[test]
fn what_was_aborted_or_timed_out_is_cancelled() {
    let recording = Recording::start();
    let connector = Connector(Arc::new(Wire::new()));
    runtime().block_on(async {
        let aborted = tokio::spawn(connector.clone().send_message(Reading(7)));
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        aborted.abort();
        assert!(aborted.await.is_err_and(|error| error.is_cancelled()));
        let never_polled = tokio::spawn(connector.clone().send_message(Reading(1)));
        never_polled.abort();
        assert!(never_polled.await.is_err_and(|error| error.is_cancelled()));
        let timed_out =
            tokio::time::timeout(Duration::from_secs(1), connector.send(Reading(7))).await;
        assert!(timed_out.is_err());
        assert_eq!(connector.try_send(Reading(3)).await, Ok(()));
    });
    assert_eq!(recording.lines(), [CANCELLED, CANCELLED, DELIVERED]);
    for event in recording.events() {
        assert!(
            event.data.performance_metrics.execution_time_ns.is_some(),
            "the time until then"
        );
    }
}

#[test]
fn a_spawned_send_is_send_and_static() {
    let recording = Recording::start();
    let connector = Connector(Arc::new(Wire::new()));
    runtime().block_on(async {
        let one = tokio::spawn(connector.clone().send_message(Reading(1)));
        let two = tokio::spawn(connector.send_async(Reading(101)));
        assert_eq!(one.await.ok(), Some(Ok(())));
        assert_eq!(two.await.ok(), Some(Err(Full(101))));
    });
    let mut lines = recording.lines();
    lines.sort();
    assert_eq!(lines, [DELIVERED, FAILED]);
}

#[test]
fn a_future_is_measured_from_its_first_poll() {
    let recording = Recording::start();
    let connector = Connector(Arc::new(Wire::new()));
    let before = connector.send_async(Reading(1));
    let first = block_on(connector.send(Reading(2)));
    assert_eq!((first, block_on(before)), (Ok(()), Ok(())));
    let events = recording.events();
    let ended = |at: usize| {
        let nanoseconds = events[at]
            .data
            .performance_metrics
            .execution_time_ns
            .expect("it was measured");
        events[at].timestamp + Duration::from_nanos(nanoseconds)
    };
    // The one that was made first was polled last.
    assert!(ended(0) <= events[1].timestamp, "{events:#?}");
}

#[test]
fn a_future_that_moves_between_threads_is_one_event() {
    let recording = Recording::start();
    let connector = Connector(Arc::new(Wire::new()));
    let mut send = Box::pin(connector.send_message(Reading(1)));
    assert!(send
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
        .is_pending());
    let elsewhere = std::thread::spawn(move || block_on(send)).join();
    assert_eq!(elsewhere.ok(), Some(Ok(())));
    assert_eq!(recording.lines(), [DELIVERED]);
}

#[test]
fn two_that_interleave_do_not_hide_each_other() {
    let recording = Recording::start();
    let connector = Connector(Arc::new(Wire::new()));
    let mut cx = Context::from_waker(Waker::noop());
    let mut one = Box::pin(connector.send(Reading(1)));
    let mut two = Box::pin(connector.send(Reading(2)));
    assert!(one.as_mut().poll(&mut cx).is_pending());
    assert!(two.as_mut().poll(&mut cx).is_pending());
    assert_eq!(one.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
    assert_eq!(two.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
    assert_eq!(recording.lines(), [DELIVERED; 2]);
}

#[test]
fn a_future_grows_by_the_attempt_and_not_by_its_message() {
    struct Plain(Arc<Wire>);
    impl Plain {
        async fn send(&self, message: [u64; 32]) -> usize {
            tokio::task::yield_now().await;
            self.0.sent().len() + message.len()
        }
    }
    struct Traced(Arc<Wire>);
    #[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
    impl Traced {
        async fn send(&self, message: [u64; 32]) -> usize {
            tokio::task::yield_now().await;
            self.0.sent().len() + message.len()
        }
    }
    let wire = Arc::new(Wire::new());
    let (plain, traced) = (Plain(Arc::clone(&wire)), Traced(wire));
    let (plain, traced) = (
        size_of_val(&plain.send([0; 32])),
        size_of_val(&traced.send([0; 32])),
    );
    // The arguments stand once in the outer future and once in the block; beyond that there is room for one attempt.
    let message = size_of::<[u64; 32]>();
    assert!(
        traced <= plain + message + 256,
        "{traced} bytes, and {plain} without the attribute"
    );
}
