//! One recorded run, compared with the truth.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reflow_trace::ledger::{CounterSnapshot, EdgeCounters, Ledger};
use reflow_trace::lineage::{Completeness, FlowIndex};
use reflow_trace::{MemorySink, Outcome, Overflow, TraceEvent, TracingConfig, global_tracing};
use reflow_trace_tests::Silence;

use crate::chance::Chance;
use crate::job::Kind;
use crate::network::{Network, Plan};
use crate::truth::Truth;

/// What a run left behind.
pub(crate) struct Run {
    pub(crate) plan: Plan,
    pub(crate) network: Network,
    pub(crate) truth: Arc<Truth>,
    /// Without notices.
    pub(crate) events: Vec<TraceEvent>,
    /// All there is, notices too.
    pub(crate) everything: Vec<TraceEvent>,
    pub(crate) ledger: Ledger,
    counters: CounterSnapshot,
    pub(crate) took: Duration,
}

/// How traces were judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdicts {
    pub(crate) complete: usize,
    pub(crate) partial: usize,
    pub(crate) unknown: usize,
}

/// How waiting times were bracketed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waits {
    pub(crate) checked: usize,
    /// Of them those whose lower bound says something.
    pub(crate) from_below: usize,
    /// Sum of what lies between the bounds, in nanoseconds.
    pub(crate) slack_ns: u64,
}

fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

impl Run {
    /// Records one run of the network that the seed decides.
    pub(crate) fn record(plan: Plan, ring_capacity: usize, overflow: Overflow) -> Self {
        println!("seed {}: begins", plan.seed);
        let network = Network::random(&mut Chance::new(plan.seed));
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(8_000_000);
        let config = TracingConfig {
            ring_capacity,
            overflow,
            // The sink is slower than the rings, and is not what is tried here.
            sink_queue_bytes_max: 1 << 34,
            ..TracingConfig::default()
        };
        let guard = reflow_trace::builder()
            .config(config)
            .sink(memory.clone())
            .start()
            .expect("nobody else is recording");
        let begin = Instant::now();
        let truth = network.run(&plan);
        let took = begin.elapsed();
        guard
            .flush(Duration::from_secs(300))
            .expect("a memory sink does not stall");
        let tracing = global_tracing().expect("recording");
        let (counters, metrics) = (tracing.edge_counters(), tracing.performance_metrics());
        assert_eq!(memory.discarded(), 0, "the memory is large enough");
        let everything = memory.events();
        drop(guard);
        let is_ours = |event: &&TraceEvent| event.event_type.name() != "NetworkEvent";
        Self {
            plan,
            network,
            truth,
            events: everything.iter().filter(is_ours).cloned().collect(),
            everything,
            ledger: metrics.ledger,
            counters,
            took,
        }
    }

    /// The exact counters are the truth, to the message; and nothing is counted that was not.
    pub(crate) fn assert_counters_are_exact(&self) {
        let seed = self.plan.seed;
        let mut counted: HashMap<[String; 5], &EdgeCounters> = HashMap::new();
        for edge in &self.counters.edges {
            let key = [
                &edge.from_actor,
                &edge.from_port,
                &edge.to_actor,
                &edge.to_port,
                &edge.message_type,
            ]
            .map(String::clone);
            let twice = counted.insert(key, edge);
            assert!(twice.is_none(), "seed {seed}: {twice:?} twice");
        }
        for (number, edge) in self.network.edges.iter().enumerate() {
            let (from, to) = (self.network.name(edge.from), self.network.name(edge.to));
            for kind in Kind::ALL {
                let truth = self.truth.of_flow(number, kind);
                let key = [&*from, "out", &*to, "in", kind.name()].map(str::to_owned);
                let ours = counted.remove(&key).cloned().unwrap_or_default();
                let (ours, truth) = (
                    [
                        ours.messages,
                        ours.bytes,
                        ours.failures,
                        ours.received,
                        ours.dropped,
                    ],
                    [
                        read(&truth.messages),
                        read(&truth.bytes),
                        read(&truth.failures),
                        read(&truth.received),
                        read(&truth.dropped),
                    ],
                );
                assert_eq!(ours, truth, "seed {seed}: {key:?}");
                let [messages, _, failures, received, dropped] = truth;
                if self.network.is_channel(edge.to) {
                    // Nothing is inside any more.
                    assert_eq!(
                        messages,
                        failures + received + dropped,
                        "seed {seed}: {key:?}"
                    );
                }
            }
        }
        assert!(
            counted.values().all(|edge| edge.messages == 0),
            "seed {seed}: counted and not sent: {counted:?}"
        );
    }

    /// The ledger balances, and knows of every attempt that the truth knows of.
    pub(crate) fn assert_the_ledger_balances(&self) {
        let (seed, ledger) = (self.plan.seed, &self.ledger);
        assert!(
            ledger.balances() && ledger.in_flight == 0,
            "seed {seed}: {ledger}"
        );
        let attempted = self.attempts_of_messages() + self.events_of_lives();
        assert_eq!(ledger.attempted, attempted, "seed {seed}: {ledger}");
        assert_eq!(
            ledger.collected,
            self.events.len() as u64,
            "seed {seed}: {ledger}"
        );
    }

    /// Sends, receives and drops, by the truth.
    pub(crate) fn attempts_of_messages(&self) -> u64 {
        let roots = self.truth.roots.iter();
        let events = roots.map(|root| u64::from(root.events.load(Ordering::Relaxed)));
        events.sum()
    }

