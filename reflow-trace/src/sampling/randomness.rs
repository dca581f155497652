//! The randomness R of a trace.
//!
//! Every root, sampled or not, takes the next number of its ring. The low 56 bits of (ring, number)
//! go through a bijection of 56-bit numbers that is keyed by the producer and the upper bits of the
//! ring; the result is R. So R costs no random number generator, two roots of a producer never share
//! a trace id, and a reader gets the small number back by the inverse.

use crate::event::ProducerId;

use super::threshold::BITS;

const MASK: u64 = (1 << BITS) - 1;
const HALF: u32 = BITS / 2;
/// Odd, so multiplication is invertible; the fractional digits of the golden ratio and of √2.
const MULTIPLIERS: [u64; 2] = [0x9e_3779_b97f_4a7d, 0x6a_09e6_67f3_bcc9];

/// The 56 random bits that all events of a trace share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Randomness(u64);

impl Randomness {
    /// Keeps the low 56 bits.
    #[inline]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & MASK)
    }

    /// The 56 bits.
    #[inline]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// R for a message that carries no context but has an id, so that its hops are sampled together.
    ///
    /// The hash is the same in every process of this version; it is no secret.
    pub fn from_message_id(id: &[u8]) -> Self {
        // FNV-1a spreads too little over the high bits, so the result goes through the bijection.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for &byte in id {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(permute((hash ^ (hash >> 8)) & MASK))
    }
}

/// Turns the numbers of a ring's roots into trace ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RootNumbering {
    /// The key, and above the number of the root the lower bits of that of the ring.
    key: u64,
    ring_high: u16,
}

impl RootNumbering {
    /// Bits of the ring number that go through the permutation, beside the 48 of the root's number.
    pub(crate) const RING_LOW_BITS: u32 = 8;

    pub(crate) fn new(producer: ProducerId, ring: u32) -> Self {
        let ring_high = (ring >> Self::RING_LOW_BITS) as u16;
        // Any spreading of the key will do; this is the finalizer of splitmix64.
        let mut key = producer.bits() ^ (u64::from(ring_high) << 50);
        key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self {
            key: (key ^ (key >> 31) ^ (u64::from(ring & 0xff) << 48)) & MASK,
            ring_high,
        }
    }

    /// The upper 14 bits of every trace id of this ring.
    pub(crate) const fn high(self) -> u16 {
        self.ring_high
    }

    /// R of the root with this number (48 bits).
    #[inline]
    pub(crate) const fn randomness(self, number: u64) -> Randomness {
        debug_assert!(number < 1 << 48, "nobody sends so much");
        Randomness(permute(number ^ self.key))
    }

    /// The ring and the number of a root with this randomness; `self` is the numbering of any ring with
    /// the same upper bits whose lower ones are 0.
    #[inline]
    pub(crate) const fn root_of(self, randomness: u64) -> (u32, u64) {
        let value = unpermute(randomness & MASK) ^ self.key;
        let ring = ((self.ring_high as u32) << Self::RING_LOW_BITS) | ((value >> 48) as u32 & 0xff);
        (ring, value & ((1 << 48) - 1))
    }
}

/// A bijection of 56-bit numbers: every step can be undone.
#[inline]
const fn permute(mut value: u64) -> u64 {
    value ^= value >> HALF;
    value = value.wrapping_mul(MULTIPLIERS[0]) & MASK;
    value ^= value >> HALF;
    value = value.wrapping_mul(MULTIPLIERS[1]) & MASK;
    value ^= value >> HALF;
    value
}

/// The inverse of [`permute`]. A shift by half is its own inverse.
const fn unpermute(mut value: u64) -> u64 {
    const INVERSES: [u64; 2] = [inverse(MULTIPLIERS[0]), inverse(MULTIPLIERS[1])];
    value ^= value >> HALF;
    value = value.wrapping_mul(INVERSES[1]) & MASK;
    value ^= value >> HALF;
    value = value.wrapping_mul(INVERSES[0]) & MASK;
    value ^= value >> HALF;
    value
}

/// The number by which an odd one gives 1, modulo 2⁶⁴: each of Newton's steps doubles the right bits.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut step = 0;
    while step < 6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_roots_share_their_randomness() {
        let producer = ProducerId::from_bits(7);
        let mut seen = HashSet::new();
        for ring in 0..8 {
            let numbering = RootNumbering::new(producer, ring);
            for number in 0..20_000 {
                assert!(
                    seen.insert(numbering.randomness(number)),
                    "ring {ring}, root {number}"
                );
            }
        }
    }

    #[test]
    fn a_trace_tells_the_ring_and_the_number_of_its_root() {
        let producer = ProducerId::from_bits(0x000f_edcb_a987_6543);
        for ring in [0, 1, 255, 256, 0x2a_bcde, (1 << 22) - 1] {
            let numbering = RootNumbering::new(producer, ring);
            for number in [0, 1, 2, 12_345_678, (1 << 48) - 1] {
                let randomness = numbering.randomness(number).bits();
                let base = RootNumbering::new(producer, u32::from(numbering.high()) << 8);
                assert_eq!(base.root_of(randomness), (ring, number));
            }
        }
    }

    #[test]
    fn consecutive_roots_are_spread_evenly() {
        // Chi-square over 256 cells, 65 536 draws; 99.99 % of good generators stay below 350.
        for seed in 0..8 {
            let numbering =
                RootNumbering::new(ProducerId::from_bits(seed * 0x1234_5678_9abc), seed as u32);
            let mut cells = [0u32; 256];
            for number in 0..65_536 {
                cells[(numbering.randomness(number).bits() >> 48) as usize] += 1;
            }
            let chi: f64 = cells
                .iter()
                .map(|&n| (f64::from(n) - 256.0).powi(2) / 256.0)
                .sum();
            assert!(chi < 350.0, "seed {seed}: {chi}");
        }
    }

    #[test]
    fn message_ids_are_spread_evenly() {
        let mut cells = [0u32; 256];
        for number in 0..65_536u32 {
            let id = format!("msg_{number}");
            cells[(Randomness::from_message_id(id.as_bytes()).bits() >> 48) as usize] += 1;
        }
        let chi: f64 = cells
            .iter()
            .map(|&n| (f64::from(n) - 256.0).powi(2) / 256.0)
            .sum();
        assert!(chi < 350.0, "{chi}");
    }
}
