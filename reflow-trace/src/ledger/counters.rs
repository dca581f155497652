//! Exact counts per edge and message type.

use serde::{Deserialize, Serialize};

use super::TRACING_ACTOR;
use crate::event::{ProducerId, TraceEvent};

const ATTRIBUTE: &str = "edge_counters";

/// How many messages of one type were sent over one edge since recording began, sampled or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeCounters {
    /// The sending actor.
    pub from_actor: String,
    /// Its port.
    pub from_port: String,
    /// The receiving actor.
    pub to_actor: String,
    /// Its port.
    pub to_port: String,
    /// Name of the message type or variant.
    pub message_type: String,
    /// Attempts to send, whatever became of them.
    pub messages: u64,
    /// Sum of their sizes in bytes.
    pub bytes: u64,
    /// Attempts that failed, were cancelled, panicked or timed out.
    pub failures: u64,
    /// Attempts that the policy left unrecorded.
    pub not_sampled: u64,
    /// Messages that were received from a traced channel; 0 where the edge is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub received: u64,
    /// Messages that were dropped inside a traced channel, unreceived; 0 where the edge is none.
    ///
    /// What is still inside a channel is `messages - failures - received - dropped`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
}

/// Most edges are no traced channels, and a snapshot may hold very many of them.
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The cumulative counters of one producer; of several, the last one holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterSnapshot {
    /// Whose counters these are.
    pub producer: ProducerId,
    /// Every edge and type that has seen a message.
    pub edges: Vec<EdgeCounters>,
}

impl TraceEvent {
    /// A snapshot of exact counters as an event.
    ///
    /// # Panics
    ///
    /// Never: the snapshot has no map keys but strings.
    pub fn edge_counters(snapshot: &CounterSnapshot) -> Self {
        let mut event = Self::network_event(TRACING_ACTOR);
        let value = serde_json::to_value(snapshot).unwrap_or_default();
        event
            .data
            .custom_attributes
            .insert(ATTRIBUTE.to_owned(), value);
        event
    }

    /// The snapshot of exact counters in this event, when it is one.
    pub fn as_edge_counters(&self) -> Option<CounterSnapshot> {
        if self.actor_id != TRACING_ACTOR {
            return None;
        }
        let value = self.data.custom_attributes.get(ATTRIBUTE)?;
        CounterSnapshot::deserialize(value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_travel_as_an_event() {
        let snapshot = CounterSnapshot {
            producer: ProducerId::from_bits(5),
            edges: vec![EdgeCounters {
                from_actor: "a".into(),
                messages: u64::MAX,
                ..EdgeCounters::default()
            }],
        };
        let json =
            serde_json::to_string(&TraceEvent::edge_counters(&snapshot)).expect("serializes");
        let event: TraceEvent = serde_json::from_str(&json).expect("parses");
        assert_eq!(event.as_edge_counters(), Some(snapshot));
        assert_eq!(TraceEvent::network_event("a").as_edge_counters(), None);
    }
}
