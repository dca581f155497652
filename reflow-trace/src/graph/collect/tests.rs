use std::time::Duration;

use super::*;
use crate::event::{EventOrigin, ProducerId};
use crate::graph::{Count, MessageFlow, Percentiles};
use crate::ledger::EdgeCounters;
use crate::sampling::{SamplingInfo, Threshold};
use serde_json::json;

const A: ProducerId = ProducerId::from_bits(1);
const B: ProducerId = ProducerId::from_bits(2);

/// Delivered from `from.out` to `to.in`; every second, fourth, … message is kept.
fn sampled(from: &str, to: &str, one_in: u64) -> TraceEvent {
    let mut event = TraceEvent::data_flow(from, "out", to, "in", "T", 8);
    let threshold = Threshold::from_bits((1 << 56) - (1 << 56) / one_in);
    event.sampling = SamplingInfo::by(threshold);
    event
}

fn by_producer(mut event: TraceEvent, producer: ProducerId, sequence: u64) -> TraceEvent {
    event.event_id = EventId::from_origin(EventOrigin {
        producer,
        ring: 0,
        sequence,
    });
    event
}

fn failed(outcome: Outcome) -> TraceEvent {
    let mut event = TraceEvent::message_sent("a", "out", "T", 8);
    event.outcome = Some(outcome);
    event.sampling = SamplingInfo::by(Threshold::from_bits(0));
    let attributes = &mut event.data.custom_attributes;
    attributes.insert("destination_actor".into(), json!("b"));
    attributes.insert("destination_port".into(), json!("in"));
    event
}

fn counters(producer: ProducerId, messages: u64, failures: u64) -> TraceEvent {
    TraceEvent::edge_counters(&CounterSnapshot {
        producer,
        edges: vec![EdgeCounters {
            from_actor: "a".into(),
            from_port: "out".into(),
            to_actor: "b".into(),
            to_port: "in".into(),
            message_type: "T".into(),
            messages,
            failures,
            ..EdgeCounters::default()
        }],
    })
}

/// The only message type over the only edge.
fn only_flow(events: &[TraceEvent]) -> MessageFlow {
    let graph = DataFlowGraph::from_events(events);
    let [edge] = graph.edges() else {
        panic!("one edge in {graph:?}");
    };
    let [flow] = &edge.messages[..] else {
        panic!("one type in {edge:?}");
    };
    flow.clone()
}

fn count(events: &[TraceEvent]) -> Count {
    only_flow(events).count
}

#[test]
fn the_chain_of_five_actors_is_four_edges() {
    let chain = ["reader", "validator", "transformer", "aggregator", "writer"];
    let events: Vec<_> = chain
        .windows(2)
        .map(|pair| sampled(pair[0], pair[1], 1))
        .collect();
    let graph = DataFlowGraph::from_events(&events);
    assert_eq!(graph.nodes().len(), 5);
    assert_eq!(graph.edges().len(), 4);
    assert!(
        graph
            .edges()
            .iter()
            .all(|edge| edge.count() == Count::Exact(1))
    );
}

#[test]
fn no_events_make_an_empty_graph() {
    assert_eq!(DataFlowGraph::from_events(&[]), DataFlowGraph::default());
}

#[test]
fn unsampled_events_are_counted_exactly() {
    assert_eq!(
        count(&[sampled("a", "b", 1), sampled("a", "b", 1)]),
        Count::Exact(2)
    );
}

#[test]
fn samples_are_weighted() {
    assert_eq!(
        count(&[sampled("a", "b", 4), sampled("a", "b", 1)]),
        Count::Estimated(5)
    );
}

#[test]
fn an_event_of_unknown_weight_makes_a_lower_bound() {
    let by_hand = TraceEvent::data_flow("a", "out", "b", "in", "T", 8);
    assert_eq!(count(&[by_hand, sampled("a", "b", 4)]), Count::AtLeast(2));
}

#[test]
fn losses_make_a_sum_of_events_a_lower_bound() {
    let loss = TraceEvent::loss(Loss {
        reason: LossReason::RingFull,
        count: 37,
    });
    assert_eq!(
        count(&[sampled("a", "b", 1), loss.clone()]),
        Count::AtLeast(1)
    );
    assert_eq!(count(&[counters(A, 5, 0), loss.clone()]), Count::Exact(5));
    let second = TraceEvent::loss(Loss {
        reason: LossReason::RingFull,
        count: 3,
    });
    let graph = DataFlowGraph::from_events(&[loss, second]);
    assert_eq!(graph.losses()[0].count, 40);
    assert!(graph.nodes().is_empty(), "the tracing is no actor");
}

#[test]
fn counters_win_over_events() {
    let event = by_producer(sampled("a", "b", 4), A, 1);
    let flow = only_flow(&[event, counters(A, 100, 7)]);
    assert_eq!(
        (flow.count, flow.failures),
        (Count::Exact(100), Count::Exact(7))
    );
}

#[test]
fn the_last_snapshot_of_a_producer_holds_and_producers_add_up() {
    let events = [
        counters(A, 30, 2),
        counters(A, 10, 1),
        counters(B, 5, 0),
        counters(A, 20, 2),
    ];
    let flow = only_flow(&events);
    assert_eq!(
        (flow.count, flow.failures),
        (Count::Exact(35), Count::Exact(2))
    );
}

