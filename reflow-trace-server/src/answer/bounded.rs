//! A look-up that finds too much is given up, so that one id that millions of events share takes no memory for all of
//! them.

use reflow_trace::api::ApiError;

use super::Asking;
use crate::store::{Found, Key, Snapshot, TimeRange};

/// The events of these keys at any time; `None` when there are more than `most`.
pub(super) fn find(
    view: &dyn Snapshot,
    keys: &[Key<'_>],
    most: usize,
    asking: &Asking,
) -> Result<Option<Vec<Found>>, ApiError> {
    let found = view.find(keys, TimeRange::ALL, most, asking);
    let found = found.map_err(|error| asking.of_store(&error))?;
    Ok((found.len() <= most).then_some(found))
}
