//! A lineage that somebody else has found: from answers to lineages, and back to text.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::critical::{CriticalPart, CriticalPath};
use super::story::{Lineage, Step, Subject};
use crate::api::{LineageAnswer, LineageStep, LineageSubject, TraceState};
use crate::event::EventId;

impl From<&LineageSubject> for Subject {
    fn from(subject: &LineageSubject) -> Self {
        match subject {
            LineageSubject::MessageId(id) => Self::Message(id.clone()),
            LineageSubject::EventId(id) => Self::Event(*id),
            LineageSubject::TraceId(id) => Self::Trace(*id),
        }
    }
}

impl Lineage<'_> {
    /// The lineage as an answer of at most `events_max` events: those nearest to what was asked for, by the number
    /// of steps. Of events that are left out nothing is said, but the answer says that there are some.
    pub fn to_answer(&self, of: LineageSubject, events_max: usize) -> LineageAnswer {
        let chosen = self.nearest(events_max);
        let mut critical: HashMap<usize, Option<Duration>> = HashMap::new();
        for part in self.critical_path.parts() {
            critical.insert(part.step, part.elapsed);
        }
        let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let id_of = |at: usize| self.steps[at].event.event_id;
        let is_chosen = |at: &&usize| chosen.binary_search(at).is_ok();
        let steps = chosen.iter().map(|&at| {
            let step = &self.steps[at];
            LineageStep {
                event_id: step.event.event_id,
                role: step.role,
                causes: step
                    .causes
                    .iter()
                    .filter(is_chosen)
                    .map(|&at| id_of(at))
                    .collect(),
                missing_causes: step.missing_causes.clone(),
                transfer_ns: step.transfer().map(ns),
                waiting_ns: step.waiting().map(ns),
                handling_ns: step.handling().map(ns),
                is_critical: critical.contains_key(&at),
                elapsed_ns: critical.get(&at).copied().flatten().map(ns),
            }
        });
        let parts = self.critical_path.parts();
        let knows_time = parts.iter().any(|part| part.elapsed.is_some());
        LineageAnswer {
            of: Some(of),
            events: chosen
                .iter()
                .map(|&at| self.steps[at].event.clone())
                .collect(),
            steps: steps.collect(),
            traces: self
                .traces
                .iter()
                .map(|&(trace_id, completeness)| TraceState {
                    trace_id,
                    completeness,
                })
                .collect(),
            critical_path_ns: knows_time.then(|| ns(self.critical_path.length())),
            critical_path_is_lower_bound: self.critical_path.is_lower_bound(),
            is_cut: chosen.len() < self.steps.len(),
            ..LineageAnswer::default()
        }
    }

    /// Positions of the steps that are the fewest steps away from what was asked for, in their order.
    fn nearest(&self, most: usize) -> Vec<usize> {
        if self.steps.len() <= most {
            return (0..self.steps.len()).collect();
        }
        let mut around: Vec<Vec<usize>> = vec![Vec::new(); self.steps.len()];
        for (at, step) in self.steps.iter().enumerate() {
            for &cause in &step.causes {
                around[at].push(cause);
                around[cause].push(at);
            }
        }
        let is_subject = |at: &usize| self.steps[*at].role == super::Role::Subject;
        let mut chosen: Vec<usize> = (0..self.steps.len()).filter(is_subject).collect();
        let mut is_met = vec![false; self.steps.len()];
        for &at in &chosen {
            is_met[at] = true;
        }
        let mut next = 0;
        while next < chosen.len() && chosen.len() < most {
            for &at in &around[chosen[next]] {
                if !std::mem::replace(&mut is_met[at], true) {
                    chosen.push(at);
                }
            }
            next += 1;
        }
        chosen.truncate(most);
        chosen.sort_unstable();
        chosen
    }

    /// The lineage that an answer tells. Causes that it tells wrongly are left out.
    fn of_answer(answer: &LineageAnswer) -> Lineage<'_> {
        let both = || std::iter::zip(&answer.events, &answer.steps);
        let places: HashMap<EventId, usize> = (0..)
            .zip(both())
            .map(|(at, (event, _))| (event.event_id, at))
            .collect();
        let steps = both().enumerate().map(|(at, (event, step))| Step {
            event,
            role: step.role,
            causes: step
                .causes
                .iter()
                .filter_map(|cause| places.get(cause).copied().filter(|&cause| cause < at))
                .collect(),
            missing_causes: step.missing_causes.clone(),
        });
        let steps = steps.collect();
        let critical = both().enumerate().filter(|(_, (_, step))| step.is_critical);
        let parts = critical.map(|(at, (_, step))| CriticalPart {
            step: at,
            elapsed: step.elapsed_ns.map(Duration::from_nanos),
        });
        let subject = answer.of.as_ref().map(Subject::from).unwrap_or_else(|| {
            let is_subject = |step: &&LineageStep| step.role == super::Role::Subject;
            let first = answer.steps.iter().find(is_subject);
            Subject::Event(first.map_or(EventId(uuid::Uuid::nil()), |step| step.event_id))
        });
        Lineage {
            subject,
            steps,
            critical_path: CriticalPath::of_parts(
                parts.collect(),
                answer.critical_path_is_lower_bound,
            ),
            traces: answer
                .traces
                .iter()
                .map(|state| (state.trace_id, state.completeness))
                .collect(),
        }
    }
}

impl fmt::Display for LineageAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Lineage::of_answer(self).fmt(f)?;
        if self.is_cut {
            writeln!(
                f,
                "there are more events than were allowed: these are the nearest to what was asked for"
            )?;
        }
        Ok(())
    }
}
