//! The cause of what is sent now: the event that is being handled on this thread.
//!
//! The frame is set around each poll of a handler and around each call of a synchronous one, and put
//! back after it, also on unwind. No guard lives across an await, so two handlers that interleave on
//! one thread do not mix.

use std::cell::Cell;
use std::marker::PhantomData;

use super::Context;

thread_local! {
    static CAUSE: ThreadCause = const { ThreadCause(Cell::new(Context::NONE)) };
}

/// The cause on one thread.
pub(crate) struct ThreadCause(Cell<Context>);

impl ThreadCause {
    /// Runs `f` with this thread's cause; `None` where the thread is too far gone.
    #[inline]
    pub(crate) fn with<R>(f: impl FnOnce(&Self) -> R) -> Option<R> {
        CAUSE.try_with(f).ok()
    }

    #[inline]
    pub(crate) fn get(&self) -> Context {
        self.0.get()
    }

    #[inline]
    pub(crate) fn set(&self, context: Context) {
        self.0.set(context);
    }
}

pub(super) fn current() -> Context {
    ThreadCause::with(ThreadCause::get).unwrap_or(Context::NONE)
}

/// Puts the cause of this thread back when it is dropped.
#[derive(Debug)]
pub struct CauseFrame {
    before: Context,
    /// A thread's cause belongs to that thread.
    stays_on_its_thread: PhantomData<*const ()>,
}

impl CauseFrame {
    /// Remembers the cause as it is.
    #[must_use = "the cause is put back when this is dropped"]
    #[inline]
    pub fn enter() -> Self {
        Self { before: current(), stays_on_its_thread: PhantomData }
    }

    /// Remembers the cause as it is and sets another.
    #[inline]
    pub(crate) fn with_cause(cause: Context) -> Self {
        let frame = Self::enter();
        ThreadCause::with(|thread| thread.set(cause));
        frame
    }
}

impl Drop for CauseFrame {
    #[inline]
    fn drop(&mut self) {
        ThreadCause::with(|thread| thread.set(self.before));
    }
}
