//! Summing up rows.

use reflow_trace::wire::{EventRow, WireBatch};
use reflow_trace::{Outcome, bounded_name};

use super::edge_table::{EdgeTable, OwnedEdge};
use super::{EdgeName, Happening, Observation, Summary};

/// A summary of rows whose edges are numbered.
#[derive(Debug, Default)]
pub(crate) struct BatchRollup {
    summary: Summary,
    /// The place of an edge in the roll-up, by its number; two edges that differ in protocol or
    /// compression only have one place.
    places: Vec<Option<u32>>,
    /// The type of the row before, which is mostly the next one's too.
    last_type: Option<(String, u32)>,
}

impl BatchRollup {
    /// Adds a row, whose edge has this number.
    pub(crate) fn add(&mut self, number: u32, edge: &OwnedEdge, row: &EventRow<'_>) {
        self.summary.numbers.add(row.event_id, Some(row.start_ns));
        let Some(seen) = observation(row) else {
            return;
        };
        let rollup = &mut self.summary.rollup;
        let number = number as usize;
        if self.places.len() <= number {
            self.places.resize(number + 1, None);
        }
        let place = match (edge_by_hand(row, &seen), self.places[number]) {
            (Some(name), _) => rollup.edge(&name),
            (None, Some(place)) => place,
            (None, None) => {
                let [from_actor, from_port, to_actor, to_port, ..] = &edge.names;
                let place = rollup.edge(&EdgeName {
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
                let place = rollup.message_type(message_type);
                self.last_type = Some((message_type.to_owned(), place));
                place
            }
        };
        let producer = row.event_id.origin().map(|origin| origin.producer);
        rollup.observe(producer, place, type_place, &seen);
    }

    pub(crate) fn finish(self) -> Summary {
        self.summary
    }
}

impl Summary {
    /// That of the events of a batch. [`Rollup::merge`](super::Rollup::merge) adds those of several up, and
    /// [`Numbers::merge`](reflow_trace::lineage::Numbers::merge) their numbers.
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

/// The edge of what was built by hand, where its columns hold but the actor at which it happened: the other end is
/// among the attributes, if anywhere.
fn edge_by_hand(row: &EventRow<'_>, seen: &Observation) -> Option<EdgeName> {
    let is_data_flow = row.kind.number() == 0;
    let is_one_sided = matches!(seen.happening, Happening::Announced | Happening::Lived);
    if !row.is_by_hand() || is_data_flow || is_one_sided {
        return None;
    }
    let event = row.to_event()?;
    // As the columns have them: what was built by hand may have names of any length.
    let kept = |name: &str| bounded_name(name).into_owned();
    let here = kept(&event.actor_id);
    let port = kept(event.data.port.as_deref().unwrap_or_default());
    if seen.happening == Happening::Received {
        let attribute = |key| {
            let value = event.data.custom_attributes.get(key);
            value.and_then(|value| value.as_str()).unwrap_or_default()
        };
        return Some(EdgeName {
            from_actor: kept(attribute("source_actor")),
            from_port: kept(attribute("source_port")),
            to_actor: here,
            to_port: port,
        });
    }
    let (to_actor, to_port) = event.destination().unwrap_or_default();
    Some(EdgeName {
        from_actor: here,
        from_port: port,
        to_actor: kept(to_actor),
        to_port: kept(to_port),
    })
}

/// What of a row is summed up; `None` for what concerns no actor.
fn observation(row: &EventRow<'_>) -> Option<Observation> {
    /// An attempt that a probe has seen, or a `DataFlow`.
    const ATTEMPT: u8 = 0;
    /// A `MessageSent` that was built by hand.
    const SENT: u8 = 1;
    const RECEIVED: u8 = 2;
    const ACTOR_FAILED: u8 = 6;
    const PORT_DISCONNECTED: u8 = 9;
    let failed = row.kind.number() == ACTOR_FAILED
        || matches!(
            row.outcome,
            Some(Outcome::Failed | Outcome::Cancelled | Outcome::Panicked | Outcome::TimedOut)
        );
    let happening = match (row.kind.number(), row.outcome) {
        (ATTEMPT | SENT, Some(Outcome::Dropped)) => Happening::Dropped,
        (SENT, _) if !failed => Happening::Announced,
        (ATTEMPT, None) if !row.is_by_hand() => Happening::Announced,
        (ATTEMPT | SENT, _) => Happening::Sent,
        (RECEIVED, _) => Happening::Received,
        (..=PORT_DISCONNECTED, _) => Happening::Lived,
        _ => return None,
    };
    Some(Observation {
        time_ns: row.start_ns,
        happening,
        weight: row.threshold.and_then(|threshold| threshold.weight()),
        bytes: row.size_bytes.unwrap_or(0),
        failed,
        execution_ns: row.duration_ns,
        waiting_ns: row.waiting_ns,
    })
}
