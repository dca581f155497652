//! A connector and an actor that are compiled plain, annotated, and with a sampled message type.
//!
//! The assembly of the three is compared by `../tests/same_assembly.rs`.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::{Receiver, RecvError, SendError, SyncSender};
use std::task::{Context, Poll, Waker};

/// A connector with the conventional fields.
pub struct Connector {
    /// Name of the sender.
    pub from_actor: String,
    /// Its port.
    pub from_port: String,
    /// Name of the receiver.
    pub to_actor: String,
    /// Its port.
    pub to_port: String,
    /// Where the messages go.
    pub channel: SyncSender<Reading>,
    /// Where they come out.
    pub source: Receiver<Reading>,
}

#[cfg_attr(annotated, reflow_trace::traced_connector(depth = false))]
impl Connector {
    /// A send that may wait.
    pub fn send(&self, message: Reading) -> Result<(), SendError<Reading>> {
        self.channel.send(message)
    }

    /// A send that suspends once before it delivers.
    pub async fn send_message(&self, message: Reading) -> Result<(), SendError<Reading>> {
        yield_once().await;
        self.channel.send(message)
    }

    /// A receive that may wait.
    pub fn recv(&self) -> Result<Reading, RecvError> {
        self.source.recv()
    }
}

/// An actor that adds up what it is sent.
pub struct Adder {
    /// The sum of the values.
    pub sum: f64,
}

#[cfg_attr(annotated, reflow_trace::traced_actor)]
impl Adder {
    /// Takes one message.
    pub fn handle(&mut self, message: Reading) {
        self.sum += message.value;
    }
}

/// Polls the asynchronous send to its end, so that its state machine is compiled here.
pub fn drive(connector: &Connector, message: Reading) -> bool {
    let mut send = pin!(connector.send_message(message));
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = send.as_mut().poll(&mut context) {
            return result.is_ok();
        }
    }
}

async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut yielded, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// What is sent. Last in the file: the impl that `#[sample]` adds renumbers none of those above, whose
/// numbers are in the hashes of the symbols.
#[cfg_attr(sampled, reflow_trace::sample(rate = 0.1))]
pub struct Reading {
    /// The value measured.
    pub value: f64,
    /// What is known beside it.
    pub notes: Vec<String>,
}
