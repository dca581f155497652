//! Events built by hand, with the constructors of the specification.
//!
//! A root's `root_cause_event_id` is the event itself until its causality is changed.

use chrono::Utc;
use sha2::{Digest, Sha256};

use super::{
    CausalityInfo, EventId, MessageSnapshot, Outcome, TraceEvent, TraceEventData, TraceEventType,
};
use crate::sampling::SamplingInfo;

impl TraceEvent {
    fn at(actor_id: String, event_type: TraceEventType, data: TraceEventData) -> Self {
        let event_id = EventId::new();
        Self {
            event_id,
            timestamp: Utc::now(),
            event_type,
            actor_id,
            data,
            causality: CausalityInfo {
                root_cause_event_id: Some(event_id),
                ..CausalityInfo::default()
            },
            outcome: None,
            trace_id: None,
            sampling: SamplingInfo::default(),
        }
    }

    /// A message that was delivered from one actor to another.
    pub fn data_flow(
        from_actor: impl Into<String>,
        from_port: impl Into<String>,
        to_actor: impl Into<String>,
        to_port: impl Into<String>,
        message_type: impl Into<String>,
        size_bytes: usize,
    ) -> Self {
        Self::data_flow_with_content(
            from_actor,
            from_port,
            to_actor,
            to_port,
            message_type,
            size_bytes,
            None,
        )
    }

    /// A delivered message together with its content and the `sha256:` checksum over it.
    ///
    /// Whatever is passed here is stored as it is: make sure that it holds nothing secret.
    pub fn data_flow_with_content(
        from_actor: impl Into<String>,
        from_port: impl Into<String>,
        to_actor: impl Into<String>,
        to_port: impl Into<String>,
        message_type: impl Into<String>,
        size_bytes: usize,
        content: Option<Vec<u8>>,
    ) -> Self {
        let event_type = TraceEventType::DataFlow {
            to_actor: to_actor.into(),
            to_port: to_port.into(),
        };
        let checksum = content.as_deref().map(sha256).unwrap_or_default();
        let message = MessageSnapshot {
            message_type: message_type.into(),
            size_bytes,
            checksum,
            serialized_data: content.unwrap_or_default(),
            ..MessageSnapshot::default()
        };
        let data = TraceEventData {
            port: Some(from_port.into()),
            message: Some(message),
            ..TraceEventData::default()
        };
        Self {
            outcome: Some(Outcome::Delivered),
            ..Self::at(from_actor.into(), event_type, data)
        }
    }

    /// A message that left an actor, whether or not it arrived.
    pub fn message_sent(
        actor_id: impl Into<String>,
        port: impl Into<String>,
        message_type: impl Into<String>,
        size_bytes: usize,
    ) -> Self {
        Self::with_message(
            TraceEventType::MessageSent,
            actor_id,
            port,
            message_type,
            size_bytes,
        )
    }

    /// A message that an actor took up.
    pub fn message_received(
        actor_id: impl Into<String>,
        port: impl Into<String>,
        message_type: impl Into<String>,
        size_bytes: usize,
    ) -> Self {
        Self::with_message(
            TraceEventType::MessageReceived,
            actor_id,
            port,
            message_type,
            size_bytes,
        )
    }

    fn with_message(
        event_type: TraceEventType,
        actor_id: impl Into<String>,
        port: impl Into<String>,
        message_type: impl Into<String>,
        size_bytes: usize,
    ) -> Self {
        let message = MessageSnapshot {
            message_type: message_type.into(),
            size_bytes,
            ..MessageSnapshot::default()
        };
        let data = TraceEventData {
            port: Some(port.into()),
            message: Some(message),
            ..TraceEventData::default()
        };
        Self::at(actor_id.into(), event_type, data)
    }

    /// An actor was made.
    pub fn actor_created(actor_id: impl Into<String>) -> Self {
        Self::at(
            actor_id.into(),
            TraceEventType::ActorCreated,
            TraceEventData::default(),
        )
    }

    /// An actor began its life.
    pub fn actor_started(actor_id: impl Into<String>) -> Self {
        Self::at(
            actor_id.into(),
            TraceEventType::ActorStarted,
            TraceEventData::default(),
        )
    }

    /// An actor ended as it should.
    pub fn actor_completed(actor_id: impl Into<String>) -> Self {
        Self::at(
            actor_id.into(),
            TraceEventType::ActorCompleted,
            TraceEventData::default(),
        )
    }

    /// An actor ended by an error.
    pub fn actor_failed(actor_id: impl Into<String>, error: impl Into<String>) -> Self {
        let data = TraceEventData {
            error: Some(error.into()),
            ..TraceEventData::default()
        };
        Self::at(actor_id.into(), TraceEventType::ActorFailed, data)
    }

    /// Something about the network as a whole.
    pub fn network_event(actor_id: impl Into<String>) -> Self {
        Self::at(
            actor_id.into(),
            TraceEventType::NetworkEvent,
            TraceEventData::default(),
        )
    }
}

/// `sha256:` and the hexadecimal digest of `content`.
pub(crate) fn sha256(content: &[u8]) -> String {
    use std::fmt::Write as _;

    let mut text = String::from("sha256:");
    for byte in Sha256::digest(content) {
        // Writing to a `String` cannot fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_comes_with_its_checksum() {
        let event = TraceEvent::data_flow_with_content(
            "a",
            "out",
            "b",
            "in",
            "T",
            3,
            Some(b"abc".to_vec()),
        );
        let message = event.data.message.expect("a data flow has a message");
        // The test vector of FIPS 180-2, appendix B.1.
        assert_eq!(
            message.checksum,
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(message.serialized_data, b"abc");
    }
}
