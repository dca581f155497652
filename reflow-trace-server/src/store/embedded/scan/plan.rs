//! From a query to what has to be read for it: which values of which columns can be answers, and which columns
//! say whether a row is one.
//!
//! The checks are necessary and not sufficient. They ask columns alone, so that whole pages are left out
//! by their statistics, and whole dictionaries by their values. What passes is asked exactly, as a row.

use std::collections::HashSet;

use reflow_trace::query::CompiledQuery;
use reflow_trace::query::filter::{
    Bounds, Column, Expr, Field, Literal, Number, Operand, Range, Value,
};
use reflow_trace::{EventId, Outcome, TraceId};

use crate::store::columns::{Place, Scalar, Values, Within};
use crate::store::embedded::find::TextForms;
use crate::store::{Scan, TimeRange};

/// Texts in columns are as they are up to so many bytes; names longer than twice that are cut there.
const TEXT_BYTES_MAX: usize = 128;

/// What every row says of itself, and what is needed to make sense of the rest.
const OWN: [Place; 4] = [Place::kind, Place::outcome, Place::flags, Place::time_ns];

/// What has to be read for a scan.
pub(super) struct Plan<'a> {
    pub(super) scan: &'a Scan,
    pub(super) range: TimeRange,
    pub(super) checks: Vec<Check>,
    pub(super) ids: Vec<Ids>,
    /// The columns that the conditions ask about, time ranges aside; see [`places_in`](Self::places_in).
    places: Vec<Place>,
    /// The time is asked for, which a column does not hold exactly at its ends.
    asks_time: bool,
    /// Nothing can be an answer.
    pub(super) is_empty: bool,
}

/// One of these has to hold.
pub(super) struct Check {
    pub(super) any: Vec<Within>,
    /// It says nothing of rows that name the ends of an edge in their sections.
    pub(super) spares_named: bool,
}

/// One of these ids has to be there.
pub(super) enum Ids {
    Events(HashSet<EventId>),
    Causes(HashSet<EventId>),
    Traces(HashSet<TraceId>),
    Messages(Vec<TextForms>),
}

impl<'a> Plan<'a> {
    pub(super) fn new(scan: &'a Scan) -> Self {
        let mut plan = Self {
            scan,
            range: scan.range(),
            checks: Vec::new(),
            ids: Vec::new(),
            places: Vec::new(),
            asks_time: false,
            is_empty: false,
        };
        plan.add_kinds();
        plan.add_actor();
        for &column in Column::ALL {
            let bounds = scan.query.bounds(column);
            plan.is_empty |= bounds.is_empty();
            // Where it may be unknown, no column tells.
            if !bounds.may_be_unknown() {
                plan.add_column(column, &bounds);
            }
        }
        plan.add_places(&scan.query);
        plan
    }

    fn add(&mut self, places: &[Place], values: Option<Values>, spares_named: bool) {
        self.add_or_null(places, values, spares_named, false);
    }

    fn add_or_null(
        &mut self,
        places: &[Place],
        values: Option<Values>,
        spares_named: bool,
        or_null: bool,
    ) {
        let Some(values) = values else {
            return;
        };
        let within = |&place| Within {
            place,
            values: values.clone(),
            or_null,
        };
        self.checks.push(Check {
            any: places.iter().map(within).collect(),
            spares_named,
        });
    }

    /// By kinds that are asked for; of some of them not every event is an answer.
    fn add_kinds(&mut self) {
        if let Some(kind) = self.scan.kind {
            self.add(&[Place::kind], Some(kinds([kind])), false);
        }
        let Some(types) = self.scan.query.event_types() else {
            return;
        };
        self.add(&[Place::kind], Some(kinds(types.names())), false);
        let are_flows = types.names().all(|name| name == "DataFlow");
        if are_flows && let Some(actors) = types.destinations() {
            let values = among(actors.map(|actor| Literal::Text(actor.to_owned())));
            self.add(&[Place::to_actor], values, false);
        }
    }

    fn add_actor(&mut self) {
        if let Some(actor) = self.scan.query.actor() {
            let values = among([Literal::Text(actor.to_owned())]);
            self.add(&[Place::from_actor, Place::to_actor], values, true);
        }
    }

