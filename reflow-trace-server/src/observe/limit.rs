//! How often a line of the log may be written.
//!
//! A client that is refused a thousand times a second must not fill the disk with a thousand lines a
//! second. Each place that a client can reach has a [`Limited`] of its own: a few lines at once, then one
//! a second, and the next one says how many were left out.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Lines that may be written at once.
const BURST: u32 = 5;
/// After which one more may.
const PAUSE: Duration = Duration::from_secs(1);

/// The right to write a line, limited.
#[derive(Debug, Default)]
pub struct Limited {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Lines written since the last pause that was long enough.
    spent: u32,
    since: Option<Instant>,
    left_out: u64,
}

impl Limited {
    /// No line written yet.
    pub const fn new() -> Self {
        Self {
            state: Mutex::new(State {
                spent: 0,
                since: None,
                left_out: 0,
            }),
        }
    }

    /// Whether to write a line now; if so, how many were left out since the last one.
    pub fn permit(&self) -> Option<u64> {
        self.permit_at(Instant::now())
    }

    fn permit_at(&self, now: Instant) -> Option<u64> {
        // A thread that panicked in here left counts behind, which are good enough.
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let since = *state.since.get_or_insert(now);
        let pauses = now.saturating_duration_since(since).as_nanos() / PAUSE.as_nanos();
        if pauses > 0 {
            state.spent = state
                .spent
                .saturating_sub(u32::try_from(pauses).unwrap_or(u32::MAX));
            state.since = Some(now);
        }
        if state.spent >= BURST {
            state.left_out += 1;
            return None;
        }
        state.spent += 1;
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_few_lines_and_the_number_of_those_left_out() {
        let limited = Limited::new();
        let start = Instant::now();
        let written = (0..1000)
            .filter(|_| limited.permit_at(start).is_some())
            .count();
        assert_eq!(written, BURST as usize);
        let later = start + PAUSE;
        assert_eq!(limited.permit_at(later), Some(995));
        assert_eq!(limited.permit_at(later), None);
        // After a long pause a few may be written at once again.
        let much_later = later + PAUSE * 1000;
        assert_eq!(limited.permit_at(much_later), Some(1));
        let written = (1..1000)
            .filter(|_| limited.permit_at(much_later).is_some())
            .count();
        assert_eq!(written, BURST as usize - 1);
    }
}
