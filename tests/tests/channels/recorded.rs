//! What is recorded of a message that goes through a traced channel.

use std::time::{Duration, Instant};

use reflow_trace::channel::crossbeam;
use reflow_trace::channel::std::mpsc as standard;
use reflow_trace::channel::tokio::{mpsc, oneshot};
use reflow_trace::{Context, Outcome, TraceEvent, sample, traced_connector};
use reflow_trace_tests::{Recording, Silence};

use super::{assert_all_is_accounted_for, block_on, poll_once, totals};

#[test]
fn ends_without_a_name_are_called_after_the_place_where_the_channel_is_made() {
    let recording = Recording::start();
    let (sender, receiver) = standard::channel();
    let place = format!("{}:{}", file!(), line!() - 1);
    sender.send(1u8).expect("there");
    assert_eq!(receiver.recv(), Ok(1));
    assert_eq!(
        recording.lines(),
        [
            format!("DataFlow {place}:out -> {place}:in u8 delivered"),
            format!("MessageReceived {place}:in u8 delivered"),
        ]
    );
}

#[test]
fn a_new_name_is_a_new_edge() {
    let recording = Recording::start();
    let (sender, receiver) = crossbeam::unbounded();
    let sender = sender.named("a", "out");
    let receiver = receiver.named("b", "in");
    sender.send(1u8).expect("there");
    // Inside while its receiver gets another name: it went to `b`, and `c` took it.
    let receiver = receiver.named("c", "in");
    let other = sender.clone().named("d", "out");
    other.send(2u8).expect("there");
    sender.send(3u8).expect("there");
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(
        recording.lines(),
        [
            "DataFlow a:out -> b:in u8 delivered",
            "DataFlow d:out -> c:in u8 delivered",
            "DataFlow a:out -> c:in u8 delivered",
            "MessageReceived c:in u8 delivered",
            "MessageReceived c:in u8 delivered",
            "MessageReceived c:in u8 delivered",
        ]
    );
    assert_all_is_accounted_for(&recording);
}

#[test]
fn of_several_receivers_the_one_that_took_the_message_is_named() {
    let recording = Recording::start();
    let (sender, receiver) = crossbeam::unbounded();
    let sender = sender.named("boss", "out");
    let one = receiver.clone().named("one", "in");
    let two = receiver.named("two", "in");
    for number in 0..4u8 {
        sender.send(number).expect("there");
    }
    for receiver in [&one, &two, &one, &two] {
        receiver.recv().expect("there");
    }
    let lines = recording.lines();
    assert!(
        lines[..4]
            .iter()
            .all(|line| line == "DataFlow boss:out -> two:in u8 delivered")
    );
    assert_eq!(
        lines[4..],
        [
            "MessageReceived one:in u8 delivered",
            "MessageReceived two:in u8 delivered",
            "MessageReceived one:in u8 delivered",
            "MessageReceived two:in u8 delivered",
        ]
    );
    assert_all_is_accounted_for(&recording);
}

#[test]
fn a_receive_is_caused_by_its_send_and_belongs_to_its_trace() {
    let recording = Recording::start();
    let (sender, receiver) = standard::channel();
    sender.send("text").expect("there");
    receiver.recv().expect("there");
    let events = recording.events();
    let [sent, received] = &events[..] else {
        panic!("two events: {events:#?}");
    };
    assert_eq!(received.causality.parent_event_id, Some(sent.event_id));
    assert!(sent.trace_id.is_some());
    assert_eq!(received.trace_id, sent.trace_id);
    assert!(received.data.performance_metrics.waiting_time_ns.is_some());
}

#[test]
fn what_fails_and_what_times_out_comes_back_and_is_told() {
    let recording = Recording::start();
    let (sender, receiver) = crossbeam::bounded(1);
    let sender = sender.named("a", "out");
    let receiver = receiver.named("b", "in");
    sender.send(1u8).expect("there");
    sender.try_send(2).expect_err("full");
    sender
        .send_timeout(3, Duration::from_millis(1))
        .expect_err("full");
    drop(receiver);
    sender.send(4).expect_err("nobody");
    // What is in a bounded channel of crossbeam stays there until both ends are gone.
    drop(sender);
    let mut lines = recording.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "DataFlow a:out -> b:in u8 delivered",
            "MessageSent a:out -> b:in u8 dropped",
            "MessageSent a:out -> b:in u8 failed",
            "MessageSent a:out -> b:in u8 failed",
            "MessageSent a:out -> b:in u8 timed_out",
        ]
    );
    let sum = totals();
    assert_eq!(
        (sum.messages, sum.failures, sum.dropped, sum.received),
        (4, 3, 1, 0)
    );
}

