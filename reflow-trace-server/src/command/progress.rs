//! How far long work has come, on standard error, where a person sees it.
//!
//! One line that is written over itself, at most ten times a second; into a file or a pipe nothing is
//! written, so that logs stay readable. It is taken away before anything else is said.

use std::io::Write as _;
use std::time::{Duration, Instant};

use reflow_trace::terminal::{columns, count, duration, shortened};

use super::screen::{may_move, width_of_stderr};

/// How often it moves at most.
const INTERVAL: Duration = Duration::from_millis(100);
/// Columns of the bar.
const BAR: usize = 20;

/// A line of progress.
pub(super) struct Progress {
    what: &'static str,
    begun: Instant,
    /// When it was drawn last; `None` where nobody looks.
    drawn: Option<Instant>,
    is_drawn: bool,
}

impl Progress {
    /// Begins. `what` is what is counted: `events`.
    pub(super) fn new(what: &'static str) -> Self {
        let begun = Instant::now();
        Self {
            what,
            begun,
            drawn: may_move().then_some(begun),
            is_drawn: false,
        }
    }

    /// So many are done, and this share of all there is to do, where that is known.
    pub(super) fn show(&mut self, done: u64, share: Option<f64>) {
        let now = Instant::now();
        let Some(drawn) = &mut self.drawn else { return };
        if now - *drawn < INTERVAL {
            return;
        }
        *drawn = now;
        let line = line(self.what, done, share, now - self.begun);
        let width = width_of_stderr().saturating_sub(1).max(5);
        let line = if columns(&line) > width {
            shortened(&line, width)
        } else {
            line
        };
        // Nobody sees it: nothing is lost.
        let _unseen = write!(std::io::stderr(), "\r\u{1b}[K{line}");
        self.is_drawn = true;
    }

    /// Takes it away.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            let _unseen = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn line(what: &str, done: u64, share: Option<f64>, elapsed: Duration) -> String {
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    let counted = format!("{} {what}  {}/s", count(done), count(rate as u64));
    let Some(share) = share.map(|share| share.clamp(0.0, 1.0)) else {
        return counted;
    };
    let full = (share * BAR as f64) as usize;
    let bar = "█".repeat(full) + &"░".repeat(BAR - full);
    let left = (share > 0.01).then(|| elapsed.mul_f64((1.0 - share) / share));
    let left = left.map_or_else(String::new, |left| {
        format!("  {} left", duration(Duration::from_secs(left.as_secs())))
    });
    format!("{bar} {:3.0} %  {counted}{left}", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is_and_how_long_it_will_take() {
        let ten = Duration::from_secs(10);
        assert_eq!(line("events", 5_000, None, ten), "5000 events  500/s");
        assert_eq!(
            line("events", 5_000, Some(0.25), ten),
            "█████░░░░░░░░░░░░░░░  25 %  5000 events  500/s  30 s left"
        );
        for share in [-1.0, 0.0, 1.0, 7.0, f64::NAN] {
            let line = line("events", 0, Some(share), Duration::ZERO);
            assert!(columns(&line) < 80, "{line}");
        }
    }
}
