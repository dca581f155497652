//! A graph from what a server has added up.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{EdgeSums, EdgesAnswer, LossSum, Times};
use crate::graph::{DataFlowGraph, FlowEdge, MessageFlow, Percentiles};
use crate::ledger::Loss;

/// Every edge of the answer, with its exact or estimated counts. How often an actor has failed is in no edge,
/// and not known here.
///
/// ```
/// use reflow_trace::DataFlowGraph;
/// use reflow_trace::api::EdgesAnswer;
///
/// let answer: EdgesAnswer = serde_json::from_str(
///     r#"{"edges": [], "losses": [{"reason": "ring_full", "count": 3}], "time_range": null}"#,
/// )?;
/// assert_eq!(DataFlowGraph::from(&answer).losses()[0].count, 3);
/// # Ok::<(), serde_json::Error>(())
/// ```
impl From<&EdgesAnswer> for DataFlowGraph {
    fn from(answer: &EdgesAnswer) -> Self {
        let mut by_ends: BTreeMap<[&str; 4], Vec<MessageFlow>> = BTreeMap::new();
        for sums in &answer.edges {
            let ends = [
                &*sums.from_actor,
                &*sums.from_port,
                &*sums.to_actor,
                &*sums.to_port,
            ];
            by_ends.entry(ends).or_default().push(flow(sums));
        }
        let edges = by_ends.into_iter().map(|(ends, messages)| {
            let [from_actor, from_port, to_actor, to_port] = ends.map(str::to_owned);
            FlowEdge {
                from_actor,
                from_port,
                to_actor,
                to_port,
                messages,
            }
        });
        let losses = answer
            .losses
            .iter()
            .map(|&LossSum { reason, count }| Loss { reason, count });
        Self::from_parts(Vec::new(), edges.collect(), losses.collect())
    }
}

fn flow(sums: &EdgeSums) -> MessageFlow {
    let percentiles = |times: Option<Times>| {
        times.map(|times| Percentiles {
            p50: Duration::from_nanos(times.p50_ns),
            p99: Duration::from_nanos(times.p99_ns),
        })
    };
    MessageFlow {
        message_type: sums.message_type.clone(),
        count: sums.messages,
        failures: sums.failures,
        execution_time: percentiles(sums.execution),
        waiting_time: percentiles(sums.waiting),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Count;

    #[test]
    fn the_types_of_one_edge_are_on_one_edge() {
        let sums = |to_actor: &str, message_type: &str, messages| EdgeSums {
            from_actor: "a".to_owned(),
            from_port: "out".to_owned(),
            to_actor: to_actor.to_owned(),
            to_port: "in".to_owned(),
            message_type: message_type.to_owned(),
            messages: Count::Exact(messages),
            execution: Some(Times {
                p50_ns: 5,
                p99_ns: 9,
                ..Times::default()
            }),
            ..EdgeSums::default()
        };
        let answer = EdgesAnswer {
            edges: vec![
                sums("b", "Rare", 1),
                sums("c", "T", 7),
                sums("b", "Often", 100),
            ],
            ..EdgesAnswer::default()
        };
        let graph = DataFlowGraph::from(&answer);
        assert_eq!(graph.nodes().len(), 3);
        let [to_b, to_c] = graph.edges() else {
            panic!("{graph:?}");
        };
        let types = to_b.messages.iter().map(|flow| flow.message_type.as_str());
        assert_eq!(types.collect::<Vec<_>>(), ["Often", "Rare"]);
        assert_eq!(to_b.count(), Count::Exact(101));
        let times = to_c.messages[0].execution_time.expect("it was said");
        assert_eq!((times.p50.as_nanos(), times.p99.as_nanos()), (5, 9));
    }
}
