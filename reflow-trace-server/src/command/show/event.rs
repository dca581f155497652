//! Events as rows of a table, and as single lines while they happen.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use reflow_trace::query::filter::{Column as Field, Row as _, Value};
use reflow_trace::terminal::{columns, duration, harmless, shortened};
use reflow_trace::{Outcome, TraceEvent, TraceEventType};

use super::amount::bytes;
use super::fit::{Fit, Head};

/// What is shown of an event.
struct Cells {
    time: DateTime<Utc>,
    what: String,
    from: String,
    to: String,
    message_type: String,
    id: String,
    size: String,
    took: String,
    waited: String,
    queue: String,
    error: String,
}

impl Cells {
    fn of(event: &TraceEvent) -> Self {
        let text = |field| match event.column(field) {
            Some(Value::Text(text)) => text.into_owned(),
            _ => String::new(),
        };
        let time = |ns: Option<u64>| ns.map_or_else(String::new, nanoseconds);
        let metrics = &event.data.performance_metrics;
        let mut from = end(&text(Field::SourceActor), &text(Field::SourcePort));
        let to = end(
            &text(Field::DestinationActor),
            &text(Field::DestinationPort),
        );
        if from.is_empty() && to.is_empty() {
            from = end(&event.actor_id, &text(Field::Port));
        }
        Self {
            time: event.timestamp,
            what: what(event),
            from,
            to,
            message_type: text(Field::MessageType),
            id: text(Field::MessageId),
            size: event
                .data
                .message
                .as_ref()
                .map_or_else(String::new, |message| {
                    let about = if message.size_is_shallow { "≥ " } else { "" };
                    format!("{about}{}", bytes(message.size_bytes as u64))
                }),
            took: time(metrics.execution_time_ns),
            waited: time(metrics.waiting_time_ns),
            queue: metrics
                .queue_depth
                .map_or_else(String::new, |depth| depth.to_string()),
            error: text(Field::Error),
        }
    }

    /// What stands in the columns behind the time.
    fn beside(&self) -> [&str; 10] {
        [
            &self.what,
            &self.from,
            &self.to,
            &self.message_type,
            &self.id,
            &self.size,
            &self.took,
            &self.waited,
            &self.queue,
            &self.error,
        ]
    }
}

/// A table with a row for each event. The day stands in the head where it is the same for all.
pub(in crate::command) fn events(events: &[TraceEvent]) -> Fit {
    let rows: Vec<Cells> = events.iter().map(Cells::of).collect();
    let day = the_day(&rows);
    let time = match day {
        Some(day) => Head::number(day.to_string()),
        None => Head::number("time (UTC)"),
    };
    let mut fit = Fit::new([
        time,
        Head::text("what"),
        Head::text("from"),
        Head::text("to"),
        Head::text("type").goes(4),
        Head::text("id"),
        Head::number("size").goes(2),
        Head::number("took"),
        Head::number("waited").goes(5),
        Head::number("queue").goes(1),
        Head::text("error").goes(3),
    ]);
    for row in &rows {
        let time = match day {
            Some(_) => clock(row.time),
            None => row.time.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        };
        let beside = row.beside().map(str::to_owned);
        fit.push(std::iter::once(time).chain(beside).collect());
    }
    fit
}

/// An event as one line of at most `width` columns.
pub(in crate::command) fn line(event: &TraceEvent, width: Option<usize>) -> String {
    let cells = Cells::of(event);
    let mut parts = vec![format!("{}  {}", clock(cells.time), cells.what)];
    let harmless = |text: &str| match text.is_empty() {
        true => String::new(),
        false => harmless(text),
    };
    let ends = match (cells.from.is_empty(), cells.to.is_empty()) {
        (false, false) => format!("{} → {}", harmless(&cells.from), harmless(&cells.to)),
        (true, false) => harmless(&cells.to),
        _ => harmless(&cells.from),
    };
    parts.push(ends);
    parts.extend([&cells.message_type, &cells.id].map(|part| harmless(part)));
    parts.push(cells.size);
    parts.push(cells.took);
    for (what, part) in [("waited", cells.waited), ("queue", cells.queue)] {
        if !part.is_empty() {
            parts.push(format!("{what} {part}"));
        }
    }
    parts.push(harmless(&cells.error));
    parts.retain(|part| !part.is_empty());
    let line = parts.join("  ");
    match width {
        Some(width) if columns(&line) > width => shortened(&line, width),
        _ => line,
    }
}

