//! The trace that an attempt belongs to.

use super::elsewhere;
use super::send::Facts;
use crate::context::Context;
use crate::edge::EdgeNumber;
use crate::lane::LaneInUse;
use crate::record::flag;
use crate::sampling::{Randomness, Threshold};

/// Hops after which a trace is cut into a new one that links back: a loop that feeds itself must not
/// make one endless trace.
const HOPS_MAX: u8 = 250;

/// Trace and cause of one attempt, as the record holds them.
pub(super) struct Trace {
    pub(super) producer: u64,
    pub(super) randomness: Randomness,
    /// The largest T before this attempt.
    pub(super) threshold: u64,
    pub(super) cause_sequence: u64,
    pub(super) cause_ring: u32,
    pub(super) trace_high: u16,
    pub(super) flags: u16,
    pub(super) hops: u8,
}

impl Trace {
    /// Goes on with the trace of the cause, or begins one.
    #[inline]
    pub(super) fn of(
        cause: Option<&Context>,
        facts: &Facts<'_>,
        roots: &mut u64,
        hand: &LaneInUse,
    ) -> Self {
        match cause {
            Some(cause) => Self::after(cause, roots, hand),
            None => Self::root(facts, roots, hand),
        }
    }

    /// A trace of its own, whose R comes from its number.
    #[inline]
    pub(super) fn plain_root(roots: &mut u64, hand: &LaneInUse) -> Self {
        *roots += 1;
        Self {
            producer: hand.producer,
            randomness: hand.numbering.randomness(*roots),
            threshold: 0,
            cause_sequence: 0,
            cause_ring: 0,
            trace_high: hand.numbering.high(),
            flags: flag::IN_TRACE | flag::HOPS | flag::ROOT,
            hops: 0,
        }
    }

    /// A trace of its own, whose R comes from the message's id where it has one.
    fn root(facts: &Facts<'_>, roots: &mut u64, hand: &LaneInUse) -> Self {
        let mut trace = Self::plain_root(roots, hand);
        if let Some(randomness) = facts.by_id {
            trace.randomness = randomness;
            trace.flags |= flag::TRACE_BY_ID;
            if facts.context.is_none() {
                // The hops of such a message are linked by nothing but the id: each of them comes here.
                trace.flags &= !flag::ROOT;
            }
        }
        trace
    }

    /// Writes the context that travels with the message: of this event if it is recorded, else of the
    /// last one before it that was.
    ///
    /// In place: a context that is made elsewhere and copied whole would stall the processor's
    /// forwarding of stores.
    #[inline(always)]
    pub(super) fn stamp(
        &self,
        outgoing: &mut Context,
        threshold: Threshold,
        event: Option<(u32, u64)>,
        edge: EdgeNumber,
        now: u64,
        hand: &LaneInUse,
    ) {
        *outgoing = self.context(threshold, event, edge, now, hand);
        self.complete(outgoing, event.is_some(), hand);
    }

    /// The same, before [`Self::complete`] has added what is not of this process.
    #[inline(always)]
    pub(super) fn context(
        &self,
        threshold: Threshold,
        event: Option<(u32, u64)>,
        edge: EdgeNumber,
        now: u64,
        hand: &LaneInUse,
    ) -> Context {
        let (ring, sequence) = event.unwrap_or((self.cause_ring, self.cause_sequence));
        Context {
            producer: self.producer,
            randomness: self.randomness.bits(),
            threshold: self.threshold.max(threshold.bits()),
            event_producer: hand.producer,
            sequence,
            sent_at: now,
            ring,
            edge,
            trace_high: self.trace_high,
            flags: Context::flags_of(self.flags & flag::TRACE_BY_ID != 0, event.is_some()),
            hops: self.hops.saturating_add(1),
        }
    }

    /// Adds to an outgoing context what is not of this process.
    #[inline(always)]
    pub(super) fn complete(&self, outgoing: &mut Context, is_recorded: bool, hand: &LaneInUse) {
        if self.flags & flag::ELSEWHERE != 0 {
            let elsewhere = hand.elsewhere.get();
            elsewhere::complete(outgoing, elsewhere, self.flags, is_recorded);
        }
    }

    fn after(cause: &Context, roots: &mut u64, hand: &LaneInUse) -> Self {
        let has_event = cause.sequence != 0 && cause.event_producer == hand.producer;
        let mut trace = Self {
            producer: cause.producer,
            randomness: Randomness::from_bits(cause.randomness),
            threshold: cause.threshold,
            cause_sequence: if has_event { cause.sequence } else { 0 },
            cause_ring: if has_event { cause.ring } else { 0 },
            trace_high: cause.trace_high,
            flags: flag::IN_TRACE
                | flag::HOPS
                | if has_event { flag::CAUSE } else { 0 }
                | if cause.is_by_id() {
                    flag::TRACE_BY_ID
                } else {
                    0
                },
            hops: cause.hops,
        };
        if elsewhere::is_elsewhere(cause, hand.producer) {
            elsewhere::adapt(&mut trace, cause, hand);
        }
        if cause.hops >= HOPS_MAX {
            *roots += 1;
            trace.producer = hand.producer;
            trace.randomness = hand.numbering.randomness(*roots);
            trace.trace_high = hand.numbering.high();
            trace.threshold = 0;
            trace.hops = 0;
            trace.flags = elsewhere::forget_trace(trace.flags) | flag::TRACE_CUT;
        }
        trace
    }
}
