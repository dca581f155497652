//! Where subscriptions begin, and the task that feeds them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reflow_trace::api::{ApiError, ErrorCode};
use reflow_trace::query::CompiledSubscription;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast, watch};

use super::backfill::Backfill;
use super::choice::Choice;
use super::shelf::Shelf;
use super::shown::SharedBatch;
use super::subscriber::Subscriber;
use super::window::Window;
use crate::answer::Rights;
use crate::commit::{Committer, LiveBatch};
use crate::config::LiveLimits;
use crate::http::Phase;
use crate::observe::Metrics;
use crate::store::{Store, StoreError};

/// After subscribers were told that there is something; batches that come meanwhile are told of together, so
/// that many small ones do not wake everybody for each.
const PAUSE: Duration = Duration::from_millis(2);
/// How many subscribers may read the store at one time.
const BACKFILLS_MAX: usize = 4;

/// Gives subscriptions out. See [the module](super).
pub(crate) struct Hub {
    feed: Arc<Feed>,
    store: Arc<dyn Store>,
    reading: Arc<Semaphore>,
    shelf: Arc<Shelf>,
    ended: watch::Receiver<u64>,
    phase: watch::Receiver<Phase>,
}

/// What the feeding task and all subscribers share. It holds no store, so that it keeps none open.
#[derive(Debug)]
pub(super) struct Feed {
    window: Mutex<Window>,
    limits: LiveLimits,
    open: AtomicUsize,
    pub(super) metrics: Arc<Metrics>,
}

/// An open subscription, counted.
#[derive(Debug)]
pub(super) struct Open(pub(super) Arc<Feed>);

impl Hub {
    /// Starts to feed, before anybody can commit something.
    ///
    /// # Errors
    ///
    /// When the store cannot say where its log ends.
    pub(crate) async fn start(
        committer: &Committer,
        store: Arc<dyn Store>,
        limits: &LiveLimits,
        metrics: Arc<Metrics>,
        phase: watch::Receiver<Phase>,
    ) -> Result<Self, StoreError> {
        let batches = committer.live();
        let end = store.snapshot().await?.end();
        let feed = Arc::new(Feed {
            window: Mutex::new(Window::new(limits.clone(), end)),
            limits: limits.clone(),
            open: AtomicUsize::new(0),
            metrics,
        });
        let (end, ended) = watch::channel(end);
        tokio::spawn(run(batches, Arc::clone(&feed), end));
        Ok(Self {
            feed,
            store,
            reading: Arc::new(Semaphore::new(BACKFILLS_MAX)),
            // As much again as the newest events may take.
            shelf: Shelf::new(limits.window_bytes_max),
            ended,
            phase,
        })
    }

    /// Events that fit, from the next batch on, or from a place in the log on as far as it is still there.
    ///
    /// # Errors
    ///
    /// There are as many subscriptions as there may be, or the server is about to stop.
    pub(crate) fn subscribe(
        &self,
        wanted: CompiledSubscription,
        from_offset: Option<u64>,
        rights: Rights,
    ) -> Result<Subscriber, ApiError> {
        if *self.phase.borrow() != Phase::Serving {
            return Err(ApiError::new(
                ErrorCode::Stopping,
                "the server is about to stop",
            ));
        }
        let open = self.feed.open()?;
        // Only now, so that the window keeps what comes after this end.
        let end = self.feed.window().end();
        // Offsets begin at 1; a place that has not come is waited for.
        let at = from_offset.unwrap_or(end).max(1);
        let backfill = Backfill::new(
            Arc::clone(&self.store),
            Arc::clone(&self.reading),
            Arc::clone(&self.shelf),
        );
        Ok(Subscriber::new(
            open,
            Choice::new(wanted),
            rights,
            (at, end),
            (at < end).then_some(backfill),
            (self.ended.clone(), self.phase.clone()),
        ))
    }
}

#[cfg(test)]
impl Hub {
    /// Bytes of what was read from the store and not taken yet.
    pub(super) fn shelved_bytes(&self) -> usize {
        self.shelf.bytes()
    }
}

impl Feed {
    pub(super) fn window(&self) -> MutexGuard<'_, Window> {
        // Nothing in there panics; and if, what it holds is whole.
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(self: &Arc<Self>) -> Result<Open, ApiError> {
        let max = self.limits.subscriptions_max;
        let one_more = |open: usize| (open < max).then_some(open + 1);
        // Before the window is looked at; the lock of the window orders it for the feeding task.
        self.open
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .map_err(|_| {
                ApiError::new(
                    ErrorCode::Busy,
                    format!(
                        "{max} subscriptions are open, as many as `live.subscriptions_max` allows; try again later"
                    ),
                )
            })?;
        self.metrics.subscriptions.add(1);
        Ok(Open(Arc::clone(self)))
    }

    fn publish(&self, LiveBatch { offset, batch }: LiveBatch) -> u64 {
        let mut window = self.window();
        // Looked at under the lock: who subscribed before it was taken finds this batch kept.
        let keep = self.open.load(Ordering::Acquire) > 0;
        window.push(SharedBatch::new(offset, batch), keep);
        window.end()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let before = self.0.open.fetch_sub(1, Ordering::AcqRel);
        self.0.metrics.subscriptions.sub(1);
        if before == 1 {
            let mut window = self.0.window();
            // Somebody may have come meanwhile, and would only miss what it can still have.
            if self.0.open.load(Ordering::Acquire) == 0 {
                window.clear();
            }
        }
    }
}

/// Feeds until the committer is gone.
async fn run(
    mut batches: broadcast::Receiver<LiveBatch>,
    feed: Arc<Feed>,
    end: watch::Sender<u64>,
) {
    loop {
        let mut batch = match batches.recv().await {
            Ok(batch) => Some(batch),
            // The offsets that follow tell what is missing: for everybody who is not further yet.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let mut last = 0;
        while let Some(one) = batch.take() {
            last = feed.publish(one);
            batch = batches.try_recv().ok();
        }
        end.send_replace(last);
        if feed.open.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
}
