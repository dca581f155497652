//! Sums per edge, message type and minute, made when a segment is made.
//!
//! Totals, percentiles and the graph are answered from them without reading an event. They are sums over
//! the *stored* events; the exact counts of all messages, sampled or not, are in the counters of the
//! producers ([`Snapshot::producers`](super::Snapshot::producers)).
//!
//! A roll-up belongs to what it sums up: it is stored with its segment and goes with it, so that it and a
//! scan of the events always say the same.

mod batch;
mod edge_table;
mod encoding;
mod histogram;

use std::collections::{BTreeMap, HashMap};

pub(crate) use batch::BatchRollup;
pub(crate) use edge_table::{EdgeTable, OwnedEdge};
pub use histogram::{BUCKETS, Histogram};

use super::TimeRange;

/// Nanoseconds of a cell's stretch of time.
pub const MINUTE_NS: i64 = 60_000_000_000;

/// Most cells of one segment. What comes beyond is added up under [`OVERFLOW`](EdgeName::overflow), whose
/// sums are exact while the names are not told apart: so hostile names cost neither memory nor truth.
pub const CELLS_MAX: usize = 1 << 18;

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
    /// It was sent, whatever became of that.
    Sent,
    /// It was taken up.
    Received,
    /// It was dropped inside a channel, unreceived.
    Dropped,
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
        self.failures += u64::from(seen.failed);
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

    /// Events in all cells together.
    pub fn events(&self) -> u64 {
        self.cells.values().map(|cell| cell.events).sum()
    }

    /// The place of an edge.
    pub fn edge(&mut self, name: &EdgeName) -> u32 {
        if let Some(&place) = self.edge_places.get(name) {
            return place;
        }
        let place = self.edges.len() as u32;
        self.edges.push(name.clone());
        self.edge_places.insert(name.clone(), place);
        place
    }

    /// The place of a message type.
    pub fn message_type(&mut self, name: &str) -> u32 {
        if let Some(&place) = self.type_places.get(name) {
            return place;
        }
        let place = self.types.len() as u32;
        self.types.push(name.to_owned());
        self.type_places.insert(name.to_owned(), place);
        place
    }

    /// Adds one event of an edge and a type, both by their places.
    pub fn observe(&mut self, edge: u32, message_type: u32, seen: &Observation) {
        let key = CellKey {
            minute: seen.time_ns.div_euclid(MINUTE_NS),
            edge,
            message_type,
            happening: seen.happening,
        };
        self.cell(key).add(seen);
    }

    /// Adds the cells of another roll-up that are in minutes which `range` touches.
    pub fn merge(&mut self, other: &Self, range: TimeRange) {
        let edges: Vec<u32> = other.edges.iter().map(|name| self.edge(name)).collect();
        let types: Vec<u32> = other
            .types
            .iter()
            .map(|name| self.message_type(name))
            .collect();
        for (key, cell) in &other.cells {
            let first_ns = key.minute.saturating_mul(MINUTE_NS);
            if !range.touches(first_ns, first_ns.saturating_add(MINUTE_NS - 1)) {
                continue;
            }
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

    fn cell(&mut self, mut key: CellKey) -> &mut Cell {
        if self.cells.len() >= CELLS_MAX && !self.cells.contains_key(&key) {
            key.minute = 0;
            key.edge = self.edge(&EdgeName::overflow());
            key.message_type = self.message_type(reflow_trace::OVERFLOW_NAME);
        }
        self.cells.entry(key).or_default()
    }
}
