//! From rows as the store has them to rows as SQL shows them.
//!
//! Nearly everything is a column of the store, or is made of some by a loop over numbers. What only an event
//! can say (attributes, errors, names that were too long for the columns) is taken from the event, and only
//! rows that hold more than columns become one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::builder::StringViewBuilder;
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::{
    Float32Type, Float64Type, Int32Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, Float64Array, PrimitiveArray, RecordBatch, StringArray,
    StringViewArray, UInt8Array, UInt64Array,
};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use reflow_trace::event::{EventOrigin, ProducerId};
use reflow_trace::query::filter::{Column, Row, Value};
use reflow_trace::sampling::Threshold;
use reflow_trace::wire::MessageId;
use reflow_trace::{EventId, Outcome, TraceEvent, TraceId};
use uuid::Uuid;

use super::column::{EventColumn, TEXT, View};
use crate::store::StoreError;
use crate::store::columns::Place;
use crate::store::embedded::SegmentRows;

/// `flags` of an event that was built by hand; the bits are in [`reflow_trace::wire::format`].
const BY_HAND: u16 = 1 << 6;
/// `flags` that say something about an event which no column does.
const SAYS_MORE: u16 = 1 << 2 | 1 << 3 | 1 << 7 | 1 << 14;
/// Bytes of a name that may have been cut: the most that is kept, less what cannot be cut in a character.
const CUT_BYTES: usize = 256 - 16;

/// Kinds as the column `kind` has them, with the names of events; a send that did not arrive is the second.
const KINDS: [&str; 12] = [
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
    "?",
];
const SEND: u8 = 0;
const MESSAGE_SENT: u8 = 1;
const MESSAGE_RECEIVED: u8 = 2;
const DELIVERED: u8 = 0;

/// Outcomes as the column `outcome` has them.
const OUTCOMES: [Outcome; 6] = [
    Outcome::Delivered,
    Outcome::Failed,
    Outcome::Cancelled,
    Outcome::Panicked,
    Outcome::Dropped,
    Outcome::TimedOut,
];

/// Attributes that have a column.
const HAVE_COLUMNS: [&str; 7] = [
    "source_actor",
    "source_port",
    "destination_actor",
    "destination_port",
    "message_id",
    "protocol",
    "compression",
];

/// The number that the column `kind` has for events of this name; two for one of them.
pub(super) fn numbers_of_kind(name: &str) -> Vec<u8> {
    match name {
        // One that did not arrive is a send too.
        "MessageSent" => vec![SEND, MESSAGE_SENT],
        _ => {
            let place = KINDS[..11].iter().position(|kind| *kind == name);
            place.into_iter().map(|place| place as u8).collect()
        }
    }
}

/// The number that the column `outcome` has for this name.
pub(super) fn number_of_outcome(name: &str) -> Option<u8> {
    let place = OUTCOMES.iter().position(|outcome| outcome.name() == name)?;
    Some(place as u8)
}

/// Rows as the store has them, with the columns of `places`.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) batch: &'a RecordBatch,
    /// In the order of the schema, each once.
    pub(super) places: &'a [Place],
}

