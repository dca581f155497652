//! What a returned value says of the attempt.

use std::ops::Deref;
use std::task::Poll;

use super::flow::Flow;
use crate::event::Outcome;

/// Wraps a reference. `Err` of a std `Result` has failed; anything else was delivered.
///
/// What can fail has methods of its own, and anything else those of [`Unjudged`], which are found after them. Methods
/// and not a trait: a compiler finds them faster, and no import is needed where they are called.
#[derive(Debug)]
pub struct Judged<'a, T: ?Sized>(pub &'a T);

/// What cannot fail as far as its type tells.
#[derive(Debug)]
pub struct Unjudged;

impl<T, E> Judged<'_, Result<T, E>> {
    /// The outcome.
    #[inline]
    pub fn outcome(&self) -> Outcome {
        match self.0 {
            Ok(_) => Outcome::Delivered,
            Err(_) => Outcome::Failed,
        }
    }

    /// Ends the attempt with this outcome.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn end(&self, flow: &mut Flow) {
        flow.end(self.outcome());
    }
}

impl<T, E> Judged<'_, Poll<Result<T, E>>> {
    /// The outcome.
    #[inline]
    pub fn outcome(&self) -> Outcome {
        match self.0 {
            Poll::Ready(Err(_)) => Outcome::Failed,
            Poll::Ready(Ok(_)) | Poll::Pending => Outcome::Delivered,
        }
    }

    /// Ends the attempt with this outcome.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn end(&self, flow: &mut Flow) {
        flow.end(self.outcome());
    }
}

impl<T: ?Sized> Deref for Judged<'_, T> {
    type Target = Unjudged;

    #[inline]
    fn deref(&self) -> &Unjudged {
        &Unjudged
    }
}

impl Unjudged {
    /// The outcome.
    #[inline]
    pub fn outcome(&self) -> Outcome {
        Outcome::Delivered
    }

    /// Ends the attempt with this outcome.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn end(&self, flow: &mut Flow) {
        flow.end(Outcome::Delivered);
    }
}

/// Delivered, or failed.
#[inline]
pub fn outcome_if(ok: bool) -> Outcome {
    if ok {
        Outcome::Delivered
    } else {
        Outcome::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_has_failed() {
        assert_eq!(Judged(&Err::<(), ()>(())).outcome(), Outcome::Failed);
        assert_eq!(Judged(&Ok::<(), ()>(())).outcome(), Outcome::Delivered);
        assert_eq!(
            Judged(&Poll::Ready(Err::<(), ()>(()))).outcome(),
            Outcome::Failed
        );
        assert_eq!(Judged(&false).outcome(), Outcome::Delivered);
        assert_eq!(Judged(&None::<()>).outcome(), Outcome::Delivered);
    }
}
