//! Events that fit a question, page by page.

use reflow_trace::api::{ApiError, ErrorCode, EventsPage, EventsQuestion};

use super::Asking;
use crate::store::Snapshot;

/// Events that fit a question, page by page.
pub(crate) fn query(
    _view: &dyn Snapshot,
    _asked: &EventsQuestion,
    _asking: &Asking,
) -> Result<EventsPage, ApiError> {
    Err(ApiError::new(ErrorCode::Unsupported, "not yet"))
}

/// Data flows that fit a question.
pub(crate) fn query_data_flows(
    view: &dyn Snapshot,
    asked: &EventsQuestion,
    asking: &Asking,
) -> Result<EventsPage, ApiError> {
    query(view, asked, asking)
}
