//! What travels with a message, and what a handler leaves for the messages it sends.
//!
//! A span that is sent through a queue measures nonsense and makes endless traces. What travels here
//! is a small copyable value that says which trace the message belongs to, which event sent it and
//! when. It travels whether or not the message is recorded, so that the next hop decides with the
//! same R.
//!
//! Within the process it travels as it is, out of it in words that every tracer reads ([`w3c`]) or as
//! the program serializes it ([`serialized`]); what comes in from outside is looked at before it is
//! believed.

pub(crate) mod active;
mod causes;
mod frame;
mod scope;
mod serialized;
pub mod w3c;

pub(crate) use active::Place;
pub(crate) use causes::FurtherCauses;
pub use causes::{CAUSES_MAX, Causes};
pub use frame::CauseFrame;
pub(crate) use frame::ThreadCause;
pub use scope::{CarryCause, Scoped, carry_cause, in_task};

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
///
/// What was made from several messages keeps every cause. The handling under way is one; the others are
/// remembered by whoever gathers them ([`Context::current`] while each is handled) and travel in a field
/// of contexts that is marked as an attribute:
///
/// ```
/// # use reflow_trace::{Context, sample};
/// #[sample(rate = 1.0)]
/// struct Report {
///     #[trace(context)]
///     context: Context,
///     #[trace(attribute)]
///     made_from: Vec<Context>,
/// }
/// ```
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(from = "serialized::Serialized", into = "serialized::Serialized")]
pub struct Context {
    /// Producer of the trace, 52 bits; with `FOREIGN_TRACE` the upper 64 bits of the trace id.
    pub(crate) producer: u64,
    /// R, 56 bits.
    pub(crate) randomness: u64,
    /// The largest T so far, 0 to 2⁵⁶.
    pub(crate) threshold: u64,
    /// Producer of the event, 52 bits; with `FOREIGN_SPAN` the id of the span.
    pub(crate) event_producer: u64,
    /// The last recorded event on the way here, 48 bits; 0: none was recorded.
    pub(crate) sequence: u64,
    /// Clock ticks at the send; 0: unknown. With `OTHER_RANDOMNESS` the low 56 bits of the trace id.
    pub(crate) sent_at: u64,
    /// Ring of that event, 22 bits.
    pub(crate) ring: u32,
    /// Edge over which the message came; `u32::MAX`: none.
    pub(crate) edge: u32,
    /// Upper 14 bits of the permuted root; with `FOREIGN_TRACE` bits 56 to 63 of the trace id.
    pub(crate) trace_high: u16,
    /// See [`has`].
    pub(crate) flags: u16,
    /// Messages between the root and here.
    pub(crate) hops: u8,
}

/// The bits of `flags`.
pub(crate) mod has {
    /// The context belongs to a trace.
    pub(crate) const TRACE: u16 = 1 << 0;
    /// R is a hash of the message's id.
    pub(crate) const ID_RANDOMNESS: u16 = 1 << 1;
    /// The message that carries the context is itself recorded.
    pub(crate) const RECORD: u16 = 1 << 2;
    /// Stamp and edge are of this process.
    pub(crate) const STAMP: u16 = 1 << 3;
    /// The trace id is of another tracer's making: 128 bits of any form.
    pub(crate) const FOREIGN_TRACE: u16 = 1 << 4;
    /// R was told beside the trace id and differs from its low bits. There is no room for both and a
    /// stamp, so that waiting times are not known in such a trace.
    pub(crate) const OTHER_RANDOMNESS: u16 = 1 << 5;
    /// No event of ours is known on the way here, but the span of another tracer that led here.
    pub(crate) const FOREIGN_SPAN: u16 = 1 << 6;
    /// `hops` counts from where the trace met us first; how many lie before it is not known.
    pub(crate) const LEAST_HOPS: u16 = 1 << 7;
    /// Nobody has said what share of traces is kept.
    pub(crate) const UNKNOWN_THRESHOLD: u16 = 1 << 8;
    /// The trace id may not be random; who made it has not said so.
    pub(crate) const PLAIN_TRACE_ID: u16 = 1 << 10;
    /// The thread has further causes beside this one; never leaves the thread.
    pub(crate) const FURTHER_CAUSES: u16 = 1 << 9;
}

/// Bits of R, and of the part of a trace id that R usually is.
const LOW_BITS: u32 = 56;
const LOW: u64 = (1 << LOW_BITS) - 1;

/// The field of a message that is marked `#[trace(context)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no room for a trace context",
    label = "not a `reflow_trace::Context`",
    note = "a field marked `#[trace(context)]` is of type `reflow_trace::Context`"
)]
pub trait ContextField {
    /// The context in it.
    fn context(&self) -> &Context;
    /// The context in it, to be written.
    fn context_mut(&mut self) -> &mut Context;
}

impl ContextField for Context {
    #[inline]
    fn context(&self) -> &Context {
        self
    }