fn the_day(rows: &[Cells]) -> Option<NaiveDate> {
    let mut days = rows.iter().map(|row| row.time.date_naive());
    let first = days.next()?;
    days.all(|day| day == first).then_some(first)
}

fn clock(time: DateTime<Utc>) -> String {
    time.format("%H:%M:%S%.3f").to_string()
}

fn nanoseconds(ns: u64) -> String {
    duration(Duration::from_nanos(ns))
}

/// An actor and its port.
fn end(actor: &str, port: &str) -> String {
    match (actor.is_empty(), port.is_empty()) {
        (_, true) => actor.to_owned(),
        (true, false) => format!("?.{port}"),
        (false, false) => format!("{actor}.{port}"),
    }
}

/// What happened, in a word or two.
fn what(event: &TraceEvent) -> String {
    let happened = match &event.event_type {
        TraceEventType::DataFlow { .. } => "flow",
        TraceEventType::MessageSent => "sent",
        TraceEventType::MessageReceived => "received",
        TraceEventType::ActorCreated => "created",
        TraceEventType::ActorStarted => "started",
        TraceEventType::ActorCompleted => "completed",
        TraceEventType::ActorFailed => "actor failed",
        TraceEventType::StateChanged => "state changed",
        TraceEventType::PortConnected => "connected",
        TraceEventType::PortDisconnected => "disconnected",
        TraceEventType::NetworkEvent => "network",
    };
    match (happened, event.outcome) {
        (_, None | Some(Outcome::Delivered)) => happened.to_owned(),
        ("sent", Some(outcome)) => outcome.name().replace('_', " "),
        (_, Some(outcome)) => format!("{happened}, {}", outcome.name().replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> TraceEvent {
        let mut event = TraceEvent::data_flow("reader", "out", "store", "in", "Reading", 256);
        event.timestamp = "2026-01-31T12:00:00.000250Z".parse().expect("a time");
        event.data.performance_metrics.execution_time_ns = Some(1_500);
        event
    }

    #[test]
    fn columns_without_anything_in_them_are_left_out() {
        assert_eq!(
            events(&[flow()]).within(None).0,
            "  2026-01-31  what  from        to        type      size    took\n\
             12:00:00.000  flow  reader.out  store.in  Reading  256 B  1.5 µs\n"
        );
        assert_eq!(events(&[]).within(None).0, "\n");
    }

    #[test]
    fn the_day_stands_beside_each_time_where_it_is_not_the_same() {
        let mut later = flow();
        later.timestamp += chrono::TimeDelta::days(1);
        let (table, _) = events(&[flow(), later]).within(None);
        assert!(table.contains("2026-02-01 12:00:00.000"), "{table}");
    }

    #[test]
    fn a_line_fits_and_can_not_control_the_terminal() {
        let mut hostile = flow();
        hostile.actor_id = "\u{1b}[2J\u{202e}".to_owned() + &"x".repeat(500);
        hostile.data.error = Some("a\nb".to_owned());
        for width in [Some(40), Some(80), None] {
            let line = line(&hostile, width);
            assert!(!line.contains(['\u{1b}', '\n', '\u{202e}']), "{line:?}");
            assert!(width.is_none_or(|width| columns(&line) <= width), "{line}");
        }
    }

    #[test]
    fn what_became_of_a_send_is_what_is_said_of_it() {
        let mut sent = TraceEvent::message_sent("a", "out", "T", 1);
        assert_eq!(what(&sent), "sent");
        sent.outcome = Some(Outcome::TimedOut);
        assert_eq!(what(&sent), "timed out");
        let mut received = TraceEvent::message_received("a", "in", "T", 1);
        received.outcome = Some(Outcome::Panicked);
        assert_eq!(what(&received), "received, panicked");
    }
}