impl<'a> Stored<'a> {
    pub(super) fn column(&self, place: Place) -> Result<&'a ArrayRef, ArrowError> {
        let at = self
            .places
            .binary_search(&place)
            .map_err(|_| ArrowError::SchemaError(format!("`{}` was not read", place.name())))?;
        Ok(self.batch.column(at))
    }

    fn numbers<T: ArrowPrimitiveType>(
        &self,
        place: Place,
    ) -> Result<&'a PrimitiveArray<T>, ArrowError> {
        Ok(self.column(place)?.as_primitive())
    }

    /// Takes out of `mask` what is no data flow.
    pub(super) fn keep_data_flows(&self, mask: &mut [bool]) -> Result<(), ArrowError> {
        let kinds = self.numbers::<UInt8Type>(Place::kind)?.values();
        let outcomes = self.numbers::<UInt8Type>(Place::outcome)?;
        let flags = self.numbers::<UInt16Type>(Place::flags)?.values();
        for (at, is_left) in mask.iter_mut().enumerate() {
            *is_left = *is_left
                && kinds[at] == SEND
                && (flags[at] & BY_HAND != 0
                    || outcomes.is_valid(at) && outcomes.value(at) == DELIVERED);
        }
        Ok(())
    }

    /// The rows of which some of these columns have to be asked of the event.
    pub(super) fn need_event(
        &self,
        view: View,
        columns: &[EventColumn],
    ) -> Result<Vec<usize>, ArrowError> {
        let rows = self.batch.num_rows();
        let mut needed = vec![false; rows];
        if columns.iter().any(|column| column.is_of_event(view)) {
            let sections = self.column(Place::sections)?;
            let flags = self.numbers::<UInt16Type>(Place::flags)?.values();
            for (at, needed) in needed.iter_mut().enumerate() {
                *needed = sections.is_valid(at) || flags[at] & SAYS_MORE != 0;
            }
        }
        let cut = columns.iter().filter(|column| column.may_be_cut());
        for column in cut {
            self.add_cut(*column, &mut needed)?;
        }
        Ok((0..rows).filter(|&at| needed[at]).collect())
    }

    /// Adds the rows that were built by hand, and whose names may be others than the column has.
    fn add_cut(&self, column: EventColumn, needed: &mut [bool]) -> Result<(), ArrowError> {
        let flags = self.numbers::<UInt16Type>(Place::flags)?.values();
        if flags.iter().all(|flags| flags & BY_HAND == 0) {
            return Ok(());
        }
        let place = column.plain_name().unwrap_or(Place::message_type);
        let names = self.column(place)?.as_dictionary::<Int32Type>();
        let texts: &StringArray = names.values().as_string();
        let is_port = matches!(place, Place::from_port | Place::to_port);
        // Whether it may be another one, asked once of each different name.
        let doubtful: Vec<bool> = (0..texts.len())
            .map(|at| {
                let bytes = texts.value(at).len();
                bytes >= CUT_BYTES || is_port && bytes == 0
            })
            .collect();
        let sizes = match place {
            Place::message_type => Some(self.numbers::<UInt64Type>(Place::size_bytes)?),
            _ => None,
        };
        for (at, needed) in needed.iter_mut().enumerate() {
            if *needed || flags[at] & BY_HAND == 0 {
                continue;
            }
            *needed = match names.key(at) {
                Some(key) => doubtful.get(key).copied().unwrap_or(true),
                // There may be a message whose type has no name.
                None => sizes.is_some_and(|sizes| sizes.is_valid(at)),
            };
        }
        Ok(())
    }
}

/// Events of some rows, by the numbers of the rows, ascending.
#[derive(Default)]
pub(super) struct Events {
    rows: Vec<usize>,
    events: Vec<TraceEvent>,
}

