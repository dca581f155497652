//! What is answered.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Cursor;
use super::question::{GraphFormat, LineageSubject};
use crate::event::{EventId, Outcome, ProducerId, TraceEvent, TraceId};
use crate::graph::Count;
use crate::ledger::LossReason;
use crate::lineage::{Completeness, MissingReason, Role};

/// The answer to a [`Question`](super::Question), by the same name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// Events of any kind.
    QueryTraces(EventsPage),
    /// Data flows alone.
    QueryDataFlows(EventsPage),
    /// What led to something and what it led to.
    Lineage(LineageAnswer),
    /// What was sent and did not flow.
    MissingFlows(MissingAnswer),
    /// What flowed over each edge.
    Edges(EdgesAnswer),
    /// Who depends on which sources.
    Dependencies(DependenciesAnswer),
    /// The network as a picture.
    Graph(GraphAnswer),
    /// What a statement has found.
    Sql(SqlAnswer),
    /// How the server is doing.
    Metrics(ServerMetrics),
}

/// What answering has cost, so that everybody can see what was left unread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Work {
    /// Segments there are.
    pub segments: u64,
    /// Of those, opened.
    pub segments_opened: u64,
    /// Pages of rows there are in the segments that were opened.
    pub pages: u64,
    /// Of those, decoded, in whole or in part.
    pub pages_read: u64,
    /// Rows of which at least one column was looked at, in segments and in the tail.
    pub rows_looked_at: u64,
    /// Rows of which a whole event was made.
    pub events_decoded: u64,
    /// Roll-up cells that were added up.
    pub cells: u64,
    /// Time that it took, microseconds.
    pub micros: u64,
}

/// Some of the events that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EventsPage {
    /// In the order of their time.
    pub events: Vec<TraceEvent>,
    /// Where to go on; `None` when there is nothing more.
    #[serde(default)]
    pub next: Option<Cursor>,
    /// What it has cost.
    #[serde(default)]
    pub work: Work,
}

/// Everything that led to something and everything it led to.
///
/// Its text is the tree of [`Lineage`](crate::lineage::Lineage), with `{:#}` all of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LineageAnswer {
    /// What was asked for.
    #[serde(default)]
    pub of: Option<LineageSubject>,
    /// The events, causes before effects.
    pub events: Vec<TraceEvent>,
    /// One for each event, in the same order.
    pub steps: Vec<LineageStep>,
    /// The traces it goes through.
    pub traces: Vec<TraceState>,
    /// Length of the chain that took longest, nanoseconds; `None` when no time is known.
    pub critical_path_ns: Option<u64>,
    /// The chain may be longer, because some times are not known.
    pub critical_path_is_lower_bound: bool,
    /// There are more events than were allowed; these are the nearest to what was asked for.
    pub is_cut: bool,
    /// What it has cost.
    #[serde(default)]
    pub work: Work,
}

/// How an event of a lineage stands to the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineageStep {
    /// The event.
    pub event_id: EventId,
    /// How it stands to what was asked for.
    pub role: Role,
    /// Its direct causes that are among the events.
    pub causes: Vec<EventId>,
    /// Those that are not stored.
    pub missing_causes: Vec<EventId>,
    /// How long the send ran, nanoseconds.
    pub transfer_ns: Option<u64>,
    /// How long the message waited, nanoseconds.
    pub waiting_ns: Option<u64>,
    /// How long it was handled, nanoseconds.
    pub handling_ns: Option<u64>,
    /// It is on the chain that took longest.
    pub is_critical: bool,
    /// There: the time until the next event of the chain began, or to the end, nanoseconds.
    #[serde(default)]
    pub elapsed_ns: Option<u64>,
}

/// A trace, and whether all of it is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceState {
    /// The trace.
    pub trace_id: TraceId,
    /// Whether all of it is there.
    pub completeness: Completeness,
}

/// What was sent and did not flow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MissingAnswer {
    /// In the order of their time.
    pub missing: Vec<MissingFound>,
    /// How many `MessageSent` events were looked at.
    pub looked_at: u64,
    /// Where to go on; `None` when there is nothing more.
    #[serde(default)]
    pub next: Option<Cursor>,
    /// What it has cost.
    #[serde(default)]
    pub work: Work,
}

/// A message that was sent and for which no data flow is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MissingFound {
    /// The `MessageSent`.
    pub sent: TraceEvent,
    /// Why there is none.
    pub reason: MissingReason,
    /// What became of the send, where it says so.
    pub outcome: Option<Outcome>,
}

/// What flowed over each edge.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EdgesAnswer {
    /// By names and type.
    pub edges: Vec<EdgeSums>,
    /// What was lost over all of time, and is in none of the numbers that stem from events.
    pub losses: Vec<LossSum>,
    /// The first and the last moment of the whole minutes that were added up; `None` is all of time.
    pub time_range: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// What it has cost.
    #[serde(default)]
    pub work: Work,
}

