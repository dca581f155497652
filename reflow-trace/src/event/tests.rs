//! An event survives JSON.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::record::tests::event;

/// A number like the given one that JSON keeps: `serde_json` may lose the last digit of others when it
/// reads them, unless its feature `float_roundtrip` is on, which is for the program to decide.
fn kept(number: f64) -> f64 {
    // Saturates, and NaN becomes 0; thirteen digits at most.
    f64::from(number as i32) / 8.0
}

fn with_kept_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64().map(kept).into(),
        Value::Array(values) => values.into_iter().map(with_kept_numbers).collect(),
        Value::Object(map) => {
            let map = map.into_iter();
            map.map(|(key, value)| (key, with_kept_numbers(value)))
                .collect()
        }
        other => other,
    }
}

/// Any event, as far as JSON can hold it.
fn event_for_json() -> impl Strategy<Value = TraceEvent> {
    event().prop_map(|mut event| {
        let metrics = &mut event.data.performance_metrics;
        let cpu = metrics.cpu_usage_percent;
        metrics.cpu_usage_percent = cpu.map(|cpu| f32::from(cpu as i16) / 8.0);
        metrics.throughput_msgs_per_sec = metrics.throughput_msgs_per_sec.map(kept);
        let attributes = std::mem::take(&mut event.data.custom_attributes).into_iter();
        event.data.custom_attributes = attributes
            .map(|(key, value)| (key, with_kept_numbers(value)))
            .collect();
        // The nil id is how an unknown root is written.
        let root = event.causality.root_cause_event_id;
        event.causality.root_cause_event_id = root.filter(|root| !root.0.is_nil());
        event
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 512 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_event_is_read_from_json_as_it_was_written(event in event_for_json()) {
        let line = serde_json::to_string(&event).expect("serializes");
        prop_assert!(!line.contains('\n'), "an event is one line");
        prop_assert_eq!(serde_json::from_str::<TraceEvent>(&line).expect("parses"), event);
    }

    #[test]
    fn whatever_is_written_can_be_read(event in event()) {
        let line = serde_json::to_string(&event).expect("serializes");
        let read = serde_json::from_str::<TraceEvent>(&line);
        prop_assert!(read.is_ok(), "{:?}: {}", read, line);
    }
}

#[test]
fn numbers_that_json_has_not_are_unknown() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut event = TraceEvent::network_event("a");
        event.data.performance_metrics.throughput_msgs_per_sec = Some(number);
        event.data.performance_metrics.cpu_usage_percent = Some(number as f32);
        let line = serde_json::to_string(&event).expect("serializes");
        let read: TraceEvent = serde_json::from_str(&line).expect("parses");
        assert_eq!(read.data.performance_metrics, PerformanceMetrics::default());
    }
}

#[test]
fn an_outcome_of_a_later_version_is_not_known_and_the_event_is_read() {
    let event = TraceEvent::data_flow("a", "out", "b", "in", "T", 1);
    let mut json = serde_json::to_value(&event).expect("serializes");
    json["outcome"] = "swallowed".into();
    let read: TraceEvent =
        serde_json::from_value(json.clone()).expect("the outcome alone is not known");
    let unknown = TraceEvent {
        outcome: None,
        ..event
    };
    assert_eq!(read, unknown);
    json["outcome"] = 5.into();
    assert!(
        serde_json::from_value::<TraceEvent>(json).is_err(),
        "no name at all"
    );
}
