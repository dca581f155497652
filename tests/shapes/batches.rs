//! Batches: the inner sends, or one send per message.

use std::collections::VecDeque;

use reflow_trace::{Context, TraceEvent};

use super::*;

/// A message with room for its trace.
#[sample(rate = 1.0)]
#[derive(Clone, Debug, PartialEq)]
struct Linked {
    #[trace(attribute)]
    number: u32,
    #[trace(context)]
    context: Context,
}

fn linked(number: u32) -> Linked {
    Linked {
        number,
        context: Context::NONE,
    }
}

struct Connector(Wire);

#[traced_connector(
    from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port,
    attributes(number = "message.0"), batch(flush)
)]
impl Connector {
    fn send(&self, message: Reading) -> Result<(), Full> {
        self.0.push(message)
    }

    // Through the send.
    fn send_batch(&self, messages: Vec<Reading>) -> Result<(), Full> {
        for message in messages {
            self.send(message)?;
        }
        Ok(())
    }

    // By itself.
    fn send_all(&self, items: &[Reading]) -> Result<(), Full> {
        items.iter().try_for_each(|item| self.0.push(item.clone()))
    }

    // Through the send, one poll after the other.
    async fn send_many(&self, batch: VecDeque<Reading>) -> Result<(), Full> {
        for message in batch {
            std::future::ready(()).await;
            self.send(message)?;
            futures::pending!();
        }
        Ok(())
    }

    #[trace(ok = "*result > 1", attributes(urgent = urgent), protocol = "tcp", depth = "7usize")]
    async fn flush(&self, msgs: [Reading; 2], urgent: bool) -> usize {
        std::future::ready(()).await;
        let _ = urgent;
        let sent = msgs.into_iter().map(|reading| self.0.push(reading));
        sent.flatten().count()
    }

    #[trace(batch)]
    fn later(&self, messages: Vec<Reading>) -> impl Future<Output = Result<(), Full>> + '_ {
        async move { self.send_all(&messages) }
    }

    #[trace(batch)]
    fn boxed(
        &self,
        messages: Vec<Reading>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Full>> + '_>> {
        Box::pin(async move {
            messages
                .into_iter()
                .try_for_each(|message| self.0.push(message))
        })
    }

    // It can be gone through once, and that once is the body's.
    #[trace(batch)]
    fn drain(&self, messages: impl IntoIterator<Item = Reading>) -> Result<(), Full> {
        messages
            .into_iter()
            .try_for_each(|message| self.0.push(message))
    }

    // Bytes are one message.
    #[trace(batch)]
    fn write_all(&self, data: &[u8]) -> bool {
        data.len() < self.0.sent().len() + 100
    }

    #[trace(batch)]
    fn forward(&self, messages: &mut Vec<Linked>) -> Vec<u32> {
        let _ = &self.0;
        messages.iter().map(|message| message.number).collect()
    }

    #[trace(batch)]
    fn resend(&self, messages: Vec<Linked>) -> Vec<Linked> {
        messages
            .into_iter()
            .map(|message| self.send_linked(message))
            .collect()
    }

    #[trace(send, attributes())]
    fn send_linked(&self, message: Linked) -> Linked {
        let _ = &self.0;
        message
    }

    #[trace(batch)]
    #[track_caller]
    fn located(&self, messages: Vec<Reading>) -> (usize, u32) {
        let _ = &self.0;
        (messages.len(), std::panic::Location::caller().line())
    }

    #[trace(batch)]
    async fn stuck(&self, messages: Vec<Reading>) {
        let _ = (&self.0, messages);
        std::future::pending::<()>().await;
    }

    #[trace(batch)]
    async fn broken(&self, messages: Vec<Reading>) {
        let _ = &self.0;
        std::future::ready(()).await;
        panic!("{}", messages.len());
    }
}

fn readings(numbers: std::ops::Range<u32>) -> Vec<Reading> {
    numbers.map(Reading).collect()
}