    #[inline]
    fn context_mut(&mut self) -> &mut Context {
        self
    }
}

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
        flags: 0,
        hops: 0,
    };

    /// The context of what is being handled on this thread now; [`Self::NONE`] outside handlers.
    pub fn current() -> Self {
        frame::current()
    }

    /// A context in this trace and nothing else known. R is that of the trace id, unless another one
    /// was told.
    pub(crate) fn in_trace(trace: TraceId, told: Option<Randomness>) -> Self {
        let bits = trace.0.as_u128();
        let low = bits as u64 & LOW;
        let randomness = told.map_or(low, Randomness::bits);
        let (producer, high, flags) = match trace.root() {
            Some((producer, root)) => (producer.bits(), (root >> LOW_BITS) as u16, 0),
            None => {
                let high = (bits >> LOW_BITS) as u16 & 0xff;
                ((bits >> 64) as u64, high, has::FOREIGN_TRACE)
            }
        };
        let (sent_at, other) = if randomness == low {
            (0, 0)
        } else {
            (low, has::OTHER_RANDOMNESS)
        };
        Self {
            producer,
            randomness,
            trace_high: high,
            sent_at,
            flags: has::TRACE | flags | other,
            ..Self::NONE
        }
    }

    /// Whether the context belongs to a trace.
    #[inline]
    pub const fn is_linked(&self) -> bool {
        self.flags & has::TRACE != 0
    }

    /// The trace.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.is_linked().then(|| {
            let low = if self.has(has::OTHER_RANDOMNESS) {
                self.sent_at
            } else {
                self.randomness
            };
            trace_id_of(
                self.producer,
                self.trace_high,
                low,
                self.has(has::FOREIGN_TRACE),
            )
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

    /// How many messages lie between the root and this one; stops counting at 255. Where a trace came
    /// from another tracer it is counted from there.
    pub const fn hop_count(&self) -> u8 {
        self.hops
    }

    /// The span of another tracer that led here, where no event of ours is known on the way.
    pub fn parent_span_id(&self) -> Option<u64> {
        self.has(has::FOREIGN_SPAN).then_some(self.event_producer)
    }

    /// The hops, where all of them were counted.
    pub(crate) fn known_hops(&self) -> Option<u8> {
        (!self.has(has::LEAST_HOPS)).then_some(self.hops)
    }

    #[inline]
    pub(crate) const fn has(&self, flags: u16) -> bool {
        self.flags & flags != 0
    }

    /// The flags of a context that this process stamps.
    #[inline]
    pub(crate) const fn flags_of(by_id: bool, is_recorded: bool) -> u16 {
        let by_id = if by_id { has::ID_RANDOMNESS } else { 0 };
        let recorded = if is_recorded { has::RECORD } else { 0 };
        has::TRACE | has::STAMP | by_id | recorded
    }

    /// Whether R is a hash of the message's id.
    #[inline]
    pub(crate) const fn is_by_id(&self) -> bool {
        self.has(has::ID_RANDOMNESS)
    }

    /// When the message was sent, in ticks of this process's clock.
    #[inline]
    pub(crate) fn stamp(&self) -> Option<u64> {
        let is_ours = self.flags & (has::STAMP | has::OTHER_RANDOMNESS) == has::STAMP;
        (is_ours && self.sent_at != 0).then_some(self.sent_at)
    }

    /// The edge over which the message came, if it is one of this process.
    #[inline]
    pub(crate) fn edge_here(&self) -> Option<u32> {
        (self.has(has::STAMP) && self.edge != NO_EDGE).then_some(self.edge)
    }

    /// Whether both belong to one trace.
    #[inline]
    pub(crate) const fn same_trace(&self, other: &Self) -> bool {
        const IDENTITY: u16 = has::TRACE | has::FOREIGN_TRACE | has::OTHER_RANDOMNESS;
        self.randomness == other.randomness
            && self.producer == other.producer
            && self.trace_high == other.trace_high
            && self.is_linked()
            && (self.flags ^ other.flags) & IDENTITY == 0
            && (!self.has(has::OTHER_RANDOMNESS) || self.sent_at == other.sent_at)
    }
}

/// The trace id from its parts, as contexts and records keep them.
pub(crate) fn trace_id_of(producer: u64, high: u16, low: u64, is_foreign: bool) -> TraceId {
    let low = u128::from(low & LOW);
    if is_foreign {
        let high = u128::from(high & 0xff) << LOW_BITS;
        TraceId(Uuid::from_u128((u128::from(producer) << 64) | high | low))
    } else {
        let root = (u128::from(high) << LOW_BITS) | low;
        TraceId::from_root(ProducerId::from_bits(producer), root)
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
            flags: has::TRACE,
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
    #[test]
    fn a_trace_id_of_any_making_comes_back() {
        for bits in [
            1,
            u128::MAX,
            0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
            // Looks like one of ours.
            0x4bf9_2f35_77b3_8da6_a3ce_929d_0e0e_4736,
        ] {
            let trace = TraceId(Uuid::from_u128(bits));
            let low = Randomness::from_bits(bits as u64);
            let context = Context::in_trace(trace, None);
            assert_eq!(context.trace_id(), Some(trace));
            assert_eq!(context.randomness(), Some(low));
            let told = Randomness::from_bits(!bits as u64);
            let context = Context::in_trace(trace, Some(told));
            assert_eq!(context.trace_id(), Some(trace));
            assert_eq!(context.randomness(), Some(told));
            assert_eq!(context.stamp(), None);
        }
    }
}
