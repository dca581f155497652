//! Messages that were sent and did not flow.
//!
//! Which data flow belongs to which message is decided by the rule in `rules.md`.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::index::{FlowIndex, Place, named_causes};
use super::pairing::Pairing;
use crate::event::{EventId, Outcome, TraceEvent, TraceEventType};

/// A message that was sent and for which no data flow is there.
#[derive(Clone, Copy, Debug)]
pub struct MissingFlow<'a> {
    /// The `MessageSent`.
    pub sent: &'a TraceEvent,
    /// Why there is none.
    pub reason: MissingReason,
}

/// Why there is no data flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingReason {
    /// The send itself did not deliver.
    NotDelivered(Outcome),
    /// The send does not say that it failed, and there is no data flow.
    NotFound,
    /// As before, and some events were reported as lost: the data flow may be one of them.
    NotFoundMayBeLost,
    /// Nothing links the message to a data flow, and no data flow of its actor and port is there at all: whether it
    /// flowed is not known. What Reflow puts into a network is told like this.
    NotKnown,
}

impl MissingReason {
    /// Why a message has no data flow that was found by the rule.
    ///
    /// `has_flows`: there is a data flow of its actor and port. `something_lost`: some events were reported as lost.
    pub fn of(sent: &TraceEvent, has_flows: bool, something_lost: bool) -> Self {
        match sent.outcome {
            Some(outcome) if outcome != Outcome::Delivered => Self::NotDelivered(outcome),
            _ if Pairing::is_unlinked(sent) && !has_flows => Self::NotKnown,
            _ if something_lost => Self::NotFoundMayBeLost,
            _ => Self::NotFound,
        }
    }
}

/// Whether a data flow belongs to a message that was sent, by what both say: the first two parts of the rule.
pub fn is_flow_of(flow: &TraceEvent, sent: &TraceEvent) -> bool {
    if !flow.is_data_flow() {
        return false;
    }
    let is_caused =
        flow.actor_id == sent.actor_id && named_causes(flow).any(|cause| cause == sent.event_id);
    let is_same = key(sent).is_some_and(|wanted| key(flow) == Some(wanted));
    is_caused || (is_same && goes_where(flow, sent))
}

/// What identifies a message that was sent: actor, port, type and id.
type Key<'a> = (&'a str, &'a str, &'a str, &'a Value);

fn key(event: &TraceEvent) -> Option<Key<'_>> {
    let message = event.data.message.as_ref();
    Some((
        &event.actor_id,
        event.data.port.as_deref().unwrap_or_default(),
        message.map_or("", |message| &message.message_type),
        event.message_id()?,
    ))
}

fn goes_where(flow: &TraceEvent, sent: &TraceEvent) -> bool {
    sent.destination()
        .is_none_or(|wanted| flow.destination() == Some(wanted))
}

impl<'a> FlowIndex<'a> {
    /// The messages that were sent and did not flow, in the order of the events; see the module's rule.
    ///
    /// `wanted` chooses among the `MessageSent` events, as the `actor_filter` and the `time_range` of
    /// the specification's query do.
    ///
    /// # Examples
    ///
    /// ```
    /// use reflow_trace::TraceEvent;
    /// use reflow_trace::lineage::FlowIndex;
    ///
    /// let events = [TraceEvent::message_sent("source_actor", "out", "SensorReading", 4)];
    /// let index = FlowIndex::new(&events);
    /// let missing = index.missing_flows(|sent| sent.actor_id == "source_actor");
    /// assert_eq!(missing.len(), 1);
    /// ```
    pub fn missing_flows(&self, wanted: impl Fn(&TraceEvent) -> bool) -> Vec<MissingFlow<'a>> {
        let mut flows: HashMap<Key<'_>, Vec<&TraceEvent>> = HashMap::new();
        let mut senders: HashSet<(&str, &str)> = HashSet::new();
        for flow in self.events().filter(|event| event.is_data_flow()) {
            senders.insert(sender(flow));
            if let Some(key) = key(flow) {
                flows.entry(key).or_default().push(flow);
            }
        }
        self.events()
            .filter(|event| event.event_type == TraceEventType::MessageSent && wanted(event))
            .filter(|sent| {
                let same = key(sent).and_then(|key| flows.get(&key));
                let has_same = same.is_some_and(|same| same.iter().any(|it| goes_where(it, sent)));
                !has_same
                    && self.flows_caused_by(sent).next().is_none()
                    && !self.pairs().contains_key(&sent.event_id)
            })
            .map(|sent| MissingFlow {
                sent,
                reason: MissingReason::of(
                    sent,
                    senders.contains(&sender(sent)),
                    self.notices.lost > 0,
                ),
            })
            .collect()
    }

    /// The data flow of a message that was sent: the earliest, when there are several.
    pub fn find_data_flow_for_message(&self, sent_event: &TraceEvent) -> Option<&'a TraceEvent> {
        let flows = self.find_data_flows_for_message(sent_event);
        flows.into_iter().next()
    }

    /// All data flows of a message that was sent, the earliest first: a message may be sent again under
    /// its id. A data flow is its own.
    pub fn find_data_flows_for_message(&self, sent_event: &TraceEvent) -> Vec<&'a TraceEvent> {
        if sent_event.is_data_flow() {
            return self.event(sent_event.event_id).into_iter().collect();
        }
        let mut flows: Vec<_> = self.flows_caused_by(sent_event).collect();
        if let Some(wanted) = key(sent_event) {
            flows.extend(self.message(wanted.3).into_iter().filter(|flow| {
                flow.is_data_flow() && key(flow) == Some(wanted) && goes_where(flow, sent_event)
            }));
        }
        let paired = self.pairs().get(&sent_event.event_id);
        flows.extend(paired.map(|&flow| self.events[flow as usize]));
        flows.sort_by_key(|flow| (flow.timestamp, flow.event_id));
        flows.dedup_by_key(|flow| flow.event_id);
        flows
    }

    fn flows_caused_by(&self, sent: &TraceEvent) -> impl Iterator<Item = &'a TraceEvent> {
        let place = self.place(sent.event_id);
        let effects = place.map_or(&[][..], |place| self.effects_of(place));
        let effects = effects.iter().map(|&effect| self.events[effect as usize]);
        effects.filter(|effect| effect.is_data_flow() && effect.actor_id == sent.actor_id)
    }

    /// The data flows that belong to messages by nothing but their order.
    fn pairs(&self) -> &HashMap<EventId, Place> {
        self.pairs.get_or_init(|| {
            let mut unlinked: Vec<Place> = (0..)
                .zip(&self.events)
                .filter(|(_, event)| Pairing::is_unlinked(event))
                .map(|(place, _)| place)
                .collect();
            let event = |place: Place| self.events[place as usize];
            unlinked.sort_by(|&one, &other| Pairing::order(event(one), event(other)));
            let mut pairing = Pairing::default();
            let paired = unlinked.into_iter();
            paired
                .filter_map(|place| Some((pairing.see(event(place))?, place)))
                .collect()
        })
    }
}

fn sender(event: &TraceEvent) -> (&str, &str) {
    (
        &event.actor_id,
        event.data.port.as_deref().unwrap_or_default(),
    )
}