#[test]
fn a_send_that_is_dropped_while_it_waits_is_cancelled() {
    let recording = Recording::start();
    block_on(async {
        let (sender, mut receiver) = mpsc::channel(1);
        let sender = sender.named("a", "out");
        sender.send(1u8).await.expect("there");
        {
            let never_polled = sender.send(2);
            drop(never_polled);
            let mut waiting = Box::pin(sender.send(3));
            assert!(poll_once(&mut waiting).await.is_pending());
        }
        assert_eq!(receiver.recv().await, Some(1));
        let mut waiting = Box::pin(sender.send(4));
        assert_eq!(
            poll_once(&mut waiting).await,
            std::task::Poll::Ready(Ok(()))
        );
        assert_eq!(receiver.recv().await, Some(4));
    });
    let outcomes: Vec<_> = recording
        .events()
        .iter()
        .filter(|event| event.event_type.name() != "MessageReceived")
        .filter_map(|event| event.outcome)
        .collect();
    assert_eq!(
        outcomes,
        [Outcome::Delivered, Outcome::Cancelled, Outcome::Delivered]
    );
    assert_all_is_accounted_for(&recording);
}

#[test]
fn a_blocking_send_that_panics_has_not_dropped_a_message() {
    let recording = Recording::start();
    let (sender, receiver) = mpsc::channel(1);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        block_on(async { sender.blocking_send(1u8) })
    }));
    assert!(panicked.is_err());
    drop(receiver);
    let events = recording.events();
    let outcomes: Vec<_> = events.iter().filter_map(|event| event.outcome).collect();
    assert_eq!(outcomes, [Outcome::Panicked]);
    let sum = totals();
    assert_eq!((sum.messages, sum.failures, sum.dropped), (1, 1, 0));
}

#[test]
fn messages_that_are_dropped_with_the_receiver_are_told_one_by_one() {
    let recording = Recording::start();
    let (sender, receiver) = standard::channel();
    let sender = sender.named("a", "out");
    let receiver = receiver.named("b", "in");
    for number in 0..5u32 {
        sender.send(number).expect("there");
    }
    receiver.recv().expect("there");
    drop(receiver);
    let (answer, question) = oneshot::channel();
    let question = question.named("b", "in");
    answer.named("a", "answer").send(5u32).expect("there");
    drop(question);
    let events = recording.events();
    let sends: Vec<_> = events.iter().filter(|event| event.is_data_flow()).collect();
    let dropped: Vec<_> = events
        .iter()
        .filter(|event| event.outcome == Some(Outcome::Dropped))
        .collect();
    assert_eq!((sends.len(), dropped.len()), (6, 5));
    for (dropped, sent) in dropped.iter().zip(&sends[1..]) {
        assert_eq!(dropped.causality.parent_event_id, Some(sent.event_id));
        assert_eq!(dropped.trace_id, sent.trace_id);
        assert_eq!(dropped.actor_id, "a");
        assert_eq!(dropped.destination(), Some(("b", "in")));
        assert_eq!(dropped.event_type.name(), "MessageSent");
        assert!(dropped.data.performance_metrics.waiting_time_ns.is_some());
        assert_eq!(dropped.data.performance_metrics.memory_usage_bytes, None);
    }
    assert_all_is_accounted_for(&recording);
}

