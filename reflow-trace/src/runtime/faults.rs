//! Counting what was wrong with what came in from outside.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::ledger::PropagationFaults;

/// See [`PropagationFaults`], whose fields these are.
#[derive(Debug, Default)]
pub(crate) struct FaultCounters {
    pub(crate) malformed_traceparents: AtomicU64,
    pub(crate) malformed_tracestates: AtomicU64,
    pub(crate) members_left_out: AtomicU64,
    pub(crate) malformed_contexts: AtomicU64,
    pub(crate) unnamed_causes: AtomicU64,
}

impl FaultCounters {
    /// The counts now.
    pub(crate) fn get(&self) -> PropagationFaults {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PropagationFaults {
            malformed_traceparents: get(&self.malformed_traceparents),
            malformed_tracestates: get(&self.malformed_tracestates),
            members_left_out: get(&self.members_left_out),
            malformed_contexts: get(&self.malformed_contexts),
            unnamed_causes: get(&self.unnamed_causes),
        }
    }
}

/// Counts a fault, if something is recorded.
#[cold]
pub(crate) fn count_fault(which: fn(&FaultCounters) -> &AtomicU64) {
    count_faults(which, 1);
}

/// Counts several.
#[cold]
pub(crate) fn count_faults(which: fn(&FaultCounters) -> &AtomicU64, count: u64) {
    if count > 0
        && super::may_be_on()
        && let Some(runtime) = super::current()
    {
        which(&runtime.faults).fetch_add(count, Ordering::Relaxed);
    }
}
