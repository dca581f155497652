//! Whether what was returned says that nothing has happened yet.

use std::task::Poll;

/// Wraps a reference to what was returned, so that [`MayPend`] finds out whether it is a `Poll`.
#[derive(Debug)]
pub struct Polled<'a, T>(pub &'a T);

/// A pending `Poll` is pending; anything else, found after it, is not.
pub trait MayPend {
    /// Whether nothing has happened yet.
    fn is_pending(&self) -> bool;
}

impl<T> MayPend for Polled<'_, Poll<T>> {
    #[inline]
    fn is_pending(&self) -> bool {
        self.0.is_pending()
    }
}

impl<T> MayPend for &Polled<'_, T> {
    #[inline]
    fn is_pending(&self) -> bool {
        false
    }
}
