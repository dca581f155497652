//! What happened in the last second.
//!
//! Ten slots of a tenth of a second each, and the one that is being filled. A reader gets the sum of the ten
//! that are full, so that a rate neither jumps with the clock nor is low because its second has just begun.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A slot.
const SLOT: Duration = Duration::from_millis(100);
/// Slots in a second.
const SLOTS: usize = 10;

/// Adds up what happened in the last second, to a tenth of one.
#[derive(Debug)]
pub struct Recent {
    begun: Instant,
    slots: Mutex<[Slot; SLOTS + 1]>,
}

/// What happened in the last second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RecentSums {
    /// Events committed.
    pub events: u64,
    /// Batches acknowledged.
    pub batches: u64,
    /// From their arrival until then, together.
    pub waited: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Which tenth of a second it is, counted from the beginning.
    number: u64,
    sums: RecentSums,
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            slots: Mutex::default(),
        }
    }
}

impl Recent {
    /// So many events were committed.
    pub fn add_events(&self, events: u64) {
        self.change(Instant::now(), |sums| sums.events += events);
    }

    /// A batch was acknowledged so long after it had arrived.
    pub fn add_batch(&self, waited: Duration) {
        self.change(Instant::now(), |sums| {
            sums.batches += 1;
            sums.waited += waited;
        });
    }

    /// The second that ended with the last full tenth.
    pub fn last_second(&self) -> RecentSums {
        self.before(Instant::now())
    }

    fn number_of(&self, now: Instant) -> u64 {
        let tenths = now.saturating_duration_since(self.begun).as_nanos() / SLOT.as_nanos();
        // Counted from 1, so that an empty slot is of no second.
        u64::try_from(tenths).unwrap_or(u64::MAX - 1) + 1
    }

    fn change(&self, now: Instant, what: impl FnOnce(&mut RecentSums)) {
        let number = self.number_of(now);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = &mut slots[(number % (SLOTS as u64 + 1)) as usize];
        // Two threads may look at the clock in one order and come here in the other.
        if slot.number < number {
            *slot = Slot {
                number,
                sums: RecentSums::default(),
            };
        }
        what(&mut slot.sums);
    }

    fn before(&self, now: Instant) -> RecentSums {
        let number = self.number_of(now);
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let full = slots
            .iter()
            .filter(|slot| slot.number < number && slot.number + SLOTS as u64 >= number);
        full.fold(RecentSums::default(), |sum, slot| RecentSums {
            events: sum.events + slot.sums.events,
            batches: sum.batches + slot.sums.batches,
            waited: sum.waited + slot.sums.waited,
        })
    }
}

impl RecentSums {
    /// From the arrival of a batch until its acknowledgement, the mean; zero when there was none.
    pub fn mean_wait(&self) -> Duration {
        u32::try_from(self.batches)
            .ok()
            .and_then(|batches| self.waited.checked_div(batches))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_second_is_what_ten_full_tenths_hold() {
        let recent = Recent::default();
        let at = |millis| recent.begun + Duration::from_millis(millis);
        for tenth in 0..30_u64 {
            recent.change(at(tenth * 100 + 50), |sums| sums.events += tenth);
        }
        // 2.0 to 3.0 s, with nothing of the tenth that has just begun.
        recent.change(at(3_000), |sums| sums.events += 1_000);
        assert_eq!(recent.before(at(3_010)).events, (20..30).sum::<u64>());
        assert_eq!(
            recent.before(at(3_110)).events,
            (21..30).sum::<u64>() + 1_000
        );
        // Long after, nothing is recent, whatever lies in the slots.
        assert_eq!(recent.before(at(60_000)), RecentSums::default());
    }

    #[test]
    fn the_mean_of_no_batch_is_zero() {
        assert_eq!(RecentSums::default().mean_wait(), Duration::ZERO);
        let sums = RecentSums {
            events: 0,
            batches: 4,
            waited: Duration::from_millis(6),
        };
        assert_eq!(sums.mean_wait(), Duration::from_micros(1_500));
    }
}
