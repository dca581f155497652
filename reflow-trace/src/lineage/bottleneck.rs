//! Who is slow, and who only waits.
//!
//! The rule, its source and what is evidence are in `rules.md`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::index::FlowIndex;
use super::network::ends_of_send;
use super::times::{duration_ns, is_receive, start_ns, waiting_ns};
use crate::event::{ProducerId, TraceEvent};
use crate::graph::{numbers, text};

/// Fewest handlings that a verdict rests on.
pub const EVIDENCE_MIN: u64 = 8;
const NAME_COLUMNS: usize = 36;

/// What holds an actor up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pressure {
    /// Its messages wait for it, and its time goes into its own work.
    Slow,
    /// Most of its time it waits for room at this actor.
    OnlyWaits {
        /// The actor downstream.
        on: String,
    },
    /// Its messages do not wait for it.
    KeepsUp,
    /// There is too little evidence.
    Unknown,
}

/// The verdict over one actor with its evidence. Times and numbers are of recorded events.
#[derive(Clone, Debug, PartialEq)]
pub struct ActorPressure {
    /// The actor.
    pub actor: String,
    /// The verdict.
    pub pressure: Pressure,
    /// Handlings with a known duration and a known wait.
    pub handlings: u64,
    /// What its messages waited in all.
    pub waited: Duration,
    /// What the handlings took in all.
    pub handled: Duration,
    /// What the sends took that those handlings made, or, of a source, all its sends.
    pub sending: Duration,
    /// Part of its time in which it was handling something, 0.0 to 1.0 and more where several of its
    /// instances handle at once; counted up to all messages from those recorded. `None` when not known.
    pub busy: Option<f64>,
    /// Mean number of messages that were waiting for it when one more was sent; `None` when not known.
    pub queue_depth_mean: Option<f64>,
    /// The largest.
    pub queue_depth_max: Option<usize>,
}

/// Who is slow, and who only waits.
///
/// Its text names the root bottleneck, then every actor with its evidence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bottleneck {
    actors: Vec<ActorPressure>,
    root: Option<usize>,
}

impl Bottleneck {
    /// The slow actor on which messages waited longest in all; `None` when none is known to be slow.
    pub fn root(&self) -> Option<&ActorPressure> {
        self.root.map(|root| &self.actors[root])
    }

    /// All actors that sent or handled something, by name.
    pub fn actors(&self) -> &[ActorPressure] {
        &self.actors
    }

    /// The verdict over an actor.
    pub fn actor(&self, name: &str) -> Option<&ActorPressure> {
        self.actors.iter().find(|actor| actor.actor == name)
    }
}

/// What is added up of an actor; nanoseconds.
#[derive(Default)]
struct Evidence<'a> {
    handlings: u64,
    waited: u64,
    handled: u64,
    /// What sends took, by whom they went to: in handlings, and all with their number.
    sent_to: BTreeMap<&'a str, u64>,
    all_sent_to: BTreeMap<&'a str, (u64, u64)>,
    /// What the handlings took with those that were not recorded, and whether that is known.
    all_handled: f64,
    unweighted: u64,
    /// From the begin of the first handling to the end of the last, by producer.
    spans: BTreeMap<ProducerId, (i64, i64)>,
    depth_sum: u64,
    depths: u64,
    depth_max: Option<usize>,
}

impl Evidence<'_> {
    /// Adds a handling with both its times.
    fn add_handling(&mut self, event: &TraceEvent, waited: u64, handled: u64) {
        self.handlings += 1;
        self.waited = self.waited.saturating_add(waited);
        self.handled = self.handled.saturating_add(handled);
        match event.weight() {
            Some(weight) => self.all_handled += weight * handled as f64,
            None => self.unweighted += 1,
        }
        if let (Some(origin), Some(start)) = (event.event_id.origin(), start_ns(event)) {
            let end = start.saturating_add_unsigned(handled);
            let span = self.spans.entry(origin.producer).or_insert((start, end));
            *span = (span.0.min(start), span.1.max(end));
        }
    }

    fn busy(&self) -> Option<f64> {
        let spans = self.spans.values();
        let span: f64 = spans.map(|(start, end)| end.abs_diff(*start) as f64).sum();
        (self.unweighted == 0 && span > 0.0).then(|| self.all_handled / span)
    }

    fn is_known(&self) -> bool {
        self.handlings >= EVIDENCE_MIN && self.handled > 0 && self.busy().is_some()
    }

    fn is_congested(&self) -> bool {
        let is_busy = self.busy().is_some_and(|busy| busy >= 0.5);
        self.is_known() && self.waited >= self.handled && is_busy
    }

    fn handling_mean(&self) -> f64 {
        self.handled as f64 / self.handlings as f64
    }
}

