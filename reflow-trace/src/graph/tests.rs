//! Graphs for the tests of all formats.

use std::time::Duration;

use super::model::{Count, DataFlowGraph, FlowEdge, MessageFlow, Percentiles};

/// An edge `from` → `to` with `count` messages of type `T` and unnamed ports for each entry.
pub(super) fn counted(edges: &[(&str, &str, u64)]) -> DataFlowGraph {
    let edge = |&(from, to, count): &(&str, &str, u64)| FlowEdge {
        from_actor: from.into(),
        to_actor: to.into(),
        messages: vec![MessageFlow {
            message_type: "T".into(),
            count: Count::Exact(count),
            ..MessageFlow::default()
        }],
        ..FlowEdge::default()
    };
    DataFlowGraph::from_parts(Vec::new(), edges.iter().map(edge).collect(), Vec::new())
}

/// Two actors, one edge with failures and times, and a loop.
pub(super) fn small_graph() -> DataFlowGraph {
    let readings = MessageFlow {
        message_type: "SensorReading".into(),
        count: Count::Exact(42),
        failures: Count::Exact(3),
        execution_time: Some(Percentiles {
            p50: Duration::from_nanos(820),
            p99: Duration::from_micros(1_500),
        }),
        waiting_time: None,
    };
    let retries = MessageFlow {
        message_type: "SensorReading".into(),
        count: Count::Exact(3),
        ..MessageFlow::default()
    };
    let edge = |from: &str, from_port: &str, to: &str, flow| FlowEdge {
        from_actor: from.into(),
        from_port: from_port.into(),
        to_actor: to.into(),
        to_port: "in".into(),
        messages: vec![flow],
    };
    let edges = vec![
        edge("reader", "out", "validator", readings),
        edge("validator", "retry", "validator", retries),
    ];
    DataFlowGraph::from_parts(Vec::new(), edges, Vec::new())
}
