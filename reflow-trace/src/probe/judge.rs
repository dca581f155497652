//! What a returned value says of the attempt.

use std::marker::PhantomData;
use std::task::Poll;

use super::flow::Flow;
use crate::event::Outcome;

/// How a returned value of this type is judged: `Err` of a std `Result` has failed; anything else was delivered.
///
/// For a `Result`, and a `Poll` of one, there are methods here; for anything else there are those of [`Unjudged`], where
/// look-up arrives after this. Methods and not a trait: a compiler finds them faster, and no import is needed where they
/// are called.
///
/// Both are nothing but types. What is judged is handed to the method, by value where an attempt ends with it: then the
/// method around a body holds neither of them any more, and a compiler has nothing to drop there on any way out.
#[derive(Debug)]
pub struct Judge<T>(PhantomData<fn() -> T>);

/// The same for what cannot fail as far as its type tells.
#[derive(Debug)]
pub struct Unjudged<T>(PhantomData<fn() -> T>);

/// How a value of a type is judged that is known.
#[inline]
pub const fn judge<T>() -> Judge<T> {
    Judge(PhantomData)
}

/// How nothing is judged.
#[inline]
pub const fn unjudged() -> Unjudged<()> {
    Unjudged(PhantomData)
}

/// How this value is judged, of whatever type.
#[inline]
pub const fn judge_of<T>(_: &T) -> Judge<T> {
    judge()
}

macro_rules! judges {
    ($($this:ident [$($bounds:tt)*] $type:ty: $out:pat => $outcome:expr;)*) => {$(
        impl<$($bounds)*> $this<$type> {
            /// The outcome.
            #[inline]
            pub fn outcome(self, $out: &$type) -> Outcome {
                $outcome
            }

            /// Ends the attempt with this outcome, and gives back what was returned.
            #[cfg_attr(not(debug_assertions), inline(always))]
            pub fn end(self, mut flow: Flow, out: $type) -> $type {
                let $out = &out;
                flow.end($outcome);
                std::mem::forget(flow);
                out
            }

            /// The same with what a future gave.
            #[cfg_attr(not(debug_assertions), inline(always))]
            pub fn end_both(self, (out, flow): ($type, Flow)) -> $type {
                self.end(flow, out)
            }
        }
    )*};
}

judges! {
    Judge [T, E] Result<T, E>: out => match out {
        Ok(_) => Outcome::Delivered,
        Err(_) => Outcome::Failed,
    };
    Judge [T, E] Poll<Result<T, E>>: out => match out {
        Poll::Ready(Err(_)) => Outcome::Failed,
        Poll::Ready(Ok(_)) | Poll::Pending => Outcome::Delivered,
    };
    Unjudged [T] T: _ => Outcome::Delivered;
}

/// Each line is a type without a value, that derefs to the type of the next line.
macro_rules! levels {
    ($($this:ident $(, then $next:ident)?;)*) => {$(
        impl<T> Clone for $this<T> {
            #[inline]
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $this<T> {}

        $(impl<T> std::ops::Deref for $this<T> {
            type Target = $next<T>;

            #[inline]
            fn deref(&self) -> &$next<T> {
                &$next(PhantomData)
            }
        })?
    )*};
}

pub(super) use levels;

levels! {
    Judge, then Unjudged;
    Unjudged;
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
        fn outcomes<T, E>(ok: T, err: E) -> [Outcome; 4] {
            let judge_poll = judge::<Poll<Result<T, E>>>();
            let (ok, err) = (Ok(ok), Err(err));
            let of_result = [
                judge_of(&ok).outcome(&ok),
                judge::<Result<T, E>>().outcome(&err),
            ];
            let of_poll = [ok, err].map(|out| judge_poll.outcome(&Poll::Ready(out)));
            [of_result[0], of_result[1], of_poll[0], of_poll[1]]
        }
        assert_eq!(
            outcomes((), ()),
            [
                Outcome::Delivered,
                Outcome::Failed,
                Outcome::Delivered,
                Outcome::Failed
            ]
        );
        assert_eq!(judge::<bool>().outcome(&false), Outcome::Delivered);
        assert_eq!(judge::<Option<()>>().outcome(&None), Outcome::Delivered);
    }
}
