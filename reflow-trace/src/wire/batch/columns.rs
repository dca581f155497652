//! The columns of a batch, with differences undone.

use super::dictionary::{BatchDictionary, bits, place};
use super::fields::{Fields, column, groups, plain_column, too_large};
use crate::event::SEQUENCE_BITS;
use crate::wire::format::{column as bit, field, id_form};
use crate::wire::protobuf::unzigzag;
use crate::wire::{BatchLimits, WireError, sections};

/// One value for each event; an empty column holds zeros.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) form_of: Vec<u32>,
    pub(super) ring: Vec<u32>,
    pub(super) sequence: Vec<u64>,
    pub(super) start: Vec<i64>,
    pub(super) duration: Vec<u64>,
    pub(super) size: Vec<u64>,
    pub(super) depth: Vec<u64>,
    pub(super) wide: Vec<u64>,
    pub(super) cause: Vec<(u32, u64)>,
    pub(super) root: Vec<(u32, u64)>,
    /// The number; where the form has a UUID, its place.
    pub(super) message_number: Vec<u64>,
    pub(super) message_uuids: Vec<[u8; 16]>,
    /// Where the sections of each event end.
    pub(super) section_ends: Vec<u32>,
    pub(super) time_range: Option<(i64, i64)>,
}

const SEQUENCE_REASON: &str = "48 bits";

impl Columns {
    pub(super) fn read(
        fields: &Fields<'_>,
        dictionary: &BatchDictionary,
        limits: &BatchLimits,
    ) -> Result<Self, WireError> {
        let events = fields.number("events", field::EVENTS)?;
        too_large("events", events, limits.events_max)?;
        let events = events as usize;
        let mut columns = Self::default();
        columns.read_form_of(fields, dictionary, events)?;
        columns.read_places(fields, dictionary, events)?;
        columns.read_start(fields, events)?;
        let plain = |name, field| -> Result<_, WireError> {
            plain_column(name, fields.bytes(name, field)?, events)
        };
        columns.duration = plain("duration_ns", field::DURATION)?;
        columns.size = plain("size_bytes", field::SIZE)?;
        columns.depth = plain("queue_depth", field::DEPTH)?;
        columns.wide = plain("wide", field::WIDE)?;
        columns.cause = columns.read_links(
            fields,
            dictionary,
            bit::CAUSE,
            [
                ("cause_ring", field::CAUSE_RING),
                ("cause_sequence", field::CAUSE_SEQUENCE),
            ],
        )?;
        columns.root = columns.read_links(
            fields,
            dictionary,
            bit::ROOT,
            [
                ("root_ring", field::ROOT_RING),
                ("root_number", field::ROOT_NUMBER),
            ],
        )?;
        columns.read_message_ids(fields, dictionary)?;
        columns.read_sections(fields)?;
        Ok(columns)
    }

    fn read_form_of(
        &mut self,
        fields: &Fields<'_>,
        dictionary: &BatchDictionary,
        events: usize,
    ) -> Result<(), WireError> {
        const NAME: &str = "form_of";
        let bytes = fields.bytes(NAME, field::FORM_OF)?;
        // Each event has a byte here at least, so that nobody gets room for events that were not sent.
        if bytes.len() < events {
            return Err(WireError::ColumnLength {
                column: NAME,
                values: bytes.len() as u64,
                expected: events as u64,
            });
        }
        if events == 0 {
            return Ok(());
        }
        self.form_of.reserve_exact(events);
        column(NAME, bytes, events, |_, value| {
            let len = dictionary.forms.len();
            self.form_of
                .push(place(NAME, value, len, "a place in the list of forms")?);
            Ok(())
        })
    }

    /// Ring and sequence.
    fn read_places(
        &mut self,
        fields: &Fields<'_>,
        dictionary: &BatchDictionary,
        events: usize,
    ) -> Result<(), WireError> {
        const NAME: &str = "run";
        let rings = dictionary.rings.len();
        self.ring.reserve_exact(events);
        let bytes = fields.bytes(NAME, field::RUN)?;
        // A run has an event at least; one more is found to be too many.
        let runs_max = u32::try_from(events).unwrap_or(u32::MAX);
        groups(NAME, bytes, runs_max, |[ring, count]| {
            let ring = place(NAME, ring, rings, "a place in the list of rings")?;
            let left = events - self.ring.len();
            match usize::try_from(count) {
                Ok(count) if count <= left => {
                    self.ring.extend(std::iter::repeat_n(ring, count));
                    Ok(())
                }
                _ => Err(WireError::ColumnLength {
                    column: NAME,
                    values: count.saturating_add(self.ring.len() as u64),
                    expected: events as u64,
                }),
            }
        })?;
        if self.ring.len() != events {
            return Err(WireError::ColumnLength {
                column: NAME,
                values: self.ring.len() as u64,
                expected: events as u64,
            });
        }
        const SEQUENCE: &str = "sequence";
        let mut last = vec![0u64; rings];
        self.sequence.reserve_exact(events);
        let bytes = fields.bytes(SEQUENCE, field::SEQUENCE)?;
        column(SEQUENCE, bytes, events, |row, value| {
            let last = &mut last[self.ring[row] as usize];
            let sequence = last.wrapping_add(1).wrapping_add(unzigzag(value));
            *last = bits(SEQUENCE, sequence, SEQUENCE_BITS, SEQUENCE_REASON)?;
            self.sequence.push(sequence);
            Ok(())
        })
    }

