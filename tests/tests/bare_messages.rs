//! The policy of a message holds where nothing is known of its type: inside `impl<M> Connector<M>`.

#![deny(warnings)]
#![forbid(unsafe_code)]

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use futures::executor::block_on;
use reflow_trace::ledger::{EdgeCounters, PolicyNotFound};
use reflow_trace::{Context, TraceEvent, global_tracing, sample, traced_actor, traced_connector};
use reflow_trace_tests::{Recording, elsewhere};

/// Knows nothing of `M`, not even that it is a value.
struct Connector<M> {
    queue: RefCell<VecDeque<M>>,
}

impl<M> Connector<M> {
    fn new() -> Self {
        Self {
            queue: RefCell::new(VecDeque::new()),
        }
    }
}

#[traced_connector(from_actor = ("a"), from_port = ("out"), to_actor = ("b"), to_port = ("in"))]
impl<M> Connector<M> {
    fn send(&self, message: M) {
        self.queue.borrow_mut().push_back(message);
    }

    async fn send_async(&self, message: M) -> Result<(), ()> {
        self.queue.borrow_mut().push_back(message);
        Ok(())
    }

    fn try_send(&self, message: M) -> impl Future<Output = ()> {
        self.queue.borrow_mut().push_back(message);
        async {}
    }

    #[trace(send)]
    fn look_at(&self, _message: &M) {}

    #[trace(send, size = "12345")]
    fn weigh(&self, _message: M) {}

    fn try_recv(&self) -> Option<M> {
        self.queue.borrow_mut().pop_front()
    }

    async fn recv(&self) -> Result<M, ()> {
        self.queue.borrow_mut().pop_front().ok_or(())
    }

    fn receive(&self) -> M {
        self.queue.borrow_mut().pop_front().expect("a message")
    }
}

struct Actor;

#[traced_actor(actor = ("b"))]
impl Actor {
    #[trace(handler)]
    fn handle<M>(&self, message: M) -> M {
        message
    }

    #[trace(handler)]
    async fn on_message<M>(&self, message: M) -> M {
        message
    }
}

/// A message that says everything that can be said.
#[sample(
    always = "self.urgent",
    never = "self.silent",
    size = "self.text.len()",
    capture
)]
#[derive(Clone, Default, serde::Serialize)]
struct Reading {
    #[trace(id)]
    number: u32,
    #[trace(attribute)]
    celsius: f64,
    #[trace(redact)]
    text: String,
    silent: bool,
    urgent: bool,
    #[trace(context)]
    #[serde(skip)]
    context: Context,
}

#[sample(rate = 0.0, always_actors = ["boss"])]
enum Command {
    Step,
    #[sample(always)]
    Stop,
    #[sample(never)]
    Log,
}

#[sample(never, name = "Envelope")]
struct Envelope<T>(T);

#[sample(never)]
struct View<'a>(&'a str);

struct Unannotated;

fn plain(number: u32) -> Reading {
    Reading {
        number,
        celsius: 20.5,
        text: "secret".to_owned(),
        ..Reading::default()
    }
}

/// The counters of what was sent, by message type.
fn counters(recording: &Recording) -> Vec<EdgeCounters> {
    recording.events();
    global_tracing().expect("recording").edge_counters().edges
}

fn assert_says_everything(event: &TraceEvent, number: u32) {
    let message = event.data.message.as_ref().expect("a message");
    assert_eq!(message.message_type, "Reading");
    assert_eq!(message.size_bytes, 6);
    assert_eq!(event.message_id(), Some(&number.into()));
    assert_eq!(event.data.custom_attributes["celsius"], 20.5);
    let content = message.serialized_data.clone();
    let content = String::from_utf8(content).expect("JSON");
    assert!(content.contains("[redacted]"), "{content}");
    assert!(!content.contains("secret"), "{content}");
}

#[test]
fn a_send_says_what_the_type_says() {
    let recording = Recording::start();
    let connector = Connector::new();
    connector.send(plain(1));
    block_on(connector.send_async(plain(2))).expect("sent");
    block_on(connector.try_send(plain(3)));
    let events = recording.events();
    assert_eq!(events.len(), 3);
    for (event, number) in events.iter().zip(1..) {
        assert!(event.is_data_flow());
        assert_says_everything(event, number);
    }
}

