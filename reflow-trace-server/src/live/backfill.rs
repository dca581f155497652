//! What is stored and older than the window, read in rounds.
//!
//! A round takes a place among a few readers and a snapshot, reads some batches, and lets both go before the
//! subscriber has anything of it: however slowly somebody reads, no file is held for it. What it has found lies on the
//! [shelf](super::shelf) until it is taken. A round that nobody waits for any more ends at its next page, and has its
//! place until then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reflow_trace::TraceEvent;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::choice::Choice;
use super::shelf::{Piece, Pieces, Place, Shelf, Shelved};
use super::shown::{Shown, without_content};
use super::subscriber::{BYTES_AT_ONCE, EVENTS_AT_ONCE, Seen};
use crate::answer::Rights;
use crate::observe::Limited;
use crate::store::{Effort, Snapshot, Store, StoreError, Watch};

/// Events that are read in a round, nearly: whole batches.
const ROUND_EVENTS: usize = 4_096;

static UNREADABLE: Limited = Limited::new();

/// See the header.
pub(super) struct Backfill {
    store: Arc<dyn Store>,
    places: Arc<Semaphore>,
    shelf: Arc<Shelf>,
    /// Read and not taken yet.
    ready: Option<Shelved>,
    /// A round under way; kept over a future that was dropped.
    round: Option<JoinHandle<Result<Option<Shelved>, StoreError>>>,
    is_over: Arc<AtomicBool>,
    /// Up to here it was told what is missing.
    told: u64,
}

/// Whether somebody still waits for a round.
struct Waited(Arc<AtomicBool>);

/// What a round has found.
struct Round {
    found: Pieces,
    told: u64,
}

/// What a round is to find.
struct Wanted {
    at: Place,
    told: u64,
    /// Bytes that are kept, nearly, or one event.
    bytes: usize,
    choice: Arc<Choice>,
    rights: Rights,
}

/// What is to be done next.
pub(super) enum Step {
    /// There is something to be [taken](Backfill::take), which leads on from the place.
    Read,
    /// The store cannot be read.
    Unreadable,
}

impl Backfill {
    pub(super) fn new(store: Arc<dyn Store>, places: Arc<Semaphore>, shelf: Arc<Shelf>) -> Self {
        Self {
            store,
            places,
            shelf,
            ready: None,
            round: None,
            is_over: Arc::default(),
            told: 0,
        }
    }

    /// The next of what was read; where there is none, the place is to be read from again.
    pub(super) fn take(&mut self) -> Option<Piece> {
        let piece = self.ready.as_ref()?.take();
        match &piece {
            Some(piece) => {
                if let Some(Seen::Gap { to_offset, .. }) = piece.seen {
                    self.told = to_offset;
                }
            }
            None => self.ready = None,
        }
        piece
    }

