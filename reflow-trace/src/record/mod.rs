//! The record: the compact form of an event, 64 bytes and what does not fit.
//!
//! # The bit table
//!
//! Eight words of 64 bits, little end first where they leave the process. Bit 0 is the lowest.
//!
//! | word | bits | field | meaning; *all ones* = every bit of the field set |
//! | --- | --- | --- | --- |
//! | 0 | 0–15 | `slots` | continuation slots that follow, 64 bytes each |
//! | 0 | 16–63 | `sequence` | number of the attempt in its ring, from 1 |
//! | 1 | 0–63 | `start` | clock ticks at the begin of the send, the handling or the event |
//! | 2 | 0–47 | `duration` | ticks from begin to end; saturates; all ones: unknown |
//! | 2 | 48–63 | `policy` | index of the threshold T; all ones: not decided by probability |
//! | 3 | 0–27 | `edge` | edge number in the dictionary |
//! | 3 | 28–47 | `message_type` | type number in the dictionary; 0: no message |
//! | 3 | 48–55 | `wide_high` | upper bits of `wide` |
//! | 3 | 56–60 | `kind` | see [`Kind`] |
//! | 3 | 61–63 | `outcome` | see [`encode_outcome`]; 0: none |
//! | 4 | 0–39 | `size` | bytes; saturates; all ones: unknown |
//! | 4 | 40–63 | `depth` | queue depth; saturates; all ones: unknown |
//! | 5 | 0–47 | `cause_sequence` | the cause; 0: none; of this process with [`flag::CAUSE`] |
//! | 5 | 48–63 | `flags` | see [`flag`] |
//! | 6 | 0–55 | `randomness` | R, the low bits of the trace id |
//! | 6 | 56–63 | `hops` | messages between the root and this one; saturates |
//! | 7 | 0–21 | `cause_ring` | ring of the cause |
//! | 7 | 22–35 | `trace_high` | upper 14 bits of the permuted root |
//! | 7 | 36–63 | `wide_low` | lower bits of `wide` |
//!
//! `wide` (36 bits; all ones: unknown) is the waiting time in ticks for a receive and for a message
//! that was dropped inside a channel, and the memory the message holds in bytes for everything else. It is a small float: 6 bits of shift above 30 bits of
//! mantissa, so it is exact below 2³⁰ and right to one part in 2²⁹ above.
//!
//! The ring number and the producer are not in the record: they are those of the ring it was read
//! from, unless a section says otherwise. Continuation slots hold [`sections`]: message id,
//! attributes, content, foreign ids, second causes.

mod event;
pub(crate) mod sections;
mod view;

#[cfg(test)]
pub(crate) mod tests;

#[cfg(test)]
pub(crate) use event::RecordTooLarge;
pub(crate) use event::encode_event;
#[cfg(feature = "wire")]
pub(crate) use view::{Facts, Names, apply, event_of, metrics_of};
pub(crate) use view::{Origin, Surroundings, view};

use crate::event::Outcome;
use crate::ring::Words;

/// What the record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// An attempt to send: `DataFlow` when delivered, else `MessageSent`.
    Send = 0,
    /// `MessageSent` whatever the outcome; only events built by hand.
    MessageSent = 1,
    MessageReceived = 2,
    ActorCreated = 3,
    ActorStarted = 4,
    ActorCompleted = 5,
    ActorFailed = 6,
    StateChanged = 7,
    PortConnected = 8,
    PortDisconnected = 9,
    NetworkEvent = 10,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Send,
        Self::MessageSent,
        Self::MessageReceived,
        Self::ActorCreated,
        Self::ActorStarted,
        Self::ActorCompleted,
        Self::ActorFailed,
        Self::StateChanged,
        Self::PortConnected,
        Self::PortDisconnected,
        Self::NetworkEvent,
    ];

    /// The kind that is written as this number.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// The bits of `flags`.
