//! The lineage of a message: everything that led to it and everything it led to.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::complete::Completeness;
use super::critical::{CriticalPath, longest};
use super::index::{FlowIndex, Place};
use super::times;
use crate::event::{EventId, TraceEvent, TraceId};

/// What a lineage is asked of.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// One event.
    Event(EventId),
    /// All events that carry this message id.
    Message(Value),
    /// All events of one trace.
    Trace(TraceId),
}

impl From<TraceId> for Subject {
    fn from(id: TraceId) -> Self {
        Self::Trace(id)
    }
}

impl From<EventId> for Subject {
    fn from(id: EventId) -> Self {
        Self::Event(id)
    }
}

impl From<&TraceEvent> for Subject {
    fn from(event: &TraceEvent) -> Self {
        Self::Event(event.event_id)
    }
}

macro_rules! subjects {
    ($($message_id:ty)*) => {$(
        impl From<$message_id> for Subject {
            fn from(id: $message_id) -> Self {
                Self::Message(Value::from(id))
            }
        }
    )*};
}

subjects!(Value u32 u64 usize i32 i64 &str String);

/// How an event of a lineage stands to what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It led to it.
    Cause,
    /// It was asked for.
    Subject,
    /// It was led to by it.
    Effect,
    /// Where several events were asked for: it lies between two of them.
    Between,
}

/// One event of a lineage.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// The event.
    pub event: &'a TraceEvent,
    /// How it stands to what was asked for.
    pub role: Role,
    /// Positions of its direct causes among the steps, all of them before its own.
    pub causes: Vec<usize>,
    /// Causes that it names and that are not among the events.
    pub missing_causes: Vec<EventId>,
}

impl Step<'_> {
    /// How long the send ran; `None` when this is no send or it is not known.
    pub fn transfer(&self) -> Option<Duration> {
        times::transfer(self.event)
    }

    /// How long the message lay between the begin of the send and the begin of its handling, the
    /// transfer included; `None` when this is no receive or it is not known.
    pub fn waiting(&self) -> Option<Duration> {
        times::waiting(self.event)
    }

    /// How long the message was handled; `None` when this is no handling or it is not known.
    pub fn handling(&self) -> Option<Duration> {
        times::handling(self.event)
    }

    /// Whether a trace that had become too long was cut here; its causes are those of the trace before.
    pub fn is_cut(&self) -> bool {
        has_mark(self.event, "trace_cut")
    }

    /// Whether the message carried no context, so that what sent it is not known.
    pub fn is_unlinked(&self) -> bool {
        has_mark(self.event, "unlinked")
    }
}

pub(super) fn has_mark(event: &TraceEvent, mark: &str) -> bool {
    event.data.custom_attributes.get(mark) == Some(&Value::Bool(true))
}

/// Everything that led to a message and everything it led to, in an order in which causes come before
/// effects.
///
/// Its text is a tree for the terminal: `▶` marks what was asked for, `*` the critical path. An event
/// with several causes stands under the first of them and names the others. Names are made harmless.
/// At most 200 events are shown, all of them with `{:#}`.
#[derive(Clone, Debug)]
pub struct Lineage<'a> {
    pub(super) subject: Subject,
    pub(super) steps: Vec<Step<'a>>,
    pub(super) critical_path: CriticalPath,
    pub(super) traces: Vec<(TraceId, Completeness)>,
}

impl<'a> Lineage<'a> {
    /// The events, causes before effects.
    pub fn steps(&self) -> &[Step<'a>] {
        &self.steps
    }

