//! Diagrams for Markdown, as Mermaid draws them.

use super::label::{self, Line};
use super::model::DataFlowGraph;

impl DataFlowGraph {
    /// The graph as a Mermaid flowchart.
    ///
    /// Names are shown as in the picture. Mermaid itself refuses to draw more than 500 edges or
    /// 50 000 characters unless it is configured to.
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (number, node) in self.nodes().iter().enumerate() {
            text += &format!("  n{number}(\"{}\")\n", joined(&label::of_node(node)));
        }
        let mut failed = Vec::new();
        for (number, edge) in self.edges().iter().enumerate() {
            let index = |name: &str| self.node_index(name).unwrap_or_default();
            text += &format!(
                "  n{} -->|\"{}\"| n{}\n",
                index(&edge.from_actor),
                joined(&label::of_edge(edge)),
                index(&edge.to_actor),
            );
            if edge.failures().value() > 0 {
                failed.push(number.to_string());
            }
        }
        if !failed.is_empty() {
            text += &format!("  linkStyle {} stroke:#d0525a\n", failed.join(","));
        }
        for (number, node) in self.nodes().iter().enumerate() {
            if node.failures > 0 {
                text += &format!("  style n{number} stroke:#c62f39\n");
            }
        }
        let (summary, losses) = (label::summary(self).plain(), label::losses(self));
        match (self.nodes().is_empty(), losses) {
            // A flowchart without a node is an error to some readers.
            (true, losses) => {
                let lines = [Some(summary), losses].into_iter().flatten();
                let lines: Vec<_> = lines.map(|line| encoded(&line)).collect();
                text += &format!("  empty[\"{}\"]\n", lines.join("<br/>"));
            }
            (false, Some(losses)) => text += &format!("  losses[\"{}\"]\n", encoded(&losses)),
            (false, None) => {}
        }
        text
    }
}

fn joined(lines: &[Line]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| encoded(&line.plain())).collect();
    lines.join("<br/>")
}

/// For the inside of a quoted label.
///
/// Mermaid takes HTML, entities and Markdown in labels, and a number with a dot for a list. Letters,
/// digits and what is not ASCII stand for themselves; other signs are written as `#` code `;`, but for
/// a few that are harmless after a letter.
fn encoded(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut could_be_list = true;
    for c in text.chars() {
        let harmless = match c {
            '(' | ' ' => true,
            '.' | '-' | ',' | ')' | ':' | '/' | '_' => !could_be_list,
            _ => c.is_ascii_alphanumeric() || !c.is_ascii(),
        };
        if harmless {
            safe.push(c);
        } else {
            safe += &format!("#{};", c as u32);
        }
        could_be_list &= c.is_ascii_digit() || c == ' ';
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::tests::{counted, small_graph};
    use super::*;

    #[test]
    fn a_small_graph_reads_well() {
        let expected = "\
flowchart LR
  n0(\"reader\")
  n1(\"validator\")
  n0 -->|\"out → in<br/>SensorReading  42  ✕ 3 failed<br/>p50 820 ns · p99 1.5 ms\"| n1
  n1 -->|\"retry → in<br/>SensorReading  3\"| n1
  linkStyle 0 stroke:#d0525a
";
        assert_eq!(small_graph().to_mermaid(), expected);
    }

    #[test]
    fn names_cannot_leave_their_quotes() {
        let graph = counted(&[("end", "a\"]\n--> b", 1), ("", "#quot;<b>", 1)]);
        let text = graph.to_mermaid();
        assert!(text.contains("(\"(no name)\")"), "{text}");
        assert!(text.contains("(\"end\")"), "{text}");
        assert!(text.contains("(\"a#34;#93;␊--#62; b\")"), "{text}");
        assert!(text.contains("(\"#35;quot#59;#60;b#62;\")"), "{text}");
    }

    #[test]
    fn a_name_that_looks_like_markdown_is_no_list() {
        assert_eq!(encoded("1. first"), "1#46; first");
        assert_eq!(encoded("12) twelfth, _or so_"), "12#41; twelfth, _or so_");
        assert_eq!(encoded("- item"), "#45; item");
        assert_eq!(
            encoded("**bold** `code`"),
            "#42;#42;bold#42;#42; #96;code#96;"
        );
    }

    #[test]
    fn no_events_give_a_box_that_says_so() {
        let text = DataFlowGraph::default().to_mermaid();
        assert_eq!(text, "flowchart LR\n  empty[\"no data flow recorded\"]\n");
    }
}
