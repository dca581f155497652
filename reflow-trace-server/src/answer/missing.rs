//! What was sent and did not flow.

use reflow_trace::api::{ApiError, ErrorCode, EventsQuestion, MissingAnswer};

use super::Asking;
use crate::store::Snapshot;

/// What was sent and did not flow.
pub(crate) fn missing(
    _view: &dyn Snapshot,
    _asked: &EventsQuestion,
    _asking: &Asking,
) -> Result<MissingAnswer, ApiError> {
    Err(ApiError::new(ErrorCode::Unsupported, "not yet"))
}
