//! How long each part of a message's way took.
//!
//! A message over an edge has three times. *Transfer* is how long the send ran. *Waiting* is how long
//! the message lay between the begin of the send and the begin of its handling, from a stamp that
//! travels with it. *Handling* is how long the handler ran. They overlap: a wait begins with the send
//! and so contains its transfer, and a handler's sends run within its handling. So they must not be
//! added up; what may be added up along a chain is [`elapsed_ns`].

use std::time::Duration;

use crate::event::{TraceEvent, TraceEventType};

/// How long the send ran; `None` when this is no send or it is not known.
pub(super) fn transfer(event: &TraceEvent) -> Option<Duration> {
    duration_ns(event)
        .filter(|_| is_send(event))
        .map(Duration::from_nanos)
}

/// How long the message waited; `None` when this is no receive or it is not known.
pub(super) fn waiting(event: &TraceEvent) -> Option<Duration> {
    waiting_ns(event).map(Duration::from_nanos)
}

/// How long the message was handled; `None` when this is no handling or it is not known.
pub(super) fn handling(event: &TraceEvent) -> Option<Duration> {
    duration_ns(event)
        .filter(|_| is_receive(event))
        .map(Duration::from_nanos)
}

pub(super) fn is_send(event: &TraceEvent) -> bool {
    matches!(
        event.event_type,
        TraceEventType::DataFlow { .. } | TraceEventType::MessageSent
    )
}

pub(super) fn is_receive(event: &TraceEvent) -> bool {
    event.event_type == TraceEventType::MessageReceived
}

pub(super) fn duration_ns(event: &TraceEvent) -> Option<u64> {
    event.data.performance_metrics.execution_time_ns
}

pub(super) fn waiting_ns(event: &TraceEvent) -> Option<u64> {
    let metrics = &event.data.performance_metrics;
    metrics.waiting_time_ns.filter(|_| is_receive(event))
}

/// When it began, by the wall clock of its host; `None` outside the years 1677 to 2262.
pub(super) fn start_ns(event: &TraceEvent) -> Option<i64> {
    event.timestamp.timestamp_nanos_opt()
}

/// The time on the way from a cause to its effect that no other step of a chain counts as well; in
/// nanoseconds, `None` when it is not known.
///
/// - To a receive: its waiting time, else from begin to begin.
/// - From a handling to what was made in it or, later, of it: from begin to begin, but no longer than
///   the handling. What was put aside and joined to something later was not being worked on meanwhile.
/// - Otherwise from begin to begin.
///
/// Begins are compared only within one producer: the clocks of two hosts need not agree.
pub(super) fn elapsed_ns(cause: &TraceEvent, effect: &TraceEvent) -> Option<u64> {
    if let Some(waited) = waiting_ns(effect) {
        return Some(waited);
    }
    let handled = duration_ns(cause).filter(|_| is_receive(cause) && !is_receive(effect));
    match (between_ns(cause, effect), handled) {
        (Some(between), Some(handled)) => Some(between.min(handled)),
        (between, handled) => between.or(handled),
    }
}

/// From begin to begin, not below 0; `None` when the two have no clock in common.
fn between_ns(cause: &TraceEvent, effect: &TraceEvent) -> Option<u64> {
    let producer = |event: &TraceEvent| Some(event.event_id.origin()?.producer);
    if producer(cause)? != producer(effect)? {
        return None;
    }
    let between = start_ns(effect)?.saturating_sub(start_ns(cause)?);
    Some(u64::try_from(between).unwrap_or(0))
}