#[test]
fn a_receive_and_a_handling_say_what_the_type_says() {
    let recording = Recording::start();
    let connector = Connector::new();
    for _ in 0..3 {
        connector.queue.borrow_mut().push_back(plain(7));
    }
    connector.try_recv().expect("a message");
    block_on(connector.recv()).expect("a message");
    connector.receive();
    Actor.handle(plain(7));
    block_on(Actor.on_message(plain(7)));
    let events = recording.events();
    assert_eq!(events.len(), 5);
    for event in &events {
        assert_eq!(event.event_type.name(), "MessageReceived");
        assert_says_everything(event, 7);
    }
}

#[test]
fn never_and_always_are_asked_of_each_message() {
    let recording = Recording::start();
    let connector = Connector::new();
    connector.send(Reading {
        silent: true,
        ..plain(1)
    });
    connector.send(plain(2));
    block_on(connector.send_async(Reading {
        silent: true,
        ..plain(3)
    }))
    .expect("sent");
    connector.try_recv().expect("the first");
    connector.try_recv().expect("the second");
    Actor.handle(Reading {
        silent: true,
        ..plain(4)
    });
    let ids: Vec<_> = recording
        .events()
        .iter()
        .map(|event| event.message_id().and_then(serde_json::Value::as_u64))
        .collect();
    assert_eq!(ids, [Some(2), Some(2)]);
    let counted: u64 = counters(&recording).iter().map(|edge| edge.messages).sum();
    assert_eq!(counted, 3, "what is not recorded is counted");
}

#[test]
fn variants_have_names_and_policies_of_their_own() {
    let recording = Recording::start();
    let connector = Connector::new();
    for message in [Command::Step, Command::Stop, Command::Log, Command::Step] {
        connector.send(message);
    }
    assert_eq!(recording.lines(), ["DataFlow a:out -> b:in Stop delivered"]);
    let mut counted: Vec<_> = counters(&recording)
        .into_iter()
        .map(|edge| (edge.message_type, edge.messages, edge.not_sampled))
        .collect();
    counted.sort();
    let name = str::to_owned;
    assert_eq!(
        counted,
        [
            (name("Log"), 1, 1),
            (name("Step"), 2, 2),
            (name("Stop"), 1, 0)
        ]
    );
}

#[test]
fn the_context_is_written_at_the_send_and_read_at_the_receive() {
    let recording = Recording::start();
    let connector = Connector::new();
    connector.send(plain(1));
    let message = connector.try_recv().expect("a message");
    assert!(message.context.is_linked());
    Actor.handle(message);
    let events = recording.events();
    assert_eq!(events.len(), 3);
    let cause = &events[0];
    for event in &events[1..] {
        assert_eq!(event.trace_id, cause.trace_id);
        assert_eq!(
            event.causality.parent_event_id.as_ref(),
            Some(&cause.event_id)
        );
    }
}

#[test]
fn what_a_pointer_points_to_is_the_message() {
    let recording = Recording::start();
    let boxed = Connector::new();
    boxed.send(Box::new(plain(1)));
    assert!(boxed.receive().context.is_linked());
    let counted = Connector::new();
    counted.send(Arc::new(plain(2)));
    let shared = counted.receive();
    assert!(shared.context.is_linked(), "nobody else had it");
    counted.send(Arc::clone(&shared));
    counted.send(shared);
    let local = Connector::new();
    local.send(Rc::new(plain(3)));
    let message = plain(4);
    Connector::new().send(&message);
    Connector::new().look_at(&message);
    let mut message = plain(5);
    Connector::new().send(&mut message);
    assert!(message.context.is_linked());
    for event in recording.events() {
        let message = event.data.message.expect("a message");
        assert_eq!(message.message_type, "Reading");
        assert_eq!(message.size_bytes, 6);
    }
}

#[test]
fn the_size_of_the_annotation_comes_before_that_of_the_type() {
    let recording = Recording::start();
    Connector::new().weigh(plain(1));
    let events = recording.events();
    let message = events[0].data.message.as_ref().expect("a message");
    assert_eq!(message.size_bytes, 12345);
    assert_eq!(events[0].message_id(), Some(&1.into()));
}

#[test]
fn a_type_of_another_crate_keeps_its_policy() {
    let recording = Recording::start();
    Connector::new().send(elsewhere::Foreign(1));
    Connector::new().send(elsewhere::deeper::Foreign(1));
    assert_eq!(
        recording.lines(),
        ["DataFlow a:out -> b:in Deeper delivered"]
    );
}

