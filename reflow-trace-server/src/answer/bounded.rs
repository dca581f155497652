//! A look-up that is given up when it finds too much, so that one id that millions of events share takes no memory for
//! all of them.

use std::sync::atomic::{AtomicU64, Ordering};

use reflow_trace::api::ApiError;

use super::Asking;
use crate::store::{Effort, Found, Key, Snapshot, StoreError, TimeRange, Watch};

/// Looks on for who asks, and ends what has made too many events.
struct Bounded<'a> {
    asking: &'a Asking,
    decoded: AtomicU64,
    most: u64,
}

impl Bounded<'_> {
    fn is_over(&self) -> bool {
        self.decoded.load(Ordering::Relaxed) > self.most
    }
}

impl Watch for Bounded<'_> {
    fn go_on(&self) -> Result<(), StoreError> {
        if self.is_over() {
            return Err(StoreError::GivenUp);
        }
        Watch::go_on(self.asking)
    }

    fn spend(&self, effort: Effort) {
        self.decoded
            .fetch_add(effort.events_decoded, Ordering::Relaxed);
        self.asking.spend(effort);
    }
}

/// The events of these keys at any time; `None` when there are more than `most`.
pub(super) fn find(
    view: &dyn Snapshot,
    keys: &[Key<'_>],
    most: usize,
    asking: &Asking,
) -> Result<Option<Vec<Found>>, ApiError> {
    let bounded = Bounded {
        asking,
        decoded: AtomicU64::new(0),
        most: most as u64,
    };
    match view.find(keys, TimeRange::ALL, &bounded) {
        Ok(found) => Ok((found.len() <= most).then_some(found)),
        Err(StoreError::GivenUp) if bounded.is_over() => Ok(None),
        Err(error) => Err(asking.of_store(&error)),
    }
}
