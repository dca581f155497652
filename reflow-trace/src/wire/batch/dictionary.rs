//! What the rows of a batch refer to.

use super::fields::{Fields, groups, too_large};
use crate::edge::NAME_BYTES_MAX;
use crate::event::{EventId, EventOrigin, PRODUCER_BITS, ProducerId, RING_BITS, TraceId};
use crate::record::{Kind, decode_outcome};
use crate::sampling::{RootNumbering, Threshold};
use crate::wire::format::{EDGE_NUMBERS, FORM_NUMBERS, UNKNOWN_THROUGHPUT, column, field, id_form};
use crate::wire::{BatchLimits, WireError};

/// The names of a batch.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<Box<str>>,
    bytes: usize,
}

impl Names {
    pub(super) fn add(&mut self, name: &[u8], limits: &BatchLimits) -> Result<(), WireError> {
        let index = self.len() as u64;
        too_large("names", index + 1, limits.names_max)?;
        let broken = |reason| WireError::Name { index, reason };
        if name.len() > NAME_BYTES_MAX {
            return Err(broken("longer than 256 bytes"));
        }
        let name = std::str::from_utf8(name).map_err(|_| broken("not UTF-8"))?;
        self.names.push(name.into());
        self.bytes += name.len();
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The name at a place that was checked.
    #[inline]
    pub(super) fn get(&self, place: u32) -> &str {
        self.names.get(place as usize).map_or("", |name| &**name)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes + self.names.capacity() * size_of::<Box<str>>()
    }

    /// The place of a name that is there.
    pub(super) fn place(&self, column: &'static str, value: u64) -> Result<u32, WireError> {
        place(column, value, self.len(), "a place in the list of names")
    }
}

/// `value`, where it is a place in a list of this length.
#[inline]
pub(super) fn place(
    column: &'static str,
    value: u64,
    len: usize,
    reason: &'static str,
) -> Result<u32, WireError> {
    match u32::try_from(value) {
        Ok(place) if (place as usize) < len => Ok(place),
        _ => Err(WireError::Value {
            column,
            value,
            reason,
        }),
    }
}

/// `value`, where it has so few bits.
#[inline]
pub(super) fn bits(
    column: &'static str,
    value: u64,
    bits: u32,
    reason: &'static str,
) -> Result<u64, WireError> {
    if value >> bits == 0 {
        Ok(value)
    } else {
        Err(WireError::Value {
            column,
            value,
            reason,
        })
    }
}

/// A ring, with what makes ids of numbers in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    producer: ProducerId,
    ring: u32,
    numbering: RootNumbering,
}

impl Ring {
    #[inline]
    pub(super) fn event_id(&self, sequence: u64) -> EventId {
        EventId::from_origin(EventOrigin {
            producer: self.producer,
            ring: self.ring,
            sequence,
        })
    }

    /// The trace with this root, and its R.
    #[inline]
    pub(super) fn trace(&self, root_number: u64) -> (TraceId, u64) {
        let randomness = self.numbering.randomness(root_number).bits();
        let root = (u128::from(self.numbering.high()) << 56) | u128::from(randomness);
        (TraceId::from_root(self.producer, root), randomness)
    }
}

/// What events have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) kind: Kind,
    pub(super) outcome: u8,
    pub(super) flags: u16,
    pub(super) has: u64,
    pub(super) edge: u32,
    /// And 1; 0: none.
    pub(super) message_type: u32,
    /// And 1; 0: none.
    pub(super) threshold: u32,
    pub(super) hops: u8,
    pub(super) id: u64,
}

/// All lists.
#[derive(Debug, Default)]
pub(super) struct BatchDictionary {
    pub(super) names: Names,
    pub(super) edges: Vec<[u32; EDGE_NUMBERS]>,
    /// Empty: not known of any edge.
    throughput: Vec<u64>,
    pub(super) types: Vec<u32>,
    pub(super) thresholds: Vec<Threshold>,
    pub(super) rings: Vec<Ring>,
    pub(super) prefixes: Vec<(u32, u8)>,
    pub(super) forms: Vec<Form>,
}

impl BatchDictionary {
    pub(super) fn read(
        fields: &mut Fields<'_>,
        producer: ProducerId,
        limits: &BatchLimits,
    ) -> Result<Self, WireError> {
        let mut dictionary = Self {
            names: std::mem::take(&mut fields.names),
            ..Self::default()
        };
        dictionary.read_names(fields, limits)?;
        dictionary.read_rings(fields, producer, limits)?;
        dictionary.read_forms(fields, limits)?;
        Ok(dictionary)
    }

