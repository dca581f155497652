//! The names and numbers that the events of one batch use.

use std::collections::HashMap;

use super::numbers::Numbers;
use crate::event::ProducerId;
use crate::record::Surroundings;
use crate::sampling::RootNumbering;
use crate::wire::format::{UNKNOWN_THROUGHPUT, field};
use crate::wire::protobuf::{put, put_bytes};

/// Grows with the batch.
#[derive(Default)]
pub(super) struct BatchDictionary {
    names: HashMap<Box<str>, u32>,
    /// The field `name`, as it is written.
    name_fields: Vec<u8>,
    edges: Numbers,
    edge_names: Vec<u8>,
    throughput: Vec<u64>,
    types: Numbers,
    type_names: Vec<u8>,
    types_len: u32,
    thresholds: HashMap<u64, u32>,
    threshold_bits: Vec<u8>,
    prefixes: Vec<u8>,
    pub(super) rings: Rings,
}

impl BatchDictionary {
    pub(super) fn clear(&mut self, producer: ProducerId) {
        self.names.clear();
        self.edges.clear();
        self.types.clear();
        self.types_len = 0;
        self.thresholds.clear();
        self.throughput.clear();
        for bytes in [
            &mut self.name_fields,
            &mut self.edge_names,
            &mut self.type_names,
            &mut self.threshold_bits,
            &mut self.prefixes,
        ] {
            bytes.clear();
        }
        self.rings.clear(producer);
    }

    pub(super) fn names_len(&self) -> usize {
        self.names.len()
    }

    /// How many entries the longest of the lists has.
    pub(super) fn entries_len(&self) -> usize {
        self.throughput
            .len()
            .max(self.types_len as usize)
            .max(self.thresholds.len())
            .max(self.rings.states.len())
    }

    /// The place of a name.
    pub(super) fn name(&mut self, name: &str) -> u32 {
        if let Some(&place) = self.names.get(name) {
            return place;
        }
        let place = self.names.len() as u32;
        self.names.insert(name.into(), place);
        put_bytes(&mut self.name_fields, field::NAME, name.as_bytes());
        place
    }

    /// The place of an edge of the process.
    pub(super) fn edge(&mut self, number: u32, around: &Surroundings<'_>) -> u32 {
        if let Some(place) = self.edges.get(number) {
            return place;
        }
        let place = self.throughput.len() as u32;
        self.edges.set(number, place);
        let names = around.dictionary.edge_names(number);
        let [from_actor, from_port, to_actor, to_port] = names.ends();
        for name in [
            from_actor,
            from_port,
            to_actor,
            to_port,
            &names.protocol,
            &names.compression,
        ] {
            let name = self.name(name);
            put(&mut self.edge_names, u64::from(name));
        }
        self.throughput.push(
            around
                .throughput
                .get(&number)
                .map_or(UNKNOWN_THROUGHPUT, |per_second| per_second.to_bits()),
        );
        place
    }

    /// The place of a message type of the process, and 1; 0 for none.
    pub(super) fn message_type(&mut self, number: u32, around: &Surroundings<'_>) -> u32 {
        if number == 0 {
            return 0;
        }
        if let Some(place) = self.types.get(number) {
            return place + 1;
        }
        let place = self.types_len;
        self.types.set(number, place);
        self.types_len += 1;
        let name = self.name(&around.dictionary.type_name(number));
        put(&mut self.type_names, u64::from(name));
        place + 1
    }

    /// The place of a threshold of the process, and 1; 0 for none.
    pub(super) fn threshold(&mut self, policy: u16, around: &Surroundings<'_>) -> u32 {
        let Some(threshold) = around.thresholds.threshold(policy) else {
            return 0;
        };
        let next = self.thresholds.len() as u32;
        let place = *self.thresholds.entry(threshold.bits()).or_insert(next);
        if place == next {
            put(&mut self.threshold_bits, threshold.bits());
        }
        place + 1
    }

