//! The graph for programs.

use serde_json::{Value, json};

use super::model::{ActorNode, DataFlowGraph, FlowEdge, MessageFlow, Percentiles};

impl DataFlowGraph {
    /// The graph as JSON, on one line. Names are whole and as they are: who shows them makes them harmless.
    ///
    /// ```json
    /// {
    ///   "nodes": [{"name": "reader", "failures": 0}],
    ///   "edges": [{
    ///     "from_actor": "reader", "from_port": "out", "to_actor": "writer", "to_port": "in",
    ///     "messages": [{
    ///       "message_type": "Line",
    ///       "count": {"exact": 40}, "failures": {"at_least": 1},
    ///       "execution_time": {"p50_ns": 820, "p99_ns": 4100}, "waiting_time": null
    ///     }]
    ///   }],
    ///   "losses": [{"reason": "ring_full", "count": 3}]
    /// }
    /// ```
    ///
    /// The lists are in the order of [`nodes`](Self::nodes), [`edges`](Self::edges) and [`losses`](Self::losses).
    /// A count is `exact`, `estimated` or `at_least`; see [`Count`](super::Count). A time that no event tells is
    /// `null`. Later versions may add fields.
    pub fn to_json(&self) -> String {
        let all = json!({
            "nodes": self.nodes().iter().map(node).collect::<Value>(),
            "edges": self.edges().iter().map(edge).collect::<Value>(),
            "losses": self.losses(),
        });
        all.to_string()
    }
}

fn node(node: &ActorNode) -> Value {
    json!({"name": node.name, "failures": node.failures})
}

fn edge(edge: &FlowEdge) -> Value {
    json!({
        "from_actor": edge.from_actor,
        "from_port": edge.from_port,
        "to_actor": edge.to_actor,
        "to_port": edge.to_port,
        "messages": edge.messages.iter().map(flow).collect::<Value>(),
    })
}

fn flow(flow: &MessageFlow) -> Value {
    json!({
        "message_type": flow.message_type,
        "count": flow.count,
        "failures": flow.failures,
        "execution_time": flow.execution_time.map(times),
        "waiting_time": flow.waiting_time.map(times),
    })
}

fn times(times: Percentiles) -> Value {
    let ns = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    json!({"p50_ns": ns(times.p50), "p99_ns": ns(times.p99)})
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::model::Count;
    use super::*;
    use crate::ledger::{Loss, LossReason};

    #[test]
    fn the_json_has_the_shape_that_is_documented() {
        let both = |p50, p99| {
            Some(Percentiles {
                p50: Duration::from_nanos(p50),
                p99: Duration::from_nanos(p99),
            })
        };
        let edge = FlowEdge {
            from_actor: "reader".into(),
            from_port: "out".into(),
            to_actor: "</script>\u{202e}\"".into(),
            to_port: "in".into(),
            messages: vec![MessageFlow {
                message_type: "Line".into(),
                count: Count::Exact(40),
                failures: Count::AtLeast(1),
                execution_time: both(820, 4_100),
                waiting_time: None,
            }],
        };
        let loss = Loss {
            reason: LossReason::RingFull,
            count: 3,
        };
        let graph = DataFlowGraph::from_parts(vec![], vec![edge], vec![loss]);
        let read: Value = serde_json::from_str(&graph.to_json()).expect("it is JSON");
        let due = json!({
            "nodes": [
                {"name": "</script>\u{202e}\"", "failures": 0},
                {"name": "reader", "failures": 0},
            ],
            "edges": [{
                "from_actor": "reader", "from_port": "out",
                "to_actor": "</script>\u{202e}\"", "to_port": "in",
                "messages": [{
                    "message_type": "Line",
                    "count": {"exact": 40}, "failures": {"at_least": 1},
                    "execution_time": {"p50_ns": 820, "p99_ns": 4_100}, "waiting_time": null,
                }],
            }],
            "losses": [{"reason": "ring_full", "count": 3}],
        });
        assert_eq!(read, due);
        assert!(!graph.to_json().contains('\n'));
    }
}
