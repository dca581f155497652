//! The names of things: events, traces, producers.
//!
//! An id that this crate makes is a UUID of version 8, the version RFC 9562 (section 5.8)
//! leaves to the application: 122 bits of it are free. Ids from elsewhere (Reflow's own are of
//! version 4) are kept as they are.
//!
//! | bits of the 122, high to low | event id | trace id |
//! | --- | --- | --- |
//! | 52 | producer | producer |
//! | 22 / 14 | ring | high part of the root |
//! | 48 / 56 | sequence number in the ring | randomness R |
//!
//! A *producer* is one process generation. A ring numbers what it attempts from 1 upwards, so
//! the event ids of one ring are gapless and a missing one is a loss. The low 70 bits of a trace
//! id are a permutation of (ring, number of the root); see [`crate::sampling::Randomness`].

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::sampling::RootNumbering;

/// Bits of a producer number.
pub const PRODUCER_BITS: u32 = 52;
/// Bits of a ring number.
pub const RING_BITS: u32 = 22;
/// Bits of a sequence number.
pub const SEQUENCE_BITS: u32 = 48;

const FREE_BITS: u128 = (1 << 122) - 1;

/// Puts 122 free bits around the version and variant of a UUIDv8.
fn uuid_from_free_bits(bits: u128) -> Uuid {
    let bits = bits & FREE_BITS;
    let custom_a = bits >> 74;
    let custom_b = (bits >> 62) & 0xfff;
    let custom_c = bits & ((1 << 62) - 1);
    Uuid::from_u128((custom_a << 80) | (0x8 << 76) | (custom_b << 64) | (0b10 << 62) | custom_c)
}

/// The 122 free bits of a UUIDv8; `None` for any other version or variant.
fn free_bits_of_uuid(uuid: Uuid) -> Option<u128> {
    let bits = uuid.as_u128();
    let is_version_8 = (bits >> 76) & 0xf == 0x8 && (bits >> 62) & 0b11 == 0b10;
    is_version_8
        .then_some(((bits >> 80) << 74) | (((bits >> 64) & 0xfff) << 62) | (bits & ((1 << 62) - 1)))
}

/// One process generation: 52 random bits, drawn when recording starts and again after a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProducerId(u64);

impl ProducerId {
    /// Keeps the low 52 bits of `bits`.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & ((1 << PRODUCER_BITS) - 1))
    }

    /// Draws a new producer.
    pub fn random() -> Self {
        Self::from_bits(Uuid::new_v4().as_u128() as u64)
    }

    /// The 52 bits.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// Where an event id of ours comes from: which producer, which of its rings, the how-manieth attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventOrigin {
    /// The process generation.
    pub producer: ProducerId,
    /// The ring, 22 bits.
    pub ring: u32,
    /// The attempt in the ring, counted from 1; 48 bits.
    pub sequence: u64,
}

/// Identifies one event, everywhere and for ever; the key by which stores recognise repetitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub Uuid);

impl EventId {
    /// A random id (version 4), for events that are built by hand.
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }

    /// The id of the attempt number `origin.sequence` in a ring.
    pub fn from_origin(origin: EventOrigin) -> Self {
        let ring = u128::from(origin.ring) & ((1 << RING_BITS) - 1);
        let sequence = u128::from(origin.sequence) & ((1 << SEQUENCE_BITS) - 1);
        Self(uuid_from_free_bits(
            (u128::from(origin.producer.0) << 70) | (ring << 48) | sequence,
        ))
    }

    /// Where the id was made, or `None` when it did not come out of a ring.
    pub fn origin(self) -> Option<EventOrigin> {
        let bits = free_bits_of_uuid(self.0)?;
        Some(EventOrigin {
            producer: ProducerId::from_bits((bits >> 70) as u64),
            ring: ((bits >> 48) & ((1 << RING_BITS) - 1)) as u32,
            sequence: (bits & ((1 << SEQUENCE_BITS) - 1)) as u64,
        })
    }

    /// The 8 bytes by which tracers of spans know this event, as in `traceparent`; never 0.
    ///
    /// A hash: an event id has 122 bits.
    pub fn span_id(self) -> u64 {
        let bits = self.0.as_u128();
        // The finalizer of splitmix64 over one half, then over both.
        let mix = |mut bits: u64| {
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bits ^ (bits >> 31)
        };
        mix(mix(bits as u64) ^ (bits >> 64) as u64).max(1)
    }

    /// Takes a UUID from elsewhere as an event id.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID.
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl Default for EventId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Identifies all events that share one root cause.
///
/// Its low 56 bits are the randomness R of consistent sampling, as OpenTelemetry has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TraceId(pub Uuid);