    /// Adds the next prefix of message ids.
    pub(super) fn prefix(&mut self, prefix: &str, width: u8) {
        let name = self.name(prefix);
        put(&mut self.prefixes, u64::from(name));
        put(&mut self.prefixes, u64::from(width));
    }

    pub(super) fn write(&self, plain: &mut Vec<u8>) {
        plain.extend_from_slice(&self.name_fields);
        for (field, bytes) in [
            (field::EDGE, &self.edge_names),
            (field::MESSAGE_TYPE, &self.type_names),
            (field::THRESHOLD, &self.threshold_bits),
            (field::OTHER_PRODUCER, &self.rings.other_producers),
            (field::RING, &self.rings.entries),
            (field::PREFIX, &self.prefixes),
        ] {
            if !bytes.is_empty() {
                put_bytes(plain, field, bytes);
            }
        }
        if self
            .throughput
            .iter()
            .any(|&bits| bits != UNKNOWN_THROUGHPUT)
        {
            let bytes: Vec<u8> = self
                .throughput
                .iter()
                .flat_map(|bits| bits.to_le_bytes())
                .collect();
            put_bytes(plain, field::THROUGHPUT, &bytes);
        }
    }
}

/// What was last seen of a ring, which the next is compared with.
#[derive(Clone, Copy, Default)]
pub(super) struct RingState {
    pub(super) sequence: u64,
    pub(super) cause_sequence: u64,
    pub(super) root_number: u64,
}

/// The rings of a batch: those of its producer, and those that causes and roots from elsewhere are of.
#[derive(Default)]
pub(super) struct Rings {
    producer: u64,
    own: Numbers,
    others: HashMap<(u64, u32), u32>,
    producers: HashMap<u64, u64>,
    other_producers: Vec<u8>,
    entries: Vec<u8>,
    pub(super) states: Vec<RingState>,
    /// The key of the permutation that was used last.
    numbering: Option<(u64, u16, RootNumbering)>,
}

impl Rings {
    fn clear(&mut self, producer: ProducerId) {
        self.producer = producer.bits();
        self.own.clear();
        self.others.clear();
        self.producers.clear();
        self.other_producers.clear();
        self.entries.clear();
        self.states.clear();
    }

    /// The place of a ring.
    #[inline]
    pub(super) fn place(&mut self, producer: u64, ring: u32) -> u32 {
        if producer == self.producer
            && let Some(place) = self.own.get(ring)
        {
            return place;
        }
        self.other_place(producer, ring)
    }

    fn other_place(&mut self, producer: u64, ring: u32) -> u32 {
        let next = self.states.len() as u32;
        let mut producer_place = 0;
        if producer == self.producer {
            self.own.set(ring, next);
        } else {
            if let Some(&place) = self.others.get(&(producer, ring)) {
                return place;
            }
            self.others.insert((producer, ring), next);
            let next_producer = self.producers.len() as u64 + 1;
            producer_place = *self.producers.entry(producer).or_insert(next_producer);
            if producer_place == next_producer {
                put(&mut self.other_producers, producer);
            }
        }
        put(&mut self.entries, producer_place);
        put(&mut self.entries, u64::from(ring));
        self.states.push(RingState::default());
        next
    }

    /// The place of the ring that the root of a trace is of, and its number there.
    #[inline]
    pub(super) fn root(&mut self, producer: u64, trace_high: u16, randomness: u64) -> (u32, u64) {
        let base = match self.numbering {
            Some((last, high, base)) if (last, high) == (producer, trace_high) => base,
            _ => {
                let ring = u32::from(trace_high) << RootNumbering::RING_LOW_BITS;
                let base = RootNumbering::new(ProducerId::from_bits(producer), ring);
                self.numbering = Some((producer, trace_high, base));
                base
            }
        };
        let (ring, number) = base.root_of(randomness);
        (self.place(producer, ring), number)
    }
}
