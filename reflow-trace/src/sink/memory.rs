//! Events in memory, for tests, examples and programs that look at themselves.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Sink, SinkError};
use crate::collector::Batch;
use crate::event::TraceEvent;
use crate::lineage::fill_causality;

/// Keeps the newest events. A clone shares what is kept.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use reflow_trace::MemorySink;
///
/// let memory = MemorySink::with_capacity(1_000);
/// let guard = reflow_trace::builder().sink(memory.clone()).start()?;
/// // … the program runs …
/// guard.flush(Duration::from_secs(1))?;
/// for event in memory.events() {
///     println!("{} {}", event.actor_id, event.event_type.name());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MemorySink {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    capacity: usize,
    events: VecDeque<TraceEvent>,
    discarded: u64,
    /// The newest snapshot; it holds all that the ones before it held.
    counters: Option<TraceEvent>,
}

impl MemorySink {
    /// Keeps at most `capacity` events; older ones make room for newer ones.
    pub fn with_capacity(capacity: usize) -> Self {
        let kept = Kept {
            capacity: capacity.max(1),
            ..Kept::default()
        };
        Self {
            kept: Arc::new(Mutex::new(kept)),
        }
    }

    /// The events, the oldest first, and after them the newest snapshot of the exact counters.
    ///
    /// Their causality is filled in from the events that are there, as
    /// [`fill_causality`](crate::lineage::fill_causality) does it.
    ///
    /// Losses and counters are `NetworkEvent`s of the actor
    /// [`TRACING_ACTOR`](crate::ledger::TRACING_ACTOR).
    pub fn events(&self) -> Vec<TraceEvent> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut events: Vec<TraceEvent> =
            kept.events.iter().chain(&kept.counters).cloned().collect();
        drop(kept);
        fill_causality(&mut events);
        events
    }

    /// How many events have made room for newer ones.
    pub fn discarded(&self) -> u64 {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .discarded
    }

    /// Forgets all events.
    pub fn clear(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.events.clear();
        kept.counters = None;
    }
}

impl Sink for MemorySink {
    fn name(&self) -> &str {
        "memory"
    }

    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        // Decoded before the lock is taken, so that readers wait for no more than a move.
        let events: Vec<TraceEvent> = batch.events().collect();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            if event.as_edge_counters().is_some() {
                kept.counters = Some(event);
                continue;
            }
            if kept.events.len() == kept.capacity {
                kept.events.pop_front();
                kept.discarded += 1;
            }
            kept.events.push_back(event);
        }
        Ok(())
    }
}
