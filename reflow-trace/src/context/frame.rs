//! The cause of what is sent now: the event that is being handled on this thread.
//!
//! The frame is set around each poll of a handler and around each call of a synchronous one, and put
//! back after it, also on unwind. No guard lives across an await, so two handlers that interleave on
//! one thread do not mix.
//!
//! A *task* is a frame too ([`Scoped`](super::Scoped)); in it, and only there, a plain receive becomes
//! the cause of what follows. Inside a handler it does not: who waits for a reply goes on handling.

use std::cell::Cell;
use std::marker::PhantomData;

use super::{Context, active, has};
use crate::lane::with_here;

/// `context` is linked; spares the copy where nothing is being handled.
const SET: u8 = 1 << 0;
/// The innermost frame is a task: a receive becomes its cause.
const TASK: u8 = 1 << 1;

/// The cause on one thread.
#[derive(Debug)]
pub(crate) struct ThreadCause {
    state: Cell<u8>,
    context: Cell<Context>,
}

impl ThreadCause {
    pub(crate) const fn none() -> Self {
        Self {
            state: Cell::new(0),
            context: Cell::new(Context::NONE),
        }
    }

    /// Runs `f` with this thread's cause; `None` where the thread is too far gone.
    #[inline]
    pub(crate) fn with<R>(f: impl FnOnce(&Self) -> R) -> Option<R> {
        with_here(|here| f(&here.cause))
    }

    /// Whether something is being handled.
    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.state.get() & SET != 0
    }

    /// Whether the innermost frame is a task.
    #[inline]
    pub(crate) fn is_task() -> bool {
        // On a thread that is too far gone nothing is handled.
        Self::with(Self::is_of_task).unwrap_or(false)
    }

    /// The same, of a cause that has been reached.
    #[inline]
    pub(crate) fn is_of_task(&self) -> bool {
        self.state.get() & TASK != 0
    }

    /// The cause, where something is being handled.
    #[inline]
    pub(crate) fn get(&self) -> Option<Context> {
        self.is_set().then(|| self.context.get())
    }

    /// A handling begins.
    #[inline]
    fn set(&self, context: &Context) {
        if context.is_linked() {
            self.state.set(SET);
            self.context.set(*context);
        } else {
            self.state.set(0);
        }
    }

    /// The task has received what leads to what follows.
    #[inline]
    pub(crate) fn receive(&self, context: &Context) {
        self.set(context);
        self.state.set(self.state.get() | TASK);
    }

    #[inline]
    fn put_back(&self, state: u8, context: Option<Context>) {
        self.state.set(state);
        if let Some(context) = context {
            self.context.set(context);
        }
    }
}

pub(super) fn current() -> Context {
    let mut context = ThreadCause::with(ThreadCause::get)
        .flatten()
        .unwrap_or(Context::NONE);
    // They belong to the thread; `Causes::current` takes them along.
    context.flags &= !has::FURTHER_CAUSES;
    context
}

/// Puts the cause of this thread back when it is dropped.
#[derive(Debug)]
pub struct CauseFrame {
    before: Option<Context>,
    base_before: usize,
    state_before: u8,
    is_over: bool,
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
            state_before: ThreadCause::with(|thread| thread.state.get()).unwrap_or(0),
            is_over: false,
            stays_on_its_thread: PhantomData,
        }
    }

    /// Remembers the cause as it is and begins a task: what is received from now on becomes the cause.
    #[must_use = "the cause is put back when this is dropped"]
    pub fn enter_task() -> Self {
        let frame = Self::enter();
        ThreadCause::with(|thread| thread.state.set(thread.state.get() | TASK));
        frame
    }

    /// Leaves the cause as it has become: nothing was handled in between, and what a task has received
    /// is to stay.
    #[inline]
    pub(crate) fn leave_as_it_is(&mut self) {
        self.is_over = true;
    }
}

impl CauseFrame {
    /// What is sent from now on is caused by a handling that begins here.
    #[inline]
    pub(crate) fn handle(cause: Context) {
        ThreadCause::with(|thread| thread.set(&cause));
        active::set_base(active::depth());
    }
}

impl Drop for CauseFrame {
    #[inline]
    fn drop(&mut self) {
        if !self.is_over {
            ThreadCause::with(|thread| thread.put_back(self.state_before, self.before));
            active::set_base(self.base_before);
        }
    }
}
