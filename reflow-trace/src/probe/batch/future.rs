//! A batch whose body is a future.
//!
//! As with a single send, the begin runs inside the first poll and leaves the batch in a slot of the thread, from where
//! the wrapper takes it; see `probe/future.rs`.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use super::Batch;
use crate::event::Outcome;

thread_local! {
    /// What the body that is being polled for the first time has begun; `None` where nobody would take it.
    static BEGUN: RefCell<Option<Batch>> = const { RefCell::new(None) };
}

/// Begins a batch from within the body of an instrumented future.
#[inline]
pub fn begin_batch_in(begin: impl FnOnce(&mut Batch)) {
    let is_awaited = || BEGUN.try_with(|slot| slot.borrow().is_some());
    if super::super::on() && is_awaited() == Ok(true) {
        let mut batch = Batch::idle();
        begin(&mut batch);
        if batch.is_active() {
            let _left_behind = BEGUN.try_with(|slot| slot.replace(Some(batch)));
        }
    }
}

pin_project! {
    /// A future that is a batch; made by [`instrumented_batch`] and [`deferred_batch`].
    #[must_use = "futures do nothing unless polled"]
    pub struct BatchFuture<F, C> {
        #[pin]
        future: F,
        finish: Option<C>,
        batch: Batch,
        was_polled: bool,
    }
}

/// Watches a body that calls [`begin_batch_in`] itself; `finish` sees what it returns.
#[inline]
pub fn instrumented_batch<F: Future, C: FnOnce(&mut F::Output, &mut Batch)>(
    future: F,
    finish: C,
) -> BatchFuture<F, C> {
    deferred_batch(Batch::idle(), future, finish)
}

/// Watches a future that was made by other means; the batch begins at its first poll.
#[inline]
pub fn deferred_batch<F: Future, C: FnOnce(&mut F::Output, &mut Batch)>(
    batch: Batch,
    future: F,
    finish: C,
) -> BatchFuture<F, C> {
    BatchFuture {
        future,
        finish: Some(finish),
        batch,
        was_polled: false,
    }
}

impl<F: Future, C: FnOnce(&mut F::Output, &mut Batch)> Future for BatchFuture<F, C> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let is_first = !std::mem::replace(this.was_polled, true);
        let poll = if this.batch.is_active() || (is_first && super::super::on()) {
            let turn = Turn::enter(this.batch, is_first);
            let poll = this.future.poll(cx);
            drop(turn);
            poll
        } else {
            this.future.poll(cx)
        };
        poll.map(|mut output| {
            if let Some(finish) = this.finish.take() {
                finish(&mut output, this.batch);
            }
            output
        })
    }
}

/// One poll: what is counted over the edge meanwhile was sent from within.
struct Turn<'a> {
    batch: &'a mut Batch,
    /// In the first poll of a body that begins by itself: what an enclosing body has begun in its own.
    enclosing: Option<Option<Batch>>,
    was_panicking: bool,
}

impl<'a> Turn<'a> {
    fn enter(batch: &'a mut Batch, is_first: bool) -> Self {
        let begins_itself = is_first && !batch.is_active();
        let enclosing = begins_itself.then(|| {
            let slot = BEGUN.try_with(|slot| slot.replace(Some(Batch::idle())));
            slot.unwrap_or_default()
        });
        batch.resume();
        Self {
            batch,
            enclosing,
            was_panicking: std::thread::panicking(),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(enclosing) = self.enclosing.take()
            && let Ok(Some(begun)) = BEGUN.try_with(|slot| slot.replace(enclosing))
        {
            *self.batch = begun;
        }
        self.batch.pause();
        // Whoever catches the panic may drop the future later, when nothing panics any more.
        if !self.was_panicking && std::thread::panicking() {
            self.batch.end(Outcome::Panicked);
        }
    }
}
