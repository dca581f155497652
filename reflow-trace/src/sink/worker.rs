//! The thread and the queue of one sink.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, Thread};

use crossbeam_channel::{Receiver, Sender, TrySendError};

use super::{Progress, Sink, SinkError, SinkProgress};
use crate::collector::Batch;
use crate::ledger::{Loss, LossReason, SinkLedger};

/// Most batches in a queue; the limit in bytes is usually reached before.
const BATCHES_MAX: usize = 4_096;

enum Work {
    Batch(Arc<Batch>),
    Flush(Asked),
}

/// A flush that was asked for; dropped, it is answered and the asking thread wakes up.
struct Asked {
    answer: Option<Sender<()>>,
    asking: Thread,
}

impl Drop for Asked {
    fn drop(&mut self) {
        drop(self.answer.take());
        self.asking.unpark();
    }
}

#[derive(Default)]
struct Account {
    stored: AtomicU64,
    queued: AtomicU64,
    queued_bytes: AtomicUsize,
    lost_full: AtomicU64,
    lost_failed: AtomicU64,
    lost_panicked: AtomicU64,
    has_panicked: AtomicBool,
    last_error: Mutex<Option<String>>,
}

impl Account {
    fn note(&self, error: String) {
        *self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// A sink at work.
pub(crate) struct SinkWorker {
    name: String,
    queue: Sender<Work>,
    account: Arc<Account>,
    queue_bytes_max: usize,
    progress: Option<Arc<dyn Progress>>,
    thread: JoinHandle<()>,
}

impl SinkWorker {
    /// Starts the thread of a sink.
    pub(crate) fn start(sink: Box<dyn Sink>, queue_bytes_max: usize) -> std::io::Result<Self> {
        let name = sink.name().to_owned();
        let (queue, work) = crossbeam_channel::bounded(BATCHES_MAX);
        let account = Arc::new(Account::default());
        let progress = sink.progress();
        let thread = std::thread::Builder::new()
            .name(format!("reflow-trace {name}"))
            .spawn({
                let account = Arc::clone(&account);
                move || run(sink, &work, &account)
            })?;
        Ok(Self {
            name,
            queue,
            account,
            queue_bytes_max,
            progress,
            thread,
        })
    }

    /// Hands a batch to the sink; never waits.
    pub(crate) fn send(&self, batch: &Arc<Batch>) {
        let events = batch.len() as u64;
        let account = &self.account;
        let queued = account.queued_bytes.load(Ordering::Relaxed);
        // Notices alone always find room; there are few of them.
        let has_room =
            events == 0 || queued == 0 || queued + batch.memory_bytes() <= self.queue_bytes_max;
        if !has_room {
            account.lost_full.fetch_add(events, Ordering::Relaxed);
            return;
        }
        account.queued.fetch_add(events, Ordering::Relaxed);
        account
            .queued_bytes
            .fetch_add(batch.memory_bytes(), Ordering::Relaxed);
        if let Err(error) = self.queue.try_send(Work::Batch(Arc::clone(batch))) {
            account.queued.fetch_sub(events, Ordering::Relaxed);
            account
                .queued_bytes
                .fetch_sub(batch.memory_bytes(), Ordering::Relaxed);
            let lost = match error {
                TrySendError::Full(_) => &account.lost_full,
                TrySendError::Disconnected(_) => &account.lost_panicked,
            };
            lost.fetch_add(events, Ordering::Relaxed);
        }
    }

    /// Asks the sink to write what it was handed; the answer comes when it has, and wakes the calling
    /// thread. `None` when its queue is so full that it cannot even be asked.
    pub(crate) fn request_flush(&self) -> Option<Receiver<()>> {
        let (answer, answered) = crossbeam_channel::bounded(1);
        let asked = Asked {
            answer: Some(answer),
            asking: std::thread::current(),
        };
        match self.queue.try_send(Work::Flush(asked)) {
            // A sink that is gone drops the sender, which answers as well.
            Ok(()) | Err(TrySendError::Disconnected(_)) => Some(answered),
            Err(TrySendError::Full(_)) => None,
        }
    }

    /// How far the sink is, where it settles later what it takes.
    pub(crate) fn progress(&self) -> Option<&dyn Progress> {
        self.progress.as_deref()
    }

    /// Bytes that wait for the sink or are held by it.
    pub(crate) fn memory_bytes(&self) -> usize {
        let held = self.progress().map_or(0, |sink| sink.now().memory_bytes);
        self.account.queued_bytes.load(Ordering::Relaxed) + held
    }

    pub(crate) fn ledger(&self) -> SinkLedger {
        let account = &self.account;
        let losses = [
            (LossReason::SinkFull, &account.lost_full),
            (LossReason::SinkFailed, &account.lost_failed),
            (LossReason::SinkPanicked, &account.lost_panicked),
        ];
        // What comes later in an event's life is read first.
        let later = self.progress().map(Progress::now);
        let written = account.stored.load(Ordering::Acquire);
        let later = later.unwrap_or_else(|| SinkProgress {
            stored: written,
            ..SinkProgress::default()
        });
        let here = losses.into_iter().map(|(reason, count)| Loss {
            reason,
            count: count.load(Ordering::Acquire),
        });
        let here: Vec<Loss> = here.filter(|loss| loss.count > 0).collect();
        let error_here = account
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        SinkLedger {
            name: self.name.clone(),
            stored: later.stored,
            queued: account.queued.load(Ordering::Acquire),
            pending: later.pending,
            lost: here.into_iter().chain(later.lost).collect(),
            last_error: error_here.or(later.last_error),
        }
    }

    /// Ends the thread once it has worked off its queue; one that stalls is left behind.
    pub(crate) fn finish(self) {
        let Self { queue, thread, .. } = self;
        drop(queue);
        if thread.is_finished() {
            // A panic of the sink was caught and counted where it happened.
            let _already_counted = thread.join();
        }
    }
}

fn run(mut sink: Box<dyn Sink>, work: &Receiver<Work>, account: &Account) {
    for work in work {
        match work {
            Work::Batch(batch) => {
                let events = batch.len() as u64;
                let lost = if account.has_panicked.load(Ordering::Relaxed) {
                    Some(&account.lost_panicked)
                } else {
                    match guarded(account, || sink.write(&batch)) {
                        Some(Ok(())) => None,
                        Some(Err(error)) => {
                            account.note(error.to_string());
                            Some(&account.lost_failed)
                        }
                        None => Some(&account.lost_panicked),
                    }
                };
                lost.unwrap_or(&account.stored)
                    .fetch_add(events, Ordering::Release);
                account.queued.fetch_sub(events, Ordering::Release);
                account
                    .queued_bytes
                    .fetch_sub(batch.memory_bytes(), Ordering::Relaxed);
            }
            Work::Flush(asked) => {
                if !account.has_panicked.load(Ordering::Relaxed)
                    && let Some(Err(error)) = guarded(account, || sink.flush())
                {
                    account.note(error.to_string());
                }
                drop(asked);
            }
        }
    }
    // The sink's own drop may panic as well.
    let _nothing_left_to_lose = catch_unwind(AssertUnwindSafe(move || drop(sink)));
}

/// `None` when the sink panicked; it is not asked again.
fn guarded(
    account: &Account,
    call: impl FnOnce() -> Result<(), SinkError>,
) -> Option<Result<(), SinkError>> {
    let result = catch_unwind(AssertUnwindSafe(call));
    if let Err(panic) = &result {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        account.note(format!(
            "the sink panicked: {}",
            text.as_deref().unwrap_or("no message")
        ));
        account.has_panicked.store(true, Ordering::Relaxed);
    }
    result.ok()
}
