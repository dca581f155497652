//! What can be asked.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{EventId, TraceEvent, TraceId};
use crate::protocol::QueryRequest;
use crate::query::TraceQuery;

/// A question to a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Question {
    /// Events of any kind.
    QueryTraces(EventsQuestion),
    /// Data flows alone.
    QueryDataFlows(EventsQuestion),
    /// What led to something and what it led to.
    Lineage(LineageQuestion),
    /// What was sent and did not flow; the query chooses among the `MessageSent` events.
    MissingFlows(EventsQuestion),
    /// What flowed over each edge.
    Edges(SpanQuestion),
    /// Who depends on which sources.
    Dependencies(SpanQuestion),
    /// The network as a picture.
    Graph(GraphQuestion),
    /// A statement that reads.
    Sql(SqlQuestion),
    /// How the server is doing.
    Metrics(MetricsQuestion),
}

/// A question about events, page by page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventsQuestion {
    /// Which events.
    pub query: QueryRequest,
    /// Only what comes after this place; that of the page before ([`EventsPage::next`](super::EventsPage)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
    /// The newest first instead of the oldest.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub newest_first: bool,
}

/// A place between two events in the order of their time, as text that only the server understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cursor {
    /// Time of the event before it, nanoseconds since 1970.
    pub time_ns: i64,
    /// Place of that event's batch in the log.
    pub offset: u64,
    /// Place of the event among those of this time in its batch.
    pub row: u32,
}

/// A text that is no [`Cursor`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place to go on from: give back what the page before said in `next`")]
pub struct InvalidCursor(String);

/// Whose lineage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineageQuestion {
    /// What it is asked of.
    pub of: LineageSubject,
    /// At most so many events; what the server allows where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// What a lineage is asked of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineageSubject {
    /// All events that carry this message id, a text or a number.
    MessageId(Value),
    /// One event.
    EventId(EventId),
    /// All events of one trace.
    TraceId(TraceId),
}

/// A stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpanQuestion {
    /// From the first time to the second, both included, widened to whole minutes; all of time where it is
    /// left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_range: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Only edges that begin or end at this actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

/// A picture of a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GraphQuestion {
    /// See [`SpanQuestion::time_range`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_range: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// See [`SpanQuestion::actor`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// In which form.
    pub format: GraphFormat,
}

/// The forms of a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GraphFormat {
    /// A picture.
    #[default]
    Svg,
    /// For Graphviz.
    Dot,
    /// For documents.
    Mermaid,
    /// Nodes, edges and losses, for programs.
    Json,
}

/// A statement of SQL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlQuestion {
    /// One statement that reads `data_flow_events` or `edge_counters`.
    pub statement: String,
    /// At most so many rows; what the server allows where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Nothing to say yet; an empty object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsQuestion {}

impl Question {
    /// The names of all questions, as they stand in paths.
    pub const NAMES: [&'static str; 9] = [
        "query_traces",
        "query_data_flows",
        "lineage",
        "missing_flows",
        "edges",
        "dependencies",
        "graph",
        "sql",
        "metrics",
    ];

    /// Its name, as it stands in paths.
    pub const fn name(&self) -> &'static str {
        let [
            traces,
            flows,
            lineage,
            missing,
            edges,
            dependencies,
            graph,
            sql,
            metrics,
        ] = Self::NAMES;
        match self {
            Self::QueryTraces(_) => traces,
            Self::QueryDataFlows(_) => flows,
            Self::Lineage(_) => lineage,
            Self::MissingFlows(_) => missing,
            Self::Edges(_) => edges,
            Self::Dependencies(_) => dependencies,
            Self::Graph(_) => graph,
            Self::Sql(_) => sql,
            Self::Metrics(_) => metrics,
        }
    }

    /// The text that an [`ErrorPlace`](super::ErrorPlace) is a place in.
    pub(super) fn text_of(&self, field: &str) -> Option<&str> {
        match self {
            Self::QueryTraces(asked) | Self::QueryDataFlows(asked) | Self::MissingFlows(asked) => {
                match field {
                    "custom_filter" => asked.query.custom_filter.as_deref(),
                    "performance_filter" => asked.query.performance_filter.as_deref(),
                    _ => None,
                }
            }
            Self::Sql(asked) if field == "statement" => Some(&asked.statement),
            _ => None,
        }
    }
}

impl From<TraceQuery<'_>> for EventsQuestion {
    fn from(query: TraceQuery<'_>) -> Self {
        Self {
            query: query.into(),
            ..Self::default()
        }
    }
}

impl SpanQuestion {
    /// The time that ends now and began so long ago.
    ///
    /// ```
    /// use std::time::Duration;
    /// use reflow_trace::api::SpanQuestion;
    ///
    /// let last_hour = SpanQuestion::last(Duration::from_secs(3600)).of_actor("validator");
    /// assert!(last_hour.time_range.is_some());
    /// ```
    pub fn last(length: Duration) -> Self {
        let now = Utc::now();
        let begin = chrono::TimeDelta::from_std(length)
            .ok()
            .and_then(|length| now.checked_sub_signed(length));
        Self {
            time_range: Some((begin.unwrap_or(DateTime::<Utc>::MIN_UTC), now)),
            actor: None,
        }
    }

    /// Only edges that begin or end at this actor.
    pub fn of_actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(actor.into());
        self
    }
}

impl From<SpanQuestion> for GraphQuestion {
    fn from(SpanQuestion { time_range, actor }: SpanQuestion) -> Self {
        Self {
            time_range,
            actor,
            ..Self::default()
        }
    }
}

impl From<EventId> for LineageSubject {
    fn from(id: EventId) -> Self {
        Self::EventId(id)
    }
}

impl From<TraceId> for LineageSubject {
    fn from(id: TraceId) -> Self {
        Self::TraceId(id)
    }
}

impl From<&TraceEvent> for LineageSubject {
    fn from(event: &TraceEvent) -> Self {
        Self::EventId(event.event_id)
    }
}

macro_rules! subjects {
    ($($message_id:ty)*) => {$(
        impl From<$message_id> for LineageSubject {
            fn from(id: $message_id) -> Self {
                Self::MessageId(Value::from(id))
            }
        }
    )*};
}

subjects!(Value u32 u64 usize i32 i64 &str String);

impl GraphFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Svg, Self::Dot, Self::Mermaid, Self::Json];

    /// Its name, as it is written in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Dot => "dot",
            Self::Mermaid => "mermaid",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.time_ns, self.offset, self.row)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let mut parts = text.splitn(3, '.');
        let mut next = || parts.next();
        let read = (|| {
            Some(Self {
                time_ns: next()?.parse().ok()?,
                offset: next()?.parse().ok()?,
                row: next()?.parse().ok()?,
            })
        })();
        read.ok_or_else(|| InvalidCursor(crate::query::filter::quoted(text)))
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        let cursor = Cursor {
            time_ns: i64::MIN,
            offset: u64::MAX,
            row: u32::MAX,
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "1", "1.2", "1.2.3.4", "a.b.c", "1.2.-3", " 1.2.3"] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_name_of_a_question_is_the_one_that_is_written() {
        let questions = [
            Question::QueryTraces(EventsQuestion::default()),
            Question::Sql(SqlQuestion::default()),
            Question::Metrics(MetricsQuestion {}),
        ];
        for question in questions {
            let value = serde_json::to_value(&question).expect("a question is JSON");
            let names: Vec<_> = value.as_object().expect("an object").keys().collect();
            assert_eq!(names, [question.name()]);
            assert_eq!(
                serde_json::from_value::<Question>(value).ok(),
                Some(question)
            );
        }
    }
}