impl Events {
    /// Makes them of rows with all columns.
    pub(super) fn read(batch: RecordBatch, rows: Vec<usize>) -> Result<Self, StoreError> {
        let unreadable = |why: &dyn ToString| StoreError::damaged("an event", why.to_string());
        let stored = SegmentRows::new(batch).map_err(|error| unreadable(&error))?;
        let events = rows.iter().map(|&at| {
            let row = stored.row(at).map_err(|error| unreadable(&error))?;
            row.to_event()
                .ok_or_else(|| unreadable(&"its sections cannot be read"))
        });
        let events = events.collect::<Result<_, _>>()?;
        Ok(Self { rows, events })
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    fn get(&self, row: usize) -> Option<&TraceEvent> {
        let at = self.rows.binary_search(&row).ok()?;
        self.events.get(at)
    }
}

/// A column of SQL.
pub(super) fn shown(
    stored: Stored<'_>,
    events: &Events,
    view: View,
    column: EventColumn,
) -> Result<ArrayRef, ArrowError> {
    let EventColumn::Filter(of_filter) = column else {
        return of_edge_or_event(stored, events, column);
    };
    Ok(match of_filter {
        Column::Timestamp => stored.column(Place::time_ns)?.clone(),
        Column::EventId => event_ids(
            stored,
            [Place::producer, Place::ring, Place::sequence],
            Place::event_id,
        )?,
        Column::ParentEventId => event_ids(
            stored,
            [
                Place::parent_producer,
                Place::parent_ring,
                Place::parent_sequence,
            ],
            Place::parent_id,
        )?,
        Column::TraceId => trace_ids(stored)?,
        Column::EventType => kinds(stored)?,
        Column::Outcome => outcomes(stored)?,
        Column::ActorId
        | Column::Port
        | Column::SourceActor
        | Column::SourcePort
        | Column::DestinationActor
        | Column::DestinationPort => name(stored, events, view, column)?,
        Column::MessageType => plain(stored, events, column, Place::message_type)?,
        Column::MessageId => message_ids(stored)?,
        Column::SizeBytes => sizes(stored)?,
        Column::ExecutionTimeNs => stored.column(Place::duration_ns)?.clone(),
        Column::WaitingTimeNs => stored.column(Place::waiting_ns)?.clone(),
        Column::QueueDepth => stored.column(Place::queue_depth)?.clone(),
        Column::MemoryUsageBytes => stored.column(Place::memory_bytes)?.clone(),
        Column::ThroughputMsgsPerSec => numbers(
            stored.numbers::<Float64Type>(Place::throughput)?,
            |number| number,
        ),
        Column::CpuUsagePercent => numbers(
            stored.numbers::<Float32Type>(Place::cpu_percent)?,
            f64::from,
        ),
        Column::HopCount => cast(stored.column(Place::hops)?, &DataType::UInt64)?,
        Column::Weight => {
            let thresholds = stored.numbers::<UInt64Type>(Place::threshold)?;
            let weights = thresholds
                .iter()
                .map(|bits| Threshold::from_bits(bits?).weight());
            Arc::new(weights.collect::<Float64Array>())
        }
        _ => of_edge_or_event(stored, events, column)?,
    })
}

/// What is no number is not known.
fn numbers<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    wide: impl Fn(T::Native) -> f64,
) -> ArrayRef {
    let known = array
        .iter()
        .map(|number| number.map(&wide).filter(|number| !number.is_nan()));
    Arc::new(known.collect::<Float64Array>())
}

/// What an event says, and where none was made, what is known of the edge or nothing.
fn of_edge_or_event(
    stored: Stored<'_>,
    events: &Events,
    column: EventColumn,
) -> Result<ArrayRef, ArrowError> {
    let place = match column {
        EventColumn::Protocol => Place::protocol,
        EventColumn::Compression => Place::compression,
        _ => {
            let mut texts = StringViewBuilder::with_capacity(stored.batch.num_rows());
            for at in 0..stored.batch.num_rows() {
                texts.append_option(events.get(at).and_then(|event| of_event(event, column)));
            }
            return Ok(Arc::new(texts.finish()));
        }
    };
    let kinds = stored.numbers::<UInt8Type>(Place::kind)?;
    let carried = Texts::of(stored, place)?;
    Ok(built(stored, events, column, |at| {
        (kinds.value(at) == SEND).then(|| carried.get(at)).flatten()
    }))
}

fn of_event(event: &TraceEvent, column: EventColumn) -> Option<Cow<'_, str>> {
    let attribute = |name: &str| match event.attribute(name) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    };
    match column {
        EventColumn::Filter(column) => match event.column(column)? {
            Value::Text(text) => Some(text),
            Value::Id(id) => Some(id.to_string().into()),
            _ => None,
        },
        EventColumn::Protocol => attribute("protocol"),
        EventColumn::Compression => attribute("compression"),
        EventColumn::Attributes => {
            let attributes = event.data.custom_attributes.iter();
            // In the order of their names, so that equal attributes are equal texts.
            let own: BTreeMap<_, _> = attributes
                .filter(|(name, _)| !HAVE_COLUMNS.contains(&name.as_str()))
                .collect();
            let text = serde_json::to_string(&own).ok()?;
            (!own.is_empty()).then_some(text.into())
        }
    }
}

/// A column of names in a dictionary.
#[derive(Clone, Copy)]
struct Texts<'a> {
    keys: &'a PrimitiveArray<Int32Type>,
    texts: &'a StringArray,
}

impl<'a> Texts<'a> {
    fn of(stored: Stored<'a>, place: Place) -> Result<Self, ArrowError> {
        let array = stored.column(place)?.as_dictionary::<Int32Type>();
        Ok(Self {
            keys: array.keys(),
            texts: array.values().as_string(),
        })
    }

    fn get(&self, at: usize) -> Option<&'a str> {
        let key = self.keys.is_valid(at).then(|| self.keys.value(at))?;
        let key = usize::try_from(key).ok()?;
        (key < self.texts.len()).then(|| self.texts.value(key))
    }
}

