//! The values that are compared, and where they come from.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use uuid::Uuid;

use super::field::Column;
use crate::event::{TraceEvent, TraceEventType};

/// What a filter looks at: an event, or whatever has the same columns.
pub trait Row {
    /// The value in a column, of the kind that [`Column::kind`] says; `None` when it is not known.
    fn column(&self, column: Column) -> Option<Value<'_>>;

    /// The attribute of this name as text, number or boolean; `None` when there is none, and for nulls,
    /// lists and objects. [`has_attribute`](Self::has_attribute) tells these apart.
    fn attribute(&self, name: &str) -> Option<Value<'_>>;

    /// Whether there is an attribute of this name that is not null.
    fn has_attribute(&self, name: &str) -> bool;
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text, names of kinds and of outcomes.
    Text(Cow<'a, str>),
    /// A number.
    Number(Number),
    /// A boolean.
    Boolean(bool),
    /// A point in time.
    Time(DateTime<Utc>),
    /// A UUID.
    Id(Uuid),
}

/// A number, exact when it is whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number, from `i64::MIN` to `u64::MAX`.
    Integer(i128),
    /// Any other.
    Float(f64),
}

impl Number {
    /// The number that JSON has.
    pub(crate) fn of_json(number: &serde_json::Number) -> Option<Self> {
        let unsigned = number.as_u64().map(i128::from);
        let whole = unsigned.or_else(|| number.as_i64().map(i128::from));
        match whole {
            Some(whole) => Some(Self::Integer(whole)),
            None => number.as_f64().map(Self::Float),
        }
    }

    /// Which is less; `None` for what is no number.
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) => Some(one.cmp(&other)),
            (Self::Float(one), Self::Float(other)) => one.partial_cmp(&other),
            (Self::Integer(one), Self::Float(other)) => compare_with_float(one, other),
            (Self::Float(one), Self::Integer(other)) => {
                compare_with_float(other, one).map(Ordering::reverse)
            }
        }
    }
}

/// Exact: a whole number beyond 2⁵³ is not rounded to a float first.
fn compare_with_float(whole: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // Saturates, far beyond what `whole` can be.
    let floor = float.floor() as i128;
    let has_fraction = float.fract() != 0.0;
    Some(whole.cmp(&floor).then(if has_fraction {
        Ordering::Less
    } else {
        Ordering::Equal
    }))
}

impl Value<'_> {
    /// Which is less; `None` for values of different kinds and for what is no number.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => Some(one.cmp(other)),
            (Self::Number(one), Self::Number(other)) => one.compare(*other),
            (Self::Boolean(one), Self::Boolean(other)) => Some(one.cmp(other)),
            (Self::Time(one), Self::Time(other)) => Some(one.cmp(other)),
            (Self::Id(one), Self::Id(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

impl Row for TraceEvent {
    fn column(&self, column: Column) -> Option<Value<'_>> {
        let message = self.data.message.as_ref();
        let metrics = &self.data.performance_metrics;
        match column {
            Column::Timestamp => Some(Value::Time(self.timestamp)),
            Column::EventId => id(Some(self.event_id.0)),
            Column::EventType => text(Some(self.event_type.name())),
            Column::Outcome => text(self.outcome.map(|outcome| outcome.name())),
            Column::ActorId => text(Some(&self.actor_id)),
            Column::Port => text(self.data.port.as_deref()),
            Column::SourceActor if is_send(self) => text(Some(&self.actor_id)),
            Column::SourcePort if is_send(self) => text(self.data.port.as_deref()),
            Column::SourceActor => text(named(self, "source_actor")),
            Column::SourcePort => text(named(self, "source_port")),
            Column::DestinationActor if is_receive(self) => text(Some(&self.actor_id)),
            Column::DestinationPort if is_receive(self) => text(self.data.port.as_deref()),
            Column::DestinationActor => text(self.destination().map(|(actor, _)| actor)),
            Column::DestinationPort => text(self.destination().map(|(_, port)| port)),
            Column::MessageType => text(message.map(|message| &*message.message_type)),
            Column::MessageId => self.message_id().and_then(as_text).map(Value::Text),
            Column::SizeBytes => whole(message.map(|message| message.size_bytes)),
            Column::Checksum => said(message.map_or("", |message| &message.checksum)),
            Column::ExecutionTimeNs => whole(metrics.execution_time_ns),
            Column::WaitingTimeNs => whole(metrics.waiting_time_ns),
            Column::QueueDepth => whole(metrics.queue_depth),
            Column::ThroughputMsgsPerSec => float(metrics.throughput_msgs_per_sec),
            Column::MemoryUsageBytes => whole(metrics.memory_usage_bytes),
            Column::CpuUsagePercent => float(metrics.cpu_usage_percent.map(f64::from)),
            Column::Error => text(self.data.error.as_deref()),
            Column::TraceId => id(self.trace_id.map(|trace| trace.0)),
            Column::ParentEventId => id(self.causality.parent_event_id.map(|event| event.0)),
            Column::RootCauseEventId => id(self.causality.root_cause_event_id.map(|event| event.0)),
            Column::SpanId => said(&self.causality.span_id),
            Column::HopCount => whole(self.causality.hop_count),
            Column::Weight => float(self.weight()),
        }
    }

    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        match self.data.custom_attributes.get(name)? {
            Json::Bool(boolean) => Some(Value::Boolean(*boolean)),
            Json::Number(number) => Some(Value::Number(Number::of_json(number)?)),
            Json::String(string) => text(Some(string)),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        }
    }

    fn has_attribute(&self, name: &str) -> bool {
        let attribute = self.data.custom_attributes.get(name);
        attribute.is_some_and(|value| !value.is_null())
    }
}

fn is_send(event: &TraceEvent) -> bool {
    matches!(
        event.event_type,
        TraceEventType::DataFlow { .. } | TraceEventType::MessageSent
    )
}

fn is_receive(event: &TraceEvent) -> bool {
    event.event_type == TraceEventType::MessageReceived
}

fn named<'a>(event: &'a TraceEvent, attribute: &str) -> Option<&'a str> {
    event.data.custom_attributes.get(attribute)?.as_str()
}

/// An id of a message as text: its characters, or its JSON where it is none.
fn as_text(json: &Json) -> Option<Cow<'_, str>> {
    match json {
        Json::Null => None,
        Json::String(string) => Some(Cow::Borrowed(string)),
        other => Some(Cow::Owned(other.to_string())),
    }
}

fn text(text: Option<&str>) -> Option<Value<'_>> {
    text.map(|text| Value::Text(Cow::Borrowed(text)))
}

/// Text whose being empty means that there is none.
fn said(said: &str) -> Option<Value<'_>> {
    text((!said.is_empty()).then_some(said))
}

/// A `usize` has no more than 64 bits anywhere, so that nothing is lost.
fn whole(number: Option<impl TryInto<u64>>) -> Option<Value<'static>> {
    let number = number?.try_into().ok()?;
    Some(Value::Number(Number::Integer(i128::from(number))))
}

fn float(number: Option<f64>) -> Option<Value<'static>> {
    let number = number.filter(|number| !number.is_nan())?;
    Some(Value::Number(Number::Float(number)))
}

fn id(id: Option<Uuid>) -> Option<Value<'static>> {
    id.map(Value::Id)
}