    fn read_names(&mut self, fields: &Fields<'_>, limits: &BatchLimits) -> Result<(), WireError> {
        let max = limits.entries_max;
        let names = &self.names;
        groups(
            "edge",
            fields.bytes("edge", field::EDGE)?,
            max,
            |group: [u64; EDGE_NUMBERS]| {
                let mut edge = [0; EDGE_NUMBERS];
                for (place, value) in edge.iter_mut().zip(group) {
                    *place = names.place("edge", value)?;
                }
                self.edges.push(edge);
                Ok(())
            },
        )?;
        let bytes = fields.bytes("message_type", field::MESSAGE_TYPE)?;
        groups("message_type", bytes, max, |[name]| {
            self.types.push(names.place("message_type", name)?);
            Ok(())
        })?;
        let bytes = fields.bytes("prefix", field::PREFIX)?;
        groups("prefix", bytes, max, |[name, width]| {
            let name = names.place("prefix", name)?;
            // More digits than a number of 64 bits has are never asked for.
            let width = place("prefix", width, 21, "from 0 to 20 digits")? as u8;
            self.prefixes.push((name, width));
            Ok(())
        })?;
        let bytes = fields.bytes("threshold", field::THRESHOLD)?;
        groups("threshold", bytes, max, |[value]| {
            let never = Threshold::NEVER.bits();
            if value > never {
                return Err(WireError::Value {
                    column: "threshold",
                    value,
                    reason: "at most 2^56",
                });
            }
            self.thresholds.push(Threshold::from_bits(value));
            Ok(())
        })?;
        self.read_throughput(fields.bytes("throughput", field::THROUGHPUT)?)
    }

    fn read_throughput(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let (values, rest) = bytes.as_chunks::<8>();
        let expected = self.edges.len();
        if !bytes.is_empty() && (values.len() != expected || !rest.is_empty()) {
            return Err(WireError::ColumnLength {
                column: "throughput",
                values: values.len() as u64,
                expected: expected as u64,
            });
        }
        self.throughput = values
            .iter()
            .map(|&bits| u64::from_le_bytes(bits))
            .collect();
        Ok(())
    }

    fn read_rings(
        &mut self,
        fields: &Fields<'_>,
        producer: ProducerId,
        limits: &BatchLimits,
    ) -> Result<(), WireError> {
        let mut producers = vec![producer];
        let bytes = fields.bytes("other_producer", field::OTHER_PRODUCER)?;
        groups("other_producer", bytes, limits.entries_max, |[value]| {
            let value = bits("other_producer", value, PRODUCER_BITS, "52 bits")?;
            producers.push(ProducerId::from_bits(value));
            Ok(())
        })?;
        let bytes = fields.bytes("ring", field::RING)?;
        groups("ring", bytes, limits.entries_max, |[of, ring]| {
            let of = place(
                "ring",
                of,
                producers.len(),
                "a place in the list of producers",
            )?;
            let ring = bits("ring", ring, RING_BITS, "22 bits")? as u32;
            let producer = producers[of as usize];
            self.rings.push(Ring {
                producer,
                ring,
                numbering: RootNumbering::new(producer, ring),
            });
            Ok(())
        })
    }

    fn read_forms(&mut self, fields: &Fields<'_>, limits: &BatchLimits) -> Result<(), WireError> {
        let bytes = fields.bytes("form", field::FORM)?;
        groups(
            "form",
            bytes,
            limits.events_max,
            |numbers: [u64; FORM_NUMBERS]| {
                let [
                    kind,
                    outcome,
                    flags,
                    has,
                    edge,
                    message_type,
                    threshold,
                    hops,
                    id,
                ] = numbers;
                let wrong = |value, reason| WireError::Value {
                    column: "form",
                    value,
                    reason,
                };
                let kind = u8::try_from(kind)
                    .ok()
                    .and_then(Kind::from_number)
                    .ok_or(wrong(kind, "a kind from 0 to 10"))?;
                let outcome = u8::try_from(outcome).unwrap_or(u8::MAX);
                let is_known = outcome == 0 || decode_outcome(outcome).is_some();
                // What `wide` holds depends on the outcome.
                let readable = if is_known { column::ALL } else { !column::WIDE };
                let has = has & column::ALL & readable;
                self.forms.push(Form {
                    kind,
                    outcome,
                    flags: bits("form", flags, 16, "flags of 16 bits")? as u16,
                    has,
                    edge: place(
                        "form",
                        edge,
                        self.edges.len(),
                        "a place in the list of edges",
                    )?,
                    message_type: place(
                        "form",
                        message_type,
                        self.types.len() + 1,
                        "0, or 1 and a place in the list of message types",
                    )?,
                    threshold: place(
                        "form",
                        threshold,
                        self.thresholds.len() + 1,
                        "0, or 1 and a place in the list of thresholds",
                    )?,
                    hops: bits("form", hops, 8, "hops of 8 bits")? as u8,
                    id: u64::from(place(
                        "form",
                        id,
                        self.prefixes.len() + id_form::PREFIX as usize,
                        "0, 1, 2, or 3 and a place in the list of prefixes",
                    )?),
                });
                Ok(())
            },
        )
    }

    /// Messages over the edge in the last second.
    pub(super) fn throughput(&self, edge: u32) -> Option<f64> {
        let bits = self.throughput.get(edge as usize).copied();
        bits.filter(|&bits| bits != UNKNOWN_THROUGHPUT)
            .map(f64::from_bits)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.names.memory_bytes()
            + self.edges.capacity() * size_of::<[u32; EDGE_NUMBERS]>()
            + self.throughput.capacity() * 8
            + self.types.capacity() * 4
            + self.thresholds.capacity() * 8
            + self.rings.capacity() * size_of::<Ring>()
            + self.prefixes.capacity() * 8
            + self.forms.capacity() * size_of::<Form>()
    }
}
