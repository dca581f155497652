//! The edges as lines of text, for the terminal.

use super::model::{DataFlowGraph, FlowEdge, MessageFlow};
use super::{label, numbers, text};

/// The widest name in the table, in columns.
const NAME_COLUMNS: usize = 36;
const HEAD: [&str; 7] = ["from", "", "to", "type", "count", "failed", "p50"];
const LAST_HEAD: &str = "p99";
/// The columns from here on are numbers, which stand at the right.
const FIRST_NUMBER: usize = 4;

type Row = [String; 8];

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
        let mut rows: Vec<Row> = vec![head()];
        for edge in self.edges() {
            rows.extend(edge.messages.iter().map(|flow| row(edge, flow)));
        }
        let mut table = String::new();
        if rows.len() > 1 {
            let widths: [usize; 8] = std::array::from_fn(|column| {
                let cells = rows.iter().map(|row| text::columns(&row[column]));
                cells.max().unwrap_or(0)
            });
            for row in &rows {
                table += aligned(row, widths).trim_end();
                table.push('\n');
            }
        }
        let losses = label::losses(self);
        for line in [Some(label::summary(self).plain()), losses]
            .into_iter()
            .flatten()
        {
            table += &line;
            table.push('\n');
        }
        table
    }
}

fn head() -> Row {
    let mut head = HEAD.iter().chain([&LAST_HEAD]);
    std::array::from_fn(|_| head.next().map_or_else(String::new, |it| (*it).to_owned()))
}

fn row(edge: &FlowEdge, flow: &MessageFlow) -> Row {
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

fn aligned(row: &Row, widths: [usize; 8]) -> String {
    let mut line = String::new();
    for (column, cell) in row.iter().enumerate() {
        // Counted in columns, not in characters as `format!` would.
        let blanks = " ".repeat(widths[column] - text::columns(cell));
        line += &if column < FIRST_NUMBER {
            format!("{cell}{blanks}  ")
        } else {
            format!("{blanks}{cell}  ")
        };
    }
    line
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
    fn without_edges_there_is_only_the_sum() {
        assert_eq!(
            DataFlowGraph::default().edge_table(),
            "no data flow recorded\n"
        );
    }
}
