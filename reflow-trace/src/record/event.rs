//! From an event built by hand to a record, without loss.

use super::sections::{Sections, Tag};
use super::{Kind, NO_POLICY, Record, flag};
use crate::clock::Calibration;
use crate::edge::{DEFAULT_COMPRESSION, DEFAULT_PROTOCOL, Dictionary, EdgeNames, bounded_name};
use crate::event::{PerformanceMetrics, StateDiffType, TraceEvent, TraceEventType};
use crate::ring::SLOT_WORDS;

/// The event with all its attributes exceeds what a record can hold: 65 535 slots of 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordTooLarge;

/// Encodes `event` as attempt number `sequence` of its ring.
///
/// The words of the record hold what they can, for searching; the sections hold everything exactly.
pub(crate) fn encode_event(
    event: &TraceEvent,
    sequence: u64,
    dictionary: &Dictionary,
    calibration: &Calibration,
) -> Result<Vec<u64>, RecordTooLarge> {
    let mut sections = Sections::default();
    let (to_actor, to_port) = match &event.event_type {
        TraceEventType::DataFlow { to_actor, to_port } => (to_actor.as_str(), to_port.as_str()),
        _ => ("", ""),
    };
    let port = event.data.port.as_deref();
    for (tag, name) in [
        (Tag::Actor, event.actor_id.as_str()),
        (Tag::ToActor, to_actor),
        (Tag::ToPort, to_port),
    ] {
        if bounded_name(name) != name {
            sections.put(tag, name.as_bytes());
        }
    }
    // Also where it is whole in the dictionary: an empty port and none are different.
    if let Some(port) = port {
        sections.put(Tag::Port, port.as_bytes());
    }
    let ends = [
        event.actor_id.as_str(),
        port.unwrap_or(""),
        to_actor,
        to_port,
    ];
    let edge = dictionary.edge(EdgeNames::new(ends, DEFAULT_PROTOCOL, DEFAULT_COMPRESSION));

    sections.put(Tag::EventId, event.event_id.0.as_bytes());
    let mut timestamp = event.timestamp.timestamp().to_le_bytes().to_vec();
    timestamp.extend(event.timestamp.timestamp_subsec_nanos().to_le_bytes());
    sections.put(Tag::Timestamp, &timestamp);
    put_causality(event, &mut sections);
    put_message(event, &mut sections);
    put_metrics(&event.data.performance_metrics, &mut sections);
    if let Some(threshold) = event.sampling.threshold {
        sections.put(Tag::Threshold, &threshold.bits().to_le_bytes());
    }
    for (key, value) in &event.data.custom_attributes {
        sections.put_json(key, value);
    }

    let metrics = &event.data.performance_metrics;
    let message = event.data.message.as_ref();
    let message_type = message.map_or(0, |message| dictionary.message_type(&message.message_type));
    let nanoseconds = event.timestamp.timestamp_nanos_opt();
    let rest = sections.seal();
    let slots = u16::try_from(rest.len() / SLOT_WORDS).map_err(|_| RecordTooLarge)?;
    let record = Record {
        slots,
        sequence,
        start: nanoseconds.map_or(0, |ns| calibration.ticks_at(ns)),
        duration: metrics.execution_time_ns.map(|ns| calibration.ticks_in(ns)),
        policy: NO_POLICY,
        edge,
        message_type,
        kind: kind_of(&event.event_type),
        outcome: event.outcome,
        size: message.map(|message| message.size_bytes as u64),
        depth: metrics.queue_depth.map(|depth| depth as u64),
        cause_ring: 0,
        cause_sequence: 0,
        flags: flag::BY_HAND
            | if event.causality.hop_count.is_some() {
                flag::HOPS
            } else {
                0
            },
        randomness: 0,
        trace_high: 0,
        hops: event.causality.hop_count.unwrap_or(0),
        wide: None,
    };
    let mut words = record.pack().to_vec();
    words.extend_from_slice(rest);
    Ok(words)
}

