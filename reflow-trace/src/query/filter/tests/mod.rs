//! What is read, what is refused and how, and what is found.

mod bounds;
mod errors;
mod grammar;
mod limits;
mod random;
mod second;
mod strategies;
mod truth;

use chrono::DateTime;
use serde_json::json;

use super::Filter;
use crate::event::{EventId, Outcome, TraceEvent};

/// A send in which much is known.
fn slow_reading() -> TraceEvent {
    let mut event = TraceEvent::data_flow(
        "sensor_1",
        "data",
        "it's \u{202e}Ωmega 漢字",
        "in",
        "SensorReading",
        4_096,
    );
    event.event_id = EventId(uuid::Uuid::from_u128(7));
    event.timestamp = DateTime::from_timestamp(1_770_000_000, 5).expect("in range");
    event.outcome = Some(Outcome::Delivered);
    let metrics = &mut event.data.performance_metrics;
    metrics.execution_time_ns = Some(15_000_000);
    metrics.throughput_msgs_per_sec = Some(1_000.5);
    for (name, value) in [
        ("message_id", json!("msg_12345")),
        ("message_priority", json!(7)),
        ("protocol", json!("memory_channel")),
        ("urgent", json!(true)),
        ("big", json!(u64::MAX)),
        ("odd name", json!(-1.5)),
        ("list", json!([1])),
        ("nothing", json!(null)),
        ("größe.m", json!("XL")),
    ] {
        let attributes = &mut event.data.custom_attributes;
        attributes.insert(name.to_owned(), value);
    }
    event
}

fn parsed(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{error:#}"))
}
