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

thread_local! {
    static CAUSE: ThreadCause =
        const { ThreadCause { state: Cell::new(0), context: Cell::new(Context::NONE) } };
}

/// `context` is linked; spares the copy where nothing is being handled.
const SET: u8 = 1 << 0;
/// The innermost frame is a task: a receive becomes its cause.
const TASK: u8 = 1 << 1;

/// The cause on one thread.
pub(crate) struct ThreadCause {
    state: Cell<u8>,
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
        CAUSE
            .try_with(|cause| cause.state.get() & SET != 0)
            .unwrap_or(false)
    }

    /// Whether the innermost frame is a task.
    #[inline]
    pub(crate) fn is_task() -> bool {
        CAUSE
            .try_with(|cause| cause.state.get() & TASK != 0)
            .unwrap_or(false)
    }

    /// The cause, where something is being handled.
    #[inline]
    pub(crate) fn get(&self) -> Option<Context> {
        (self.state.get() & SET != 0).then(|| self.context.get())
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

    /// A task goes on with this cause; what was there before.
    pub(super) fn enter_task(&self, context: &Context) -> Before {
        let before = self.before();
        self.receive(context);
        before
    }

    /// The task pauses; the cause it has by now.
    pub(super) fn leave_task(&self, before: &Before) -> Context {
        let context = self.get().unwrap_or(Context::NONE);
        self.put_back(before);
        context
    }

    #[inline]
    fn before(&self) -> Before {
        Before {
            state: self.state.get(),
            context: self.get(),
        }
    }

    #[inline]
    fn put_back(&self, before: &Before) {
        self.state.set(before.state);
        if let Some(context) = before.context {
            self.context.set(context);
        }
    }
}

/// What a frame puts back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before {
    state: u8,
    context: Option<Context>,
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
    before: Before,
    base_before: usize,
    /// A thread's cause belongs to that thread.
    stays_on_its_thread: PhantomData<*const ()>,
}

impl CauseFrame {
    /// Remembers the cause as it is.
    #[must_use = "the cause is put back when this is dropped"]
    #[inline]
    pub fn enter() -> Self {
        Self {
            before: ThreadCause::with(ThreadCause::before).unwrap_or_default(),
            base_before: active::base(),
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

    /// Remembers the cause as it is and sets another.
    #[inline]
    pub(crate) fn with_cause(cause: Context) -> Self {
        let frame = Self::enter();
        Self::handle(cause);
        frame
    }

    /// Leaves the cause as it has become: nothing was handled in between, and what a task has received
    /// is to stay.
    #[inline]
    pub(crate) fn leave_as_it_is(self) {
        std::mem::forget(self);
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
        ThreadCause::with(|thread| thread.put_back(&self.before));
        active::set_base(self.base_before);
    }
}