fn kind_of(event_type: &TraceEventType) -> Kind {
    match event_type {
        TraceEventType::DataFlow { .. } => Kind::Send,
        TraceEventType::MessageSent => Kind::MessageSent,
        TraceEventType::MessageReceived => Kind::MessageReceived,
        TraceEventType::ActorCreated => Kind::ActorCreated,
        TraceEventType::ActorStarted => Kind::ActorStarted,
        TraceEventType::ActorCompleted => Kind::ActorCompleted,
        TraceEventType::ActorFailed => Kind::ActorFailed,
        TraceEventType::StateChanged => Kind::StateChanged,
        TraceEventType::PortConnected => Kind::PortConnected,
        TraceEventType::PortDisconnected => Kind::PortDisconnected,
        TraceEventType::NetworkEvent => Kind::NetworkEvent,
    }
}

fn put_causality(event: &TraceEvent, sections: &mut Sections) {
    let causality = &event.causality;
    let ids = |ids: &[crate::EventId]| {
        ids.iter()
            .flat_map(|id| *id.0.as_bytes())
            .collect::<Vec<u8>>()
    };
    if let Some(trace) = event.trace_id {
        sections.put(Tag::TraceId, trace.0.as_bytes());
    }
    if let Some(parent) = causality.parent_event_id {
        sections.put(Tag::Parent, parent.0.as_bytes());
    }
    if let Some(root) = causality.root_cause_event_id {
        sections.put(Tag::Root, root.0.as_bytes());
    }
    if !causality.dependency_chain.is_empty() {
        sections.put(Tag::Chain, &ids(&causality.dependency_chain));
    }
    if !causality.joined_event_ids.is_empty() {
        sections.put(Tag::Joined, &ids(&causality.joined_event_ids));
    }
    if !causality.span_id.is_empty() {
        sections.put(Tag::Span, causality.span_id.as_bytes());
    }
}

fn put_message(event: &TraceEvent, sections: &mut Sections) {
    if let Some(message) = &event.data.message {
        let mut size = (message.size_bytes as u64).to_le_bytes().to_vec();
        size.push(u8::from(message.size_is_shallow));
        sections.put(Tag::Message, &size);
        if message.message_type.is_empty()
            || bounded_name(&message.message_type) != message.message_type
        {
            sections.put(Tag::MessageType, message.message_type.as_bytes());
        }
        if !message.checksum.is_empty() {
            sections.put(Tag::Checksum, message.checksum.as_bytes());
        }
        if !message.serialized_data.is_empty() {
            sections.put(Tag::Content, &message.serialized_data);
        }
        if message.content_is_truncated {
            sections.put(Tag::ContentTruncated, &[]);
        }
    }
    if let Some(error) = &event.data.error {
        sections.put(Tag::Error, error.as_bytes());
    }
    if let Some(diff) = &event.data.state_diff {
        if let Some(before) = &diff.before {
            sections.put(Tag::StateBefore, before);
        }
        sections.put(Tag::StateAfter, &diff.after);
        let kind = match diff.diff_type {
            StateDiffType::Full => 0,
            StateDiffType::Incremental => 1,
            StateDiffType::MemoryOnly => 2,
        };
        sections.put(Tag::StateKind, &[kind]);
    }
}

fn put_metrics(metrics: &PerformanceMetrics, sections: &mut Sections) {
    let values = [
        metrics.execution_time_ns,
        metrics.memory_usage_bytes.map(|bytes| bytes as u64),
        metrics
            .cpu_usage_percent
            .map(|percent| u64::from(percent.to_bits())),
        metrics.queue_depth.map(|depth| depth as u64),
        metrics.throughput_msgs_per_sec.map(f64::to_bits),
        metrics.waiting_time_ns,
    ];
    if values.iter().all(Option::is_none) {
        return;
    }
    let known = values.iter().enumerate().fold(0u8, |known, (bit, value)| {
        known | (u8::from(value.is_some()) << bit)
    });
    let mut payload = vec![known];
    payload.extend(
        values
            .iter()
            .flat_map(|value| value.unwrap_or(0).to_le_bytes()),
    );
    sections.put(Tag::Metrics, &payload);
}