pub(crate) mod flag {
    /// `size` is only that of the value itself.
    pub(crate) const SHALLOW_SIZE: u16 = 1 << 0;
    /// The event belongs to the trace that `randomness` and `trace_high` name.
    pub(crate) const IN_TRACE: u16 = 1 << 1;
    /// R is a hash of the message's id.
    pub(crate) const TRACE_BY_ID: u16 = 1 << 2;
    /// The trace was begun anew here, because the one before had become too long.
    pub(crate) const TRACE_CUT: u16 = 1 << 3;
    /// The cause is in this process: `cause_ring` and `cause_sequence` hold.
    pub(crate) const CAUSE: u16 = 1 << 4;
    /// `hops` holds.
    pub(crate) const HOPS: u16 = 1 << 5;
    /// The message carried no context, so that what sent it is not known.
    pub(crate) const UNLINKED: u16 = 1 << 7;
    /// The event was built by hand; sections hold what the words cannot.
    pub(crate) const BY_HAND: u16 = 1 << 6;
    /// The trace was begun by this attempt, and nothing is known that led to it. What a handler sends
    /// that is itself not recorded looks like a root but for this.
    pub(crate) const ROOT: u16 = 1 << 14;
    /// The trace or the cause is not of this process, or there are several causes: sections name them.
    pub(crate) const ELSEWHERE: u16 = 1 << 8;
    /// The trace id is of another tracer's making; `trace_high` is bits 56 to 63 of it.
    pub(crate) const FOREIGN_TRACE: u16 = 1 << 9;
    /// R is not the low bits of the trace id.
    pub(crate) const OTHER_RANDOMNESS: u16 = 1 << 10;
    /// The cause is the span of another tracer.
    pub(crate) const FOREIGN_SPAN: u16 = 1 << 11;
    /// The maker of the trace id has not said that it is random.
    pub(crate) const PLAIN_TRACE_ID: u16 = 1 << 13;
    /// There are causes beside the first.
    pub(crate) const FURTHER_CAUSES: u16 = 1 << 12;
}

/// Largest value of each field that saturates; one more means unknown.
pub(crate) mod max {
    pub(crate) const DURATION: u64 = (1 << 48) - 2;
    pub(crate) const SIZE: u64 = (1 << 40) - 2;
    pub(crate) const DEPTH: u64 = (1 << 24) - 2;
}

const _: () = assert!(crate::edge::EDGES_MAX <= 1 << 28 && crate::edge::TYPES_MAX <= 1 << 20);

/// `policy` of an event that was not decided by probability.
pub(crate) const NO_POLICY: u16 = u16::MAX;

/// 1 and up, so that 0 is none.
pub(crate) const fn encode_outcome(outcome: Option<Outcome>) -> u8 {
    match outcome {
        None => 0,
        Some(Outcome::Delivered) => 1,
        Some(Outcome::Failed) => 2,
        Some(Outcome::Cancelled) => 3,
        Some(Outcome::Panicked) => 4,
        Some(Outcome::Dropped) => 5,
        Some(Outcome::TimedOut) => 6,
    }
}

pub(crate) const fn decode_outcome(bits: u8) -> Option<Outcome> {
    match bits {
        1 => Some(Outcome::Delivered),
        2 => Some(Outcome::Failed),
        3 => Some(Outcome::Cancelled),
        4 => Some(Outcome::Panicked),
        5 => Some(Outcome::Dropped),
        6 => Some(Outcome::TimedOut),
        _ => None,
    }
}

/// The fields of the table, unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) slots: u16,
    pub(crate) sequence: u64,
    pub(crate) start: u64,
    pub(crate) duration: Option<u64>,
    pub(crate) policy: u16,
    pub(crate) edge: u32,
    pub(crate) message_type: u32,
    pub(crate) kind: Kind,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) size: Option<u64>,
    pub(crate) depth: Option<u64>,
    pub(crate) cause_ring: u32,
    pub(crate) cause_sequence: u64,
    pub(crate) flags: u16,
    pub(crate) randomness: u64,
    pub(crate) trace_high: u16,
    pub(crate) hops: u8,
    pub(crate) wide: Option<u64>,
}

const WIDE_BITS: u32 = 36;
const WIDE_UNKNOWN: u64 = (1 << WIDE_BITS) - 1;
const MANTISSA_BITS: u32 = 30;

#[inline]
const fn pack_wide(value: u64) -> u64 {
    if value < 1 << MANTISSA_BITS {
        return value;
    }
    let shift = (64 - MANTISSA_BITS) - value.leading_zeros();
    ((shift as u64) << MANTISSA_BITS) | (value >> shift)
}

const fn unpack_wide(bits: u64) -> u64 {
    (bits & ((1 << MANTISSA_BITS) - 1)) << (bits >> MANTISSA_BITS)
}

