//! The server's own metrics, in Prometheus' text form.
//!
//! [`TABLE`] names every metric with its kind and meaning; [`Reading::render`] walks it, and a test holds
//! `docs/SERVER.md` against it. Counters begin at 0 with the process; the store's own figures are those of
//! [`StoreStats`].

use std::fmt::Write as _;

use super::instruments::{Counter, Durations, Gauge, Words};
use super::recent::Recent;
use crate::clock::wall_clock_ns;
use crate::store::StoreStats;

/// A metric as it is described to people.
#[derive(Debug)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The name of its label, or empty.
    pub label: &'static str,
    /// What it counts.
    pub help: &'static str,
    read: fn(&Reading<'_>) -> Read,
}

/// Everything the server counts.
#[derive(Debug)]
pub struct Metrics {
    /// Open connections of every kind.
    pub connections: Gauge,
    /// Connections refused, by reason.
    pub connections_refused: Words,
    /// Answers, by status.
    pub http_responses: Words,
    /// Requests refused before they did anything, by reason.
    pub http_refusals: Words,
    /// Connections that send batches.
    pub sessions: Gauge,
    /// Sessions that have ended, by reason.
    pub session_ends: Words,
    /// Bytes of batch frames received.
    pub received_bytes: Counter,
    /// The same, unpacked.
    pub received_plain_bytes: Counter,
    /// Batches received and readable.
    pub received_batches: Counter,
    /// Their events.
    pub received_events: Counter,
    /// Refusals sent, by code.
    pub refusals: Words,
    /// Events in batches that were refused for good, by code.
    pub refused_events: Words,
    /// Batches that had to wait for memory.
    pub memory_waits: Counter,
    /// From the arrival of a batch until its answer is handed to the connection.
    pub ack_seconds: Durations,
    /// Batches that wait for the committer or are with it.
    pub queue_batches: Gauge,
    /// Their bytes as received.
    pub queue_bytes: Gauge,
    /// Groups committed.
    pub groups: Counter,
    /// Batches stored.
    pub stored_batches: Counter,
    /// Events stored.
    pub stored_events: Counter,
    /// Batches that were stored before.
    pub duplicates: Counter,
    /// Groups that could not be committed, by kind of failure.
    pub commit_failures: Words,
    /// What a commit took.
    pub commit_seconds: Durations,
    /// Batches committed in the last second, with their events, and from their arrival until then.
    pub recent: Recent,
    /// Events that clients say they have lost, by reason.
    pub client_losses: Words,
    /// Open subscriptions.
    pub subscriptions: Gauge,
    /// Questions asked, by name.
    pub questions: Words,
    /// Questions that are answered or wait.
    pub questions_open: Gauge,
    /// What became of questions: `answered`, `cancelled`, or the code of the error.
    pub answers: Words,
    /// What they took, waiting included.
    pub answer_seconds: Durations,
    /// Events, edges, rows and so on in answers.
    pub answer_rows: Counter,
    /// Connections that ask over a WebSocket.
    pub askers: Gauge,
    /// Those that have ended, by reason.
    pub asker_ends: Words,
    /// Bytes of large answers that were not taken yet.
    pub unread_bytes: Gauge,
    /// Events given to subscribers.
    pub live_events: Counter,
    /// Times that a subscriber was told that it has missed something.
    pub live_gaps: Counter,
    /// Batches of which subscribers may have missed something.
    pub live_missed_batches: Counter,
    /// Requests of Reflow's protocol, by kind.
    pub reflow_requests: Words,
    /// Events of Reflow's clients that were stored.
    pub reflow_events: Counter,
    /// Errors that Reflow's clients were told, by code.
    pub reflow_errors: Words,
    /// Failures of the store's maintenance, by kind.
    pub maintenance_failures: Words,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            connections: Gauge::default(),
            connections_refused: Words::default(),
            http_responses: Words::default(),
            http_refusals: Words::default(),
            sessions: Gauge::default(),
            session_ends: Words::default(),
            received_bytes: Counter::default(),
            received_plain_bytes: Counter::default(),
            received_batches: Counter::default(),
            received_events: Counter::default(),
            refusals: Words::default(),
            refused_events: Words::default(),
            memory_waits: Counter::default(),
            ack_seconds: Durations::new(BOUNDS_US),
            queue_batches: Gauge::default(),
            queue_bytes: Gauge::default(),
            groups: Counter::default(),
            stored_batches: Counter::default(),
            stored_events: Counter::default(),
            duplicates: Counter::default(),
            commit_failures: Words::default(),
            commit_seconds: Durations::new(BOUNDS_US),
            recent: Recent::default(),
            client_losses: Words::default(),
            subscriptions: Gauge::default(),
            questions: Words::default(),
            questions_open: Gauge::default(),
            answers: Words::default(),
            answer_seconds: Durations::new(BOUNDS_US),
            answer_rows: Counter::default(),
            askers: Gauge::default(),
            asker_ends: Words::default(),
            unread_bytes: Gauge::default(),
            live_events: Counter::default(),
            live_gaps: Counter::default(),
            live_missed_batches: Counter::default(),
            reflow_requests: Words::default(),
            reflow_events: Counter::default(),
            reflow_errors: Words::default(),
            maintenance_failures: Words::default(),
        }
    }
}

