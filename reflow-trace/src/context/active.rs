//! The sends that are under way on this thread's stack.
//!
//! `send_message` calls `send` calls `try_send`, all of them annotated, on one connector: that is one
//! message and one event, the outermost. So a send over an edge that is already on the stack is left
//! alone. An edge is on the stack during a call or a poll, never between polls.
//!
//! A handling that runs within a send, as in a network that delivers by calling, begins a stack of its
//! own: what it sends are other messages, even over the same edge.

use std::cell::Cell;

use crate::edge::EdgeNumber;

/// Deepest nesting of sends over different edges that is told apart; beyond it every send is counted.
const DEPTH_MAX: usize = 16;

struct Stack {
    /// Where the stack of the innermost handling begins.
    base: Cell<usize>,
    depth: Cell<usize>,
    edges: [Cell<EdgeNumber>; DEPTH_MAX],
}

thread_local! {
    // Without a destructor, so that access is a plain load.
    static STACK: Stack = const { Stack { base: Cell::new(0), depth: Cell::new(0), edges: [const { Cell::new(0) }; DEPTH_MAX] } };
}

/// Whether a send over this edge is under way in what is being handled.
#[inline]
pub(crate) fn is_active(edge: EdgeNumber) -> bool {
    STACK.with(|stack| {
        let (base, depth) = (stack.base.get(), stack.depth.get());
        if depth <= base {
            return false;
        }
        let places = stack.edges.get(base..depth.min(DEPTH_MAX)).unwrap_or(&[]);
        places.iter().any(|active| active.get() == edge)
    })
}

/// Where the stack of the innermost handling begins.
#[inline]
pub(crate) fn base() -> usize {
    STACK.with(|stack| stack.base.get())
}

/// Sets where the stack of the innermost handling begins.
#[inline]
pub(crate) fn set_base(base: usize) {
    STACK.with(|stack| stack.base.set(base));
}

/// A send over this edge begins, or is polled again.
#[inline]
pub(crate) fn push(edge: EdgeNumber) {
    STACK.with(|stack| {
        let depth = stack.depth.get();
        if let Some(place) = stack.edges.get(depth) {
            place.set(edge);
        }
        stack.depth.set(depth + 1);
    });
}

/// The innermost send ends. Sends nest as calls do, so that it is the last one that began.
#[inline]
pub(crate) fn pop() {
    STACK.with(|stack| stack.depth.set(stack.depth.get().saturating_sub(1)));
}

/// How many sends are under way, for [`truncate`].
#[inline]
pub(crate) fn depth() -> usize {
    STACK.with(|stack| stack.depth.get())
}

/// Forgets what began since `depth` was asked.
#[inline]
pub(crate) fn truncate(depth: usize) {
    STACK.with(|stack| stack.depth.set(stack.depth.get().min(depth)));
}
