//! From a record to the event that a reader sees.

use std::collections::HashMap;

use chrono::DateTime;
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
    let mut event = event_of_words(&record, &names, origin, around);
    if record.flags & flag::BY_HAND != 0 {
        forget_what_sections_hold(&mut event);
    }
    for section in sections::read(rest) {
        apply(&mut event, &section, origin, &record)?;
    }
    Some(event)
}

fn event_of_words(
    record: &Record,
    names: &EdgeNames,
    origin: Origin,
    around: &Surroundings<'_>,
) -> TraceEvent {
    let event_type = type_of(record, names);
    let receives = record.kind == Kind::MessageReceived && record.flags & flag::BY_HAND == 0;
    let (actor, port) = if receives {
        (&names.to_actor, &names.to_port)
    } else {
        (&names.from_actor, &names.from_port)
    };
    let event_id = EventId::from_origin(EventOrigin {
        producer: origin.producer,
        ring: origin.ring,
        sequence: record.sequence,
    });
    let parent = (record.flags & flag::CAUSE != 0).then(|| {
        EventId::from_origin(EventOrigin {
            producer: origin.producer,
            ring: record.cause_ring,
            sequence: record.cause_sequence,
        })
    });
    let in_trace = record.flags & flag::IN_TRACE != 0;
    let duration = record
        .duration
        .map(|ticks| around.calibration.duration_ns(ticks));
    let dropped = record.kind == Kind::Send && record.outcome == Some(Outcome::Dropped);
    let waiting = record
        .wide
        .filter(|_| receives || dropped)
        .map(|ticks| around.calibration.duration_ns(ticks));
    let memory = record.wide.filter(|_| !receives && !dropped);
    // What was taken up without a context was led to by something that is not known.
    let is_root = record.flags & (flag::ROOT | flag::UNLINKED) == flag::ROOT && parent.is_none();
    let mut data = TraceEventData {
        port: Some(port.to_string()),
        message: (record.message_type != 0).then(|| MessageSnapshot {
            message_type: around.dictionary.type_name(record.message_type).to_string(),
            size_bytes: record.size.unwrap_or(0) as usize,
            size_is_shallow: record.flags & flag::SHALLOW_SIZE != 0,
            ..MessageSnapshot::default()
        }),
        performance_metrics: PerformanceMetrics {
            execution_time_ns: duration,
            memory_usage_bytes: memory.map(|bytes| bytes as usize),
            cpu_usage_percent: around.cpu_usage_percent,
            queue_depth: record.depth.map(|depth| depth as usize),
            throughput_msgs_per_sec: (record.kind == Kind::Send)
                .then(|| around.throughput.get(&record.edge).copied())
                .flatten(),
            waiting_time_ns: waiting,
        },
        ..TraceEventData::default()
    };
    if record.kind == Kind::Send {
        describe_edge(names, &mut data);
    }
    if record.flags & flag::UNLINKED != 0 {
        data.custom_attributes
            .insert("unlinked".to_owned(), json!(true));
    }
    if record.flags & flag::TRACE_BY_ID != 0 && parent.is_none() {
        data.custom_attributes
            .insert("trace_by_id".to_owned(), json!(true));
    }
    if record.flags & flag::TRACE_CUT != 0 {
        data.custom_attributes
            .insert("trace_cut".to_owned(), json!(true));
    }
    TraceEvent {
        event_id,
        timestamp: around.calibration.timestamp(record.start),
        event_type,
        actor_id: actor.to_string(),
        data,
        causality: CausalityInfo {
            parent_event_id: parent,
            root_cause_event_id: is_root.then_some(event_id),
            hop_count: (record.flags & flag::HOPS != 0).then_some(record.hops),
            ..CausalityInfo::default()
        },
        outcome: record.outcome,
        trace_id: in_trace.then(|| {
            let root = (u128::from(record.trace_high) << 56) | u128::from(record.randomness);
            TraceId::from_root(origin.producer, root)
        }),
        sampling: SamplingInfo {
            threshold: around.thresholds.threshold(record.policy),
        },
    }
}

fn type_of(record: &Record, names: &EdgeNames) -> TraceEventType {
    let by_hand = record.flags & flag::BY_HAND != 0;
    match record.kind {
        Kind::Send if by_hand || record.outcome == Some(Outcome::Delivered) => {
            TraceEventType::DataFlow {
                to_actor: names.to_actor.to_string(),
                to_port: names.to_port.to_string(),
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
fn describe_edge(names: &EdgeNames, data: &mut TraceEventData) {
    for (key, name) in [
        ("source_actor", &names.from_actor),
        ("source_port", &names.from_port),
        ("destination_actor", &names.to_actor),
        ("destination_port", &names.to_port),
        ("protocol", &names.protocol),
        ("compression", &names.compression),
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

fn uuid_of(section: &Section) -> Option<Uuid> {
    section.number().map(Uuid::from_bytes)
}

fn ids_of(section: &Section) -> Vec<EventId> {
    let ids = section.payload().as_chunks::<16>().0;
    ids.iter()
        .map(|&id| EventId(Uuid::from_bytes(id)))
        .collect()
}

/// `None` when the section is broken.
fn apply(event: &mut TraceEvent, section: &Section, origin: Origin, record: &Record) -> Option<()> {
    let data = &mut event.data;
    match section.tag {
        Tag::HomeRing => {
            let ring = u32::from_le_bytes(section.number()?);
            event.event_id = EventId::from_origin(EventOrigin {
                ring,
                producer: origin.producer,
                sequence: record.sequence,
            });
            if event.causality.root_cause_event_id.is_some() {
                event.causality.root_cause_event_id = Some(event.event_id);
            }
        }
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
        Tag::Joined if record.kind == Kind::MessageReceived && record.flags & flag::CAUSE != 0 => {}
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
        Tag::Timestamp => {
            let payload = section.number::<12>()?;
            let (seconds, nanoseconds) = payload.split_at(8);
            event.timestamp = DateTime::from_timestamp(
                i64::from_le_bytes(seconds.try_into().ok()?),
                u32::from_le_bytes(nanoseconds.try_into().ok()?),
            )?;
        }
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

fn metrics_of(section: &Section) -> Option<PerformanceMetrics> {
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
