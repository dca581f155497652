//! What led to something and what it led to.
//!
//! The events around what is asked for are gathered by look-ups, the rule is that of [`FlowIndex`] over what was
//! gathered. So that both say what they would say over everything that is stored, enough is gathered for each trace
//! that the lineage goes through: all its events; the events that these name as causes, wherever they are; and, of
//! messages that were not taken up in the trace, what they led to elsewhere. Whether numbers are missing
//! is told by the [numbers](Snapshot::numbers) that the store keeps, not by what was gathered.
//!
//! A round of look-ups goes as far as whole traces reach; so there are as many rounds as traces were cut or joined
//! on the way, and not as many as there are hops.
//!
//! Of two events with one id the first in time is believed; where they name different traces, the one that is met first.

use std::collections::{HashMap, HashSet};

use reflow_trace::api::{ApiError, ErrorCode, LineageAnswer, LineageQuestion, LineageSubject};
use reflow_trace::event::ProducerId;
use reflow_trace::lineage::{
    Completeness, Doubt, FlowIndex, Numbers, Subject, Testimony, named_causes,
};
use reflow_trace::query::filter::quoted;
use reflow_trace::{EventId, TraceEvent, TraceEventType, TraceId};
use serde_json::Value;

use super::Asking;
use super::asking::of_store;
use super::bounded::find;
use crate::observe::Harmless;
use crate::store::{Found, Key, Snapshot};

/// So many times as many events as an answer may have are looked at to find it: the traces that it goes
/// through have others.
const LOOKED_AT_TIMES: usize = 4;
/// Keys that are looked up at once.
const KEYS_AT_ONCE: usize = 4_096;

/// What led to something and what it led to.
pub(crate) fn lineage(
    view: &dyn Snapshot,
    asked: &LineageQuestion,
    asking: &Asking,
) -> Result<LineageAnswer, ApiError> {
    let most = most(asked, asking)?;
    check(&asked.of)?;
    let mut gathering = Gathering::new(view, asking);
    gathering.begin(&asked.of)?;
    gathering.go_round()?;
    let Gathering {
        mut found, is_cut, ..
    } = gathering;
    // The order of all events, on which it depends which step of a made-up circle is not believed.
    found.sort_by_key(|found| found.place);
    let events: Vec<TraceEvent> = found.into_iter().map(|found| found.event).collect();
    asking.go_on()?;
    let testimony = testimony(view, &events, asking)?;
    let index = FlowIndex::with_testimony(&events, &testimony);
    let Some(lineage) = index.lineage(Subject::from(&asked.of)) else {
        return Err(not_found(&asked.of));
    };
    let mut answer = lineage.to_answer(asked.of.clone(), most);
    if is_cut {
        answer.is_cut = true;
        for state in &mut answer.traces {
            state.completeness = Completeness::Unknown(Doubt::NotLookedAt);
        }
    }
    let events = std::mem::take(&mut answer.events).into_iter();
    answer.events = events.map(|event| asking.shown(event)).collect();
    answer.work = asking.work();
    Ok(answer)
}

fn most(asked: &LineageQuestion, asking: &Asking) -> Result<usize, ApiError> {
    match asked.limit {
        Some(0) => Err(ApiError::new(
            ErrorCode::InvalidQuestion,
            "`limit` is 0: ask for at least one event, or leave it out",
        )),
        limit => Ok(limit.unwrap_or(usize::MAX).min(asking.limits.events_max)),
    }
}

fn check(of: &LineageSubject) -> Result<(), ApiError> {
    match of {
        LineageSubject::MessageId(Value::String(_) | Value::Number(_))
        | LineageSubject::EventId(_)
        | LineageSubject::TraceId(_) => Ok(()),
        LineageSubject::MessageId(_) => Err(ApiError::new(
            ErrorCode::InvalidQuestion,
            "`message_id` is neither a text nor a number",
        )),
    }
}

fn not_found(of: &LineageSubject) -> ApiError {
    let message = match of {
        LineageSubject::MessageId(Value::String(id)) => format!(
            "no event carries the message id {}: ids are compared exactly, and a number is another id than its digits as a text",
            quoted(&Harmless(id).to_string())
        ),
        LineageSubject::MessageId(id) => format!(
            "no event carries the message id `{id}`: ids are compared exactly, and a text of these digits is another id than the number"
        ),
        LineageSubject::EventId(id) => format!(
            "there is no event `{}`: it was not recorded, not received yet, or retired",
            id.as_uuid()
        ),
        LineageSubject::TraceId(id) => format!(
            "there is no event of the trace `{id}`: it was not recorded, not received yet, or retired"
        ),
    };
    ApiError::new(ErrorCode::NotFound, message)
}

