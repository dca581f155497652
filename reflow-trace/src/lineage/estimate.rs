//! What the samples say of all messages, and how surely.
//!
//! The estimator, its error and their source are in `rules.md`.

use std::collections::{BTreeMap, HashMap};

use super::index::FlowIndex;
use crate::event::{ProducerId, TraceEvent};
use crate::sampling::Randomness;

/// A sum over all messages, estimated from those that were recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Recorded events that it rests on.
    pub events: u64,
    /// The traces they belong to; an event without one counts as one.
    pub traces: u64,
    /// The estimate; `None` when some event does not say what it stands for.
    pub value: Option<f64>,
    /// Its standard error: in about 19 of 20 cases the truth lies within two of them, when there are a few
    /// dozen traces. 0 when everything was recorded.
    pub standard_error: Option<f64>,
}

/// The messages of one type over one edge: counted exactly, and estimated from samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EdgeEstimate {
    /// The sending actor, its port, the receiving actor, its port.
    pub ends: [String; 4],
    /// Name of the message type or variant.
    pub message_type: String,
    /// Attempts to send, estimated.
    pub messages: Estimate,
    /// Sum of their sizes in bytes, estimated.
    pub bytes: Estimate,
    /// Attempts to send, counted; `None` when there are no counters.
    pub counted_messages: Option<u64>,
    /// Sum of their sizes in bytes, counted.
    pub counted_bytes: Option<u64>,
}

/// What is summed up: an event's inclusion probability and its value, within a trace.
type Cluster = Vec<(f64, f64)>;

/// The estimated sum over a trace and the estimate of its variance.
fn of_cluster(cluster: &mut Cluster) -> (f64, f64) {
    cluster.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (mut value, mut variance) = (0.0, 0.0);
    // Σ y/p over those before, whose p is not larger.
    for &(p, y) in &*cluster {
        variance += y * (1.0 / p - 1.0) * (2.0 * value + y / p);
        value += y / p;
    }
    (value, variance)
}

/// Values by trace, told apart by R: what shares it is kept together, also where only the message's id
/// links the hops.
#[derive(Default)]
struct Clusters {
    events: u64,
    by_randomness: BTreeMap<u64, Cluster>,
    alone: Vec<(f64, f64)>,
    /// Events that do not say what they stand for.
    unweighted: u64,
}

impl Clusters {
    fn add(&mut self, event: &TraceEvent, value: f64) {
        self.events += 1;
        let Some(weight) = event.weight() else {
            self.unweighted += 1;
            return;
        };
        let sample = (1.0 / weight, value);
        match event.trace_id {
            Some(trace) => {
                let randomness = Randomness::from_bits(trace.0.as_u128() as u64);
                let cluster = self.by_randomness.entry(randomness.bits()).or_default();
                cluster.push(sample);
            }
            None => self.alone.push(sample),
        }
    }

    fn estimate(self) -> Estimate {
        let alone = self.alone.into_iter().map(|sample| vec![sample]);
        let (mut traces, mut value, mut variance) = (self.unweighted, 0.0, 0.0);
        for mut cluster in self.by_randomness.into_values().chain(alone) {
            traces += 1;
            let (of_trace, variance_of_trace) = of_cluster(&mut cluster);
            value += of_trace;
            variance += variance_of_trace;
        }
        let is_defined = self.unweighted == 0;
        Estimate {
            events: self.events,
            traces,
            value: is_defined.then_some(value),
            // A sum of values of either sign may be estimated to vary less than not at all.
            standard_error: is_defined.then_some(variance.max(0.0).sqrt()),
        }
    }
}

impl FlowIndex<'_> {
    /// Estimates the sum of a value over all messages, recorded or not: `value` gives it for a recorded
    /// event, or `None` for events that are not meant. A value of 1 for all gives their number.
    ///
    /// # Examples
    ///
    /// ```
    /// use reflow_trace::TraceEvent;
    /// use reflow_trace::lineage::FlowIndex;
    /// use reflow_trace::sampling::{SamplingInfo, Threshold};
    ///
    /// let mut event = TraceEvent::data_flow("reader", "out", "writer", "in", "Line", 80);
    /// event.sampling = SamplingInfo::by(Threshold::from_rate(0.25));
    /// let events = [event];
    ///
    /// let sends = FlowIndex::new(&events).estimate(|event| event.is_data_flow().then_some(1.0));
    /// assert_eq!(sends.value, Some(4.0));
    /// // √((1 − 0.25)/0.25²): one trace alone says little.
    /// assert_eq!(sends.standard_error, Some(12.0_f64.sqrt()));
    /// ```
    pub fn estimate(&self, value: impl Fn(&TraceEvent) -> Option<f64>) -> Estimate {
        let mut clusters = Clusters::default();
        for event in &self.events {
            if let Some(value) = value(event) {
                clusters.add(event, value);
            }
        }
        clusters.estimate()
    }

    /// For every edge and message type the exact count beside the estimate, ordered by edge and type.
    ///
    /// The counters of several producers add up; of one, the last snapshot holds.
    pub fn edge_estimates(&self) -> Vec<EdgeEstimate> {
        #[derive(Default)]
        struct Gathered {
            messages: Clusters,
            bytes: Clusters,
            counted: HashMap<ProducerId, (u64, u64)>,
        }
        let mut gathered: BTreeMap<([&str; 4], &str), Gathered> = BTreeMap::new();
        for snapshot in &self.notices.counters {
            for edge in &snapshot.edges {
                let [a, b, c, d] = [
                    &edge.from_actor,
                    &edge.from_port,
                    &edge.to_actor,
                    &edge.to_port,
                ];
                let of_edge = gathered
                    .entry(([a, b, c, d], &edge.message_type))
                    .or_default();
                let counted = of_edge.counted.entry(snapshot.producer).or_default();
                counted.0 = edge.messages.max(counted.0);
                counted.1 = edge.bytes.max(counted.1);
            }
        }
        for event in &self.events {
            let Some(ends) = super::network::ends_of_send(event) else {
                continue;
            };
            let message = event.data.message.as_ref();
            let message_type = message.map_or("", |message| message.message_type.as_str());
            let of_edge = gathered.entry((ends, message_type)).or_default();
            of_edge.messages.add(event, 1.0);
            let bytes = message.map_or(0, |message| message.size_bytes);
            of_edge.bytes.add(event, bytes as f64);
        }
        gathered
            .into_iter()
            .map(|((ends, message_type), gathered)| {
                let counted = gathered.counted.values().copied();
                let counted =
                    counted.reduce(|a, b| (a.0.saturating_add(b.0), a.1.saturating_add(b.1)));
                EdgeEstimate {
                    ends: ends.map(str::to_owned),
                    message_type: message_type.to_owned(),
                    messages: gathered.messages.estimate(),
                    bytes: gathered.bytes.estimate(),
                    counted_messages: counted.map(|(messages, _)| messages),
                    counted_bytes: counted.map(|(_, bytes)| bytes),
                }
            })
            .collect()
    }
}