    fn add_column(&mut self, column: Column, bounds: &Bounds) {
        let values = values_of(bounds.range());
        match column {
            Column::ExecutionTimeNs => self.add(&[Place::duration_ns], values, false),
            Column::WaitingTimeNs => self.add(&[Place::waiting_ns], values, false),
            Column::QueueDepth => self.add(&[Place::queue_depth], values, false),
            Column::MemoryUsageBytes => self.add(&[Place::memory_bytes], values, false),
            Column::CpuUsagePercent => self.add(&[Place::cpu_percent], values, false),
            Column::ThroughputMsgsPerSec => self.add(&[Place::throughput], values, false),
            Column::HopCount => self.add(&[Place::hops], values, false),
            // A message whose size is not known has none, which is 0.
            Column::SizeBytes if !bounds.admits(Some(&Value::Number(Number::Integer(0)))) => {
                self.add(&[Place::size_bytes], values, false);
            }
            // Content may come without a type, which is empty then.
            Column::MessageType => {
                let or_null = bounds.admits(Some(&Value::Text("".into())));
                self.add_or_null(&[Place::message_type], values, false, or_null);
            }
            Column::Outcome => self.add(&[Place::outcome], outcomes(bounds.range()), false),
            Column::EventType => {
                if let Range::Among(names) = bounds.range() {
                    let names = names.iter().filter_map(as_text);
                    self.add(&[Place::kind], Some(kinds(names)), false);
                }
            }
            Column::ActorId => {
                self.add(&[Place::from_actor, Place::to_actor], values, false);
            }
            Column::Port => self.add(&[Place::from_port, Place::to_port], values, false),
            Column::SourceActor => self.add(&[Place::from_actor], values, true),
            Column::SourcePort => self.add(&[Place::from_port], values, true),
            // What was taken up and built by hand happened at its destination.
            Column::DestinationActor => {
                self.add(&[Place::to_actor, Place::from_actor], values, true);
            }
            Column::DestinationPort => {
                self.add(&[Place::to_port, Place::from_port], values, true);
            }
            Column::EventId | Column::ParentEventId | Column::TraceId | Column::MessageId => {
                self.ids.extend(ids_of(column, bounds.range()));
            }
            _ => {}
        }
    }

    /// The columns that an exact answer needs.
    fn add_places(&mut self, query: &CompiledQuery) {
        let mut places: HashSet<Place> = HashSet::new();
        let mut fields = HashSet::new();
        for filter in query.filters() {
            fields_of(filter.expr(), &mut fields);
        }
        if query.actor().is_some() {
            fields.insert(Field::Column(Column::ActorId));
            fields.insert(Field::Column(Column::DestinationActor));
        }
        if query.event_types().is_some() || self.scan.kind.is_some() {
            fields.insert(Field::Column(Column::EventType));
        }
        // The ends that are asked for.
        if query
            .event_types()
            .is_some_and(|types| types.names().any(|name| name == "DataFlow"))
        {
            fields.insert(Field::Column(Column::DestinationActor));
            fields.insert(Field::Column(Column::DestinationPort));
        }
        for field in &fields {
            places.extend(places_of(field));
        }
        let is_of_time = |field: &Field| *field == Field::Column(Column::Timestamp);
        self.asks_time = query.time_range().is_some() || fields.iter().any(is_of_time);
        if !places.is_empty() {
            // What every row says of itself.
            places.extend(OWN);
        }
        self.places = places.into_iter().collect();
        self.places.sort_unstable();
    }

    /// The columns that say whether a row of such times is an answer; empty: every row that passes the checks is.
    pub(super) fn places_in(&self, (first_ns, last_ns): (i64, i64)) -> Vec<Place> {
        let mut places = self.places.clone();
        // A time that does not fit into its column is in the sections.
        let is_exact = first_ns > i64::MIN && last_ns < i64::MAX;
        if self.asks_time && !is_exact {
            places.extend(OWN);
            places.push(Place::sections);
        }
        places
    }

    /// The columns that the checks need.
    pub(super) fn places_of_checks(&self) -> Vec<Place> {
        let checks = self.checks.iter().flat_map(|check| &check.any);
        let places: HashSet<_> = checks.map(|within| within.place).collect();
        places.into_iter().chain([Place::time_ns]).collect()
    }
}

/// The kinds of records that such events are made of.
fn kinds<'a>(names: impl IntoIterator<Item = &'a str>) -> Values {
    /// By number, as [`RowKind`](reflow_trace::wire::RowKind) has them.
    const NAMES: [&str; 11] = [
        "DataFlow",
        "MessageSent",
        "MessageReceived",
        "ActorCreated",
        "ActorStarted",
        "ActorCompleted",
        "ActorFailed",
        "StateChanged",
        "PortConnected",
        "PortDisconnected",
        "NetworkEvent",
    ];
    let mut numbers = Vec::new();
    for name in names {
        let number = NAMES.iter().position(|known| *known == name);
        numbers.extend(number.map(|number| Scalar::Whole(number as i128)));
        if name == "MessageSent" {
            // An attempt to send that was not delivered.
            numbers.push(Scalar::Whole(0));
        }
    }
    Values::Among(numbers)
}

fn outcomes(range: &Range) -> Option<Values> {
    /// By the numbers of the format.
    const OUTCOMES: [Outcome; 6] = [
        Outcome::Delivered,
        Outcome::Failed,
        Outcome::Cancelled,
        Outcome::Panicked,
        Outcome::Dropped,
        Outcome::TimedOut,
    ];
    let Range::Among(names) = range else {
        return None;
    };
    let numbers = names.iter().filter_map(|name| {
        let name = as_text(name)?;
        let number = OUTCOMES.iter().position(|known| known.name() == name)?;
        Some(Scalar::Whole(number as i128))
    });
    Some(Values::Among(numbers.collect()))
}

fn as_text(literal: &Literal) -> Option<&str> {
    match literal {
        Literal::Text(text) => Some(text),
        _ => None,
    }
}

