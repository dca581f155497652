//! `reflow-trace stats`: how the server is doing, who sends, what was lost, what flows over which edge.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Arg, ArgMatches, Command};
use reflow_trace::api::{
    EdgesAnswer, MetricsQuestion, ProducerSummary, ServerMetrics, SpanQuestion,
};
use reflow_trace::terminal::{Column, Table, count, duration};
use serde_json::json;

use super::asker::{self, Asker};
use super::failure::Failure;
use super::screen::{Screen, Tone};
use super::{choice, json_flag, show, times};
use crate::config::parse_time;

const EXAMPLES: &str = "\
Examples:
  reflow-trace stats                                    the server and all of time
  reflow-trace stats --last 1h --actor reader           the edges of one actor in the last hour
  reflow-trace stats --watch                            again every 2 s, until Ctrl-C
  reflow-trace stats --json | jq '.edges.edges[0]'      for programs

Counts of all of time are exact where producers have counted; those of a stretch of time are estimated from the
samples, `≈`, and `≥` stands before what is known to be too low. A stretch is widened to whole minutes.

--json prints one object a time: `metrics` and `edges`.

Exit codes: 0 answered, 2 wrong flags, 4 no store, 6 no server, 7 refused.";

pub(super) fn command() -> Command {
    Command::new("stats")
        .about("Shows how the server is doing, who sends, and what flows over each edge")
        .after_help(EXAMPLES)
        .arg(choice::actor().help("Only edges that begin or end at this actor"))
        .args(times::flags())
        .arg(
            Arg::new("watch")
                .long("watch")
                .value_name("TIME")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("2s")
                .help("Again and again, with so much time between: --watch=10s"),
        )
        .arg(json_flag("One JSON object"))
        .args(asker::flags())
}

pub(super) async fn run(matches: &ArgMatches, screen: &mut Screen) -> Result<(), Failure> {
    let pause = match matches.get_one::<String>("watch") {
        Some(text) => Some(parse_time(text).map_err(|reason| {
            Failure::Usage(format!("`--watch={text}` is not understood: {reason}"))
        })?),
        None => None,
    };
    let asker = Asker::open(matches).await?;
    loop {
        let asked = SpanQuestion {
            // `--last 1h` is another hour each time.
            time_range: times::span(matches)?,
            actor: matches.get_one::<String>("actor").cloned(),
        };
        let metrics = asker.metrics(MetricsQuestion::default()).await?;
        let edges = asker.edges(asked).await?;
        if matches.get_flag("json") {
            screen.json(&json!({ "metrics": metrics, "edges": edges }))?;
        } else {
            if pause.is_some() {
                screen.clear()?;
            }
            print(screen, &metrics, &edges)?;
        }
        screen.flush()?;
        let Some(pause) = pause else { return Ok(()) };
        tokio::time::sleep(pause.max(Duration::from_millis(100))).await;
    }
}

fn print(screen: &mut Screen, metrics: &ServerMetrics, edges: &EdgesAnswer) -> Result<(), Failure> {
    screen.wrapped("", &summary(metrics), 2)?;
    if !metrics.producers.is_empty() {
        screen.line("")?;
        screen.table(&producers(&metrics.producers, Utc::now()))?;
    }
    screen.line("")?;
    if edges.edges.is_empty() {
        screen.line("nothing has flowed")?;
    } else {
        screen.fit(&show::edges(&edges.edges))?;
    }
    if let Some((start, end)) = edges.time_range {
        let stretch = format!("from {} to {}", show::moment(start), show::moment(end));
        screen.line(&screen.paint(Tone::Faint, &stretch))?;
    }
    if !edges.losses.is_empty() {
        screen.line("")?;
        let table = show::losses(&edges.losses);
        screen.table(&table)?;
    }
    Ok(())
}

fn summary(metrics: &ServerMetrics) -> String {
    let mut said = vec![
        show::counted(metrics.events, "event"),
        format!(
            "{} on disk in {}",
            show::bytes(metrics.disk_bytes),
            show::counted(metrics.segments, "segment")
        ),
    ];
    if metrics.events_per_second > 0.0 {
        said.push(format!("{:.0} events/s", metrics.events_per_second));
    }
    if metrics.avg_latency_ms > 0.0 {
        said.push(format!("stored after {:.1} ms", metrics.avg_latency_ms));
    }
    if metrics.memory_usage_mb > 0.0 {
        said.push(format!("{:.0} MB of memory", metrics.memory_usage_mb));
    }
    if metrics.subscriptions > 0 {
        said.push(show::counted(metrics.subscriptions, "subscription"));
    }
    said.join(" · ")
}

/// Who has sent something, the one heard of last first.
pub(super) fn producers(producers: &[ProducerSummary], now: DateTime<Utc>) -> Table {
    let mut sorted: Vec<&ProducerSummary> = producers.iter().collect();
    sorted.sort_by_key(|producer| std::cmp::Reverse((producer.last_seen, producer.producer)));
    let numbers = ["last seen", "events", "messages", "lost"].map(Column::number);
    let columns = std::iter::once(Column::text("producer").at_least(13)).chain(numbers);
    let mut table = Table::new(columns);
    for producer in sorted {
        let lost: u64 = producer.losses.iter().map(|loss| loss.count).sum();
        table.push([
            format!("{:013x}", producer.producer.bits()),
            producer
                .last_seen
                .map_or_else(|| "–".to_owned(), |seen| ago(seen, now)),
            count(producer.events),
            producer.messages.map_or_else(|| "–".to_owned(), count),
            match lost {
                0 => "–".to_owned(),
                lost => count(lost),
            },
        ]);
    }
    table
}

/// How long ago, in one or two units.
pub(super) fn ago(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    match (now - time).to_std() {
        Ok(past) if past < Duration::from_secs(1) => "now".to_owned(),
        Ok(past) if past < Duration::from_secs(86_400) => {
            format!("{} ago", duration(Duration::from_secs(past.as_secs())))
        }
        Ok(past) => format!("{} days ago", past.as_secs() / 86_400),
        Err(_) => "in the future".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_by_how_long_ago_it_was() {
        let now = Utc::now();
        let seconds = chrono::TimeDelta::seconds;
        for (past, text) in [
            (0, "now"),
            (5, "5 s ago"),
            (125, "2 min 5 s ago"),
            (3 * 86_400, "3 days ago"),
            (-60, "in the future"),
        ] {
            assert_eq!(ago(now - seconds(past), now), text);
        }
    }
}
