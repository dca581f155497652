//! What the tracing said of itself among the events.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::complete::CoverageHistory;
use crate::event::{ProducerId, TraceEvent};
use crate::ledger::CounterSnapshot;

/// Counters, coverage and losses, by producer where they name one.
#[derive(Default)]
pub(super) struct Notices<'a> {
    /// The notices themselves.
    pub(super) events: Vec<&'a TraceEvent>,
    pub(super) counters: Vec<CounterSnapshot>,
    /// What each producer has said of how much its events show.
    pub(super) coverage: BTreeMap<ProducerId, CoverageHistory>,
    /// Events reported as lost.
    pub(super) lost: u64,
}

impl<'a> Notices<'a> {
    /// Takes the event when it is a notice; false when it is not.
    pub(super) fn take(&mut self, event: &'a TraceEvent) -> bool {
        if let Some(loss) = event.as_loss() {
            self.events.push(event);
            self.lost = self.lost.saturating_add(loss.count);
            return true;
        }
        let counters = event.as_edge_counters();
        let coverage = event.as_coverage();
        let is_notice = counters.is_some() || coverage.is_some();
        if is_notice {
            self.events.push(event);
        }
        self.counters.extend(counters);
        if let Some(coverage) = coverage {
            let time = event.timestamp.timestamp_nanos_opt().unwrap_or(i64::MAX);
            match self.coverage.entry(coverage.producer) {
                Entry::Occupied(mut known) => known.get_mut().add(time, &coverage),
                Entry::Vacant(new) => {
                    new.insert(CoverageHistory::new(time, coverage));
                }
            }
        }
        is_notice
    }
}