impl FlowIndex<'_> {
    /// Who is slow and who only waits; the rule is on [the module's page](crate::lineage#time-and-back-pressure).
    pub fn bottleneck(&self) -> Bottleneck {
        let evidence = self.evidence();
        let verdicts: BTreeMap<&str, Pressure> = evidence
            .iter()
            .map(|(&actor, of_actor)| (actor, verdict(of_actor, &evidence)))
            .collect();
        let mut actors = Vec::with_capacity(evidence.len());
        for ((actor, of_actor), pressure) in evidence.iter().zip(verdicts.into_values()) {
            let sending = match of_actor.handlings {
                0 => total(of_actor.all_sent_to.values().map(|&(ns, _)| ns)),
                _ => total(of_actor.sent_to.values().copied()),
            };
            actors.push(ActorPressure {
                actor: (*actor).to_owned(),
                pressure,
                handlings: of_actor.handlings,
                waited: Duration::from_nanos(of_actor.waited),
                handled: Duration::from_nanos(of_actor.handled),
                sending: Duration::from_nanos(sending),
                busy: of_actor.busy().filter(|_| of_actor.handlings > 0),
                queue_depth_mean: (of_actor.depths > 0)
                    .then(|| of_actor.depth_sum as f64 / of_actor.depths as f64),
                queue_depth_max: of_actor.depth_max,
            });
        }
        let slow = actors.iter().enumerate();
        let slow = slow.filter(|(_, actor)| actor.pressure == Pressure::Slow);
        let root = slow.max_by_key(|(_, actor)| actor.waited).map(|(at, _)| at);
        Bottleneck { actors, root }
    }

    fn evidence(&self) -> BTreeMap<&str, Evidence<'_>> {
        let mut evidence: BTreeMap<&str, Evidence<'_>> = BTreeMap::new();
        for place in 0..self.len() as u32 {
            let event = self.events[place as usize];
            if let Some([from, _, to, _]) = ends_of_send(event) {
                let ns = duration_ns(event).unwrap_or(0);
                let cause = self.causes_of(place).first();
                let cause = cause.map(|&cause| self.events[cause as usize]);
                let is_in_handling = cause.is_some_and(|cause| {
                    is_receive(cause) && cause.actor_id == from && is_full(cause)
                });
                let of_sender = evidence.entry(from).or_default();
                if is_in_handling {
                    let sum = of_sender.sent_to.entry(to).or_default();
                    *sum = sum.saturating_add(ns);
                }
                let (sum, count) = of_sender.all_sent_to.entry(to).or_default();
                *sum = sum.saturating_add(ns);
                *count += 1;
                let of_receiver = evidence.entry(to).or_default();
                if let Some(depth) = event.data.performance_metrics.queue_depth {
                    of_receiver.depths += 1;
                    let sum = of_receiver.depth_sum.saturating_add(depth as u64);
                    of_receiver.depth_sum = sum;
                    of_receiver.depth_max = of_receiver.depth_max.max(Some(depth));
                }
            } else if is_full(event) {
                let of_actor = evidence.entry(event.actor_id.as_str()).or_default();
                let waited = waiting_ns(event).unwrap_or(0);
                of_actor.add_handling(event, waited, duration_ns(event).unwrap_or(0));
            }
        }
        evidence
    }
}

fn total(ns: impl Iterator<Item = u64>) -> u64 {
    ns.fold(0, u64::saturating_add)
}

/// A handling with both its times.
fn is_full(event: &TraceEvent) -> bool {
    waiting_ns(event).is_some() && duration_ns(event).is_some()
}

fn verdict(of_actor: &Evidence<'_>, all: &BTreeMap<&str, Evidence<'_>>) -> Pressure {
    let congested = |name: &str| all.get(name).filter(|it| it.is_congested());
    if of_actor.handlings == 0 {
        let mut sends: Vec<_> = of_actor.all_sent_to.iter().collect();
        sends.sort_by_key(|&(_, &(ns, _))| std::cmp::Reverse(ns));
        let blocked = sends.into_iter().find(|&(to, &(ns, count))| {
            let mean = ns as f64 / count.max(1) as f64;
            congested(to).is_some_and(|to| mean >= to.handling_mean() / 2.0)
        });
        return blocked.map_or(Pressure::Unknown, |(to, _)| Pressure::OnlyWaits {
            on: (*to).to_owned(),
        });
    }
    if !of_actor.is_known() {
        return Pressure::Unknown;
    }
    let sending = total(of_actor.sent_to.values().copied());
    let most = of_actor.sent_to.iter().max_by_key(|&(_, &ns)| ns);
    if let Some((&to, _)) = most
        && sending >= of_actor.handled / 2
        && congested(to).is_some()
    {
        return Pressure::OnlyWaits { on: to.to_owned() };
    }
    if of_actor.is_congested() {
        Pressure::Slow
    } else {
        Pressure::KeepsUp
    }
}

impl fmt::Display for Bottleneck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.root() {
            Some(root) => {
                let name = text::actor(&root.actor, NAME_COLUMNS);
                writeln!(f, "the bottleneck is {name}")?;
            }
            None => writeln!(f, "no actor is known to be slow")?,
        }
        for actor in &self.actors {
            let name = text::actor(&actor.actor, NAME_COLUMNS);
            let verdict = match &actor.pressure {
                Pressure::Slow => "is slow".to_owned(),
                Pressure::OnlyWaits { on } => {
                    format!("only waits for {}", text::actor(on, NAME_COLUMNS))
                }
                Pressure::KeepsUp => "keeps up".to_owned(),
                Pressure::Unknown => "unknown".to_owned(),
            };
            write!(f, "  {name} {verdict}")?;
            if actor.handlings > 0 {
                let [waited, handled, sending] =
                    [actor.waited, actor.handled, actor.sending].map(numbers::duration);
                let handlings = numbers::grouped(actor.handlings);
                write!(
                    f,
                    ": {handlings} messages waited {waited}, were handled {handled}"
                )?;
                write!(f, ", of that {sending} sending")?;
                if let Some(busy) = actor.busy {
                    write!(f, "; busy {:.0} % of the time", busy * 100.0)?;
                }
            }
            if let (Some(mean), Some(max)) = (actor.queue_depth_mean, actor.queue_depth_max) {
                write!(f, "; {mean:.1} in its queue, at most {max}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
