//! How many batches were under way when something died.

use std::fmt;

/// Counts by powers of two: 0, 1, 2–3, 4–7, …
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u32>,
}

impl Histogram {
    /// Adds one observation.
    pub fn add(&mut self, value: usize) {
        let class = (usize::BITS - value.leading_zeros()) as usize;
        if self.counts.len() <= class {
            self.counts.resize(class + 1, 0);
        }
        self.counts[class] += 1;
    }

    /// How many observations were not 0.
    pub fn above_zero(&self) -> u32 {
        self.counts.iter().skip(1).sum()
    }

    /// How many observations there were.
    pub fn len(&self) -> u32 {
        self.counts.iter().sum()
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (class, &count) in self.counts.iter().enumerate() {
            let range = match class {
                0 => "0".to_owned(),
                1 => "1".to_owned(),
                _ => format!("{}–{}", 1_u64 << (class - 1), (1_u64 << class) - 1),
            };
            writeln!(f, "{range:>12} | {count:>3} {}", "#".repeat(count as usize))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_are_counted_by_powers_of_two() {
        let mut histogram = Histogram::default();
        for value in [0, 1, 2, 3, 4, 7, 8] {
            histogram.add(value);
        }
        assert_eq!(histogram.counts, [1, 1, 2, 2, 1]);
        assert_eq!((histogram.len(), histogram.above_zero()), (7, 6));
    }
}
