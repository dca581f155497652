//! What a graph says: actors, edges, and per message type how many, how slow, how often failed.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ledger::Loss;

/// An actor that sent, received or reported something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActorNode {
    /// The actor's name, whole.
    pub name: String,
    /// How many times the actor ended by an error.
    pub failures: u64,
}

/// Everything that flowed from one port of an actor to one port of another, or of the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowEdge {
    /// The sending actor.
    pub from_actor: String,
    /// Its port.
    pub from_port: String,
    /// The receiving actor.
    pub to_actor: String,
    /// Its port.
    pub to_port: String,
    /// One entry per message type, the most frequent first, then by name.
    pub messages: Vec<MessageFlow>,
}

impl FlowEdge {
    /// All attempts over this edge, whatever the type.
    pub fn count(&self) -> Count {
        self.messages.iter().map(|flow| flow.count).sum()
    }

    /// All attempts over this edge that failed, were cancelled or panicked.
    pub fn failures(&self) -> Count {
        self.messages.iter().map(|flow| flow.failures).sum()
    }

    fn ends(&self) -> [&str; 4] {
        [
            &self.from_actor,
            &self.from_port,
            &self.to_actor,
            &self.to_port,
        ]
    }
}

/// The messages of one type over one edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageFlow {
    /// Name of the message type or variant; empty when the events name none.
    pub message_type: String,
    /// Attempts to send, whatever became of them.
    pub count: Count,
    /// Attempts that failed, were cancelled or panicked.
    pub failures: Count,
    /// How long the sends took, failed ones included; `None` when no recorded event says.
    pub execution_time: Option<Percentiles>,
    /// How long messages waited to be taken up; `None` when no recorded event says.
    pub waiting_time: Option<Percentiles>,
}

/// The median and the slow end of a set of durations.
///
/// Both are durations that were really seen: the nearest-rank definition, no interpolation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// Half of them took at most this long.
    pub p50: Duration,
    /// 99 of 100 took at most this long.
    pub p99: Duration,
}

/// A number of messages, with how much it can be trusted.
///
/// Its text is `42`, `≈ 42` or `≥ 42`; from five digits on they are grouped by threes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Neither more nor fewer.
    Exact(u64),
    /// Estimated from samples, each of which stands for a known number of messages.
    Estimated(u64),
    /// At least so many: some events do not say how many they stand for, or are missing.
    AtLeast(u64),
}

impl Count {
    /// The number itself.
    pub const fn value(self) -> u64 {
        match self {
            Self::Exact(n) | Self::Estimated(n) | Self::AtLeast(n) => n,
        }
    }
}

impl Default for Count {
    fn default() -> Self {
        Self::Exact(0)
    }
}

/// A sum can be trusted as much as its weakest part; zero of anything adds no doubt.
impl std::ops::Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        if other.value() == 0 {
            return self;
        }
        if self.value() == 0 {
            return other;
        }
        let sum = self.value().saturating_add(other.value());
        match (self, other) {
            (Self::AtLeast(_), _) | (_, Self::AtLeast(_)) => Self::AtLeast(sum),
            (Self::Estimated(_), _) | (_, Self::Estimated(_)) => Self::Estimated(sum),
            (Self::Exact(_), Self::Exact(_)) => Self::Exact(sum),
        }
    }
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), std::ops::Add::add)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = super::numbers::grouped(self.value());
        match self {
            Self::Exact(_) => f.pad(&digits),
            Self::Estimated(_) => f.pad(&format!("≈ {digits}")),
            Self::AtLeast(_) => f.pad(&format!("≥ {digits}")),
        }
    }
}