    /// What led to it: the events of the role [`Role::Cause`].
    pub fn causes(&self) -> impl Iterator<Item = &'a TraceEvent> {
        self.of_role(Role::Cause)
    }

    /// What it led to: the events of the role [`Role::Effect`].
    pub fn effects(&self) -> impl Iterator<Item = &'a TraceEvent> {
        self.of_role(Role::Effect)
    }

    fn of_role(&self, role: Role) -> impl Iterator<Item = &'a TraceEvent> {
        let of_role = self.steps.iter().filter(move |step| step.role == role);
        of_role.map(|step| step.event)
    }

    /// The chain through what was asked for that took longest.
    pub fn critical_path(&self) -> &CriticalPath {
        &self.critical_path
    }

    /// The traces it goes through, and whether all of each is there. More than one where a trace was cut
    /// or messages of several were joined.
    pub fn traces(&self) -> &[(TraceId, Completeness)] {
        &self.traces
    }

    /// Causes that are named and not among the events: lost, discarded, or of another recording.
    pub fn missing_causes(&self) -> impl Iterator<Item = EventId> {
        self.steps
            .iter()
            .flat_map(|step| &step.missing_causes)
            .copied()
    }
}

const LEADS_TO: u8 = 1;
const LED_BY: u8 = 2;
const ASKED_FOR: u8 = 4;

impl<'a> FlowIndex<'a> {
    /// Everything that led to an event or a message and everything it led to; `None` when there is no
    /// such event. Takes an [`EventId`], a [`TraceId`], or a message id as a number, a text or a JSON value.
    ///
    /// The walk takes time in proportion to what it finds. It follows every cause of a fan-in, and over
    /// the cut of a trace that became too long.
    pub fn lineage(&self, subject: impl Into<Subject>) -> Option<Lineage<'a>> {
        let subject = subject.into();
        let asked: Vec<Place> = match &subject {
            Subject::Event(id) => self.place(*id).into_iter().collect(),
            Subject::Message(id) => self.places_of_message(id).collect(),
            Subject::Trace(id) => self.places_of_trace(*id).collect(),
        };
        if asked.is_empty() {
            return None;
        }
        let mut found: HashMap<Place, u8> = HashMap::new();
        self.walk(&asked, LEADS_TO, Self::causes_of, &mut found);
        self.walk(&asked, LED_BY, Self::effects_of, &mut found);
        for &place in &asked {
            found.insert(place, ASKED_FOR);
        }
        let mut found: Vec<(Place, u8)> = found.into_iter().collect();
        found.sort_unstable_by_key(|&(place, _)| self.rank(place));
        let positions: HashMap<Place, usize> = found
            .iter()
            .enumerate()
            .map(|(position, &(place, _))| (place, position))
            .collect();
        let steps: Vec<Step<'a>> = found
            .iter()
            .map(|&(place, marks)| Step {
                event: self.events[place as usize],
                role: role_of(marks),
                causes: self
                    .causes_of(place)
                    .iter()
                    .filter_map(|cause| positions.get(cause).copied())
                    .collect(),
                missing_causes: self.missing_causes_of(place).to_vec(),
            })
            .collect();
        let mut seen = HashSet::new();
        let traces = steps.iter().filter_map(|step| step.event.trace_id);
        let traces: Vec<TraceId> = traces.filter(|&trace| seen.insert(trace)).collect();
        let traces = traces
            .into_iter()
            .map(|trace| (trace, self.completeness(trace)))
            .collect();
        Some(Lineage {
            critical_path: longest(&steps),
            subject,
            steps,
            traces,
        })
    }

    /// Marks everything that can be reached from the events asked for, themselves not included unless
    /// they are reached.
    fn walk(
        &self,
        asked: &[Place],
        mark: u8,
        next: impl for<'i> Fn(&'i Self, Place) -> &'i [Place],
        found: &mut HashMap<Place, u8>,
    ) {
        let mut way = asked.to_vec();
        while let Some(place) = way.pop() {
            for &reached in next(self, place) {
                let marks = found.entry(reached).or_default();
                if *marks & mark == 0 {
                    *marks |= mark;
                    way.push(reached);
                }
            }
        }
    }
}

fn role_of(marks: u8) -> Role {
    match (
        marks & ASKED_FOR != 0,
        marks & LEADS_TO != 0,
        marks & LED_BY != 0,
    ) {
        (true, _, _) => Role::Subject,
        (_, true, true) => Role::Between,
        (_, true, false) => Role::Cause,
        _ => Role::Effect,
    }
}
