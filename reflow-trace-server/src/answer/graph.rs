//! The network as a picture.

use std::collections::BTreeMap;
use std::time::Duration;

use reflow_trace::DataFlowGraph;
use reflow_trace::api::{ApiError, ErrorCode, GraphAnswer, GraphFormat, GraphQuestion};
use reflow_trace::graph::{ActorNode, FlowEdge, MessageFlow, Percentiles};

use super::Asking;
use super::edges::check_size;
use super::flows::{Flows, gather};
use crate::store::Snapshot;
use crate::store::rollup::{EdgeName, Histogram};

/// Most actors in a picture: finding their places takes time, and nobody can look at more.
const PICTURE_ACTORS_MAX: usize = 2_000;
/// Most arrows in a picture.
const PICTURE_EDGES_MAX: usize = 8_000;

/// The network as a picture.
pub(crate) fn graph(
    view: &dyn Snapshot,
    asked: &GraphQuestion,
    asking: &Asking,
) -> Result<GraphAnswer, ApiError> {
    let gathered = gather(view, asked.time_range, asked.actor.as_deref(), asking)?;
    let graph = graph_of(gathered);
    asking.go_on()?;
    let text = match asked.format {
        GraphFormat::Svg => {
            check_picture(&graph)?;
            graph.to_svg()
        }
        GraphFormat::Dot => graph.to_dot(),
        GraphFormat::Mermaid => graph.to_mermaid(),
        GraphFormat::Json => graph.to_json(),
    };
    check_size(text.len(), graph.edges().len(), asking)?;
    Ok(GraphAnswer {
        format: asked.format,
        text,
        work: asking.work(),
    })
}

/// The graph of what was gathered. What was sent to nobody that is known is no edge.
pub(super) fn graph_of(gathered: Flows) -> DataFlowGraph {
    let mut nodes = gathered.actors;
    let mut edges: BTreeMap<EdgeName, Vec<MessageFlow>> = BTreeMap::new();
    for ((edge, message_type), flow) in gathered.flows {
        if flow.messages.value() == 0 || (edge.to_actor.is_empty() && edge.to_port.is_empty()) {
            // Who has only received something, or sent it nowhere, is an actor nevertheless.
            let ends = [edge.from_actor, edge.to_actor];
            for name in ends.into_iter().filter(|name| !name.is_empty()) {
                nodes.entry(name).or_default();
            }
            continue;
        }
        edges.entry(edge).or_default().push(MessageFlow {
            message_type,
            count: flow.messages,
            failures: flow.failures,
            execution_time: percentiles(&flow.execution),
            waiting_time: percentiles(&flow.waiting),
        });
    }
    let nodes = nodes
        .into_iter()
        .map(|(name, failures)| ActorNode { name, failures });
    let edges = edges.into_iter().map(|(edge, messages)| FlowEdge {
        from_actor: edge.from_actor,
        from_port: edge.from_port,
        to_actor: edge.to_actor,
        to_port: edge.to_port,
        messages,
    });
    DataFlowGraph::from_parts(nodes.collect(), edges.collect(), gathered.losses)
}

fn percentiles(histogram: &Histogram) -> Option<Percentiles> {
    let at = |share| histogram.quantile(share).map(Duration::from_nanos);
    Some(Percentiles {
        p50: at(0.50)?,
        p99: at(0.99)?,
    })
}

fn check_picture(graph: &DataFlowGraph) -> Result<(), ApiError> {
    let (actors, edges) = (graph.nodes().len(), graph.edges().len());
    if actors <= PICTURE_ACTORS_MAX && edges <= PICTURE_EDGES_MAX {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::TooLarge,
        format!(
            "a picture of {actors} actors and {edges} edges is more than the {PICTURE_ACTORS_MAX} and {PICTURE_EDGES_MAX} that are drawn: name an `actor`, ask about a shorter time, or take `dot` or `json`"
        ),
    ))
}
