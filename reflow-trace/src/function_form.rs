//! The probe as functions, for code that is not a method: a loop in a spawned task, a closure, a `main`.
//!
//! They record what the annotations record: one event per message with its outcome, also when it is dropped half-way or
//! panics; one event where several sends of one edge are nested; the trace in the message's context. They take the message,
//! write the context into it and hand it to the closure that does the work.
//!
//! Without the feature `enable`, and while nothing is recorded, they call the closure and that is all.

use std::future::Future;

use crate::context::CauseFrame;
use crate::edge::Edge;
use crate::event::Outcome;
use crate::message::Message;
use crate::probe::{
    BeginHandling, Depth, Flow, Name, Probed, Site, begin_receive, begins_here, edge as over,
    instrumented, on, receiver, sending,
};

const SITE: &Site = &Site::new();

/// What the result of a closure says of the message.
///
/// A [`Result`] has delivered it or failed, and `()` has delivered it. Implement it for an answer of your own that may
/// mean failure.
///
/// # Examples
///
/// ```
/// use reflow_trace::{Delivery, Outcome};
///
/// struct Answer {
///     status: u16,
/// }
///
/// impl Delivery for Answer {
///     fn outcome(&self) -> Outcome {
///         if self.status == 200 { Outcome::Delivered } else { Outcome::Failed }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether the message was delivered",
    label = "neither `()` nor a `Result`",
    note = "return `()` or a `Result` from the closure, or implement `reflow_trace::Delivery` for the type"
)]
pub trait Delivery {
    /// Delivered, or failed.
    fn outcome(&self) -> Outcome;
}

impl Delivery for () {
    #[inline]
    fn outcome(&self) -> Outcome {
        Outcome::Delivered
    }
}

impl<T, E> Delivery for Result<T, E> {
    #[inline]
    fn outcome(&self) -> Outcome {
        crate::probe::outcome_if(self.is_ok())
    }
}

/// Sends a message over an edge by calling `deliver`, and records it.
///
/// The function form of a send method of a connector. The message's trace context is written before `deliver` gets it. A
/// send over the same edge from within `deliver` is part of this one.
///
/// # Examples
///
/// ```
/// use std::sync::mpsc;
/// use reflow_trace::Edge;
///
/// let edge = Edge::new("reader", "out", "store", "in");
/// let (outbox, inbox) = mpsc::channel();
/// for line in ["one", "two"] {
///     reflow_trace::send(&edge, line.to_owned(), |line| outbox.send(line))?;
/// }
/// assert_eq!(inbox.try_iter().count(), 2);
/// # Ok::<(), mpsc::SendError<String>>(())
/// ```
pub fn send<M: Message, R: Delivery>(
    edge: &Edge,
    mut message: M,
    deliver: impl FnOnce(M) -> R,
) -> R {
    let mut flow = if on() {
        begin_send(edge, &mut message)
    } else {
        Flow::idle()
    };
    let result = deliver(message);
    flow.end(result.outcome());
    result
}

/// Sends a message over an edge by awaiting what `deliver` returns, and records it.
///
/// The function form of an async send method of a connector. `deliver` is an async closure, or one that returns a future,
/// such as `|message| channel.send(message)`. Nothing happens before the first poll, in which `deliver` is
/// called; dropped after that, the message is cancelled. It is `Send` where the message, the closure and its future are.
///
/// # Examples
///
/// A connector that is a loop in a task of its own:
///
/// ```
/// use reflow_trace::{Edge, Message};
/// use tokio::sync::mpsc;
///
/// async fn connect<M: Message>(edge: Edge, mut from: mpsc::Receiver<M>, to: mpsc::Sender<M>) {
///     while let Some(message) = from.recv().await {
///         let sent = reflow_trace::send_async(&edge, message, |message| to.send(message)).await;
///         if sent.is_err() {
///             break;
///         }
///     }
/// }
/// # let edge = Edge::new("reader", "out", "store", "in");
/// # let (from, to) = (mpsc::channel::<String>(1).1, mpsc::channel(1).0);
/// # drop(connect(edge, from, to));
/// ```
pub async fn send_async<M: Message, F: Future<Output: Delivery>>(
    edge: &Edge,
    mut message: M,
    deliver: impl FnOnce(M) -> F,
) -> F::Output {
    let body = async move {
        if begins_here() {
            begin_send(edge, &mut message).stay();
        }
        deliver(message).await
    };
    let (result, mut flow) = instrumented(body).await;
    flow.end(result.outcome());
    result
}

