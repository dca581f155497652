//! What a program records, sealed as a client seals it, for tests that store it.
//!
//! A recording belongs to the whole process, so each of these tests is a binary of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reflow_trace::wire::{BatchLimits, Frame, Level, Sealer, WireBatch};
use reflow_trace::{Batch, Sink, SinkError, TracingConfig};
use reflow_trace_server::store::Admitted;

struct Seal {
    sealer: Sealer,
    frames: Arc<Mutex<Vec<Frame>>>,
}

impl Sink for Seal {
    fn name(&self) -> &str {
        "seal"
    }

    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let number = frames.len() as u64 + 1;
        let sealed = self.sealer.seal_split(batch, 1, number);
        frames.extend(sealed.expect("zstd has memory").frames);
        Ok(())
    }
}

/// What is recorded while so many threads work, in batches of at most so many events.
///
/// On a busy machine all threads may have worked before the collector gets a turn, and one ring may have held what
/// several of them did, one after the other; it is large enough that nothing is lost.
pub(crate) fn frames(batch_size: usize, threads: u64, work: impl Fn(u64) + Sync) -> Vec<Frame> {
    let frames = Arc::new(Mutex::new(Vec::new()));
    let config = TracingConfig {
        batch_size,
        ring_capacity: 1 << 16,
        ..TracingConfig::default()
    };
    let guard = reflow_trace::builder()
        .config(config)
        .sink(Seal {
            sealer: Sealer::new(Level::new(1).ok(), BatchLimits::default()),
            frames: frames.clone(),
        })
        .start()
        .expect("nothing else is recording");
    let work = &work;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || work(thread));
        }
    });
    guard
        .flush(Duration::from_secs(30))
        .expect("the sink keeps up");
    drop(guard);
    std::mem::take(&mut *frames.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The same frames as a store takes them.
pub(crate) fn admitted(frames: Vec<Frame>) -> Vec<Admitted> {
    let admitted = frames.into_iter().map(|frame| {
        let batch = WireBatch::decode(&frame, &BatchLimits::default());
        Admitted {
            batch: Arc::new(batch.expect("it was sealed just now")),
            frame,
        }
    });
    admitted.collect()
}
