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

/// Whether the body of an instrumented future is at its begin and somebody waits for its attempt.
#[inline]
pub fn begins_here() -> bool {
    super::on() && active::replace_awaited(false)
}

pin_project! {
    /// A future whose polls are watched; made by [`instrumented`]. With what the body returned it gives the attempt,
    /// which its caller ends.
    #[must_use = "futures do nothing unless polled"]
    pub struct Instrumented<F> {
        #[pin]
        future: F,
        parked: Parked,
        was_polled: bool,
    }
}

/// Watches a body that begins by itself: that asks [`begins_here`], and leaves its flow with [`Flow::stay`].
#[inline]
pub const fn instrumented<F: Future>(future: F) -> Instrumented<F> {
    watched(Parked::NOTHING, future)
}

const fn watched<F: Future>(parked: Parked, future: F) -> Instrumented<F> {
    Instrumented {
        future,
        parked,
        was_polled: false,
    }
}

impl<F: Future> Future for Instrumented<F> {
    type Output = (F::Output, Flow);

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let turn = Turn::take(this.parked, this.was_polled);
        let poll = this.future.poll(cx);
        let flow = Turn::leave(turn);
        match poll {
            Poll::Ready(output) => Poll::Ready((output, flow)),
            Poll::Pending => {
                park(flow, this.parked);
                Poll::Pending
            }
        }
    }
}

/// The attempt of a body that is not done travels with the future.
#[inline]
fn park(mut flow: Flow, parked: &mut Parked) {
    if flow.is_active() {
        *parked = flow.park();
    }
}

pin_project! {
    /// A future that was made before its attempt begins; made by [`deferred`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Deferred<F, C> {
        #[pin]
        future: Instrumented<F>,
        finish: Option<C>,
    }
}

/// Watches a future that was made by other means; the parked attempt begins at its first poll, and `finish` sees what
/// it returns and gives it back.
#[inline]
pub fn deferred<F: Future, C: FnOnce(F::Output, Flow) -> F::Output>(
    parked: Parked,
    future: F,
    finish: C,
) -> Deferred<F, C> {
    Deferred {
        future: watched(parked, future),
        finish: Some(finish),
    }
}

impl<F: Future, C: FnOnce(F::Output, Flow) -> F::Output> Future for Deferred<F, C> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.future
            .poll(cx)
            .map(|(output, flow)| match this.finish.take() {
                Some(finish) => finish(output, flow),
                None => output,
            })
    }
}

/// One poll. What lies in `place` after it is the attempt of this future.
struct Turn {
    place: usize,
    /// Whether the first poll of an enclosing body waited for it to begin.
    was_awaited: bool,
    /// The poll has returned; a turn that ends otherwise ends by a panic.
    has_returned: bool,
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
            has_returned: false,
            frame: CauseFrame::enter(),
        }
    }

    /// Begins a poll; `None` where there is nothing to watch.
    #[inline]
    fn take(parked: &mut Parked, was_polled: &mut bool) -> Option<Self> {
        let is_first = !std::mem::replace(was_polled, true);
        if parked.is_active() {
            if is_first {
                parked.begin_deferred();
            }
            let turn = Self::enter(false);
            parked.resume();
            Some(turn)
        } else {
            (is_first && super::on()).then(|| Self::enter(true))
        }
    }

    /// The poll has returned.
    #[inline]
    fn leave(turn: Option<Self>) -> Flow {
        turn.map_or(const { Flow::idle() }, |mut turn| {
            turn.has_returned = true;
            turn.look()
        })
    }

    /// The attempt of this future, if there is one.
    fn look(&mut self) -> Flow {
        // A handling has set the base above its place, whatever has become of its recording since.
        if active::base() != self.place + 1 {
            self.frame.leave_as_it_is();
        }
        flow_in(self.place)
    }
}

impl Drop for Turn {
    #[inline]
    fn drop(&mut self) {
        active::replace_awaited(self.was_awaited);
        // A panic that leaves a poll ends the attempt at once: whoever catches it may drop the future later,
        // when nothing panics any more.
        if !self.has_returned {
            self.look().end(Outcome::Panicked);
        }
    }
}
