//! What is captured of the content of messages, and what never is.

#![deny(warnings)]
#![forbid(unsafe_code)]

mod faults;
mod limits;
mod redaction;
mod whole;

use reflow_trace::{
    ContentLimits, Guard, MemorySink, Message, MessageSnapshot, TraceEvent, global_tracing,
    traced_connector,
};
use reflow_trace_tests::Silence;
use std::marker::PhantomData;
use std::time::Duration;

/// Takes any message and lets it go.
struct Connector<M> {
    from_actor: &'static str,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
    messages: PhantomData<fn(M)>,
}

fn connector<M>() -> Connector<M> {
    Connector {
        from_actor: "a",
        from_port: "out",
        to_actor: "b",
        to_port: "in",
        messages: PhantomData,
    }
}

#[traced_connector]
impl<M: Message> Connector<M> {
    fn send(&self, message: M) {
        drop(message);
    }
}

/// A recording under limits; only one at a time.
struct Capturing {
    memory: MemorySink,
    guard: Guard,
    _alone: Silence,
}

impl Capturing {
    fn start() -> Self {
        Self::within(ContentLimits::default())
    }

    fn within(limits: ContentLimits) -> Self {
        let alone = Silence::start();
        let memory = MemorySink::with_capacity(10_000);
        let guard = reflow_trace::builder()
            .sink(memory.clone())
            .content(limits)
            .start()
            .expect("nobody else is recording");
        Self {
            memory,
            guard,
            _alone: alone,
        }
    }

    fn events(&self) -> Vec<TraceEvent> {
        self.guard
            .flush(Duration::from_secs(5))
            .expect("all that was recorded arrives");
        let mut events = self.memory.events();
        events.retain(|event| event.data.message.is_some());
        events
    }

    /// What is kept of one message.
    fn of<M: Message>(&self, message: M) -> MessageSnapshot {
        connector().send(message);
        let event = self.events().pop().expect("the message was recorded");
        event.data.message.expect("it is one of a message")
    }

    /// The content of one message.
    fn content_of<M: Message>(&self, message: M) -> String {
        text(&self.of(message))
    }

    fn ledger(&self) -> reflow_trace::ContentLedger {
        self.events();
        let tracing = global_tracing().expect("a recording is under way");
        tracing.performance_metrics().content
    }
}

fn text(message: &MessageSnapshot) -> String {
    String::from_utf8(message.serialized_data.clone()).expect("JSON is UTF-8")
}
