//! How deep this thread is in sends and handlings, and whose first poll is waiting to begin.
//!
//! The attempts themselves lie in the lane ([`crate::lane`]); what has to be asked even where there is
//! no lane is here.

use std::cell::Cell;

use crate::lane::with_here;

/// Where a thread stands in what is under way on it.
#[derive(Debug)]
pub(crate) struct Place {
    /// Attempts under way.
    pub(crate) depth: Cell<usize>,
    /// Depth at which the innermost handling began: what a handler sends are other messages than the one
    /// that is being delivered to it, even over the same edge.
    pub(crate) base: Cell<usize>,
    /// The first poll of an instrumented future waits for its body to begin.
    is_awaited: Cell<bool>,
}

impl Place {
    pub(crate) const fn start() -> Self {
        Self {
            depth: Cell::new(0),
            base: Cell::new(0),
            is_awaited: Cell::new(false),
        }
    }
}

/// Attempts under way on this thread.
#[inline]
pub(crate) fn depth() -> usize {
    with_here(|here| here.place.depth.get()).unwrap_or(0)
}

/// Sets how many attempts are under way.
#[inline]
pub(crate) fn set_depth(depth: usize) {
    with_here(|here| here.place.depth.set(depth));
}

/// Where the attempts of the innermost handling begin.
#[inline]
pub(crate) fn base() -> usize {
    with_here(|here| here.place.base.get()).unwrap_or(0)
}

/// Sets where the attempts of the innermost handling begin.
#[inline]
pub(crate) fn set_base(base: usize) {
    with_here(|here| here.place.base.set(base));
}

/// Sets whether a first poll waits for its body to begin, and tells whether one did.
#[inline]
pub(crate) fn replace_awaited(is_awaited: bool) -> bool {
    with_here(|here| here.place.is_awaited.replace(is_awaited)).unwrap_or(false)
}
