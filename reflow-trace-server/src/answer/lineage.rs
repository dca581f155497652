//! What led to something and what it led to.

use reflow_trace::api::{ApiError, ErrorCode, LineageAnswer, LineageQuestion};

use super::Asking;
use crate::store::Snapshot;

/// What led to something and what it led to.
pub(crate) fn lineage(
    _view: &dyn Snapshot,
    _asked: &LineageQuestion,
    _asking: &Asking,
) -> Result<LineageAnswer, ApiError> {
    Err(ApiError::new(ErrorCode::Unsupported, "not yet"))
}
