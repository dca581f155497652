//! From ticks to time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

use super::ticks;

/// One moment on all three clocks.
#[derive(Clone, Copy, Debug)]
struct Moment {
    ticks: u64,
    monotonic: Instant,
    wall_ns: i64,
}

impl Moment {
    /// Reads the clocks one after the other, and again if something came between them.
    fn now() -> Self {
        /// More than the three readings take; less than a turn of the scheduler.
        const CLOSE: Duration = Duration::from_micros(20);
        const TRIES_MAX: u32 = 8;
        let mut best: Option<(Duration, Self)> = None;
        for _ in 0..TRIES_MAX {
            let monotonic = Instant::now();
            let ticks = ticks();
            let wall = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            let took = monotonic.elapsed();
            if best.is_none_or(|(shortest, _)| took < shortest) {
                best = Some((
                    took,
                    Self {
                        ticks,
                        monotonic,
                        wall_ns: wall.as_nanos() as i64,
                    },
                ));
            }
            if took < CLOSE {
                break;
            }
        }
        best.map_or_else(
            || unreachable!("there is at least one try"),
            |(_, moment)| moment,
        )
    }
}

/// The relation of ticks and time as it was when this was made.
///
/// The slope is measured over the whole time since recording began, so it gets better with it; after
/// 5 ms it is right to about one part in 10⁵. Wall time is anchored at the later point, so that steps
/// of the system clock show in new events only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calibration {
    start: Moment,
    now: Moment,
    ns_per_tick: f64,
    /// How far the wall clock has been seen to stray from the monotonic one since the start.
    wander_ns: u64,
}

/// Shorter baselines are too coarse to be used.
pub(crate) const BASELINE_MIN: Duration = Duration::from_millis(5);

impl Calibration {
    /// Begins; the slope is not known yet.
    pub(crate) fn begin() -> Self {
        let start = Moment::now();
        Self {
            start,
            now: start,
            ns_per_tick: 1.0,
            wander_ns: 0,
        }
    }

    /// Ticks are nanoseconds, counted from this wall time on.
    #[cfg(all(test, feature = "wire"))]
    pub(crate) fn fixed(wall_ns: i64) -> Self {
        let start = Moment {
            ticks: 0,
            monotonic: Instant::now(),
            wall_ns,
        };
        Self {
            start,
            now: start,
            ns_per_tick: 1.0,
            wander_ns: 0,
        }
    }

    /// How far the wall clock has been seen to stray from the monotonic one: times of events that are
    /// further apart than twice this are in their true order.
    pub(crate) fn wander_ns(&self) -> u64 {
        self.wander_ns
    }

    /// Measures again, after waiting out what is missing of the shortest baseline.
    pub(crate) fn refresh(&mut self) {
        if let Some(missing) = BASELINE_MIN.checked_sub(self.start.monotonic.elapsed()) {
            std::thread::sleep(missing);
        }
        self.now = Moment::now();
        let elapsed_ns = (self.now.monotonic - self.start.monotonic).as_nanos() as f64;
        let wall_ns = self.now.wall_ns.saturating_sub(self.start.wall_ns) as f64;
        self.wander_ns = self.wander_ns.max((wall_ns - elapsed_ns).abs() as u64);
        let elapsed_ticks = self.now.ticks.wrapping_sub(self.start.ticks);
        if elapsed_ticks > 0 {
            self.ns_per_tick = elapsed_ns / elapsed_ticks as f64;
        }
    }

    /// A difference of ticks in nanoseconds.
    pub(crate) fn duration_ns(&self, ticks: u64) -> u64 {
        (ticks as f64 * self.ns_per_tick).round() as u64
    }

    /// A number of nanoseconds in ticks.
    pub(crate) fn ticks_in(&self, ns: u64) -> u64 {
        (ns as f64 / self.ns_per_tick).round() as u64
    }

    /// The wall time of a stamp, in nanoseconds since the epoch.
    pub(crate) fn wall_ns(&self, ticks: u64) -> i64 {
        let since = ticks.wrapping_sub(self.now.ticks) as i64;
        self.now
            .wall_ns
            .saturating_add((since as f64 * self.ns_per_tick) as i64)
    }

    /// The wall time of a stamp.
    pub(crate) fn timestamp(&self, ticks: u64) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.wall_ns(ticks))
    }

    /// The stamp of a wall time, as near as ticks can say.
    pub(crate) fn ticks_at(&self, wall_ns: i64) -> u64 {
        let since = wall_ns.saturating_sub(self.now.wall_ns) as f64 / self.ns_per_tick;
        self.now.ticks.wrapping_add(since as i64 as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_do_not_run_backwards_on_a_thread() {
        let mut last = ticks();
        for _ in 0..10_000 {
            let now = ticks();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn a_stamp_becomes_the_wall_time_at_which_it_was_taken() {
        let mut calibration = Calibration::begin();
        calibration.refresh();
        let before = Utc::now();
        let stamp = ticks();
        let after = Utc::now();
        let slack = chrono::TimeDelta::milliseconds(20);
        let time = calibration.timestamp(stamp);
        assert!(
            time > before - slack && time < after + slack,
            "{before} {time} {after}"
        );
    }
}
