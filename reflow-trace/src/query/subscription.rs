//! What a subscriber wants to see.

use serde::Serialize;

use super::compiled::CompiledSubscription;
use super::error::QueryError;
use crate::event::TraceEventType;

/// Which events a subscriber wants to see as they happen.
///
/// ```
/// use reflow_trace::query::SubscriptionFilters;
/// use reflow_trace::{TraceEvent, TraceEventType};
///
/// let filters = SubscriptionFilters {
///     actor_ids: Some(vec!["critical_processor".to_string()]),
///     event_types: Some(vec![TraceEventType::DataFlow {
///         to_actor: "*".to_string(),
///         to_port: "*".to_string(),
///     }]),
///     ..Default::default()
/// };
///
/// let wanted = filters.compile()?;
/// assert!(wanted.matches(&TraceEvent::data_flow("a", "out", "critical_processor", "in", "T", 8)));
/// assert!(wanted.matches(&TraceEvent::data_flow("critical_processor", "out", "b", "in", "T", 8)));
/// assert!(!wanted.matches(&TraceEvent::actor_started("critical_processor")));
/// # Ok::<(), reflow_trace::query::QueryError>(())
/// ```
///
/// Its JSON form is [`SubscriptionRequest`](crate::protocol::SubscriptionRequest).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SubscriptionFilters {
    /// Events that happened at one of these actors or went to it; `"*"` stands for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_ids: Option<Vec<String>>,
    /// Events of one of these kinds; `"*"` stands for any actor or port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<TraceEventType>>,
    /// Events of which this condition is true; see [`filter`](super::filter).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_filter: Option<String>,
    /// Events of which this condition is true as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance_filter: Option<String>,
}

impl SubscriptionFilters {
    /// Checks the wishes and makes them ready to look at events.
    ///
    /// # Errors
    ///
    /// The first part that is wrong.
    pub fn compile(&self) -> Result<CompiledSubscription, QueryError> {
        CompiledSubscription::new(self)
    }
}
