//! The critical path of a lineage.
//!
//! The formula and its source are in `rules.md`: the longest path over a topological order, with a measure
//! of time that no two steps of a chain count twice.

use std::time::Duration;

use super::story::{Role, Step};
use super::times;

/// The chain that took longest; see the module's page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CriticalPath {
    parts: Vec<CriticalPart>,
    is_lower_bound: bool,
}

/// An event on the critical path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CriticalPart {
    /// Its position among the steps of the lineage.
    pub step: usize,
    /// The time that the path spent here until the next event began, or to the end; `None` when it is
    /// not known.
    pub elapsed: Option<Duration>,
}

impl CriticalPath {
    #[cfg(feature = "api")]
    pub(super) fn of_parts(parts: Vec<CriticalPart>, is_lower_bound: bool) -> Self {
        Self {
            parts,
            is_lower_bound,
        }
    }

    /// The events, from the first cause on.
    pub fn parts(&self) -> &[CriticalPart] {
        &self.parts
    }

    /// How long it took in all. A lower bound when [`Self::is_lower_bound`].
    pub fn length(&self) -> Duration {
        let known = self.parts.iter().filter_map(|part| part.elapsed);
        known.fold(Duration::ZERO, Duration::saturating_add)
    }

    /// Whether the time of some part is not known, so that another chain may be the longer one.
    pub fn is_lower_bound(&self) -> bool {
        self.is_lower_bound
    }

    /// The part that took longest.
    pub fn longest_part(&self) -> Option<CriticalPart> {
        let known = self.parts.iter().filter(|part| part.elapsed.is_some());
        known.copied().max_by_key(|part| part.elapsed)
    }
}

/// The longest way to an event, and the cause it comes by.
#[derive(Clone, Copy, Default)]
struct Best {
    ns: u64,
    by: Option<usize>,
}

/// The critical path; `steps` have their causes before them.
pub(super) fn longest(steps: &[Step<'_>]) -> CriticalPath {
    // To each event the longest way at all, and the longest that has passed through a subject.
    let mut all: Vec<Best> = Vec::with_capacity(steps.len());
    let mut through: Vec<Option<Best>> = Vec::with_capacity(steps.len());
    let mut some_unknown = false;
    for step in steps {
        let (mut best, mut best_through): (Best, Option<Best>) = Default::default();
        for &cause in &step.causes {
            let elapsed = times::elapsed_ns(steps[cause].event, step.event);
            some_unknown |= elapsed.is_none();
            let (elapsed, by) = (elapsed.unwrap_or(0), Some(cause));
            let longer = |before: Best| Best {
                ns: before.ns.saturating_add(elapsed),
                by,
            };
            let way = longer(all[cause]);
            if best.by.is_none() || way.ns > best.ns {
                best = way;
            }
            if let Some(way) = through[cause].map(longer)
                && best_through.is_none_or(|best| way.ns > best.ns)
            {
                best_through = Some(way);
            }
        }
        if step.role == Role::Subject {
            best_through = Some(best);
        }
        all.push(best);
        through.push(best_through);
    }

    let own_ns = |at: usize| times::duration_ns(steps[at].event);
    let end = (0..steps.len())
        .filter_map(|at| {
            let length = through[at]?.ns.saturating_add(own_ns(at).unwrap_or(0));
            Some((length, at))
        })
        // Of equals the last one: it has the more causes behind it.
        .max();
    let Some((_, end)) = end else {
        return CriticalPath::default();
    };
    let mut parts = vec![CriticalPart {
        step: end,
        elapsed: own_ns(end).map(Duration::from_nanos),
    }];
    let (mut at, mut has_passed) = (end, false);
    loop {
        // Up to the subject the way must be one through it; before it any.
        has_passed |= steps[at].role == Role::Subject;
        let best = if has_passed {
            Some(all[at])
        } else {
            through[at]
        };
        let Some(cause) = best.and_then(|best| best.by) else {
            break;
        };
        let elapsed = times::elapsed_ns(steps[cause].event, steps[at].event);
        parts.push(CriticalPart {
            step: cause,
            elapsed: elapsed.map(Duration::from_nanos),
        });
        at = cause;
    }
    parts.reverse();
    CriticalPath {
        is_lower_bound: some_unknown || own_ns(end).is_none(),
        parts,
    }
}
