//! The events of a recording and what caused what, looked up once.
//!
//! Building it takes one pass over the events and one walk along their causes; both are linear, neither
//! recurses. Causes are hostile input like everything that is read: an id that occurs twice is one event
//! (the first of them), an event that names itself or one of its own effects as a cause is not believed
//! there, and a cause that is not among the events is remembered as missing. What is left has no cycle,
//! so that every walk over it ends.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::Value;

use super::complete::Shown;
use super::lists::{Chains, Lists};
use super::notices::Notices;
use crate::event::{EventId, ProducerId, TraceEvent, TraceEventType, TraceId};

/// Where an event stands in the index.
pub(super) type Place = u32;

pub(super) const NOWHERE: Place = Place::MAX;

/// The events of a recording and what caused what.
///
/// Made once from the events of a memory sink or of a file, asked many questions. The tracing's own
/// notices among the events (losses, counters) are understood and not counted as events. At most
/// 4 294 967 294 events are looked at.
///
/// # Examples
///
/// ```
/// use reflow_trace::TraceEvent;
/// use reflow_trace::lineage::FlowIndex;
///
/// let sent = TraceEvent::data_flow("reader", "out", "writer", "in", "Line", 80);
/// let mut received = TraceEvent::message_received("writer", "in", "Line", 80);
/// received.causality.parent_event_id = Some(sent.event_id);
///
/// let events = [sent, received];
/// let index = FlowIndex::new(&events);
/// let lineage = index.lineage(events[0].event_id).expect("it is among the events");
/// assert_eq!(lineage.steps().len(), 2);
/// println!("{lineage}");
/// ```
pub struct FlowIndex<'a> {
    pub(super) events: Vec<&'a TraceEvent>,
    places: HashMap<EventId, Place>,
    causes: Lists,
    effects: Lists,
    /// Of each event, its place in an order in which causes come before effects.
    ranks: Vec<Place>,
    /// The other way round.
    order: Vec<Place>,
    missing_causes: HashMap<Place, Vec<EventId>>,
    messages: Chains<&'a Value>,
    traces: Chains<TraceId>,
    pub(super) notices: Notices<'a>,
    /// What the events of each producer show, looked at when it is first asked for.
    pub(super) shown: OnceLock<HashMap<ProducerId, Shown>>,
    /// Data flows by the messages that they belong to by their order alone, looked for when it is first asked.
    pub(super) pairs: OnceLock<HashMap<EventId, Place>>,
    repetitions: u64,
    disbelieved: u64,
}

impl std::fmt::Debug for FlowIndex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowIndex")
            .field("events", &self.events.len())
            .field("repetitions", &self.repetitions)
            .field("disbelieved", &self.disbelieved)
            .finish_non_exhaustive()
    }
}

impl<'a> FlowIndex<'a> {
    /// Looks at all events once.
    pub fn new(events: impl IntoIterator<Item = &'a TraceEvent>) -> Self {
        let mut index = Self {
            events: Vec::new(),
            places: HashMap::new(),
            causes: Lists::default(),
            effects: Lists::default(),
            ranks: Vec::new(),
            order: Vec::new(),
            missing_causes: HashMap::new(),
            messages: Chains::default(),
            traces: Chains::default(),
            notices: Notices::default(),
            shown: OnceLock::new(),
            pairs: OnceLock::new(),
            repetitions: 0,
            disbelieved: 0,
        };
        for event in events {
            index.add(event);
        }
        index.link();
        index
    }

    fn add(&mut self, event: &'a TraceEvent) {
        if event.event_type == TraceEventType::NetworkEvent && self.notices.take(event) {
            return;
        }
        let place = self.events.len() as Place;
        if place == NOWHERE {
            return;
        }
        match self.places.entry(event.event_id) {
            std::collections::hash_map::Entry::Occupied(_) => {
                self.repetitions += 1;
                return;
            }
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(place),
        };
        self.events.push(event);
        self.messages.push(event.message_id(), place);
        self.traces.push(event.trace_id, place);
    }

    /// Finds the causes of every event among the events.
    fn link(&mut self) {
        let mut believed = Lists::default();
        // The last event that has named each event as its cause: a cause named twice is one.
        let mut named_by = vec![NOWHERE; self.events.len()];
        for (place, event) in (0..).zip(&self.events) {
            for cause in named_causes(event) {
                match self.places.get(&cause) {
                    Some(&cause) if cause == place => self.disbelieved += 1,
                    Some(&cause) if named_by[cause as usize] == place => {}
                    Some(&cause) => {
                        named_by[cause as usize] = place;
                        believed.items.push(cause);
                    }
                    None => {
                        let missing = self.missing_causes.entry(place).or_default();
                        missing.push(cause);
                    }
                }
            }
            believed.end_list();
        }
        self.break_cycles(&believed);
        self.effects = self.causes.inverted();
    }

