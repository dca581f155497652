//! Reading a context that came from another process.

use super::entry::{Entry, VENDOR_KEY};
use super::members::{self, Member};
use super::randomness::{self, Sampling};
use super::state::TraceState;
use super::traceparent::Traceparent;
use super::{TRACEPARENT, TRACESTATE};
use crate::context::{Context, has};
use crate::event::TraceId;
use crate::runtime;
use crate::sampling::Randomness;

/// What came with a message from another process.
///
/// # Examples
///
/// ```
/// use reflow_trace::w3c::Incoming;
///
/// let incoming = Incoming::extract(
///     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
///     "congo=t61rcWkgMzE",
/// );
/// # if cfg!(feature = "enable") {
/// assert_eq!(incoming.context.parent_span_id(), Some(0x00f0_67aa_0ba9_02b7));
/// assert_eq!(incoming.state.get("congo"), Some("t61rcWkgMzE"));
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// What goes into the message; [`Context::NONE`] where nothing or nonsense came.
    pub context: Context,
    /// What other tracers said, to be passed on.
    pub state: TraceState,
}

impl Incoming {
    /// Reads the two fields; empty ones are absent.
    ///
    /// Never fails: a malformed `traceparent` is as good as none, a malformed `tracestate` too, and both
    /// are counted.
    pub fn extract(traceparent: &str, tracestate: &str) -> Self {
        Self::read(Some(traceparent), [tracestate])
    }

    /// Looks for the two fields among named ones, as HTTP has them: names in any case, `tracestate` may
    /// come in several parts, and more than one `traceparent` is none.
    ///
    /// # Examples
    ///
    /// ```
    /// use reflow_trace::w3c::Incoming;
    ///
    /// let headers = [("Host", "example.org"), ("tracestate", "a=1"), ("TraceState", "b=2")];
    /// let incoming = Incoming::from_fields(headers);
    /// assert!(!incoming.context.is_linked()); // no `traceparent`
    /// ```
    pub fn from_fields<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut traceparents = Vec::new();
        let mut tracestates = Vec::new();
        for (name, value) in fields {
            if name.eq_ignore_ascii_case(TRACEPARENT) {
                traceparents.push(value);
            } else if name.eq_ignore_ascii_case(TRACESTATE) {
                tracestates.push(value);
            }
        }
        match traceparents.as_slice() {
            [] => Self::default(),
            [traceparent] => Self::read(Some(traceparent), tracestates),
            _ => Self::read(None, tracestates),
        }
    }

    fn read<'a>(traceparent: Option<&str>, tracestate: impl IntoIterator<Item = &'a str>) -> Self {
        if !cfg!(feature = "enable") || traceparent.is_some_and(str::is_empty) {
            return Self::default();
        }
        let Some(parent) = traceparent.and_then(Traceparent::parse) else {
            runtime::count_fault(|faults| &faults.malformed_traceparents);
            return Self::default();
        };
        let members = members::parse(tracestate);
        let mut is_malformed = members.is_none();
        let members = members.unwrap_or_default();
        let value_of = |key: &str| members.iter().find(|member| member.key == key);

        let sampling = value_of(randomness::KEY)
            .map(|member| Sampling::parse(member.value))
            .unwrap_or_default();
        is_malformed |= sampling.is_malformed;
        let entry = value_of(VENDOR_KEY).map(|&Member { value, .. }| Entry::parse(value));
        is_malformed |= entry == Some(None);
        if is_malformed {
            runtime::count_fault(|faults| &faults.malformed_tracestates);
        }
        Self {
            context: context_of(&parent, sampling, entry.flatten()),
            state: TraceState::from_members(members),
        }
    }
}

fn context_of(parent: &Traceparent, sampling: Sampling, entry: Option<Entry>) -> Context {
    let trace = TraceId(uuid::Uuid::from_u128(parent.trace_id));
    let mut context = Context::in_trace(trace, sampling.randomness);
    if parent.is_sampled {
        context.flags |= has::RECORD;
    }
    if !parent.is_random {
        context.flags |= has::PLAIN_TRACE_ID;
    }
    // One that contradicts the flag has been forgotten by somebody on the way.
    let randomness = Randomness::from_bits(context.randomness);
    let said = sampling
        .threshold
        .filter(|threshold| threshold.keeps(randomness) == parent.is_sampled);
    let ours = entry.and_then(|entry| entry.threshold);
    match said.max(ours) {
        Some(threshold) => context.threshold = threshold.bits(),
        None => context.flags |= has::UNKNOWN_THRESHOLD,
    }
    let Some(entry) = entry else {
        name_span(&mut context, parent);
        context.flags |= has::LEAST_HOPS;
        return context;
    };
    context.hops = entry.hops;
    if entry.are_least_hops {
        context.flags |= has::LEAST_HOPS;
    }
    if entry.is_by_id {
        context.flags |= has::ID_RANDOMNESS;
    }
    match entry.event {
        Some(event) => context.set_event(event),
        // Not recorded so far; if the parent is not what we call such a message, another tracer stands
        // in between.
        None if context.parent_id() != parent.parent_id => name_span(&mut context, parent),
        None => {}
    }
    context
}

fn name_span(context: &mut Context, parent: &Traceparent) {
    context.event_producer = parent.parent_id;
    context.flags |= has::FOREIGN_SPAN;
}
