//! What became of the events, by number.

use crate::ledger::{Loss, LossReason};

/// What became of what the client took: `taken = stored + pending + Σ lost`.
///
/// `pending` is counted by itself, so that the sum can fail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Events handed over.
    pub taken: u64,
    /// Events that the server has acknowledged.
    pub stored: u64,
    /// Events that wait in memory or in the spool.
    pub pending: u64,
    /// Events that are lost, one number for each of [`LossReason::ALL`].
    lost: [u64; LossReason::ALL.len()],
    /// What dead processes had left in the spool. Their events are in no ledger of this process.
    pub adopted: Adopted,
    /// What was wrong in the spool.
    pub damage: Damage,
    /// Connections that the server welcomed.
    pub connections: u64,
    /// The last thing that went wrong, in words.
    pub last_error: Option<String>,
}

/// What became of the batches that dead processes had left in the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Streams that were taken over.
    pub streams: u64,
    /// Events that the server has acknowledged.
    pub stored: u64,
    /// Events that it refused for ever.
    pub refused: u64,
}

/// What was wrong in the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Bytes that were part of no whole frame.
    pub corrupt_bytes: u64,
    /// Bytes of writes that were interrupted, at the ends of files.
    pub torn_bytes: u64,
    /// Files that could not be read, or are of a later version, and were left where they are. Each is
    /// counted once by this process, however often it is found and tried again.
    pub unreadable_files: u64,
    /// Files with names that are none of ours; left where they are. As of the last search.
    pub foreign_files: u64,
}

impl Account {
    pub(super) fn lose(&mut self, reason: LossReason, events: u64) {
        for (count, known) in self.lost.iter_mut().zip(LossReason::ALL) {
            if known == reason {
                *count += events;
            }
        }
    }

    /// Events taken earlier, and lost now.
    pub(super) fn lose_pending(&mut self, reason: LossReason, events: u64) {
        self.pending = self.pending.saturating_sub(events);
        self.lose(reason, events);
    }

    pub(super) fn store(&mut self, is_own: bool, events: u64) {
        if is_own {
            self.pending = self.pending.saturating_sub(events);
            self.stored += events;
        } else {
            self.adopted.stored += events;
        }
    }

    pub(super) fn refuse(&mut self, is_own: bool, events: u64) {
        if is_own {
            self.lose_pending(LossReason::Refused, events);
        } else {
            self.adopted.refused += events;
        }
    }

    pub(super) fn note(&mut self, error: impl Into<String>) {
        self.last_error = Some(error.into());
    }

    /// What is lost, by reason; only reasons that occurred.
    pub fn lost(&self) -> Vec<Loss> {
        self.lost
            .into_iter()
            .zip(LossReason::ALL)
            .filter(|&(count, _)| count > 0)
            .map(|(count, reason)| Loss { reason, count })
            .collect()
    }

    /// Whether everything is where the law wants it.
    pub fn balances(&self) -> bool {
        self.taken == self.stored + self.pending + self.lost.iter().sum::<u64>()
    }
}
