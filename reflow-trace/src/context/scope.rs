//! Carrying a cause to where the work goes on: into a task, a thread, a callback.
//!
//! What a handler spawns runs when the handler is long gone, so that its cause has to be taken along.
//! A scope sets it around each poll (or around a call), remembers what it has become, and puts back
//! what was there before, also on unwind. Between polls nothing is left on the thread; tasks that
//! interleave do not see each other's causes.
//!
//! A scope is also what makes a *task* in the sense of "the last receive of this task": what a traced
//! receive returns inside it becomes the cause of what it sends next.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use super::causes::Causes;
use super::{CauseFrame, Context, FurtherCauses, ThreadCause, has};

pin_project! {
    /// A future with causes of its own; made by [`Context::scope`], [`Causes::scope`] and
    /// [`CarryCause::in_current_cause`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Scoped<F> {
        #[pin]
        future: Option<F>,
        causes: Causes,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            // What the future sends while it is dropped has its causes too.
            let mut this = this.project();
            let turn = Turn::enter(this.causes);
            this.future.set(None);
            drop(turn);
        }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _turn = Turn::enter(this.causes);
        match this.future.as_pin_mut() {
            Some(future) => future.poll(cx),
            // Only while it is being dropped, when nobody polls.
            None => Poll::Pending,
        }
    }
}

/// The causes are those of the thread while this lives.
struct Turn<'a> {
    causes: &'a mut Causes,
    /// Puts back what was there before; `None` while recording is off.
    frame: Option<CauseFrame>,
}

impl<'a> Turn<'a> {
    fn enter(causes: &'a mut Causes) -> Self {
        let frame = crate::runtime::may_be_on().then(|| {
            let frame = CauseFrame::enter_task();
            let mut cause = causes.first;
            if !causes.further.is_empty() {
                cause.flags |= has::FURTHER_CAUSES;
            }
            ThreadCause::with(|thread| thread.receive(&cause));
            causes.further.swap();
            frame
        });
        Self { causes, frame }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.frame.is_none() {
            return;
        }
        self.causes.further.swap();
        let now = ThreadCause::with(ThreadCause::get).flatten();
        self.causes.first = now.unwrap_or(Context::NONE);
        // What was received since takes the place of all of them.
        if !self.causes.first.has(has::FURTHER_CAUSES) {
            self.causes.further = FurtherCauses::default();
        }
        self.causes.first.flags &= !has::FURTHER_CAUSES;
    }
}

impl Causes {
    /// Has what the future sends be caused by these.
    pub fn scope<F: Future>(self, future: F) -> Scoped<F> {
        Scoped {
            future: Some(future),
            causes: self,
        }
    }

    /// Has what is sent during the call be caused by these.
    pub fn scope_sync<R>(mut self, work: impl FnOnce() -> R) -> R {
        let _turn = Turn::enter(&mut self);
        work()
    }
}

impl Context {
    /// A future whose sends are caused by what this context belongs to.
    ///
    /// It is a task of its own: what a traced receive returns in it is the cause of what it sends
    /// after that. With [`Context::NONE`] it begins without a cause.
    ///
    /// # Examples
    ///
    /// ```
    /// # struct Reading { context: reflow_trace::Context }
    /// # async fn store(_: Reading) {}
    /// # fn spawn<F>(_: F) {}
    /// fn on_reading(reading: Reading) {
    ///     spawn(reading.context.scope(async move { store(reading).await }));
    /// }
    /// ```
    pub fn scope<F: Future>(self, future: F) -> Scoped<F> {
        Causes::from(self).scope(future)
    }

    /// Calls `work`; what it sends is caused by what this context belongs to, as in [`Self::scope`].
    pub fn scope_sync<R>(self, work: impl FnOnce() -> R) -> R {
        Causes::from(self).scope_sync(work)
    }
}

/// Takes the cause along into what is spawned.
pub trait CarryCause: Future + Sized {
    /// A future whose sends are caused by what is being handled now.
    ///
    /// # Examples
    ///
    /// ```
    /// use reflow_trace::CarryCause;
    /// # fn spawn<F>(_: F) {}
    ///
    /// // Inside a handler: what the task sends is caused by what is handled here.
    /// spawn(async { /* … */ }.in_current_cause());
    /// ```
    fn in_current_cause(self) -> Scoped<Self> {
        Causes::current().scope(self)
    }
}

impl<F: Future> CarryCause for F {}

/// Makes a future a task that begins with what is being handled now.
pub fn in_task<F: Future>(future: F) -> Scoped<F> {
    Causes::current().scope(future)
}

/// A closure, for a thread or a callback, whose sends are caused by what is being handled now.
///
/// # Examples
///
/// ```
/// use std::thread;
///
/// let thread = thread::spawn(reflow_trace::carry_cause(|| 1 + 1));
/// assert_eq!(thread.join().unwrap(), 2);
/// ```
pub fn carry_cause<R>(work: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let causes = Causes::current();
    move || causes.scope_sync(work)
}
