//! Sums per edge, message type and minute, made when a segment is made.
//!
//! Totals, percentiles and the graph are answered from them without reading an event. They are sums over
//! the *stored* events; the exact counts of all messages, sampled or not, are in the counters of the
//! producers ([`Snapshot::producers`](super::Snapshot::producers)).
//!
//! A roll-up belongs to what it sums up: it is stored with its segment and goes with it, so that it and a
//! scan of the events always say the same. Beside it lie the numbers of the attempts, by which it is told whether a
//! trace is complete ([`Summary`]).

mod batch;
mod edge_table;
mod encoding;
mod encoding_of_numbers;
mod histogram;
mod sums;

use std::collections::{BTreeMap, HashMap};

pub(crate) use batch::BatchRollup;
pub(crate) use edge_table::{EdgeTable, OwnedEdge};
pub use histogram::{BUCKETS, Histogram};
pub use sums::{Stand, Sum, SumKey, Sums};

use reflow_trace::event::ProducerId;
use reflow_trace::lineage::Numbers;

use super::TimeRange;

/// Nanoseconds of a cell's stretch of time.
pub const MINUTE_NS: i64 = 60_000_000_000;

/// Most cells of one segment. What comes beyond is added up under [`OVERFLOW`](EdgeName::overflow), minute by minute:
/// its sums are exact while the names are not told apart, and what is [cut](Rollup::is_cut) proves no count. Beyond twice
/// as many, minutes are not told apart either.
pub const CELLS_MAX: usize = 1 << 18;

/// Most edges of one segment, and most types, that have a name of their own; what comes beyond is under
/// [`OVERFLOW`](EdgeName::overflow).
pub const NAMES_MAX: usize = 1 << 16;

/// Most runs of numbers of one segment; what has no room looks as if it were missing, which only adds doubt.
pub const RUNS_MAX: usize = 1 << 16;

/// Most events of one segment that carry no number and are kept apart.
pub const BY_HAND_MAX: usize = 1 << 12;

/// What is known of the events of a segment or a batch without reading them.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Sums per edge, message type and minute.
    pub rollup: Rollup,
    /// Which numbers of attempts are among them.
    pub numbers: Numbers,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            rollup: Rollup::default(),
            numbers: Numbers::bounded(RUNS_MAX, BY_HAND_MAX),
        }
    }
}

/// Who sends to whom, through which ports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EdgeName {
    /// The sending actor.
    pub from_actor: String,
    /// Its port.
    pub from_port: String,
    /// The receiving actor.
    pub to_actor: String,
    /// Its port.
    pub to_port: String,
}

impl EdgeName {
    /// The edge under which what is too much is added up.
    pub fn overflow() -> Self {
        let name = || reflow_trace::OVERFLOW_NAME.to_owned();
        Self {
            from_actor: name(),
            from_port: name(),
            to_actor: name(),
            to_port: name(),
        }
    }
}

/// What happened to a message on an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Happening {
    /// It was sent: a data flow, or an attempt that says that it failed.
    Sent,
    /// It was taken up.
    Received,
    /// It was dropped inside a channel, unreceived.
    Dropped,
    /// A `MessageSent` that does not say that it failed: its data flow is another event.
    Announced,
    /// An actor has reported something of itself: its life, its state, its ports. Failed: it has ended by an error.
    Lived,
}

/// What a cell sums up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellKey {
    /// The minute, counted from 1970.
    pub minute: i64,
    /// The edge, by its place in [`Rollup::edges`].
    pub edge: u32,
    /// The message type, by its place in [`Rollup::types`].
    pub message_type: u32,
    /// What happened.
    pub happening: Happening,
}

/// One event, as far as it is summed up.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    /// Nanoseconds since 1970.
    pub time_ns: i64,
    /// What happened.
    pub happening: Happening,
    /// How many messages it stands for; `None`: unknown.
    pub weight: Option<f64>,
    /// Size of the message.
    pub bytes: u64,
    /// The attempt failed, was cancelled, panicked or timed out.
    pub failed: bool,
    /// Duration of the send or the handling.
    pub execution_ns: Option<u64>,
    /// Time between send and taking up.
    pub waiting_ns: Option<u64>,
}

