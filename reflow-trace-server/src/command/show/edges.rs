//! What flowed over each edge, as a table.

use std::time::Duration;

use reflow_trace::api::{EdgeSums, LossSum, Times};
use reflow_trace::graph::Count;
use reflow_trace::terminal::{Column, Table, count, duration};

/// A row for each edge and message type; counts say how much they can be trusted.
pub(in crate::command) fn edges(edges: &[EdgeSums]) -> Table {
    let has_waits = edges.iter().any(|edge| edge.waiting.is_some());
    let texts = ["from", "to", "type"].map(Column::text);
    let mut numbers = vec!["messages", "failed", "stored", "p50", "p99"];
    if has_waits {
        numbers.push("waited p99");
    }
    let numbers = numbers.into_iter().map(Column::number);
    let mut table = Table::new(texts.into_iter().chain(numbers));
    for edge in edges {
        let mut row = vec![
            format!("{}.{}", edge.from_actor, edge.from_port),
            format!("{}.{}", edge.to_actor, edge.to_port),
            edge.message_type.clone(),
            edge.messages.to_string(),
            none_for_zero(edge.failures),
            count(edge.events),
            time(edge.execution.as_ref(), |times| times.p50_ns),
            time(edge.execution.as_ref(), |times| times.p99_ns),
        ];
        if has_waits {
            row.push(time(edge.waiting.as_ref(), |times| times.p99_ns));
        }
        table.push(row);
    }
    table
}

/// A row for each reason.
pub(in crate::command) fn losses(losses: &[LossSum]) -> Table {
    let mut table = Table::new([Column::text("lost because"), Column::number("events")]);
    for loss in losses {
        table.push([loss.reason.name().replace('_', " "), count(loss.count)]);
    }
    table
}

fn none_for_zero(number: Count) -> String {
    match number.value() {
        0 => "–".to_owned(),
        _ => number.to_string(),
    }
}

fn time(times: Option<&Times>, of: impl Fn(&Times) -> u64) -> String {
    times.map_or_else(
        || "–".to_owned(),
        |times| duration(Duration::from_nanos(of(times))),
    )
}
