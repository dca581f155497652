//! From a record to the event that a reader sees.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::sections::{self, Section, Tag};
use super::{Kind, Record, flag};
use crate::clock::Calibration;
use crate::edge::{Dictionary, EdgeNames, EdgeNumber};
use crate::event::{
    CausalityInfo, EventId, EventOrigin, MessageSnapshot, Outcome, PerformanceMetrics, ProducerId,
    StateDiff, StateDiffType, TraceEvent, TraceEventData, TraceEventType, TraceId,
};
use crate::ring::{SLOT_WORDS, Words};
use crate::sampling::{SamplingInfo, Threshold, ThresholdTable};

/// Where a record was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) producer: ProducerId,
    pub(crate) ring: u32,
}

/// What a record refers to.
pub(crate) struct Surroundings<'a> {
    pub(crate) calibration: &'a Calibration,
    pub(crate) dictionary: &'a Dictionary,
    pub(crate) thresholds: &'a ThresholdTable,
    /// Of the process over the last second.
    pub(crate) cpu_usage_percent: Option<f32>,
    /// Of an edge over the last second.
    pub(crate) throughput: &'a HashMap<EdgeNumber, f64>,
}

/// The event of the record in `words`; `None` when they hold none.
pub(crate) fn view(words: &[u64], origin: Origin, around: &Surroundings<'_>) -> Option<TraceEvent> {
    let (first, rest): (&Words, _) = words.split_first_chunk::<SLOT_WORDS>()?;
    let record = Record::unpack(first)?;
    let names = around.dictionary.edge_names(record.edge);
    let message_type = around.dictionary.type_name(record.message_type);
    let message_type = (record.message_type != 0).then_some(&*message_type);
    let facts = facts_of(&record, (&*names).into(), message_type, origin, around);
    let mut event = event_of(&facts);
    for section in sections::read(rest) {
        if section.tag == Tag::HomeRing {
            let ring = u32::from_le_bytes(section.number()?);
            move_to(&mut event, ring, origin.producer, record.sequence);
        } else {
            apply(&mut event, &section, record.kind, record.flags)?;
        }
    }
    Some(event)
}

/// The attempt began in another ring than the one it was read from.
fn move_to(event: &mut TraceEvent, ring: u32, producer: ProducerId, sequence: u64) {
    event.event_id = EventId::from_origin(EventOrigin {
        ring,
        producer,
        sequence,
    });
    if event.causality.root_cause_event_id.is_some() {
        event.causality.root_cause_event_id = Some(event.event_id);
    }
}

/// What is known of a record once numbers have become names, and ticks have become nanoseconds.
pub(crate) struct Facts<'a> {
    pub(crate) kind: Kind,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) flags: u16,
    pub(crate) event_id: EventId,
    pub(crate) timestamp: DateTime<Utc>,
    pub(crate) duration_ns: Option<u64>,
    pub(crate) names: Names<'a>,
    pub(crate) message_type: Option<&'a str>,
    pub(crate) size: Option<u64>,
    pub(crate) depth: Option<u64>,
    pub(crate) waiting_ns: Option<u64>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) cpu_usage_percent: Option<f32>,
    pub(crate) throughput: Option<f64>,
    pub(crate) parent: Option<EventId>,
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) hops: u8,
    pub(crate) threshold: Option<Threshold>,
}

/// The names of an edge, wherever they are kept.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) from_actor: &'a str,
    pub(crate) from_port: &'a str,
    pub(crate) to_actor: &'a str,
    pub(crate) to_port: &'a str,
    pub(crate) protocol: &'a str,
    pub(crate) compression: &'a str,
}

impl<'a> From<&'a EdgeNames> for Names<'a> {
    fn from(names: &'a EdgeNames) -> Self {
        Self {
            from_actor: &names.from_actor,
            from_port: &names.from_port,
            to_actor: &names.to_actor,
            to_port: &names.to_port,
            protocol: &names.protocol,
            compression: &names.compression,
        }
    }
}

impl Record {
    /// Taken up by a probe; one that was built by hand says for itself what it is.
    pub(crate) fn receives(kind: Kind, flags: u16) -> bool {
        kind == Kind::MessageReceived && flags & flag::BY_HAND == 0
    }

    /// Whether `wide` is a waiting time, and not memory.
    pub(crate) fn has_waiting(kind: Kind, outcome: Option<Outcome>, flags: u16) -> bool {
        let dropped = kind == Kind::Send && outcome == Some(Outcome::Dropped);
        Self::receives(kind, flags) || dropped
    }
}