#[test]
fn the_queue_depth_is_how_many_were_waiting() {
    let recording = Recording::start();
    let (bounded, _bounded_receiver) = crossbeam::bounded(8);
    let (unbounded, _unbounded_receiver) = crossbeam::unbounded();
    let (standard_sender, standard_receiver) = standard::channel();
    let (sync_sender, _sync_receiver) = standard::sync_channel(8);
    let (tokio_sender, _tokio_receiver) = mpsc::channel(8);
    let (tokio_unbounded, mut tokio_unbounded_receiver) = mpsc::unbounded_channel();
    for number in 0..3u8 {
        bounded.send(number).expect("there");
        unbounded.send(number).expect("there");
        standard_sender.send(number).expect("there");
        sync_sender.send(number).expect("there");
        tokio_sender.try_send(number).expect("there");
        tokio_unbounded.send(number).expect("there");
    }
    standard_receiver.recv().expect("there");
    standard_sender.send(9).expect("there");
    tokio_unbounded_receiver.try_recv().expect("there");
    tokio_unbounded.send(9).expect("there");
    tokio_sender.try_reserve().expect("there").send(9);
    let depth = |event: &TraceEvent| event.data.performance_metrics.queue_depth;
    let depths: Vec<_> = recording
        .events()
        .iter()
        .filter(|event| event.is_data_flow())
        .map(|event| depth(event).expect("known"))
        .collect();
    let expected: Vec<_> = (0..3)
        .flat_map(|depth| [depth; 6])
        .chain([2, 2, 3])
        .collect();
    assert_eq!(depths, expected);
}

#[sample(never)]
struct Secret;

#[sample(always)]
#[derive(Clone, Debug)]
struct Reading {
    #[trace(id)]
    id: u64,
    #[trace(context)]
    context: Context,
    sent: Instant,
}

impl Reading {
    fn new(id: u64) -> Self {
        Self {
            id,
            context: Context::NONE,
            sent: Instant::now(),
        }
    }
}

#[test]
fn the_policy_of_a_type_holds_and_that_of_a_generic_type_when_it_is_asked_for() {
    let recording = Recording::start();
    let (sender, receiver) = standard::channel();
    let (sender, receiver) = (sender.with_policy(), receiver.with_policy());
    sender.send(Secret).expect("there");
    receiver.recv().expect("there");
    sender.send(Secret).expect("there");
    drop(receiver);
    assert_eq!(recording.events().len(), 0);
    let sum = totals();
    assert_eq!((sum.messages, sum.received, sum.dropped), (2, 1, 1));
    assert_all_is_accounted_for(&recording);

    let (sender, receiver) = standard::channel();
    sender.send(Secret).expect("there");
    receiver.recv().expect("there");
    assert_eq!(recording.events().len(), 0, "found by the type alone");

    let (sender, receiver) = standard::channel();
    sender.send(Whispered(1)).expect("there");
    receiver.recv().expect("there");
    assert_eq!(recording.events().len(), 2, "a generic type is not found");
    let (sender, receiver) = standard::channel();
    let (sender, receiver) = (sender.with_policy(), receiver);
    sender.send(Whispered(1)).expect("there");
    receiver.recv().expect("there");
    assert_eq!(recording.events().len(), 2, "it is when it is asked for");
}

#[reflow_trace::sample(never)]
struct Whispered<T>(T);

#[test]
fn a_message_with_room_for_a_context_carries_it_further() {
    let recording = Recording::start();
    let (sender, receiver) = standard::channel();
    let sender = sender.with_policy();
    sender.send(Reading::new(7)).expect("there");
    let received = receiver.recv().expect("there");
    let events = recording.events();
    assert_eq!(received.context.event_id(), Some(events[0].event_id));
    for event in &events {
        assert_eq!(event.message_id(), Some(&serde_json::json!(7)));
    }
}

