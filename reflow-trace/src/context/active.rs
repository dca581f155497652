//! How deep this thread is in sends and handlings, and whose first poll is waiting to begin.
//!
//! The attempts themselves lie in the lane ([`crate::lane`]); what has to be asked even where there is
//! no lane is here: plain cells without a destructor, so that reaching them is one load.

use std::cell::Cell;

struct Place {
    /// Attempts under way.
    depth: Cell<usize>,
    /// Depth at which the innermost handling began: what a handler sends are other messages than the one
    /// that is being delivered to it, even over the same edge.
    base: Cell<usize>,
    /// The first poll of an instrumented future waits for its body to begin.
    is_awaited: Cell<bool>,
}

thread_local! {
    static PLACE: Place = const {
        Place { depth: Cell::new(0), base: Cell::new(0), is_awaited: Cell::new(false) }
    };
}

/// Attempts under way on this thread.
#[inline]
pub(crate) fn depth() -> usize {
    PLACE.with(|place| place.depth.get())
}

/// Sets how many attempts are under way.
#[inline]
pub(crate) fn set_depth(depth: usize) {
    PLACE.with(|place| place.depth.set(depth));
}

/// Where the attempts of the innermost handling begin.
#[inline]
pub(crate) fn base() -> usize {
    PLACE.with(|place| place.base.get())
}

/// Sets where the attempts of the innermost handling begin.
#[inline]
pub(crate) fn set_base(base: usize) {
    PLACE.with(|place| place.base.set(base));
}

/// Sets whether a first poll waits for its body to begin, and tells whether one did.
#[inline]
pub(crate) fn replace_awaited(is_awaited: bool) -> bool {
    PLACE.with(|place| place.is_awaited.replace(is_awaited))
}
