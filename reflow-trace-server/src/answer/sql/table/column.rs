//! The columns of `data_flow_events` and `trace_events`: their names, their types, and what has to be read
//! for each.
//!
//! They are those of a filter ([`Column`]) by the same names, with the attributes that the specification
//! prints and the program's own behind them.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use reflow_trace::query::filter::{Column, ValueKind};

use crate::store::columns::Place;

/// Which of the two views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// Messages that arrived.
    DataFlows,
    /// Events of every kind.
    Everything,
}

impl View {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::DataFlows => "data_flow_events",
            Self::Everything => "trace_events",
        }
    }
}

/// A column of the views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventColumn {
    /// One that a filter knows too.
    Filter(Column),
    /// How messages are carried over the edge.
    Protocol,
    /// How they are compressed.
    Compression,
    /// Everything that the program has attached and that is in no other column, as JSON.
    Attributes,
}

/// Text, as the engine groups and compares it fastest.
pub(super) const TEXT: DataType = DataType::Utf8View;

/// Where the ends of an edge are.
const NAMES: [Place; 4] = [
    Place::from_actor,
    Place::from_port,
    Place::to_actor,
    Place::to_port,
];

const MESSAGE_ID: [Place; 6] = [
    Place::message_prefix,
    Place::message_width,
    Place::message_number,
    Place::message_uuid,
    Place::message_text,
    Place::message_other,
];

impl EventColumn {
    /// All of them, in the order in which `SELECT *` shows them.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let columns = Column::ALL.iter().map(|&column| Self::Filter(column));
        columns.chain([Self::Protocol, Self::Compression, Self::Attributes])
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Filter(column) => column.name(),
            Self::Protocol => "protocol",
            Self::Compression => "compression",
            Self::Attributes => "attributes",
        }
    }

    pub(super) fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|column| column.name() == name)
    }

    pub(super) fn data_type(self) -> DataType {
        let Self::Filter(column) = self else {
            return TEXT;
        };
        match (column, column.kind()) {
            (_, ValueKind::Time) => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
            (Column::ThroughputMsgsPerSec | Column::CpuUsagePercent | Column::Weight, _) => {
                DataType::Float64
            }
            (_, ValueKind::Number | ValueKind::Nanoseconds | ValueKind::Bytes) => DataType::UInt64,
            _ => TEXT,
        }
    }

    /// Whether the columns of the store do not say it, so that the event itself has to be looked at where
    /// a row holds more than columns.
    pub(super) fn is_of_event(self, view: View) -> bool {
        match self {
            Self::Protocol | Self::Compression | Self::Attributes => true,
            Self::Filter(column) => match column {
                Column::Checksum | Column::Error | Column::RootCauseEventId | Column::SpanId => {
                    true
                }
                // Of anything but a data flow these may be attributes.
                Column::SourceActor
                | Column::SourcePort
                | Column::DestinationActor
                | Column::DestinationPort => view == View::Everything,
                _ => false,
            },
        }
    }

    /// Whether what an event that was built by hand says may differ from what the columns have room for.
    pub(super) const fn may_be_cut(self) -> bool {
        matches!(
            self,
            Self::Filter(
                Column::ActorId
                    | Column::Port
                    | Column::SourceActor
                    | Column::SourcePort
                    | Column::DestinationActor
                    | Column::DestinationPort
                    | Column::MessageType
            )
        )
    }

    /// What has to be read for it.
    pub(super) fn places(self, view: View) -> Vec<Place> {
        let Self::Filter(column) = self else {
            return Place::ALL.to_vec();
        };
        if self.is_of_event(view) {
            return Place::ALL.to_vec();
        }
        let mut places = Vec::new();
        match column {
            Column::Timestamp => places.push(Place::time_ns),
            Column::EventId => places.extend(Place::EVENT),
            Column::EventType => places.extend([Place::kind, Place::outcome, Place::flags]),
            Column::Outcome => places.push(Place::outcome),
            Column::ActorId
            | Column::Port
            | Column::SourceActor
            | Column::SourcePort
            | Column::DestinationActor
            | Column::DestinationPort => places.extend(self.names(view)),
            Column::MessageType => {
                places.extend([Place::message_type, Place::flags, Place::size_bytes])
            }
            Column::MessageId => places.extend(MESSAGE_ID),
            Column::SizeBytes => places.extend([Place::size_bytes, Place::message_type]),
            Column::ExecutionTimeNs => places.push(Place::duration_ns),
            Column::WaitingTimeNs => places.push(Place::waiting_ns),
            Column::QueueDepth => places.push(Place::queue_depth),
            Column::ThroughputMsgsPerSec => places.push(Place::throughput),
            Column::MemoryUsageBytes => places.push(Place::memory_bytes),
            Column::CpuUsagePercent => places.push(Place::cpu_percent),
            Column::TraceId => places.extend(Place::TRACE),
            Column::ParentEventId => places.extend(Place::CAUSE),
            Column::HopCount => places.push(Place::hops),
            Column::Weight => places.push(Place::threshold),
            // One that was added later: the event says it.
            _ => places.extend(Place::ALL),
        }
        places
    }

    /// The names that it is made of.
    fn names(self, view: View) -> Vec<Place> {
        let mut places = vec![Place::kind, Place::outcome, Place::flags];
        if view == View::Everything {
            places.extend(NAMES);
        } else {
            places.extend(self.plain_name());
        }
        places
    }

    /// The column that has it as it is, in every data flow and nearly always.
    pub(super) const fn plain_name(self) -> Option<Place> {
        let Self::Filter(column) = self else {
            return None;
        };
        Some(match column {
            Column::ActorId | Column::SourceActor => Place::from_actor,
            Column::Port | Column::SourcePort => Place::from_port,
            Column::DestinationActor => Place::to_actor,
            Column::DestinationPort => Place::to_port,
            _ => return None,
        })
    }
}

/// The columns of both views as the engine has them.
pub(super) static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let fields = EventColumn::all().map(|column| {
        // Every event has these.
        let is_known = matches!(
            column,
            EventColumn::Filter(Column::Timestamp | Column::EventId | Column::EventType)
        );
        Field::new(column.name(), column.data_type(), !is_known)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
});