/// Row by row: from the event where there is one, and from columns elsewhere.
fn built<'a>(
    stored: Stored<'_>,
    events: &Events,
    column: EventColumn,
    plain: impl Fn(usize) -> Option<&'a str>,
) -> ArrayRef {
    let rows = stored.batch.num_rows();
    let mut texts = StringViewBuilder::with_capacity(rows);
    for at in 0..rows {
        match events.get(at) {
            Some(event) => texts.append_option(of_event(event, column)),
            None => texts.append_option(plain(at)),
        }
    }
    Arc::new(texts.finish())
}

/// A column of names as it is, but where an event says otherwise.
fn plain(
    stored: Stored<'_>,
    events: &Events,
    column: EventColumn,
    place: Place,
) -> Result<ArrayRef, ArrowError> {
    if events.len() == 0 {
        return cast(stored.column(place)?, &TEXT);
    }
    let texts = Texts::of(stored, place)?;
    Ok(built(stored, events, column, |at| texts.get(at)))
}

/// The name of an actor or of a port, which depends on what kind of event it is.
fn name(
    stored: Stored<'_>,
    events: &Events,
    view: View,
    column: EventColumn,
) -> Result<ArrayRef, ArrowError> {
    let place = column.plain_name().unwrap_or(Place::from_actor);
    if view == View::DataFlows {
        return plain(stored, events, column, place);
    }
    let kinds = stored.numbers::<UInt8Type>(Place::kind)?;
    let flags = stored.numbers::<UInt16Type>(Place::flags)?;
    let other = match place {
        Place::from_actor => Place::to_actor,
        Place::from_port => Place::to_port,
        place => place,
    };
    let (here, there) = (Texts::of(stored, place)?, Texts::of(stored, other)?);
    let EventColumn::Filter(of_filter) = column else {
        return plain(stored, events, column, place);
    };
    Ok(built(stored, events, column, |at| {
        let kind = kinds.value(at);
        let is_received = kind == MESSAGE_RECEIVED && flags.value(at) & BY_HAND == 0;
        match of_filter {
            // Where it was taken up.
            Column::ActorId | Column::Port if is_received => there.get(at),
            Column::ActorId | Column::Port => here.get(at),
            Column::SourceActor | Column::SourcePort => {
                (kind == SEND || kind == MESSAGE_SENT).then(|| here.get(at))?
            }
            _ => (kind == SEND || is_received).then(|| here.get(at))?,
        }
    }))
}

/// The names of kinds.
fn kinds(stored: Stored<'_>) -> Result<ArrayRef, ArrowError> {
    let kinds = stored.numbers::<UInt8Type>(Place::kind)?.values();
    let outcomes = stored.numbers::<UInt8Type>(Place::outcome)?;
    let flags = stored.numbers::<UInt16Type>(Place::flags)?.values();
    let numbers = (0..kinds.len()).map(|at| match kinds[at] {
        SEND if flags[at] & BY_HAND == 0
            && !(outcomes.is_valid(at) && outcomes.value(at) == DELIVERED) =>
        {
            MESSAGE_SENT
        }
        kind => kind.min(KINDS.len() as u8 - 1),
    });
    let numbers: UInt8Array = numbers.map(Some).collect();
    take(&StringViewArray::from_iter_values(KINDS), &numbers, None)
}

fn outcomes(stored: Stored<'_>) -> Result<ArrayRef, ArrowError> {
    let names = StringViewArray::from_iter_values(OUTCOMES.map(|outcome| outcome.name()));
    let outcomes = stored.numbers::<UInt8Type>(Place::outcome)?;
    let known = outcomes
        .iter()
        .map(|number| number.filter(|&number| usize::from(number) < OUTCOMES.len()));
    take(&names, &known.collect::<UInt8Array>(), None)
}

/// A message without a size has none; one of unknown size has 0, as the event says.
fn sizes(stored: Stored<'_>) -> Result<ArrayRef, ArrowError> {
    let sizes = stored.numbers::<UInt64Type>(Place::size_bytes)?;
    if sizes.null_count() == 0 {
        return Ok(stored.column(Place::size_bytes)?.clone());
    }
    let types = stored.column(Place::message_type)?;
    let known = (0..sizes.len()).map(|at| match sizes.is_valid(at) {
        true => Some(sizes.value(at)),
        false => types.is_valid(at).then_some(0),
    });
    Ok(Arc::new(known.collect::<UInt64Array>()))
}

