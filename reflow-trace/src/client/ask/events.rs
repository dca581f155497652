//! Events as an answer: a list that knows whether it is whole.

use std::ops::Deref;

use crate::event::TraceEvent;

/// Events that a query has found, in the order of their time.
///
/// It is read as a slice and iterated by reference or by value, as the specification does:
///
/// ```no_run
/// # async fn example(tracing_client: reflow_trace::TracingClient) -> Result<(), Box<dyn std::error::Error>> {
/// use reflow_trace::{DataFlowGraph, TraceQuery};
///
/// let flow_data = tracing_client.query_data_flows(TraceQuery::default()).await?;
/// println!("{} flows{}", flow_data.len(), if flow_data.is_cut() { ", and more" } else { "" });
/// let graph = DataFlowGraph::from_events(&flow_data);
/// # let _graph = graph;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceEvents {
    events: Vec<TraceEvent>,
    is_cut: bool,
}

impl TraceEvents {
    pub(super) fn new(events: Vec<TraceEvent>, is_cut: bool) -> Self {
        Self { events, is_cut }
    }

    /// Whether there are more that fit than were asked for.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The events alone.
    pub fn into_vec(self) -> Vec<TraceEvent> {
        self.events
    }
}

impl Deref for TraceEvents {
    type Target = [TraceEvent];

    fn deref(&self) -> &[TraceEvent] {
        &self.events
    }
}

impl AsRef<[TraceEvent]> for TraceEvents {
    fn as_ref(&self) -> &[TraceEvent] {
        &self.events
    }
}

impl From<TraceEvents> for Vec<TraceEvent> {
    fn from(events: TraceEvents) -> Self {
        events.events
    }
}

impl IntoIterator for TraceEvents {
    type Item = TraceEvent;
    type IntoIter = std::vec::IntoIter<TraceEvent>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.into_iter()
    }
}

impl<'a> IntoIterator for &'a TraceEvents {
    type Item = &'a TraceEvent;
    type IntoIter = std::slice::Iter<'a, TraceEvent>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.iter()
    }
}
