//! Actors: what they handle, what they cause, and their lives.

#![deny(warnings)]
#![forbid(unsafe_code)]

use std::sync::mpsc;

use futures::executor::block_on;
use reflow_trace::{Context, sample, traced_actor, traced_connector};
use reflow_trace_tests::Recording;

#[sample(rate = 1.0)]
#[derive(Clone, Default)]
struct Reading {
    #[trace(id)]
    id: u64,
    #[trace(context)]
    context: Context,
    #[trace(attribute)]
    celsius: f64,
}

struct Connector {
    from_actor: &'static str,
    to_actor: &'static str,
    channel: mpsc::Sender<Reading>,
}

#[traced_connector(from_port = ("out"), to_port = ("in"))]
impl Connector {
    fn send(&self, message: Reading) -> Result<(), mpsc::SendError<Reading>> {
        self.channel.send(message)
    }
}

struct Validator {
    name: String,
    out: Connector,
}

#[traced_actor(actor = "self.name", port = "in")]
impl Validator {
    fn handle(&mut self, message: Reading) -> Result<(), String> {
        if message.celsius > 100.0 {
            return Err("too hot".into());
        }
        self.out
            .send(Reading {
                id: message.id + 1,
                ..Reading::default()
            })
            .map_err(|error| error.to_string())
    }

    async fn run(mut self, inbox: mpsc::Receiver<Reading>) -> Result<(), String> {
        for message in inbox {
            self.handle(message)?;
        }
        Ok(())
    }
}

#[test]
fn what_a_handler_sends_is_caused_by_what_it_handles() {
    let recording = Recording::start();
    let (first, inbox) = mpsc::channel();
    let (second, outbox) = mpsc::channel();
    let sensor = Connector {
        from_actor: "sensor",
        to_actor: "validator",
        channel: first,
    };
    sensor
        .send(Reading {
            id: 1,
            celsius: 20.0,
            ..Reading::default()
        })
        .expect("the inbox is open");
    drop(sensor);
    let out = Connector {
        from_actor: "validator",
        to_actor: "store",
        channel: second,
    };
    block_on(
        Validator {
            name: "validator".into(),
            out,
        }
        .run(inbox),
    )
    .expect("it is not too hot");
    assert_eq!(outbox.recv().map(|reading| reading.id), Ok(2));

    let mut lines = recording.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "ActorCompleted validator delivered",
            "ActorStarted validator",
            "DataFlow sensor:out -> validator:in Reading delivered",
            "DataFlow validator:out -> store:in Reading delivered",
            "MessageReceived validator:in Reading delivered",
        ]
    );
    let events = recording.events();
    let find = |kind: &str, actor: &str| {
        events
            .iter()
            .find(|event| event.event_type.name() == kind && event.actor_id == actor)
            .expect("it is among the lines")
    };
    let (sent, received, caused) = (
        find("DataFlow", "sensor"),
        find("MessageReceived", "validator"),
        find("DataFlow", "validator"),
    );
    assert_eq!(received.causality.parent_event_id, Some(sent.event_id));
    assert_eq!(caused.causality.parent_event_id, Some(received.event_id));
    assert_eq!(caused.trace_id, sent.trace_id);
    assert_eq!(sent.message_id(), Some(&1.into()));
    assert_eq!(sent.data.custom_attributes["celsius"], 20.0);
    assert!(received.data.performance_metrics.waiting_time_ns.is_some());
}

#[test]
fn a_handler_that_fails_fails_and_so_does_the_life_that_it_ends() {
    let recording = Recording::start();
    let (first, inbox) = mpsc::channel();
    let (second, _outbox) = mpsc::channel();
    first
        .send(Reading {
            celsius: 101.0,
            ..Reading::default()
        })
        .expect("the inbox is open");
    let out = Connector {
        from_actor: "validator",
        to_actor: "store",
        channel: second,
    };
    let end = block_on(
        Validator {
            name: "validator".into(),
            out,
        }
        .run(inbox),
    );
    assert_eq!(end, Err("too hot".into()));
    let mut lines = recording.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "ActorFailed validator failed",
            "ActorStarted validator",
            "MessageReceived validator:in Reading failed"
        ]
    );
}

mod by_default {
    use super::*;

    trait Handler<M> {
        fn on_message(&self, message: &M) -> usize;
        fn run(&self, message: M);
    }

    struct Counter<T>(T);

    #[traced_actor]
    impl<T> Handler<String> for Counter<T> {
        fn on_message(&self, message: &String) -> usize {
            message.len()
        }

        fn run(&self, message: String) {
            drop(message);
        }
    }

    #[traced_actor(port = self.0)]
    impl Counter<&'static str> {
        #[trace(handler, size = "tick + 1", ok = "*result > 2")]
        async fn on_tick(&self, tick: usize) -> usize {
            tick
        }

        #[trace(life)]
        fn live(&self) {
            panic!("the end");
        }
    }

    #[test]
    fn an_actor_without_a_name_is_called_like_its_type() {
        let recording = Recording::start();
        let counter = Counter("ticks");
        assert_eq!(counter.on_message(&"abc".to_owned()), 3);
        counter.run(String::new());
        assert_eq!(block_on(counter.on_tick(2)), 2);
        let life = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| counter.live()));
        assert!(life.is_err());
        assert_eq!(
            recording.lines(),
            [
                "MessageReceived Counter:in String delivered",
                "MessageReceived Counter:ticks usize failed",
                "ActorStarted Counter",
                "ActorFailed Counter panicked"
            ]
        );
        let size = recording.events()[1]
            .data
            .message
            .as_ref()
            .map(|message| message.size_bytes);
        assert_eq!(size, Some(3));
    }
}
