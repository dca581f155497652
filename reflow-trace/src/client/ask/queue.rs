//! Between the thread of the connection and a subscription: a few items, and whether more are wanted.
//!
//! The thread never waits for a subscription. When the queue is full it is told so, lets the server end the
//! subscription, and begins it again, from where it was, when the reader has emptied the queue.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use super::error::AskError;
use super::subscription::Seen;

/// Events that may wait here; the message that comes on top of them is taken.
const EVENTS_MAX: usize = 16_384;
/// The same of messages.
const ITEMS_MAX: usize = 1_024;

/// A queue of what a subscription sees.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    reader: AtomicWaker,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Seen>,
    events: usize,
    /// Nothing comes after what is here, but for the error.
    has_ended: bool,
    error: Option<AskError>,
    /// Nothing comes before it is asked for.
    is_paused: bool,
}

/// What a reader finds.
pub(super) enum Popped {
    Item(Seen),
    Error(AskError),
    End,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in there panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item; whether there is room for another. If not, nothing may be put before the reader has
    /// asked for more.
    pub(super) fn push(&self, seen: Seen) -> bool {
        let mut state = self.state();
        if let Seen::Events { events, .. } = &seen {
            state.events += events.len();
        }
        state.items.push_back(seen);
        let has_room = state.events < EVENTS_MAX && state.items.len() < ITEMS_MAX;
        state.is_paused |= !has_room;
        drop(state);
        self.reader.wake();
        has_room
    }

    /// Nothing comes any more.
    pub(super) fn end(&self, error: Option<AskError>) {
        let mut state = self.state();
        state.has_ended = true;
        state.error = error;
        drop(state);
        self.reader.wake();
    }

    /// The next item, and whether more is to be asked for.
    pub(super) fn poll_pop(&self, context: &mut Context<'_>) -> (Poll<Popped>, bool) {
        self.reader.register(context.waker());
        let mut state = self.state();
        let popped = match state.items.pop_front() {
            Some(seen) => {
                if let Seen::Events { events, .. } = &seen {
                    state.events -= events.len();
                }
                Poll::Ready(Popped::Item(seen))
            }
            None => match state.error.take() {
                Some(error) => Poll::Ready(Popped::Error(error)),
                None if state.has_ended => Poll::Ready(Popped::End),
                None => Poll::Pending,
            },
        };
        let wants_more = state.is_paused && state.items.is_empty();
        if wants_more {
            state.is_paused = false;
        }
        (popped, wants_more)
    }
}
