//! How often something may happen by chance.
//!
//! A test over random numbers can only be wrong rarely, not never. Each states what share it expects and
//! fails outside of the numbers that so many trials give but for one case in a million.

use std::ops::RangeInclusive;

/// The probability that a bound is missed although all is well, on each side.
pub(crate) const ALARM: f64 = 1e-6;

/// The numbers of successes among `trials` that are to be expected where each succeeds with at least
/// `least` and at most `most`: fewer, or more, come with a probability of at most [`ALARM`] each.
pub(crate) fn expected(trials: usize, least: f64, most: f64) -> RangeInclusive<usize> {
    // More than `k` successes are fewer than `trials − k` failures.
    fewest(trials, least)..=trials - fewest(trials, 1.0 - most)
}

/// The largest k with P(X < k) ≤ ALARM, X binomial.
fn fewest(trials: usize, p: f64) -> usize {
    if p <= 0.0 {
        return 0;
    }
    if p >= 1.0 {
        return trials;
    }
    // ln P(X = k), from one k to the next.
    let mut ln_exactly = trials as f64 * (-p).ln_1p();
    let step = p.ln() - (-p).ln_1p();
    let mut below = 0.0;
    for k in 0..=trials {
        below += ln_exactly.exp();
        if below > ALARM {
            return k;
        }
        ln_exactly += ((trials - k) as f64 / (k + 1) as f64).ln() + step;
    }
    trials
}

#[test]
fn the_bounds_are_those_of_the_binomial_distribution() {
    // 0.5²⁰ is a little less than one in a million; 21 times as much is not.
    assert_eq!(expected(20, 0.5, 0.5), 1..=19);
    assert_eq!(expected(19, 0.5, 0.5), 0..=19);
    // Of 10 000 at a tenth: about 4.75 standard deviations of 30 on either side.
    let range = expected(10_000, 0.1, 0.1);
    assert!((855..=862).contains(range.start()) && (1_140..=1_150).contains(range.end()));
    assert_eq!(expected(7, 1.0, 1.0), 7..=7);
    assert_eq!(expected(7, 0.0, 0.0), 0..=0);
}