fn too_large(of: &LineageSubject, looked_at_max: usize) -> ApiError {
    let (what, instead) = match of {
        LineageSubject::TraceId(_) => ("the trace has", "`event_id` of one of its events"),
        _ => ("the id is carried by", "`event_id` or `trace_id`"),
    };
    ApiError::new(
        ErrorCode::TooLarge,
        format!(
            "{what} more than the {looked_at_max} events that are looked at ({LOOKED_AT_TIMES} times `query.events_max`): ask by {instead}"
        ),
    )
}

/// What is known beyond the events of the traces: numbers and notices of their producers.
fn testimony(
    view: &dyn Snapshot,
    events: &[TraceEvent],
    asking: &Asking,
) -> Result<Testimony, ApiError> {
    let traces: HashSet<TraceId> = events.iter().filter_map(|event| event.trace_id).collect();
    let producers: HashSet<ProducerId> = traces
        .iter()
        .filter_map(|trace| Some(trace.root()?.0))
        .collect();
    let told = view.producers();
    let mut numbers = Numbers::default();
    for &producer in &producers {
        asking.go_on()?;
        if told.get(producer).is_some() {
            let of_producer = view.numbers(producer).map_err(|error| of_store(&error))?;
            numbers.merge(&of_producer, Some(producer));
        }
    }
    let have_said = told.iter().filter(|ledger| ledger.coverage.is_some());
    let mut testimony = Testimony::new(numbers, have_said.count());
    for producer in producers {
        if let Some(history) = told.get(producer).and_then(|ledger| ledger.history()) {
            testimony.tell(history);
        }
    }
    Ok(testimony)
}

struct Gathering<'a> {
    view: &'a dyn Snapshot,
    asking: &'a Asking,
    /// Each once.
    found: Vec<Found>,
    places: HashMap<EventId, usize>,
    /// Who names each event as a cause, among what was found.
    effects: HashMap<EventId, Vec<usize>>,
    subjects: Vec<usize>,
    /// Traces of which all events were looked up.
    traces: HashSet<TraceId>,
    /// Events that were looked up by their ids, there or not.
    asked_for: HashSet<EventId>,
    /// Events whose effects were looked up.
    asked_about: HashSet<EventId>,
    looked_at_max: usize,
    is_cut: bool,
}

const LEADS_TO: u8 = 1;
const LED_BY: u8 = 2;

impl<'a> Gathering<'a> {
    fn new(view: &'a dyn Snapshot, asking: &'a Asking) -> Self {
        Self {
            view,
            asking,
            found: Vec::new(),
            places: HashMap::new(),
            effects: HashMap::new(),
            subjects: Vec::new(),
            traces: HashSet::new(),
            asked_for: HashSet::new(),
            asked_about: HashSet::new(),
            looked_at_max: asking.limits.events_max.saturating_mul(LOOKED_AT_TIMES),
            is_cut: false,
        }
    }

    fn begin(&mut self, of: &LineageSubject) -> Result<(), ApiError> {
        let key = match of {
            LineageSubject::MessageId(id) => Key::Message(id),
            LineageSubject::EventId(id) => Key::Event(*id),
            LineageSubject::TraceId(id) => Key::Trace(*id),
        };
        self.look_up(&[key])?;
        self.subjects = (0..self.found.len()).collect();
        if self.found.is_empty() {
            let is_too_large = self.is_cut;
            return Err(if is_too_large {
                too_large(of, self.looked_at_max)
            } else {
                not_found(of)
            });
        }
        Ok(())
    }

    /// Rounds of look-ups, until there is nothing more to look up or too much was found.
    fn go_round(&mut self) -> Result<(), ApiError> {
        while !self.is_cut {
            self.asking.go_on()?;
            let reached = self.reached();
            if self.load_traces(&reached)? {
                continue;
            }
            let causes = self.unknown_causes(&reached);
            let questions = self.unknown_effects(&reached);
            if causes.is_empty() && questions.is_empty() {
                return Ok(());
            }
            self.asked_for.extend(&causes);
            self.asked_about.extend(&questions);
            let causes = causes.into_iter().map(Key::Event);
            let effects = questions.into_iter().map(Key::Parent);
            let keys: Vec<Key<'_>> = causes.chain(effects).collect();
            self.look_up(&keys)?;
        }
        Ok(())
    }

