//! Whether batches are accepted now, and why not.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Failure;

/// What readiness and admission look at.
#[derive(Debug, Default)]
pub struct Health {
    failure: Mutex<Option<Failure>>,
    is_stopping: AtomicBool,
}

impl Health {
    /// Whether batches are accepted and committed.
    pub fn is_ready(&self) -> bool {
        self.failure().is_none() && !self.is_stopping()
    }

    /// Why the store does not accept; `None` when it does.
    pub fn failure(&self) -> Option<Failure> {
        self.lock().clone()
    }

    /// Whether the server is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    /// Sets or clears the failure; whether that is news.
    pub(super) fn set_failure(&self, failure: Option<Failure>) -> bool {
        let mut current = self.lock();
        let is_news = current.is_some() != failure.is_some();
        *current = failure;
        is_news
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Failure>> {
        // The value is replaced whole: a thread that panicked has left the old or the new one.
        self.failure
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
