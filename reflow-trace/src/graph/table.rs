//! The edges as lines of text, for the terminal.

use super::model::{DataFlowGraph, FlowEdge, MessageFlow};
use super::{label, numbers, text};
use crate::terminal::{Column, Table};

/// The widest name in the table, in columns.
const NAME_COLUMNS: usize = 36;
const TEXTS: [&str; 4] = ["from", "", "to", "type"];
const NUMBERS: [&str; 4] = ["count", "failed", "p50", "p99"];

impl DataFlowGraph {
    /// A table of edges and message types with counts, failures and times.
    ///
    /// Safe to print: control characters and the like in names are replaced by symbols, long names
    /// are shortened, and nothing is coloured. The last line sums up; losses have a line of their own.
    ///
    /// ```
    /// use reflow_trace::{DataFlowGraph, TraceEvent};
    ///
    /// let event = TraceEvent::data_flow("reader", "out", "writer", "in", "Line", 80);
    /// let table = DataFlowGraph::from_events([&event]).edge_table();
    /// assert_eq!(
    ///     table,
    ///     "from           to         type  count  failed  p50  p99\n\
    ///      reader.out  →  writer.in  Line    ≥ 1       –    –    –\n\
    ///      2 actors · 1 edge · ≥ 1 messages\n"
    /// );
    /// ```
    pub fn edge_table(&self) -> String {
        self.with_sums(|table| table.to_string())
    }

    /// The same in lines of at most `columns` columns: names are shortened further, and where that is
    /// not enough each row becomes a block of lines. The sums stay whole.
    pub fn edge_table_within(&self, columns: usize) -> String {
        self.with_sums(|table| table.within(columns))
    }

    fn with_sums(&self, shown: impl FnOnce(&Table) -> String) -> String {
        let texts = TEXTS.map(Column::text);
        let numbers = NUMBERS.map(Column::number);
        let mut table = Table::new(texts.into_iter().chain(numbers));
        for edge in self.edges() {
            for flow in &edge.messages {
                table.push(row(edge, flow));
            }
        }
        let mut text = String::new();
        if !table.is_empty() {
            text += &shown(&table);
        }
        let losses = label::losses(self);
        for line in [Some(label::summary(self).plain()), losses]
            .into_iter()
            .flatten()
        {
            text += &line;
            text.push('\n');
        }
        text
    }
}

fn row(edge: &FlowEdge, flow: &MessageFlow) -> [String; 8] {
    let unknown = || "–".to_owned();
    let times = flow.execution_time;
    [
        end(&edge.from_actor, &edge.from_port),
        "→".to_owned(),
        end(&edge.to_actor, &edge.to_port),
        text::message_type(&flow.message_type, NAME_COLUMNS),
        flow.count.to_string(),
        match flow.failures.value() {
            0 => unknown(),
            _ => flow.failures.to_string(),
        },
        times.map_or_else(unknown, |times| numbers::duration(times.p50)),
        times.map_or_else(unknown, |times| numbers::duration(times.p99)),
    ]
}

fn end(actor: &str, port: &str) -> String {
    let actor = text::actor(actor, NAME_COLUMNS);
    match port {
        "" => actor,
        _ => format!("{actor}.{}", text::shortened(port, NAME_COLUMNS / 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{counted, small_graph};
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let expected = "\
from                to            type           count  failed     p50     p99
reader.out       →  validator.in  SensorReading     42       3  820 ns  1.5 ms
validator.retry  →  validator.in  SensorReading      3       –       –       –
2 actors · 2 edges · 45 messages  ✕ 3 failed
";
        assert_eq!(small_graph().edge_table(), expected);
    }

    #[test]
    fn wide_characters_keep_the_columns() {
        let table = counted(&[("漢字", "b", 1), ("abcd", "e\u{301}", 22)]).edge_table();
        let widths: Vec<_> = table.lines().take(3).map(text::columns).collect();
        assert_eq!(widths[1], widths[2], "{table}");
    }

    #[test]
    fn names_cannot_control_the_terminal() {
        let table = counted(&[("\u{1b}]0;title\u{7}", "a\rb\u{9b}2J", 1)]).edge_table();
        let harmless = |c: char| !c.is_control() || c == '\n';
        assert!(table.chars().all(harmless), "{table:?}");
        assert_eq!(table.lines().count(), 3);
    }

    #[test]
    fn a_narrow_terminal_gets_a_narrow_table() {
        let table = small_graph().edge_table_within(66);
        assert!(
            table.lines().take(3).all(|line| text::columns(line) <= 66),
            "{table}"
        );
        assert_eq!(
            table.lines().last(),
            small_graph().edge_table().lines().last()
        );
    }

    #[test]
    fn without_edges_there_is_only_the_sum() {
        assert_eq!(
            DataFlowGraph::default().edge_table(),
            "no data flow recorded\n"
        );
    }
}
