//! Contexts between processes: `traceparent` and `tracestate` of W3C Trace Context.
//!
//! A [`Context`](crate::Context) holds all that this crate knows of a trace. What others have said of it, in members of
//! `tracestate` that only they understand, does not fit into 64 bytes: it is an [`Incoming::state`]
//! beside the context, which the program passes on with [`Context::inject_with`](crate::Context::inject_with).
//!
//! | field | on the way out | on the way in |
//! | --- | --- | --- |
//! | version | `00` | `ff` is refused; higher ones are read as far as they are known |
//! | trace id | 32 digits of [`Context::trace_id`](crate::Context::trace_id) | any but zero is kept |
//! | parent id | [`EventId::span_id`](crate::EventId::span_id) of the nearest recorded event | kept as the span that led here, where `reflow-trace` names no event |
//! | flag `01` | the message is recorded | as it is |
//! | flag `02` | as it came; set for traces that began here, unless R is told beside the id | passed on; the low 56 bits are R in any case |
//! | `ot=rv:…` | as it came | R, instead of the low 56 bits |
//! | `ot=th:…` | the largest threshold so far, where it agrees with the flag `01` | the same |
//! | `reflow-trace=…` | the event in full, and the hops | the same |
//!
//! The member [`VENDOR_KEY`] holds `key:value` pairs, divided by semicolons. Unknown keys are skipped.
//!
//! | key | value |
//! | --- | --- |
//! | `e` | the nearest recorded event, as 32 hexadecimal digits; absent where none was recorded |
//! | `h` | messages between the root and this one, decimal; with a `+` where there were more before |
//! | `t` | the largest threshold so far, where `ot` does not say it; hexadecimal as `th`, or `never` |
//! | `i` | `1` where R is a hash of the message's id |
//!
//! Sources: W3C *Trace Context* Level 2; OpenTelemetry *TraceState: Probability Sampling*. Where they
//! call a value malformed it is ignored and counted, see
//! [`PropagationFaults`](crate::ledger::PropagationFaults).

mod entry;
mod incoming;
mod members;
mod outgoing;
mod randomness;
mod state;
#[cfg(test)]
mod tests;
mod traceparent;

pub use entry::VENDOR_KEY;
pub use incoming::Incoming;
pub use outgoing::Headers;
pub use state::{InvalidTraceState, TraceState};

/// Name of the field that holds trace id, parent id and flags.
pub const TRACEPARENT: &str = "traceparent";
/// Name of the field that holds what each tracer says.
pub const TRACESTATE: &str = "tracestate";

/// `digits` lowercase hexadecimal digits, at most 16 of them.
fn hex(text: &str) -> Option<u64> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (!text.is_empty() && text.len() <= 16 && text.bytes().all(is_hex))
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
}

/// Exactly 32 lowercase hexadecimal digits.
fn hex_128(text: &str) -> Option<u128> {
    let (high, low) = (text.get(..16)?, text.get(16..)?);
    (low.len() == 16).then_some(())?;
    Some((u128::from(hex(high)?) << 64) | u128::from(hex(low)?))
}
