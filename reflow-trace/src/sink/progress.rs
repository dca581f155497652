//! What a sink says that settles later what it takes now, such as one that waits for acknowledgements.

use std::time::Instant;

use crate::ledger::Loss;

/// How far a sink is that settles later what it takes now.
///
/// Read by the collector's thread while the sink works on its own: nothing here may wait.
pub trait Progress: Send + Sync {
    /// How far it is. `pending`, `stored` and `lost` are of one moment.
    fn now(&self) -> SinkProgress;

    /// The process may end at the deadline: what is not settled by then should be where it survives
    /// that. The sink goes on.
    fn secure_by(&self, deadline: Instant);

    /// The recording ends: settle what can be settled by the deadline, secure or count the rest, take no
    /// more, and say [`is_ended`](SinkProgress::is_ended).
    fn end_by(&self, deadline: Instant);
}

/// How far a sink is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkProgress {
    /// Position of the newest batch that it has taken; positions ascend with the batches.
    pub taken: u64,
    /// Everything up to this position is stored or lost.
    pub settled: u64,
    /// Everything up to this position is stored, lost, or where it survives the process.
    pub secured: u64,
    /// Events that are stored.
    pub stored: u64,
    /// Events that were taken and are neither stored nor lost.
    pub pending: u64,
    /// Events that were taken and lost, by reason; only reasons that occurred.
    pub lost: Vec<Loss>,
    /// Nothing will change any more.
    pub is_ended: bool,
    /// The last thing that went wrong, in words.
    pub last_error: Option<String>,
    /// Bytes that it holds in memory.
    pub memory_bytes: usize,
}