/// The messages of one type over one edge.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EdgeSums {
    /// The sending actor.
    pub from_actor: String,
    /// Its port.
    pub from_port: String,
    /// The receiving actor.
    pub to_actor: String,
    /// Its port.
    pub to_port: String,
    /// Name of the type; empty where the events name none.
    pub message_type: String,
    /// Attempts to send. Over all of time they are exact where producers counted them, also where their events were
    /// retired. Of a stretch of time only the events tell: exact where the counters prove that every message has its
    /// event, else estimated from samples, else a lower bound.
    pub messages: Count,
    /// Attempts that failed, were cancelled, panicked or timed out.
    pub failures: Count,
    /// Messages that were taken up, counted likewise; exact counters have only the ends of traced channels.
    pub received: Count,
    /// Messages that were dropped inside a channel, counted likewise.
    pub dropped: Count,
    /// Events that are stored of the sends.
    pub events: u64,
    /// Bytes of the messages of these events.
    pub bytes: u64,
    /// How long the sends took; `None` when no event says.
    pub execution: Option<Times>,
    /// How long messages waited to be taken up; `None` when no event says.
    pub waiting: Option<Times>,
}

/// Durations of stored events, in nanoseconds, each event once. Percentiles are the middles of buckets that are an
/// eighth wide: within 6.25 % of the duration of that rank, exact below 16 ns. Count, mean and longest are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean_ns: f64,
    /// Half of them took at most this long.
    pub p50_ns: u64,
    /// Nine of ten.
    pub p90_ns: u64,
    /// 99 of 100.
    pub p99_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

/// Events that were lost for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossSum {
    /// Why.
    pub reason: LossReason,
    /// How many.
    pub count: u64,
}

/// Who depends on which sources.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DependenciesAnswer {
    /// Actors that nobody outside of their own loop sends anything.
    pub sources: Vec<String>,
    /// By name; only the one that was asked for, where one was.
    pub actors: Vec<ActorDependencies>,
    /// What it has cost.
    #[serde(default)]
    pub work: Work,
}

/// What one actor depends on. It is among these itself where it is in a loop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorDependencies {
    /// The actor.
    pub actor: String,
    /// Those that send to it, by name.
    pub directly: Vec<String>,
    /// Those that send to it through others only, the nearest first.
    pub through_others: Vec<String>,
    /// Of all those, the ones that nobody outside of their own loop sends anything.
    pub sources: Vec<String>,
}

/// The network as a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphAnswer {
    /// In which form.
    pub format: GraphFormat,
    /// The text of a file in this form.
    pub text: String,
    /// What it has cost.
    #[serde(default)]
    pub work: Work,
}

/// What a statement has found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SqlAnswer {
    /// What stands in each place of a row.
    pub columns: Vec<SqlColumn>,
    /// The rows. Numbers that JSON readers may round (above 2⁵³) are numbers nevertheless.
    ///
    /// Fractions that are no numbers are the texts `NaN`, `Infinity` and `-Infinity`; times are RFC 3339 with
    /// nanoseconds; stretches of time and decimals with a fraction are text, bytes hexadecimal text, lists
    /// arrays, structures objects.
    pub rows: Vec<Vec<Value>>,
    /// There are more rows, or more bytes of them, than were allowed.
    pub is_cut: bool,
    /// What it has cost.
    #[serde(default)]
    pub work: Work,
}

/// A column of what a statement has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// What its values are, as SQL calls it.
    pub kind: String,
}

/// How a server is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerMetrics {
    /// Events committed in the last second.
    pub events_per_second: f64,
    /// From the arrival of a batch to its commit, mean over the last second, milliseconds.
    pub avg_latency_ms: f64,
    /// Resident memory of the process, megabytes of 10⁶ bytes; 0 where the system does not say.
    pub memory_usage_mb: f64,
    /// Events that can be asked for.
    pub events: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Segments.
    pub segments: u64,
    /// Subscriptions that are open.
    pub subscriptions: u64,
    /// What each producer has said of itself, and what is stored of it.
    pub producers: Vec<ProducerSummary>,
}

/// One producer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProducerSummary {
    /// Who.
    pub producer: ProducerId,
    /// When a batch of it was last committed, by the server's clock.
    pub last_seen: Option<DateTime<Utc>>,
    /// Events that were stored, retired ones included.
    pub events: u64,
    /// Messages that it has counted, recorded or not; `None` when it has not said.
    pub messages: Option<u64>,
    /// What it has lost.
    pub losses: Vec<LossSum>,
}
