//! A batch, read.

use super::{BatchLimits, EventRow, Frame, WireError};
use crate::event::{ProducerId, TraceEvent};
use crate::ledger::{CounterSnapshot, Coverage, Loss};

/// The six names of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EdgeNames<'a> {
    /// The sending actor.
    pub from_actor: &'a str,
    /// Its port.
    pub from_port: &'a str,
    /// The receiving actor.
    pub to_actor: &'a str,
    /// Its port.
    pub to_port: &'a str,
    /// How messages are carried.
    pub protocol: &'a str,
    /// How they are compressed on the way.
    pub compression: &'a str,
}

/// A batch, decoded and checked.
#[derive(Debug)]
pub struct WireBatch {
    producer: ProducerId,
    losses: Vec<Loss>,
    counters: Option<CounterSnapshot>,
    coverage: Option<Coverage>,
}

impl WireBatch {
    /// Reads and checks a batch.
    ///
    /// # Errors
    ///
    /// Whatever is wrong first.
    pub fn decode(frame: &Frame, limits: &BatchLimits) -> Result<Self, WireError> {
        frame.plain_payload(&limits.frame)?;
        Err(WireError::NotABatch)
    }

    /// How many events were recorded in it, without the tracing's own notices.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether it holds no events; it may hold notices.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Who has recorded it.
    pub fn producer(&self) -> ProducerId {
        self.producer
    }

    /// First and last begin of an event, nanoseconds since the epoch.
    pub fn time_range(&self) -> Option<(i64, i64)> {
        None
    }

    /// Bytes that the batch holds in memory, nearly.
    pub fn memory_bytes(&self) -> usize {
        0
    }

    /// The columns of one event.
    pub fn row(&self, _index: usize) -> Option<EventRow<'_>> {
        None
    }

    /// The columns of all events.
    pub fn rows(&self) -> impl Iterator<Item = EventRow<'_>> {
        (0..self.len()).filter_map(|index| self.row(index))
    }

    /// One event.
    pub fn event(&self, index: usize) -> Option<TraceEvent> {
        self.row(index)?.to_event()
    }

    /// The events as the collector's batch gives them, the tracing's own notices last.
    pub fn events(&self) -> impl Iterator<Item = TraceEvent> + '_ {
        (0..self.len()).filter_map(|index| self.event(index))
    }

    /// What was lost since the last time it was told.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// The exact counters, where they are in this batch.
    pub fn counters(&self) -> Option<&CounterSnapshot> {
        self.counters.as_ref()
    }

    /// How much of what happened the events show, where it is in this batch.
    pub fn coverage(&self) -> Option<&Coverage> {
        self.coverage.as_ref()
    }
}
