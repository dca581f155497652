//! The sends that are under way on this thread's stack.
//!
//! `send_message` calls `send` calls `try_send`, all of them annotated, on one connector: that is one
//! message and one event, the outermost. So a send over an edge that is already on the stack is left
//! alone. An edge is on the stack during a call or a poll, never between polls.

use std::cell::Cell;

use crate::edge::EdgeNumber;

/// Deepest nesting of sends over different edges that is told apart; beyond it every send is counted.
const DEPTH_MAX: usize = 16;

struct Stack {
    depth: Cell<usize>,
    edges: [Cell<EdgeNumber>; DEPTH_MAX],
}

thread_local! {
    // Without a destructor, so that access is a plain load.
    static STACK: Stack = const { Stack { depth: Cell::new(0), edges: [const { Cell::new(0) }; DEPTH_MAX] } };
}

/// Whether a send over this edge is under way.
#[inline]
pub(super) fn is_active(edge: EdgeNumber) -> bool {
    STACK.with(|stack| {
        let depth = stack.depth.get();
        depth != 0
            && stack.edges[..depth.min(DEPTH_MAX)]
                .iter()
                .any(|active| active.get() == edge)
    })
}

/// A send over this edge begins, or is polled again.
#[inline]
pub(super) fn push(edge: EdgeNumber) {
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
pub(super) fn pop() {
    STACK.with(|stack| stack.depth.set(stack.depth.get().saturating_sub(1)));
}

/// How many sends are under way, for [`truncate`].
#[inline]
pub(super) fn depth() -> usize {
    STACK.with(|stack| stack.depth.get())
}

/// Forgets what began since `depth` was asked.
#[inline]
pub(super) fn truncate(depth: usize) {
    STACK.with(|stack| stack.depth.set(stack.depth.get().min(depth)));
}
