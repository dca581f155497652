//! Who looks on while a statement is carried out: the [`Asking`] that it belongs to, for threads that may
//! live a little longer than the call.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::answer::Asking;
use crate::store::{Effort, StoreError, Watch};

/// Ends when it is told to, and adds up what is spent.
#[derive(Debug, Default)]
pub(super) struct Looking {
    is_over: AtomicBool,
    spent: Mutex<Effort>,
}

impl Looking {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Nobody waits any more.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Hands over what was spent since the last time.
    pub(super) fn settle(&self, asking: &Asking) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        asking.spend(std::mem::take(&mut *spent));
    }
}

impl Watch for Looking {
    fn go_on(&self) -> Result<(), StoreError> {
        if self.is_over.load(Ordering::Relaxed) {
            return Err(StoreError::GivenUp);
        }
        Ok(())
    }

    fn spend(&self, effort: Effort) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.segments += effort.segments;
        spent.segments_opened += effort.segments_opened;
        spent.pages += effort.pages;
        spent.pages_read += effort.pages_read;
        spent.rows_looked_at += effort.rows_looked_at;
        spent.events_decoded += effort.events_decoded;
    }
}