/// A sync of a disk takes 0.1 to 20 ms; beyond a second something is wrong.
const BOUNDS_US: &[u64] = &[
    250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000,
    1_000_000, 4_000_000, 16_000_000,
];

/// What stands beside the counters when the page is made.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The counters.
    pub metrics: &'a Metrics,
    /// The store's figures.
    pub store: &'a StoreStats,
    /// Whether the server is ready.
    pub is_ready: bool,
    /// Memory for batches under way, used and allowed.
    pub memory: (u64, u64),
}

enum Read {
    One(f64),
    ByLabel(Vec<(String, u64)>),
    Durations(Vec<(f64, u64)>, f64, u64),
}

macro_rules! metrics {
    ($($kind:ident $name:literal $([$label:literal])?, $help:literal, |$reading:ident| $read:expr;)*) => {
        &[$(Described {
            name: $name,
            kind: stringify!($kind),
            label: concat!($($label)?),
            help: $help,
            read: |$reading| $read,
        }),*]
    };
}

/// Every metric, in the order of the page.
pub static TABLE: &[Described] = metrics! {
    gauge "reflow_trace_build_info" ["version"], "1, with the version of the server.",
        |_reading| Read::ByLabel(vec![(env!("CARGO_PKG_VERSION").to_owned(), 1)]);
    gauge "reflow_trace_ready", "1 when batches are accepted and committed, else 0.",
        |reading| Read::One(f64::from(u8::from(reading.is_ready)));
    gauge "reflow_trace_resident_memory_bytes", "Memory of the process, where the system tells; else 0.",
        |_reading| Read::One(resident_bytes() as f64);
    gauge "reflow_trace_connections", "Open connections of every kind.",
        |reading| Read::One(reading.metrics.connections.get() as f64);
    counter "reflow_trace_connections_refused_total" ["reason"], "Connections closed before a request.",
        |reading| Read::ByLabel(reading.metrics.connections_refused.get());
    counter "reflow_trace_http_responses_total" ["status"], "Answers to HTTP requests.",
        |reading| Read::ByLabel(reading.metrics.http_responses.get());
    counter "reflow_trace_http_refusals_total" ["reason"], "HTTP requests refused before they did anything.",
        |reading| Read::ByLabel(reading.metrics.http_refusals.get());
    gauge "reflow_trace_sessions", "Connections that send batches.",
        |reading| Read::One(reading.metrics.sessions.get() as f64);
    counter "reflow_trace_session_ends_total" ["reason"], "Sessions that have ended.",
        |reading| Read::ByLabel(reading.metrics.session_ends.get());
    counter "reflow_trace_received_bytes_total", "Bytes of batches received, as they travelled.",
        |reading| Read::One(reading.metrics.received_bytes.get() as f64);
    counter "reflow_trace_received_plain_bytes_total", "The same, unpacked.",
        |reading| Read::One(reading.metrics.received_plain_bytes.get() as f64);
    counter "reflow_trace_received_batches_total", "Batches received and readable, duplicates included.",
        |reading| Read::One(reading.metrics.received_batches.get() as f64);
    counter "reflow_trace_received_events_total", "Their events.",
        |reading| Read::One(reading.metrics.received_events.get() as f64);
    counter "reflow_trace_refusals_total" ["code"], "Refusals sent to clients.",
        |reading| Read::ByLabel(reading.metrics.refusals.get());
    counter "reflow_trace_refused_events_total" ["code"], "Events of batches refused for good, as their headers say and as far as there can be so many in them: lost.",
        |reading| Read::ByLabel(reading.metrics.refused_events.get());
    counter "reflow_trace_client_lost_events_total" ["reason"], "Events that clients say they have lost themselves.",
        |reading| Read::ByLabel(reading.metrics.client_losses.get());
    gauge "reflow_trace_memory_bytes", "Memory reserved for batches between arrival and commit.",
        |reading| Read::One(reading.memory.0 as f64);
    gauge "reflow_trace_memory_bytes_max", "How much that may be, `ingest.memory_bytes_max`.",
        |reading| Read::One(reading.memory.1 as f64);
    counter "reflow_trace_memory_waits_total", "Batches that waited because it was used up.",
        |reading| Read::One(reading.metrics.memory_waits.get() as f64);
    histogram "reflow_trace_ack_seconds", "From the arrival of a batch until its acknowledgement.",
        |reading| durations(&reading.metrics.ack_seconds);
    gauge "reflow_trace_commit_queue_batches", "Batches that wait for the committer or are with it.",
        |reading| Read::One(reading.metrics.queue_batches.get() as f64);
    gauge "reflow_trace_commit_queue_bytes", "Their bytes, as they travelled.",
        |reading| Read::One(reading.metrics.queue_bytes.get() as f64);
    counter "reflow_trace_commit_groups_total", "Groups committed.",
        |reading| Read::One(reading.metrics.groups.get() as f64);
    counter "reflow_trace_commit_failures_total" ["kind"], "Groups that could not be committed.",
        |reading| Read::ByLabel(reading.metrics.commit_failures.get());
    histogram "reflow_trace_commit_seconds", "What a commit took, successful or not.",
        |reading| durations(&reading.metrics.commit_seconds);
    counter "reflow_trace_stored_batches_total", "Batches stored by this process.",
        |reading| Read::One(reading.metrics.stored_batches.get() as f64);
    counter "reflow_trace_stored_events_total", "Events stored by this process.",
        |reading| Read::One(reading.metrics.stored_events.get() as f64);
    counter "reflow_trace_duplicate_batches_total", "Batches acknowledged that had been stored before.",
        |reading| Read::One(reading.metrics.duplicates.get() as f64);
    counter "reflow_trace_questions_total" ["question"], "Questions asked, over HTTP and WebSocket.",
        |reading| Read::ByLabel(reading.metrics.questions.get());
    gauge "reflow_trace_questions", "Questions that are answered or wait.",
        |reading| Read::One(reading.metrics.questions_open.get() as f64);
    counter "reflow_trace_answers_total" ["result"], "What became of them: `answered`, `cancelled`, or why not.",
        |reading| Read::ByLabel(reading.metrics.answers.get());
    histogram "reflow_trace_answer_seconds", "What they took, waiting included.",
        |reading| durations(&reading.metrics.answer_seconds);
    counter "reflow_trace_answer_rows_total", "Events, edges, rows and so on in answers.",
        |reading| Read::One(reading.metrics.answer_rows.get() as f64);
    gauge "reflow_trace_askers", "Connections that ask over a WebSocket.",
        |reading| Read::One(reading.metrics.askers.get() as f64);
    counter "reflow_trace_asker_ends_total" ["reason"], "Those that have ended.",
        |reading| Read::ByLabel(reading.metrics.asker_ends.get());
    gauge "reflow_trace_unread_bytes", "Large answers that were not taken yet.",
        |reading| Read::One(reading.metrics.unread_bytes.get() as f64);
    gauge "reflow_trace_store_batches", "Batches stored since the store was made.",
        |reading| Read::One(reading.store.batches as f64);
    gauge "reflow_trace_store_events", "Events stored since the store was made.",
        |reading| Read::One(reading.store.events as f64);
    gauge "reflow_trace_store_gaps", "Batches that clients have skipped: lost by them.",
        |reading| Read::One(reading.store.gaps as f64);
    gauge "reflow_trace_subscriptions", "Open subscriptions.",
        |reading| Read::One(reading.metrics.subscriptions.get() as f64);
    counter "reflow_trace_live_events_total", "Events given to subscribers.",
        |reading| Read::One(reading.metrics.live_events.get() as f64);
    counter "reflow_trace_live_gaps_total", "Times that a subscriber was told that it has missed something.",
        |reading| Read::One(reading.metrics.live_gaps.get() as f64);
    counter "reflow_trace_live_missed_batches_total", "Batches of which subscribers may have missed something.",
        |reading| Read::One(reading.metrics.live_missed_batches.get() as f64);
    counter "reflow_trace_reflow_requests_total" ["kind"], "Requests of Reflow's protocol.",
        |reading| Read::ByLabel(reading.metrics.reflow_requests.get());
    counter "reflow_trace_reflow_events_total", "Events of Reflow's clients that were stored.",
        |reading| Read::One(reading.metrics.reflow_events.get() as f64);
    counter "reflow_trace_reflow_errors_total" ["code"], "Errors that Reflow's clients were told.",
        |reading| Read::ByLabel(reading.metrics.reflow_errors.get());
    gauge "reflow_trace_store_tail_batches", "Batches in the log that are in no segment yet.",
        |reading| Read::One(reading.store.tail_batches as f64);
    gauge "reflow_trace_store_tail_events", "Their events.",
        |reading| Read::One(reading.store.tail_events as f64);
    gauge "reflow_trace_store_tail_memory_bytes", "Memory that they take, nearly.",
        |reading| Read::One(reading.store.tail_memory_bytes as f64);
    gauge "reflow_trace_store_seal_lag_seconds", "Age of the oldest of them; 0 when there is none.",
        |reading| Read::One(age_seconds(reading.store.tail_since_ns));
    gauge "reflow_trace_store_segments", "Segments in the catalogue.",
        |reading| Read::One(reading.store.segments as f64);
    gauge "reflow_trace_store_segment_events", "Their events.",
        |reading| Read::One(reading.store.segment_events as f64);
    gauge "reflow_trace_store_segment_bytes", "Their bytes on the disk.",
        |reading| Read::One(reading.store.segment_bytes as f64);
    gauge "reflow_trace_store_held_bytes", "Bytes of retired files that somebody still reads.",
        |reading| Read::One(reading.store.held_bytes as f64);
    gauge "reflow_trace_store_database_bytes", "Bytes of the log and the catalogue.",
        |reading| Read::One(reading.store.database_bytes as f64);
    gauge "reflow_trace_store_retired_segments", "Segments retired by retention since the store was made.",
        |reading| Read::One(reading.store.retired_segments as f64);
    gauge "reflow_trace_store_retired_events", "Their events.",
        |reading| Read::One(reading.store.retired_events as f64);
    gauge "reflow_trace_store_damaged_segments", "Segments set aside because they are missing or damaged.",
        |reading| Read::One(reading.store.damaged_segments as f64);
    gauge "reflow_trace_store_damaged_events", "Their events, which no query finds.",
        |reading| Read::One(reading.store.damaged_events as f64);
    counter "reflow_trace_store_maintenance_failures_total" ["kind"], "Failures to seal, retain or sweep.",
        |reading| Read::ByLabel(reading.metrics.maintenance_failures.get());
};

