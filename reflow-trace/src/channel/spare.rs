//! Room for the parcels of one `recv_many`, between the original's buffer and the user's.

use super::parcel::Parcel;

/// After a larger batch than this the memory is given back.
const KEPT_MAX: usize = 1024;

/// A vector that is empty between batches and keeps its memory.
pub(super) struct Spare<M>(Vec<Parcel<M>>);

/// Nothing is pinned through it: receivers may move, whatever their messages are.
impl<M> Unpin for Spare<M> {}

impl<M> Spare<M> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Where the original is to put what it receives.
    pub(super) fn room(&mut self) -> &mut Vec<Parcel<M>> {
        &mut self.0
    }

    /// Empties it into the user's buffer.
    pub(super) fn move_to(&mut self, buffer: &mut Vec<M>, open: impl FnMut(Parcel<M>) -> M) {
        buffer.extend(self.0.drain(..).map(open));
        if self.0.capacity() > KEPT_MAX {
            self.0 = Vec::new();
        }
    }
}
