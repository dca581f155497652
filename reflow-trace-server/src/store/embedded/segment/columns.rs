//! From rows to columns: the chunk of a segment that is being filled.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, FixedSizeBinaryBuilder, PrimitiveBuilder, StringBuilder,
};
use arrow_array::types::{
    Float32Type, Float64Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use reflow_trace::event::EventOrigin;
use reflow_trace::wire::{EventRow, MessageId};

use super::message::is_usual;
use super::rows::{encode_outcome, message_id_beside};
use super::schema::{PAGE_ROWS, SCHEMA};
use crate::store::rollup::OwnedEdge;

/// `randomness` of an event that has a trace id and no R.
pub(super) const NO_RANDOMNESS: u64 = u64::MAX;

/// Rows that are turned into columns at a time. It bounds memory, and is a multiple of a page.
const CHUNK_ROWS: usize = 8 * PAGE_ROWS;
/// What rows carry along may weigh so much at a time: the places in a column of bytes have 31 bits.
const CHUNK_BYTES: usize = 64 << 20;

/// The low bits of a trace id, which are R unless something else is said.
pub(super) const RANDOMNESS_MASK: u64 = (1 << 56) - 1;

/// An id that is either made by a ring or not.
#[derive(Default)]
struct IdBuilder {
    producer: PrimitiveBuilder<UInt64Type>,
    ring: PrimitiveBuilder<UInt32Type>,
    number: PrimitiveBuilder<UInt64Type>,
    foreign: Bytes16,
}

struct Bytes16(FixedSizeBinaryBuilder);

impl Default for Bytes16 {
    fn default() -> Self {
        Self(FixedSizeBinaryBuilder::new(16))
    }
}

impl Bytes16 {
    fn append(&mut self, id: Option<&[u8; 16]>) -> Result<(), ArrowError> {
        match id {
            Some(id) => self.0.append_value(id)?,
            None => self.0.append_null(),
        }
        Ok(())
    }
}

impl IdBuilder {
    fn append(
        &mut self,
        origin: Option<EventOrigin>,
        foreign: Option<&[u8; 16]>,
    ) -> Result<(), ArrowError> {
        self.producer
            .append_option(origin.map(|origin| origin.producer.bits()));
        self.ring.append_option(origin.map(|origin| origin.ring));
        self.number
            .append_option(origin.map(|origin| origin.sequence));
        self.foreign.append(foreign.filter(|_| origin.is_none()))
    }

    fn finish(&mut self) -> [ArrayRef; 4] {
        [
            Arc::new(self.producer.finish()),
            Arc::new(self.ring.finish()),
            Arc::new(self.number.finish()),
            Arc::new(self.foreign.0.finish()),
        ]
    }
}

/// Texts of which there are few: numbers into a dictionary of the chunk.
#[derive(Default)]
struct TextBuilder {
    keys: Vec<Option<i32>>,
    values: Vec<Box<str>>,
    places: HashMap<Box<str>, i32>,
    last: Option<i32>,
}

impl TextBuilder {
    fn key(&mut self, value: &str) -> i32 {
        if let Some(&key) = self.places.get(value) {
            return key;
        }
        let key = self.values.len() as i32;
        self.values.push(value.into());
        self.places.insert(value.into(), key);
        key
    }

    fn append(&mut self, value: Option<&str>) {
        let key = value.map(|value| match self.last {
            // Mostly it is the one before.
            Some(last) if *self.values[last as usize] == *value => last,
            _ => self.key(value),
        });
        self.last = key.or(self.last);
        self.keys.push(key);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let keys = Int32Array::from(std::mem::take(&mut self.keys));
        let values = std::mem::take(&mut self.values);
        let values: StringArray = values.iter().map(|value| Some(&**value)).collect();
        self.places.clear();
        self.last = None;
        Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(values))?))
    }
}

/// The six names, looked up once for each edge of the chunk.
#[derive(Default)]
struct EdgeBuilder {
    names: [TextBuilder; 6],
    /// The keys of an edge, by its number in the segment.
    keys: HashMap<u32, [i32; 6]>,
}