impl Reading<'_> {
    /// The page, in Prometheus' text form, version 0.0.4.
    pub fn render(&self) -> String {
        let mut page = String::with_capacity(16 << 10);
        for metric in TABLE {
            metric.render(self, &mut page);
        }
        page
    }

    /// The same as JSON: a number by the name of each metric, or numbers by label; of durations how many
    /// and the sum in seconds.
    pub fn values(&self) -> serde_json::Value {
        let values = TABLE.iter().map(|metric| {
            let value = match (metric.read)(self) {
                Read::One(value) => value.into(),
                Read::ByLabel(values) => values
                    .into_iter()
                    .map(|(word, value)| (word, value.into()))
                    .collect::<serde_json::Map<_, _>>()
                    .into(),
                Read::Durations(_, sum, count) => {
                    serde_json::json!({ "count": count, "sum_seconds": sum })
                }
            };
            (metric.name.to_owned(), value)
        });
        values.collect::<serde_json::Map<_, _>>().into()
    }
}

impl Described {
    fn render(&self, reading: &Reading<'_>, page: &mut String) {
        let Self {
            name,
            kind,
            label,
            help,
            ..
        } = self;
        // Writing into a `String` does not fail.
        let mut line = |text: std::fmt::Arguments<'_>| {
            let _written = page.write_fmt(text);
            page.push('\n');
        };
        line(format_args!("# HELP {name} {help}"));
        line(format_args!("# TYPE {name} {kind}"));
        match (self.read)(reading) {
            Read::One(value) => line(format_args!("{name} {value}")),
            Read::ByLabel(values) => {
                for (word, value) in values {
                    line(format_args!(
                        "{name}{{{label}=\"{}\"}} {value}",
                        escaped(&word)
                    ));
                }
            }
            Read::Durations(buckets, sum, count) => {
                for (bound, below) in buckets {
                    line(format_args!("{name}_bucket{{le=\"{bound}\"}} {below}"));
                }
                line(format_args!("{name}_bucket{{le=\"+Inf\"}} {count}"));
                line(format_args!("{name}_sum {sum}"));
                line(format_args!("{name}_count {count}"));
            }
        }
    }
}

