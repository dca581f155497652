//! Which rows of a batch may be wanted, looked at without making events of them.
//!
//! Most subscriptions want few of the events; an event costs ten times what a look at a row does. What this
//! says no to is never wanted. What it lets through is decided on the event.

use reflow_trace::TraceEvent;
use reflow_trace::event::Outcome;
use reflow_trace::query::CompiledSubscription;
use reflow_trace::query::filter::{Bounds, Column, Number, Value};
use reflow_trace::wire::EventRow;

/// A subscription's conditions, ready for rows and for events.
#[derive(Debug)]
pub(super) struct Choice {
    wanted: CompiledSubscription,
    /// Names of kinds; `None` is every kind.
    kinds: Option<Vec<&'static str>>,
    /// Where the data flows that are wanted go, when no others are.
    destinations: Option<Vec<String>>,
    actors: Option<Vec<String>>,
    /// What columns must be, where anything is known of them.
    bounds: Vec<(Column, Bounds)>,
}

/// The columns that a row has as the event has them.
const COLUMNS: [Column; 8] = [
    Column::MessageType,
    Column::SizeBytes,
    Column::ExecutionTimeNs,
    Column::WaitingTimeNs,
    Column::QueueDepth,
    Column::MemoryUsageBytes,
    Column::TraceId,
    Column::ParentEventId,
];

impl Choice {
    pub(super) fn new(wanted: CompiledSubscription) -> Self {
        let types = wanted.event_types();
        let kinds = types.map(|types| types.names().collect());
        let destinations = types.and_then(|types| {
            let listed = types.destinations()?;
            Some(listed.map(str::to_owned).collect())
        });
        let actors = wanted
            .actors()
            .map(|actors| actors.map(str::to_owned).collect());
        let bounds = COLUMNS.into_iter().filter_map(|column| {
            let bounds = (wanted.filters().iter())
                .fold(Bounds::any(), |all, filter| all.and(filter.bounds(column)));
            (bounds != Bounds::any()).then_some((column, bounds))
        });
        let bounds = bounds.collect();
        Self {
            kinds,
            destinations,
            actors,
            bounds,
            wanted,
        }
    }

    /// Whether the event is wanted.
    pub(super) fn wants(&self, event: &TraceEvent) -> bool {
        self.wanted.matches(event)
    }

    /// Whether the row may become an event that is wanted.
    pub(super) fn may_want(&self, row: &EventRow<'_>) -> bool {
        let kind = kind_of(row);
        if let Some(kinds) = &self.kinds
            && !kinds.contains(&kind)
        {
            return false;
        }
        // What was built by hand has its truth elsewhere, and so has what says more than the columns hold.
        if row.is_by_hand() || !row.sections.is_empty() {
            return true;
        }
        if kind == "DataFlow"
            && let Some(destinations) = &self.destinations
            && !destinations.iter().any(|actor| actor == row.edge.to_actor)
        {
            return false;
        }
        if let Some(actors) = &self.actors
            && !actors
                .iter()
                .any(|actor| actor == row.edge.from_actor || actor == row.edge.to_actor)
        {
            return false;
        }
        self.bounds
            .iter()
            .all(|(column, bounds)| bounds.admits(value(row, *column).as_ref()))
    }
}

/// The name of the kind that the event will have.
fn kind_of(row: &EventRow<'_>) -> &'static str {
    match row.kind.number() {
        0 if row.is_by_hand() || row.outcome == Some(Outcome::Delivered) => "DataFlow",
        0 | 1 => "MessageSent",
        2 => "MessageReceived",
        3 => "ActorCreated",
        4 => "ActorStarted",
        5 => "ActorCompleted",
        6 => "ActorFailed",
        7 => "StateChanged",
        8 => "PortConnected",
        9 => "PortDisconnected",
        _ => "NetworkEvent",
    }
}

fn value<'a>(row: &EventRow<'a>, column: Column) -> Option<Value<'a>> {
    let whole = |number: Option<u64>| Some(Value::Number(Number::Integer(i128::from(number?))));
    match column {
        Column::MessageType => row.message_type.map(|name| Value::Text(name.into())),
        // A message without a size has the size 0.
        Column::SizeBytes => whole(row.message_type.map(|_| row.size_bytes.unwrap_or(0))),
        Column::ExecutionTimeNs => whole(row.duration_ns),
        Column::WaitingTimeNs => whole(row.waiting_ns),
        Column::QueueDepth => whole(row.queue_depth),
        Column::MemoryUsageBytes => whole(row.memory_bytes),
        Column::TraceId => row.trace_id.map(|id| Value::Id(id.0)),
        Column::ParentEventId => row.parent.map(|id| Value::Id(id.0)),
        _ => None,
    }
}
