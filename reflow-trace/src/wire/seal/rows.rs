//! Records become rows.

use super::columns::Columns;
use super::dictionary::BatchDictionary;
use super::forms::Forms;
use super::message_id::{ColumnId, MessageIds};
use super::sections::{Found, divide};
use crate::event::ProducerId;
use crate::record::{Record, Surroundings, encode_outcome, flag};
use crate::ring::SLOT_WORDS;
use crate::wire::format::{column, id_form};

/// The rows of one batch, with all that they refer to.
#[derive(Default)]
pub(super) struct Rows {
    producer: u64,
    pub(super) dictionary: BatchDictionary,
    pub(super) forms: Forms,
    pub(super) columns: Columns,
    ids: MessageIds,
    len: u32,
    last_start: u64,
    /// The section that is being looked at.
    bytes: Vec<u8>,
}

impl Rows {
    pub(super) fn clear(&mut self, producer: ProducerId) {
        self.producer = producer.bits();
        self.dictionary.clear(producer);
        self.forms.clear();
        self.columns.clear();
        self.ids.clear();
        self.len = 0;
        self.last_start = 0;
    }

    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// Adds a record that was read from `ring`. `false`: it cannot be read back, and was left out.
    pub(super) fn add(&mut self, words: &[u64], ring: u32, around: &Surroundings<'_>) -> bool {
        let Some((first, rest)) = words.split_first_chunk::<SLOT_WORDS>() else {
            return false;
        };
        let Some(record) = Record::unpack(first) else {
            return false;
        };
        let sections_before = self.columns.sections.len();
        let mut found = Found::default();
        if !rest.is_empty() {
            let divided = divide(
                rest,
                &record,
                &mut self.ids,
                &mut self.dictionary,
                &mut self.bytes,
                &mut self.columns.sections,
            );
            match divided {
                Some(divided) => found = divided,
                None => {
                    self.columns.sections.truncate(sections_before);
                    return false;
                }
            }
        }
        let section_bytes = self.columns.sections.len() - sections_before;
        self.put(&record, ring, &found, around);
        self.columns.section_bytes.push(section_bytes as u64);
        self.len += 1;
        true
    }

    #[inline]
    fn put(&mut self, record: &Record, ring: u32, found: &Found, around: &Surroundings<'_>) {
        let mut has = 0;
        let mut known = |value: Option<u64>, bit: u64| {
            has |= if value.is_some() { bit } else { 0 };
            value.unwrap_or(0)
        };
        let ns = |ticks| around.calibration.duration_ns(ticks);
        let (mut duration, mut size, mut depth, mut wide) = (0, 0, 0, 0);
        // An event built by hand says all this in its sections.
        if record.flags & flag::BY_HAND == 0 {
            duration = known(record.duration.map(ns), column::DURATION);
            size = known(record.size, column::SIZE);
            depth = known(record.depth, column::DEPTH);
            wide = known(record.wide, column::WIDE);
            if Record::has_waiting(record.kind, record.outcome, record.flags) && wide > 0 {
                wide = ns(wide);
            }
        }
        let columns = &mut self.columns;
        columns.duration.push(duration);
        columns.size.push(size);
        columns.depth.push(depth);
        columns.wide.push(wide);

        let start = found
            .start_ns
            .unwrap_or_else(|| around.calibration.wall_ns(record.start)) as u64;
        columns.start.push_difference(start, self.last_start);
        self.last_start = start;

        let rings = &mut self.dictionary.rings;
        let ring = found.home_ring.unwrap_or(ring) & RING_MASK;
        let own = rings.place(self.producer, ring);
        columns.count_in_run(own);
        let state = &mut rings.states[own as usize];
        columns
            .sequence
            .push_difference(record.sequence, state.sequence.wrapping_add(1));
        state.sequence = record.sequence;

        let cause = match found.parent {
            Some(origin) => Some((origin.producer.bits(), origin.ring, origin.sequence)),
            None => (record.flags & flag::CAUSE != 0).then_some((
                self.producer,
                record.cause_ring,
                record.cause_sequence,
            )),
        };
        match cause {
            Some((producer, ring, sequence)) => {
                has |= column::CAUSE;
                let place = rings.place(producer, ring);
                columns.cause_ring.push(u64::from(place));
                let last = &mut rings.states[place as usize].cause_sequence;
                columns.cause_sequence.push_difference(sequence, *last);
                *last = sequence;
            }
            None => {
                columns.cause_ring.push(0);
                columns.cause_sequence.push(0);
            }
        }

        let root = match found.trace {
            Some((producer, root)) => Some((producer.bits(), (root >> 56) as u16, root as u64)),
            None => (record.flags & flag::IN_TRACE != 0).then_some((
                self.producer,
                record.trace_high,
                record.randomness,
            )),
        };
        match root {
            Some((producer, high, randomness)) => {
                has |= column::ROOT;
                let (place, number) = rings.root(producer, high, randomness);
                columns.root_ring.push(u64::from(place));
                let last = &mut rings.states[place as usize].root_number;
                columns.root_number.push_difference(number, *last);
                *last = number;
            }
            None => {
                columns.root_ring.push(0);
                columns.root_number.push(0);
            }
        }

        let id = match found.message_id {
            None => {
                columns.message_number.push(0);
                id_form::NONE
            }
            Some(ColumnId::Uuid(uuid)) => {
                columns.message_number.push(0);
                columns.message_uuid.extend_from_slice(&uuid);
                id_form::UUID
            }
            Some(ColumnId::Number(form, number)) => {
                let last = self.ids.last(form);
                columns.message_number.push_difference(number, *last);
                *last = number;
                form
            }
        };
        let form = self.form(record, has, id, around);
        self.columns.form_of.push(u64::from(form));
    }

    #[inline]
    fn form(&mut self, record: &Record, has: u64, id: u64, around: &Surroundings<'_>) -> u32 {
        let outcome = encode_outcome(record.outcome);
        let key = (
            u64::from(record.edge)
                | (u64::from(record.message_type) << 28)
                | ((record.kind as u64) << 48)
                | (u64::from(outcome) << 56),
            u64::from(record.flags)
                | (u64::from(record.policy) << 16)
                | (u64::from(record.hops) << 32)
                | (has << 40)
                | (id << 48),
        );
        if let Some(form) = self.forms.find(key) {
            return form;
        }
        let edge = self.dictionary.edge(record.edge, around);
        let message_type = self.dictionary.message_type(record.message_type, around);
        let threshold = self.dictionary.threshold(record.policy, around);
        let numbers = [
            record.kind as u64,
            u64::from(outcome),
            u64::from(record.flags),
            has,
            u64::from(edge),
            u64::from(message_type),
            u64::from(threshold),
            u64::from(record.hops),
            id,
        ];
        self.forms.add(key, numbers)
    }
}

const RING_MASK: u32 = (1 << crate::event::RING_BITS) - 1;