/// As columns have it; `None` where a column does not have all of it.
fn scalar(literal: &Literal) -> Option<Scalar> {
    match literal {
        Literal::Text(text) => (text.len() <= TEXT_BYTES_MAX).then(|| Scalar::text(text)),
        Literal::Number(Number::Integer(whole)) => Some(Scalar::Whole(*whole)),
        Literal::Number(Number::Float(float)) => Some(Scalar::Float(*float)),
        Literal::Boolean(_) | Literal::Time(_) | Literal::Id(_) => None,
    }
}

fn among(literals: impl IntoIterator<Item = Literal>) -> Option<Values> {
    let scalars = literals.into_iter().map(|literal| scalar(&literal));
    scalars.collect::<Option<_>>().map(Values::Among)
}

/// `None` where nothing can be told by a column.
fn values_of(range: &Range) -> Option<Values> {
    match range {
        Range::Among(literals) => among(literals.iter().cloned()),
        Range::Between { low, high } => {
            // What is not had on one side is no bound there.
            let (low, high) = (
                low.as_ref().and_then(scalar),
                high.as_ref().and_then(scalar),
            );
            (low.is_some() || high.is_some()).then_some(Values::Between { low, high })
        }
    }
}

fn ids_of(column: Column, range: &Range) -> Option<Ids> {
    let Range::Among(literals) = range else {
        return None;
    };
    let uuids = || {
        literals.iter().filter_map(|literal| match literal {
            Literal::Id(id) => Some(*id),
            _ => None,
        })
    };
    Some(match column {
        Column::EventId => Ids::Events(uuids().map(EventId::from_uuid).collect()),
        Column::ParentEventId => Ids::Causes(uuids().map(EventId::from_uuid).collect()),
        Column::TraceId => Ids::Traces(uuids().map(TraceId::from_uuid).collect()),
        _ => Ids::Messages(
            literals
                .iter()
                .filter_map(as_text)
                .map(TextForms::of)
                .collect(),
        ),
    })
}

fn fields_of(expr: &Expr, fields: &mut HashSet<Field>) {
    match expr {
        Expr::And(members) | Expr::Or(members) => {
            for member in members {
                fields_of(member, fields);
            }
        }
        Expr::Not(member) => fields_of(member, fields),
        Expr::Compare { left, right, .. } => {
            for side in [left, right] {
                if let Operand::Field(field) = side {
                    fields.insert(field.clone());
                }
            }
        }
        Expr::In { field, .. }
        | Expr::Between { field, .. }
        | Expr::Like { field, .. }
        | Expr::IsNull(field) => {
            fields.insert(field.clone());
        }
    }
}

/// The columns in which a field is, beside what every row says of itself.
fn places_of(field: &Field) -> Vec<Place> {
    use Place::{
        compression, cpu_percent, duration_ns, event_id, from_actor, from_port, hops, memory_bytes,
        message_number, message_other, message_prefix, message_text, message_type, message_uuid,
        message_width, parent_id, parent_producer, parent_ring, parent_sequence, producer,
        protocol, queue_depth, ring, sections, sequence, size_bytes, threshold, throughput,
        time_ns, to_actor, to_port, trace_id, trace_number, trace_producer, trace_ring, waiting_ns,
    };
    let event = [producer, ring, sequence, event_id];
    let parent = [parent_producer, parent_ring, parent_sequence, parent_id];
    let message = [
        message_prefix,
        message_width,
        message_number,
        message_uuid,
        message_text,
        message_other,
        sections,
    ];
    let edge = [
        from_actor,
        from_port,
        to_actor,
        to_port,
        protocol,
        compression,
    ];
    let Field::Column(column) = field else {
        // An attribute may be what the edge or the message says.
        return [&message[..], &edge[..]].concat();
    };
    match column {
        Column::Timestamp => vec![time_ns],
        Column::EventId => event.to_vec(),
        Column::EventType | Column::Outcome => vec![Place::kind],
        Column::ActorId | Column::SourceActor | Column::DestinationActor => {
            vec![from_actor, to_actor, sections]
        }
        Column::Port | Column::SourcePort | Column::DestinationPort => {
            vec![from_actor, from_port, to_actor, to_port, sections]
        }
        Column::MessageType => vec![message_type, sections],
        Column::MessageId => message.to_vec(),
        Column::SizeBytes => vec![message_type, size_bytes, sections],
        Column::ExecutionTimeNs => vec![duration_ns],
        Column::WaitingTimeNs => vec![waiting_ns],
        Column::QueueDepth => vec![queue_depth],
        Column::ThroughputMsgsPerSec => vec![throughput],
        Column::MemoryUsageBytes => vec![memory_bytes],
        Column::CpuUsagePercent => vec![cpu_percent],
        Column::TraceId => vec![trace_producer, trace_ring, trace_number, trace_id],
        Column::ParentEventId => parent.to_vec(),
        Column::RootCauseEventId => [&event[..], &parent[..], &[sections]].concat(),
        Column::HopCount => vec![hops],
        Column::Weight => vec![threshold],
        // Checksum, error, span, and what a later version asks for.
        _ => vec![sections],
    }
}
