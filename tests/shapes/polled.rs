//! Sends that are polled: `Sink`, `poll_send`, and services.

use std::task::{Context, Poll};

use tower_service::Service;

use super::*;

struct Connector(Wire);

/// An alias that hides a `Poll`.
type PollSend = Poll<Result<(), Full>>;

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl futures::Sink<Reading> for Connector {
    type Error = Full;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Full>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, item: Reading) -> Result<(), Full> {
        self.0.push(item)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Full>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Full>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_sink_records_what_it_starts_to_send() {
    let recording = Recording::start();
    let mut connector = Connector(Wire::new());
    block_on(async {
        use futures::SinkExt as _;
        assert_eq!(connector.send(Reading(1)).await, Ok(()));
        assert_eq!(connector.feed(Reading(101)).await, Err(Full(101)));
        assert_eq!(connector.close().await, Ok(()));
    });
    assert_eq!(recording.lines(), [DELIVERED, FAILED]);
}

struct Slow {
    wire: Wire,
    pending: u32,
}

#[traced_connector(
    from_actor = self.wire.from_actor, from_port = self.wire.from_port, to_actor = self.wire.to_actor, to_port = self.wire.to_port,
    attributes(left = "self.pending")
)]
impl Slow {
    #[trace(send)]
    fn poll_send(&mut self, cx: &mut Context<'_>, message: &mut Reading) -> Poll<Result<(), Full>> {
        if self.is_pending() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.wire.push(message.clone()))
    }

    #[trace(send, message = message, size = "16")]
    fn poll_alias(&mut self, _cx: &mut Context<'_>, message: Reading) -> PollSend {
        if self.is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(self.wire.push(message))
    }

    fn is_pending(&mut self) -> bool {
        self.pending = self.pending.saturating_sub(1);
        self.pending > 0
    }

    // Not selected by itself.
    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        if self.is_pending() {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

#[test]
fn a_poll_that_is_pending_records_nothing() {
    let recording = Recording::start();
    let mut slow = Slow {
        wire: Wire::new(),
        pending: 3,
    };
    let mut message = Reading(1);
    let sent = block_on(std::future::poll_fn(|cx| slow.poll_send(cx, &mut message)));
    assert_eq!(sent, Ok(()));
    assert_eq!(recording.lines(), [DELIVERED]);

    let mut cx = Context::from_waker(std::task::Waker::noop());
    slow.pending = 2;
    assert_eq!(slow.poll_alias(&mut cx, Reading(2)), Poll::Pending);
    assert_eq!(
        slow.poll_alias(&mut cx, Reading(101)),
        Poll::Ready(Err(Full(101)))
    );
    assert_eq!(slow.poll_ready(&mut cx), Poll::Ready(()));
    assert_eq!(recording.lines(), [DELIVERED, FAILED]);
    let events = recording.events();
    assert_eq!(events[0].data.custom_attributes["left"], 1);
    assert!(!events[0].data.custom_attributes.contains_key("batch_size"));
    assert_eq!(
        events[1]
            .data
            .message
            .as_ref()
            .map(|message| message.size_bytes),
        Some(16)
    );
}

impl Service<Reading> for Boxed {
    type Response = usize;
    type Error = Full;
    type Future = Pin<Box<dyn Future<Output = Result<usize, Full>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Full>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, reading: Reading) -> Self::Future {
        self.0.call(reading)
    }
}

/// Behind a box, so that the wire is shared by the futures.
struct Boxed(Shared);

struct Shared(Arc<Wire>);

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port, send(call))]
impl Service<Reading> for Shared {
    type Response = usize;
    type Error = Full;
    type Future = Pin<Box<dyn Future<Output = Result<usize, Full>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Full>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, reading: Reading) -> Self::Future {
        let wire = Arc::clone(&self.0);
        Box::pin(async move {
            std::future::ready(()).await;
            wire.push(reading)?;
            Ok(wire.sent().len())
        })
    }
}

#[test]
fn a_service_is_recorded_until_its_future_ends() {
    let recording = Recording::start();
    let mut service = Boxed(Shared(Arc::new(Wire::new())));
    block_on(async {
        assert_eq!(service.call(Reading(1)).await, Ok(1));
        drop(service.call(Reading(2)));
        assert_eq!(service.call(Reading(101)).await, Err(Full(101)));
    });
    assert_eq!(recording.lines(), [DELIVERED, FAILED]);
}

/// A trait whose future borrows.
trait Lends {
    type Future<'a>: Future<Output = bool>
    where
        Self: 'a;

    fn send_message<'a>(&'a self, message: &'a Reading) -> Self::Future<'a>;
}

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl Lends for Connector {
    type Future<'a>
        = futures::future::LocalBoxFuture<'a, bool>
    where
        Self: 'a;

    fn send_message<'a>(&'a self, message: &'a Reading) -> Self::Future<'a> {
        Box::pin(async move { self.0.push(message.clone()).is_ok() })
    }
}

#[test]
fn a_future_that_borrows_is_wrapped_as_well() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    assert!(block_on(Lends::send_message(&connector, &Reading(1))));
    drop(Lends::send_message(&connector, &Reading(1)));
    assert_eq!(recording.lines(), [DELIVERED]);
}
