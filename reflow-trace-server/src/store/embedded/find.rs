//! Looking events up by their ids: filters and indexes first, then the columns of the ids, then the rows.
//!
//! A segment is asked three times, each time about less: the index of ids and the Bloom filters say in which
//! pages something may be; the columns of the ids in these pages say in which rows it is; and only these rows
//! are read whole. A batch of the tail says by its hashes whether it is worth looking through.

use std::collections::HashSet;

use reflow_trace::api::Cursor;
use reflow_trace::lineage::named_causes;
use reflow_trace::wire::{EventRow, MessageId};
use reflow_trace::{EventId, TraceEvent, TraceId};
use serde_json::Value;

use super::place::Placer;
use super::segment::{
    Flags, MessageForms, PAGE_ROWS, Place, RowSet, SegmentReader, SegmentRows, Series, damaged,
};
use super::tail::TailBatch;
use super::view::View;
use crate::store::columns::{Scalar, Values, Within};
use crate::store::{Effort, Found, Key, StoreError, TimeRange, Watch};

/// What is looked for, each kind together.
pub(super) struct Wanted<'a> {
    keys: &'a [Key<'a>],
    events: HashSet<EventId>,
    causes: HashSet<EventId>,
    traces: HashSet<TraceId>,
    messages: HashSet<&'a Value>,
    forms: Vec<MessageForms>,
}

/// What makes up an id with a number in it.
const NUMBERED: [Place; 3] = [
    Place::message_prefix,
    Place::message_width,
    Place::message_number,
];

/// What tells the further causes of an event; whether the end of its chain is one hangs on whether it names one.
const JOINED: [Place; 7] = [
    Place::kind,
    Place::flags,
    Place::parent_producer,
    Place::parent_ring,
    Place::parent_sequence,
    Place::parent_id,
    Place::sections,
];

impl<'a> Wanted<'a> {
    pub(super) fn new(keys: &'a [Key<'a>]) -> Self {
        let mut wanted = Self {
            keys,
            events: HashSet::new(),
            causes: HashSet::new(),
            traces: HashSet::new(),
            messages: HashSet::new(),
            forms: Vec::new(),
        };
        for key in keys {
            match *key {
                Key::Event(id) => drop(wanted.events.insert(id)),
                Key::Parent(id) => drop(wanted.causes.insert(id)),
                Key::Trace(id) => drop(wanted.traces.insert(id)),
                Key::Message(id) => drop(wanted.messages.insert(id)),
            }
        }
        wanted.forms = wanted
            .messages
            .iter()
            .map(|id| MessageForms::of(id))
            .collect();
        wanted
    }

    /// The rows of a segment that have one of the keys.
    pub(super) fn rows(
        &self,
        reader: &SegmentReader,
        range: TimeRange,
        watch: &dyn Watch,
    ) -> Result<RowSet, StoreError> {
        let in_time = reader.in_time(range);
        let mut found = Vec::new();
        let mut is_opened = false;
        let mut look = |rows: RowSet,
                        places: &[Place],
                        is_wanted: &dyn Fn(&SegmentRows, usize) -> bool|
         -> Result<(), StoreError> {
            let rows = rows.and(&in_time);
            let is_first = !rows.is_empty() && !is_opened;
            is_opened |= is_first;
            watch.spend(Effort {
                segments_opened: u64::from(is_first),
                pages: if is_first { reader.pages_len() } else { 0 },
                pages_read: reader.pages_of(&rows),
                ..Effort::default()
            });
            let mut numbers = rows.rows();
            let places = [places, &[Place::time_ns]].concat();
            for batch in reader.read(&rows, &places)? {
                watch.go_on()?;
                let rows =
                    SegmentRows::new(batch?).map_err(|error| damaged(reader.segment(), error))?;
                watch.spend(Effort {
                    rows_looked_at: rows.len() as u64,
                    ..Effort::default()
                });
                let here = numbers.by_ref().take(rows.len()).enumerate();
                let here = here
                    .filter(|&(at, _)| range.contains(rows.time_ns(at)) && is_wanted(&rows, at));
                found.push(RowSet::of_rows(here.map(|(_, number)| number)));
            }
            Ok(())
        };
        if !self.events.is_empty() {
            let rows = event_rows(reader, &self.events)?;
            look(rows, &Place::EVENT, &|rows, at| {
                rows.event_id(at)
                    .is_some_and(|id| self.events.contains(&id))
            })?;
        }
        if !self.causes.is_empty() {
            let rows = cause_rows(reader, &self.causes)?;
            // Ids of another making among further causes have no filter.
            let is_any_foreign = self.causes.iter().any(|id| id.origin().is_none());
            let foreign = is_any_foreign.then(|| {
                reader
                    .reach()
                    .rows_with(Flags::JOINED_FOREIGN, reader.len())
            });
            let joined = reader.reach().rows_with(Flags::JOINED, reader.len());
            look(rows.clone(), &Place::CAUSE, &|rows, at| {
                rows.parent(at).is_some_and(|id| self.causes.contains(&id))
            })?;
            let joined = RowSet::any([rows.and(&joined), foreign.unwrap_or_default()]);
            look(joined, &JOINED, &|rows, at| {
                let row = rows.row(at);
                row.is_ok_and(|row| row.further_causes().any(|id| self.causes.contains(&id)))
            })?;
        }
        if !self.traces.is_empty() {
            let rows = trace_rows(reader, &self.traces)?;
            look(rows, &Place::TRACE, &|rows, at| {
                rows.trace_id(at)
                    .is_some_and(|id| self.traces.contains(&id))
            })?;
        }
        for (rows, places, is_wanted) in message_rows(reader, &self.forms)? {
            look(rows, places, &is_wanted)?;
        }
        Ok(RowSet::any(found))
    }

    /// Whether a batch of the tail may have one of the keys.
    pub(super) fn may_be_in(&self, tail: &TailBatch) -> bool {
        let reach = tail.reach();
        self.keys.iter().any(|key| match *key {
            Key::Event(id) => reach.may_have_event(id),
            Key::Parent(id) => reach.may_have_cause(id),
            Key::Trace(id) => reach.may_have_trace(id),
            Key::Message(id) => reach.may_have_message(id),
        })
    }

    /// Whether a row has one of them.
    pub(super) fn is_in(&self, row: &EventRow<'_>) -> bool {
        let is_cause = |id: &EventId| self.causes.contains(id);
        self.events.contains(&row.event_id)
            || !self.causes.is_empty()
                && (row.parent.as_ref().is_some_and(is_cause)
                    || row.further_causes().any(|id| is_cause(&id)))
            || row.trace_id.is_some_and(|id| self.traces.contains(&id))
            || !self.messages.is_empty() && {
                let own = row.message_value();
                own.is_some_and(|own| self.messages.contains(&own))
            }
    }
}