impl EdgeBuilder {
    fn append(&mut self, number: u32, edge: &OwnedEdge) {
        let keys = self.keys.entry(number).or_insert_with(|| {
            let mut keys = [0; 6];
            for (place, key) in keys.iter_mut().enumerate() {
                *key = self.names[place].key(&edge.names[place]);
            }
            keys
        });
        for (names, key) in std::iter::zip(&mut self.names, keys) {
            names.keys.push(Some(*key));
        }
    }
}

/// Where the ids of a row were made, as far as by a ring.
pub(super) struct Origins {
    pub(super) event: Option<EventOrigin>,
    pub(super) parent: Option<EventOrigin>,
    pub(super) trace: Option<EventOrigin>,
}

/// A chunk that is being filled.
#[derive(Default)]
pub(super) struct Columns {
    len: usize,
    /// Of what has no bound of its own, nearly.
    bytes: usize,
    time_ns: PrimitiveBuilder<TimestampNanosecondType>,
    offset: PrimitiveBuilder<UInt64Type>,
    event: IdBuilder,
    kind: PrimitiveBuilder<UInt8Type>,
    outcome: PrimitiveBuilder<UInt8Type>,
    flags: PrimitiveBuilder<UInt16Type>,
    duration_ns: PrimitiveBuilder<UInt64Type>,
    edge: EdgeBuilder,
    message_type: TextBuilder,
    size_bytes: PrimitiveBuilder<UInt64Type>,
    queue_depth: PrimitiveBuilder<UInt64Type>,
    waiting_ns: PrimitiveBuilder<UInt64Type>,
    memory_bytes: PrimitiveBuilder<UInt64Type>,
    cpu_percent: PrimitiveBuilder<Float32Type>,
    throughput: PrimitiveBuilder<Float64Type>,
    parent: IdBuilder,
    trace: IdBuilder,
    randomness: PrimitiveBuilder<UInt64Type>,
    hops: PrimitiveBuilder<UInt8Type>,
    threshold: PrimitiveBuilder<UInt64Type>,
    message_prefix: TextBuilder,
    message_width: PrimitiveBuilder<UInt8Type>,
    message_number: PrimitiveBuilder<UInt64Type>,
    message_uuid: Bytes16,
    message_text: StringBuilder,
    message_other: StringBuilder,
    sections: BinaryBuilder,
}

impl Columns {
    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the chunk is to be finished before more is added.
    pub(super) const fn is_full(&self) -> bool {
        self.len == CHUNK_ROWS || self.bytes >= CHUNK_BYTES
    }

    /// Adds a row, whose edge has this number in the segment, and says where its ids were made.
    pub(super) fn push(
        &mut self,
        offset: u64,
        row: &EventRow<'_>,
        number: u32,
        edge: &OwnedEdge,
    ) -> Result<Origins, ArrowError> {
        self.len += 1;
        // Names and numbers beside it are short.
        self.bytes += row.sections.len();
        self.time_ns.append_value(row.start_ns);
        self.offset.append_value(offset);
        let id = row.event_id;
        let origins = Origins {
            event: id.origin(),
            parent: row.parent.and_then(|id| id.origin()),
            trace: row.trace_id.and_then(|id| id.origin()),
        };
        self.event
            .append(origins.event, Some(id.as_uuid().as_bytes()))?;
        self.kind.append_value(row.kind.number());
        self.outcome.append_option(row.outcome.map(encode_outcome));
        self.flags.append_value(row.flags);
        self.duration_ns.append_option(row.duration_ns);
        self.edge.append(number, edge);
        self.message_type.append(row.message_type);
        self.size_bytes.append_option(row.size_bytes);
        self.queue_depth.append_option(row.queue_depth);
        self.waiting_ns.append_option(row.waiting_ns);
        self.memory_bytes.append_option(row.memory_bytes);
        self.cpu_percent.append_option(row.cpu_usage_percent);
        self.throughput.append_option(row.throughput_msgs_per_sec);
        let parent = row.parent;
        self.parent.append(
            origins.parent,
            parent.as_ref().map(|id| id.as_uuid().as_bytes()),
        )?;
        let trace = row.trace_id;
        self.trace.append(
            origins.trace,
            trace.as_ref().map(|id| id.as_uuid().as_bytes()),
        )?;
        let usual = trace.map(|id| id.as_uuid().as_u128() as u64 & RANDOMNESS_MASK);
        self.randomness.append_option(
            (row.randomness != usual).then(|| row.randomness.unwrap_or(NO_RANDOMNESS)),
        );
        self.hops.append_option(row.hops);
        self.threshold
            .append_option(row.threshold.map(|threshold| threshold.bits()));
        self.push_message_id(row)?;
        if row.sections.is_empty() {
            self.sections.append_null();
            self.message_other.append_null();
        } else {
            self.sections.append_value(row.sections);
            self.message_other.append_option(message_id_beside(row));
        }
        Ok(origins)
    }