/// Columns of an id that was made by a ring.
struct Origins<'a> {
    producers: &'a UInt64Array,
    rings: &'a PrimitiveArray<UInt32Type>,
    numbers: &'a UInt64Array,
}

impl<'a> Origins<'a> {
    fn of(stored: Stored<'a>, places: [Place; 3]) -> Result<Self, ArrowError> {
        Ok(Self {
            producers: stored.numbers(places[0])?,
            rings: stored.numbers(places[1])?,
            numbers: stored.numbers(places[2])?,
        })
    }

    fn get(&self, at: usize) -> Option<EventOrigin> {
        self.producers.is_valid(at).then(|| EventOrigin {
            producer: ProducerId::from_bits(self.producers.value(at)),
            ring: self.rings.value(at),
            sequence: self.numbers.value(at),
        })
    }
}

fn event_ids(
    stored: Stored<'_>,
    places: [Place; 3],
    foreign: Place,
) -> Result<ArrayRef, ArrowError> {
    let origins = Origins::of(stored, places)?;
    let made = |at| Some(*EventId::from_origin(origins.get(at)?).as_uuid());
    ids(stored, foreign, made)
}

fn trace_ids(stored: Stored<'_>) -> Result<ArrayRef, ArrowError> {
    let places = [
        Place::trace_producer,
        Place::trace_ring,
        Place::trace_number,
    ];
    let origins = Origins::of(stored, places)?;
    let made = |at| Some(*TraceId::from_origin(origins.get(at)?).as_uuid());
    ids(stored, Place::trace_id, made)
}

fn ids(
    stored: Stored<'_>,
    foreign: Place,
    made: impl Fn(usize) -> Option<Uuid>,
) -> Result<ArrayRef, ArrowError> {
    let foreign = stored.column(foreign)?.as_fixed_size_binary();
    let mut text = Uuid::encode_buffer();
    let mut texts = StringViewBuilder::with_capacity(foreign.len());
    for at in 0..foreign.len() {
        let id = made(at).or_else(|| {
            let bytes = foreign.is_valid(at).then(|| foreign.value(at))?;
            Uuid::from_slice(bytes).ok()
        });
        match id {
            Some(id) => texts.append_value(id.hyphenated().encode_lower(&mut text)),
            None => texts.append_null(),
        }
    }
    Ok(Arc::new(texts.finish()))
}

/// Ids of messages, from the forms in which they are kept.
fn message_ids(stored: Stored<'_>) -> Result<ArrayRef, ArrowError> {
    let prefixes = Texts::of(stored, Place::message_prefix)?;
    let widths = stored.numbers::<UInt8Type>(Place::message_width)?;
    let numbers = stored.numbers::<UInt64Type>(Place::message_number)?;
    let uuids = stored.column(Place::message_uuid)?.as_fixed_size_binary();
    let written: &StringArray = stored.column(Place::message_text)?.as_string();
    let others: &StringArray = stored.column(Place::message_other)?.as_string();
    let mut text = String::new();
    let mut texts = StringViewBuilder::with_capacity(numbers.len());
    for at in 0..numbers.len() {
        let id = if numbers.is_valid(at) {
            let number = numbers.value(at);
            let width = widths.is_valid(at).then(|| widths.value(at));
            match prefixes.get(at).zip(width) {
                Some((prefix, width)) => MessageId::Numbered {
                    prefix,
                    width,
                    number,
                },
                None => MessageId::Number(number),
            }
        } else if uuids.is_valid(at) {
            let bytes = uuids.value(at).try_into();
            MessageId::Uuid(
                bytes.map_err(|_| ArrowError::SchemaError("a uuid has 16 bytes".into()))?,
            )
        } else if written.is_valid(at) {
            MessageId::Text(written.value(at))
        } else if others.is_valid(at) {
            MessageId::Text(others.value(at))
        } else {
            texts.append_null();
            continue;
        };
        text.clear();
        std::fmt::Write::write_fmt(&mut text, format_args!("{id}"))
            .map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
        texts.append_value(&text);
    }
    Ok(Arc::new(texts.finish()))
}