    /// The life of an actor is two events: that it started and that it ended.
    pub(crate) fn events_of_lives(&self) -> u64 {
        let actors = 0..self.network.actors();
        2 * actors
            .filter(|&actor| self.network.is_channel(actor))
            .count() as u64
    }

    /// Where nothing is lost, what was recorded and what was left out are all there were.
    pub(crate) fn assert_nothing_is_lost(&self) {
        let seed = self.plan.seed;
        assert_eq!(self.ledger.lost_total(), 0, "seed {seed}: {}", self.ledger);
        let mut sends: HashMap<(&str, &str, &str), u64> = HashMap::new();
        for event in &self.events {
            if is_attempt(event)
                && let Some((to, _)) = event.destination()
            {
                *sends
                    .entry((&event.actor_id, to, type_of(event)))
                    .or_default() += 1;
            }
        }
        for edge in &self.counters.edges {
            let key = (&*edge.from_actor, &*edge.to_actor, &*edge.message_type);
            let recorded = sends.get(&key).copied().unwrap_or(0);
            assert_eq!(
                recorded + edge.not_sampled,
                edge.messages,
                "seed {seed}: {edge:?}"
            );
        }
    }

    /// Every trace that is called complete is.
    pub(crate) fn verdicts(&self, index: &FlowIndex<'_>) -> Verdicts {
        let seed = self.plan.seed;
        let mut verdicts = Verdicts::default();
        for trace in index.traces() {
            let events = index.trace(trace);
            let mut roots = events.iter().filter_map(|event| self.root_of(event));
            let root = roots.next();
            assert!(
                roots.all(|it| Some(it) == root),
                "seed {seed}: {trace} is of several"
            );
            match index.completeness(trace) {
                Completeness::Complete => {
                    let root = root.expect("a complete trace has its first message");
                    let truth = self.truth.roots[root].events.load(Ordering::Relaxed);
                    assert_eq!(
                        events.len(),
                        truth as usize,
                        "seed {seed}: {trace}, root {root}"
                    );
                    verdicts.complete += 1;
                }
                Completeness::Partial(_) => verdicts.partial += 1,
                Completeness::Unknown(_) => verdicts.unknown += 1,
            }
        }
        verdicts
    }

    /// Every recorded waiting time lies between what the stamps in the payload allow.
    ///
    /// The message was stamped after the sender read its clock and before the send returned; it was
    /// taken after the receiver asked and before it had it. The probe reads the processor's counter, the
    /// stamps the monotonic clock: their rates are within 1 in 500 (1 in 10⁵ by calibration, 1 in 2 000
    /// by what the system may slew its clock), and a counter is read within 2 µs of its place.
    pub(crate) fn waits(&self) -> Waits {
        let mut waits = Waits::default();
        for event in &self.events {
            if event.event_type.name() != "MessageReceived" {
                continue;
            }
            let seed = self.plan.seed;
            let waited = event.data.performance_metrics.waiting_time_ns;
            let waited = waited.unwrap_or_else(|| panic!("seed {seed}: no wait in {event:?}"));
            let number = number_of(event).expect("a message that was taken has its number");
            let stamps = &self.truth.messages[number];
            let most = read(&stamps.after_receive) - read(&stamps.before_send);
            let tolerance = most / 500 + 2_000;
            assert!(
                waited <= most + tolerance,
                "seed {seed}: {waited} > {most}: {event:?}"
            );
            // The receiver may have asked long before, or have it before the send returns.
            let least = match read(&stamps.after_send) {
                0 => 0,
                after_send => read(&stamps.before_receive).saturating_sub(after_send),
            };
            assert!(
                waited + tolerance >= least,
                "seed {seed}: {waited} < {least}: {event:?}"
            );
            waits.checked += 1;
            waits.from_below += usize::from(least > 0);
            waits.slack_ns += most - least;
        }
        waits
    }

    /// The first message that this event stems from, by what the truth knows of its message.
    pub(crate) fn root_of(&self, event: &TraceEvent) -> Option<usize> {
        let root = &self.truth.messages[number_of(event)?].root;
        Some(root.load(Ordering::Relaxed) as usize)
    }

    /// How many actors, and edges.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.network.actors(), self.network.edges.len())
    }

    /// The events of attempts to send, by kind.
    pub(crate) fn attempts(&self) -> BTreeMap<&str, Vec<&TraceEvent>> {
        let mut by_kind: BTreeMap<&str, Vec<&TraceEvent>> = BTreeMap::new();
        for event in self.events.iter().filter(|event| is_attempt(event)) {
            by_kind.entry(type_of(event)).or_default().push(event);
        }
        by_kind
    }
}

/// Whether the event is the one of an attempt to send; a message that is dropped inside has another.
fn is_attempt(event: &TraceEvent) -> bool {
    event.is_data_flow()
        || event.event_type.name() == "MessageSent" && event.outcome != Some(Outcome::Dropped)
}

fn type_of(event: &TraceEvent) -> &str {
    let message = event.data.message.as_ref();
    message.map_or("", |message| &message.message_type)
}

/// The number of the message; a message that is dropped inside tells nothing but its edge.
fn number_of(event: &TraceEvent) -> Option<usize> {
    let number = event.data.custom_attributes.get("0")?.as_u64()?;
    Some(number as usize)
}