#[test]
fn a_type_in_a_function_keeps_its_policy() {
    #[sample(never)]
    #[derive(Default)]
    struct Local;

    fn last_in_a_block() -> impl Default {
        {
            #[sample(never)]
            #[derive(Default)]
            struct Local(u8);
            let _kept = Local(1).0;
            Local::default()
        }
    }

    let recording = Recording::start();
    Connector::new().send(Local);
    Connector::new().send(last_in_a_block());
    let closure = || {
        #[sample(rate = 1.0)]
        struct Local;
        Connector::new().send(Local);
    };
    closure();
    assert_eq!(
        recording.lines(),
        ["DataFlow a:out -> b:in Local delivered"]
    );
}

#[test]
fn types_of_one_name_are_told_apart() {
    mod loud {
        #[reflow_trace::sample(rate = 1.0)]
        pub(super) struct Signal;
    }
    mod silent {
        #[reflow_trace::sample(never)]
        pub(super) struct Signal;
    }
    let recording = Recording::start();
    for _ in 0..2 {
        Connector::new().send(loud::Signal);
        Connector::new().send(silent::Signal);
    }
    assert_eq!(recording.lines().len(), 2);
    let edges = counters(&recording);
    assert_eq!(edges.len(), 1);
    assert_eq!((edges[0].messages, edges[0].not_sampled), (4, 2));
}

#[test]
fn what_has_no_policy_is_recorded_under_its_name() {
    let recording = Recording::start();
    Connector::new().send(Unannotated);
    Connector::new().send(Box::new(plain(1)) as Box<dyn Any>);
    Connector::new().send(Some(plain(1)));
    Connector::new().send(String::from("hello"));
    let found: Vec<_> = recording
        .events()
        .into_iter()
        .filter_map(|event| event.data.message)
        .map(|message| (message.message_type, message.size_bytes))
        .collect();
    assert_eq!(found[0], ("Unannotated".to_owned(), 0));
    assert_eq!(found[1].0, "Box<dyn core::any::Any>");
    assert!(found[2].0.starts_with("Option<"), "{}", found[2].0);
    assert_eq!(found[3], ("String".to_owned(), 5), "its deep size");
    assert!(policies_not_found(&recording).is_empty());
}

#[test]
fn a_message_that_borrows_is_sent_as_before() {
    let recording = Recording::start();
    let text = String::from("hello");
    let length = {
        let connector = Connector::new();
        connector.send(text.as_str());
        connector.receive().len()
    };
    assert_eq!(length, 5);
    assert_eq!(recording.events().len(), 2);
}

fn policies_not_found(recording: &Recording) -> Vec<(String, u64)> {
    recording.events();
    let metrics = global_tracing().expect("recording").performance_metrics();
    let lines = metrics.to_string();
    let not_found = metrics.policies_not_found;
    assert_eq!(lines.contains("policy not found"), !not_found.is_empty());
    let pair = |it: PolicyNotFound| (it.message_type, it.messages);
    not_found.into_iter().map(pair).collect()
}

#[test]
fn a_generic_type_whose_policy_is_not_found_is_counted() {
    #[sample(never)]
    struct Inner<const N: usize>([u8; N]);

    struct Bound;
    #[traced_connector(from_actor = ("a"), from_port = ("out"), to_actor = ("b"), to_port = ("in"))]
    impl Bound {
        fn send<M: reflow_trace::Message>(&self, _message: M) {}
    }

    let recording = Recording::start();
    for _ in 0..3 {
        Connector::new().send(Envelope(1_u8));
    }
    Connector::new().send(Box::new(Envelope("text")));
    let text = String::from("borrowed");
    Connector::new().send(View(&text));
    Actor.handle(View(&text));
    Connector::new().send(Inner([0; 3]));
    // With the bound it is found.
    Bound.send(Envelope(0_u64));
    let _fields = (Envelope(1).0, View("").0, Inner([0; 1]).0);

    assert_eq!(recording.events().len(), 7, "recorded as without a policy");
    let mut not_found = policies_not_found(&recording);
    // How a compiler writes the lifetime is its own affair.
    for (name, _) in &mut not_found {
        *name = name.replace("<'_>", "");
    }
    let name = str::to_owned;
    assert_eq!(
        not_found,
        [
            (name("Box<bare_messages::Envelope<&str>>"), 1),
            (name("Envelope<u8>"), 3),
            (name("Inner<3>"), 1),
            (name("View"), 2),
        ]
    );
}
