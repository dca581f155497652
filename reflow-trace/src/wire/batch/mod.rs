//! A batch, read.
//!
//! Reading happens once: every column is unpacked, every number checked against the list that it is a
//! place in, every section walked over. What comes after that cannot fail.

mod columns;
mod dictionary;
mod fields;
mod notices;

use bytes::Bytes;

use self::columns::Columns;
use self::dictionary::{BatchDictionary, bits};
use self::fields::Fields;
use super::format::{column, field, id_form};
use super::frame::FrameKind;
use super::notice::Notice;
use super::{BatchLimits, EventRow, Frame, MessageId, RowKind, WireError};
use crate::event::{PRODUCER_BITS, ProducerId, TraceEvent};
use crate::ledger::{CounterSnapshot, Coverage, Loss};
use crate::record::{Kind, Record, decode_outcome, flag};

/// The six names of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EdgeNames<'a> {
    /// The sending actor.
    pub from_actor: &'a str,
    /// Its port.
    pub from_port: &'a str,
    /// The receiving actor.
    pub to_actor: &'a str,
    /// Its port.
    pub to_port: &'a str,
    /// How messages are carried.
    pub protocol: &'a str,
    /// How they are compressed on the way.
    pub compression: &'a str,
}

/// A batch, decoded and checked.
#[derive(Debug)]
pub struct WireBatch {
    producer: ProducerId,
    cpu_usage_percent: Option<f32>,
    dictionary: BatchDictionary,
    columns: Columns,
    sections: Bytes,
    notices: Vec<Notice>,
    losses: Vec<Loss>,
}

impl WireBatch {
    /// Reads and checks a batch.
    ///
    /// # Errors
    ///
    /// Whatever is wrong first; see [`WireError`]. Nothing of a refused batch is used.
    pub fn decode(frame: &Frame, limits: &BatchLimits) -> Result<Self, WireError> {
        if frame.header().kind != FrameKind::Batch {
            return Err(WireError::NotABatch);
        }
        let plain = frame.plain_payload(&limits.frame)?;
        let mut fields = Fields::find(&plain, limits)?;
        let inside = fields.number("events", field::EVENTS)?;
        if inside != u64::from(frame.header().events) {
            return Err(WireError::Events {
                inside,
                frame: frame.header().events,
            });
        }
        let producer = fields.number("producer", field::PRODUCER)?;
        let producer = ProducerId::from_bits(bits("producer", producer, PRODUCER_BITS, "52 bits")?);
        let dictionary = BatchDictionary::read(&mut fields, producer, limits)?;
        let columns = Columns::read(&fields, &dictionary, limits)?;
        let mut lines = 0;
        let notices = fields
            .notices
            .iter()
            .filter_map(|notice| {
                notices::read(notice, &dictionary.names, &mut lines, limits).transpose()
            })
            .collect::<Result<Vec<_>, _>>()?;
        let sections = fields.bytes("sections", field::SECTIONS)?;
        Ok(Self {
            producer,
            cpu_usage_percent: fields.float("cpu_usage_percent", field::CPU)?,
            dictionary,
            columns,
            // No more than is asked for: the payload itself is not needed any longer.
            sections: Bytes::copy_from_slice(sections),
            losses: notices.iter().filter_map(|notice| notice.loss).collect(),
            notices,
        })
    }

    /// How many events were recorded in it, without the tracing's own notices.
    pub fn len(&self) -> usize {
        self.columns.form_of.len()
    }

    /// Whether it holds no events; it may hold notices.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Who has recorded it.
    pub fn producer(&self) -> ProducerId {
        self.producer
    }

    /// First and last begin of an event, nanoseconds since the epoch.
    pub fn time_range(&self) -> Option<(i64, i64)> {
        self.columns.time_range
    }

    /// Bytes that the batch holds in memory, nearly.
    pub fn memory_bytes(&self) -> usize {
        // A line of counters has five names.
        let lines: usize = self
            .notices
            .iter()
            .map(|notice| {
                let counters = notice.counters.as_ref();
                let coverage = notice.coverage.as_ref();
                counters.map_or(0, |counters| counters.edges.len() * 512)
                    + coverage.map_or(0, |coverage| coverage.rings.len() * 16)
            })
            .sum();
        size_of::<Self>()
            + self.dictionary.memory_bytes()
            + self.columns.memory_bytes()
            + self.sections.len()
            + self.notices.len() * size_of::<Notice>()
            + lines
    }

    /// How many edges the dictionary of the batch has.
    pub fn edges_len(&self) -> usize {
        self.dictionary.edges.len()
    }

