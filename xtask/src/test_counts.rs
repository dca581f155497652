//! How many tests a step ran, read from what the test runners print.

/// The tests of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct TestCounts {
    /// Ran and passed.
    pub(crate) passed: usize,
    /// Not run although selected: `#[ignore]`.
    pub(crate) ignored: usize,
}

impl TestCounts {
    /// Adds what one line says, if it is a closing line of `cargo test` or of nextest.
    pub(crate) fn read(&mut self, line: &str) {
        let line = line.trim();
        // test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; …
        let cargo_test = line.strip_prefix("test result: ");
        // Summary [   0.014s] 12 tests run: 12 passed, 0 skipped
        let nextest = line
            .strip_prefix("Summary [")
            .and_then(|rest| rest.split_once(" run: "))
            .map(|(_, counts)| counts);
        let Some(counts) = cargo_test.or(nextest) else {
            return;
        };
        let words: Vec<&str> = counts
            .split(|c: char| c.is_whitespace() || ",;".contains(c))
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<usize>() else {
                continue;
            };
            match pair[1] {
                "passed" => self.passed += number,
                "ignored" | "skipped" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(text: &str) -> TestCounts {
        let mut counts = TestCounts::default();
        text.lines().for_each(|line| counts.read(line));
        counts
    }

    #[test]
    fn both_runners_are_understood_and_added_up() {
        let text = "\
running 3 tests
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s
     Summary [   0.014s] 12 tests run: 11 passed (1 slow), 1 failed, 2 skipped
";
        let expected = TestCounts {
            passed: 14,
            ignored: 3,
        };
        assert_eq!(counts(text), expected);
    }

    #[test]
    fn what_a_test_prints_is_no_count() {
        assert_eq!(
            counts("5 passed and were seen\nSummary: 3 passed"),
            TestCounts::default()
        );
    }
}
