//! The steps of sealing, merging and retiring, between which a test lets the process "die".
//!
//! A step that a test refuses ends the work at once, without any of the tidying that an error brings: the
//! disk is left as `kill -9` would leave it. In a store that is not under test nobody refuses.

use std::sync::Arc;

use crate::store::StoreError;

/// A point between two things that change the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// What retention takes away is chosen, and nothing of it is taken away.
    Chosen,
    /// Before the first byte of a segment.
    BeforeFile,
    /// Its bytes are written and not synced.
    Written,
    /// It is synced, under its temporary name.
    Synced,
    /// It has its name, and the directory is not synced.
    Renamed,
    /// All files are in place, and the catalogue knows nothing of them.
    BeforeSwap,
    /// A transaction of maintenance is committed, and who is refused here is told that nobody knows.
    Doubted,
    /// The catalogue is committed, and memory knows nothing of it.
    Swapped,
    /// The catalogue has forgotten a segment whose file is still there.
    Forgotten,
}

impl Step {
    /// Those at which a death leaves the disk in a state of its own, in the order in which they come.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 7] = [
        Self::BeforeFile,
        Self::Written,
        Self::Synced,
        Self::Renamed,
        Self::BeforeSwap,
        Self::Swapped,
        Self::Forgotten,
    ];
}

/// Says whether a step is refused.
type Refuse = Arc<dyn Fn(Step) -> bool + Send + Sync>;

/// Who is asked at each step.
#[derive(Clone, Default)]
pub(crate) struct Steps(pub(crate) Option<Refuse>);

impl Steps {
    /// Goes on, or ends as if killed.
    pub(crate) fn reach(&self, step: Step) -> Result<(), Halt> {
        match &self.0 {
            Some(refuses) if refuses(step) => Err(Halt::Killed),
            _ => Ok(()),
        }
    }
}

/// Why a piece of work ended early.
pub(crate) enum Halt {
    /// By an error: tidy up and report it.
    Failed(StoreError),
    /// By a test: leave everything as it is.
    Killed,
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<Halt> for StoreError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Failed(error) => error,
            Halt::Killed => Self::Closing,
        }
    }
}
