//! A row as filters see it: the same values as those of the event that is made of it, without making one.
//!
//! What has a column is taken from it; sections are walked over only for what may be in them, and nothing
//! is allocated but attributes that are looked at. An event built by hand may say more in its sections than
//! the columns can hold, so that names and times are looked for there first.

use std::borrow::Cow;

use chrono::DateTime;
use serde_json::Value as Json;
use uuid::Uuid;

use super::seal::MESSAGE_ID;
use super::{EventRow, sections};
use crate::event::{EventId, Outcome};
use crate::query::filter::{Column, Number, Row, Value};
use crate::record::sections::{Section, Tag};
use crate::record::{Kind, Record, flag};
use crate::sampling::SamplingInfo;

impl<'a> EventRow<'a> {
    /// The name of the kind of event that is made of it.
    pub fn event_type(&self) -> &'static str {
        match self.kind.0 {
            Kind::Send if self.is_by_hand() || self.outcome == Some(Outcome::Delivered) => {
                "DataFlow"
            }
            Kind::Send | Kind::MessageSent => "MessageSent",
            Kind::MessageReceived => "MessageReceived",
            Kind::ActorCreated => "ActorCreated",
            Kind::ActorStarted => "ActorStarted",
            Kind::ActorCompleted => "ActorCompleted",
            Kind::ActorFailed => "ActorFailed",
            Kind::StateChanged => "StateChanged",
            Kind::PortConnected => "PortConnected",
            Kind::PortDisconnected => "PortDisconnected",
            Kind::NetworkEvent => "NetworkEvent",
        }
    }

    /// The actor that it happened at.
    pub fn actor(&self) -> Cow<'a, str> {
        let receives = Record::receives(self.kind.0, self.flags);
        self.said(Tag::Actor).unwrap_or(Cow::Borrowed(if receives {
            self.edge.to_actor
        } else {
            self.edge.from_actor
        }))
    }

    /// The receiving end, actor and port, where it has one.
    pub fn destination(&self) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        if let Some(flow) = self.flow() {
            return Some(flow);
        }
        let actor = self.named("destination_actor")?;
        Some((actor, self.named("destination_port").unwrap_or_default()))
    }

    /// The receiving end of a data flow.
    pub(crate) fn flow(&self) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        (self.event_type() == "DataFlow").then(|| {
            let end = |tag, name| self.said(tag).unwrap_or(Cow::Borrowed(name));
            (
                end(Tag::ToActor, self.edge.to_actor),
                end(Tag::ToPort, self.edge.to_port),
            )
        })
    }

    /// The id of its message, as JSON has it.
    pub fn message_value(&self) -> Option<Json> {
        let own = self.last_attribute(MESSAGE_ID);
        own.or_else(|| self.message_id.map(super::MessageId::to_value))
    }

    /// Whether attributes in its sections name the ends of an edge, beside the columns.
    ///
    /// What else is in the sections says the same as the columns, as far as these can hold it: names of up
    /// to 256 bytes.
    pub fn names_in_sections(&self) -> bool {
        sections::read(self.sections).flatten().any(|section| {
            section.tag == Tag::Attribute
                && matches!(
                    section.key(),
                    b"source_actor" | b"source_port" | b"destination_actor" | b"destination_port"
                )
        })
    }

    /// Its causes beside the parent: those that it names as joined, and where it names no parent the last of its
    /// chain.
    pub fn further_causes(&self) -> impl Iterator<Item = EventId> + use<'a> {
        // What a message was made from caused its send; who takes it up was caused by the send alone.
        let is_of_the_send = self.kind.0 == Kind::MessageReceived && self.flags & flag::CAUSE != 0;
        let has_parent = self.parent.is_some();
        let named = sections::read(self.sections).flatten();
        named.flat_map(move |section| {
            let ids = section.borrowed_payload().unwrap_or_default();
            let ids = ids.as_chunks::<16>().0;
            let ids = match section.tag {
                Tag::Joined if !is_of_the_send => ids,
                Tag::Chain if !has_parent => &ids[ids.len().saturating_sub(1)..],
                _ => &[],
            };
            ids.iter().map(|&id| EventId(Uuid::from_bytes(id)))
        })
    }

    /// The last section of this tag.
    fn last(&self, tag: Tag) -> Option<Section<'a>> {
        let sections = sections::read(self.sections).flatten();
        sections.filter(|section| section.tag == tag).last()
    }

    /// What the last section of this tag says.
    fn said(&self, tag: Tag) -> Option<Cow<'a, str>> {
        let section = self.last(tag)?;
        section.borrowed_payload().map(String::from_utf8_lossy)
    }

    fn last_attribute(&self, name: &str) -> Option<Json> {
        let sections = sections::read(self.sections).flatten();
        let of_name = sections.filter(|section| {
            section.tag == Tag::Attribute && String::from_utf8_lossy(section.key()) == name
        });
        of_name.last()?.attribute().map(|(_, value)| value)
    }

    /// An attribute of the text that its columns say, where it has one.
    fn described(&self, name: &str) -> Option<&'a str> {
        let is_described = self.kind.0 == Kind::Send && !self.is_by_hand();
        let names = is_described.then_some(self.edge)?;
        Some(match name {
            "source_actor" => names.from_actor,
            "source_port" => names.from_port,
            "destination_actor" => names.to_actor,
            "destination_port" => names.to_port,
            "protocol" => names.protocol,
            "compression" => names.compression,
            _ => return None,
        })
    }

    /// Whether its flags say that it has this attribute, which is `true` then.
    fn is_flagged(&self, name: &str) -> bool {
        let has = |flag| self.flags & flag != 0;
        !self.is_by_hand()
            && match name {
                "unlinked" => has(flag::UNLINKED),
                "trace_by_id" => has(flag::TRACE_BY_ID) && !has(flag::CAUSE),
                "trace_cut" => has(flag::TRACE_CUT),
                _ => false,
            }
    }

    /// An attribute that is text.
    fn named(&self, name: &str) -> Option<Cow<'a, str>> {
        match self.last_attribute(name) {
            Some(Json::String(text)) => Some(Cow::Owned(text)),
            Some(_) => None,
            None => self.described(name).map(Cow::Borrowed),
        }
    }

    fn port(&self) -> Option<Cow<'a, str>> {
        self.said(Tag::Port).or_else(|| {
            let receives = Record::receives(self.kind.0, self.flags);
            let port = if receives {
                self.edge.to_port
            } else {
                self.edge.from_port
            };
            (!self.is_by_hand()).then_some(Cow::Borrowed(port))
        })
    }

    /// Whether the event has a message.
    fn has_message(&self) -> bool {
        self.message_type.is_some()
            || sections::read(self.sections).flatten().any(|section| {
                matches!(
                    section.tag,
                    Tag::Message
                        | Tag::MessageType
                        | Tag::Checksum
                        | Tag::Content
                        | Tag::ContentTruncated
                )
            })
    }

    /// The size of the message, where there is one; 0 where it is not known.
    fn message_bytes(&self) -> Option<u64> {
        if self.message_type.is_some() || self.is_by_hand() && self.size_bytes.is_some() {
            return Some(self.size_bytes.unwrap_or(0));
        }
        self.has_message().then_some(0)
    }

    fn root_cause(&self) -> Option<EventId> {
        let has = |flag| self.flags & flag != 0;
        let is_root = has(flag::ROOT) && !has(flag::UNLINKED) && self.parent.is_none();
        let mut root = (is_root && !self.is_by_hand()).then_some(self.event_id);
        for section in sections::read(self.sections).flatten() {
            match section.tag {
                Tag::Parent => root = None,
                Tag::Root => root = section.number().map(|id| EventId(Uuid::from_bytes(id))),
                _ => {}
            }
        }
        root
    }

    fn is_send(&self) -> bool {
        matches!(self.event_type(), "DataFlow" | "MessageSent")
    }

    fn is_receive(&self) -> bool {
        self.kind.0 == Kind::MessageReceived
    }
}

