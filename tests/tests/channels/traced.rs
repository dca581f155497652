//! `Traced<M>`: the context of messages that cannot hold one, in channels of the user's own.

use reflow_trace::{Traced, traced_actor, traced_connector};
use reflow_trace_tests::Recording;

struct Connector {
    from_actor: &'static str,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
    channel: std::sync::mpsc::Sender<Traced<String>>,
}

#[traced_connector]
impl Connector {
    fn send(&self, message: Traced<String>) -> bool {
        self.channel.send(message).is_ok()
    }
}

struct Store;

#[traced_actor(actor = "\"store\"")]
impl Store {
    fn handle(&mut self, message: Traced<String>) -> usize {
        message.len()
    }
}

#[test]
fn a_string_in_an_envelope_links_its_handling_to_its_send() {
    let recording = Recording::start();
    let (channel, receiver) = std::sync::mpsc::channel();
    let connector = Connector {
        from_actor: "reader",
        from_port: "out",
        to_actor: "store",
        to_port: "in",
        channel,
    };
    assert!(connector.send(String::from("hello").into()));
    assert_eq!(Store.handle(receiver.recv().expect("there")), 5);
    let events = recording.events();
    let [sent, handled] = &events[..] else {
        panic!("two events: {events:#?}");
    };
    assert_eq!(handled.causality.parent_event_id, Some(sent.event_id));
    assert_eq!(handled.actor_id, "store");
    assert!(handled.data.performance_metrics.waiting_time_ns.is_some());
    let message = sent.data.message.as_ref().expect("a message");
    assert_eq!(
        (message.message_type.as_str(), message.size_bytes),
        ("String", 5)
    );
}