impl Wanted<'_> {
    /// Whether the event has one of the keys.
    fn is_of(&self, event: &TraceEvent) -> bool {
        self.events.contains(&event.event_id)
            || event
                .message_id()
                .is_some_and(|id| self.messages.contains(id))
            || event.trace_id.is_some_and(|id| self.traces.contains(&id))
            || !self.causes.is_empty() && named_causes(event).any(|id| self.causes.contains(&id))
    }
}

/// The rows of pages that may have one of these ids.
fn ids(
    reader: &SegmentReader,
    series: Series,
    foreign: Place,
    ids: &HashSet<EventId>,
) -> Result<RowSet, StoreError> {
    let mut rows = Vec::new();
    for id in ids {
        rows.push(match id.origin() {
            Some(origin) => reader.reach().rows_of(series, origin, reader.len()),
            None => reader.with_value(foreign, &id.as_uuid().as_bytes()[..])?,
        });
    }
    Ok(RowSet::any(rows))
}

/// The rows of pages that may have one of these events.
pub(super) fn event_rows(
    reader: &SegmentReader,
    events: &HashSet<EventId>,
) -> Result<RowSet, StoreError> {
    ids(reader, Series::Event, Place::event_id, events)
}

/// The rows of pages that may have one of these as a direct cause, first or further; but not as a further one of
/// another making.
pub(super) fn cause_rows(
    reader: &SegmentReader,
    causes: &HashSet<EventId>,
) -> Result<RowSet, StoreError> {
    ids(reader, Series::Cause, Place::parent_id, causes)
}

/// The rows of pages that may be of one of these traces.
pub(super) fn trace_rows(
    reader: &SegmentReader,
    traces: &HashSet<TraceId>,
) -> Result<RowSet, StoreError> {
    let mut rows = Vec::new();
    for id in traces {
        rows.push(match id.origin() {
            // The numbers of traces are as good as random where their sampling hangs on the id of a message: then
            // every page is crowded, and only the filters tell.
            Some(origin) => {
                let number = origin.sequence.cast_signed();
                let maybe = reader.reach().rows_of(Series::Trace, origin, reader.len());
                maybe.and(&reader.with_value(Place::trace_number, &number)?)
            }
            None => reader.with_value(Place::trace_id, &id.as_uuid().as_bytes()[..])?,
        });
    }
    Ok(RowSet::any(rows))
}

