//! How many messages were waiting before this one, asked of whatever `self.channel` is.

use std::collections::VecDeque;

use super::*;

/// A connector over any channel, with one line that sends.
macro_rules! connector {
    ($name:ident, $channel:ty, |$this:ident, $message:ident| $send:expr) => {
        struct $name {
            channel: $channel,
        }

        #[traced_connector(from_actor = ("a"), from_port = ("out"), to_actor = ("b"), to_port = ("in1"))]
        impl $name {
            fn send(&$this, $message: Reading) {
                $send
            }
        }
    };
}

connector!(
    Bounded,
    tokio::sync::mpsc::Sender<Reading>,
    |self, message| drop(self.channel.try_send(message))
);
connector!(
    Unbounded,
    tokio::sync::mpsc::UnboundedSender<Reading>,
    |self, message| drop(self.channel.send(message))
);
connector!(Queue, Mutex<VecDeque<Reading>>, |self, message| {
    self.channel
        .lock()
        .expect("nobody panics here")
        .push_back(message);
});

struct Counted {
    channel: RefCell<Vec<Reading>>,
    edge: Edge,
}

#[traced_connector(edge = "self.edge", depth = "self.channel.borrow().len()")]
impl Counted {
    fn send(&self, message: Reading) {
        self.channel.borrow_mut().push(message);
    }

    #[trace(depth = false)]
    fn try_send(&self, message: Reading) {
        self.channel.borrow_mut().push(message);
    }

    #[trace(send, depth = "(message.0 > 3).then_some(message.0)")]
    fn maybe(&self, message: Reading) {
        self.channel.borrow_mut().push(message);
    }

    fn recv(&self) -> Option<Reading> {
        self.channel.borrow_mut().pop()
    }
}

fn depths(recording: &Recording) -> Vec<Option<usize>> {
    recording
        .events()
        .iter()
        .map(|event| event.data.performance_metrics.queue_depth)
        .collect()
}

#[test]
fn a_bounded_channel_tells_by_its_free_places() {
    let recording = Recording::start();
    let (channel, _inbox) = tokio::sync::mpsc::channel(2);
    let connector = Bounded { channel };
    (0..3).for_each(|number| connector.send(Reading(number)));
    assert_eq!(depths(&recording), [Some(0), Some(1), Some(2)]);
}

#[test]
fn a_channel_that_does_not_tell_is_unknown() {
    let recording = Recording::start();
    let (channel, _inbox) = tokio::sync::mpsc::unbounded_channel();
    Unbounded { channel }.send(Reading(1));
    Queue {
        channel: Mutex::default(),
    }
    .send(Reading(1));
    assert_eq!(depths(&recording), [None, None]);
}

#[test]
fn an_option_tells_how_to_ask_and_a_method_another() {
    let recording = Recording::start();
    let connector = Counted {
        channel: RefCell::default(),
        edge: Edge::new("a", "out", "b", "in1"),
    };
    connector.send(Reading(1));
    connector.send(Reading(2));
    connector.try_send(Reading(3));
    connector.maybe(Reading(3));
    connector.maybe(Reading(4));
    assert_eq!(connector.recv(), Some(Reading(4)));
    assert_eq!(
        depths(&recording),
        [Some(0), Some(1), None, None, Some(4), Some(5)]
    );
}
