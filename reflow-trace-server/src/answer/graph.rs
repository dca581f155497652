//! The network as a picture.

use reflow_trace::api::{ApiError, ErrorCode, GraphAnswer, GraphQuestion};

use super::Asking;
use crate::store::Snapshot;

/// The network as a picture.
pub(crate) fn graph(
    _view: &dyn Snapshot,
    _asked: &GraphQuestion,
    _asking: &Asking,
) -> Result<GraphAnswer, ApiError> {
    Err(ApiError::new(ErrorCode::Unsupported, "not yet"))
}
