//! What the examples share: telling one message's story, and counting words.

mod words;

pub use words::{Splitter, Tally, pieces};

use std::collections::HashMap;

use reflow_trace::{EventId, TraceEvent, TraceEventType};

/// The events that led to `last`, from the root on, by the ids of their causes.
///
/// Equal message ids prove nothing: two actors may number their messages alike. What a message was
/// caused by is only what its `parent_event_id` says.
pub fn lineage<'a>(events: &'a [TraceEvent], last: &'a TraceEvent) -> Vec<&'a TraceEvent> {
    let by_id: HashMap<EventId, &TraceEvent> =
        events.iter().map(|event| (event.event_id, event)).collect();
    let cause = |event: &&'a TraceEvent| {
        let parent = event.causality.parent_event_id?;
        by_id.get(&parent).copied()
    };
    // Causes lie in the past, so that this ends; the bound is for recordings that are damaged.
    let mut story: Vec<_> = std::iter::successors(Some(last), cause)
        .take(events.len())
        .collect();
    story.reverse();
    story
}

/// Prints the lineage of the last event of this message type.
pub fn print_lineage(events: &[TraceEvent], message_type: &str) {
    let is_of_type = |event: &&TraceEvent| {
        let message = event.data.message.as_ref();
        event.is_data_flow() && message.is_some_and(|message| message.message_type == message_type)
    };
    let Some(last) = events.iter().rfind(is_of_type) else {
        println!("no `{message_type}` was recorded");
        return;
    };
    println!("what led to one `{message_type}`, by cause:");
    for event in lineage(events, last) {
        println!("  {}", in_one_line(event));
    }
    println!();
}

/// The event, its cause, what happened and where; the ids shortened to ring and number.
fn in_one_line(event: &TraceEvent) -> String {
    let number = |id: EventId| match id.origin() {
        Some(origin) => format!("{}/{}", origin.ring, origin.sequence),
        None => id.to_string(),
    };
    let cause = event.causality.parent_event_id;
    let cause = cause.map_or_else(|| "nothing".to_owned(), number);
    let to = match &event.event_type {
        TraceEventType::DataFlow { to_actor, to_port } => format!(" → {to_actor}.{to_port}"),
        _ => String::new(),
    };
    let message = event.data.message.as_ref();
    let message_id = event.message_id().map(ToString::to_string);
    format!(
        "{:<8} caused by {cause:<8} {:<16} {}.{}{to}  {} {}",
        number(event.event_id),
        event.event_type.name(),
        event.actor_id,
        event.data.port.as_deref().unwrap_or_default(),
        message.map_or("", |message| &message.message_type),
        message_id.unwrap_or_default(),
    )
}

/// The code of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
