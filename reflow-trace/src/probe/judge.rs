//! What a returned value says of the attempt.

use std::task::Poll;

use crate::event::Outcome;

/// Wraps a reference, so that [`Judge`] finds what can be said of what it refers to.
#[derive(Debug)]
pub struct Judged<'a, T: ?Sized>(pub &'a T);

/// `Err` of a std `Result` has failed; anything else was delivered.
pub trait Judge {
    /// The outcome.
    fn outcome(&self) -> Outcome;
}

impl<T, E> Judge for &Judged<'_, Result<T, E>> {
    #[inline]
    fn outcome(&self) -> Outcome {
        outcome_if(self.0.is_ok())
    }
}

impl<T, E> Judge for &Judged<'_, Poll<Result<T, E>>> {
    #[inline]
    fn outcome(&self) -> Outcome {
        outcome_if(!matches!(self.0, Poll::Ready(Err(_))))
    }
}

impl<T: ?Sized> Judge for Judged<'_, T> {
    #[inline]
    fn outcome(&self) -> Outcome {
        Outcome::Delivered
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
#[expect(
    clippy::needless_borrow,
    reason = "the references choose the impl, as in generated code"
)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_has_failed() {
        assert_eq!((&&Judged(&Err::<(), ()>(()))).outcome(), Outcome::Failed);
        assert_eq!((&&Judged(&Ok::<(), ()>(()))).outcome(), Outcome::Delivered);
        assert_eq!(
            (&&Judged(&Poll::Ready(Err::<(), ()>(())))).outcome(),
            Outcome::Failed
        );
        assert_eq!((&&Judged(&false)).outcome(), Outcome::Delivered);
        assert_eq!((&&Judged(&None::<()>)).outcome(), Outcome::Delivered);
    }
}