/// The forms of which the text is this, whatever they are in JSON.
pub(super) struct TextForms {
    text: String,
    forms: [MessageForms; 2],
}

impl TextForms {
    pub(super) fn of(text: &str) -> Self {
        let mut of_text = MessageForms::of(&Value::from(text));
        of_text.other = Some(text.to_owned());
        // Digits are also the text of a number.
        let number = text.parse::<u64>().ok().map(Value::from);
        Self {
            text: text.to_owned(),
            forms: [
                of_text,
                number.as_ref().map(MessageForms::of).unwrap_or_default(),
            ],
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// The rows of pages that may have a message whose id is one of these texts.
pub(super) fn text_rows(reader: &SegmentReader, texts: &[TextForms]) -> Result<RowSet, StoreError> {
    let forms: Vec<_> = texts.iter().flat_map(|text| text.forms.clone()).collect();
    let asked = message_rows(reader, &forms)?;
    Ok(RowSet::any(asked.into_iter().map(|(rows, ..)| rows)))
}

type IsWanted<'a> = Box<dyn Fn(&SegmentRows, usize) -> bool + 'a>;

/// One form of ids: the rows in which it may be, the columns that it has, and whether a row has one of them.
type Asked<'a> = (RowSet, &'static [Place], IsWanted<'a>);

/// A number, and the prefix and the least number of digits that make a text of it.
type Divided<'a> = (u64, Option<(&'a str, u8)>);

/// The rows of pages that may have one of these ids in one of its forms, each form with its columns and the
/// question. Ids that are looked for together are mostly neighbours: no page is decoded once for each.
fn message_rows<'a>(
    reader: &SegmentReader,
    forms: &'a [MessageForms],
) -> Result<Vec<Asked<'a>>, StoreError> {
    let mut asked: Vec<Asked<'a>> = Vec::new();
    let among = |place, scalar| Within {
        place,
        values: Values::Among(vec![scalar]),
        or_null: false,
    };
    let numbers = forms.iter().filter_map(|forms| forms.number.as_ref());
    let mut rows = Vec::new();
    for (text, number) in numbers.clone() {
        let some = reader.with_value(Place::message_number, &number.cast_signed())?;
        let number_is = among(Place::message_number, Scalar::Whole(i128::from(*number)));
        let mut some = reader.narrow(&some, &number_is);
        if let Some((prefix, _)) = text {
            some = reader.narrow(&some, &among(Place::message_prefix, Scalar::text(prefix)));
        }
        rows.push(some);
    }
    if !rows.is_empty() {
        let due: HashSet<Divided<'a>> = numbers
            .map(|(text, number)| {
                let text = text.as_ref();
                (*number, text.map(|(prefix, width)| (&**prefix, *width)))
            })
            .collect();
        let is_it = Box::new(move |rows: &SegmentRows, at| match rows.message_id(at) {
            Some(MessageId::Number(number)) => due.contains(&(number, None)),
            Some(MessageId::Numbered {
                prefix,
                width,
                number,
            }) => due.contains(&(number, Some((prefix, width)))),
            _ => false,
        });
        asked.push((RowSet::any(rows), &NUMBERED, is_it));
    }
    let uuids: HashSet<[u8; 16]> = forms.iter().filter_map(|forms| forms.uuid).collect();
    if !uuids.is_empty() {
        let mut rows = Vec::new();
        for uuid in &uuids {
            let some = reader.with_value(Place::message_uuid, &uuid[..])?;
            let uuid_is = among(Place::message_uuid, Scalar::Bytes(uuid[..].into()));
            rows.push(reader.narrow(&some, &uuid_is));
        }
        let is_it = Box::new(
            move |rows: &SegmentRows, at| matches!(rows.message_id(at), Some(MessageId::Uuid(uuid)) if uuids.contains(&uuid)),
        );
        asked.push((RowSet::any(rows), &[Place::message_uuid], is_it));
    }
    let texts: HashSet<&'a str> = forms
        .iter()
        .filter_map(|forms| forms.text.as_deref())
        .collect();
    let others = forms
        .iter()
        .filter_map(|forms| forms.other.as_deref())
        .collect();
    for (places, texts) in [
        (&[Place::message_text], texts),
        (&[Place::message_other], others),
    ] {
        let [place] = *places;
        let mut rows = Vec::new();
        for text in &texts {
            let some = reader.with_value(place, *text)?;
            rows.push(reader.narrow(&some, &among(place, Scalar::text(text))));
        }
        if !rows.is_empty() {
            let is_it = Box::new(move |rows: &SegmentRows, at| {
                rows.plain_text(place, at)
                    .is_some_and(|text| texts.contains(text))
            });
            asked.push((RowSet::any(rows), places, is_it));
        }
    }
    Ok(asked)
}

