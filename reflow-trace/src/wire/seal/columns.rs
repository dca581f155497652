//! The columns of a batch while it is sealed.

use crate::wire::format::field;
use crate::wire::protobuf::{put, put_bytes, zigzag};

/// A packed field of numbers.
#[derive(Default)]
pub(super) struct Column {
    bytes: Vec<u8>,
    /// All values, one over the other: 0 when there are only zeros.
    any: u64,
}

impl Column {
    #[inline(always)]
    pub(super) fn push(&mut self, value: u64) {
        self.any |= value;
        put(&mut self.bytes, value);
    }

    /// Pushes how far `value` is from what was expected.
    #[inline(always)]
    pub(super) fn push_difference(&mut self, value: u64, expected: u64) {
        self.push(zigzag(value.wrapping_sub(expected)));
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.any = 0;
    }

    fn write(&self, plain: &mut Vec<u8>, field: u32) {
        if self.any != 0 {
            put_bytes(plain, field, &self.bytes);
        }
    }
}

/// All of them; see [`format`](crate::wire::format).
#[derive(Default)]
pub(super) struct Columns {
    pub(super) form_of: Column,
    pub(super) sequence: Column,
    pub(super) start: Column,
    pub(super) duration: Column,
    pub(super) size: Column,
    pub(super) depth: Column,
    pub(super) wide: Column,
    pub(super) cause_ring: Column,
    pub(super) cause_sequence: Column,
    pub(super) root_ring: Column,
    pub(super) root_number: Column,
    pub(super) message_number: Column,
    pub(super) message_uuid: Vec<u8>,
    pub(super) section_bytes: Column,
    pub(super) sections: Vec<u8>,
    runs: Vec<u8>,
    /// The run that is not written yet.
    run: (u32, u64),
}

impl Columns {
    pub(super) fn clear(&mut self) {
        for (_, column) in self.numbers() {
            column.clear();
        }
        self.message_uuid.clear();
        self.sections.clear();
        self.runs.clear();
        self.run = (0, 0);
    }

    /// One more event in a row is of this ring.
    #[inline]
    pub(super) fn count_in_run(&mut self, ring: u32) {
        if self.run.0 != ring {
            self.end_run();
            self.run.0 = ring;
        }
        self.run.1 += 1;
    }

    fn end_run(&mut self) {
        let (ring, count) = std::mem::take(&mut self.run);
        if count > 0 {
            put(&mut self.runs, u64::from(ring));
            put(&mut self.runs, count);
        }
    }

    /// Bytes so far, nearly.
    pub(super) fn bytes(&self) -> usize {
        // The other columns are bounded by the number of events.
        self.sections.len() + self.message_uuid.len()
    }

    fn numbers(&mut self) -> [(u32, &mut Column); 13] {
        [
            (field::FORM_OF, &mut self.form_of),
            (field::SEQUENCE, &mut self.sequence),
            (field::START, &mut self.start),
            (field::DURATION, &mut self.duration),
            (field::SIZE, &mut self.size),
            (field::DEPTH, &mut self.depth),
            (field::WIDE, &mut self.wide),
            (field::CAUSE_RING, &mut self.cause_ring),
            (field::CAUSE_SEQUENCE, &mut self.cause_sequence),
            (field::ROOT_RING, &mut self.root_ring),
            (field::ROOT_NUMBER, &mut self.root_number),
            (field::MESSAGE_NUMBER, &mut self.message_number),
            (field::SECTION_BYTES, &mut self.section_bytes),
        ]
    }

    pub(super) fn write(&mut self, plain: &mut Vec<u8>) {
        self.end_run();
        // Never left out: a reader makes room for as many events as there are bytes here.
        self.form_of.any |= u64::from(!self.form_of.bytes.is_empty());
        for (field, column) in self.numbers() {
            column.write(plain, field);
        }
        for (field, bytes) in [
            (field::RUN, &self.runs),
            (field::MESSAGE_UUID, &self.message_uuid),
            (field::SECTIONS, &self.sections),
        ] {
            if !bytes.is_empty() {
                put_bytes(plain, field, bytes);
            }
        }
    }
}
