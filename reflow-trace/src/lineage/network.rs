//! The edges of the network as events name them.

use crate::event::{Outcome, TraceEvent, TraceEventType};

/// From actor, from port, to actor, to port of an attempt to send; `None` for everything else, and for a
/// `MessageSent` that succeeded: it has its `DataFlow`.
pub(super) fn ends_of_send(event: &TraceEvent) -> Option<[&str; 4]> {
    let is_attempt = match event.event_type {
        TraceEventType::DataFlow { .. } => true,
        TraceEventType::MessageSent => matches!(
            event.outcome,
            Some(Outcome::Failed | Outcome::Cancelled | Outcome::Panicked)
        ),
        _ => false,
    };
    let (to_actor, to_port) = event.destination().filter(|_| is_attempt)?;
    let from_port = event.data.port.as_deref().unwrap_or_default();
    Some([&event.actor_id, from_port, to_actor, to_port])
}