/// Records that a message came over an edge.
///
/// The function form of a receive method of a connector.
///
/// # Examples
///
/// ```
/// use reflow_trace::Edge;
///
/// let edge = Edge::new("reader", "out", "store", "in");
/// let (outbox, inbox) = std::sync::mpsc::channel();
/// outbox.send(1_u32)?;
/// for message in inbox.try_iter() {
///     reflow_trace::received(&edge, &message);
/// }
/// # Ok::<(), std::sync::mpsc::SendError<u32>>(())
/// ```
pub fn received<M: Message + ?Sized>(edge: &Edge, message: &M) {
    if on() {
        let flow = begin_receive(over(edge), Depth::UNKNOWN, SITE);
        crate::probe::receive::<&M>().end(flow, message);
    }
}

/// Handles a message by calling `handler`, and records how long it waited and how long that took.
///
/// The function form of a handler of an actor: what is sent meanwhile is caused by this message.
///
/// # Examples
///
/// ```
/// use reflow_trace::Edge;
///
/// let edge = Edge::new("doubler", "out", "store", "in");
/// let doubled = reflow_trace::handle("doubler", "in", 21_u64, |number| {
///     reflow_trace::send(&edge, number * 2, Ok::<u64, std::convert::Infallible>)
/// });
/// assert_eq!(doubled, Ok(42));
/// ```
pub fn handle<M: Message, R: Delivery>(
    actor: &str,
    port: &str,
    mut message: M,
    handler: impl FnOnce(M) -> R,
) -> R {
    let _frame = CauseFrame::enter();
    let mut flow = Flow::idle();
    if on() {
        begin_handling(&mut flow, actor, port, &mut message);
    }
    let result = handler(message);
    flow.end(result.outcome());
    result
}

/// Handles a message by awaiting what `handler` returns, and records how long it waited and how long that took.
///
/// The function form of an async handler of an actor: what is sent in its polls is caused by this message.
///
/// # Examples
///
/// ```
/// use reflow_trace::Message;
/// use tokio::sync::mpsc;
///
/// async fn run<M: Message>(mut inbox: mpsc::Receiver<M>) {
///     while let Some(message) = inbox.recv().await {
///         reflow_trace::handle_async("store", "in", message, async |message| drop(message)).await;
///     }
/// }
/// # drop(run(mpsc::channel::<String>(1).1));
/// ```
pub async fn handle_async<M: Message, F: Future<Output: Delivery>>(
    actor: &str,
    port: &str,
    mut message: M,
    handler: impl FnOnce(M) -> F,
) -> F::Output {
    let body = async move {
        if begins_here() {
            let mut flow = Flow::idle();
            begin_handling(&mut flow, actor, port, &mut message);
            flow.stay();
        }
        handler(message).await
    };
    let (result, mut flow) = instrumented(body).await;
    flow.end(result.outcome());
    result
}

fn begin_send<M: Message>(edge: &Edge, message: &mut M) -> Flow {
    sending().begin(message, over(edge), Depth::UNKNOWN, SITE)
}

fn begin_handling<M: Message>(flow: &mut Flow, actor: &str, port: &str, message: &mut M) {
    let receiver = receiver(Name::Text(actor), Name::Text(port));
    Probed(message).begin_handling(flow, receiver, SITE);
}
