//! A question about what was recorded.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::compiled::CompiledQuery;
use super::error::QueryError;
use crate::event::TraceEventType;

/// A question about recorded events, as the specification writes it.
///
/// The filters are borrowed, so that they can be written where they are asked:
///
/// ```
/// use reflow_trace::query::TraceQuery;
/// use reflow_trace::{TraceEvent, TraceEventType};
///
/// let query = TraceQuery {
///     event_types: Some(vec![TraceEventType::DataFlow {
///         to_actor: "*".to_string(),
///         to_port: "*".to_string(),
///     }]),
///     custom_filter: Some("message_id = 'msg_12345'"),
///     ..Default::default()
/// };
///
/// let mut event = TraceEvent::data_flow("reader", "out", "store", "in", "Reading", 8);
/// event.data.custom_attributes.insert("message_id".into(), "msg_12345".into());
/// let events = [event, TraceEvent::data_flow("reader", "out", "store", "in", "Reading", 8)];
/// assert_eq!(query.compile()?.select(&events).count(), 1);
/// # Ok::<(), reflow_trace::query::QueryError>(())
/// ```
///
/// Its JSON form is [`QueryRequest`](crate::protocol::QueryRequest), which is also how one is read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TraceQuery<'a> {
    /// From the first time to the second, both included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_range: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Events of one of these kinds; `"*"` stands for any actor or port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<TraceEventType>>,
    /// Events that happened at this actor or went to it; `"*"` stands for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_filter: Option<String>,
    /// Events of which this condition is true; see [`filter`](super::filter).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_filter: Option<&'a str>,
    /// Events of which this condition is true as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance_filter: Option<&'a str>,
    /// At most so many events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Without the first so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
}

impl TraceQuery<'_> {
    /// Checks the question and makes it ready to look at events.
    ///
    /// # Errors
    ///
    /// The first part that is wrong.
    pub fn compile(&self) -> Result<CompiledQuery, QueryError> {
        CompiledQuery::new(self)
    }
}