#[test]
fn waiting_times_agree_with_stamps_in_the_messages() {
    let recording = Recording::start();
    let (sender, mut receiver) = block_on(async { mpsc::channel(64) });
    let sender = sender.named("a", "out").with_policy();
    let mut bounds = std::collections::HashMap::new();
    for round in 0..20 {
        let mut after_send = Vec::new();
        for id in round * 50..round * 50 + 50 {
            sender.try_send(Reading::new(id)).expect("room");
            after_send.push(Instant::now());
        }
        for after_send in after_send {
            let before_receive = Instant::now();
            let reading = receiver.try_recv().expect("there");
            let shortest = before_receive.duration_since(after_send);
            bounds.insert(reading.id, (shortest, reading.sent.elapsed()));
        }
    }
    let mut seen = 0;
    for event in recording.events() {
        let Some(waited) = event.data.performance_metrics.waiting_time_ns else {
            continue;
        };
        let id = event
            .message_id()
            .and_then(serde_json::Value::as_u64)
            .expect("an id");
        let (shortest, longest) = bounds[&id];
        // The two clocks are calibrated against each other over a short time.
        let slack = Duration::from_micros(20) + longest / 50;
        let waited = Duration::from_nanos(waited);
        assert!(
            waited + slack >= shortest,
            "{id}: {waited:?} < {shortest:?}"
        );
        assert!(waited <= longest + slack, "{id}: {waited:?} > {longest:?}");
        seen += 1;
    }
    assert_eq!(seen, 1_000);
}

#[test]
fn the_wait_for_room_belongs_to_the_send_and_not_to_the_message() {
    let recording = Recording::start();
    block_on(async {
        let (sender, mut receiver) = mpsc::channel(1);
        let sender = sender.with_policy();
        sender.send(Reading::new(1)).await.expect("there");
        let mut waiting = Box::pin(sender.send(Reading::new(2)));
        assert!(poll_once(&mut waiting).await.is_pending());
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(50) {}
        receiver.recv().await.expect("there");
        waiting.await.expect("there");
        receiver.recv().await.expect("there");
    });
    let events = recording.events();
    let second = |name: &str| {
        let is = |event: &&TraceEvent| {
            event.event_type.name() == name && event.message_id() == Some(&serde_json::json!(2))
        };
        let event = events.iter().find(is).expect("recorded");
        event.data.performance_metrics.clone()
    };
    let sending = second("DataFlow").execution_time_ns.expect("known");
    let waiting = second("MessageReceived").waiting_time_ns.expect("known");
    assert!(sending >= 49_000_000, "{sending}");
    assert!(waiting < sending, "{waiting} {sending}");
}

struct Connector {
    from_actor: &'static str,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
    channel: standard::Sender<Reading>,
}

#[traced_connector]
impl Connector {
    fn send(&self, message: Reading) -> Result<(), standard::SendError<Reading>> {
        self.channel.send(message)
    }
}

#[test]
fn a_connector_over_a_channel_of_the_same_names_is_one_send() {
    let recording = Recording::start();
    let (sender, receiver) = standard::channel();
    let receiver = receiver.named("b", "in");
    let connector = Connector {
        from_actor: "a",
        from_port: "out",
        to_actor: "b",
        to_port: "in",
        channel: sender.named("a", "out").with_policy(),
    };
    connector.send(Reading::new(1)).expect("there");
    receiver.recv().expect("there");
    connector.send(Reading::new(2)).expect("there");
    drop(receiver);
    let events = recording.events();
    let names: Vec<_> = events.iter().map(|event| event.event_type.name()).collect();
    assert_eq!(
        names,
        ["DataFlow", "MessageReceived", "DataFlow", "MessageSent"]
    );
    assert_eq!(
        events[1].causality.parent_event_id,
        Some(events[0].event_id)
    );
    assert_eq!(
        events[3].causality.parent_event_id,
        Some(events[2].event_id)
    );
    assert_all_is_accounted_for(&recording);
}

#[test]
fn a_message_that_was_sent_before_the_recording_is_no_part_of_it() {
    let silence = Silence::start();
    let (sender, receiver) = standard::channel();
    sender.send(1u8).expect("there");
    sender.send(2).expect("there");
    drop(silence);
    let recording = Recording::start();
    assert_eq!(receiver.recv(), Ok(1));
    drop(receiver);
    assert_eq!(recording.events().len(), 0);
    assert_eq!(totals().received, 0);
    drop(recording);

    let first = Recording::start();
    let (sender, receiver) = standard::channel();
    sender.send(1u8).expect("there");
    sender.send(2).expect("there");
    drop(first);
    let second = Recording::start();
    assert_eq!(receiver.recv(), Ok(1));
    drop(receiver);
    assert_eq!(second.events().len(), 0);
    assert_eq!((totals().received, totals().dropped), (0, 0));
}
