//! Room for the parcels of one `recv_many`, between the original's buffer and the user's.

use std::sync::{Mutex, PoisonError};

use super::parcel::Parcel;

/// After a larger batch than this the memory is given back.
const KEPT_MAX: usize = 1024;

/// A vector that is empty between batches and keeps its memory.
///
/// The lock is never taken: it makes the receiver `Sync` where the original is, whatever the messages are.
pub(super) struct Spare<M>(Mutex<Vec<Parcel<M>>>);

/// Nothing is pinned through it: receivers may move, whatever their messages are.
impl<M> Unpin for Spare<M> {}

impl<M> Spare<M> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Where the original is to put what it receives.
    pub(super) fn room(&mut self) -> &mut Vec<Parcel<M>> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Empties it into the user's buffer.
    pub(super) fn move_to(&mut self, buffer: &mut Vec<M>, open: impl FnMut(Parcel<M>) -> M) {
        let parcels = self.room();
        buffer.extend(parcels.drain(..).map(open));
        if parcels.capacity() > KEPT_MAX {
            *parcels = Vec::new();
        }
    }
}
