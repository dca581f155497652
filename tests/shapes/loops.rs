//! Code that is no method: loops in spawned tasks, as the connectors of Reflow are.

use reflow_trace::{Context, MessageKind, Outcome};
use tokio::sync::mpsc;

use super::*;

#[sample(rate = 1.0)]
#[derive(Clone, Debug, PartialEq)]
struct Packet {
    number: u32,
    #[trace(context)]
    context: Context,
}

fn packet(number: u32) -> Packet {
    Packet {
        number,
        context: Context::NONE,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime of one thread")
}

async fn connect(edge: Edge, mut from: mpsc::Receiver<Packet>, to: mpsc::Sender<Packet>) {
    while let Some(message) = from.recv().await {
        let sent = reflow_trace::send_async(&edge, message, |message| to.send(message)).await;
        if sent.is_err() {
            break;
        }
    }
}

#[test]
fn a_loop_in_a_spawned_task_is_a_connector() {
    let recording = Recording::start();
    let numbers = runtime().block_on(async {
        let (start, from) = mpsc::channel(8);
        let (to, middle) = mpsc::channel(8);
        let (next, mut end) = mpsc::channel(8);
        let first = tokio::spawn(connect(Edge::new("a", "out", "b", "in"), from, to));
        let second = tokio::spawn(async move {
            let mut middle = middle;
            let edge = Edge::new("b", "out", "c", "in");
            while let Some(message) = middle.recv().await {
                reflow_trace::handle_async("b", "in", message, async |message| {
                    // Another message, caused by this one.
                    let answer = packet(message.number * 2);
                    reflow_trace::send_async(&edge, answer, |answer| next.send(answer)).await
                })
                .await
                .expect("the end is there");
            }
        });
        for number in 1..=2 {
            start.send(packet(number)).await.expect("the loop is there");
        }
        drop(start);
        first.await.expect("the first loop ends");
        second.await.expect("the second loop ends");
        let mut numbers = Vec::new();
        while let Some(packet) = end.recv().await {
            reflow_trace::received(&Edge::new("b", "out", "c", "in"), &packet);
            numbers.push((packet.number, packet.context));
        }
        numbers
    });
    assert_eq!(
        numbers
            .iter()
            .map(|(number, _)| *number)
            .collect::<Vec<_>>(),
        [2, 4]
    );
    let mut lines = recording.lines();
    lines.sort();
    let expected = [
        "DataFlow a:out -> b:in Packet delivered",
        "DataFlow b:out -> c:in Packet delivered",
        "MessageReceived b:in Packet delivered",
        "MessageReceived c:in Packet delivered",
    ];
    assert_eq!(lines, expected.map(|line| [line; 2]).concat());
    let traces: std::collections::HashSet<_> = recording
        .events()
        .iter()
        .map(|event| event.trace_id)
        .collect();
    assert_eq!(traces.len(), 2, "what one message led to is one trace");
    assert!(traces.contains(&numbers[0].1.trace_id()));
}

#[test]
fn a_send_that_fails_panics_is_dropped_or_never_polled_is_told_apart() {
    let recording = Recording::start();
    let edge = Edge::new("a", "out", "b", "in1");
    let failed = reflow_trace::send(&edge, Reading(1), |reading| Err::<(), _>(Full(reading.0)));
    assert_eq!(failed, Err(Full(1)));
    let panicked = std::panic::catch_unwind(|| {
        reflow_trace::send::<_, ()>(&edge, Reading(1), |_| panic!("as intended"));
    });
    assert!(panicked.is_err());
    drop(reflow_trace::send_async(&edge, Reading(1), |_| {
        std::future::ready(())
    }));
    let mut stuck = Box::pin(reflow_trace::send_async(&edge, Reading(1), |_| {
        std::future::pending::<()>()
    }));
    assert_eq!(block_on(futures::future::poll_immediate(&mut stuck)), None);
    drop(stuck);
    assert_eq!(
        recording.lines(),
        [
            FAILED,
            "MessageSent a:out -> b:in1 Reading panicked",
            "MessageSent a:out -> b:in1 Reading cancelled"
        ]
    );
}

struct Connector(Wire);

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl Connector {
    fn send(&self, message: Reading) -> Result<(), Full> {
        self.0.push(message)
    }
}

#[test]
fn a_connector_of_the_same_edge_inside_is_part_of_the_send() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    let edge = Edge::new("a", "out", "b", "in1");
    assert_eq!(
        reflow_trace::send(&edge, Reading(1), |reading| connector.send(reading)),
        Ok(())
    );
    let sent = reflow_trace::send_async(&edge, Reading(101), |reading| async {
        connector.send(reading)
    });
    assert_eq!(block_on(sent), Err(Full(101)));
    assert_eq!(recording.lines(), [DELIVERED, FAILED]);
}

struct Status(u16);

impl reflow_trace::Delivery for Status {
    fn outcome(&self) -> Outcome {
        if self.0 == 200 {
            Outcome::Delivered
        } else {
            Outcome::Failed
        }
    }
}

#[test]
fn an_answer_of_ones_own_is_judged_by_itself() {
    let recording = Recording::start();
    let edge = Edge::new("a", "out", "b", "in1");
    let handled = reflow_trace::handle("b", "in1", Reading(1), |reading| {
        reflow_trace::send(&edge, reading, |_| Status(200));
        Status(404)
    });
    assert_eq!(handled.0, 404);
    assert_eq!(
        recording.lines(),
        [DELIVERED, "MessageReceived b:in1 Reading failed"]
    );
    let events = recording.events();
    assert_eq!(
        events[0].causality.parent_event_id,
        Some(events[1].event_id)
    );
}

#[test]
fn a_message_of_another_crate_is_labelled() {
    static JSON: MessageKind = MessageKind::new("Json");
    let recording = Recording::start();
    let edge = Edge::new("a", "out", "b", "in1");
    let value = serde_json::json!([1, 2]);
    let sent = reflow_trace::send(&edge, JSON.label(value), |labelled| {
        Ok::<_, Full>(labelled.into_inner())
    });
    assert_eq!(sent, Ok(serde_json::json!([1, 2])));
    assert_eq!(
        recording.lines(),
        ["DataFlow a:out -> b:in1 Json delivered"]
    );
}

#[test]
fn without_a_recording_the_closure_is_called_and_that_is_all() {
    let _silence = Silence::start();
    let edge = Edge::new("a", "out", "b", "in1");
    assert_eq!(
        reflow_trace::send(&edge, packet(1), |packet| Ok::<_, Full>(packet.number)),
        Ok(1)
    );
    let sent = reflow_trace::send_async(&edge, packet(2), |packet| {
        std::future::ready(Err::<(), _>(Full(packet.number)))
    });
    assert_eq!(block_on(sent), Err(Full(2)));
    reflow_trace::received(&edge, &packet(3));
    reflow_trace::handle("b", "in1", packet(4), |packet| {
        assert!(!packet.context.is_linked());
    });
}
