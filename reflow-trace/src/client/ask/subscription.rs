//! What happens at the server, as a stream.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use tokio::sync::mpsc::UnboundedSender;

use super::book::Command;
use super::error::AskError;
use super::queue::{Popped, Queue};
use crate::event::TraceEvent;

/// What a subscription sees.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Seen {
    /// It is connected: the first of all, and again after each loss of the connection.
    Live {
        /// The place in the server's log from which on it is live; what comes before is filled up.
        offset: u64,
    },
    /// Events that fit, of one batch. A batch that has many comes in several.
    Events {
        /// The place of the batch in the server's log.
        offset: u64,
        /// At least one, in the order of the batch.
        events: Vec<TraceEvent>,
    },
    /// Some may be missing: the server no longer has them, or this program cannot read them.
    Gap {
        /// The first place in the log of which something may be missing; 0 where the server has another
        /// log than before.
        from_offset: u64,
        /// The first place after it of which nothing is.
        to_offset: u64,
    },
}

/// Events as they are stored; made by [`TracingClient::subscribe`](super::TracingClient::subscribe).
///
/// It is a `Stream`; [`next`](Self::next) is the same without an import. It ends by an error when
/// the server refuses to go on, and otherwise never by itself: a connection that is lost is made again.
/// Dropping it ends it.
///
/// ```no_run
/// # async fn example(tracing_client: reflow_trace::TracingClient) -> Result<(), Box<dyn std::error::Error>> {
/// use reflow_trace::client::ask::Seen;
/// use reflow_trace::SubscriptionFilters;
///
/// let mut events = tracing_client.subscribe(SubscriptionFilters::default()).await?;
/// while let Some(seen) = events.next().await {
///     match seen? {
///         Seen::Events { events, .. } => println!("{} events", events.len()),
///         Seen::Gap { from_offset, to_offset } => println!("missing: {from_offset}..{to_offset}"),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it ends it"]
pub struct Subscription {
    id: u64,
    queue: Arc<Queue>,
    commands: UnboundedSender<Command>,
}

impl Subscription {
    pub(super) fn new(id: u64, queue: Arc<Queue>, commands: UnboundedSender<Command>) -> Self {
        Self {
            id,
            queue,
            commands,
        }
    }

    /// What comes next; `None` after an error. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    ///
    /// The server refuses to go on; nothing comes after that.
    pub async fn next(&mut self) -> Option<Result<Seen, AskError>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Subscription {
    type Item = Result<Seen, AskError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let (popped, wants_more) = self.queue.poll_pop(context);
        if wants_more {
            // Without the thread the queue has ended, and says so.
            let _gone = self.commands.send(Command::Resume { id: self.id });
        }
        popped.map(|popped| match popped {
            Popped::Item(seen) => Some(Ok(seen)),
            Popped::Error(error) => Some(Err(error)),
            Popped::End => None,
        })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let _gone = self.commands.send(Command::Unsubscribe { id: self.id });
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
