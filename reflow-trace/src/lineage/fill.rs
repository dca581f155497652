//! The causality fields of the specification, filled when events are read.
//!
//! What is recorded is the direct cause. The chain behind it and its far end are in the other events,
//! and an event is never rewritten where it is stored; so they are computed for the reader.

use super::index::{FlowIndex, NOWHERE, Place, named_causes};
use crate::event::{CausalityInfo, EventId, TraceEvent};

/// Most ids in a filled `dependency_chain`: the nearest causes. A loop would else give every event the
/// whole past.
pub const CHAIN_MAX: usize = 64;

/// Fills `parent_event_id`, `root_cause_event_id` and `dependency_chain` of every event from the events
/// around it, as far as they are not filled.
///
/// - `dependency_chain` is the way from the root to the direct cause, by the first cause of each event;
///   of a longer way the last [`CHAIN_MAX`]. It goes on over the cut of a trace. It begins with the
///   first cause that is not among the events, where there is one.
/// - `root_cause_event_id` is the far end of that way, when that is known to be a root; else it stays
///   unknown.
/// - `parent_event_id` is the last of a chain that was recorded without it.
///
/// What an event says itself is kept, but for a root that has a cause: that is no root.
pub fn fill_causality(events: &mut [TraceEvent]) {
    let filled: Vec<(usize, CausalityInfo)> = {
        let index = FlowIndex::new(&*events);
        let chains = Chains::of(&index);
        let places = events.iter().enumerate();
        places
            .filter_map(|(at, event)| {
                let place = index.place(event.event_id)?;
                Some((at, chains.filled(&index, place, event)?))
            })
            .collect()
    };
    for (at, causality) in filled {
        events[at].causality = causality;
    }
}

impl FlowIndex<'_> {
    /// The way from the root to the direct cause of an event, by the first cause of each; at most
    /// `limit` ids, those nearest to the event.
    pub fn dependency_chain(&self, id: EventId, limit: usize) -> Vec<EventId> {
        let place = self.place(id);
        place.map_or_else(Vec::new, |place| self.chain_of(place, limit))
    }

    /// The event that the way of first causes begins with, when that is known to be a root: of a root
    /// itself.
    pub fn root_cause(&self, id: EventId) -> Option<EventId> {
        let mut place = self.place(id)?;
        while let Some(FirstCause::At(cause)) = self.first_cause(place) {
            place = cause;
        }
        self.known_root(place)
    }

    fn chain_of(&self, place: Place, limit: usize) -> Vec<EventId> {
        let mut chain = Vec::new();
        let mut at = place;
        while chain.len() < limit {
            match self.first_cause(at) {
                Some(FirstCause::At(cause)) => {
                    chain.push(self.events[cause as usize].event_id);
                    at = cause;
                }
                Some(FirstCause::Missing(id)) => {
                    chain.push(id);
                    break;
                }
                None => break,
            }
        }
        chain.reverse();
        chain
    }

    /// The cause that an event names first, wherever it is. One that is not believed is passed over.
    fn first_cause(&self, place: Place) -> Option<FirstCause> {
        let first = named_causes(self.events[place as usize]).next();
        let missing = self.missing_causes_of(place).first().copied();
        match (missing, self.causes_of(place).first()) {
            (Some(id), _) if Some(id) == first => Some(FirstCause::Missing(id)),
            (_, Some(&cause)) => Some(FirstCause::At(cause)),
            (missing, None) => missing.map(FirstCause::Missing),
        }
    }

    /// The event itself, when nothing led to it and it says so.
    fn known_root(&self, place: Place) -> Option<EventId> {
        let event = self.events[place as usize];
        let causality = &event.causality;
        let has_cause = causality.parent_event_id.is_some()
            || !causality.dependency_chain.is_empty()
            || !causality.joined_event_ids.is_empty();
        (!has_cause && causality.root_cause_event_id == Some(event.event_id))
            .then_some(event.event_id)
    }
}

/// The cause that an event names first.
enum FirstCause {
    At(Place),
    Missing(EventId),
}

/// The far end of every event's way.
struct Chains {
    ends: Vec<Place>,
}

impl Chains {
    fn of(index: &FlowIndex<'_>) -> Self {
        let mut ends = vec![NOWHERE; index.len()];
        for &place in index.in_causal_order() {
            ends[place as usize] = match index.first_cause(place) {
                Some(FirstCause::At(cause)) => ends[cause as usize],
                _ => place,
            };
        }
        Self { ends }
    }

    /// `None` when there is nothing to fill in.
    fn filled(
        &self,
        index: &FlowIndex<'_>,
        place: Place,
        event: &TraceEvent,
    ) -> Option<CausalityInfo> {
        let recorded = &event.causality;
        let has_cause = recorded.parent_event_id.is_some() || !recorded.dependency_chain.is_empty();
        if !has_cause {
            return None;
        }
        let end = index.known_root(self.ends[place as usize]);
        let own = recorded.root_cause_event_id;
        let own = own.filter(|&root| root != event.event_id);
        let mut causality = recorded.clone();
        causality.root_cause_event_id = own.or(end);
        causality.parent_event_id = recorded
            .parent_event_id
            .or_else(|| recorded.dependency_chain.last().copied());
        if causality.dependency_chain.is_empty() {
            causality.dependency_chain = index.chain_of(place, CHAIN_MAX);
        }
        Some(causality)
    }
}
