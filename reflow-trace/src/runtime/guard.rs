//! The end of a recording.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::{CURRENT, OFF, Occasion, Runtime, STATE, generation_of};

/// Keeps a recording going. Dropped, it delivers what is in the rings and ends the recording.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use reflow_trace::TracingConfig;
///
/// let guard = reflow_trace::init(TracingConfig::default())?;
/// // … the program runs …
/// guard.flush(Duration::from_secs(1))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "recording ends when the guard is dropped"]
pub struct Guard {
    pub(super) runtime: Option<Arc<Runtime>>,
    pub(super) shutdown_timeout: Duration,
}

/// Why a flush did not complete.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// A sink, or the collector, took longer.
    #[error(
        "the sinks did not take everything within {0:?}: allow more time, or see which sink is slow in `get_performance_metrics`"
    )]
    Timeout(Duration),
    /// The recording has ended, or is that of the process that this one was forked from.
    #[error("the recording has ended: nothing is left to flush")]
    Stopped,
}

impl Guard {
    /// Delivers everything that was recorded before this call to the sinks and has them write it.
    ///
    /// # Errors
    ///
    /// When that takes longer than `within`; what is not delivered by then still is, later.
    pub fn flush(&self, within: Duration) -> Result<(), FlushError> {
        match &self.runtime {
            Some(runtime) => runtime.command(Occasion::Flush, within),
            None => Ok(()),
        }
    }

    /// Whether events are recorded: false when it was switched off by configuration, from outside or
    /// at compile time.
    pub fn is_recording(&self) -> bool {
        self.runtime.is_some()
    }

    /// Ends the recording as dropping does, and says whether everything was delivered.
    ///
    /// # Errors
    ///
    /// When that takes longer than `within`.
    pub fn shutdown(mut self, within: Duration) -> Result<(), FlushError> {
        self.runtime
            .take()
            .map_or(Ok(()), |runtime| runtime.stop(within))
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("is_recording", &self.is_recording())
            .finish()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // There is nobody left to tell; what was not delivered in time is in the sinks' ledgers.
            let _late = runtime.stop(self.shutdown_timeout);
        }
    }
}

impl Runtime {
    /// No more events; delivers those that are there.
    pub(super) fn stop(&self, within: Duration) -> Result<(), FlushError> {
        if self.is_inherited() {
            return Err(FlushError::Stopped);
        }
        // Another recording may have begun meanwhile, in a fork.
        let _not_ours = STATE.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
            (generation_of(state) == self.generation).then_some(OFF)
        });
        self.lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .close();
        let result = self.command(Occasion::End, within);
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if current
            .as_ref()
            .is_some_and(|current| current.generation == self.generation)
        {
            *current = None;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::TracingConfig;

    #[test]
    fn a_guard_that_a_fork_has_inherited_waits_for_nobody() {
        let (by_hand, _by_hand) = crossbeam_channel::bounded(1);
        let (commands, asked) = crossbeam_channel::bounded(1);
        let mut runtime = Runtime::new(&TracingConfig::default(), by_hand, commands, false);
        Arc::get_mut(&mut runtime)
            .expect("nobody else has it")
            .process += 1;
        // A thread of the parent may have held it when it forked.
        let lanes = runtime.lanes.try_lock().expect("it is free");
        assert_eq!(
            runtime.command(Occasion::Flush, Duration::from_millis(20)),
            Err(FlushError::Stopped)
        );
        assert_eq!(
            runtime.stop(Duration::from_millis(20)),
            Err(FlushError::Stopped)
        );
        assert!(asked.try_recv().is_err(), "there is no collector to ask");
        drop(lanes);
    }
}
