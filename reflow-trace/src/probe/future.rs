//! Probes around futures.
//!
//! The begin runs inside the first poll, in the body itself, where the arguments are. It leaves its
//! flow in a slot of the thread; the wrapper around the body takes it out when that poll returns. So
//! nothing of ours is captured by the body, a future that is never polled records nothing, and one
//! that is dropped half-way is cancelled. Between polls nothing is left on the thread.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use super::flow::Flow;
use crate::context::CauseFrame;
use crate::context::active;
use crate::context::task::TaskCause;
use crate::event::Outcome;

thread_local! {
    /// What the body that is being polled for the first time has begun.
    static BEGUN: RefCell<Begun> = const { RefCell::new(Begun::Nobody) };
}

/// The place where a body leaves what it has begun.
#[derive(Default)]
enum Begun {
    /// Nobody would take it: the poll began before recording did.
    #[default]
    Nobody,
    /// A first poll is waiting for it.
    Awaited,
    /// It is here.
    Here(Flow),
}

/// Begins an attempt from within the body of an instrumented future.
#[inline]
pub fn begin_in(begin: impl FnOnce(&mut Flow)) {
    let is_awaited = || BEGUN.try_with(|slot| matches!(*slot.borrow(), Begun::Awaited));
    if super::on() && is_awaited() == Ok(true) {
        let mut flow = Flow::idle();
        begin(&mut flow);
        if flow.is_active() {
            // On a thread that is exiting the flow is dropped, and so cancelled.
            let _left_behind = BEGUN.try_with(|slot| slot.replace(Begun::Here(flow)));
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
        flow: Flow,
        task: TaskCause,
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
    Instrumented {
        future,
        finish: Some(finish),
        flow: Flow::idle(),
        task: TaskCause::default(),
        was_polled: false,
    }
}

/// Watches a future that was made by other means; the attempt in `flow` begins at its first poll.
#[inline]
pub fn deferred<F: Future, C: FnOnce(&mut F::Output, &mut Flow)>(
    flow: Flow,
    future: F,
    finish: C,
) -> Deferred<F, C> {
    Instrumented {
        future,
        finish: Some(finish),
        flow,
        task: TaskCause::default(),
        was_polled: false,
    }
}

impl<F: Future, C: FnOnce(&mut F::Output, &mut Flow)> Future for Instrumented<F, C> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let poll = if *this.was_polled {
            if this.flow.is_active() || this.task.is_task() {
                let _turn = Turn::enter(this.flow, this.task);
                this.future.poll(cx)
            } else {
                this.future.poll(cx)
            }
        } else {
            *this.was_polled = true;
            if this.flow.is_active() {
                this.flow.begin_deferred();
                let _turn = Turn::enter(this.flow, this.task);
                this.future.poll(cx)
            } else if super::on() {
                let turn = FirstTurn::enter(this.flow, this.task);
                let poll = this.future.poll(cx);
                drop(turn);
                poll
            } else {
                this.future.poll(cx)
            }
        };
        poll.map(|mut output| {
            if let Some(finish) = this.finish.take() {
                finish(&mut output, this.flow);
            }
            output
        })
    }
}

/// The first poll of a body that begins by itself.
struct FirstTurn<'a> {
    flow: &'a mut Flow,
    task: &'a mut TaskCause,
    /// What an enclosing body has begun in its own first poll.
    enclosing: Begun,
    /// The enclosing handler's cause, put back when this is dropped.
    _frame: CauseFrame,
    was_panicking: bool,
}

impl<'a> FirstTurn<'a> {
    #[inline]
    fn enter(flow: &'a mut Flow, task: &'a mut TaskCause) -> Self {
        let enclosing = BEGUN
            .try_with(|slot| slot.replace(Begun::Awaited))
            .unwrap_or_default();
        Self {
            flow,
            task,
            enclosing,
            _frame: CauseFrame::enter(),
            was_panicking: std::thread::panicking(),
        }
    }
}

impl Drop for FirstTurn<'_> {
    #[inline]
    fn drop(&mut self) {
        self.task.suspend();
        let enclosing = std::mem::take(&mut self.enclosing);
        if let Ok(Begun::Here(begun)) = BEGUN.try_with(|slot| slot.replace(enclosing)) {
            *self.flow = begun;
            self.flow.leave_stack();
            end_if_panicking(self.flow, self.was_panicking);
        }
    }
}

/// Any later poll: the attempt is on this thread's stack again, and a handler causes what it sends.
struct Turn<'a> {
    flow: &'a mut Flow,
    task: &'a mut TaskCause,
    depth: usize,
    _frame: CauseFrame,
    was_panicking: bool,
}

impl<'a> Turn<'a> {
    fn enter(flow: &'a mut Flow, task: &'a mut TaskCause) -> Self {
        let frame = match flow.attempt() {
            Some(attempt) if attempt.is_handling() => CauseFrame::with_cause(attempt.cause()),
            _ => CauseFrame::enter(),
        };
        task.resume();
        let depth = active::depth();
        if let Some(edge) = flow.sends_over() {
            active::push(edge);
        }
        Self {
            flow,
            task,
            depth,
            _frame: frame,
            was_panicking: std::thread::panicking(),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.task.is_task() {
            self.task.suspend();
        }
        active::truncate(self.depth);
        end_if_panicking(self.flow, self.was_panicking);
    }
}

/// A panic that leaves a poll ends the attempt at once: whoever catches it may drop the future later,
/// when nothing panics any more.
#[inline]
fn end_if_panicking(flow: &mut Flow, was_panicking: bool) {
    if !was_panicking && std::thread::panicking() {
        flow.end(Outcome::Panicked);
    }
}
