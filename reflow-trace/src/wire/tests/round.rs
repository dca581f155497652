//! From events to a frame and back.

use std::collections::HashSet;

use proptest::prelude::*;

use super::batches::{batch_items, batch_of, moment, notice};
use crate::event::{ProducerId, TraceEvent};
use crate::query::filter::{Column, Row as _};
use crate::record::tests::event;
use crate::wire::{
    BatchLimits, EventRow, Frame, FrameLimits, Level, Sealer, WireBatch, seal_events,
};

pub(super) fn read(frame: &Frame) -> WireBatch {
    let limits = BatchLimits::default();
    let frame = Frame::parse(frame.bytes().clone(), &limits.frame).expect("a whole frame");
    WireBatch::decode(&frame, &limits).expect("a whole batch")
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases: if cfg!(miri) { 4 } else { cases },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(192))]

    #[test]
    fn a_batch_comes_out_as_it_went_in(items in batch_items(24), level in 0..3i32) {
        let batch = batch_of(&items, &moment());
        let mut sealer = Sealer::new(Level::new(level).ok(), BatchLimits::default());
        // A sealer that has sealed something else before does the same.
        sealer.seal(&batch, 1, 1).expect("seals");
        let frame = sealer.seal(&batch, 7, 9).expect("seals");
        prop_assert_eq!((frame.header().stream, frame.header().number), (7, 9));
        let read = read(&frame);
        prop_assert_eq!(read.len() as u32, frame.header().events);
        prop_assert_eq!(read.len(), batch.len());
        let expected: Vec<_> = batch.events().collect();
        let events: Vec<_> = read.events().collect();
        for (event, expected) in events.iter().zip(&expected) {
            prop_assert_eq!(event, expected);
        }
        prop_assert_eq!(events.len(), expected.len());
        let losses: Vec<_> = expected[batch.len()..].iter().filter_map(TraceEvent::as_loss).collect();
        prop_assert_eq!(read.losses(), &losses[..]);
        let counters = expected[batch.len()..].iter().rev().find_map(TraceEvent::as_edge_counters);
        prop_assert_eq!(read.counters(), counters.as_ref());
        let coverage = expected[batch.len()..].iter().rev().find_map(TraceEvent::as_coverage);
        prop_assert_eq!(read.coverage(), coverage.as_ref());
    }

    /// Whatever a filter asks: rows of every shape, recorded and built by hand, answer as their events do.
    #[test]
    fn a_filter_sees_in_a_row_what_it_sees_in_the_event(
        items in batch_items(12),
        by_hand in prop::collection::vec(event(), 0..12),
    ) {
        let batch = batch_of(&items, &moment());
        let recorded = Sealer::default().seal(&batch, 7, 9).expect("seals");
        let by_hand = seal_events(&by_hand, ProducerId::from_bits(3), 1, 1, None).expect("fits");
        for frame in [recorded, by_hand] {
            let read = read(&frame);
            for row in read.rows() {
                let event = row.to_event().expect("an event");
                for &column in Column::ALL {
                    prop_assert_eq!(row.column(column), event.column(column), "{:?} of {:?}", column, event);
                }
                let known = [
                    "source_actor", "source_port", "destination_actor", "destination_port", "protocol",
                    "compression", "unlinked", "trace_by_id", "trace_cut", "message_id", "no such name",
                ];
                let names = event.data.custom_attributes.keys().map(String::as_str).chain(known);
                for name in names {
                    prop_assert_eq!(row.attribute(name), event.attribute(name), "{:?} of {:?}", name, event);
                    prop_assert_eq!(row.has_attribute(name), event.has_attribute(name), "{:?} of {:?}", name, event);
                }
                prop_assert_eq!(row.event_type(), event.event_type.name());
                prop_assert_eq!(row.message_value(), event.message_id().cloned());
                let destination = row.destination();
                let destination = destination.as_ref().map(|(actor, port)| (&**actor, &**port));
                prop_assert_eq!(destination, event.destination());
                let causality = &event.causality;
                let chain = causality.dependency_chain.last();
                let chain = chain.filter(|_| causality.parent_event_id.is_none());
                let further: HashSet<_> = row.further_causes().collect();
                let named = causality.joined_event_ids.iter().chain(chain).copied();
                prop_assert_eq!(further, named.collect());
            }
        }
    }

    #[test]
    fn a_row_says_what_the_event_says(items in batch_items(12)) {
        let batch = batch_of(&items, &moment());
        let frame = Sealer::default().seal(&batch, 7, 9).expect("seals");
        let read = read(&frame);
        for row in read.rows() {
            let event = row.to_event().expect("an event");
            check_row(&row, &event)?;
        }
    }

    #[test]
    fn events_from_elsewhere_come_out_as_they_went_in(
        events in proptest::collection::vec(prop_oneof![4 => event(), 1 => notice()], 0..12),
        level in 0..2i32,
    ) {
        let producer = ProducerId::from_bits(77);
        let frame = seal_events(&events, producer, 1, 1, Level::new(level).ok()).expect("seals");
        let read = read(&frame);
        prop_assert_eq!(read.producer(), producer);
        let (notices, mut expected): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| event.actor_id == "reflow-trace");
        prop_assert_eq!(read.len(), expected.len());
        expected.extend(notices);
        prop_assert_eq!(read.events().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_batch_over_a_limit_is_divided(items in batch_items(40), events_max in 1..20u32) {
        let batch = batch_of(&items, &moment());
        let limits = BatchLimits { events_max, ..BatchLimits::default() };
        let sealed = Sealer::new(None, limits).seal_split(&batch, 3, 5).expect("seals");
        prop_assert_eq!((sealed.too_large, sealed.corrupt), (0, 0));
        let mut events = Vec::new();
        let mut notices = Vec::new();
        for (number, frame) in sealed.frames.iter().enumerate() {
            prop_assert_eq!(frame.header().number, 5 + number as u64);
            prop_assert!(frame.header().events <= events_max);
            let read = read(frame);
            let mut of_frame: Vec<_> = read.events().collect();
            notices.extend(of_frame.split_off(read.len()));
            events.extend(of_frame);
        }
        events.extend(notices);
        prop_assert_eq!(events, batch.events().collect::<Vec<_>>());
    }
}