fn facts_of<'a>(
    record: &Record,
    names: Names<'a>,
    message_type: Option<&'a str>,
    origin: Origin,
    around: &Surroundings<'_>,
) -> Facts<'a> {
    let id = |ring, sequence| {
        EventId::from_origin(EventOrigin {
            producer: origin.producer,
            ring,
            sequence,
        })
    };
    let ns = |ticks| around.calibration.duration_ns(ticks);
    let has_waiting = Record::has_waiting(record.kind, record.outcome, record.flags);
    Facts {
        kind: record.kind,
        outcome: record.outcome,
        flags: record.flags,
        event_id: id(origin.ring, record.sequence),
        timestamp: around.calibration.timestamp(record.start),
        duration_ns: record.duration.map(ns),
        names,
        message_type,
        size: record.size,
        depth: record.depth,
        waiting_ns: record.wide.filter(|_| has_waiting).map(ns),
        memory_bytes: record.wide.filter(|_| !has_waiting),
        cpu_usage_percent: around.cpu_usage_percent,
        throughput: (record.kind == Kind::Send)
            .then(|| around.throughput.get(&record.edge).copied())
            .flatten(),
        parent: (record.flags & flag::CAUSE != 0)
            .then(|| id(record.cause_ring, record.cause_sequence)),
        trace_id: (record.flags & flag::IN_TRACE != 0).then(|| {
            let root = (u128::from(record.trace_high) << 56) | u128::from(record.randomness);
            TraceId::from_root(origin.producer, root)
        }),
        hops: record.hops,
        threshold: around.thresholds.threshold(record.policy),
    }
}

/// The event of a record as far as it is in the words; the rest is in sections, see [`apply`].
pub(crate) fn event_of(facts: &Facts<'_>) -> TraceEvent {
    let names = facts.names;
    let has = |flag| facts.flags & flag != 0;
    let (actor, port) = if Record::receives(facts.kind, facts.flags) {
        (names.to_actor, names.to_port)
    } else {
        (names.from_actor, names.from_port)
    };
    // What was taken up without a context was led to by something that is not known.
    let is_root = has(flag::ROOT) && !has(flag::UNLINKED) && facts.parent.is_none();
    let mut data = TraceEventData {
        port: Some(port.to_owned()),
        message: facts.message_type.map(|name| MessageSnapshot {
            message_type: name.to_owned(),
            size_bytes: facts.size.unwrap_or(0) as usize,
            size_is_shallow: has(flag::SHALLOW_SIZE),
            ..MessageSnapshot::default()
        }),
        performance_metrics: PerformanceMetrics {
            execution_time_ns: facts.duration_ns,
            memory_usage_bytes: facts.memory_bytes.map(|bytes| bytes as usize),
            cpu_usage_percent: facts.cpu_usage_percent,
            queue_depth: facts.depth.map(|depth| depth as usize),
            throughput_msgs_per_sec: facts.throughput,
            waiting_time_ns: facts.waiting_ns,
        },
        ..TraceEventData::default()
    };
    if facts.kind == Kind::Send {
        describe_edge(&names, &mut data);
    }
    for (is_so, key) in [
        (has(flag::UNLINKED), "unlinked"),
        (has(flag::TRACE_BY_ID) && !has(flag::CAUSE), "trace_by_id"),
        (has(flag::TRACE_CUT), "trace_cut"),
    ] {
        if is_so {
            data.custom_attributes.insert(key.to_owned(), json!(true));
        }
    }
    let mut event = TraceEvent {
        event_id: facts.event_id,
        timestamp: facts.timestamp,
        event_type: type_of(facts),
        actor_id: actor.to_owned(),
        data,
        causality: CausalityInfo {
            parent_event_id: facts.parent,
            root_cause_event_id: is_root.then_some(facts.event_id),
            hop_count: has(flag::HOPS).then_some(facts.hops),
            ..CausalityInfo::default()
        },
        outcome: facts.outcome,
        trace_id: facts.trace_id,
        sampling: SamplingInfo {
            threshold: facts.threshold,
        },
    };
    if has(flag::BY_HAND) {
        forget_what_sections_hold(&mut event);
    }
    event
}

fn type_of(facts: &Facts<'_>) -> TraceEventType {
    let by_hand = facts.flags & flag::BY_HAND != 0;
    match facts.kind {
        Kind::Send if by_hand || facts.outcome == Some(Outcome::Delivered) => {
            TraceEventType::DataFlow {
                to_actor: facts.names.to_actor.to_owned(),
                to_port: facts.names.to_port.to_owned(),
            }
        }
        Kind::Send | Kind::MessageSent => TraceEventType::MessageSent,
        Kind::MessageReceived => TraceEventType::MessageReceived,
        Kind::ActorCreated => TraceEventType::ActorCreated,
        Kind::ActorStarted => TraceEventType::ActorStarted,
        Kind::ActorCompleted => TraceEventType::ActorCompleted,
        Kind::ActorFailed => TraceEventType::ActorFailed,
        Kind::StateChanged => TraceEventType::StateChanged,
        Kind::PortConnected => TraceEventType::PortConnected,
        Kind::PortDisconnected => TraceEventType::PortDisconnected,
        Kind::NetworkEvent => TraceEventType::NetworkEvent,
    }
}

/// The attributes that the specification prints for a data flow.
fn describe_edge(names: &Names<'_>, data: &mut TraceEventData) {
    for (key, name) in [
        ("source_actor", names.from_actor),
        ("source_port", names.from_port),
        ("destination_actor", names.to_actor),
        ("destination_port", names.to_port),
        ("protocol", names.protocol),
        ("compression", names.compression),
    ] {
        data.custom_attributes.insert(key.to_owned(), json!(name));
    }
}

