//! What flowed over each edge, as a table.

use std::time::Duration;

use reflow_trace::api::{EdgeSums, LossSum, Times};
use reflow_trace::graph::Count;
use reflow_trace::terminal::{Column, Table, count, duration};

use super::fit::{Fit, Head};

/// A row for each edge and message type; counts say how much they can be trusted.
pub(in crate::command) fn edges(edges: &[EdgeSums]) -> Fit {
    let mut fit = Fit::new([
        Head::text("from"),
        Head::text("to"),
        Head::text("type").goes(5),
        Head::number("messages"),
        Head::number("failed"),
        Head::number("received").goes(3),
        Head::number("dropped").goes(4),
        Head::number("stored").goes(1),
        Head::number("p50").goes(2),
        Head::number("p99"),
        Head::number("waited p99"),
    ]);
    for edge in edges {
        fit.push(vec![
            end(&edge.from_actor, &edge.from_port),
            end(&edge.to_actor, &edge.to_port),
            edge.message_type.clone(),
            // Who took something up without saying from whom has counted no sends.
            match edge.from_actor.is_empty() {
                true => unless_none(edge.messages),
                false => edge.messages.to_string(),
            },
            unless_none(edge.failures),
            unless_none(edge.received),
            unless_none(edge.dropped),
            count(edge.events),
            time(edge.execution.as_ref(), |times| times.p50_ns),
            time(edge.execution.as_ref(), |times| times.p99_ns),
            time(edge.waiting.as_ref(), |times| times.p99_ns),
        ]);
    }
    fit
}

/// An actor and its port; nothing where the events name neither.
fn end(actor: &str, port: &str) -> String {
    match (actor, port) {
        (actor, "") => actor.to_owned(),
        (actor, port) => format!("{actor}.{port}"),
    }
}

/// A row for each reason.
pub(in crate::command) fn losses(losses: &[LossSum]) -> Table {
    let mut table = Table::new([Column::text("lost because"), Column::number("events")]);
    for loss in losses {
        table.push([loss.reason.name().replace('_', " "), count(loss.count)]);
    }
    table
}

fn unless_none(number: Count) -> String {
    match number.value() {
        0 => String::new(),
        _ => number.to_string(),
    }
}

fn time(times: Option<&Times>, of: impl Fn(&Times) -> u64) -> String {
    times.map_or_else(String::new, |times| {
        duration(Duration::from_nanos(of(times)))
    })
}
