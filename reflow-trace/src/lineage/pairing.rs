//! Which data flow belongs to which message where nothing but their order tells.
//!
//! The rule is the third one in `rules.md`. It is here for events that come one after the other, so that a store can
//! follow it over a stretch of its events as an index does over all of them.

use std::cmp::Ordering;
use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::index::named_causes;
use crate::event::{EventId, Outcome, TraceEvent, TraceEventType};

/// How long after a message its data flow may come, in nanoseconds: a minute.
pub const PAIRED_WITHIN_NS: i64 = 60_000_000_000;

/// What has to be equal: actor, port, type and size.
type Key = (String, String, String, usize);

/// Pairs messages that were sent with data flows, where both say nothing that links them.
///
/// Takes the events in the [order](Self::order) of time.
///
/// # Examples
///
/// ```
/// use reflow_trace::TraceEvent;
/// use reflow_trace::lineage::Pairing;
///
/// // What the connectors of Reflow 0.2.1 send for each message.
/// let sent = TraceEvent::message_sent("a", "out", "Message", 24);
/// let flow = TraceEvent::data_flow("a", "out", "b", "in", "Message", 24);
///
/// let mut pairing = Pairing::default();
/// assert_eq!(pairing.see(&sent), None);
/// assert_eq!(pairing.see(&flow), Some(sent.event_id));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Pairing {
    /// Messages of each key that have no data flow yet, the last one last.
    open: HashMap<Key, Vec<Open>>,
}

/// A message without a data flow.
#[derive(Clone, Copy, Debug)]
struct Open {
    id: EventId,
    timestamp: DateTime<Utc>,
}

impl Pairing {
    /// Whether an event says nothing that could link it: a message that was sent, and not said to have failed, or a
    /// data flow, without cause and message id, and of a message without destination.
    pub fn is_unlinked(event: &TraceEvent) -> bool {
        let is_of_kind = match event.event_type {
            TraceEventType::DataFlow { .. } => true,
            TraceEventType::MessageSent => {
                matches!(event.outcome, None | Some(Outcome::Delivered))
                    && event.destination().is_none()
            }
            _ => false,
        };
        is_of_kind && event.message_id().is_none() && named_causes(event).next().is_none()
    }

    /// The order in which events are to be seen: by time, a message before a data flow of the same moment.
    pub fn order(one: &TraceEvent, other: &TraceEvent) -> Ordering {
        let key = |event: &TraceEvent| (event.timestamp, event.is_data_flow(), event.event_id);
        key(one).cmp(&key(other))
    }

    /// Sees the next event. `Some`: it is the data flow of this message. Events that are not
    /// [unlinked](Self::is_unlinked) are passed over.
    pub fn see(&mut self, event: &TraceEvent) -> Option<EventId> {
        if !Self::is_unlinked(event) {
            return None;
        }
        let key = key(event);
        if !event.is_data_flow() {
            self.open.entry(key).or_default().push(Open {
                id: event.event_id,
                timestamp: event.timestamp,
            });
            return None;
        }
        let open = self.open.get_mut(&key)?;
        let sent = open.pop();
        let is_near = |sent: &Open| {
            let between = event.timestamp.signed_duration_since(sent.timestamp);
            between <= TimeDelta::nanoseconds(PAIRED_WITHIN_NS)
        };
        let sent = sent.filter(is_near);
        if sent.is_none() || open.is_empty() {
            // Of the others each was sent before this one.
            self.open.remove(&key);
        }
        sent.map(|sent| sent.id)
    }
}

fn key(event: &TraceEvent) -> Key {
    let message = event.data.message.as_ref();
    (
        event.actor_id.clone(),
        event.data.port.clone().unwrap_or_default(),
        message.map_or_else(String::new, |message| message.message_type.clone()),
        message.map_or(0, |message| message.size_bytes),
    )
}