/// The sums.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Stored events.
    pub events: u64,
    /// Messages that those stand for whose weight is known.
    pub weight: f64,
    /// Events whose weight is unknown; they are not in `weight`.
    pub unweighted: u64,
    /// Bytes of the messages.
    pub bytes: u64,
    /// Attempts that failed, were cancelled, panicked or timed out.
    pub failures: u64,
    /// Messages that those of them stand for whose weight is known.
    pub failed_weight: f64,
    /// Of them those whose weight is unknown.
    pub failed_unweighted: u64,
    /// Durations, as far as they are known.
    pub execution: Histogram,
    /// Waiting times, as far as they are known.
    pub waiting: Histogram,
}

impl Cell {
    fn add(&mut self, seen: &Observation) {
        self.events += 1;
        match seen.weight {
            Some(weight) => self.weight += weight,
            None => self.unweighted += 1,
        }
        self.bytes = self.bytes.saturating_add(seen.bytes);
        if seen.failed {
            self.failures += 1;
            match seen.weight {
                Some(weight) => self.failed_weight += weight,
                None => self.failed_unweighted += 1,
            }
        }
        if let Some(duration) = seen.execution_ns {
            self.execution.record(duration);
        }
        if let Some(duration) = seen.waiting_ns {
            self.waiting.record(duration);
        }
    }

    /// Adds another cell.
    pub fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.weight += other.weight;
        self.unweighted += other.unweighted;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.failures += other.failures;
        self.failed_weight += other.failed_weight;
        self.failed_unweighted += other.failed_unweighted;
        self.execution.merge(&other.execution);
        self.waiting.merge(&other.waiting);
    }
}

/// Sums per edge, message type and minute.
#[derive(Clone, Debug, Default)]
pub struct Rollup {
    edges: Vec<EdgeName>,
    types: Vec<String>,
    cells: BTreeMap<CellKey, Cell>,
    sums: Sums,
    edge_places: HashMap<EdgeName, u32>,
    type_places: HashMap<String, u32>,
}

impl Rollup {
    /// The edges that cells name.
    pub fn edges(&self) -> &[EdgeName] {
        &self.edges
    }

