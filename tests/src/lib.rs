//! Shared pieces of the end-to-end tests.

pub mod elsewhere;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reflow_trace::{Guard, MemorySink, TraceEvent};

/// Recording is process-wide: of the tests in one process only one records at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The certainty that nothing of this process is recorded meanwhile.
pub struct Silence {
    _alone: MutexGuard<'static, ()>,
}

impl Silence {
    /// Waits for the recordings of this process to end.
    pub fn start() -> Self {
        Self {
            _alone: ALONE.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

/// A recording into memory, for one test.
pub struct Recording {
    memory: MemorySink,
    guard: Guard,
    _alone: MutexGuard<'static, ()>,
}

impl Recording {
    /// Waits for other recordings of this process to end, then starts one.
    ///
    /// # Panics
    ///
    /// When the recording cannot be started.
    pub fn start() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = MemorySink::with_capacity(10_000);
        let guard = reflow_trace::builder()
            .sink(memory.clone())
            .start()
            .expect("nobody else is recording");
        Self {
            memory,
            guard,
            _alone: alone,
        }
    }

    /// Everything that was recorded so far and is about actors, in the order in which it began.
    ///
    /// # Panics
    ///
    /// When the recording does not become complete within five seconds.
    pub fn events(&self) -> Vec<TraceEvent> {
        self.guard
            .flush(Duration::from_secs(5))
            .expect("all that was recorded arrives");
        let mut events = self.memory.events();
        events.retain(|event| event.event_type.name() != "NetworkEvent");
        events
    }

    /// The events as lines, such as `DataFlow a:out -> b:in Reading delivered`.
    pub fn lines(&self) -> Vec<String> {
        self.events().iter().map(line).collect()
    }
}

/// What matters of an event to most tests.
fn line(event: &TraceEvent) -> String {
    let mut line = format!("{} {}", event.event_type.name(), event.actor_id);
    if let Some(port) = event.data.port.as_deref().filter(|port| !port.is_empty()) {
        line.push_str(&format!(":{port}"));
    }
    let moves = matches!(event.event_type.name(), "DataFlow" | "MessageSent");
    if let (Some((actor, port)), true) = (event.destination(), moves) {
        line.push_str(&format!(" -> {actor}:{port}"));
    }
    if let Some(message) = &event.data.message {
        line.push_str(&format!(" {}", message.message_type));
    }
    if let Some(outcome) = event.outcome {
        line.push_str(&format!(" {outcome}"));
    }
    line
}
