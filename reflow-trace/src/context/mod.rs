//! What travels with a message, and what a handler leaves for the messages it sends.
//!
//! A span that is sent through a queue measures nonsense and makes endless traces. What travels here
//! is a small copyable value that says which trace the message belongs to, which event sent it and
//! when. It travels whether or not the message is recorded, so that the next hop decides with the
//! same R.

pub(crate) mod active;
mod frame;
pub(crate) mod task;

pub use frame::CauseFrame;
pub(crate) use frame::ThreadCause;

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::event::{EventId, EventOrigin, ProducerId, TraceId};
use crate::sampling::{Randomness, Threshold};

/// The trace context of a message: 64 bytes, copied along.
///
/// Put one into the message type and mark it, and the probes do the rest:
///
/// ```
/// use reflow_trace::{Context, sample};
///
/// #[sample(rate = 0.1)]
/// #[derive(Clone, Debug, Default, PartialEq)]
/// struct Reading {
///     celsius: f64,
///     #[trace(context)]
///     context: Context,
/// }
///
/// // Tracing changes nothing that the program can see: contexts are equal, whatever they hold.
/// assert_eq!(Reading::default(), Reading { context: Context::current(), ..Reading::default() });
/// ```
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Context {
    /// Producer of the trace, 52 bits.
    pub(crate) producer: u64,
    /// R, 56 bits.
    pub(crate) randomness: u64,
    /// The largest T so far, 0 to 2⁵⁶.
    pub(crate) threshold: u64,
    /// Producer of the event, 52 bits.
    pub(crate) event_producer: u64,
    /// The last recorded event on the way here, 48 bits; 0: none was recorded.
    pub(crate) sequence: u64,
    /// Clock ticks at the send; 0: unknown.
    pub(crate) sent_at: u64,
    /// Ring of that event, 22 bits.
    pub(crate) ring: u32,
    /// Edge over which the message came; `u32::MAX`: none.
    pub(crate) edge: u32,
    /// Upper 14 bits of the permuted root.
    pub(crate) trace_high: u16,
    /// Messages between the root and here.
    pub(crate) hops: u8,
    /// See the constants.
    pub(crate) flags: u8,
}

/// The context belongs to a trace.
const LINKED: u8 = 1 << 0;
/// R is a hash of the message's id.
const BY_ID: u8 = 1 << 1;

/// `edge` when there is none.
pub(crate) const NO_EDGE: u32 = u32::MAX;

impl Context {
    /// No trace: the message starts one.
    pub const NONE: Self = Self {
        producer: 0,
        randomness: 0,
        threshold: 0,
        event_producer: 0,
        sequence: 0,
        sent_at: 0,
        ring: 0,
        edge: NO_EDGE,
        trace_high: 0,
        hops: 0,
        flags: 0,
    };

    /// The context of what is being handled on this thread now; [`Self::NONE`] outside handlers.
    pub fn current() -> Self {
        frame::current()
    }

    /// Whether the context belongs to a trace.
    #[inline]
    pub const fn is_linked(&self) -> bool {
        self.flags & LINKED != 0
    }

    /// The trace.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.is_linked().then(|| {
            let root = (u128::from(self.trace_high) << 56) | u128::from(self.randomness);
            TraceId::from_root(ProducerId::from_bits(self.producer), root)
        })
    }

    /// The last recorded event on the way here: the send itself when it was sampled, else the nearest
    /// one before it.
    pub fn event_id(&self) -> Option<EventId> {
        (self.sequence != 0).then(|| {
            EventId::from_origin(EventOrigin {
                producer: ProducerId::from_bits(self.event_producer),
                ring: self.ring,
                sequence: self.sequence,
            })
        })
    }

    /// R, by which the whole trace is kept or not.
    pub const fn randomness(&self) -> Option<Randomness> {
        if self.is_linked() {
            Some(Randomness::from_bits(self.randomness))
        } else {
            None
        }
    }

    /// The largest threshold that a policy on the way here had.
    pub const fn threshold(&self) -> Threshold {
        Threshold::from_bits(self.threshold)
    }

    /// How many messages lie between the root and this one; stops counting at 255.
    pub const fn hop_count(&self) -> u8 {
        self.hops
    }

    /// The flags of a context that belongs to a trace.
    #[inline]
    pub(crate) const fn flags_of(by_id: bool) -> u8 {
        if by_id { LINKED | BY_ID } else { LINKED }
    }

    /// Whether R is a hash of the message's id.
    #[inline]
    pub(crate) const fn is_by_id(&self) -> bool {
        self.flags & BY_ID != 0
    }

    /// Whether both belong to one trace.
    #[inline]
    pub(crate) const fn same_trace(&self, other: &Self) -> bool {
        self.randomness == other.randomness
            && self.producer == other.producer
            && self.trace_high == other.trace_high
            && self.is_linked()
            && other.is_linked()
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::NONE
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.is_linked() {
            return f.write_str("Context(none)");
        }
        f.debug_struct("Context")
            .field("trace_id", &self.trace_id())
            .field("event_id", &self.event_id())
            .field("hops", &self.hops)
            .finish()
    }
}

/// All contexts are equal, so that a message type may derive `PartialEq` and tracing changes no
/// comparison of the program. Compare [`Context::trace_id`] and [`Context::event_id`] instead.
impl PartialEq for Context {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Context {}

impl PartialOrd for Context {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Context {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

impl Hash for Context {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_one_cache_line() {
        assert_eq!(size_of::<Context>(), 64);
    }

    #[test]
    fn a_context_names_its_trace_and_its_event() {
        let randomness = Randomness::from_bits(0xab_cdef_0123_4567);
        let mut context = Context {
            producer: 9,
            trace_high: 3,
            randomness: randomness.bits(),
            flags: Context::flags_of(false),
            ..Context::NONE
        };
        assert_eq!(
            context
                .trace_id()
                .and_then(TraceId::root)
                .map(|(producer, _)| producer.bits()),
            Some(9)
        );
        assert_eq!(context.randomness(), Some(randomness));
        assert_eq!(context.event_id(), None);
        (context.sequence, context.ring, context.event_producer) = (5, 2, 9);
        let origin = context
            .event_id()
            .and_then(EventId::origin)
            .expect("an event of ours");
        assert_eq!(
            (origin.sequence, origin.ring, origin.producer.bits()),
            (5, 2, 9)
        );
        assert_eq!(Context::NONE.trace_id(), None);
    }
}
