//! The event model: what a reader of a recording sees.
//!
//! The names are those of the specification and of Reflow's protocol, and the JSON form is the
//! protocol's: an event that this crate writes is read by Reflow's own types, and the reverse.
//! What the protocol has no field for (outcome, threshold, trace id, waiting time, …) stands in
//! additional fields, which its readers skip.
//!
//! Inside the process an event is a compact record of 64 bytes (its bit table heads `record/mod.rs`); a
//! [`TraceEvent`] is built from it when somebody reads.
//!
//! # What each field means and where it comes from
//!
//! | field | meaning and source |
//! | --- | --- |
//! | `event_id` | producer, ring, sequence number ([`EventId::origin`]); random for events built by hand |
//! | `timestamp` | start of the send or the handling, from the time-stamp counter; wall clock |
//! | `actor_id` | the sender for `DataFlow` and `MessageSent`, else the actor itself |
//! | `data.port` | the port of `actor_id` that the message passed |
//! | `data.message.size_bytes` | the type's `size_bytes()`, `size = "…"`, the deep size of std types, else the shallow size with `size_is_shallow` |
//! | `data.message.checksum` | over the captured content; empty when nothing was captured |
//! | `data.performance_metrics` | see [`PerformanceMetrics`]; what is not known is `None` |
//! | `causality.parent_event_id` | the event whose handling led to this one; `None` for a root and for an unlinked message |
//! | `outcome`, `sampling`, `trace_id` | see [`Outcome`], [`SamplingInfo`], [`TraceId`] |

mod causality;
mod construct;
mod data;
mod id;
mod kind;
#[cfg(test)]
mod tests;

pub use causality::CausalityInfo;
pub use data::{MessageSnapshot, PerformanceMetrics, StateDiff, StateDiffType, TraceEventData};
pub use id::{EventId, EventOrigin, PRODUCER_BITS, ProducerId, RING_BITS, SEQUENCE_BITS, TraceId};
pub use kind::{Outcome, TraceEventType};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::sampling::SamplingInfo;

/// One thing that happened, usually one message over one edge.
///
/// # Examples
///
/// ```
/// use reflow_trace::{TraceEvent, TraceEventType};
///
/// let event = TraceEvent::data_flow("reader", "out", "validator", "in", "SensorReading", 256);
/// assert!(matches!(&event.event_type, TraceEventType::DataFlow { to_actor, .. } if to_actor == "validator"));
/// let json = serde_json::to_string(&event)?;
/// assert_eq!(serde_json::from_str::<TraceEvent>(&json)?, event);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// Identifies the event.
    pub event_id: EventId,
    /// When it began.
    pub timestamp: DateTime<Utc>,
    /// What kind of thing happened.
    pub event_type: TraceEventType,
    /// The actor it happened at; the sender for `DataFlow` and `MessageSent`.
    pub actor_id: String,
    /// What is known about it.
    pub data: TraceEventData,
    /// What led to it.
    pub causality: CausalityInfo,
    /// What became of the attempt; `None` for events that attempt nothing, and where a later version names
    /// an outcome that this one does not know.
    #[serde(
        default,
        deserialize_with = "kind::known_outcome",
        skip_serializing_if = "Option::is_none"
    )]
    pub outcome: Option<Outcome>,
    /// All events of one root cause share it; `None` when the event belongs to no known trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<TraceId>,
    /// How the event came to be recorded, and how many it stands for.
    #[serde(default, skip_serializing_if = "SamplingInfo::is_unknown")]
    pub sampling: SamplingInfo,
}

impl TraceEvent {
    /// How many messages this event stands for: 1/p, or `None` when that is not known.
    pub fn weight(&self) -> Option<f64> {
        self.sampling.weight()
    }

    /// Whether this is a message that arrived, as opposed to one that was only sent.
    pub fn is_data_flow(&self) -> bool {
        matches!(self.event_type, TraceEventType::DataFlow { .. })
    }

    /// The receiving end (actor, port) where the event has one.
    pub fn destination(&self) -> Option<(&str, &str)> {
        match &self.event_type {
            TraceEventType::DataFlow { to_actor, to_port } => Some((to_actor, to_port)),
            _ => {
                let attribute = |key| self.data.custom_attributes.get(key)?.as_str();
                Some((
                    attribute("destination_actor")?,
                    attribute("destination_port").unwrap_or(""),
                ))
            }
        }
    }

    /// The id of the message itself, where its type names one.
    pub fn message_id(&self) -> Option<&serde_json::Value> {
        self.data.custom_attributes.get("message_id")
    }
}
