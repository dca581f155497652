//! Drives the queue: with a clock, a store, and somebody to tell.

use std::sync::Arc;
use std::time::Duration;

use reflow_trace::wire::WireBatch;
use reflow_trace::wire::frame::RefusalCode;
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use super::{Failure, Group, Health, Queue, Submission};
use crate::clock::wall_clock_ns;
use crate::config::CommitLimits;
use crate::observe::{Limited, Metrics};
use crate::store::{Admitted, Committed, Store, StoreError};

/// A committed batch on its way to live subscribers.
#[derive(Clone, Debug)]
pub struct LiveBatch {
    /// Its place in the log.
    pub offset: u64,
    /// What it holds.
    pub batch: Arc<WireBatch>,
}

/// The committer, seen from outside. Cloning shares it; it ends when all clones are gone.
#[derive(Clone, Debug)]
pub struct Committer {
    submissions: mpsc::UnboundedSender<Submission>,
    live: broadcast::Sender<LiveBatch>,
    metrics: Arc<Metrics>,
}

/// Between two looks at a store that is behind.
const BEHIND_PAUSE: Duration = Duration::from_millis(20);

static COMMIT_FAILS: Limited = Limited::new();
static MAINTENANCE_FAILS: Limited = Limited::new();

impl Committer {
    /// Starts the committer and the maintenance of its store as tasks of the current runtime.
    ///
    /// The second value is told when the last batch has its answer, after all clones are gone.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        limits: &CommitLimits,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
    ) -> (Self, oneshot::Receiver<()>) {
        let (submissions, incoming) = mpsc::unbounded_channel();
        let (live, _) = broadcast::channel(limits.live_batches_max);
        let (done, ended) = oneshot::channel();
        let behind = Arc::new(Notify::new());
        let maintenance = tokio::spawn(maintain(
            Arc::clone(&store),
            limits.maintain_interval,
            Arc::clone(&behind),
            Arc::clone(&metrics),
        ));
        let task = Task {
            incoming,
            store,
            queue: Queue::new(limits.clone()),
            limits: limits.clone(),
            health,
            metrics: Arc::clone(&metrics),
            live: live.clone(),
            behind,
            start: Instant::now(),
            probe_at: None,
        };
        tokio::spawn(async move {
            task.run().await;
            // Both have let go of the store before anybody closes it.
            maintenance.abort();
            let _aborted = maintenance.await;
            // Nobody waits when the server was dropped instead of shut down.
            let _unheard = done.send(());
        });
        let committer = Self {
            submissions,
            live,
            metrics,
        };
        (committer, ended)
    }

    /// Hands a batch over. Its answer comes through its lease.
    pub fn submit(&self, submission: Submission) {
        self.metrics.queue_batches.add(1);
        self.metrics.queue_bytes.add(submission.bytes() as u64);
        // The task ends only when all senders are gone, or with the runtime; then nobody listens either.
        let _ended = self.submissions.send(submission);
    }

    /// What is committed from now on, in the order of the log.
    pub fn live(&self) -> broadcast::Receiver<LiveBatch> {
        self.live.subscribe()
    }
}

struct Task {
    incoming: mpsc::UnboundedReceiver<Submission>,
    store: Arc<dyn Store>,
    queue: Queue,
    limits: CommitLimits,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    live: broadcast::Sender<LiveBatch>,
    behind: Arc<Notify>,
    start: Instant,
    /// The store has failed, and is tried again then.
    probe_at: Option<Instant>,
}

impl Task {
    async fn run(mut self) {
        loop {
            self.gather();
            let due = self.queue.due_at().map(|due| self.start + due);
            tokio::select! {
                biased;
                () = at(self.probe_at) => self.probe().await,
                () = at(due) => {
                    let group = self.queue.take();
                    self.commit(group).await;
                }
                submission = self.incoming.recv() => match submission {
                    Some(submission) => self.queue.push(self.start.elapsed(), submission),
                    None => break,
                },
            }
        }
        // Nobody can submit any more: what waits is committed without waiting for company.
        while !self.queue.is_empty() {
            let group = self.queue.take();
            self.commit(group).await;
        }
    }

    /// Takes what has been submitted meanwhile.
    fn gather(&mut self) {
        let now = self.start.elapsed();
        while let Ok(submission) = self.incoming.try_recv() {
            self.queue.push(now, submission);
        }
    }

    async fn commit(&mut self, group: Group) {
        if group.is_empty() {
            return;
        }
        let (batches, bytes) = (group.len() as u64, group.bytes() as u64);
        match self.health.failure() {
            // The store is not asked again before the probe: whoever fails now would only wait for it.
            Some(failure) => group.failed(&failure),
            None => match self.try_to_commit(&group).await {
                Ok(committed) => self.tell(group, &committed),
                Err(fault) => {
                    let failure = self.fail(&fault);
                    group.failed(&failure);
                }
            },
        }
        self.metrics.queue_batches.sub(batches);
        self.metrics.queue_bytes.sub(bytes);
    }

