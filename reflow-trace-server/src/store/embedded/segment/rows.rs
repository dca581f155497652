//! From columns back to rows, without a copy.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, TimestampNanosecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, DictionaryArray, FixedSizeBinaryArray, PrimitiveArray,
    RecordBatch, StringArray,
};
use reflow_trace::event::{EventOrigin, ProducerId};
use reflow_trace::sampling::Threshold;
use reflow_trace::wire::{EdgeNames, EventRow, MessageId, RowKind};
use reflow_trace::{EventId, Outcome, TraceEvent, TraceId};

use super::columns::{NO_RANDOMNESS, RANDOMNESS_MASK};
use super::schema::{Place, SCHEMA};

/// Outcomes by number; the numbers are part of the format.
const OUTCOMES: [Outcome; 6] = [
    Outcome::Delivered,
    Outcome::Failed,
    Outcome::Cancelled,
    Outcome::Panicked,
    Outcome::Dropped,
    Outcome::TimedOut,
];

pub(super) const fn encode_outcome(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Delivered => 0,
        Outcome::Failed => 1,
        Outcome::Cancelled => 2,
        Outcome::Panicked => 3,
        Outcome::Dropped => 4,
        Outcome::TimedOut => 5,
    }
}

/// The id of a message that has no column, being no text and no small number, as JSON, so that it can be searched for.
pub(super) fn message_id_beside(row: &EventRow<'_>) -> Option<String> {
    if row.message_id.is_some() {
        return None;
    }
    let event = row.to_event()?;
    Some(match event.message_id()? {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// Rows of a segment, or of a batch in the tail, with all of their columns or with some.
///
/// A column that was not read is as one that knows nothing: whoever reads few columns looks at these alone.
#[derive(Clone, Debug)]
pub(crate) struct SegmentRows {
    columns: [Option<ArrayRef>; Place::ALL.len()],
    len: usize,
}

/// Why columns are no rows of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRows {
    #[error("its columns are others")]
    Schema,
    #[error("row {0} holds a value that cannot be")]
    Value(usize),
}

impl SegmentRows {
    /// Takes columns that a reader of Parquet has made.
    pub(crate) fn new(batch: RecordBatch) -> Result<Self, NotRows> {
        let mut columns = [const { None }; Place::ALL.len()];
        let mut places = Place::ALL.iter().map(|&place| place as usize);
        for (found, array) in std::iter::zip(batch.schema_ref().fields(), batch.columns()) {
            // Both are in the order of the schema.
            let place = places.find(|&place| SCHEMA.field(place).name() == found.name());
            let place = place.ok_or(NotRows::Schema)?;
            if SCHEMA.field(place).data_type() != found.data_type() {
                return Err(NotRows::Schema);
            }
            columns[place] = Some(array.clone());
        }
        Ok(Self {
            columns,
            len: batch.num_rows(),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// A column, where it was read.
    pub(crate) fn column(&self, place: Place) -> Option<&ArrayRef> {
        self.columns[place as usize].as_ref()
    }

    /// The times, where they were read.
    pub(crate) fn times_ns(&self) -> &[i64] {
        let times = self.primitive::<TimestampNanosecondType>(Place::time_ns);
        times.map_or(&[], |times| times.values())
    }

    /// The offsets, where they were read.
    pub(crate) fn offsets(&self) -> &[u64] {
        let offsets = self.primitive::<UInt64Type>(Place::offset);
        offsets.map_or(&[], |offsets| offsets.values())
    }

    pub(crate) fn time_ns(&self, index: usize) -> i64 {
        self.times_ns().get(index).copied().unwrap_or_default()
    }

    pub(crate) fn offset(&self, index: usize) -> u64 {
        self.offsets().get(index).copied().unwrap_or_default()
    }

    /// One row.
    pub(crate) fn row(&self, index: usize) -> Result<EventRow<'_>, NotRows> {
        self.read(index).ok_or(NotRows::Value(index))
    }

    /// The event of a row of which all columns were read.
    pub(crate) fn event(&self, index: usize) -> Result<TraceEvent, NotRows> {
        self.row(index)?.to_event().ok_or(NotRows::Value(index))
    }

    fn read(&self, at: usize) -> Option<EventRow<'_>> {
        let event_id = match self.column(Place::event_id) {
            Some(_) => self.event_id(at)?,
            None => EventId::from_uuid(uuid::Uuid::nil()),
        };
        let trace_id = self.trace_id(at);
        let usual = trace_id.map(|id| id.as_uuid().as_u128() as u64 & RANDOMNESS_MASK);
        let randomness = match self.get::<UInt64Type>(Place::randomness, at) {
            None => usual,
            Some(NO_RANDOMNESS) => None,
            Some(randomness) => Some(randomness),
        };
        let outcome = match self.get::<UInt8Type>(Place::outcome, at) {
            None => None,
            Some(number) => Some(*OUTCOMES.get(usize::from(number))?),
        };
        Some(EventRow {
            event_id,
            kind: RowKind::from_number(self.known::<UInt8Type>(Place::kind, at)?)?,
            outcome,
            flags: self.known::<UInt16Type>(Place::flags, at)?,
            start_ns: self.time_ns(at),
            duration_ns: self.get::<UInt64Type>(Place::duration_ns, at),
            edge: EdgeNames {
                from_actor: self.known_text(Place::from_actor, at)?,
                from_port: self.known_text(Place::from_port, at)?,
                to_actor: self.known_text(Place::to_actor, at)?,
                to_port: self.known_text(Place::to_port, at)?,
                protocol: self.known_text(Place::protocol, at)?,
                compression: self.known_text(Place::compression, at)?,
            },
            message_type: self.text(Place::message_type, at),
            size_bytes: self.get::<UInt64Type>(Place::size_bytes, at),
            queue_depth: self.get::<UInt64Type>(Place::queue_depth, at),
            waiting_ns: self.get::<UInt64Type>(Place::waiting_ns, at),
            memory_bytes: self.get::<UInt64Type>(Place::memory_bytes, at),
            cpu_usage_percent: self.get::<Float32Type>(Place::cpu_percent, at),
            throughput_msgs_per_sec: self.get::<Float64Type>(Place::throughput, at),
            parent: self.parent(at),
            trace_id,
            randomness,
            hops: self.get::<UInt8Type>(Place::hops, at),
            threshold: self
                .get::<UInt64Type>(Place::threshold, at)
                .map(Threshold::from_bits),
            message_id: self.message_id(at),
            sections: self.bytes(Place::sections, at).unwrap_or_default(),
        })
    }

    /// The id of the message, where it has a usual form.
    pub(crate) fn message_id(&self, at: usize) -> Option<MessageId<'_>> {
        if let Some(uuid) = self.bytes16(Place::message_uuid, at) {
            return Some(MessageId::Uuid(uuid));
        }
        if let Some(text) = self.plain_text(Place::message_text, at) {
            return Some(MessageId::Text(text));
        }
        let number = self.get::<UInt64Type>(Place::message_number, at)?;
        let numbered = self
            .text(Place::message_prefix, at)
            .zip(self.get::<UInt8Type>(Place::message_width, at));
        Some(match numbered {
            Some((prefix, width)) => MessageId::Numbered {
                prefix,
                width,
                number,
            },
            None => MessageId::Number(number),
        })
    }

    /// The event.
    pub(crate) fn event_id(&self, at: usize) -> Option<EventId> {
        let places = [Place::producer, Place::ring, Place::sequence];
        self.id(at, places, Place::event_id)
    }

    /// Its direct cause.
    pub(crate) fn parent(&self, at: usize) -> Option<EventId> {
        let places = [
            Place::parent_producer,
            Place::parent_ring,
            Place::parent_sequence,
        ];
        self.id(at, places, Place::parent_id)
    }

    fn id(&self, at: usize, origin: [Place; 3], foreign: Place) -> Option<EventId> {
        let origin = self.origin(at, origin).map(EventId::from_origin);
        origin.or_else(|| {
            let id = self.bytes16(foreign, at)?;
            Some(EventId::from_uuid(uuid::Uuid::from_bytes(id)))
        })
    }

    /// Its trace.
    pub(crate) fn trace_id(&self, at: usize) -> Option<TraceId> {
        let places = [
            Place::trace_producer,
            Place::trace_ring,
            Place::trace_number,
        ];
        let origin = self.origin(at, places).map(TraceId::from_origin);
        origin.or_else(|| {
            let id = self.bytes16(Place::trace_id, at)?;
            Some(TraceId::from_uuid(uuid::Uuid::from_bytes(id)))
        })
    }

    fn origin(&self, at: usize, places: [Place; 3]) -> Option<EventOrigin> {
        Some(EventOrigin {
            producer: ProducerId::from_bits(self.get::<UInt64Type>(places[0], at)?),
            ring: self.get::<UInt32Type>(places[1], at)?,
            sequence: self.get::<UInt64Type>(places[2], at)?,
        })
    }

    fn primitive<T: arrow_array::ArrowPrimitiveType>(
        &self,
        place: Place,
    ) -> Option<&PrimitiveArray<T>> {
        self.column(place)?.as_primitive_opt()
    }

    fn get<T: arrow_array::ArrowPrimitiveType>(
        &self,
        place: Place,
        at: usize,
    ) -> Option<T::Native> {
        let array = self.primitive::<T>(place)?;
        array.is_valid(at).then(|| array.value(at))
    }

    /// A value of a column that has no nulls; 0 where the column was not read.
    fn known<T: arrow_array::ArrowPrimitiveType>(
        &self,
        place: Place,
        at: usize,
    ) -> Option<T::Native> {
        match self.column(place) {
            Some(_) => self.get::<T>(place, at),
            None => Some(T::Native::default()),
        }
    }

    fn text(&self, place: Place, at: usize) -> Option<&str> {
        let array: &DictionaryArray<Int32Type> = self.column(place)?.as_dictionary_opt()?;
        let key =
            usize::try_from(array.keys().is_valid(at).then(|| array.keys().value(at))?).ok()?;
        let values: &StringArray = array.values().as_string_opt()?;
        (key < values.len()).then(|| values.value(key))
    }

    /// A text of a column that has no nulls; empty where the column was not read.
    fn known_text(&self, place: Place, at: usize) -> Option<&str> {
        match self.column(place) {
            Some(_) => self.text(place, at),
            None => Some(""),
        }
    }

    /// A text of a column without a dictionary.
    pub(crate) fn plain_text(&self, place: Place, at: usize) -> Option<&str> {
        let array: &StringArray = self.column(place)?.as_string_opt()?;
        array.is_valid(at).then(|| array.value(at))
    }

    fn bytes(&self, place: Place, at: usize) -> Option<&[u8]> {
        let array: &BinaryArray = self.column(place)?.as_binary_opt()?;
        array.is_valid(at).then(|| array.value(at))
    }

    fn bytes16(&self, place: Place, at: usize) -> Option<[u8; 16]> {
        let array: &FixedSizeBinaryArray = self.column(place)?.as_fixed_size_binary_opt()?;
        array
            .is_valid(at)
            .then(|| array.value(at).try_into().ok())?
    }
}
