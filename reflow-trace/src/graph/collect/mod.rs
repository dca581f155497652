//! From events to the numbers of a graph.
//!
//! Where the numbers come from, per edge and message type:
//!
//! - Exact counters win. They are cumulative, so of several snapshots of one producer the largest
//!   number is the last one; several producers add up. More events than a snapshot says were recorded are
//!   newer than it, and make it a lower bound.
//! - Events of a producer that sent no counters are added by their weights. Events of unknown
//!   origin (built by hand, or another tracer's) are taken to be covered by counters that list
//!   their edge and type, and are added otherwise.
//! - When an event does not say what it stands for, or losses were reported, the sum of events is a
//!   lower bound.
//! - An event that occurs twice is one event: a repeated delivery changes nothing.
//! - A `MessageSent` counts only with an outcome that is a failure; a success has its `DataFlow`.
//!
//! No step depends on the order of the events, nor on their wall-clock time.

mod tally;

use std::collections::{BTreeMap, HashMap, HashSet};

use self::tally::Tally;
use super::model::{ActorNode, DataFlowGraph, FlowEdge};
use crate::event::{EventId, Outcome, TraceEvent, TraceEventType};
use crate::ledger::{CounterSnapshot, Loss, LossReason};

impl DataFlowGraph {
    /// Gathers actors, edges and their numbers.
    ///
    /// Snapshots of exact counters and losses are found among the events
    /// ([`TraceEvent::as_edge_counters`], [`TraceEvent::as_loss`]). An edge that only the counters
    /// know, because nothing on it was sampled, is an edge like any other; an actor that only
    /// reported its life, or only received, is a node.
    pub fn from_events<'a>(events: impl IntoIterator<Item = &'a TraceEvent>) -> Self {
        let mut ids = HashSet::new();
        let events = events
            .into_iter()
            .filter(|event| ids.insert(event.event_id));
        let (mut messages, mut snapshots) = (Vec::new(), Vec::new());
        let mut losses = BTreeMap::<LossReason, u64>::new();
        for event in events {
            if let Some(loss) = event.as_loss() {
                let lost = losses.entry(loss.reason).or_default();
                *lost = lost.saturating_add(loss.count);
            } else if let Some(snapshot) = event.as_edge_counters() {
                snapshots.push(snapshot);
            } else if event.event_type != TraceEventType::NetworkEvent {
                messages.push(event);
            }
        }

        let mut tallies = Tallies::default();
        snapshots.iter().for_each(|it| tallies.add_snapshot(it));
        messages.iter().for_each(|it| tallies.add_attempt(it));
        messages.iter().for_each(|it| tallies.add_waiting_time(it));
        let something_lost = losses.values().any(|&count| count > 0);
        let losses = losses
            .into_iter()
            .map(|(reason, count)| Loss { reason, count })
            .collect();
        Self::from_parts(
            nodes_of(&messages),
            tallies.into_edges(something_lost),
            losses,
        )
    }
}

fn nodes_of(events: &[&TraceEvent]) -> Vec<ActorNode> {
    let mut failures = BTreeMap::<&str, u64>::new();
    for event in events {
        let failed = event.event_type == TraceEventType::ActorFailed;
        *failures.entry(&event.actor_id).or_default() += u64::from(failed);
        if let Some((to_actor, _)) = event.destination() {
            failures.entry(to_actor).or_default();
        }
    }
    let node = |(name, failures): (&str, u64)| ActorNode {
        name: name.to_owned(),
        failures,
    };
    failures.into_iter().map(node).collect()
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'a> {
    ends: [&'a str; 4],
    message_type: &'a str,
}

#[derive(Default)]
struct Tallies<'a> {
    list: Vec<(Key<'a>, Tally)>,
    places: HashMap<Key<'a>, usize>,
    places_of_events: HashMap<EventId, usize>,
}

impl<'a> Tallies<'a> {
    fn place(&mut self, key: Key<'a>) -> usize {
        *self.places.entry(key).or_insert_with(|| {
            self.list.push((key, Tally::default()));
            self.list.len() - 1
        })
    }

    fn add_snapshot(&mut self, snapshot: &'a CounterSnapshot) {
        // Receivers with names of their own are counted where nothing was sent to them by that name.
        for edge in snapshot.edges.iter().filter(|edge| edge.messages > 0) {
            let place = self.place(Key {
                ends: [
                    &edge.from_actor,
                    &edge.from_port,
                    &edge.to_actor,
                    &edge.to_port,
                ],
                message_type: &edge.message_type,
            });
            let counters = &mut self.list[place].1.counters;
            let counted = counters.entry(snapshot.producer).or_default();
            counted.messages = edge.messages.max(counted.messages);
            counted.failures = edge.failures.max(counted.failures);
            counted.not_sampled = edge.not_sampled.max(counted.not_sampled);
        }
    }

    fn add_attempt(&mut self, event: &'a TraceEvent) {
        let failed = matches!(
            event.outcome,
            Some(Outcome::Failed | Outcome::Cancelled | Outcome::Panicked | Outcome::TimedOut)
        );
        let counts = match event.event_type {
            TraceEventType::DataFlow { .. } => true,
            TraceEventType::MessageSent => failed,
            _ => false,
        };
        let Some((to_actor, to_port)) = event.destination().filter(|_| counts) else {
            return;
        };
        let message = event.data.message.as_ref();
        let place = self.place(Key {
            ends: [
                &event.actor_id,
                event.data.port.as_deref().unwrap_or_default(),
                to_actor,
                to_port,
            ],
            message_type: message.map_or("", |message| &message.message_type),
        });
        self.places_of_events.insert(event.event_id, place);

        let tally = &mut self.list[place].1;
        let producer = event.event_id.origin().map(|origin| origin.producer);
        let seen = tally.seen.entry(producer).or_default();
        seen.attempts.add(event.weight());
        if failed {
            seen.failures.add(event.weight());
        }
        if let Some(ns) = event.data.performance_metrics.execution_time_ns {
            tally.execution_times.push(ns, event.weight());
        }
    }

    /// The cause of a `MessageReceived` is the `DataFlow` that brought the message.
    fn add_waiting_time(&mut self, event: &TraceEvent) {
        let waiting_time = event.data.performance_metrics.waiting_time_ns;
        let cause = event.causality.parent_event_id;
        if let (TraceEventType::MessageReceived, Some(ns), Some(cause)) =
            (&event.event_type, waiting_time, cause)
            && let Some(&place) = self.places_of_events.get(&cause)
        {
            self.list[place].1.waiting_times.push(ns, event.weight());
        }
    }

    fn into_edges(self, something_lost: bool) -> Vec<FlowEdge> {
        let mut edges = BTreeMap::<[&str; 4], FlowEdge>::new();
        for (key, tally) in self.list {
            let [from_actor, from_port, to_actor, to_port] = key.ends.map(str::to_owned);
            let edge = edges.entry(key.ends).or_insert(FlowEdge {
                from_actor,
                from_port,
                to_actor,
                to_port,
                messages: Vec::new(),
            });
            let message_type = key.message_type.to_owned();
            edge.messages
                .push(tally.into_flow(message_type, something_lost));
        }
        edges.into_values().collect()
    }
}

#[cfg(test)]
mod tests;