/// The value as [`Record`] can hold it.
#[cfg(test)]
pub(crate) const fn rounded_wide(value: u64) -> u64 {
    unpack_wide(pack_wide(value))
}

#[inline]
fn saturating(value: Option<u64>, max: u64) -> u64 {
    value.map_or(max + 1, |value| value.min(max))
}

impl Record {
    /// The eight words.
    #[inline]
    pub(crate) fn pack(&self) -> Words {
        let wide = self.wide.map_or(WIDE_UNKNOWN, pack_wide);
        [
            u64::from(self.slots) | (self.sequence << 16),
            self.start,
            saturating(self.duration, max::DURATION) | (u64::from(self.policy) << 48),
            u64::from(self.edge)
                | (u64::from(self.message_type) << 28)
                | ((wide >> 28) << 48)
                | ((self.kind as u64) << 56)
                | (u64::from(encode_outcome(self.outcome)) << 61),
            saturating(self.size, max::SIZE) | (saturating(self.depth, max::DEPTH) << 40),
            self.cause_sequence | (u64::from(self.flags) << 48),
            self.randomness | (u64::from(self.hops) << 56),
            u64::from(self.cause_ring) | (u64::from(self.trace_high) << 22) | (wide << 36),
        ]
    }

    /// The fields; `None` when the words name no kind that this version knows.
    pub(crate) fn unpack(words: &Words) -> Option<Self> {
        let low = |word: u64, bits: u32| word & ((1 << bits) - 1);
        let known = |value: u64, max: u64| (value <= max).then_some(value);
        let wide = (words[7] >> 36) | (low(words[3] >> 48, 8) << 28);
        Some(Self {
            slots: low(words[0], 16) as u16,
            sequence: words[0] >> 16,
            start: words[1],
            duration: known(low(words[2], 48), max::DURATION),
            policy: (words[2] >> 48) as u16,
            edge: low(words[3], 28) as u32,
            message_type: low(words[3] >> 28, 20) as u32,
            kind: Kind::from_number(low(words[3] >> 56, 5) as u8)?,
            outcome: decode_outcome((words[3] >> 61) as u8),
            size: known(low(words[4], 40), max::SIZE),
            depth: known(words[4] >> 40, max::DEPTH),
            cause_ring: low(words[7], 22) as u32,
            cause_sequence: low(words[5], 48),
            flags: (words[5] >> 48) as u16,
            randomness: low(words[6], 56),
            trace_high: low(words[7] >> 22, 14) as u16,
            hops: (words[6] >> 56) as u8,
            wide: (wide != WIDE_UNKNOWN).then(|| unpack_wide(wide)),
        })
    }
}

/// Word 2 as far as it is known at the begin.
pub(crate) const fn pack_policy(policy: u16) -> u64 {
    (policy as u64) << 48
}

/// Word 3 as far as it is known at the begin, without `wide`.
pub(crate) const fn pack_flow(edge: u32, message_type: u32) -> u64 {
    edge as u64 | ((message_type as u64) << 28) | ((WIDE_UNKNOWN >> 28) << 48)
}

/// Word 4.
#[inline(always)]
pub(crate) fn pack_amounts(size: u64, depth: Option<u64>) -> u64 {
    size.min(max::SIZE) | (saturating(depth, max::DEPTH) << 40)
}

/// Word 4 where neither is known.
pub(crate) const UNKNOWN_AMOUNTS: u64 = u64::MAX;

/// Word 7 of what nothing in this process has caused, without `wide`.
#[inline(always)]
pub(crate) const fn pack_root(trace_high: u16) -> u64 {
    ((trace_high as u64) << 22) | (WIDE_UNKNOWN << 36)
}

/// Words 3 and 7 with `wide`.
#[inline(always)]
pub(crate) const fn with_wide(flow_word: u64, root_word: u64, wide: u64) -> (u64, u64) {
    let wide = pack_wide(wide);
    (
        (flow_word & !(0xff << 48)) | ((wide >> 28) << 48),
        (root_word & ((1 << 36) - 1)) | (wide << 36),
    )
}

/// The largest `wide` that leaves `wide_high` 0.
pub(crate) const SMALL_WIDE_MAX: u64 = (1 << 28) - 1;

