//! The cause of what is sent now: the event that is being handled on this thread.
//!
//! The frame is set around each poll of a handler and around each call of a synchronous one, and put
//! back after it, also on unwind. No guard lives across an await, so two handlers that interleave on
//! one thread do not mix.

use std::cell::Cell;
use std::marker::PhantomData;

use super::task::{self, Following};
use super::{Context, active};

thread_local! {
    static CAUSE: ThreadCause =
        const { ThreadCause { is_set: Cell::new(false), context: Cell::new(Context::NONE) } };
}

/// The cause on one thread.
pub(crate) struct ThreadCause {
    /// Whether `context` is linked; spares the copy where nothing is being handled.
    is_set: Cell<bool>,
    context: Cell<Context>,
}

impl ThreadCause {
    /// Runs `f` with this thread's cause; `None` where the thread is too far gone.
    #[inline]
    pub(crate) fn with<R>(f: impl FnOnce(&Self) -> R) -> Option<R> {
        CAUSE.try_with(f).ok()
    }

    /// Whether something is being handled.
    #[inline]
    pub(crate) fn is_set() -> bool {
        // On a thread that is too far gone nothing is handled.
        CAUSE.try_with(|cause| cause.is_set.get()).unwrap_or(false)
    }

    /// The cause, where something is being handled.
    #[inline]
    pub(crate) fn get(&self) -> Option<Context> {
        self.is_set.get().then(|| self.context.get())
    }

    #[inline]
    pub(crate) fn set(&self, context: Option<Context>) {
        let context = context.filter(Context::is_linked);
        self.is_set.set(context.is_some());
        if let Some(context) = context {
            self.context.set(context);
        }
    }
}

pub(super) fn current() -> Context {
    ThreadCause::with(ThreadCause::get)
        .flatten()
        .unwrap_or(Context::NONE)
}

/// Puts the cause of this thread back when it is dropped.
#[derive(Debug)]
pub struct CauseFrame {
    before: Option<Context>,
    base_before: usize,
    following_before: Following,
    /// A thread's cause belongs to that thread.
    stays_on_its_thread: PhantomData<*const ()>,
}

impl CauseFrame {
    /// Remembers the cause as it is.
    #[must_use = "the cause is put back when this is dropped"]
    #[inline]
    pub fn enter() -> Self {
        Self {
            before: ThreadCause::with(ThreadCause::get).flatten(),
            base_before: active::base(),
            following_before: task::replace(Following::No),
            stays_on_its_thread: PhantomData,
        }
    }

    /// Remembers the cause as it is and sets another.
    #[inline]
    pub(crate) fn with_cause(cause: Context) -> Self {
        let frame = Self::enter();
        Self::handle(cause);
        frame
    }
}

impl CauseFrame {
    /// What is sent from now on is caused by a handling that begins here.
    #[inline]
    pub(crate) fn handle(cause: Context) {
        ThreadCause::with(|thread| thread.set(Some(cause)));
        active::set_base(active::depth());
    }
}

impl Drop for CauseFrame {
    #[inline]
    fn drop(&mut self) {
        ThreadCause::with(|thread| thread.set(self.before));
        active::set_base(self.base_before);
        task::replace(self.following_before);
    }
}