fn check_row(row: &EventRow<'_>, event: &TraceEvent) -> Result<(), TestCaseError> {
    let metrics = &event.data.performance_metrics;
    prop_assert_eq!(row.event_id, event.event_id);
    prop_assert_eq!(row.trace_id, event.trace_id);
    prop_assert_eq!(row.parent, event.causality.parent_event_id);
    prop_assert_eq!(row.hops, event.causality.hop_count);
    prop_assert_eq!(row.outcome, event.outcome);
    prop_assert_eq!(row.threshold, event.sampling.threshold);
    prop_assert_eq!(row.duration_ns, metrics.execution_time_ns);
    prop_assert_eq!(row.waiting_ns, metrics.waiting_time_ns);
    prop_assert_eq!(
        row.memory_bytes,
        metrics.memory_usage_bytes.map(|bytes| bytes as u64)
    );
    prop_assert_eq!(
        row.queue_depth,
        metrics.queue_depth.map(|depth| depth as u64)
    );
    prop_assert_eq!(row.cpu_usage_percent, metrics.cpu_usage_percent);
    prop_assert_eq!(row.throughput_msgs_per_sec, metrics.throughput_msgs_per_sec);
    prop_assert_eq!(
        Some(row.start_ns),
        event.timestamp.timestamp_nanos_opt().or(Some(row.start_ns))
    );
    if let Some(id) = row.message_id {
        let of_event = event.message_id().expect("one as well");
        match of_event.as_str() {
            Some(text) => prop_assert_eq!(id.to_string(), text),
            None => prop_assert_eq!(id.to_string(), of_event.to_string()),
        }
    }
    if let Some(message) = &event.data.message
        && row.size_bytes.is_some()
        && row.message_type.is_some()
    {
        prop_assert_eq!(row.size_bytes, Some(message.size_bytes as u64));
    }
    Ok(())
}

#[test]
fn one_event_over_a_limit_is_left_out_and_counted() {
    use super::batches::Item;
    let large = |bytes: usize| {
        Item::ByHand(Box::new(TraceEvent::data_flow_with_content(
            "a",
            "out",
            "b",
            "in",
            "T",
            bytes,
            Some(vec![7; bytes]),
        )))
    };
    let batch = batch_of(&[large(10), large(5_000), large(20)], &moment());
    let limits = BatchLimits {
        frame: FrameLimits {
            plain_bytes_max: 3_000,
            ..FrameLimits::default()
        },
        ..BatchLimits::default()
    };
    let sealed = Sealer::new(None, limits)
        .seal_split(&batch, 1, 1)
        .expect("seals");
    assert_eq!(sealed.too_large, 1);
    let events: u32 = sealed
        .frames
        .iter()
        .map(|frame| frame.header().events)
        .sum();
    assert_eq!(events, 2);
}