/// The table of metrics as it stands in `docs/SERVER.md`.
#[cfg(test)]
pub(crate) fn markdown() -> String {
    let mut text = String::from("| metric | kind | what it says |\n| --- | --- | --- |\n");
    for metric in TABLE {
        let label = match metric.label {
            "" => String::new(),
            label => format!("{{{label}}}"),
        };
        // Writing into a `String` does not fail.
        let _written = writeln!(
            text,
            "| `{}{label}` | {} | {} |",
            metric.name, metric.kind, metric.help
        );
    }
    text
}

fn durations(durations: &Durations) -> Read {
    let (buckets, sum, count) = durations.read();
    Read::Durations(buckets, sum, count)
}

fn age_seconds(since_ns: Option<i64>) -> f64 {
    since_ns.map_or(0.0, |since| {
        wall_clock_ns().saturating_sub(since).max(0) as f64 / 1e9
    })
}

/// Resident memory, from the line `VmRSS:  1234 kB`.
pub(crate) fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0).saturating_mul(1024)
}

fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::time::Duration;

    #[test]
    fn every_metric_is_on_the_page_once_with_help_and_kind() {
        let metrics = Metrics::default();
        metrics.refusals.add("a\"b\\\n", 3);
        metrics.commit_seconds.record(Duration::from_millis(3));
        let page = Reading {
            metrics: &metrics,
            store: &StoreStats::default(),
            is_ready: true,
            memory: (1, 2),
        }
        .render();
        let mut names = HashSet::new();
        for metric in TABLE {
            assert!(names.insert(metric.name), "{} is there twice", metric.name);
            assert!(
                page.contains(&format!("# TYPE {} {}\n", metric.name, metric.kind)),
                "{}",
                metric.name
            );
            assert_eq!(
                metric.kind == "counter",
                metric.name.ends_with("_total"),
                "{}",
                metric.name
            );
        }
        assert!(page.contains("\nreflow_trace_ready 1\n"));
        assert!(
            page.contains("\nreflow_trace_refusals_total{code=\"a\\\"b\\\\\\n\"} 3\n"),
            "{page}"
        );
        assert!(page.contains("\nreflow_trace_commit_seconds_bucket{le=\"0.002\"} 0\n"));
        assert!(page.contains("\nreflow_trace_commit_seconds_bucket{le=\"0.004\"} 1\n"));
        assert!(page.contains("\nreflow_trace_commit_seconds_bucket{le=\"+Inf\"} 1\n"));
        assert!(page.contains("\nreflow_trace_commit_seconds_sum 0.003\n"));
    }

    #[test]
    fn resident_memory_is_known_where_the_system_tells() {
        assert_eq!(cfg!(target_os = "linux"), resident_bytes() > 0);
    }
}
