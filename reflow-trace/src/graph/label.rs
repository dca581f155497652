//! What is written in a box, at an arrow and at the foot of a picture: the same in every format.

use super::model::{ActorNode, Count, DataFlowGraph, FlowEdge, MessageFlow};
use super::{numbers, text};

/// The widest name of an actor, in columns.
const ACTOR_COLUMNS: usize = 28;
/// The widest name of a message type, in columns.
const TYPE_COLUMNS: usize = 30;
/// The widest name of a port, in columns.
const PORT_COLUMNS: usize = 16;
/// Message types shown at an arrow; the rarer ones are summed up.
const TYPES_MAX: usize = 5;

/// What a piece of a line says, and so how it should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Actor,
    Type,
    Count,
    Failure,
    Detail,
}

/// Pieces of text that stand side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line(pub(super) Vec<(Role, String)>);

impl Line {
    /// The pieces with blanks between them.
    pub(super) fn plain(&self) -> String {
        let pieces: Vec<&str> = self.0.iter().map(|(_, text)| text.as_str()).collect();
        pieces.join("  ")
    }
}

/// The name of an actor and, if so, how often it failed.
pub(super) fn of_node(node: &ActorNode) -> Vec<Line> {
    let name = text::actor(&node.name, ACTOR_COLUMNS);
    let mut lines = vec![Line(vec![(Role::Actor, name)])];
    match node.failures {
        0 => {}
        1 => lines.push(Line(vec![(Role::Failure, "✕ actor failed".to_owned())])),
        n => lines.push(Line(vec![(
            Role::Failure,
            format!("✕ actor failed {} times", numbers::grouped(n)),
        )])),
    }
    lines
}

/// Ports, then for each message type its counts and its times.
pub(super) fn of_edge(edge: &FlowEdge) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(ports) = text::ports(&edge.from_port, &edge.to_port, PORT_COLUMNS) {
        lines.push(Line(vec![(Role::Detail, ports)]));
    }
    // One type too many gets the line that would say so.
    let shown = match edge.messages.len() {
        count if count <= TYPES_MAX + 1 => count,
        _ => TYPES_MAX,
    };
    for flow in &edge.messages[..shown] {
        lines.push(counts(flow));
        lines.extend(times(flow));
    }
    let hidden = &edge.messages[shown..];
    if !hidden.is_empty() {
        let count: Count = hidden.iter().map(|flow| flow.count).sum();
        let failures = hidden.iter().map(|flow| flow.failures).sum();
        let mut pieces = vec![
            (Role::Detail, format!("{} more types", hidden.len())),
            (Role::Count, count.to_string()),
        ];
        pieces.extend(failed(failures));
        lines.push(Line(pieces));
    }
    lines
}

fn counts(flow: &MessageFlow) -> Line {
    let mut pieces = vec![
        (
            Role::Type,
            text::message_type(&flow.message_type, TYPE_COLUMNS),
        ),
        (Role::Count, flow.count.to_string()),
    ];
    pieces.extend(failed(flow.failures));
    Line(pieces)
}

fn failed(failures: Count) -> Option<(Role, String)> {
    (failures.value() > 0).then(|| (Role::Failure, format!("✕ {failures} failed")))
}

fn times(flow: &MessageFlow) -> Option<Line> {
    let mut parts = Vec::new();
    if let Some(times) = flow.execution_time {
        let (p50, p99) = (numbers::duration(times.p50), numbers::duration(times.p99));
        parts.push(format!("p50 {p50} · p99 {p99}"));
    }
    if let Some(waits) = flow.waiting_time {
        parts.push(format!("waited {}", numbers::duration(waits.p50)));
    }
    (!parts.is_empty()).then(|| Line(vec![(Role::Detail, parts.join(" · "))]))
}

/// `3 actors · 2 edges · 84 messages`, or that there is nothing.
pub(super) fn summary(graph: &DataFlowGraph) -> Line {
    if graph.nodes().is_empty() {
        return Line(vec![(Role::Detail, "no data flow recorded".to_owned())]);
    }
    let count: Count = graph.edges().iter().map(FlowEdge::count).sum();
    let failures = graph.edges().iter().map(FlowEdge::failures).sum();
    let some = |n: usize, one: &str| {
        let digits = numbers::grouped(n as u64);
        format!("{digits} {one}{}", if n == 1 { "" } else { "s" })
    };
    let plural = if count == Count::Exact(1) { "" } else { "s" };
    let text = format!(
        "{} · {} · {count} message{plural}",
        some(graph.nodes().len(), "actor"),
        some(graph.edges().len(), "edge"),
    );
    let mut pieces = vec![(Role::Detail, text)];
    pieces.extend(failed(failures));
    Line(pieces)
}

