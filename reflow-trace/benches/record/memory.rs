//! How much memory events take, and that a sink that stalls for ever makes it no more.

use std::hint::black_box;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reflow_trace::{Batch, MemorySink, Overflow, Sink, SinkError, TracingConfig, global_tracing};

use crate::resident::{self, report};
use crate::shared::Failure;
use crate::shared::work::Messages;
use crate::traced::connectors::{Held, Reading};

/// Sends under the sink that stalls.
const STALLED_SENDS: u64 = 5_000_000;

fn send(sends: u64) {
    let (held, messages) = (Held::<Reading>::new(), Messages::new());
    for number in 0..sends {
        let _sent = black_box(held.send(messages.nth(number)));
    }
}

/// What a ring grows by when all of its slots have been written.
pub(crate) fn ring() -> Result<(), Failure> {
    const SLOTS: usize = 1 << 20;
    let _guard = reflow_trace::builder().ring_capacity(SLOTS).start()?;
    // The ring is made at the first send.
    let before = resident::bytes()?;
    send(SLOTS as u64);
    let grown = resident::bytes()?.saturating_sub(before);
    report(
        "per event in the ring",
        grown as f64 / SLOTS as f64,
        "resident, a ring of 1048576 slots",
    );
    Ok(())
}

/// Adds up what batches hold.
struct Weigh(Arc<Mutex<(u64, u64)>>);

impl Sink for Weigh {
    fn name(&self) -> &str {
        "weigh"
    }

    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        let mut sum = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sum.0 += batch.len() as u64;
        sum.1 += batch.memory_bytes() as u64;
        Ok(())
    }
}

/// What an event takes on its way to the sinks.
pub(crate) fn batch() -> Result<(), Failure> {
    let sum = Arc::new(Mutex::new((0, 0)));
    let guard = reflow_trace::builder()
        .sink(Weigh(Arc::clone(&sum)))
        .overflow(Overflow::Wait(Duration::from_secs(10)))
        .start()?;
    send(1_000_000);
    guard.flush(Duration::from_secs(10))?;
    let (events, bytes) = *sum.lock().unwrap_or_else(PoisonError::into_inner);
    let note = format!("{events} events in batches");
    report("per event in a batch", bytes as f64 / events as f64, &note);
    Ok(())
}

/// What an event takes that somebody may read, with its strings.
pub(crate) fn kept() -> Result<(), Failure> {
    const EVENTS: u64 = 200_000;
    let memory = MemorySink::with_capacity(EVENTS as usize);
    let guard = reflow_trace::builder()
        .sink(memory.clone())
        .overflow(Overflow::Wait(Duration::from_secs(10)))
        .start()?;
    let before = resident::bytes()?;
    send(EVENTS);
    guard.flush(Duration::from_secs(30))?;
    let grown = resident::bytes()?.saturating_sub(before);
    report(
        "per event in the memory sink",
        grown as f64 / EVENTS as f64,
        "resident, 200000 `TraceEvent`s",
    );
    Ok(())
}

/// Takes a batch and never comes back.
struct Stall(Receiver<()>);

impl Sink for Stall {
    fn name(&self) -> &str {
        "stall"
    }

    fn write(&mut self, _batch: &Batch) -> Result<(), SinkError> {
        Ok(self.0.recv()?)
    }
}

/// The memory of the process while nothing leaves it.
pub(crate) fn stalled() -> Result<(), Failure> {
    let (release, stall) = channel();
    let bound = TracingConfig::default().sink_queue_bytes_max;
    let before = resident::bytes()?;
    let guard = reflow_trace::builder().sink(Stall(stall)).start()?;
    let mut highest = before;
    let parts = 100;
    for _ in 0..parts {
        send(STALLED_SENDS / parts);
        highest = highest.max(resident::bytes()?);
    }
    // The sink does not answer; what has been collected is counted all the same.
    let _stalled = guard.flush(Duration::from_secs(1));
    let after = resident::bytes()?;

    let tracing = global_tracing().ok_or("the recording has ended")?;
    let ledger = tracing.performance_metrics().ledger;
    let sink = ledger.sinks.first().ok_or("the sink is gone")?;
    let lost: u64 = sink.lost.iter().map(|loss| loss.count).sum();
    let balance = if ledger.balances() {
        "the ledger balances"
    } else {
        "the ledger does not balance"
    };
    let note = format!(
        "of {}: {} queued, {lost} lost at the sink, {} before; {balance}",
        ledger.attempted,
        sink.queued,
        ledger.lost_total()
    );
    report("stalled sink, resident before", before as f64, "");
    report(
        "stalled sink, resident during, highest",
        highest as f64,
        &format!("{STALLED_SENDS} sends"),
    );
    report("stalled sink, resident after", after as f64, &note);
    report("stalled sink, bound of its queue", bound as f64, "");
    drop(release);
    Ok(())
}
