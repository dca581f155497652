//! Questions in JSON: Reflow's fields and those of the specification together.
//!
//! A field that is not known is refused: a condition that is passed over in silence finds too much.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::flow::{ExecutionId, ExecutionStatus, FlowId};
use crate::event::TraceEventType;
use crate::query::{SubscriptionFilters, TraceQuery};

/// A [`TraceQuery`] in JSON, with what Reflow asks of traces beside it.
///
/// ```
/// use reflow_trace::protocol::{JsonLimits, read_query};
///
/// let request = read_query(
///     r#"{"custom_filter": "size_bytes > 4KiB", "limit": 10}"#,
///     &JsonLimits::default(),
/// )?;
/// assert!(request.question().compile().is_ok());
///
/// let error = read_query(r#"{"custom_fliter": "size_bytes > 4KiB"}"#, &JsonLimits::default());
/// assert!(error.unwrap_err().to_string().contains("unknown field `custom_fliter`"));
/// # Ok::<(), reflow_trace::protocol::ProtocolError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryRequest {
    /// Traces of this flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_id: Option<FlowId>,
    /// Traces of this execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<ExecutionId>,
    /// Traces that are so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ExecutionStatus>,
    /// See [`TraceQuery::time_range`]; two times in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_range: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// See [`TraceQuery::event_types`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<TraceEventType>>,
    /// See [`TraceQuery::actor_filter`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_filter: Option<String>,
    /// See [`TraceQuery::custom_filter`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_filter: Option<String>,
    /// See [`TraceQuery::performance_filter`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance_filter: Option<String>,
    /// See [`TraceQuery::limit`]; in a request of Reflow's it counts traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// See [`TraceQuery::offset`]; in a request of Reflow's it counts traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
}

/// [`SubscriptionFilters`] in JSON, with what Reflow asks of traces beside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionRequest {
    /// Events of these flows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_ids: Option<Vec<FlowId>>,
    /// Events of traces that are so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_filter: Option<Vec<ExecutionStatus>>,
    /// See [`SubscriptionFilters::actor_ids`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_ids: Option<Vec<String>>,
    /// See [`SubscriptionFilters::event_types`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<TraceEventType>>,
    /// See [`SubscriptionFilters::custom_filter`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_filter: Option<String>,
    /// See [`SubscriptionFilters::performance_filter`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance_filter: Option<String>,
}

impl QueryRequest {
    /// What is asked of events. What is asked of traces (`flow_id`, `execution_id`, `status`) is for who
    /// knows the traces.
    pub fn question(&self) -> TraceQuery<'_> {
        TraceQuery {
            time_range: self.time_range,
            event_types: self.event_types.clone(),
            actor_filter: self.actor_filter.clone(),
            custom_filter: self.custom_filter.as_deref(),
            performance_filter: self.performance_filter.as_deref(),
            limit: self.limit,
            offset: self.offset,
        }
    }
}

impl From<TraceQuery<'_>> for QueryRequest {
    fn from(query: TraceQuery<'_>) -> Self {
        Self {
            time_range: query.time_range,
            event_types: query.event_types,
            actor_filter: query.actor_filter,
            custom_filter: query.custom_filter.map(str::to_owned),
            performance_filter: query.performance_filter.map(str::to_owned),
            limit: query.limit,
            offset: query.offset,
            ..Self::default()
        }
    }
}

impl SubscriptionRequest {
    /// What is asked of events. What is asked of traces (`flow_ids`, `status_filter`) is for who knows the
    /// traces.
    pub fn filters(&self) -> SubscriptionFilters {
        SubscriptionFilters {
            actor_ids: self.actor_ids.clone(),
            event_types: self.event_types.clone(),
            custom_filter: self.custom_filter.clone(),
            performance_filter: self.performance_filter.clone(),
        }
    }
}

impl From<SubscriptionFilters> for SubscriptionRequest {
    fn from(filters: SubscriptionFilters) -> Self {
        Self {
            actor_ids: filters.actor_ids,
            event_types: filters.event_types,
            custom_filter: filters.custom_filter,
            performance_filter: filters.performance_filter,
            ..Self::default()
        }
    }
}