fn attribute(event: &TraceEvent, key: &str) -> Option<serde_json::Value> {
    event.data.custom_attributes.get(key).cloned()
}

#[test]
fn a_batch_that_sends_through_the_send_is_its_inner_sends() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    assert_eq!(connector.send_batch(readings(99..103)), Err(Full(101)));
    assert_eq!(connector.0.sent(), [99, 100]);
    assert_eq!(recording.lines(), [DELIVERED, DELIVERED, FAILED]);
    let numbers: Vec<_> = recording
        .events()
        .iter()
        .map(|event| attribute(event, "number"))
        .collect();
    assert_eq!(
        numbers,
        [Some(99.into()), Some(100.into()), Some(101.into())]
    );
}

#[test]
fn a_batch_that_sends_through_the_send_poll_by_poll_is_its_inner_sends() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    let mut batch = Box::pin(connector.send_many(readings(1..4).into()));
    let polls = block_on(std::future::poll_fn(|cx| {
        let mut polls = 1;
        while batch.as_mut().poll(cx).is_pending() {
            // Somebody else's send over the same edge, between two polls.
            assert_eq!(connector.send(Reading(100)), Ok(()));
            polls += 1;
        }
        std::task::Poll::Ready(polls)
    }));
    assert_eq!(polls, 4);
    assert_eq!(recording.lines(), [DELIVERED; 6]);
}

#[test]
fn a_batch_that_sends_by_itself_is_one_event_per_message() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    assert_eq!(connector.send_all(&readings(1..4)), Ok(()));
    assert_eq!(connector.send_all(&readings(101..103)), Err(Full(101)));
    assert_eq!(connector.send_all(&[]), Ok(()));
    assert_eq!(
        recording.lines(),
        [DELIVERED, DELIVERED, DELIVERED, FAILED, FAILED]
    );
    let events = recording.events();
    assert_eq!(attribute(&events[0], "batch_size"), Some(3.into()));
    assert_eq!(attribute(&events[4], "batch_size"), Some(2.into()));
    let traces: std::collections::HashSet<_> = events.iter().map(|event| event.trace_id).collect();
    assert_eq!(traces.len(), 5, "each message has a trace of its own");
}

#[test]
fn an_async_batch_is_judged_described_and_measured() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    block_on(async {
        assert_eq!(connector.flush([Reading(1), Reading(2)], true).await, 2);
        assert_eq!(connector.flush([Reading(1), Reading(200)], false).await, 1);
        drop(connector.flush([Reading(1), Reading(2)], true));
    });
    assert_eq!(recording.lines(), [DELIVERED, DELIVERED, FAILED, FAILED]);
    let event = &recording.events()[0];
    assert_eq!(attribute(event, "urgent"), Some(true.into()));
    assert_eq!(attribute(event, "protocol"), Some("tcp".into()));
    assert_eq!(
        attribute(event, "number"),
        None,
        "the impl's attributes speak of one message"
    );
    assert_eq!(event.data.performance_metrics.queue_depth, Some(7));
    assert!(event.data.performance_metrics.execution_time_ns.is_some());
}

#[test]
fn a_batch_whose_future_is_returned_begins_with_its_first_poll() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    block_on(async {
        drop(connector.later(readings(0..9)));
        drop(connector.boxed(readings(0..9)));
        assert_eq!(recording.lines(), [""; 0]);
        // Through another batch, which sends by itself.
        assert_eq!(connector.later(readings(1..3)).await, Ok(()));
        assert_eq!(connector.boxed(readings(101..102)).await, Err(Full(101)));
    });
    assert_eq!(recording.lines(), [DELIVERED, DELIVERED, FAILED]);
}

