//! Sends that may have to wait before the message goes in.
//!
//! A send that is dropped while it waits was cancelled. Some originals hold the message in their future
//! meanwhile, so that it is dropped together with it: such a message was never inside.

use std::cell::Cell;

use super::link::Outlet;
use crate::event::Outcome;
use crate::probe::channel::{Away, Sending, Slip};

impl<M> Outlet<M> {
    /// Begins a send that goes on in later polls.
    #[inline]
    pub(super) fn begin_waiting(
        &self,
        message: &mut M,
        depth: impl FnOnce() -> Option<usize>,
    ) -> Waiting {
        Waiting(self.begin(message, depth).map(Sending::leave_thread))
    }
}

/// A send that may have to wait; cancelled when it is dropped before its end.
pub(super) struct Waiting(Option<Away>);

impl Waiting {
    /// The message goes in now, after whatever wait there was.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(super) fn pack<M>(&self, message: M) -> super::Parcel<M> {
        let mut slip = self.slip();
        slip.stamp();
        super::Parcel::new(slip, message)
    }

    /// What is to travel beside the message.
    #[inline]
    pub(super) fn slip(&self) -> Slip {
        self.0.as_ref().map_or(Slip::BLANK, Away::slip)
    }

    #[inline]
    pub(super) fn end(&mut self, outcome: Outcome) {
        if let Some(sending) = self.0.take() {
            sending.end(outcome);
        }
    }
}

thread_local! {
    /// The next parcel that is dropped on this thread has not been inside.
    static WITHDRAWN: Cell<bool> = const { Cell::new(false) };
}

/// As long as this is there, the first parcel that is dropped on this thread was never inside: its send
/// says what became of it.
pub(super) struct NeverInside {
    before: bool,
}

impl NeverInside {
    pub(super) fn begin() -> Self {
        Self {
            before: WITHDRAWN
                .try_with(|cell| cell.replace(true))
                .unwrap_or(false),
        }
    }
}

impl NeverInside {
    /// Whether a parcel was dropped meanwhile.
    #[cfg(feature = "flume")]
    pub(super) fn end(self) -> bool {
        WITHDRAWN.try_with(Cell::get) == Ok(false)
    }
}

impl Drop for NeverInside {
    fn drop(&mut self) {
        // On a thread that is too far gone nobody asks.
        let _gone = WITHDRAWN.try_with(|cell| cell.set(self.before));
    }
}

/// Whether the parcel that is being dropped was never inside.
pub(super) fn is_withdrawn() -> bool {
    WITHDRAWN
        .try_with(|cell| cell.replace(false))
        .unwrap_or(false)
}
