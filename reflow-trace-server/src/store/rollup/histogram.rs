//! How often which duration occurred, to one part in eight.
//!
//! A bucket is an eighth of a power of two: durations below 8 ns have one each, and from there a bucket
//! is 12.5 % wide at most, so that its middle is within 6.25 % of everything in it. 496 buckets span all
//! of `u64`. Only buckets that hold something take room; two histograms are merged by adding. The sum and the
//! longest are kept beside them, exactly.

/// Bits of a duration that choose the bucket within a power of two.
const SUB_BITS: u32 = 3;
const SUBS: u64 = 1 << SUB_BITS;

/// Number of buckets.
pub const BUCKETS: u16 = ((64 - SUB_BITS + 1) as u16) << SUB_BITS;

/// Counts of durations in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Bucket and count, by bucket.
    buckets: Vec<(u16, u64)>,
    /// Sum of all durations; stays at the greatest number that there is.
    total_ns: u64,
    max_ns: u64,
}

impl Histogram {
    /// The bucket of a duration.
    pub const fn bucket_of(duration_ns: u64) -> u16 {
        if duration_ns < SUBS {
            return duration_ns as u16;
        }
        let exponent = 63 - duration_ns.leading_zeros();
        let sub = (duration_ns >> (exponent - SUB_BITS)) & (SUBS - 1);
        (((exponent - SUB_BITS + 1) as u16) << SUB_BITS) | sub as u16
    }

    /// The shortest and the longest duration of a bucket, in nanoseconds.
    pub const fn bounds(bucket: u16) -> (u64, u64) {
        let (row, sub) = (bucket >> SUB_BITS, bucket as u64 & (SUBS - 1));
        if row == 0 {
            return (sub, sub);
        }
        let shift = row as u32 - 1;
        let low = (SUBS | sub) << shift;
        (low, low + ((1 << shift) - 1))
    }

    /// Counts one duration.
    pub fn record(&mut self, duration_ns: u64) {
        self.add(Self::bucket_of(duration_ns), 1);
        self.add_total(duration_ns, duration_ns);
    }

    /// Adds to what is kept beside the buckets.
    pub(crate) fn add_total(&mut self, total_ns: u64, max_ns: u64) {
        self.total_ns = self.total_ns.saturating_add(total_ns);
        self.max_ns = self.max_ns.max(max_ns);
    }

    /// Adds `count` durations of a bucket.
    pub(crate) fn add(&mut self, bucket: u16, count: u64) {
        match self
            .buckets
            .binary_search_by_key(&bucket, |&(known, _)| known)
        {
            Ok(place) => self.buckets[place].1 += count,
            Err(place) => self.buckets.insert(place, (bucket, count)),
        }
    }

    /// Adds another histogram.
    pub fn merge(&mut self, other: &Self) {
        for &(bucket, count) in &other.buckets {
            self.add(bucket, count);
        }
        self.add_total(other.total_ns, other.max_ns);
    }

    /// Sum of all durations, in nanoseconds.
    pub fn total_ns(&self) -> u64 {
        self.total_ns
    }

    /// The longest duration, in nanoseconds; 0 when nothing was counted.
    pub fn max_ns(&self) -> u64 {
        self.max_ns
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|&(_, count)| count).sum()
    }

    /// Buckets that hold something, and what they hold, the shortest durations first.
    pub fn buckets(&self) -> &[(u16, u64)] {
        &self.buckets
    }

    /// The duration that a share of all does not exceed, in nanoseconds: the middle of the bucket in which
    /// it lies, so within 6.25 %, and never more than the longest. `None` when nothing was counted. `share` is
    /// clamped to 0..=1.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let count = self.count();
        let rank = (share.clamp(0.0, 1.0) * count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for &(bucket, count) in &self.buckets {
            seen += count;
            if seen >= rank {
                let (low, high) = Self::bounds(bucket);
                return Some((low + (high - low) / 2).min(self.max_ns));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_every_duration_once() {
        let mut next = 0u64;
        for bucket in 0..BUCKETS {
            let (low, high) = Histogram::bounds(bucket);
            assert_eq!(low, next, "bucket {bucket}");
            assert_eq!(Histogram::bucket_of(low), bucket);
            assert_eq!(Histogram::bucket_of(high), bucket);
            next = high.wrapping_add(1);
        }
        assert_eq!(next, 0, "the last bucket ends with the largest duration");
    }

    #[test]
    fn a_quantile_is_right_within_a_sixteenth() {
        let mut histogram = Histogram::default();
        (1..=100_000u64).for_each(|duration| histogram.record(duration * 37));
        for share in [0.01, 0.5, 0.9, 0.99, 1.0] {
            let exact = share * 100_000.0 * 37.0;
            let found = histogram.quantile(share).expect("something was counted") as f64;
            assert!(
                (found - exact).abs() <= exact * 0.0626,
                "{share}: {found} {exact}"
            );
        }
        assert_eq!(histogram.max_ns(), 3_700_000);
        assert_eq!(histogram.quantile(1.0), Some(3_700_000));
        assert_eq!(histogram.total_ns(), 37 * (100_000 * 100_001 / 2));
        assert_eq!(Histogram::default().quantile(0.5), None);
    }
}
