//! What came of it, as tables in Markdown.

use std::time::Duration;

use crate::cargo::{Took, Work};
use crate::source::{METHODS, Variant};

/// All times of one kind of work.
pub(crate) struct Table {
    work: Work,
    took: Vec<(Variant, Took)>,
}

impl Table {
    pub(crate) fn new(work: Work) -> Self {
        Self {
            work,
            took: Vec::new(),
        }
    }

    pub(crate) fn note(&mut self, variant: Variant, took: Took) {
        self.took.push((variant, took));
    }

    pub(crate) fn print(&self) {
        println!("\n{}\n", self.work.describe());
        println!(
            "| | CPU s, median | lowest | × plain, median | lowest | µs a method over plain, median | lowest | wall s, median |"
        );
        println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
        let plain = self.cpu(Variant::Plain);
        for variant in Variant::ALL {
            let cpu = self.cpu(variant);
            let wall = Summary::of(self.times(variant).map(|took| took.wall));
            println!(
                "| {} | {:.2} | {:.2} | {:.1} | {:.1} | {:.0} | {:.0} | {:.2} |",
                variant.package(),
                cpu.median,
                cpu.lowest,
                cpu.median / plain.median,
                cpu.lowest / plain.lowest,
                micros_per_method(cpu.median - plain.median),
                micros_per_method(cpu.lowest - plain.lowest),
                wall.median
            );
        }
    }

    fn times(&self, variant: Variant) -> impl Iterator<Item = Took> {
        let of_variant = self.took.iter().filter(move |(of, _)| *of == variant);
        of_variant.map(|(_, took)| *took)
    }

    fn cpu(&self, variant: Variant) -> Summary {
        Summary::of(self.times(variant).map(|took| took.cpu))
    }
}

/// Prints the sizes of futures, one row each.
pub(crate) fn print_sizes(sizes: &[(Variant, Vec<(String, usize)>)]) {
    let heads: Vec<&str> = sizes.iter().map(|(variant, _)| variant.package()).collect();
    println!("\n| | {} |", heads.join(" | "));
    println!("| --- |{}", " --- |".repeat(heads.len()));
    let Some((_, plain)) = sizes.first() else {
        return;
    };
    for (row, (name, plain)) in plain.iter().enumerate() {
        let cells: Vec<String> = sizes
            .iter()
            .filter_map(|(_, sizes)| sizes.get(row))
            .map(|(_, size)| match size.checked_sub(*plain) {
                Some(0) | None => size.to_string(),
                Some(more) => format!("{size} (+{more})"),
            })
            .collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
}

/// Seconds.
struct Summary {
    median: f64,
    lowest: f64,
}

impl Summary {
    fn of(times: impl Iterator<Item = Duration>) -> Self {
        let mut times: Vec<f64> = times.map(|time| time.as_secs_f64()).collect();
        times.sort_by(f64::total_cmp);
        Self {
            median: times.get(times.len() / 2).copied().unwrap_or(f64::NAN),
            lowest: times.first().copied().unwrap_or(f64::NAN),
        }
    }
}

fn micros_per_method(seconds: f64) -> f64 {
    seconds * 1e6 / METHODS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_time_in_the_middle() {
        let summary = Summary::of([3, 1, 2].into_iter().map(Duration::from_secs));
        assert_eq!((summary.median, summary.lowest), (2.0, 1.0));
    }
}