/// Words 3 and 7 with the size in `amounts` for `wide`, where it is small.
#[inline(always)]
pub(crate) const fn with_small_wide(flow_word: u64, root_word: u64, amounts: u64) -> (u64, u64) {
    (
        flow_word & !(0xff << 48),
        (root_word & ((1 << 36) - 1)) | (amounts << 36),
    )
}

/// What is known of an attempt at its begin; number, start, kind, duration, outcome and slots are 0.
pub(crate) struct Open {
    /// See [`pack_policy`], [`pack_flow`] and [`pack_amounts`].
    pub(crate) policy_word: u64,
    pub(crate) flow_word: u64,
    pub(crate) amounts: u64,
    pub(crate) wide: Option<u64>,
    pub(crate) cause_ring: u32,
    pub(crate) cause_sequence: u64,
    pub(crate) flags: u16,
    pub(crate) randomness: u64,
    pub(crate) trace_high: u16,
    pub(crate) hops: u8,
}

impl Open {
    /// The eight words. The same table as [`Record::pack`], without the fields that come later.
    #[inline]
    pub(crate) fn pack(&self) -> Words {
        let root = pack_root(self.trace_high);
        let (flow, root) = match self.wide {
            Some(wide) => with_wide(self.flow_word, root, wide),
            None => (self.flow_word, root),
        };
        [
            0,
            0,
            self.policy_word,
            flow,
            self.amounts,
            self.cause_sequence | (u64::from(self.flags) << 48),
            self.randomness | (u64::from(self.hops) << 56),
            u64::from(self.cause_ring) | root,
        ]
    }
}

/// The fields that a probe reads and completes in words it has packed before.
pub(crate) trait Fields {
    fn edge(&self) -> u32;
    fn message_type(&self) -> u32;
    fn size(&self) -> Option<u64>;
    fn depth(&self) -> Option<u64>;
    fn flags(&self) -> u16;
    fn hops(&self) -> u8;
    fn trace_high(&self) -> u16;
    fn sequence(&self) -> u64;
    fn cause_ring(&self) -> u32;
    fn cause_sequence(&self) -> u64;
    /// Sets what was packed as 0: kind, duration and outcome.
    fn finish(&mut self, kind: Kind, duration: Option<u64>, outcome: Option<Outcome>);
    /// Replaces the queue depth.
    fn set_depth(&mut self, depth: Option<u64>);
    /// Sets what was packed as 0.
    fn set_slots(&mut self, slots: usize);
}

impl Fields for Words {
    #[inline]
    fn edge(&self) -> u32 {
        self[3] as u32 & ((1 << 28) - 1)
    }

    #[inline]
    fn message_type(&self) -> u32 {
        (self[3] >> 28) as u32 & ((1 << 20) - 1)
    }

    #[inline]
    fn size(&self) -> Option<u64> {
        let size = self[4] & ((1 << 40) - 1);
        (size <= max::SIZE).then_some(size)
    }

    #[inline]
    fn depth(&self) -> Option<u64> {
        let depth = self[4] >> 40;
        (depth <= max::DEPTH).then_some(depth)
    }

    #[inline]
    fn flags(&self) -> u16 {
        (self[5] >> 48) as u16
    }

    #[inline]
    fn hops(&self) -> u8 {
        (self[6] >> 56) as u8
    }

    #[inline]
    fn trace_high(&self) -> u16 {
        (self[7] >> 22) as u16 & ((1 << 14) - 1)
    }

    #[inline]
    fn sequence(&self) -> u64 {
        self[0] >> 16
    }

    #[inline]
    fn cause_ring(&self) -> u32 {
        self[7] as u32 & ((1 << 22) - 1)
    }

    #[inline]
    fn cause_sequence(&self) -> u64 {
        self[5] & ((1 << 48) - 1)
    }

    #[inline]
    fn finish(&mut self, kind: Kind, duration: Option<u64>, outcome: Option<Outcome>) {
        self[2] |= saturating(duration, max::DURATION);
        self[3] |= ((kind as u64) << 56) | (u64::from(encode_outcome(outcome)) << 61);
    }

    #[inline]
    fn set_depth(&mut self, depth: Option<u64>) {
        self[4] = (self[4] & ((1 << 40) - 1)) | (saturating(depth, max::DEPTH) << 40);
    }

    #[inline]
    fn set_slots(&mut self, slots: usize) {
        self[0] |= slots.min(usize::from(u16::MAX)) as u64;
    }
}
