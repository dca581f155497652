//! A context as the program serializes it together with the message that carries it.
//!
//! What is read back may come from another process, another version or an attacker. Fields outside
//! their range, ids that are none of ours and stamps from the future never reach a probe: such a
//! context is none, which is counted, and the message starts a trace. The stamp and the edge hold only
//! in the process that wrote them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::{Context, LOW, NO_EDGE, has};
use crate::clock::ticks;
use crate::event::{EventId, EventOrigin, TraceId};
use crate::runtime::{self, dictionary};
use crate::sampling::{Randomness, Threshold};

/// Flags that mean something outside the thread.
const TRAVELLING: u16 = has::ID_RANDOMNESS
    | has::RECORD
    | has::LEAST_HOPS
    | has::UNKNOWN_THRESHOLD
    | has::PLAIN_TRACE_ID;

/// The fields, in a form that every serializer can write.
#[derive(Serialize, Deserialize)]
pub(super) struct Serialized {
    trace_id: Option<TraceId>,
    event_id: Option<EventId>,
    parent_span: Option<u64>,
    randomness: u64,
    threshold: u64,
    flags: u16,
    hops: u8,
    /// Whose clock and whose edges: a random number of the process.
    stamped_by: u64,
    sent_at: u64,
    edge: u32,
}

/// A random number by which this process knows its own stamps.
fn this_process() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.load(Ordering::Relaxed);
    if number != 0 {
        return number;
    }
    let drawn = (uuid::Uuid::new_v4().as_u128() as u64).max(1);
    match NUMBER.compare_exchange(0, drawn, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => drawn,
        Err(first) => first,
    }
}

impl From<Context> for Serialized {
    fn from(context: Context) -> Self {
        let stamp = context.stamp();
        let edge = context.edge_here();
        let is_stamped = stamp.is_some() || edge.is_some();
        Self {
            trace_id: context.trace_id(),
            event_id: context.event_id(),
            parent_span: context.parent_span_id(),
            randomness: context.randomness,
            threshold: context.threshold,
            flags: context.flags & TRAVELLING,
            hops: context.hops,
            stamped_by: if is_stamped { this_process() } else { 0 },
            sent_at: stamp.unwrap_or(0),
            edge: edge.unwrap_or(NO_EDGE),
        }
    }
}

impl From<Serialized> for Context {
    fn from(serialized: Serialized) -> Self {
        if serialized.trace_id.is_none() {
            return Self::NONE;
        }
        serialized.checked().unwrap_or_else(|| {
            runtime::count_fault(|faults| &faults.malformed_contexts);
            Self::NONE
        })
    }
}

impl Serialized {
    /// The context; `None` where no process of ours can have written this.
    fn checked(&self) -> Option<Context> {
        let trace = self.trace_id.filter(|trace| !trace.0.is_nil())?;
        let in_range = self.randomness <= LOW
            && self.threshold <= Threshold::NEVER.bits()
            && self.flags & !TRAVELLING == 0
            && self.parent_span != Some(0)
            && !(self.event_id.is_some() && self.parent_span.is_some());
        if !in_range {
            return None;
        }
        let mut context = Context::in_trace(trace, Some(Randomness::from_bits(self.randomness)));
        context.threshold = self.threshold;
        context.flags |= self.flags;
        context.hops = self.hops;
        if let Some(event) = self.event_id {
            context.set_event(event.origin().filter(|origin| origin.sequence != 0)?);
        }
        if let Some(span) = self.parent_span {
            context.event_producer = span;
            context.flags |= has::FOREIGN_SPAN;
        }
        if self.stamped_by != 0 && self.stamped_by == this_process() {
            self.stamp(&mut context)?;
        }
        Some(context)
    }

    fn stamp(&self, context: &mut Context) -> Option<()> {
        let is_known = self.edge == NO_EDGE || dictionary().has_edge(self.edge);
        if self.sent_at > ticks() || !is_known {
            return None;
        }
        context.flags |= has::STAMP;
        context.edge = self.edge;
        if !context.has(has::OTHER_RANDOMNESS) {
            context.sent_at = self.sent_at;
        }
        Some(())
    }
}

impl Context {
    /// Names the last recorded event on the way here.
    pub(super) fn set_event(&mut self, origin: EventOrigin) {
        self.event_producer = origin.producer.bits();
        self.ring = origin.ring;
        self.sequence = origin.sequence;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::event::ProducerId;

    fn ours() -> Context {
        let mut context = Context::in_trace(TraceId::from_root(ProducerId::from_bits(7), 9), None);
        context.set_event(EventOrigin {
            producer: ProducerId::from_bits(7),
            ring: 3,
            sequence: 4,
        });
        context.hops = 5;
        context.threshold = Threshold::from_rate(0.1).bits();
        context.flags |= has::STAMP | has::RECORD;
        context.sent_at = ticks();
        context
    }

    fn through_json(context: Context, change: impl FnOnce(&mut Value)) -> Context {
        let mut json = serde_json::to_value(context).expect("serializes");
        change(&mut json);
        serde_json::from_value(json).expect("is never an error")
    }

    #[test]
    fn a_context_comes_back_as_it_was_in_the_process_that_wrote_it() {
        let before = ours();
        let after = through_json(before, |_| ());
        assert_eq!(after.trace_id(), before.trace_id());
        assert_eq!(after.event_id(), before.event_id());
        assert_eq!(after.threshold(), before.threshold());
        assert_eq!(after.hop_count(), 5);
        assert_eq!(after.stamp(), before.stamp());
        assert_eq!(after.flags, before.flags);
        assert!(!through_json(Context::NONE, |_| ()).is_linked());
    }

    #[test]
    fn the_stamp_of_another_process_is_none() {
        let after = through_json(ours(), |json| json["stamped_by"] = json!(12));
        assert_eq!((after.stamp(), after.edge_here()), (None, None));
        assert_eq!(after.event_id(), ours().event_id());
    }

    #[test]
    fn what_cannot_be_a_context_is_none() {
        for (field, value) in [
            ("randomness", json!(1_u64 << 56)),
            ("randomness", json!(u64::MAX)),
            ("threshold", json!((1_u64 << 56) + 1)),
            ("flags", json!(has::FURTHER_CAUSES)),
            ("flags", json!(u16::MAX)),
            ("sent_at", json!(u64::MAX)),
            ("edge", json!(u32::MAX - 1)),
            ("parent_span", json!(1)),
            ("event_id", json!("00000000-0000-0000-0000-000000000000")),
            ("event_id", json!("11111111-1111-4111-8111-111111111111")),
            ("trace_id", json!("00000000-0000-0000-0000-000000000000")),
        ] {
            let context = through_json(ours(), |json| json[field] = value.clone());
            assert!(!context.is_linked(), "{field} = {value}: {context:?}");
        }
    }
}
