//! Writing a context for another process.

use super::entry::{Entry, VENDOR_KEY};
use super::members::{self, Member};
use super::randomness;
use super::state::TraceState;
use super::traceparent::Traceparent;
use super::{TRACEPARENT, TRACESTATE};
use crate::context::{Context, has};
use crate::event::EventId;
use crate::runtime::count_faults;
use crate::sampling::{Randomness, Threshold};

/// The two fields of W3C Trace Context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Trace id, parent id and flags; 55 characters.
    pub traceparent: String,
    /// What each tracer says, ours first; at most 512 characters.
    pub tracestate: String,
}

impl Context {
    /// Writes the context for another process: calls `set` with name and value of each field.
    ///
    /// Ask the context of the message, once the send has stamped it, for example in the body of a
    /// connector's `send`. Nothing is written where there is no trace. What other tracers said of the
    /// trace is lost; [`Self::inject_with`] passes it on.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # let context = reflow_trace::Context::NONE;
    /// let mut headers = HashMap::new();
    /// context.inject(|name, value| { headers.insert(name.to_owned(), value.to_owned()); });
    /// ```
    pub fn inject(&self, set: impl FnMut(&str, &str)) {
        self.inject_with(&TraceState::EMPTY, set);
    }

    /// The same, and passes on what other tracers said when the trace came in.
    pub fn inject_with(&self, state: &TraceState, mut set: impl FnMut(&str, &str)) {
        if let Some(headers) = self.to_w3c(state) {
            set(TRACEPARENT, &headers.traceparent);
            set(TRACESTATE, &headers.tracestate);
        }
    }

    /// The two fields as text; `None` where there is no trace.
    pub fn to_w3c(&self, state: &TraceState) -> Option<Headers> {
        let trace = self.trace_id()?;
        let traceparent = Traceparent {
            trace_id: trace.0.as_u128(),
            parent_id: self.parent_id(),
            is_sampled: self.has(has::RECORD),
            is_random: !self.has(has::OTHER_RANDOMNESS | has::PLAIN_TRACE_ID),
        };
        Some(Headers {
            traceparent: traceparent.to_string(),
            tracestate: self.tracestate(state),
        })
    }

    fn tracestate(&self, state: &TraceState) -> String {
        let threshold = self.threshold_to_say();
        let largest = Threshold::from_bits(self.threshold);
        let is_unsaid = !self.has(has::UNKNOWN_THRESHOLD) && threshold.is_none();
        let ours = Entry {
            event: self.event_id().and_then(EventId::origin),
            hops: self.hops,
            are_least_hops: self.has(has::LEAST_HOPS),
            threshold: is_unsaid.then_some(largest),
            is_by_id: self.is_by_id(),
        }
        .write();
        let before = state.get(randomness::KEY);
        let sampling = randomness::with_threshold(before, threshold);
        let is_changed = sampling.as_deref() != before;

        let mut all = vec![Member {
            key: VENDOR_KEY,
            value: &ours,
        }];
        let sampling = sampling.as_deref().map(|value| Member {
            key: randomness::KEY,
            value,
        });
        // Who changes a member moves it to the front.
        all.extend(sampling.filter(|_| is_changed));
        let kept = all.len();
        let others = state.members().map(|(key, value)| Member { key, value });
        all.extend(others.filter(|member| !(is_changed && member.key == randomness::KEY)));
        let left_out = members::fit(&mut all, kept);
        count_faults(|faults| &faults.members_left_out, left_out);
        members::join(&all)
    }

    /// The threshold that `th` may name: known, no contradiction to the flag, and one that has digits.
    fn threshold_to_say(&self) -> Option<Threshold> {
        let threshold = Threshold::from_bits(self.threshold);
        let keeps = threshold.keeps(Randomness::from_bits(self.randomness));
        let may_be_said = !self.has(has::UNKNOWN_THRESHOLD)
            && threshold != Threshold::NEVER
            && keeps == self.has(has::RECORD);
        may_be_said.then_some(threshold)
    }

    /// The 8 bytes by which span tracers know what led here. Where no event was recorded they only have
    /// to be the same each time.
    pub(super) fn parent_id(&self) -> u64 {
        if let Some(span) = self.parent_span_id() {
            return span;
        }
        let trace = self.trace_id().unwrap_or_default().0;
        let event = self.event_id().unwrap_or(EventId(trace));
        event.span_id()
    }
}
