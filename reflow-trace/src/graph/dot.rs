//! Input for Graphviz.

use super::label::{self, Line, Role};
use super::model::{DataFlowGraph, FlowEdge};
use super::text;

impl DataFlowGraph {
    /// The graph in the DOT language.
    ///
    /// Names are shown as in the picture; the tooltips have more of them. Nodes are called `n0`, `n1`,
    /// … in the order of [`nodes`](Self::nodes).
    pub fn to_dot(&self) -> String {
        let mut dot = String::from(
            "digraph data_flow {\n  rankdir=LR;\n  \
             node [shape=box, style=\"rounded,filled\", fillcolor=\"#eaf2fd\", color=\"#4a7dbd\", fontname=\"sans-serif\"];\n  \
             edge [color=\"#8496aa\", fontname=\"sans-serif\", fontsize=10];\n",
        );
        for (number, node) in self.nodes().iter().enumerate() {
            let color = if node.failures > 0 {
                ", color=\"#c62f39\""
            } else {
                ""
            };
            dot += &format!(
                "  n{number} [label=\"{}\", tooltip=\"{}\"{color}];\n",
                centred(&label::of_node(node)),
                quoted(&text::tooltip(&node.name)),
            );
        }
        for edge in self.edges() {
            let index = |name: &str| self.node_index(name).unwrap_or_default();
            let color = match edge.failures().value() {
                0 => "",
                _ => ", color=\"#d0525a\"",
            };
            dot += &format!(
                "  n{} -> n{} [label=\"{}\", tooltip=\"{}\"{color}];\n",
                index(&edge.from_actor),
                index(&edge.to_actor),
                left_aligned(&label::of_edge(edge)),
                quoted(&ends(edge)),
            );
        }
        dot += &format!(
            "  label=\"{}\";\n  labelloc=b;\n}}\n",
            left_aligned(&foot(self))
        );
        dot
    }
}

fn foot(graph: &DataFlowGraph) -> Vec<Line> {
    let rest = [label::losses(graph), label::legend(graph)];
    let rest = rest.into_iter().flatten();
    let rest = rest.map(|text| Line(vec![(Role::Detail, text)]));
    std::iter::once(label::summary(graph)).chain(rest).collect()
}

fn ends(edge: &FlowEdge) -> String {
    format!(
        "{} → {}",
        text::tooltip(&edge.from_actor),
        text::tooltip(&edge.to_actor)
    )
}

fn centred(lines: &[Line]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| quoted(&line.plain())).collect();
    lines.join("\\n")
}

/// `\l` ends a line and moves it to the left.
fn left_aligned(lines: &[Line]) -> String {
    let line = |line: &Line| quoted(&line.plain()) + "\\l";
    lines.iter().map(line).collect()
}

/// For the inside of a quoted string.
///
/// Besides quotes and the backslash of its escapes (`\N` is the node's name), Graphviz reads HTML
/// entities in labels.
fn quoted(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => safe.push_str("\\\""),
            '\\' => safe.push_str("\\\\"),
            '&' => safe.push_str("&amp;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::tests::{counted, small_graph};

    #[test]
    fn a_small_graph_reads_well() {
        let expected = r##"digraph data_flow {
  rankdir=LR;
  node [shape=box, style="rounded,filled", fillcolor="#eaf2fd", color="#4a7dbd", fontname="sans-serif"];
  edge [color="#8496aa", fontname="sans-serif", fontsize=10];
  n0 [label="reader", tooltip="reader"];
  n1 [label="validator", tooltip="validator"];
  n0 -> n1 [label="out → in\lSensorReading  42  ✕ 3 failed\lp50 820 ns · p99 1.5 ms\l", tooltip="reader → validator", color="#d0525a"];
  n1 -> n1 [label="retry → in\lSensorReading  3\l", tooltip="validator → validator"];
  label="2 actors · 2 edges · 45 messages  ✕ 3 failed\lp50, p99: duration of the send\l";
  labelloc=b;
}
"##;
        assert_eq!(small_graph().to_dot(), expected);
    }

    #[test]
    fn names_cannot_leave_their_quotes() {
        let graph = counted(&[("a\"];\nx", "b\\", 1), ("&lt;\\N", "", 1)]);
        let dot = graph.to_dot();
        assert!(dot.contains(r#"[label="a\"];␊x", "#), "{dot}");
        assert!(dot.contains(r#"[label="b\\", "#), "{dot}");
        assert!(dot.contains(r#"[label="&amp;lt;\\N", "#), "{dot}");
        assert!(
            dot.contains(r#"[label="(no name)", tooltip="(no name)"]"#),
            "{dot}"
        );
    }
}