    /// The names of an edge by its place in the dictionary of the batch.
    pub fn edge(&self, place: usize) -> Option<EdgeNames<'_>> {
        let names = self.dictionary.edges.get(place)?;
        let [
            from_actor,
            from_port,
            to_actor,
            to_port,
            protocol,
            compression,
        ] = names.map(|name| self.dictionary.names.get(name));
        Some(EdgeNames {
            from_actor,
            from_port,
            to_actor,
            to_port,
            protocol,
            compression,
        })
    }

    /// How many message types the dictionary of the batch has.
    pub fn types_len(&self) -> usize {
        self.dictionary.types.len()
    }

    /// The name of a message type by its place in the dictionary of the batch.
    pub fn message_type(&self, place: usize) -> Option<&str> {
        let name = *self.dictionary.types.get(place)?;
        Some(self.dictionary.names.get(name))
    }

    /// The place of an event's message type, for [`message_type`](Self::message_type); `None` also where
    /// it has no message.
    pub fn type_index(&self, index: usize) -> Option<usize> {
        let form = *self.columns.form_of.get(index)?;
        let message_type = self.dictionary.forms.get(form as usize)?.message_type;
        Some(message_type.checked_sub(1)? as usize)
    }

    /// The place of an event's edge, for [`edge`](Self::edge): so that names are looked up once.
    pub fn edge_index(&self, index: usize) -> Option<usize> {
        let form = *self.columns.form_of.get(index)?;
        Some(self.dictionary.forms.get(form as usize)?.edge as usize)
    }

    /// The begins of all events, nanoseconds since the epoch.
    pub fn starts_ns(&self) -> &[i64] {
        &self.columns.start
    }

    /// The columns of one event; `None` behind the last.
    pub fn row(&self, index: usize) -> Option<EventRow<'_>> {
        let columns = &self.columns;
        let form = self
            .dictionary
            .forms
            .get(*columns.form_of.get(index)? as usize)?;
        let rings = &self.dictionary.rings;
        let known = |column: &[u64], bit| {
            (form.has & bit != 0).then(|| column.get(index).copied().unwrap_or(0))
        };
        let outcome = decode_outcome(form.outcome);
        let wide = known(&columns.wide, column::WIDE);
        let has_waiting = Record::has_waiting(form.kind, outcome, form.flags);
        let link = |links: &[(u32, u64)], bit| {
            let &(ring, number) = links.get(index).filter(|_| form.has & bit != 0)?;
            Some((rings.get(ring as usize)?, number))
        };
        let ring = rings.get(*columns.ring.get(index)? as usize)?;
        let trace = link(&columns.root, column::ROOT).map(|(ring, number)| ring.trace(number));
        let name = |list: &[u32], place: u32| {
            let name = *list.get(place.checked_sub(1)? as usize)?;
            Some(self.dictionary.names.get(name))
        };
        let mut row = EventRow {
            event_id: ring.event_id(*columns.sequence.get(index)?),
            kind: RowKind(form.kind),
            outcome,
            flags: form.flags,
            start_ns: *columns.start.get(index)?,
            duration_ns: known(&columns.duration, column::DURATION),
            edge: self.edge(form.edge as usize)?,
            message_type: name(&self.dictionary.types, form.message_type),
            size_bytes: known(&columns.size, column::SIZE),
            queue_depth: known(&columns.depth, column::DEPTH),
            waiting_ns: wide.filter(|_| has_waiting),
            memory_bytes: wide.filter(|_| !has_waiting),
            cpu_usage_percent: self.cpu_usage_percent,
            throughput_msgs_per_sec: (form.kind == Kind::Send)
                .then(|| self.dictionary.throughput(form.edge))
                .flatten(),
            parent: link(&columns.cause, column::CAUSE).map(|(ring, number)| ring.event_id(number)),
            trace_id: trace.map(|(id, _)| id),
            randomness: trace.map(|(_, randomness)| randomness),
            hops: (form.flags & flag::HOPS != 0).then_some(form.hops),
            threshold: form
                .threshold
                .checked_sub(1)
                .and_then(|place| self.dictionary.thresholds.get(place as usize))
                .copied(),
            message_id: self.message_id(index, form.id),
            sections: self.sections_of(index),
        };
        if !row.sections.is_empty() || row.is_by_hand() {
            row.fill_from_sections();
        }
        Some(row)
    }

    fn message_id(&self, index: usize, id: u64) -> Option<MessageId<'_>> {
        if id == id_form::NONE {
            return None;
        }
        let number = self.columns.message_number.get(index).copied()?;
        Some(match id {
            id_form::UUID => MessageId::Uuid(*self.columns.message_uuids.get(number as usize)?),
            id_form::NUMBER => MessageId::Number(number),
            prefix => {
                let place = (prefix - id_form::PREFIX) as usize;
                let &(prefix, width) = self.dictionary.prefixes.get(place)?;
                MessageId::Numbered {
                    prefix: self.dictionary.names.get(prefix),
                    width,
                    number,
                }
            }
        })
    }

    fn sections_of(&self, index: usize) -> &[u8] {
        let ends = &self.columns.section_ends;
        let end_of = |index: usize| ends.get(index).map_or(0, |&end| end as usize);
        let start = index.checked_sub(1).map_or(0, end_of);
        self.sections.get(start..end_of(index)).unwrap_or_default()
    }

    /// The columns of all events.
    pub fn rows(&self) -> impl Iterator<Item = EventRow<'_>> {
        (0..self.len()).filter_map(|index| self.row(index))
    }

    /// One event; `None` behind the last.
    pub fn event(&self, index: usize) -> Option<TraceEvent> {
        self.row(index)?.to_event()
    }

    /// The events as the collector's batch gives them, the tracing's own notices last.
    pub fn events(&self) -> impl Iterator<Item = TraceEvent> + '_ {
        (0..self.len())
            .filter_map(|index| self.event(index))
            .chain(self.notices.iter().filter_map(Notice::to_event))
    }

    /// What was lost since the last time it was told.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// The exact counters, where they are in this batch; of several the last.
    pub fn counters(&self) -> Option<&CounterSnapshot> {
        let mut last_first = self.notices.iter().rev();
        last_first.find_map(|notice| notice.counters.as_ref())
    }

    /// Everything it says of how much the events show, each with its time in nanoseconds since 1970.
    pub fn coverages(&self) -> impl Iterator<Item = (i64, &Coverage)> {
        self.notices.iter().filter_map(|notice| {
            let time_ns = notice.timestamp.timestamp_nanos_opt().unwrap_or(i64::MAX);
            Some((time_ns, notice.coverage.as_ref()?))
        })
    }

    /// How much of what happened the events show, where it is in this batch; of several the last.
    pub fn coverage(&self) -> Option<&Coverage> {
        let mut last_first = self.notices.iter().rev();
        last_first.find_map(|notice| notice.coverage.as_ref())
    }
}
