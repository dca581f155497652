//! What a filter may ask about: the columns of an event, and what programs attached to messages.

use crate::event::{Outcome, TraceEventType};

/// Attributes that the specification prints, which are known by their bare names.
const PRINTED_ATTRIBUTES: [&str; 4] = [
    "compression",
    "message_correlation_id",
    "message_priority",
    "protocol",
];

/// Something that a filter asks about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// A field that every event has, known or not.
    Column(Column),
    /// An attribute by its name, dots and all.
    Attribute(String),
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// A point in time.
    Time,
    /// A UUID.
    Id,
    /// The name of a kind of event.
    EventType,
    /// The name of an outcome.
    Outcome,
    /// Text.
    Text,
    /// A number without a unit.
    Number,
    /// A number of nanoseconds.
    Nanoseconds,
    /// A number of bytes.
    Bytes,
    /// Text, a number or a boolean: an attribute.
    Any,
}

impl ValueKind {
    /// What it is, for error messages: "is …".
    pub(super) const fn described(self) -> &'static str {
        match self {
            Self::Time => "a time",
            Self::Id => "a UUID",
            Self::EventType => "a kind of event",
            Self::Outcome => "an outcome",
            Self::Text => "text",
            Self::Number => "a number",
            Self::Nanoseconds => "a number of nanoseconds",
            Self::Bytes => "a number of bytes",
            Self::Any => "an attribute",
        }
    }

    pub(super) const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::EventType | Self::Outcome)
    }

    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::Nanoseconds | Self::Bytes)
    }

    /// Whether one can be less than another.
    pub(super) const fn is_ordered(self) -> bool {
        !matches!(self, Self::Id | Self::EventType | Self::Outcome)
    }

    /// Whether values of both may be compared with each other.
    pub(super) fn goes_with(self, other: Self) -> bool {
        use ValueKind::{Any, Bytes, Nanoseconds};
        match (self, other) {
            (Nanoseconds, Bytes) | (Bytes, Nanoseconds) => false,
            (Any, Any) => true,
            (Any, one) | (one, Any) => one.is_text() || one.is_number(),
            _ => {
                self == other
                    || self.is_text() && other.is_text()
                    || self.is_number() && other.is_number()
            }
        }
    }

    /// The names that a value must be one of; empty where it may be anything.
    pub(super) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::EventType => TraceEventType::NAMES,
            Self::Outcome => Outcome::NAMES,
            _ => &[],
        }
    }
}

macro_rules! columns {
    ($($(#[$doc:meta])* $variant:ident $name:literal $kind:ident,)*) => {
        /// A field that every event has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Column {
            $($(#[$doc])* $variant,)*
        }

        impl Column {
            /// Every column.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name, as it is written in a filter and in SQL.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What its values are.
            pub const fn kind(self) -> ValueKind {
                match self {
                    $(Self::$variant => ValueKind::$kind,)*
                }
            }
        }
    };
}

columns! {
    /// When the event began.
    Timestamp "timestamp" Time,
    /// The event itself.
    EventId "event_id" Id,
    /// What kind of thing happened.
    EventType "event_type" EventType,
    /// What became of the attempt.
    Outcome "outcome" Outcome,
    /// The actor it happened at.
    ActorId "actor_id" Text,
    /// The port of that actor.
    Port "port" Text,
    /// Who sent the message: the actor of a send, else the attribute of this name.
    SourceActor "source_actor" Text,
    /// Through which port.
    SourcePort "source_port" Text,
    /// Who receives the message: the actor of a receive, else what the send says.
    DestinationActor "destination_actor" Text,
    /// Through which port.
    DestinationPort "destination_port" Text,
    /// The type of the message.
    MessageType "message_type" Text,
    /// The id of the message, where its type names one.
    MessageId "message_id" Text,
    /// The size of the message.
    SizeBytes "size_bytes" Bytes,
    /// The checksum over its captured content.
    Checksum "checksum" Text,
    /// How long the send or the handling ran.
    ExecutionTimeNs "execution_time_ns" Nanoseconds,
    /// How long the message waited until it was taken up.
    WaitingTimeNs "waiting_time_ns" Nanoseconds,
    /// How many messages waited at the destination.
    QueueDepth "queue_depth" Number,
    /// Messages over the edge in the last second.
    ThroughputMsgsPerSec "throughput_msgs_per_sec" Number,
    /// What the message holds in memory.
    MemoryUsageBytes "memory_usage_bytes" Bytes,
    /// CPU time of the process over the last second.
    CpuUsagePercent "cpu_usage_percent" Number,
    /// What went wrong, in words.
    Error "error" Text,
    /// All events of one root cause.
    TraceId "trace_id" Id,
    /// The event whose handling led to this one.
    ParentEventId "parent_event_id" Id,
    /// The first event of the trace.
    RootCauseEventId "root_cause_event_id" Id,
    /// The tie to a tracer of spans.
    SpanId "span_id" Text,
    /// How many messages lie between the root and this one.
    HopCount "hop_count" Number,
    /// How many messages the event stands for.
    Weight "weight" Number,
}

impl Column {
    /// The column of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|column| column.name() == name)
    }
}

impl Field {
    /// The column, or the attribute that is known by its bare name.
    pub fn by_name(name: &str) -> Option<Self> {
        if let Some(column) = Column::by_name(name) {
            return Some(Self::Column(column));
        }
        PRINTED_ATTRIBUTES
            .contains(&name)
            .then(|| Self::Attribute(name.to_owned()))
    }

    /// What its values are.
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::Column(column) => column.kind(),
            Self::Attribute(_) => ValueKind::Any,
        }
    }

    /// Every name that may stand alone.
    pub(super) fn bare_names() -> impl Iterator<Item = &'static str> {
        let columns = Column::ALL.iter().map(|column| column.name());
        columns.chain(PRINTED_ATTRIBUTES)
    }
}