#[test]
fn an_edge_without_samples_is_drawn() {
    let graph = DataFlowGraph::from_events(&[counters(A, 3, 0)]);
    assert_eq!(graph.edges().len(), 1);
    assert_eq!(graph.nodes().len(), 2);
    assert_eq!(graph.edges()[0].messages[0].execution_time, None);
}

#[test]
fn a_producer_without_counters_adds_its_events() {
    let other = by_producer(sampled("a", "b", 4), B, 1);
    assert_eq!(count(&[counters(A, 10, 0), other]), Count::Estimated(14));
}

#[test]
fn events_of_unknown_origin_are_covered_by_counters() {
    assert_eq!(
        count(&[counters(A, 10, 0), sampled("a", "b", 1)]),
        Count::Exact(10)
    );
}

#[test]
fn more_events_than_counted_make_a_lower_bound() {
    let events: Vec<_> = (1..=3)
        .map(|sequence| by_producer(sampled("a", "b", 1), A, sequence))
        .chain([counters(A, 2, 0)])
        .collect();
    assert_eq!(count(&events), Count::AtLeast(3));
}

#[test]
fn more_events_than_were_recorded_make_a_lower_bound_too() {
    let half_sampled = TraceEvent::edge_counters(&CounterSnapshot {
        producer: A,
        edges: vec![EdgeCounters {
            from_actor: "a".into(),
            from_port: "out".into(),
            to_actor: "b".into(),
            to_port: "in".into(),
            message_type: "T".into(),
            messages: 4,
            not_sampled: 2,
            ..EdgeCounters::default()
        }],
    });
    let events = |count: u64| -> Vec<_> {
        let flows = (1..=count).map(|sequence| by_producer(sampled("a", "b", 2), A, sequence));
        flows.chain([half_sampled.clone()]).collect()
    };
    assert_eq!(count(&events(2)), Count::Exact(4));
    assert_eq!(
        count(&events(3)),
        Count::AtLeast(4),
        "one is newer than the counters"
    );
}

#[test]
fn what_was_not_delivered_is_an_attempt_and_a_failure() {
    let flow = only_flow(&[
        sampled("a", "b", 1),
        failed(Outcome::Failed),
        failed(Outcome::Cancelled),
        failed(Outcome::Panicked),
    ]);
    assert_eq!(
        (flow.count, flow.failures),
        (Count::Exact(4), Count::Exact(3))
    );
}

#[test]
fn a_send_that_succeeded_is_not_counted_beside_its_data_flow() {
    let mut sent = failed(Outcome::Delivered);
    assert_eq!(
        count(&[sampled("a", "b", 1), sent.clone()]),
        Count::Exact(1)
    );
    sent.outcome = None;
    assert_eq!(count(&[sampled("a", "b", 1), sent]), Count::Exact(1));
}

#[test]
fn a_repeated_event_is_one_event() {
    let event = sampled("a", "b", 1);
    assert_eq!(count(&[event.clone(), event]), Count::Exact(1));
}

#[test]
fn actors_without_edges_are_nodes() {
    let graph = DataFlowGraph::from_events(&[
        TraceEvent::actor_created("created"),
        TraceEvent::message_received("received", "in", "T", 1),
        TraceEvent::actor_failed("failed", "out of memory"),
        TraceEvent::actor_failed("failed", "again"),
        TraceEvent::network_event("a network is no actor"),
    ]);
    let nodes: Vec<_> = graph
        .nodes()
        .iter()
        .map(|node| (node.name.as_str(), node.failures))
        .collect();
    assert_eq!(nodes, [("created", 0), ("failed", 2), ("received", 0)]);
}

#[test]
fn times_come_from_the_send_and_from_its_reception() {
    let mut sent = sampled("a", "b", 1);
    sent.data.performance_metrics.execution_time_ns = Some(820);
    let mut received = TraceEvent::message_received("b", "in", "T", 8);
    received.data.performance_metrics.waiting_time_ns = Some(5_000);
    received.causality.parent_event_id = Some(sent.event_id);
    let mut of_another = received.clone();
    of_another.event_id = EventId::new();
    of_another.causality.parent_event_id = Some(EventId::new());

    let flow = only_flow(&[received, of_another, sent]);
    let both = |ns| {
        Some(Percentiles {
            p50: Duration::from_nanos(ns),
            p99: Duration::from_nanos(ns),
        })
    };
    assert_eq!(flow.execution_time, both(820));
    assert_eq!(flow.waiting_time, both(5_000));
}

#[test]
fn the_order_of_events_changes_nothing() {
    let mut events = vec![
        sampled("a", "b", 4),
        sampled("b", "c", 1),
        sampled("c", "a", 2),
        failed(Outcome::Failed),
        counters(A, 9, 0),
        counters(A, 12, 0),
        TraceEvent::actor_created("z"),
    ];
    let picture = DataFlowGraph::from_events(&events).to_svg();
    for _ in 0..events.len() {
        events.rotate_left(1);
        assert_eq!(DataFlowGraph::from_events(&events).to_svg(), picture);
    }
    events.reverse();
    assert_eq!(DataFlowGraph::from_events(&events).to_svg(), picture);
}
