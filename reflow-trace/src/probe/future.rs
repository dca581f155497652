//! Probes around futures.
//!
//! The begin runs inside the first poll, in the body itself, where the arguments are. It leaves its
//! attempt on the stack of the thread; the wrapper around the body finds it there when that poll
//! returns. If the body is done the attempt ends where it lies, else it travels with the future. So nothing of
//! ours is captured by the body, a future that is never polled records nothing, and one that is dropped
//! half-way is cancelled. Between polls nothing is left on the thread.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use super::flow::{Flow, flow_in};
use super::parked::Parked;
use crate::context::{CauseFrame, active};
use crate::event::Outcome;

/// Begins an attempt from within the body of an instrumented future.
#[inline]
pub fn begin_in(begin: impl FnOnce(&mut Flow)) {
    if super::on() && active::replace_awaited(false) {
        let mut flow = Flow::idle();
        begin(&mut flow);
        if flow.is_active() {
            // It stays on the stack, where the wrapper finds it.
            flow.leave();
        }
    }
}

pin_project! {
    /// A future whose polls are watched; made by [`instrumented`] and [`deferred`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Instrumented<F, C> {
        #[pin]
        future: F,
        finish: Option<C>,
        parked: Parked,
        was_polled: bool,
    }
}

/// A future that was made before its attempt begins.
pub type Deferred<F, C> = Instrumented<F, C>;

/// Watches a body that calls [`begin_in`] itself; `finish` sees what it returns.
#[inline]
pub fn instrumented<F: Future, C: FnOnce(&mut F::Output, &mut Flow)>(
    future: F,
    finish: C,
) -> Instrumented<F, C> {
    deferred(Parked::NOTHING, future, finish)
}

/// Watches a future that was made by other means; the parked attempt begins at its first poll.
#[inline]
pub fn deferred<F: Future, C: FnOnce(&mut F::Output, &mut Flow)>(
    parked: Parked,
    future: F,
    finish: C,
) -> Deferred<F, C> {
    Instrumented {
        future,
        finish: Some(finish),
        parked,
        was_polled: false,
    }
}

impl<F: Future, C: FnOnce(&mut F::Output, &mut Flow)> Future for Instrumented<F, C> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let is_first = !std::mem::replace(this.was_polled, true);
        let (poll, mut flow) = if this.parked.is_active() {
            if is_first {
                this.parked.begin_deferred();
            }
            let turn = Turn::enter(false);
            this.parked.resume();
            let poll = this.future.poll(cx);
            (poll, turn.leave())
        } else if is_first && super::on() {
            let turn = Turn::enter(true);
            let poll = this.future.poll(cx);
            (poll, turn.leave())
        } else {
            (this.future.poll(cx), Flow::idle())
        };
        if poll.is_pending() {
            *this.parked = flow.park();
        }
        poll.map(|mut output| {
            if let Some(finish) = this.finish.take() {
                finish(&mut output, &mut flow);
            }
            output
        })
    }
}

/// One poll. What lies in `place` after it is the attempt of this future.
struct Turn {
    place: usize,
    /// Whether the first poll of an enclosing body waited for it to begin.
    was_awaited: bool,
    was_panicking: bool,
    /// The enclosing handler's cause, put back when this is dropped; but only after a handling, because
    /// what a task has received meanwhile is to stay.
    frame: CauseFrame,
}

impl Turn {
    /// `is_awaited`: the body begins by itself.
    #[inline]
    fn enter(is_awaited: bool) -> Self {
        Self {
            place: active::depth(),
            was_awaited: active::replace_awaited(is_awaited),
            was_panicking: std::thread::panicking(),
            frame: CauseFrame::enter(),
        }
    }

    /// The poll has returned.
    #[inline]
    fn leave(mut self) -> Flow {
        self.look()
    }

    /// The attempt of this future, if there is one.
    fn look(&mut self) -> Flow {
        let (flow, handles) = flow_in(self.place);
        if !handles {
            self.frame.leave_as_it_is();
        }
        flow
    }
}

impl Drop for Turn {
    #[inline]
    fn drop(&mut self) {
        active::replace_awaited(self.was_awaited);
        // A panic that leaves a poll ends the attempt at once: whoever catches it may drop the future later,
        // when nothing panics any more.
        if !self.was_panicking && std::thread::panicking() {
            self.look().end(Outcome::Panicked);
        }
    }
}
