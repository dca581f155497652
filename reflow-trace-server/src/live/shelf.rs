//! What was read from the store for subscribers and not taken yet, of all of them together.
//!
//! A round is read before its subscriber comes to take it, and whoever stopped reading does not come. So rounds
//! do not lie with their subscribers, but here, within one bound on their bytes. Where there is no room, the one that has
//! lain for longest goes. Nothing is lost by that: a subscriber's place moves with what it takes and not with
//! what was read, so that what is gone is read again when it comes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::subscriber::Seen;

/// An event of the log: its batch, and which of it in the order of time.
pub(super) type Place = (u64, usize);

/// A part of a round, as it is taken.
#[derive(Debug)]
pub(super) struct Piece {
    /// `None`: there is nothing that fits up to the place.
    pub(super) seen: Option<Seen>,
    /// Where to go on once it is taken.
    pub(super) next: Place,
    /// Memory that it takes, nearly.
    pub(super) bytes: usize,
}

/// What one reading has found.
#[derive(Debug, Default)]
pub(super) struct Pieces(pub(super) VecDeque<Piece>);

impl Pieces {
    fn bytes(&self) -> usize {
        self.0.iter().map(|piece| piece.bytes).sum()
    }
}

/// See the header.
#[derive(Debug)]
pub(super) struct Shelf {
    bytes_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By their numbers, which ascend.
    rounds: BTreeMap<u64, Pieces>,
    /// Of all rounds.
    bytes: usize,
    next: u64,
}

/// A round on the shelf, as long as it is there. Dropping it takes it away.
#[derive(Debug)]
pub(super) struct Shelved {
    shelf: Arc<Shelf>,
    number: u64,
}

impl Shelf {
    pub(super) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self {
            bytes_max,
            state: Mutex::default(),
        })
    }

    /// Bytes that a round should have at most, nearly: so that some have room beside each other, and few that are as good as
    /// taken push others out.
    pub(super) fn round_bytes(&self) -> usize {
        /// What a small bound leaves of it.
        const PART: usize = 16;
        const ROUND_BYTES: usize = 2 << 20;
        ROUND_BYTES.min(self.bytes_max / PART)
    }

    /// Lays a round down, and lets the oldest go until all fit; this one stays, whatever it takes.
    pub(super) fn put(self: &Arc<Self>, round: Pieces) -> Shelved {
        let mut gone = Vec::new();
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.bytes += round.bytes();
        state.rounds.insert(number, round);
        while state.bytes > self.bytes_max && state.rounds.len() > 1 {
            gone.extend(state.take_oldest());
        }
        drop(state);
        // Outside of the lock, for there may be much of it.
        drop(gone);
        Shelved {
            shelf: Arc::clone(self),
            number,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in there panics; and if, what it holds is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of all rounds.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.state().bytes
    }
}

impl State {
    fn take_oldest(&mut self) -> Option<Pieces> {
        let (_, oldest) = self.rounds.pop_first()?;
        self.bytes -= oldest.bytes();
        Some(oldest)
    }
}

impl Shelved {
    /// The next piece; `None` where all were taken, or the round had to go.
    pub(super) fn take(&self) -> Option<Piece> {
        let mut state = self.shelf.state();
        let piece = state.rounds.get_mut(&self.number)?.0.pop_front()?;
        state.bytes -= piece.bytes;
        Some(piece)
    }
}

impl Drop for Shelved {
    fn drop(&mut self) {
        let mut state = self.shelf.state();
        let round = state.rounds.remove(&self.number);
        state.bytes -= round.as_ref().map_or(0, Pieces::bytes);
        drop(state);
        drop(round);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(bytes: usize) -> Pieces {
        let pieces = (1..=2).map(|offset| Piece {
            seen: None,
            next: (offset, 0),
            bytes: bytes / 2,
        });
        Pieces(pieces.collect())
    }

    #[test]
    fn the_oldest_goes_where_there_is_no_room_and_the_newest_stays_whatever_it_takes() {
        let shelf = Shelf::new(100);
        let (first, second) = (shelf.put(round(60)), shelf.put(round(30)));
        assert_eq!(first.take().map(|piece| piece.next), Some((1, 0)));
        assert_eq!(shelf.bytes(), 60, "what was taken has left room");
        let third = shelf.put(round(60));
        assert_eq!(shelf.bytes(), 90);
        assert!(first.take().is_none(), "it had to go");
        assert!(second.take().is_some());
        let large = shelf.put(round(1_000));
        assert_eq!(shelf.bytes(), 1_000);
        assert!(second.take().is_none() && third.take().is_none());
        assert!(large.take().is_some() && large.take().is_some() && large.take().is_none());
        drop(large);
        assert_eq!(shelf.bytes(), 0);
        drop((first, second, third));
        assert_eq!(shelf.bytes(), 0, "what has gone is not taken away twice");
    }
}
