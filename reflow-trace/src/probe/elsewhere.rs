//! Traces and causes that are not of this process, and causes beside the first.
//!
//! A record names trace and cause by numbers of its own process, which is all that most messages need.
//! Here is what the others need: what is remembered of them on the way to the record, and the sections
//! that name them in full. The hot path asks one flag, [`flag::ELSEWHERE`].

use super::trace::Trace;
use crate::clock::ticks;
use crate::context::{Context, FurtherCauses, has, trace_id_of};
use crate::event::{EventId, EventOrigin, ProducerId};
use crate::lane::{Attempt, LaneInUse};
use crate::message::{AttributeValue, Attributes, take_details};
use crate::record::sections::{Sections, Tag};
use crate::record::{Fields, flag};

/// Name of the attribute that holds the span of another tracer, 16 hexadecimal digits.
pub(crate) const PARENT_SPAN_ID: &str = "parent_span_id";
/// Name of the attribute that counts the causes which have no name.
pub(crate) const CAUSES_NOT_NAMED: &str = "causes_not_named";

/// What a trace or a cause from elsewhere is beside the fields that all have.
///
/// It stands in the lane while a message is decided over, then in its attempt.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Elsewhere {
    /// Producer of the cause, or its span.
    pub(super) cause_producer: u64,
    /// The low 56 bits of the trace id, where R is another number.
    pub(super) trace_low: u64,
}

impl Elsewhere {
    pub(crate) const NONE: Self = Self {
        cause_producer: 0,
        trace_low: 0,
    };
}

/// Whether a cause needs more than numbers of the process `producer`.
#[inline]
pub(super) fn is_elsewhere(cause: &Context, producer: u64) -> bool {
    const SPECIAL: u16 = has::FOREIGN_TRACE
        | has::OTHER_RANDOMNESS
        | has::FOREIGN_SPAN
        | has::LEAST_HOPS
        | has::PLAIN_TRACE_ID
        | has::FURTHER_CAUSES;
    cause.producer != producer || cause.event_producer != producer || cause.has(SPECIAL)
}

/// Completes a trace that goes on with a cause from elsewhere.
#[inline(never)]
pub(super) fn adapt(trace: &mut Trace, cause: &Context, hand: &LaneInUse) {
    let is_ours = cause.event_producer == hand.producer && !cause.has(has::FOREIGN_SPAN);
    if !is_ours {
        // The numbers are kept for what follows, and mean nothing in this process.
        trace.flags &= !flag::CAUSE;
        trace.cause_sequence = cause.sequence;
        trace.cause_ring = cause.ring;
    }
    for (context, record) in [
        (has::FOREIGN_TRACE, flag::FOREIGN_TRACE),
        (has::OTHER_RANDOMNESS, flag::OTHER_RANDOMNESS),
        (has::FOREIGN_SPAN, flag::FOREIGN_SPAN),
        (has::PLAIN_TRACE_ID, flag::PLAIN_TRACE_ID),
        (has::FURTHER_CAUSES, flag::FURTHER_CAUSES),
    ] {
        if cause.has(context) {
            trace.flags |= record;
        }
    }
    if cause.has(has::LEAST_HOPS) {
        trace.flags &= !flag::HOPS;
    }
    trace.flags |= flag::ELSEWHERE;
    hand.elsewhere.set(Elsewhere {
        cause_producer: cause.event_producer,
        trace_low: cause.sent_at,
    });
}

/// The trace begins anew here: only the cause is still another's.
pub(super) fn forget_trace(flags: u16) -> u16 {
    let of_trace =
        flag::TRACE_BY_ID | flag::FOREIGN_TRACE | flag::OTHER_RANDOMNESS | flag::PLAIN_TRACE_ID;
    (flags & !of_trace) | flag::HOPS
}

/// Completes the context of what a trace from elsewhere leads to. `is_recorded`: by an event of this
/// process, which the context names already.
#[inline(never)]
pub(super) fn complete(context: &mut Context, elsewhere: Elsewhere, flags: u16, is_recorded: bool) {
    if !is_recorded {
        context.event_producer = elsewhere.cause_producer;
        if flags & flag::FOREIGN_SPAN != 0 {
            context.flags |= has::FOREIGN_SPAN;
        }
    }
    if flags & flag::FOREIGN_TRACE != 0 {
        context.flags |= has::FOREIGN_TRACE;
    }
    if flags & flag::OTHER_RANDOMNESS != 0 {
        context.flags |= has::OTHER_RANDOMNESS;
        context.sent_at = elsewhere.trace_low;
    }
    if flags & flag::PLAIN_TRACE_ID != 0 {
        context.flags |= has::PLAIN_TRACE_ID;
    }
    if flags & flag::HOPS == 0 {
        context.flags |= has::LEAST_HOPS;
    }
}

/// The waiting time of a message with this context; unknown where the stamp is of another clock, or of
/// a time that has not come.
#[inline]
pub(super) fn waiting_of(context: &Context) -> Option<u64> {
    ticks().checked_sub(context.stamp()?)
}

impl Attempt {
    /// Names in full what the words cannot.
    #[inline(never)]
    pub(super) fn name_elsewhere(&mut self) {
        let (flags, elsewhere) = (self.words.flags(), self.elsewhere);
        self.standing = self.standing.with_details();
        let is_foreign = flags & flag::FOREIGN_TRACE != 0;
        let has_other = flags & flag::OTHER_RANDOMNESS != 0;
        if self.trace_producer != self.producer || is_foreign || has_other {
            let low = if has_other {
                elsewhere.trace_low
            } else {
                self.words[6]
            };
            let trace = trace_id_of(
                self.trace_producer,
                self.words.trace_high(),
                low,
                is_foreign,
            );
            self.sections().put(Tag::TraceId, trace.0.as_bytes());
        }
        if flags & flag::FOREIGN_SPAN != 0 {
            let span = elsewhere.cause_producer;
            let span = format_args!("{span:016x}");
            Attributes::new(&mut self.details).put(PARENT_SPAN_ID, AttributeValue::Shown(&span));
        } else if flags & flag::CAUSE == 0 && self.words.cause_sequence() != 0 {
            let parent = EventId::from_origin(EventOrigin {
                producer: ProducerId::from_bits(elsewhere.cause_producer),
                ring: self.words.cause_ring(),
                sequence: self.words.cause_sequence(),
            });
            self.sections().put(Tag::Parent, parent.0.as_bytes());
        }
        if flags & flag::FURTHER_CAUSES != 0 {
            FurtherCauses::with(|further| self.name_further(further));
        }
    }

    fn name_further(&mut self, further: &FurtherCauses) {
        let ids = further.events().iter().map(|event| &event.0.as_bytes()[..]);
        self.sections().put_all(Tag::Joined, ids);
        if further.unnamed() > 0 {
            let unnamed = AttributeValue::Unsigned(further.unnamed());
            Attributes::new(&mut self.details).put(CAUSES_NOT_NAMED, unnamed);
        }
    }

    fn sections(&mut self) -> &mut Sections {
        self.details.get_or_insert_with(take_details)
    }
}
