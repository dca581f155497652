//! What a returned value says of the attempt.

use std::ops::Deref;
use std::task::Poll;

use super::flow::Flow;
use crate::event::Outcome;

/// What a returned value is judged by: `Err` of a std `Result` has failed; anything else was delivered.
///
/// A `Result` has methods of its own, a `Poll` of one those of the type behind this one, and anything else those of
/// [`Unjudged`], which are found after them. Methods and not a trait: a compiler finds them faster, and no import is
/// needed where they are called. One `impl` for each type, so that a type the user got wrong is no second mistake.
#[derive(Debug)]
pub struct Judged<'a, T>(JudgedPoll<'a, T>);

/// The same for what is polled.
#[derive(Debug)]
pub struct JudgedPoll<'a, T>(&'a T);

/// What cannot fail as far as its type tells.
#[derive(Debug)]
pub struct Unjudged;

/// Looks at what was returned.
#[inline]
pub const fn judged<T>(out: &T) -> Judged<'_, T> {
    Judged(JudgedPoll(out))
}

impl<T, E> Judged<'_, Result<T, E>> {
    /// The outcome.
    #[inline]
    pub fn outcome(&self) -> Outcome {
        match self.0.0 {
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

impl<T, E> JudgedPoll<'_, Poll<Result<T, E>>> {
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

impl<'a, T> Deref for Judged<'a, T> {
    type Target = JudgedPoll<'a, T>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> Deref for JudgedPoll<'_, T> {
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
        assert_eq!(judged(&Err::<(), ()>(())).outcome(), Outcome::Failed);
        assert_eq!(judged(&Ok::<(), ()>(())).outcome(), Outcome::Delivered);
        assert_eq!(
            judged(&Poll::Ready(Err::<(), ()>(()))).outcome(),
            Outcome::Failed
        );
        assert_eq!(judged(&false).outcome(), Outcome::Delivered);
        assert_eq!(judged(&None::<()>).outcome(), Outcome::Delivered);
    }
}
