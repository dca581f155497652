//! What an event says of its own sampling.

use serde::{Deserialize, Serialize};

use super::Threshold;

/// How an event came to be recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SamplingInfo {
    /// The threshold that decided. `None`: not decided by probability, or not known; then the event
    /// stands for an unknown number of messages, which is not the same as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
}

impl SamplingInfo {
    /// Decided by `threshold`.
    pub const fn by(threshold: Threshold) -> Self {
        Self {
            threshold: Some(threshold),
        }
    }

    /// How many messages the event stands for: 1/p.
    ///
    /// Also behind a join: a message that is made from several belongs to the trace of the first of its
    /// causes, and it is R of that trace that decides (see [`Causes`](crate::Causes)).
    pub fn weight(&self) -> Option<f64> {
        self.threshold.and_then(Threshold::weight)
    }

    /// Nothing is known.
    pub fn is_unknown(&self) -> bool {
        self.threshold.is_none()
    }
}