    /// Commits a group; gives a store that is behind the time to catch up.
    async fn try_to_commit(&self, group: &Group) -> Result<Vec<Committed>, Fault> {
        let begun = Instant::now();
        loop {
            match self.ask(group.admitted()).await {
                Err(Fault::Store(StoreError::Behind { .. }))
                    if begun.elapsed() < self.limits.behind_wait =>
                {
                    // Not a failure yet: the group may still be committed, and is counted when it is not.
                    self.behind.notify_one();
                    sleep(BEHIND_PAUSE).await;
                }
                result => return result,
            }
        }
    }

    /// One commit, in a task of its own: a store that panics must not take the committer along, else all
    /// sessions would wait for answers that never come.
    async fn ask(&self, group: Vec<Admitted>) -> Result<Vec<Committed>, Fault> {
        let store = Arc::clone(&self.store);
        let asked = Instant::now();
        let result = tokio::spawn(async move { store.commit(group).await }).await;
        self.metrics.commit_seconds.record(asked.elapsed());
        match result {
            Ok(result) => result.map_err(Fault::Store),
            Err(_) => Err(Fault::Panicked),
        }
    }

    fn tell(&self, group: Group, committed: &[Committed]) {
        let batches = group.len() as u64;
        let stored = group.committed(committed);
        let events = stored.iter().map(|(_, batch)| batch.len() as u64).sum();
        self.metrics.groups.add(1);
        self.metrics.stored_batches.add(stored.len() as u64);
        self.metrics.stored_events.add(events);
        self.metrics.recent.add_events(events);
        self.metrics.duplicates.add(batches - stored.len() as u64);
        for (offset, batch) in stored {
            for loss in batch.losses() {
                self.metrics
                    .client_losses
                    .add(loss.reason.name(), loss.count);
            }
            // Nobody subscribes at the moment: then nothing is kept.
            let _unheard = self.live.send(LiveBatch { offset, batch });
        }
    }

    fn fail(&mut self, fault: &Fault) -> Failure {
        let kind = fault.kind();
        self.metrics.commit_failures.add(kind, 1);
        if let Some(left_out) = COMMIT_FAILS.permit() {
            tracing::error!(kind, %fault, left_out, "a commit failed; clients keep what was not acknowledged");
        }
        let failure = fault.failure();
        if self.health.set_failure(Some(failure.clone())) {
            tracing::warn!(kind, "not ready: the store does not accept");
        }
        self.probe_at = Some(Instant::now() + self.limits.retry_wait);
        failure
    }

    /// Asks a store that has failed whether it accepts again.
    async fn probe(&mut self) {
        match self.ask(Vec::new()).await {
            Ok(_) => {
                self.probe_at = None;
                if self.health.set_failure(None) {
                    tracing::info!("ready again: the store accepts");
                }
            }
            Err(fault) => {
                self.fail(&fault);
            }
        }
    }
}

/// Why a commit has not happened.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Store(StoreError),
    #[error("the store has panicked, which is a fault of its own")]
    Panicked,
}

impl Fault {
    fn kind(&self) -> &'static str {
        match self {
            Self::Store(error) => error.kind(),
            Self::Panicked => "panicked",
        }
    }

    /// What clients are told. Every failure may pass: nothing that a store says is the fault of a batch.
    fn failure(&self) -> Failure {
        let (code, text) = match self {
            Self::Store(StoreError::Full { .. }) => {
                (RefusalCode::StoreFull, "the server has no room to store it")
            }
            Self::Store(StoreError::Behind { .. }) => {
                (RefusalCode::Busy, "the server is behind with storing")
            }
            Self::Store(StoreError::Closing) => {
                (RefusalCode::ShuttingDown, "the server is about to stop")
            }
            // Paths and the like are the server's business: they are in its log.
            _ => (
                RefusalCode::Internal,
                "the server cannot store at the moment",
            ),
        };
        Failure {
            code,
            text: text.to_owned(),
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Asks the store to seal, retain and sweep, as often as the configuration says, and when it is behind.
async fn maintain(
    store: Arc<dyn Store>,
    interval: Duration,
    behind: Arc<Notify>,
    metrics: Arc<Metrics>,
) {
    loop {
        tokio::select! {
            () = sleep(interval) => {}
            () = behind.notified() => {}
        }
        match store.maintain(wall_clock_ns()).await {
            Ok(report) => tracing::debug!(?report, "maintained the store"),
            Err(error) => {
                metrics.maintenance_failures.add(error.kind(), 1);
                if let Some(left_out) = MAINTENANCE_FAILS.permit() {
                    tracing::error!(kind = error.kind(), %error, left_out, "the store could not be maintained");
                }
            }
        }
    }
}
