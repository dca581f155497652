//! Summing up rows.

use reflow_trace::Outcome;
use reflow_trace::wire::{EventRow, WireBatch};

use super::edge_table::{EdgeTable, OwnedEdge};
use super::{EdgeName, Happening, Observation, Rollup};

/// A roll-up of rows whose edges are numbered.
#[derive(Debug, Default)]
pub(crate) struct BatchRollup {
    rollup: Rollup,
    /// The place of an edge in the roll-up, by its number; two edges that differ in protocol or
    /// compression only have one place.
    places: Vec<Option<u32>>,
    /// The type of the row before, which is mostly the next one's too.
    last_type: Option<(String, u32)>,
}

impl BatchRollup {
    /// Adds a row, whose edge has this number.
    pub(crate) fn add(&mut self, number: u32, edge: &OwnedEdge, row: &EventRow<'_>) {
        let Some(seen) = observation(row) else {
            return;
        };
        let number = number as usize;
        if self.places.len() <= number {
            self.places.resize(number + 1, None);
        }
        let place = match self.places[number] {
            Some(place) => place,
            None => {
                let [from_actor, from_port, to_actor, to_port, ..] = &edge.names;
                let place = self.rollup.edge(&EdgeName {
                    from_actor: from_actor.to_string(),
                    from_port: from_port.to_string(),
                    to_actor: to_actor.to_string(),
                    to_port: to_port.to_string(),
                });
                self.places[number] = Some(place);
                place
            }
        };
        let message_type = row.message_type.unwrap_or_default();
        let type_place = match &self.last_type {
            Some((name, place)) if name == message_type => *place,
            _ => {
                let place = self.rollup.message_type(message_type);
                self.last_type = Some((message_type.to_owned(), place));
                place
            }
        };
        self.rollup.observe(place, type_place, &seen);
    }

    pub(crate) fn finish(self) -> Rollup {
        self.rollup
    }
}

impl Rollup {
    /// The sums over the events of a batch. [`merge`](Self::merge) adds those of several up.
    pub fn of_batch(batch: &WireBatch) -> Self {
        let mut edges = EdgeTable::default();
        let mut rollup = BatchRollup::default();
        for row in batch.rows() {
            let number = edges.number(&row.edge);
            rollup.add(number, &edges.edges()[number as usize], &row);
        }
        rollup.finish()
    }
}

/// What of a row is summed up; `None` for what happened to no message.
fn observation(row: &EventRow<'_>) -> Option<Observation> {
    /// `MessageReceived`; below it are the two kinds of sends.
    const RECEIVED: u8 = 2;
    let happening = match (row.kind.number(), row.outcome) {
        (0..RECEIVED, Some(Outcome::Dropped)) => Happening::Dropped,
        (0..RECEIVED, _) => Happening::Sent,
        (RECEIVED, _) => Happening::Received,
        _ => return None,
    };
    Some(Observation {
        time_ns: row.start_ns,
        happening,
        weight: row.threshold.and_then(|threshold| threshold.weight()),
        bytes: row.size_bytes.unwrap_or(0),
        failed: matches!(
            row.outcome,
            Some(Outcome::Failed | Outcome::Cancelled | Outcome::Panicked | Outcome::TimedOut)
        ),
        execution_ns: row.duration_ns,
        waiting_ns: row.waiting_ns,
    })
}