impl TraceId {
    /// A random id (version 4), for traces that are built by hand.
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }

    /// The trace of a producer whose permuted root is `root`: 14 high bits, then the 56 bits of R.
    pub fn from_root(producer: ProducerId, root: u128) -> Self {
        Self(uuid_from_free_bits(
            (u128::from(producer.0) << 70) | (root & ((1 << 70) - 1)),
        ))
    }

    /// The producer and the permuted root (70 bits), or `None` for an id of another making.
    pub fn root(self) -> Option<(ProducerId, u128)> {
        let bits = free_bits_of_uuid(self.0)?;
        Some((
            ProducerId::from_bits((bits >> 70) as u64),
            bits & ((1 << 70) - 1),
        ))
    }

    /// The attempt that is the root: which producer, which of its rings, the how-manieth root of the ring
    /// (which is not the number of its event). `None` for an id of another making.
    ///
    /// Every id of our form has one and is given back by [`from_origin`](Self::from_origin); it means
    /// something only where the id was made so, and not of a hash. Stores keep it, for it is a small number
    /// where the id looks random.
    pub fn origin(self) -> Option<EventOrigin> {
        let (producer, root) = self.root()?;
        let high = ((root >> 56) as u32) << RootNumbering::RING_LOW_BITS;
        let (ring, sequence) = RootNumbering::new(producer, high).root_of(root as u64);
        Some(EventOrigin {
            producer,
            ring,
            sequence,
        })
    }

    /// The trace of the root number `origin.sequence` in a ring.
    pub fn from_origin(origin: EventOrigin) -> Self {
        let numbering = RootNumbering::new(origin.producer, origin.ring & ((1 << RING_BITS) - 1));
        let number = origin.sequence & ((1 << SEQUENCE_BITS) - 1);
        let low = u128::from(numbering.randomness(number).bits());
        Self::from_root(origin.producer, (u128::from(numbering.high()) << 56) | low)
    }

    /// Takes a UUID from elsewhere as a trace id.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID.
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl Default for TraceId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_remembers_where_it_was_made() {
        for origin in [
            EventOrigin {
                producer: ProducerId::from_bits(1),
                ring: 0,
                sequence: 1,
            },
            EventOrigin {
                producer: ProducerId::from_bits(u64::MAX),
                ring: (1 << RING_BITS) - 1,
                sequence: (1 << SEQUENCE_BITS) - 1,
            },
            EventOrigin {
                producer: ProducerId::from_bits(0xabc_def0_1234),
                ring: 77,
                sequence: 1 << 40,
            },
        ] {
            let id = EventId::from_origin(origin);
            assert_eq!(id.0.get_version_num(), 8);
            assert_eq!(id.0.get_variant(), uuid::Variant::RFC4122);
            assert_eq!(id.origin(), Some(origin));
        }
    }

    #[test]
    fn a_foreign_id_has_no_origin() {
        assert_eq!(EventId::new().origin(), None);
        assert_eq!(TraceId::new().root(), None);
        assert_eq!(EventId::from_uuid(Uuid::nil()).origin(), None);
    }

    #[test]
    fn a_trace_id_is_another_writing_of_its_root() {
        let producer = ProducerId::from_bits(0xabc_def0_1234);
        for ring in [0, 255, 256, (1 << RING_BITS) - 1] {
            for sequence in [0, 1, 77, (1 << SEQUENCE_BITS) - 1] {
                let origin = EventOrigin {
                    producer,
                    ring,
                    sequence,
                };
                let id = TraceId::from_origin(origin);
                assert_eq!(id.origin(), Some(origin));
            }
        }
        for root in [0, 1, (1 << 70) - 1, 0x2a_5555_1234_5678_9abc] {
            let id = TraceId::from_root(producer, root);
            assert_eq!(id.origin().map(TraceId::from_origin), Some(id));
        }
        assert_eq!(TraceId::new().origin(), None);
    }

    #[test]
    fn a_trace_id_ends_in_its_randomness() {
        let producer = ProducerId::from_bits(42);
        let root = (0x3ffe_u128 << 56) | 0x00ab_cdef_0123_4567;
        let id = TraceId::from_root(producer, root);
        assert_eq!(id.root(), Some((producer, root)));
        assert_eq!(
            id.0.as_u128() as u64 & ((1 << 56) - 1),
            0x00ab_cdef_0123_4567
        );
    }
}
