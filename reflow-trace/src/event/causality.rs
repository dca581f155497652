//! What led to an event.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::EventId;

/// The causes of an event.
///
/// What is recorded is the direct cause. The chain back to the root is computed from the events
/// around it when it is asked for, so it is empty in an event that was read alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CausalityInfo {
    /// The event whose handling led to this one.
    pub parent_event_id: Option<EventId>,
    /// The first event of the trace; `None` when not known, written as the nil UUID.
    #[serde(
        serialize_with = "nil_when_unknown",
        deserialize_with = "unknown_when_nil"
    )]
    pub root_cause_event_id: Option<EventId>,
    /// From the root to the direct cause.
    pub dependency_chain: Vec<EventId>,
    /// For ties to span tracers; empty when there are none.
    pub span_id: String,
    /// More direct causes, where one message was made from several; a field of [`Context`]s marked
    /// `#[trace(attribute)]` names them.
    ///
    /// [`Context`]: crate::Context
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined_event_ids: Vec<EventId>,
    /// How many messages lie between the root and this one; `None` when not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hop_count: Option<u8>,
}

fn nil_when_unknown<S: Serializer>(id: &Option<EventId>, serializer: S) -> Result<S::Ok, S::Error> {
    id.map_or(Uuid::nil(), |id| id.0).serialize(serializer)
}

fn unknown_when_nil<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<EventId>, D::Error> {
    let uuid = Uuid::deserialize(deserializer)?;
    Ok((!uuid.is_nil()).then_some(EventId(uuid)))
}
