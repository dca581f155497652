//! What a task sends is caused by what it received last, and by nothing that another task received.

use reflow_trace::channel::std::mpsc as standard;
use reflow_trace::channel::tokio::mpsc;
use reflow_trace::{Context, TraceEvent, traced_actor};
use reflow_trace_tests::Recording;

use super::block_on;

struct Stage {
    name: &'static str,
}

#[traced_actor(actor = "self.name")]
impl Stage {
    async fn run(self, mut input: mpsc::Receiver<u64>, output: mpsc::Sender<u64>) {
        while let Some(number) = input.recv().await {
            // Others take their turn between the receive and the send.
            tokio::task::yield_now().await;
            if output.send(number).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

struct Thread;

#[traced_actor(actor = "\"thread\"")]
impl Thread {
    fn run(self, input: standard::Receiver<u64>, output: standard::Sender<u64>) {
        for number in input {
            output.send(number).expect("there");
        }
    }
}

fn event(events: &[TraceEvent], id: Option<reflow_trace::EventId>) -> Option<&TraceEvent> {
    events.iter().find(|event| Some(event.event_id) == id)
}

#[test]
fn tasks_that_interleave_on_one_thread_do_not_mix_causes() {
    let recording = Recording::start();
    let (tasks, messages) = (20, 20);
    block_on(async {
        let mut ends = Vec::new();
        let mut lives = Vec::new();
        for task in 0..tasks {
            let (first, input) = mpsc::channel(1);
            let (output, last) = mpsc::channel(1);
            let input = input.named(format!("stage {task}"), "in");
            let output = output.named(format!("stage {task}"), "out");
            lives.push(tokio::spawn(Stage { name: "stage" }.run(input, output)));
            ends.push((first.named(format!("source {task}"), "out"), last));
        }
        for number in 0..messages {
            for (first, _) in &ends {
                first.send(number).await.expect("there");
            }
            for (_, last) in &mut ends {
                assert_eq!(last.recv().await, Some(number));
            }
        }
        drop(ends);
        for life in lives {
            life.await.expect("no panic");
        }
    });
    assert!(!Context::current().is_linked());
    let events = recording.events();
    let mut causes = std::collections::HashSet::new();
    for sent in events.iter().filter(|event| event.is_data_flow()) {
        let Some(task) = sent.actor_id.strip_prefix("stage ") else {
            assert_eq!(
                sent.causality.parent_event_id, None,
                "a source has no cause"
            );
            continue;
        };
        let received = event(&events, sent.causality.parent_event_id).expect("a cause");
        assert_eq!(received.event_type.name(), "MessageReceived");
        assert_eq!(received.actor_id, format!("stage {task}"));
        let first = event(&events, received.causality.parent_event_id).expect("a cause");
        assert_eq!(first.actor_id, format!("source {task}"));
        assert_eq!(first.trace_id, sent.trace_id);
        causes.insert(received.event_id);
    }
    let sends = (tasks * messages) as usize;
    assert_eq!(causes.len(), sends, "each send by a receive of its own");
}

#[test]
fn a_thread_that_is_an_actor_keeps_its_cause_to_itself() {
    let recording = Recording::start();
    let (first, input) = standard::channel();
    let (output, last) = standard::channel();
    for number in 0..10 {
        first.send(number).expect("there");
    }
    drop(first);
    Thread.run(input.named("thread", "in"), output.named("thread", "out"));
    assert!(!Context::current().is_linked());
    assert_eq!(last.iter().count(), 10);
    let events = recording.events();
    let sent: Vec<_> = events
        .iter()
        .filter(|event| event.is_data_flow() && event.actor_id == "thread")
        .collect();
    assert_eq!(sent.len(), 10);
    let mut causes = std::collections::HashSet::new();
    for sent in sent {
        let cause = event(&events, sent.causality.parent_event_id).expect("a cause");
        assert_eq!(
            (cause.event_type.name(), cause.actor_id.as_str()),
            ("MessageReceived", "thread")
        );
        causes.insert(cause.event_id);
    }
    assert_eq!(causes.len(), 10, "each by its own");
}

#[test]
fn outside_of_tasks_a_receive_leaves_nothing_behind() {
    let recording = Recording::start();
    let (sender, receiver) = standard::channel();
    sender.send(1).expect("there");
    receiver.recv().expect("there");
    assert!(!Context::current().is_linked());
    sender.send(2).expect("there");
    let events = recording.events();
    assert_eq!(
        events
            .last()
            .and_then(|event| event.causality.parent_event_id),
        None
    );
}