    /// Looks up all events of the traces of these; false when that is done.
    fn load_traces(&mut self, reached: &[u8]) -> Result<bool, ApiError> {
        let is_reached = |&at: &usize| reached[at] != 0;
        let traces: HashSet<TraceId> = (0..self.found.len())
            .filter(is_reached)
            .filter_map(|at| self.found[at].event.trace_id)
            .filter(|trace| !self.traces.contains(trace))
            .collect();
        if traces.is_empty() {
            return Ok(false);
        }
        self.traces.extend(&traces);
        let keys: Vec<Key<'_>> = traces.into_iter().map(Key::Trace).collect();
        self.look_up(&keys)?;
        Ok(true)
    }

    /// What leads to the subjects, what is led to by them, and they themselves.
    fn reached(&self) -> Vec<u8> {
        let mut reached = vec![0; self.found.len()];
        for mark in [LEADS_TO, LED_BY] {
            let mut way = self.subjects.clone();
            for &at in &way {
                reached[at] |= mark;
            }
            while let Some(at) = way.pop() {
                let event = &self.found[at].event;
                let mut reach = |next: usize| {
                    if reached[next] & mark == 0 {
                        reached[next] |= mark;
                        way.push(next);
                    }
                };
                if mark == LEADS_TO {
                    let causes = named_causes(event);
                    causes
                        .filter_map(|cause| self.places.get(&cause))
                        .for_each(|&cause| reach(cause));
                } else {
                    let effects = self.effects.get(&event.event_id);
                    effects
                        .into_iter()
                        .flatten()
                        .for_each(|&effect| reach(effect));
                }
            }
        }
        reached
    }

    /// Causes that are named in the lineage or in one of its traces, and were not looked for.
    fn unknown_causes(&self, reached: &[u8]) -> HashSet<EventId> {
        let is_in_trace = |event: &TraceEvent| {
            event
                .trace_id
                .is_some_and(|trace| self.traces.contains(&trace))
        };
        let who = self
            .found
            .iter()
            .enumerate()
            .filter(|(at, found)| reached[*at] != 0 || is_in_trace(&found.event));
        let causes = who.flat_map(|(_, found)| named_causes(&found.event));
        causes
            .filter(|cause| !self.places.contains_key(cause) && !self.asked_for.contains(cause))
            .collect()
    }

    /// Events whose effects are needed and were not looked up: of the lineage, all; of other events of its traces those
    /// whose message was not taken up there.
    fn unknown_effects(&self, reached: &[u8]) -> HashSet<EventId> {
        let mut unknown = HashSet::new();
        for (at, found) in self.found.iter().enumerate() {
            let id = found.event.event_id;
            if self.asked_about.contains(&id) {
                continue;
            }
            if reached[at] & LED_BY != 0 || self.is_not_taken_up(&found.event) {
                unknown.insert(id);
            }
        }
        unknown
    }

    fn is_not_taken_up(&self, event: &TraceEvent) -> bool {
        let Some(trace) = event.trace_id.filter(|trace| self.traces.contains(trace)) else {
            return false;
        };
        let effects = self.effects.get(&event.event_id);
        let is_taken_up = effects.into_iter().flatten().any(|&effect| {
            let effect = &self.found[effect].event;
            effect.event_type == TraceEventType::MessageReceived && effect.trace_id == Some(trace)
        });
        event.is_data_flow() && !is_taken_up
    }

    fn look_up(&mut self, keys: &[Key<'_>]) -> Result<(), ApiError> {
        for keys in keys.chunks(KEYS_AT_ONCE) {
            let Some(found) = find(self.view, keys, self.looked_at_max, self.asking)? else {
                self.is_cut = true;
                return Ok(());
            };
            for found in found {
                if self.places.contains_key(&found.event.event_id) {
                    continue;
                }
                if self.found.len() >= self.looked_at_max {
                    self.is_cut = true;
                    return Ok(());
                }
                self.add(found);
            }
        }
        Ok(())
    }

    fn add(&mut self, found: Found) {
        let at = self.found.len();
        self.places.insert(found.event.event_id, at);
        for cause in named_causes(&found.event) {
            self.effects.entry(cause).or_default().push(at);
        }
        self.found.push(found);
    }
}
