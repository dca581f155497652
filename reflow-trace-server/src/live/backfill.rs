//! What is stored and older than the window, read in rounds.
//!
//! A round takes a place among a few readers and a snapshot, reads some batches, and lets both go before the
//! subscriber has anything of it: however slowly somebody reads, no file is held for it. A round that nobody
//! waits for any more ends at its next page, and has its place until then.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reflow_trace::TraceEvent;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::choice::Choice;
use super::shown::{Shown, without_content};
use super::subscriber::Seen;
use crate::answer::Rights;
use crate::observe::Limited;
use crate::store::{Effort, Snapshot, Store, StoreError, Watch};

/// Events that are read in a round, nearly: whole batches.
const ROUND_EVENTS: usize = 4_096;
/// Bytes that are kept of a round, nearly: batches as they come, and the last of them may have more.
const ROUND_BYTES: usize = 8 << 20;
/// Events that are given at once.
const EVENTS_AT_ONCE: usize = 256;

static UNREADABLE: Limited = Limited::new();

/// See the header.
pub(super) struct Backfill {
    store: Arc<dyn Store>,
    places: Arc<Semaphore>,
    /// Read and not given yet.
    ready: VecDeque<Seen>,
    /// A round under way; kept over a future that was dropped.
    round: Option<JoinHandle<Result<Round, StoreError>>>,
    is_over: Arc<AtomicBool>,
}

/// Whether somebody still waits for a round.
struct Waited(Arc<AtomicBool>);

/// What a round has found.
struct Round {
    /// The first offset that is still stored.
    from: u64,
    seen: VecDeque<Seen>,
    next: u64,
}

/// What is to be done next.
pub(super) enum Step {
    /// What was asked for is read: from here on it is as if nothing had been before this place, and what is
    /// before `from` is not stored any more.
    Read { from: u64, next: u64 },
    /// The store cannot be read.
    Unreadable,
}

impl Backfill {
    pub(super) fn new(store: Arc<dyn Store>, places: Arc<Semaphore>) -> Self {
        Self {
            store,
            places,
            ready: VecDeque::new(),
            round: None,
            is_over: Arc::default(),
        }
    }

    /// Whether something was read that was not given yet.
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// What was read and not given yet.
    pub(super) fn take_ready(&mut self) -> Option<Seen> {
        self.ready.pop_front()
    }

    /// Reads from this place on. What it finds is [ready](Self::take_ready) after it.
    pub(super) async fn read(&mut self, at: u64, choice: &Arc<Choice>, rights: Rights) -> Step {
        let round = self.round.get_or_insert_with(|| {
            let (store, places) = (Arc::clone(&self.store), Arc::clone(&self.places));
            let waited = Waited(Arc::clone(&self.is_over));
            tokio::spawn(read(store, places, at, Arc::clone(choice), rights, waited))
        });
        let ended = round.await;
        self.round = None;
        match ended {
            Ok(Ok(round)) => {
                self.ready = round.seen;
                Step::Read {
                    from: round.from,
                    next: round.next,
                }
            }
            Ok(Err(error)) => {
                if let Some(left_out) = UNREADABLE.permit() {
                    tracing::error!(%error, left_out, "a subscription could not be filled up from the store");
                }
                Step::Unreadable
            }
            // It has panicked, or the runtime ends.
            Err(_) => Step::Unreadable,
        }
    }
}

impl Drop for Backfill {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(round) = &self.round {
            round.abort();
        }
    }
}

impl Watch for Waited {
    fn go_on(&self) -> Result<(), StoreError> {
        if self.0.load(Ordering::Relaxed) {
            return Err(StoreError::GivenUp);
        }
        Ok(())
    }

    fn spend(&self, _effort: Effort) {}
}

async fn read(
    store: Arc<dyn Store>,
    places: Arc<Semaphore>,
    at: u64,
    choice: Arc<Choice>,
    rights: Rights,
    waited: Waited,
) -> Result<Round, StoreError> {
    let place = places
        .acquire_owned()
        .await
        .map_err(|_| StoreError::Closing)?;
    let view = store.snapshot().await?;
    drop(store);
    let reading = tokio::task::spawn_blocking(move || {
        let round = Round::read(&*view, at, &choice, rights, &waited);
        drop(view);
        // With the thread and not with the future: who comes and goes has no more threads than who stays.
        drop(place);
        round
    });
    reading.await.unwrap_or(Err(StoreError::Closing))
}

impl Round {
    fn read(
        view: &dyn Snapshot,
        at: u64,
        choice: &Choice,
        rights: Rights,
        waited: &Waited,
    ) -> Result<Self, StoreError> {
        let from = view.begin().max(at);
        let mut round = Self {
            from,
            seen: VecDeque::new(),
            next: view.end(),
        };
        let (mut read, mut kept_bytes) = (0, 0);
        for batch in view.batches_from(from, waited) {
            let batch = batch?;
            if read >= ROUND_EVENTS || kept_bytes >= ROUND_BYTES {
                round.next = batch.offset;
                break;
            }
            read += batch.events.len();
            kept_bytes += round.add(batch.offset, batch.events, choice, rights);
        }
        Ok(round)
    }

    /// Keeps what fits; the bytes of it, nearly.
    fn add(
        &mut self,
        offset: u64,
        events: Vec<TraceEvent>,
        choice: &Choice,
        rights: Rights,
    ) -> usize {
        let mut bytes = 0;
        let shown = |event| {
            Shown::new(if rights.content {
                event
            } else {
                without_content(event)
            })
        };
        let fitting = events.into_iter().filter(|event| choice.wants(event));
        let mut fitting = fitting.map(shown).peekable();
        while fitting.peek().is_some() {
            let events: Vec<_> = fitting.by_ref().take(EVENTS_AT_ONCE).collect();
            bytes += events.iter().map(|shown| shown.bytes()).sum::<usize>();
            self.seen.push_back(Seen::Events { offset, events });
        }
        bytes
    }
}
