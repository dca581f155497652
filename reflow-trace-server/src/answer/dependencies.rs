//! Who depends on which sources.

use reflow_trace::api::{ApiError, DependenciesAnswer, ErrorCode, SpanQuestion};

use super::Asking;
use crate::store::Snapshot;

/// Who depends on which sources.
pub(crate) fn dependencies(
    _view: &dyn Snapshot,
    _asked: &SpanQuestion,
    _asking: &Asking,
) -> Result<DependenciesAnswer, ApiError> {
    Err(ApiError::new(ErrorCode::Unsupported, "not yet"))
}