    fn read_start(&mut self, fields: &Fields<'_>, events: usize) -> Result<(), WireError> {
        let mut last = 0i64;
        let mut range = (i64::MAX, i64::MIN);
        self.start.reserve_exact(events);
        let bytes = fields.bytes("start_ns", field::START)?;
        column("start_ns", bytes, events, |_, value| {
            last = last.wrapping_add(unzigzag(value) as i64);
            range = (range.0.min(last), range.1.max(last));
            self.start.push(last);
            Ok(())
        })?;
        self.time_range = (events > 0).then_some(range);
        Ok(())
    }

    /// Causes or roots: a ring and a number in it. Empty when no event has one.
    fn read_links(
        &self,
        fields: &Fields<'_>,
        dictionary: &BatchDictionary,
        has: u64,
        [(ring_name, ring_field), (number_name, number_field)]: [(&'static str, u32); 2],
    ) -> Result<Vec<(u32, u64)>, WireError> {
        let events = self.form_of.len();
        if !dictionary.forms.iter().any(|form| form.has & has != 0) {
            return Ok(Vec::new());
        }
        let rings = dictionary.rings.len();
        let mut links = Vec::with_capacity(events);
        let bytes = fields.bytes(ring_name, ring_field)?;
        column(ring_name, bytes, events, |row, value| {
            let form = &dictionary.forms[self.form_of[row] as usize];
            links.push(if form.has & has == 0 {
                (0, 0)
            } else {
                (
                    place(ring_name, value, rings, "a place in the list of rings")?,
                    0,
                )
            });
            Ok(())
        })?;
        let mut last = vec![0u64; rings];
        let bytes = fields.bytes(number_name, number_field)?;
        column(number_name, bytes, events, |row, value| {
            let form = &dictionary.forms[self.form_of[row] as usize];
            if form.has & has != 0 {
                let (ring, number) = &mut links[row];
                let last = &mut last[*ring as usize];
                *number = last.wrapping_add(unzigzag(value));
                *last = bits(number_name, *number, SEQUENCE_BITS, SEQUENCE_REASON)?;
            }
            Ok(())
        })?;
        Ok(links)
    }

    fn read_message_ids(
        &mut self,
        fields: &Fields<'_>,
        dictionary: &BatchDictionary,
    ) -> Result<(), WireError> {
        let events = self.form_of.len();
        let bytes = fields.bytes("message_uuid", field::MESSAGE_UUID)?;
        let (uuids, rest) = bytes.as_chunks::<16>();
        if dictionary.forms.iter().any(|form| form.id != id_form::NONE) {
            let mut uuids_seen = 0;
            let mut last = vec![0u64; dictionary.prefixes.len() + 1];
            let mut numbers = Vec::with_capacity(events);
            let bytes = fields.bytes("message_number", field::MESSAGE_NUMBER)?;
            column("message_number", bytes, events, |row, value| {
                numbers.push(match dictionary.forms[self.form_of[row] as usize].id {
                    id_form::NONE => 0,
                    id_form::UUID => {
                        uuids_seen += 1;
                        uuids_seen - 1
                    }
                    form => {
                        let last = &mut last[(form - id_form::NUMBER) as usize];
                        *last = last.wrapping_add(unzigzag(value));
                        *last
                    }
                });
                Ok(())
            })?;
            self.message_number = numbers;
            if uuids_seen != uuids.len() as u64 || !rest.is_empty() {
                return Err(WireError::ColumnLength {
                    column: "message_uuid",
                    values: uuids.len() as u64,
                    expected: uuids_seen,
                });
            }
            self.message_uuids = uuids.to_vec();
        } else if !bytes.is_empty() {
            return Err(WireError::ColumnLength {
                column: "message_uuid",
                values: uuids.len() as u64,
                expected: 0,
            });
        }
        Ok(())
    }

    fn read_sections(&mut self, fields: &Fields<'_>) -> Result<(), WireError> {
        const NAME: &str = "section_bytes";
        let events = self.form_of.len();
        let all = fields.bytes("sections", field::SECTIONS)?;
        let bytes = fields.bytes(NAME, field::SECTION_BYTES)?;
        if all.is_empty() && bytes.is_empty() {
            return Ok(());
        }
        let mut rest = all;
        let mut ends = Vec::with_capacity(events);
        column(NAME, bytes, events, |index, value| {
            let split = usize::try_from(value)
                .ok()
                .and_then(|length| rest.split_at_checked(length));
            let Some((own, behind)) = split else {
                return Err(WireError::Value {
                    column: NAME,
                    value,
                    reason: "no more than is left of `sections`",
                });
            };
            let is_whole =
                sections::read(own).all(|section| section.is_ok_and(|section| section.is_whole()));
            if !is_whole {
                return Err(WireError::Sections { index });
            }
            rest = behind;
            ends.push((all.len() - rest.len()) as u32);
            Ok(())
        })?;
        if !rest.is_empty() {
            return Err(WireError::ColumnLength {
                column: "sections",
                values: all.len() as u64,
                expected: (all.len() - rest.len()) as u64,
            });
        }
        self.section_ends = ends;
        Ok(())
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let numbers = [
            self.sequence.capacity(),
            self.start.capacity(),
            self.duration.capacity(),
            self.size.capacity(),
            self.depth.capacity(),
            self.wide.capacity(),
            self.message_number.capacity(),
            2 * self.message_uuids.capacity(),
            2 * self.cause.capacity(),
            2 * self.root.capacity(),
        ];
        let places = [
            self.form_of.capacity(),
            self.ring.capacity(),
            self.section_ends.capacity(),
        ];
        8 * numbers.iter().sum::<usize>() + 4 * places.iter().sum::<usize>()
    }
}