    fn push_message_id(&mut self, row: &EventRow<'_>) -> Result<(), ArrowError> {
        let is_usual = row.message_id.as_ref().is_some_and(is_usual);
        let (prefix, width, number, uuid) = match &row.message_id {
            None | Some(MessageId::Text(_)) => (None, None, None, None),
            Some(MessageId::Number(number)) => (None, None, Some(*number), None),
            Some(MessageId::Numbered {
                prefix,
                width,
                number,
            }) if is_usual => (Some(*prefix), Some(*width), Some(*number), None),
            // Whoever looks for it expects it where its text says.
            Some(MessageId::Numbered { .. }) => (None, None, None, None),
            Some(MessageId::Uuid(uuid)) => (None, None, None, Some(uuid)),
        };
        self.message_prefix.append(prefix);
        self.message_width.append_option(width);
        self.message_number.append_option(number);
        self.message_uuid.append(uuid)?;
        match &row.message_id {
            Some(MessageId::Text(text)) => {
                self.bytes += text.len();
                self.message_text.append_value(text);
            }
            Some(id @ MessageId::Numbered { .. }) if !is_usual => {
                self.message_text.append_value(id.to_string());
            }
            _ => self.message_text.append_null(),
        }
        Ok(())
    }

    /// The chunk; the next one begins empty.
    pub(super) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        (self.len, self.bytes) = (0, 0);
        let [producer, ring, sequence, event_id] = self.event.finish();
        let [parent_producer, parent_ring, parent_sequence, parent_id] = self.parent.finish();
        let [trace_producer, trace_ring, trace_number, trace_id] = self.trace.finish();
        self.edge.keys.clear();
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(self.time_ns.finish().with_timezone("UTC")),
            Arc::new(self.offset.finish()),
            producer,
            ring,
            sequence,
            event_id,
            Arc::new(self.kind.finish()),
            Arc::new(self.outcome.finish()),
            Arc::new(self.flags.finish()),
            Arc::new(self.duration_ns.finish()),
        ];
        for names in &mut self.edge.names {
            arrays.push(names.finish()?);
        }
        let rest: [ArrayRef; 25] = [
            self.message_type.finish()?,
            Arc::new(self.size_bytes.finish()),
            Arc::new(self.queue_depth.finish()),
            Arc::new(self.waiting_ns.finish()),
            Arc::new(self.memory_bytes.finish()),
            Arc::new(self.cpu_percent.finish()),
            Arc::new(self.throughput.finish()),
            parent_producer,
            parent_ring,
            parent_sequence,
            parent_id,
            trace_producer,
            trace_ring,
            trace_number,
            trace_id,
            Arc::new(self.randomness.finish()),
            Arc::new(self.hops.finish()),
            Arc::new(self.threshold.finish()),
            self.message_prefix.finish()?,
            Arc::new(self.message_width.finish()),
            Arc::new(self.message_number.finish()),
            Arc::new(self.message_uuid.0.finish()),
            Arc::new(self.message_text.finish()),
            Arc::new(self.message_other.finish()),
            Arc::new(self.sections.finish()),
        ];
        arrays.extend(rest);
        RecordBatch::try_new(SCHEMA.clone(), arrays)
    }
}