impl Row for EventRow<'_> {
    fn column(&self, column: Column) -> Option<Value<'_>> {
        match column {
            Column::Timestamp => {
                let said = self.last(Tag::Timestamp);
                let said = said.and_then(|section| section.timestamp());
                let time = said.unwrap_or_else(|| DateTime::from_timestamp_nanos(self.start_ns));
                Some(Value::Time(time))
            }
            Column::EventId => Some(Value::Id(self.event_id.0)),
            Column::EventType => text(Some(Cow::Borrowed(self.event_type()))),
            Column::Outcome => text(self.outcome.map(|outcome| Cow::Borrowed(outcome.name()))),
            Column::ActorId => text(Some(self.actor())),
            Column::Port => text(self.port()),
            Column::SourceActor if self.is_send() => text(Some(self.actor())),
            Column::SourcePort if self.is_send() => text(self.port()),
            Column::SourceActor => text(self.named("source_actor")),
            Column::SourcePort => text(self.named("source_port")),
            Column::DestinationActor if self.is_receive() => text(Some(self.actor())),
            Column::DestinationPort if self.is_receive() => text(self.port()),
            Column::DestinationActor => text(self.destination().map(|(actor, _)| actor)),
            Column::DestinationPort => text(self.destination().map(|(_, port)| port)),
            Column::MessageType => text(self.has_message().then(|| {
                let known = Cow::Borrowed(self.message_type.unwrap_or_default());
                self.said(Tag::MessageType).unwrap_or(known)
            })),
            Column::MessageId => text(self.message_text()),
            Column::SizeBytes => whole(self.message_bytes()),
            Column::Checksum => text(self.said(Tag::Checksum).filter(|text| !text.is_empty())),
            Column::ExecutionTimeNs => whole(self.duration_ns),
            Column::WaitingTimeNs => whole(self.waiting_ns),
            Column::QueueDepth => whole(self.queue_depth),
            Column::ThroughputMsgsPerSec => float(self.throughput_msgs_per_sec),
            Column::MemoryUsageBytes => whole(self.memory_bytes),
            Column::CpuUsagePercent => float(self.cpu_usage_percent.map(f64::from)),
            Column::Error => text(self.said(Tag::Error)),
            Column::TraceId => self.trace_id.map(|id| Value::Id(id.0)),
            Column::ParentEventId => self.parent.map(|id| Value::Id(id.0)),
            Column::RootCauseEventId => self.root_cause().map(|id| Value::Id(id.0)),
            Column::SpanId => text(self.said(Tag::Span).filter(|text| !text.is_empty())),
            Column::HopCount => {
                let has_hops = self.flags & flag::HOPS != 0;
                whole(has_hops.then(|| u64::from(self.hops.unwrap_or(0))))
            }
            Column::Weight => {
                let threshold = self.threshold;
                float(SamplingInfo { threshold }.weight())
            }
        }
    }

    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        if let Some(own) = self.last_attribute(name) {
            return match own {
                Json::Bool(boolean) => Some(Value::Boolean(boolean)),
                Json::Number(number) => Number::of_json(&number).map(Value::Number),
                Json::String(string) => Some(Value::Text(Cow::Owned(string))),
                Json::Null | Json::Array(_) | Json::Object(_) => None,
            };
        }
        if name == MESSAGE_ID {
            return Some(match self.message_id? {
                super::MessageId::Number(number) => {
                    Value::Number(Number::Integer(i128::from(number)))
                }
                id => Value::Text(Cow::Owned(id.to_string())),
            });
        }
        if self.is_flagged(name) {
            return Some(Value::Boolean(true));
        }
        text(self.described(name).map(Cow::Borrowed))
    }

    fn has_attribute(&self, name: &str) -> bool {
        match self.last_attribute(name) {
            Some(own) => !own.is_null(),
            None => {
                name == MESSAGE_ID && self.message_id.is_some()
                    || self.is_flagged(name)
                    || self.described(name).is_some()
            }
        }
    }
}

impl<'a> EventRow<'a> {
    /// The id of its message as text: its characters, or its JSON where it is none.
    pub fn message_text(&self) -> Option<Cow<'a, str>> {
        match self.last_attribute(MESSAGE_ID) {
            Some(Json::Null) => None,
            Some(Json::String(string)) => Some(Cow::Owned(string)),
            Some(other) => Some(Cow::Owned(other.to_string())),
            None => self.message_id.map(|id| match id {
                super::MessageId::Text(text) => Cow::Borrowed(text),
                other => Cow::Owned(other.to_string()),
            }),
        }
    }
}

fn text(text: Option<Cow<'_, str>>) -> Option<Value<'_>> {
    text.map(Value::Text)
}

fn whole(number: Option<u64>) -> Option<Value<'static>> {
    number.map(|number| Value::Number(Number::Integer(i128::from(number))))
}

fn float(number: Option<f64>) -> Option<Value<'static>> {
    let number = number.filter(|number| !number.is_nan())?;
    Some(Value::Number(Number::Float(number)))
}
