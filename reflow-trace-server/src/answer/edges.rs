//! What flowed over each edge.

use reflow_trace::api::{ApiError, EdgesAnswer, ErrorCode, SpanQuestion};

use super::Asking;
use crate::store::Snapshot;

/// What flowed over each edge.
pub(crate) fn edges(
    _view: &dyn Snapshot,
    _asked: &SpanQuestion,
    _asking: &Asking,
) -> Result<EdgesAnswer, ApiError> {
    Err(ApiError::new(ErrorCode::Unsupported, "not yet"))
}