/// What the signs mean that occur in the graph.
pub(super) fn legend(graph: &DataFlowGraph) -> Option<String> {
    let flows = || graph.edges().iter().flat_map(|edge| &edge.messages);
    let any =
        |test: fn(&Count) -> bool| flows().any(|flow| test(&flow.count) || test(&flow.failures));
    let mut parts = Vec::new();
    if flows().any(|flow| flow.execution_time.is_some()) {
        parts.push("p50, p99: duration of the send");
    }
    if flows().any(|flow| flow.waiting_time.is_some()) {
        parts.push("waited: median time until taken up");
    }
    if any(|count| matches!(count, Count::Estimated(_))) {
        parts.push("≈ estimated from samples");
    }
    if any(|count| matches!(count, Count::AtLeast(_))) {
        parts.push("≥ at least so many");
    }
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// `37 events lost: ring_full`, with more reasons after commas.
pub(super) fn losses(graph: &DataFlowGraph) -> Option<String> {
    let lost: Vec<_> = graph.losses().iter().filter(|it| it.count > 0).collect();
    let total = lost
        .iter()
        .fold(0u64, |sum, it| sum.saturating_add(it.count));
    let plural = if total == 1 { "" } else { "s" };
    let reasons: Vec<String> = match &lost[..] {
        [] => return None,
        [only] => vec![only.reason.to_string()],
        several => several
            .iter()
            .map(|it| format!("{} {}", it.reason, numbers::grouped(it.count)))
            .collect(),
    };
    let total = numbers::grouped(total);
    Some(format!(
        "{total} event{plural} lost: {}",
        reasons.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::model::Percentiles;
    use super::*;
    use crate::ledger::{Loss, LossReason};

    fn plain(lines: Vec<Line>) -> Vec<String> {
        lines.iter().map(Line::plain).collect()
    }

    fn flow(message_type: &str, count: u64) -> MessageFlow {
        MessageFlow {
            message_type: message_type.into(),
            count: Count::Exact(count),
            ..MessageFlow::default()
        }
    }

    #[test]
    fn an_edge_says_ports_types_counts_failures_and_times() {
        let times = |p50, p99| {
            Some(Percentiles {
                p50: Duration::from_nanos(p50),
                p99: Duration::from_nanos(p99),
            })
        };
        let edge = FlowEdge {
            from_port: "out".into(),
            to_port: "in".into(),
            messages: vec![MessageFlow {
                failures: Count::Exact(3),
                execution_time: times(820, 1_500_000),
                waiting_time: times(2_000, 3_000),
                ..flow("Reading", 12_345)
            }],
            ..FlowEdge::default()
        };
        assert_eq!(
            plain(of_edge(&edge)),
            [
                "out → in",
                "Reading  12\u{a0}345  ✕ 3 failed",
                "p50 820 ns · p99 1.5 ms · waited 2 µs"
            ]
        );
    }

    #[test]
    fn rare_types_are_summed_up() {
        let mut edge = FlowEdge {
            messages: (0..6).map(|n| flow(&format!("T{n}"), 1)).collect(),
            ..FlowEdge::default()
        };
        assert_eq!(
            plain(of_edge(&edge)).last().map(String::as_str),
            Some("T5  1")
        );
        edge.messages.push(flow("T6", 4));
        let lines = plain(of_edge(&edge));
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[5], "2 more types  5");
    }

    #[test]
    fn losses_are_named_by_reason() {
        let ring_full = Loss {
            reason: LossReason::RingFull,
            count: 37,
        };
        let too_large = Loss {
            reason: LossReason::TooLarge,
            count: 1,
        };
        let text = |losses| losses_of(losses);
        assert_eq!(text(vec![]), None);
        assert_eq!(
            text(vec![ring_full]).as_deref(),
            Some("37 events lost: ring_full")
        );
        assert_eq!(
            text(vec![ring_full, too_large]).as_deref(),
            Some("38 events lost: ring_full 37, too_large 1")
        );
    }

    fn losses_of(losses: Vec<Loss>) -> Option<String> {
        super::losses(&DataFlowGraph::from_parts(vec![], vec![], losses))
    }

    #[test]
    fn the_legend_explains_only_what_occurs() {
        let edge = FlowEdge {
            messages: vec![flow("T", 1)],
            ..FlowEdge::default()
        };
        let mut graph = DataFlowGraph::from_parts(vec![], vec![edge.clone()], vec![]);
        assert_eq!(legend(&graph), None);
        let mut edge = edge;
        edge.messages[0].count = Count::AtLeast(1);
        graph = DataFlowGraph::from_parts(vec![], vec![edge], vec![]);
        assert_eq!(legend(&graph).as_deref(), Some("≥ at least so many"));
    }
}
