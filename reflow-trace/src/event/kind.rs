//! Kinds of events and outcomes of attempts.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// The kinds of events of Reflow's protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TraceEventType {
    /// An actor was made.
    ActorCreated,
    /// An actor began its life.
    ActorStarted,
    /// An actor ended as it should.
    ActorCompleted,
    /// An actor ended by an error, a panic or by being cancelled.
    ActorFailed,
    /// A send that did not deliver: it failed, was cancelled or panicked; or whose message was dropped
    /// inside a channel, which is an event of its own beside the `DataFlow` that brought it there.
    ///
    /// Together with the absence of a `DataFlow` this is what a search for missing flows finds.
    MessageSent,
    /// An actor took a message up.
    MessageReceived,
    /// An actor changed its state.
    StateChanged,
    /// A port was connected.
    PortConnected,
    /// A port was disconnected.
    PortDisconnected,
    /// A message was delivered from one actor to another.
    DataFlow {
        /// The receiving actor; `"*"` in a query means any.
        to_actor: String,
        /// Its port; `"*"` in a query means any.
        to_port: String,
    },
    /// Something about the network as a whole; also counters and losses of the tracing itself.
    NetworkEvent,
}

impl TraceEventType {
    /// The name of every variant.
    pub(crate) const NAMES: &[&str] = &[
        "ActorCreated",
        "ActorStarted",
        "ActorCompleted",
        "ActorFailed",
        "MessageSent",
        "MessageReceived",
        "StateChanged",
        "PortConnected",
        "PortDisconnected",
        "DataFlow",
        "NetworkEvent",
    ];

    /// The name of the variant, as in the protocol.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ActorCreated => "ActorCreated",
            Self::ActorStarted => "ActorStarted",
            Self::ActorCompleted => "ActorCompleted",
            Self::ActorFailed => "ActorFailed",
            Self::MessageSent => "MessageSent",
            Self::MessageReceived => "MessageReceived",
            Self::StateChanged => "StateChanged",
            Self::PortConnected => "PortConnected",
            Self::PortDisconnected => "PortDisconnected",
            Self::DataFlow { .. } => "DataFlow",
            Self::NetworkEvent => "NetworkEvent",
        }
    }
}

/// What became of an attempt to send or to handle a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The send returned, and not with a std `Err`.
    Delivered,
    /// The send returned `Err`.
    Failed,
    /// The future of the send was dropped after its first poll and before its end.
    Cancelled,
    /// The send panicked.
    Panicked,
    /// The message was delivered into a channel and dropped there before anybody received it.
    Dropped,
    /// The send gave up after the time it was given.
    TimedOut,
}

impl Outcome {
    const ALL: [Self; 6] = [
        Self::Delivered,
        Self::Failed,
        Self::Cancelled,
        Self::Panicked,
        Self::Dropped,
        Self::TimedOut,
    ];

    /// The name of every variant.
    pub(crate) const NAMES: &[&str] = &[
        "delivered",
        "failed",
        "cancelled",
        "panicked",
        "dropped",
        "timed_out",
    ];

    #[inline]
    pub(crate) fn of_result<T, E>(result: &Result<T, E>) -> Self {
        if result.is_ok() {
            Self::Delivered
        } else {
            Self::Failed
        }
    }

    /// The name used in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
            Self::Dropped => "dropped",
            Self::TimedOut => "timed_out",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The outcome with the name that is given; `None` where there is none, or one of a later version.
pub(super) fn known_outcome<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Outcome>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    Ok(name.and_then(|name| {
        Outcome::ALL
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }))
}
