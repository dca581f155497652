//! A network that is instrumented throughout, in a build without the feature `enable`.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::{Receiver, RecvError, SendError, SyncSender, sync_channel};
use std::task::{Context as Task, Poll, Waker};

use reflow_trace::{Context, Message, sample, traced_actor, traced_connector};

/// Any failure.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A message with everything that can be said of one.
#[sample(rate = 0.5, always = "self.amount > 100", never_actors = ["auditor"], size = "8")]
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// Its number.
    #[trace(id)]
    pub id: u64,
    /// How much.
    #[trace(attribute)]
    pub amount: u64,
    /// Where it belongs in a lineage.
    #[trace(context)]
    pub context: Context,
}

/// A message whose variants have policies of their own.
#[sample(rate = 0.1)]
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// Sampled at the rate of the type.
    Progress(u64),
    /// Always.
    #[sample(always)]
    Alarm {
        /// What happened.
        text: String,
    },
    /// Never.
    #[sample(never)]
    Debug,
}

/// A connector with the conventional fields.
pub struct Connector<M> {
    /// Name of the sender.
    pub from_actor: String,
    /// Its port.
    pub from_port: String,
    /// Name of the receiver.
    pub to_actor: String,
    /// Its port.
    pub to_port: String,
    /// Where the messages go.
    pub channel: SyncSender<M>,
}

#[traced_connector(protocol = "tcp", attributes(tenant = "self.from_actor.len()"))]
impl<M: Message> Connector<M> {
    /// Sends and waits for room.
    pub fn send(&self, message: M) -> Result<(), SendError<M>> {
        self.channel.send(message)
    }

    /// Sends from asynchronous code.
    pub async fn send_message(&self, message: M) -> Result<(), SendError<M>> {
        self.channel.send(message)
    }

    /// Sends if there is room, and says whether it did.
    #[trace(send, ok = "*result")]
    pub fn offer(&self, message: M) -> bool {
        self.channel.try_send(message).is_ok()
    }

    /// Not watched.
    #[trace(skip)]
    pub fn try_send(&self, message: M) -> bool {
        self.channel.try_send(message).is_ok()
    }
}

/// The other end of a [`Connector`].
pub struct Inbox<M> {
    /// Name of the sender.
    pub from_actor: String,
    /// Its port.
    pub from_port: String,
    /// Name of the receiver.
    pub to_actor: String,
    /// Its port.
    pub to_port: String,
    /// Where the messages come from.
    pub source: Receiver<M>,
}

#[traced_connector]
impl<M: Message> Inbox<M> {
    /// Receives and waits.
    pub fn recv(&self) -> Result<M, RecvError> {
        self.source.recv()
    }
}

/// Both ends of a connection between two actors.
pub fn connect<M>(from: &str, to: &str) -> (Connector<M>, Inbox<M>) {
    let (channel, source) = sync_channel(16);
    let (from_port, to_port) = ("out".to_owned(), "in".to_owned());
    let connector = Connector {
        from_actor: from.to_owned(),
        from_port: from_port.clone(),
        to_actor: to.to_owned(),
        to_port: to_port.clone(),
        channel,
    };
    let inbox = Inbox {
        from_actor: from.to_owned(),
        from_port,
        to_actor: to.to_owned(),
        to_port,
        source,
    };
    (connector, inbox)
}

/// Adds up what it is sent.
#[derive(Default)]
pub struct Adder {
    /// The sum so far.
    pub sum: u64,
}

#[traced_actor]
impl Adder {
    /// Takes a payment.
    pub fn handle(&mut self, message: Payment) {
        self.sum += message.amount;
    }

    /// Takes a payment in asynchronous code and refuses one of nothing.
    pub async fn process(&mut self, message: Payment) -> Result<(), Failure> {
        if message.amount == 0 {
            return Err("a payment of nothing".into());
        }
        self.sum += message.amount;
        Ok(())
    }
}

/// Sends payments of these amounts through everything that is annotated, and adds up what arrives.
///
/// # Errors
///
/// When the network does anything but its work.
pub fn sum_of_the_network(amounts: &[u64]) -> Result<u64, Failure> {
    let (payments, inbox) = connect("cashier", "adder");
    let mut adder = Adder::default();
    for (id, &amount) in amounts.iter().enumerate() {
        let payment = Payment {
            id: id as u64,
            amount,
            context: Context::current(),
        };
        match id % 3 {
            0 => payments.send(payment)?,
            1 => block_on(payments.send_message(payment))?,
            _ if payments.offer(payment) => {}
            _ => return Err("there was room".into()),
        }
        match id % 2 {
            0 => adder.handle(inbox.recv()?),
            _ => block_on(adder.process(inbox.recv()?))?,
        }
    }
    Ok(adder.sum)
}

/// Drives a future that never waits for long.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut task = Task::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut task) {
            return output;
        }
        std::thread::yield_now();
    }
}
