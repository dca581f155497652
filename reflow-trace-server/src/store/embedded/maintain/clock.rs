//! Whether the wall clock can be believed, before something is deleted because of it.
//!
//! A clock that jumps a year ahead would let retention by age delete everything. So a step of more than an
//! hour between two looks is believed only once the clock has gone on from there for an hour. A step
//! back deletes nothing and needs no doubt. A machine that has slept looks the same as a wrong clock;
//! its old segments are retired an hour later.

/// A longer step is doubted.
const STEP_NS: i64 = 3_600_000_000_000;
/// For so long, of the clock's own time.
const DOUBT_NS: i64 = 3_600_000_000_000;

/// The clock as it was seen before.
#[derive(Debug)]
pub(super) struct SteppedClock {
    last_ns: Option<i64>,
    /// When the step was seen.
    doubted_since_ns: Option<i64>,
}

impl SteppedClock {
    /// Begins with the newest time that was written down, if any.
    pub(super) fn new(last_ns: Option<i64>) -> Self {
        Self {
            last_ns,
            doubted_since_ns: None,
        }
    }

    /// The time, or `None` while it is doubted.
    pub(super) fn believe(&mut self, now_ns: i64) -> Option<i64> {
        let last_ns = self.last_ns.replace(now_ns).unwrap_or(now_ns);
        if now_ns < last_ns {
            self.doubted_since_ns = None;
        } else if now_ns.saturating_sub(last_ns) > STEP_NS {
            self.doubted_since_ns = Some(now_ns);
        }
        let is_doubted = |since_ns: i64| now_ns.saturating_sub(since_ns) < DOUBT_NS;
        if self.doubted_since_ns.is_some_and(is_doubted) {
            return None;
        }
        self.doubted_since_ns = None;
        Some(now_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000_000;

    #[test]
    fn a_step_ahead_is_believed_after_an_hour() {
        let mut clock = SteppedClock::new(Some(0));
        assert_eq!(clock.believe(MINUTE), Some(MINUTE));
        let far = 1_000_000 * MINUTE;
        assert_eq!(clock.believe(far), None);
        assert_eq!(clock.believe(far + 59 * MINUTE), None);
        assert_eq!(clock.believe(far + 60 * MINUTE), Some(far + 60 * MINUTE));
    }

    #[test]
    fn a_step_that_is_taken_back_leaves_no_doubt() {
        let mut clock = SteppedClock::new(None);
        assert_eq!(clock.believe(MINUTE), Some(MINUTE));
        assert_eq!(clock.believe(i64::MAX), None);
        assert_eq!(clock.believe(2 * MINUTE), Some(2 * MINUTE));
    }
}
