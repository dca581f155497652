//! A network that is instrumented throughout, in a build without the feature `enable`.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::{Receiver, RecvError, SendError, SyncSender, sync_channel};
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use reflow_trace::{
    ContentKey, ContentLimits, Context, DataFlowGraph, DataFlowSampler, Edge, MemorySink, Message,
    Overflow, TraceEvent, TracingConfig, global_tracing, sample, traced_actor, traced_connector,
};

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

/// A message whose variants have policies of their own, and whose content would be captured.
#[sample(rate = 0.1, capture)]
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub enum Notice {
    /// Sampled at the rate of the type.
    Progress(u64),
    /// Always.
    #[sample(always)]
    Alarm {
        /// What happened.
        #[trace(redact)]
        text: String,
    },
    /// Never.
    #[sample(never, capture = false)]
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

    /// Sends several, one after the other.
    pub fn send_all(&self, messages: Vec<M>) -> Result<(), SendError<M>> {
        messages
            .into_iter()
            .try_for_each(|message| self.channel.send(message))
    }

    /// Sends to all one receivers, and says how many they are.
    pub async fn broadcast(&self, message: M) -> Result<usize, SendError<M>> {
        self.channel.send(message).map(|()| 1)
    }

    /// Sends if it is polled.
    #[trace(send)]
    pub fn poll_send(&self, message: M) -> Poll<Result<(), SendError<M>>> {
        Poll::Ready(self.channel.send(message))
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
    #[trace(handler)]
    pub fn handle(&mut self, message: Payment) {
        self.sum += message.amount;
    }

    /// Takes a payment in asynchronous code and refuses one of nothing.
    #[trace(handler)]
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

/// Uses the rest of the public interface: nothing fails, and nothing is recorded.
///
/// # Errors
///
/// When something was recorded, or a call failed.
pub fn everything_is_off() -> Result<(), Failure> {
    let memory = MemorySink::with_capacity(100);
    let file = std::env::temp_dir().join(format!("compiled-out-{}.jsonl", std::process::id()));
    let guard = reflow_trace::builder()
        .sink(memory.clone())
        .file(&file)
        .ring_capacity(1024)
        .overflow(Overflow::Wait(Duration::from_millis(1)))
        .content(ContentLimits {
            bytes_max: 100,
            key: Some(ContentKey::new([7; 32])),
            ..ContentLimits::default()
        })
        .sampler(DataFlowSampler::new(1.0)?.always("cashier"))
        .start()?;
    expect(
        !guard.is_recording(),
        "the guard says that it does not record",
    )?;
    sum_of_the_network(&[1, 2, 3])?;
    expect(global_tracing().is_none(), "there is no manual interface")?;
    guard.flush(Duration::from_secs(1))?;
    guard.shutdown(Duration::from_secs(1))?;
    expect(memory.events().is_empty(), "the memory is empty")?;

    let config = TracingConfig {
        enabled: true,
        file: Some(file.clone()),
        server_url: "ws://localhost:8080".to_owned(),
        ..TracingConfig::default()
    };
    drop(reflow_trace::init(config)?);
    expect(!file.exists(), "no file was made")?;

    // Wrong values are found also where they have no effect.
    let nothing_fits = TracingConfig {
        ring_capacity: 0,
        ..TracingConfig::default()
    };
    expect(
        reflow_trace::init(nothing_fits).is_err(),
        "a wrong configuration is refused",
    )?;

    // What has nothing to do with recording works: events, sampling, graphs.
    let event = TraceEvent::data_flow("cashier", "out", "adder", "in", "Payment", 8);
    let edge = Edge::new("cashier", "out", "adder", "in");
    expect(edge.from_actor() == "cashier", "an edge knows its ends")?;
    let graph = DataFlowGraph::from_events([&event]);
    expect(graph.edges().len() == 1, "a graph can be drawn")?;
    expect(
        graph.edge_table().contains("cashier"),
        "a table can be printed",
    )?;
    expect(
        Context::current().trace_id().is_none(),
        "nothing is being handled",
    )
}

fn expect(holds: bool, what: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(what.into()) }
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
