//! The thresholds in force, by number.

use std::sync::{PoisonError, RwLock};

use super::Threshold;
use crate::record::NO_POLICY;

/// Records name their threshold by its place in this table, which only grows.
pub(crate) struct ThresholdTable(RwLock<Vec<Threshold>>);

impl ThresholdTable {
    pub(crate) const fn new() -> Self {
        Self(RwLock::new(Vec::new()))
    }

    /// The number of a threshold; [`NO_POLICY`], weight unknown, once 65 535 are in use.
    pub(crate) fn number(&self, threshold: Threshold) -> u16 {
        let find = |all: &[Threshold]| all.iter().position(|&other| other == threshold);
        let known = find(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        let place = known.or_else(|| {
            let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
            find(&all).or_else(|| {
                (all.len() < usize::from(NO_POLICY)).then(|| {
                    all.push(threshold);
                    all.len() - 1
                })
            })
        });
        place.map_or(NO_POLICY, |place| place as u16)
    }

    /// The threshold with this number.
    pub(crate) fn threshold(&self, number: u16) -> Option<Threshold> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(usize::from(number))
            .copied()
    }
}
