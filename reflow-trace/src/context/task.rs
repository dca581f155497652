//! The cause of a task: the message that it received last.
//!
//! A handler is given its message; a task that loops over a channel takes one. From then on, until it
//! takes the next, what it sends is caused by that message. A thread runs many tasks, so what is
//! received counts only while the poll of a task is known to be under way, and is put away with the
//! task when that poll returns. Outside of such a poll nothing is remembered: on a thread that belongs
//! to nobody the next task would inherit the cause.

use std::cell::Cell;

use super::{Context, ThreadCause};

/// What a receive on this thread means for the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Following {
    /// Nothing: no task is known, or a handler runs, whose cause stays what it handles.
    No,
    /// It becomes the cause.
    Yes,
    /// It has become the cause since this poll began.
    Changed,
}

thread_local! {
    static FOLLOWING: Cell<Following> = const { Cell::new(Following::No) };
}

#[inline]
pub(super) fn replace(following: Following) -> Following {
    FOLLOWING
        .try_with(|cell| cell.replace(following))
        .unwrap_or(Following::No)
}

/// A task begins here: from now on what it receives is the cause of what it sends.
#[inline]
pub(crate) fn begin() {
    replace(Following::Yes);
}

/// A message was received; `cause` is the context of what it leads to.
#[inline]
pub(crate) fn received(cause: impl FnOnce() -> Context) {
    let follows = FOLLOWING.try_with(|cell| cell.get() != Following::No);
    if follows == Ok(true) {
        ThreadCause::with(|thread| thread.set(Some(cause())));
        replace(Following::Changed);
    }
}

/// What a task keeps between two polls.
#[derive(Debug, Default)]
pub(crate) struct TaskCause {
    is_task: bool,
    /// Made at the first receive and then written over.
    last: Option<Box<Context>>,
}

impl TaskCause {
    /// Whether this is the cause of a task at all.
    #[inline]
    pub(crate) fn is_task(&self) -> bool {
        self.is_task
    }

    /// A poll begins, within a frame.
    pub(crate) fn resume(&self) {
        if !self.is_task {
            return;
        }
        begin();
        if let Some(last) = &self.last {
            ThreadCause::with(|thread| thread.set(Some(**last)));
        }
    }

    /// The poll returns; the frame is still there.
    pub(crate) fn suspend(&mut self) {
        let following = replace(Following::No);
        self.is_task |= following != Following::No;
        if following != Following::Changed {
            return;
        }
        let now = ThreadCause::with(ThreadCause::get).flatten();
        match (&mut self.last, now) {
            (Some(place), Some(now)) => **place = now,
            (last, now) => *last = now.map(Box::new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::CauseFrame;

    fn context(sequence: u64) -> Context {
        Context {
            sequence,
            flags: Context::flags_of(false),
            ..Context::NONE
        }
    }

    fn cause() -> u64 {
        Context::current().sequence
    }

    #[test]
    fn outside_a_task_a_receive_is_forgotten() {
        received(|| context(1));
        assert_eq!(cause(), 0);
    }

    #[test]
    fn two_tasks_that_take_turns_keep_their_own_cause() {
        let mut tasks = [TaskCause::default(), TaskCause::default()];
        for (number, task) in (1..).zip(&mut tasks) {
            let _frame = CauseFrame::enter();
            begin();
            received(|| context(number));
            task.suspend();
        }
        assert_eq!(cause(), 0);
        for (number, task) in (1..).zip(&mut tasks) {
            let _frame = CauseFrame::enter();
            task.resume();
            assert_eq!(cause(), number);
            task.suspend();
        }
        assert_eq!(cause(), 0);
    }

    #[test]
    fn what_a_handler_receives_does_not_replace_what_it_handles() {
        let _task = CauseFrame::enter();
        begin();
        received(|| context(1));
        {
            let _handler = CauseFrame::with_cause(context(2));
            received(|| context(3));
            assert_eq!(cause(), 2);
        }
        assert_eq!(cause(), 1);
        received(|| context(4));
        assert_eq!(cause(), 4);
    }
}
