//! What client and server say over the WebSocket.

use serde::{Deserialize, Serialize};

use super::{Answer, ApiError, Question};
use crate::event::TraceEvent;
use crate::protocol::SubscriptionRequest;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientMessage {
    /// Who it is, for those who cannot send a header: a ticket that was fetched over HTTP. Only as the first.
    Ticket {
        /// The ticket.
        ticket: String,
    },
    /// A question.
    Ask {
        /// Chosen by the client, one that is not in use.
        id: u64,
        /// What is asked.
        question: Question,
    },
    /// The answer is not needed any more. A question that is answered already is left alone.
    Cancel {
        /// Of the question.
        id: u64,
    },
    /// Events from now on, or from a place in the log on.
    Subscribe {
        /// Chosen by the client, one that is not in use.
        id: u64,
        /// Which events.
        #[serde(default)]
        filters: SubscriptionRequest,
        /// From this place in the log on, as far as it is still there, and then live; only live where it
        /// is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_offset: Option<u64>,
    },
    /// No more of them.
    Unsubscribe {
        /// Of the subscription.
        id: u64,
    },
}

/// What a server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServerMessage {
    /// An answer.
    Answer {
        /// Of the question.
        id: u64,
        /// What was asked for.
        answer: Box<Answer>,
    },
    /// There is none, or the subscription ends by this.
    Failed {
        /// Of the question or the subscription; `None` where the message had none that could be read.
        id: Option<u64>,
        /// Why.
        error: ApiError,
    },
    /// The subscription has begun.
    Subscribed {
        /// Of the subscription.
        id: u64,
        /// The place in the log from which on it is live.
        offset: u64,
    },
    /// Events of a subscription, all of one batch.
    Events {
        /// Of the subscription.
        id: u64,
        /// The place of the batch in the log.
        offset: u64,
        /// Those that fit the filters, in the order of the batch.
        events: Vec<TraceEvent>,
    },
    /// Some were left out, because this client is too slow or they are no longer there.
    Gap {
        /// Of the subscription.
        id: u64,
        /// The first place in the log of which something is missing.
        from_offset: u64,
        /// The first place after it of which nothing is.
        to_offset: u64,
    },
    /// The subscription has ended as was asked for.
    Unsubscribed {
        /// Of the subscription.
        id: u64,
    },
}