    /// Walks from effects to causes, depth first. A cause that is met again on the way from it is an
    /// effect of its own effect: that cannot be, so the last step is not believed.
    fn break_cycles(&mut self, named: &Lists) {
        const NEW: u8 = 0;
        const ON_THE_WAY: u8 = 1;
        const DONE: u8 = 2;
        let mut states = vec![NEW; self.events.len()];
        let mut is_believed = vec![true; named.items.len()];
        let mut way: Vec<(Place, usize)> = Vec::new();
        self.ranks = vec![0; self.events.len()];
        for start in 0..self.events.len() as Place {
            if states[start as usize] != NEW {
                continue;
            }
            states[start as usize] = ON_THE_WAY;
            way.push((start, named.start(start)));
            while let Some((place, at)) = way.last_mut() {
                if *at == named.end(*place) {
                    states[*place as usize] = DONE;
                    self.ranks[*place as usize] = self.order.len() as Place;
                    self.order.push(*place);
                    way.pop();
                    continue;
                }
                let (cause, step) = (named.items[*at], *at);
                *at += 1;
                match states[cause as usize] {
                    NEW => {
                        states[cause as usize] = ON_THE_WAY;
                        way.push((cause, named.start(cause)));
                    }
                    ON_THE_WAY => {
                        is_believed[step] = false;
                        self.disbelieved += 1;
                    }
                    _ => {}
                }
            }
        }
        for place in 0..self.events.len() as Place {
            let steps = named.start(place)..named.end(place);
            let believed = is_believed[steps].iter().zip(named.list(place));
            let believed = believed.filter(|&(&is_believed, _)| is_believed);
            self.causes.items.extend(believed.map(|(_, &cause)| cause));
            self.causes.end_list();
        }
    }

    /// How many events there are, without repetitions and the tracing's own notices.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The events, in the order in which they were given.
    pub fn events(&self) -> impl ExactSizeIterator<Item = &'a TraceEvent> {
        self.events.iter().copied()
    }

    /// The event with this id.
    pub fn event(&self, id: EventId) -> Option<&'a TraceEvent> {
        self.place(id).map(|place| self.events[place as usize])
    }

    /// How many events repeated the id of another and were left out.
    pub fn repetitions(&self) -> u64 {
        self.repetitions
    }

    /// How many causes were not believed: an event that names itself or its own effect is damaged or
    /// made up.
    pub fn disbelieved_causes(&self) -> u64 {
        self.disbelieved
    }

    /// What directly caused an event, as far as it is among the events: the handling it happened in
    /// first, then what else it was made from.
    pub fn causes(&self, id: EventId) -> Vec<&'a TraceEvent> {
        self.at(self.place(id).map_or(&[], |place| self.causes_of(place)))
    }

    /// What an event directly caused.
    pub fn effects(&self, id: EventId) -> Vec<&'a TraceEvent> {
        self.at(self.place(id).map_or(&[], |place| self.effects_of(place)))
    }

    /// The events of a trace. A trace that was cut goes on in another; [`Self::lineage`] follows.
    pub fn trace(&self, id: TraceId) -> Vec<&'a TraceEvent> {
        let places = self.traces.of(&id);
        places.map(|place| self.events[place as usize]).collect()
    }

    /// Every trace that has an event.
    pub fn traces(&self) -> impl Iterator<Item = TraceId> {
        self.traces.ends.keys().copied()
    }

    /// The events that carry this message id. Equal ids prove nothing: two actors may number their
    /// messages alike.
    pub fn message(&self, id: &Value) -> Vec<&'a TraceEvent> {
        let places = self.places_of_message(id);
        places.map(|place| self.events[place as usize]).collect()
    }

    fn at(&self, places: &[Place]) -> Vec<&'a TraceEvent> {
        let places = places.iter();
        places.map(|&place| self.events[place as usize]).collect()
    }

    pub(super) fn place(&self, id: EventId) -> Option<Place> {
        self.places.get(&id).copied()
    }

    pub(super) fn places_of_message(
        &self,
        id: &Value,
    ) -> impl Iterator<Item = Place> + use<'_, 'a> {
        self.messages.of(id)
    }

    pub(super) fn places_of_trace(&self, id: TraceId) -> impl Iterator<Item = Place> {
        self.traces.of(&id)
    }

    pub(super) fn causes_of(&self, place: Place) -> &[Place] {
        self.causes.list(place)
    }

    pub(super) fn effects_of(&self, place: Place) -> &[Place] {
        self.effects.list(place)
    }

    pub(super) fn missing_causes_of(&self, place: Place) -> &[EventId] {
        self.missing_causes.get(&place).map_or(&[], Vec::as_slice)
    }

    pub(super) fn rank(&self, place: Place) -> Place {
        self.ranks[place as usize]
    }

    /// All places, causes before effects.
    pub(super) fn in_causal_order(&self) -> &[Place] {
        &self.order
    }
}

/// What an event names as its causes: the direct one, then those it was joined from.
pub fn named_causes(event: &TraceEvent) -> impl Iterator<Item = EventId> {
    let causality = &event.causality;
    let direct = causality.parent_event_id;
    let direct = direct.or_else(|| causality.dependency_chain.last().copied());
    let joined = causality.joined_event_ids.iter().copied();
    direct.into_iter().chain(joined)
}