/// Who sends what to whom, drawn from events.
///
/// Pictures ([`to_svg`](Self::to_svg)), diagrams for documents ([`to_mermaid`](Self::to_mermaid)),
/// input for Graphviz ([`to_dot`](Self::to_dot)) and a table for the terminal
/// ([`edge_table`](Self::edge_table)) are made from it. The same events give the same graph and the
/// same picture, in whatever order they come.
///
/// # Examples
///
/// ```
/// use reflow_trace::{DataFlowGraph, TraceEvent};
///
/// let events = [
///     TraceEvent::data_flow("reader", "out", "validator", "in", "SensorReading", 256),
///     TraceEvent::data_flow("validator", "valid", "writer", "in", "SensorReading", 256),
/// ];
/// let graph = DataFlowGraph::from_events(&events);
/// assert_eq!(graph.nodes().len(), 3);
/// assert_eq!(graph.edges()[0].to_actor, "validator");
///
/// let folder = std::env::temp_dir();
/// graph.render_to_file(folder.join("data_flow_diagram.svg"))?;
/// # std::fs::remove_file(folder.join("data_flow_diagram.svg")).ok();
/// # Ok::<(), reflow_trace::graph::RenderError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataFlowGraph {
    nodes: Vec<ActorNode>,
    edges: Vec<FlowEdge>,
    losses: Vec<Loss>,
}

impl DataFlowGraph {
    /// A graph from numbers that were gathered elsewhere, such as a store's roll-ups.
    ///
    /// Edges with the same ends are not merged. Ends that `nodes` lacks are added to it, and every
    /// list is sorted.
    pub fn from_parts(
        mut nodes: Vec<ActorNode>,
        mut edges: Vec<FlowEdge>,
        mut losses: Vec<Loss>,
    ) -> Self {
        let ends = edges
            .iter()
            .flat_map(|edge| [&edge.from_actor, &edge.to_actor]);
        nodes.extend(ends.map(|name| ActorNode {
            name: name.clone(),
            failures: 0,
        }));
        nodes.sort_by(|a, b| a.name.cmp(&b.name).then(b.failures.cmp(&a.failures)));
        nodes.dedup_by(|a, b| a.name == b.name);

        for edge in &mut edges {
            edge.messages.sort_by(|a, b| {
                let by_count = b.count.value().cmp(&a.count.value());
                by_count.then_with(|| a.message_type.cmp(&b.message_type))
            });
        }
        edges.sort_by(|a, b| a.ends().cmp(&b.ends()));
        losses.sort_by_key(|loss| loss.reason);
        Self {
            nodes,
            edges,
            losses,
        }
    }

    /// The actors, by name.
    pub fn nodes(&self) -> &[ActorNode] {
        &self.nodes
    }

    /// The edges, by sending actor and port, then by receiving actor and port.
    pub fn edges(&self) -> &[FlowEdge] {
        &self.edges
    }

    /// What was attempted and is in none of the numbers that stem from events, by reason.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// The position of an actor among [`nodes`](Self::nodes).
    pub(crate) fn node_index(&self, name: &str) -> Option<usize> {
        self.nodes
            .binary_search_by(|node| node.name.as_str().cmp(name))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_as_trustworthy_as_its_weakest_part() {
        let exact = Count::Exact(2);
        assert_eq!(exact + Count::Exact(3), Count::Exact(5));
        assert_eq!(exact + Count::Estimated(3), Count::Estimated(5));
        assert_eq!(Count::Estimated(3) + Count::AtLeast(1), Count::AtLeast(4));
        assert_eq!(exact + Count::AtLeast(0), exact);
        assert_eq!(
            Count::Exact(u64::MAX) + exact,
            Count::Exact(u64::MAX),
            "a sum never wraps"
        );
    }

    #[test]
    fn a_count_shows_how_it_was_come_by() {
        assert_eq!(Count::Exact(42).to_string(), "42");
        assert_eq!(Count::Estimated(42).to_string(), "≈ 42");
        assert_eq!(Count::AtLeast(42).to_string(), "≥ 42");
    }

    #[test]
    fn the_ends_of_an_edge_are_nodes_without_being_listed() {
        let edge = FlowEdge {
            from_actor: "a".into(),
            to_actor: "b".into(),
            ..FlowEdge::default()
        };
        let failed = ActorNode {
            name: "b".into(),
            failures: 2,
        };
        let graph = DataFlowGraph::from_parts(vec![failed.clone()], vec![edge], vec![]);
        assert_eq!(graph.nodes().len(), 2);
        assert_eq!(graph.nodes()[1], failed);
        assert_eq!(graph.node_index("b"), Some(1));
    }
}