#[test]
fn what_cannot_be_looked_at_twice_is_one_event() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    assert_eq!(
        connector.drain(readings(1..4).into_iter().filter(|reading| reading.0 > 0)),
        Ok(())
    );
    assert!(connector.write_all(b"abc"));
    let lines = recording.lines();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("Filter<"), "{lines:#?}");
    assert_eq!(lines[1], "DataFlow a:out -> b:in1 [u8] delivered");
    assert_eq!(attribute(&recording.events()[1], "batch_size"), None);
}

#[test]
fn messages_with_room_carry_the_trace_of_their_batch() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    let mut messages = vec![linked(1), linked(2)];
    assert_eq!(connector.forward(&mut messages), [1, 2]);
    let events = recording.events();
    assert_eq!(events.len(), 2);
    for (event, message) in events.iter().zip(&messages) {
        assert_eq!(event.trace_id, message.context.trace_id());
        assert!(event.trace_id.is_some());
        assert_eq!(event.causality.parent_event_id, None);
        assert_eq!(event.causality.hop_count, Some(0));
        assert_eq!(
            message.context.event_id(),
            None,
            "no event is named that may never come"
        );
        assert_eq!(attribute(event, "number"), Some(message.number.into()));
    }
}

#[test]
fn inner_sends_are_roots_as_if_there_were_no_batch() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    let sent = connector.resend(vec![linked(1), linked(2)]);
    let events = recording.events();
    assert_eq!(events.len(), 2);
    for (event, message) in events.iter().zip(&sent) {
        assert_eq!(event.causality.parent_event_id, None);
        assert_eq!(event.causality.hop_count, Some(0));
        assert_eq!(message.context.event_id(), Some(event.event_id));
    }
}

#[test]
fn a_batch_that_does_not_end_is_cancelled_or_panicked() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    let mut stuck = Box::pin(connector.stuck(readings(0..2)));
    assert_eq!(block_on(futures::future::poll_immediate(&mut stuck)), None);
    drop(stuck);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        block_on(connector.broken(readings(0..1)));
    }));
    assert!(panicked.is_err());
    assert_eq!(
        recording.lines(),
        [
            "MessageSent a:out -> b:in1 Reading cancelled",
            "MessageSent a:out -> b:in1 Reading cancelled",
            "MessageSent a:out -> b:in1 Reading panicked"
        ]
    );
}

#[test]
fn a_batch_that_asks_for_its_caller_finds_it() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    assert_eq!(connector.located(readings(0..2)), (2, line!()));
    assert_eq!(recording.lines(), [DELIVERED; 2]);
}

/// The books of the recording, as of now.
fn ledger(recording: &Recording) -> reflow_trace::Ledger {
    let _flushed = recording.events();
    let tracing = reflow_trace::global_tracing().expect("it is recording");
    tracing.performance_metrics().ledger
}

#[test]
fn the_books_balance_over_batches_of_every_outcome() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    assert_eq!(connector.send_batch(readings(99..103)), Err(Full(101)));
    assert_eq!(connector.send_all(&readings(1..4)), Ok(()));
    block_on(async {
        drop(connector.later(readings(0..9)));
        assert_eq!(connector.boxed(readings(101..102)).await, Err(Full(101)));
        let mut stuck = Box::pin(connector.stuck(readings(0..2)));
        assert_eq!(futures::future::poll_immediate(&mut stuck).await, None);
    });
    let ledger = ledger(&recording);
    assert_eq!((ledger.attempted, ledger.in_flight), (3 + 3 + 1 + 2, 0));
    assert!(ledger.balances(), "{ledger:#?}");
}

#[test]
fn what_is_more_than_a_batch_remembers_is_counted_as_lost() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    let many = vec![Reading(1); 70_000];
    assert_eq!(connector.send_all(&many), Ok(()));
    let ledger = ledger(&recording);
    assert_eq!(ledger.attempted, 70_000);
    assert!(ledger.lost_total() >= 70_000 - 65_536, "{ledger:#?}");
    assert!(ledger.balances(), "{ledger:#?}");
}
