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
use super::subscriber::{BYTES_AT_ONCE, EVENTS_AT_ONCE, Seen};
use crate::answer::Rights;
use crate::observe::Limited;
use crate::store::{Effort, Snapshot, Store, StoreError, Watch};

/// Events that are read in a round, nearly: whole batches.
const ROUND_EVENTS: usize = 4_096;
/// Bytes that are kept of a round, nearly, or one event: what a subscriber that stopped reading holds.
const ROUND_BYTES: usize = 2 << 20;

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
    /// Up to here it was told what is missing because it was damaged.
    told: u64,
}

/// Whether somebody still waits for a round.
struct Waited(Arc<AtomicBool>);

/// What a round has found.
struct Round {
    /// The first offset that is still stored.
    from: u64,
    seen: VecDeque<Seen>,
    next: At,
    told: u64,
}

/// What a round is to find.
struct Wanted {
    at: At,
    told: u64,
    choice: Arc<Choice>,
    rights: Rights,
}

/// An event of the log: its batch, and which of it in the order of time.
type At = (u64, usize);

/// What is to be done next.
pub(super) enum Step {
    /// What was asked for is read: from here on it is as if nothing had been before this place, and what is
    /// before `from` is not stored any more.
    Read { from: u64, next: At },
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
            told: 0,
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
    pub(super) async fn read(&mut self, at: At, choice: &Arc<Choice>, rights: Rights) -> Step {
        let round = self.round.get_or_insert_with(|| {
            let (store, places) = (Arc::clone(&self.store), Arc::clone(&self.places));
            let waited = Waited(Arc::clone(&self.is_over));
            let wanted = Wanted {
                at,
                told: self.told,
                choice: Arc::clone(choice),
                rights,
            };
            tokio::spawn(read(store, places, wanted, waited))
        });
        let ended = round.await;
        self.round = None;
        match ended {
            Ok(Ok(round)) => {
                self.ready = round.seen;
                self.told = round.told;
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
    wanted: Wanted,
    waited: Waited,
) -> Result<Round, StoreError> {
    let place = places
        .acquire_owned()
        .await
        .map_err(|_| StoreError::Closing)?;
    let view = store.snapshot().await?;
    drop(store);
    let reading = tokio::task::spawn_blocking(move || {
        let round = Round::read(&*view, &wanted, &waited);
        drop(view);
        // With the thread and not with the future: who comes and goes has no more threads than who stays.
        drop(place);
        round
    });
    reading.await.unwrap_or(Err(StoreError::Closing))
}

impl Round {
    fn read(view: &dyn Snapshot, wanted: &Wanted, waited: &Waited) -> Result<Self, StoreError> {
        let at = wanted.at;
        let mut holes = view.holes().into_iter().peekable();
        let from = view.begin().max(at.0);
        let mut round = Self {
            from,
            seen: VecDeque::new(),
            next: (view.end(), 0),
            told: wanted.told.max(from),
        };
        let (mut read, mut room) = (0, ROUND_BYTES);
        for batch in view.batches_from(from, waited) {
            let batch = batch?;
            if read >= ROUND_EVENTS || room == 0 {
                round.next = (batch.offset, 0);
                break;
            }
            while let Some(hole) = holes.next_if(|hole| hole.0 <= batch.offset) {
                round.tell(hole);
            }
            read += batch.events.len();
            let done = if batch.offset == at.0 { at.1 } else { 0 };
            let fitting = batch.events.into_iter().enumerate().skip(done);
            let fitting = fitting.filter(|(_, event)| wanted.choice.wants(event));
            let shown = fitting.map(|(place, event)| (place, shown(event, wanted.rights)));
            if let Some(place) = round.add(batch.offset, shown, &mut room) {
                round.next = (batch.offset, place);
                break;
            }
        }
        while let Some(hole) = holes.next_if(|hole| hole.0 < round.next.0) {
            round.tell(hole);
        }
        Ok(round)
    }

    /// Says once that something may be missing.
    fn tell(&mut self, (from, to): (u64, u64)) {
        let from_offset = from.max(self.told);
        if from_offset < to {
            let to_offset = to;
            self.seen.push_back(Seen::Gap {
                from_offset,
                to_offset,
            });
            self.told = to;
        }
    }

    /// Keeps events of a batch as long as there is room; the place of the first for which there is none.
    fn add(
        &mut self,
        offset: u64,
        shown: impl Iterator<Item = (usize, Arc<Shown>)>,
        room: &mut usize,
    ) -> Option<usize> {
        let (mut events, mut bytes) = (Vec::new(), 0);
        let mut left = None;
        for (place, event) in shown {
            if *room == 0 {
                left = Some(place);
                break;
            }
            let more = event.bytes();
            if events.len() == EVENTS_AT_ONCE || (bytes > 0 && bytes + more > BYTES_AT_ONCE) {
                let events = std::mem::take(&mut events);
                self.seen.push_back(Seen::Events { offset, events });
                bytes = 0;
            }
            *room = room.saturating_sub(more);
            bytes += more;
            events.push(event);
        }
        if !events.is_empty() {
            self.seen.push_back(Seen::Events { offset, events });
        }
        left
    }
}

fn shown(event: TraceEvent, rights: Rights) -> Arc<Shown> {
    Shown::new(if rights.content {
        event
    } else {
        without_content(event)
    })
}