/// All that a view has of these keys.
pub(super) fn find(
    view: &View,
    keys: &[Key<'_>],
    range: TimeRange,
    most: usize,
    watch: &dyn Watch,
) -> Result<Vec<Found>, StoreError> {
    let wanted = Wanted::new(keys);
    let mut found = Vec::new();
    watch.spend(Effort {
        segments: view.segments().len() as u64,
        ..Effort::default()
    });
    for segment in view.segments() {
        watch.go_on()?;
        if !range.touches(segment.entry.first_ns, segment.entry.last_ns) {
            continue;
        }
        let reader = view.shared().open(segment)?;
        let mut rows = wanted.rows(&reader, range, watch)?;
        // What is not needed is not read.
        let rows = rows.take_first(most.saturating_add(1).saturating_sub(found.len()));
        in_segment(&reader, &rows, range, watch, &mut found)?;
        if found.len() > most {
            break;
        }
    }
    for tail in view.tail().iter() {
        if found.len() > most {
            break;
        }
        watch.go_on()?;
        in_tail(&wanted, tail, range, watch, &mut found)?;
    }
    // What the columns say of a message is what its event says, or what a client says that contradicts itself.
    if !wanted.messages.is_empty() {
        found.retain(|found| wanted.is_of(&found.event));
    }
    found.sort_by_key(|found| found.place);
    Ok(found)
}

/// The events of these rows.
fn in_segment(
    reader: &SegmentReader,
    rows: &RowSet,
    range: TimeRange,
    watch: &dyn Watch,
    found: &mut Vec<Found>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    watch.spend(Effort {
        pages_read: reader.pages_of(rows),
        ..Effort::default()
    });
    let mut placer = Placer::new(reader, rows)?;
    let mut numbers = rows.rows();
    for batch in reader.read(rows, Place::ALL)? {
        watch.go_on()?;
        let rows = SegmentRows::new(batch?).map_err(|error| damaged(reader.segment(), error))?;
        for (at, number) in (0..rows.len()).zip(numbers.by_ref()) {
            let (time_ns, offset) = (rows.time_ns(at), rows.offset(at));
            if !range.contains(time_ns) {
                continue;
            }
            let place = Cursor {
                time_ns,
                offset,
                row: placer.row(number, time_ns, offset)?,
            };
            let event = rows
                .event(at)
                .map_err(|error| damaged(reader.segment(), error))?;
            let event = watch.keep(event)?;
            found.push(Found { place, event });
            watch.spend(Effort {
                events_decoded: 1,
                ..Effort::default()
            });
        }
    }
    Ok(())
}

fn in_tail(
    wanted: &Wanted<'_>,
    tail: &TailBatch,
    range: TimeRange,
    watch: &dyn Watch,
    found: &mut Vec<Found>,
) -> Result<(), StoreError> {
    let Some(batch) = tail.batch() else {
        return Ok(());
    };
    let is_in_time = batch
        .time_range()
        .is_some_and(|(first, last)| range.touches(first, last));
    if !is_in_time || !wanted.may_be_in(tail) {
        return Ok(());
    }
    let mut looked_at = 0;
    let mut matched = Vec::new();
    for (at, row) in batch.rows().enumerate() {
        looked_at += 1;
        if at.is_multiple_of(PAGE_ROWS) {
            watch.go_on()?;
        }
        if range.contains(row.start_ns) && wanted.is_in(&row) {
            matched.push(at);
        }
    }
    watch.spend(Effort {
        rows_looked_at: looked_at,
        events_decoded: matched.len() as u64,
        ..Effort::default()
    });
    for at in matched {
        let time_ns = batch.starts_ns()[at];
        let before = &batch.starts_ns()[..at];
        let row = before.iter().filter(|&&other| other == time_ns).count() as u32;
        let event = batch.event(at).ok_or_else(|| {
            StoreError::damaged("a batch in memory", "an event of it cannot be read")
        })?;
        let place = Cursor {
            time_ns,
            offset: tail.offset(),
            row,
        };
        let event = watch.keep(event)?;
        found.push(Found { place, event });
    }
    Ok(())
}