    /// The message types that cells name; an empty one for events without a message.
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// The cells, by minute, edge, type and happening.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = (&CellKey, &Cell)> {
        self.cells.iter()
    }

    /// The cells with their names written out.
    pub fn named(&self) -> impl Iterator<Item = (i64, &EdgeName, &str, Happening, &Cell)> {
        self.cells.iter().filter_map(|(key, cell)| {
            let edge = self.edges.get(key.edge as usize)?;
            let message_type = self.types.get(key.message_type as usize)?;
            Some((key.minute, edge, message_type.as_str(), key.happening, cell))
        })
    }

    /// The cells in minutes that `range` touches.
    pub fn cells_in(&self, range: TimeRange) -> impl Iterator<Item = (&CellKey, &Cell)> {
        self.cells.iter().filter(move |(key, _)| is_in(key, range))
    }

    /// Sums over all minutes, by the producer; what a roll-up over a stretch of time does not have.
    pub fn sums(&self) -> &Sums {
        &self.sums
    }

    /// Bytes of memory it takes, nearly.
    pub(crate) fn memory_bytes(&self) -> usize {
        let names = self.edges.iter().map(|edge| {
            let names = [
                &edge.from_actor,
                &edge.from_port,
                &edge.to_actor,
                &edge.to_port,
            ];
            2 * (size_of::<EdgeName>() + names.iter().map(|name| name.len()).sum::<usize>())
        });
        let types = self
            .types
            .iter()
            .map(|name| 2 * (size_of::<String>() + name.len()));
        let cells = self.cells.values().map(|cell| {
            let buckets = cell.execution.buckets().len() + cell.waiting.buckets().len();
            size_of::<(CellKey, Cell)>() + buckets * size_of::<(u16, u64)>()
        });
        names.sum::<usize>()
            + types.sum::<usize>()
            + cells.sum::<usize>()
            + self.sums.len() * size_of::<(SumKey, Sum)>() * 2
    }

    /// Events in all cells together.
    pub fn events(&self) -> u64 {
        self.cells.values().map(|cell| cell.events).sum()
    }

    /// Whether some of its sums are under a name that is not theirs.
    pub fn is_cut(&self) -> bool {
        self.edge_places.contains_key(&EdgeName::overflow())
            || self.type_places.contains_key(reflow_trace::OVERFLOW_NAME)
    }

    /// The place of an edge; where there are too many, of the one that stands for what is too much.
    pub fn edge(&mut self, name: &EdgeName) -> u32 {
        if let Some(&place) = self.edge_places.get(name) {
            return place;
        }
        if self.edges.len() >= NAMES_MAX {
            let overflow = EdgeName::overflow();
            let known = self.edge_places.get(&overflow).copied();
            return known.unwrap_or_else(|| self.add_edge(&overflow));
        }
        self.add_edge(name)
    }

    fn add_edge(&mut self, name: &EdgeName) -> u32 {
        let place = self.edges.len() as u32;
        self.edges.push(name.clone());
        self.edge_places.insert(name.clone(), place);
        place
    }

    /// The place of a message type; where there are too many, of the one that stands for what is too much.
    pub fn message_type(&mut self, name: &str) -> u32 {
        if let Some(&place) = self.type_places.get(name) {
            return place;
        }
        if self.types.len() >= NAMES_MAX {
            let known = self.type_places.get(reflow_trace::OVERFLOW_NAME).copied();
            return known.unwrap_or_else(|| self.add_type(reflow_trace::OVERFLOW_NAME));
        }
        self.add_type(name)
    }

    fn add_type(&mut self, name: &str) -> u32 {
        let place = self.types.len() as u32;
        self.types.push(name.to_owned());
        self.type_places.insert(name.to_owned(), place);
        place
    }

    /// Adds one event of an edge and a type, both by their places, and of a producer where that is known.
    pub fn observe(
        &mut self,
        producer: Option<ProducerId>,
        edge: u32,
        message_type: u32,
        seen: &Observation,
    ) {
        self.add_sum(
            SumKey {
                producer,
                edge,
                message_type,
                happening: seen.happening,
            },
            &Sum::of(seen),
        );
        let key = CellKey {
            minute: seen.time_ns.div_euclid(MINUTE_NS),
            edge,
            message_type,
            happening: seen.happening,
        };
        self.cell(key).add(seen);
    }

    /// Adds the cells of another roll-up that are in minutes which `range` touches, and its sums by producer
    /// where that is all of time.
    pub fn merge(&mut self, other: &Self, range: TimeRange) {
        let edges: Vec<u32> = other.edges.iter().map(|name| self.edge(name)).collect();
        let types: Vec<u32> = other
            .types
            .iter()
            .map(|name| self.message_type(name))
            .collect();
        if range == TimeRange::ALL {
            for (key, sum) in other.sums.iter() {
                let places = edges
                    .get(key.edge as usize)
                    .zip(types.get(key.message_type as usize));
                if let Some((&edge, &message_type)) = places {
                    let key = SumKey {
                        edge,
                        message_type,
                        ..*key
                    };
                    self.add_sum(key, sum);
                }
            }
        }
        for (key, cell) in other.cells_in(range) {
            let (Some(&edge), Some(&message_type)) = (
                edges.get(key.edge as usize),
                types.get(key.message_type as usize),
            ) else {
                continue;
            };
            let key = CellKey {
                edge,
                message_type,
                ..key.clone()
            };
            self.cell(key).merge(cell);
        }
    }

    fn add_sum(&mut self, key: SumKey, sum: &Sum) {
        if self.sums.add(key, sum) {
            return;
        }
        let overflow = SumKey {
            edge: self.edge(&EdgeName::overflow()),
            message_type: self.message_type(reflow_trace::OVERFLOW_NAME),
            ..key
        };
        self.sums.add_overflow(overflow, sum);
    }

    fn cell(&mut self, mut key: CellKey) -> &mut Cell {
        if self.cells.len() >= CELLS_MAX && !self.cells.contains_key(&key) {
            key.edge = self.edge(&EdgeName::overflow());
            key.message_type = self.message_type(reflow_trace::OVERFLOW_NAME);
            // Times can be made up as well as names.
            if self.cells.len() >= 2 * CELLS_MAX && !self.cells.contains_key(&key) {
                key.minute = 0;
            }
        }
        self.cells.entry(key).or_default()
    }
}

/// Whether a cell is in a minute that `range` touches.
fn is_in(key: &CellKey, range: TimeRange) -> bool {
    let first_ns = key.minute.saturating_mul(MINUTE_NS);
    range.touches(first_ns, first_ns.saturating_add(MINUTE_NS - 1))
}