    /// Reads from this place on.
    pub(super) async fn read(&mut self, at: Place, choice: &Arc<Choice>, rights: Rights) -> Step {
        let round = self.round.get_or_insert_with(|| {
            let (store, places) = (Arc::clone(&self.store), Arc::clone(&self.places));
            let waited = Waited(Arc::clone(&self.is_over));
            let wanted = Wanted {
                at,
                told: self.told,
                bytes: self.shelf.round_bytes(),
                choice: Arc::clone(choice),
                rights,
            };
            let shelf = Arc::clone(&self.shelf);
            tokio::spawn(async move {
                let found = read(store, places, wanted, waited).await?;
                // Nothing is awaited from here on, so that it is never on the shelf without its owner.
                Ok(found.map(|found| shelf.put(found)))
            })
        });
        let ended = round.await;
        self.round = None;
        match ended {
            Ok(Ok(Some(round))) => {
                self.ready = Some(round);
                Step::Read
            }
            // The store ends before the place, which has come: it cannot be filled up from there.
            Ok(Ok(None)) => Step::Unreadable,
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

#[cfg(test)]
impl Backfill {
    /// Whether what it reads is on the shelf, whoever takes it.
    pub(super) fn has_read(&self) -> bool {
        self.round.as_ref().is_some_and(JoinHandle::is_finished)
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
) -> Result<Option<Pieces>, StoreError> {
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
    /// `None` where nothing leads on from the place.
    fn read(
        view: &dyn Snapshot,
        wanted: &Wanted,
        waited: &Waited,
    ) -> Result<Option<Pieces>, StoreError> {
        let at = wanted.at;
        let mut holes = view.holes().into_iter().peekable();
        let from = view.begin().max(at.0);
        let mut round = Self {
            found: Pieces::default(),
            told: wanted.told.max(at.0),
        };
        // What was there before the first that is stored was retired.
        round.tell((at.0, from), at.max((from, 0)));
        let (mut read, mut room) = (0, wanted.bytes.max(1));
        let mut next = (view.end(), 0);
        for batch in view.batches_from(from, waited) {
            let batch = batch?;
            if read >= ROUND_EVENTS || room == 0 {
                next = (batch.offset, 0);
                break;
            }
            let begin = at.max((batch.offset, 0));
            while let Some(hole) = holes.next_if(|hole| hole.1 <= batch.offset) {
                round.tell(hole, begin);
            }
            read += batch.events.len();
            let fitting = batch.events.into_iter().enumerate().skip(begin.1);
            let fitting = fitting.filter(|(_, event)| wanted.choice.wants(event));
            let shown = fitting.map(|(place, event)| (place, shown(event, wanted.rights)));
            if let Some(place) = round.add(batch.offset, shown, &mut room) {
                next = (batch.offset, place);
                break;
            }
        }
        while let Some(hole) = holes.next_if(|hole| hole.0 < next.0) {
            round.tell((hole.0, hole.1.min(next.0)), next);
        }
        round.push(None, next);
        Ok((next > at).then_some(round.found))
    }

    /// Says once that something is missing, together with what is missing just before it.
    ///
    /// There may be a part of a batch, or batches between others. So it is said behind them: whoever goes on behind a gap
    /// has had everything before it.
    fn tell(&mut self, (from, to): (u64, u64), next: Place) {
        let from_offset = from.max(self.told);
        if from_offset >= to {
            return;
        }
        self.told = to;
        if let Some(last) = self.found.0.back_mut()
            && let Some(Seen::Gap { to_offset, .. }) = &mut last.seen
            && *to_offset >= from_offset
        {
            *to_offset = to;
            last.next = next;
            return;
        }
        let to_offset = to;
        self.push(
            Some(Seen::Gap {
                from_offset,
                to_offset,
            }),
            next,
        );
    }

    /// Keeps events of a batch as long as there is room; the place of the first for which there is none.
    fn add(
        &mut self,
        offset: u64,
        shown: impl Iterator<Item = (usize, Arc<Shown>)>,
        room: &mut usize,
    ) -> Option<usize> {
        let (mut events, mut bytes) = (Vec::new(), 0);
        let (mut left, mut behind) = (None, 0);
        for (place, event) in shown {
            if *room == 0 {
                left = Some(place);
                break;
            }
            let more = event.bytes();
            if events.len() == EVENTS_AT_ONCE || (bytes > 0 && bytes + more > BYTES_AT_ONCE) {
                let events = std::mem::take(&mut events);
                self.push_events(offset, events, (offset, place), bytes);
                bytes = 0;
            }
            *room = room.saturating_sub(more);
            bytes += more;
            events.push(event);
            behind = place + 1;
        }
        if !events.is_empty() {
            self.push_events(offset, events, (offset, behind), bytes);
        }
        left
    }

    fn push_events(&mut self, offset: u64, events: Vec<Arc<Shown>>, next: Place, bytes: usize) {
        let seen = Some(Seen::Events { offset, events });
        self.found.0.push_back(Piece { seen, next, bytes });
    }

    fn push(&mut self, seen: Option<Seen>, next: Place) {
        let bytes = 0;
        self.found.0.push_back(Piece { seen, next, bytes });
    }
}

fn shown(event: TraceEvent, rights: Rights) -> Arc<Shown> {
    Shown::new(if rights.content {
        event
    } else {
        without_content(event)
    })
}