/// An event built by hand says for itself what it holds; what it does not say, it does not hold.
fn forget_what_sections_hold(event: &mut TraceEvent) {
    event.data.port = None;
    event.data.message = event.data.message.take().map(|message| MessageSnapshot {
        message_type: message.message_type,
        ..MessageSnapshot::default()
    });
    event.data.performance_metrics = PerformanceMetrics::default();
    event.data.custom_attributes.clear();
    let hop_count = event.causality.hop_count;
    event.causality = CausalityInfo {
        hop_count,
        ..CausalityInfo::default()
    };
    event.sampling = SamplingInfo::default();
}

fn uuid_of(section: &Section<'_>) -> Option<Uuid> {
    section.number().map(Uuid::from_bytes)
}

fn ids_of(section: &Section<'_>) -> Vec<EventId> {
    let ids = section.payload().as_chunks::<16>().0;
    ids.iter()
        .map(|&id| EventId(Uuid::from_bytes(id)))
        .collect()
}

/// Adds what a section says; `None` when it is broken.
pub(crate) fn apply(
    event: &mut TraceEvent,
    section: &Section<'_>,
    kind: Kind,
    flags: u16,
) -> Option<()> {
    let data = &mut event.data;
    match section.tag {
        // Whoever knows the ring has seen to it.
        Tag::HomeRing => {}
        Tag::Attribute => {
            let (key, value) = section.attribute()?;
            data.custom_attributes.insert(key, value);
        }
        Tag::EventId => event.event_id = EventId(uuid_of(section)?),
        Tag::TraceId => event.trace_id = Some(TraceId(uuid_of(section)?)),
        Tag::Parent => {
            event.causality.parent_event_id = Some(EventId(uuid_of(section)?));
            // What has a cause is no root, and one that is named is named after this.
            event.causality.root_cause_event_id = None;
        }
        Tag::Root => event.causality.root_cause_event_id = Some(EventId(uuid_of(section)?)),
        Tag::Chain => event.causality.dependency_chain = ids_of(section),
        // What a message was made from caused its send; who takes it up was caused by the send alone.
        Tag::Joined if kind == Kind::MessageReceived && flags & flag::CAUSE != 0 => {}
        Tag::Joined => event.causality.joined_event_ids.extend(ids_of(section)),
        Tag::Span => event.causality.span_id = section.text(),
        Tag::Actor => event.actor_id = section.text(),
        Tag::Port => data.port = Some(section.text()),
        Tag::ToActor | Tag::ToPort => {
            if let TraceEventType::DataFlow { to_actor, to_port } = &mut event.event_type {
                *(if section.tag == Tag::ToActor {
                    to_actor
                } else {
                    to_port
                }) = section.text();
            }
        }
        Tag::MessageType => data.message.get_or_insert_default().message_type = section.text(),
        Tag::Timestamp => event.timestamp = section.timestamp()?,
        Tag::Metrics => data.performance_metrics = metrics_of(section)?,
        Tag::Message => {
            let message = data.message.get_or_insert_default();
            message.size_bytes = u64::from_le_bytes(section.number()?) as usize;
            message.size_is_shallow = section.payload().get(8) == Some(&1);
        }
        Tag::Checksum => data.message.get_or_insert_default().checksum = section.text(),
        Tag::Content => {
            data.message.get_or_insert_default().serialized_data = section.payload().to_vec()
        }
        Tag::ContentTruncated => {
            data.message.get_or_insert_default().content_is_truncated = true;
        }
        Tag::Error => data.error = Some(section.text()),
        Tag::StateBefore => state_of(data).before = Some(section.payload().to_vec()),
        Tag::StateAfter => state_of(data).after = section.payload().to_vec(),
        Tag::StateKind => {
            state_of(data).diff_type = match section.payload() {
                [0] => StateDiffType::Full,
                [1] => StateDiffType::Incremental,
                _ => StateDiffType::MemoryOnly,
            }
        }
        Tag::Threshold => {
            let bits = u64::from_le_bytes(section.number()?);
            event.sampling.threshold = Some(Threshold::from_bits(bits));
        }
    }
    Some(())
}

fn state_of(data: &mut TraceEventData) -> &mut StateDiff {
    data.state_diff.get_or_insert(StateDiff {
        before: None,
        after: Vec::new(),
        diff_type: StateDiffType::Full,
    })
}

pub(crate) fn metrics_of(section: &Section<'_>) -> Option<PerformanceMetrics> {
    let (&known, values) = section.payload().split_first()?;
    let values = values.as_chunks::<8>().0;
    let value = |index: usize| {
        let bits = u64::from_le_bytes(*values.get(index)?);
        (known & (1 << index) != 0).then_some(bits)
    };
    Some(PerformanceMetrics {
        execution_time_ns: value(0),
        memory_usage_bytes: value(1).map(|bytes| bytes as usize),
        cpu_usage_percent: value(2).map(|bits| f32::from_bits(bits as u32)),
        queue_depth: value(3).map(|depth| depth as usize),
        throughput_msgs_per_sec: value(4).map(f64::from_bits),
        waiting_time_ns: value(5),
    })
}
