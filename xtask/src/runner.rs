//! Runs steps one after the other and tells how it went.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::command_line::Selection;
use crate::step::{Action, Step, root, target_directory};
use crate::test_counts::TestCounts;

/// How much of a failed step's output is shown.
const SHOWN_LINES_MAX: usize = 500;

/// What became of a run.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    steps_skipped: usize,
}

struct Row {
    name: &'static str,
    took: Duration,
    result: Result<Remark, Failure>,
}

/// What a passed step is worth saying about: how many tests it ran.
type Remark = String;

struct Failure {
    reason: String,
    /// What the step printed, where that was not shown already.
    output: Option<PathBuf>,
}

impl Report {
    /// Whether every step passed.
    pub(crate) fn is_green(&self) -> bool {
        self.rows.iter().all(|row| row.result.is_ok()) && self.steps_skipped == 0
    }

    fn print(&self) {
        println!();
        for row in &self.rows {
            let (mark, remark) = match &row.result {
                Ok(remark) => ("passed", remark.as_str()),
                Err(failure) => ("FAILED", failure.reason.as_str()),
            };
            println!(
                "{mark}  {:<18} {:>8}  {remark}",
                row.name,
                seconds(row.took)
            );
        }
        let total = self.rows.iter().map(|row| row.took).sum();
        println!("{:<26} {:>8}", "", seconds(total));
        let failed = self.rows.iter().filter(|row| row.result.is_err()).count();
        let passed = self.rows.len() - failed;
        // CI reads this line: it stays alone and last.
        print!("{passed} passed, {failed} failed");
        match self.steps_skipped {
            0 => println!(),
            skipped => println!(", {skipped} skipped"),
        }
    }
}

/// Runs the steps, prints a line for each and a table at the end.
pub(crate) fn run(steps: &[Step], selection: &Selection) -> Report {
    let mut report = Report::default();
    for (index, step) in steps.iter().enumerate() {
        let heading = format!("[{}/{}] {}", index + 1, steps.len(), step.name);
        if selection.verbose {
            println!("{heading}: {}", step.why);
        } else {
            print!("{heading} … ");
            // A progress line that does not show at once is a pity, not a fault.
            io::stdout().flush().ok();
        }
        let begun = Instant::now();
        let result = carry_out(step, selection.verbose);
        let row = Row {
            name: step.name,
            took: begun.elapsed(),
            result,
        };
        if selection.verbose {
            print!("{heading}  ");
        }
        match &row.result {
            Ok(remark) => println!("{}", format!("{}  {remark}", seconds(row.took)).trim_end()),
            Err(failure) => {
                println!("{}  FAILED: {}", seconds(row.took), failure.reason);
                show(failure);
            }
        }
        let failed = row.result.is_err();
        report.rows.push(row);
        if failed && !selection.keep_going {
            report.steps_skipped = steps.len() - index - 1;
            break;
        }
    }
    report.print();
    report
}

fn carry_out(step: &Step, verbose: bool) -> Result<Remark, Failure> {
    let without_output = |reason: String| Failure {
        reason,
        output: None,
    };
    for tool in &step.needs {
        tool.provide().map_err(without_output)?;
    }
    let directory = target_directory().join("xtask");
    let path = directory.join(format!("{}.log", step.name));
    let log = std::fs::create_dir_all(&directory).and_then(|()| File::create(&path));
    let mut log = log.map_err(|error| without_output(format!("`{}`: {error}", path.display())))?;

    let with_output = |reason: String| Failure {
        reason,
        output: (!verbose).then(|| path.clone()),
    };
    let mut counts = TestCounts::default();
    for action in &step.commands {
        let done = run_logged(action, &mut log, verbose, &mut counts);
        let typed = action.as_typed();
        match done {
            Ok(true) => {}
            Ok(false) => return Err(with_output(format!("`{typed}`"))),
            Err(error) => return Err(with_output(format!("`{typed}`: {error}"))),
        }
    }
    judge(step, counts).map_err(with_output)
}

/// A step that runs tests is green only when tests ran and none was left out.
fn judge(step: &Step, counts: TestCounts) -> Result<Remark, String> {
    match counts {
        _ if !step.runs_tests => Ok(String::new()),
        TestCounts { passed: 0, .. } => Err("no test ran".to_owned()),
        TestCounts { ignored: 0, passed } => Ok(format!("{passed} tests")),
        TestCounts { ignored, .. } => Err(format!("{ignored} tests were ignored")),
    }
}

/// Runs one command; its output goes to the log, and to the screen when `verbose`.
fn run_logged(
    action: &Action,
    log: &mut File,
    verbose: bool,
    counts: &mut TestCounts,
) -> io::Result<bool> {
    let heading = format!("$ {}", action.as_typed());
    writeln!(log, "{heading}")?;
    if verbose {
        println!("{heading}");
    }
    let (output, input) = io::pipe()?;
    let mut command = action.command();
    command
        .stdin(Stdio::null())
        .stdout(input.try_clone()?)
        .stderr(input);
    let mut child = command.spawn()?;
    // The command holds the writing end of the pipe; as long as it lives, reading would not end.
    drop(command);
    let mut lines = BufReader::new(output);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        log.write_all(&line)?;
        if verbose {
            io::stdout().write_all(&line)?;
        }
        counts.read(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok(child.wait()?.success())
}

fn show(failure: &Failure) {
    let Some(path) = &failure.output else { return };
    match std::fs::read(path) {
        Ok(output) => print_end(&String::from_utf8_lossy(&output)),
        Err(error) => println!("`{}`: {error}", path.display()),
    }
    let shown = path.strip_prefix(root()).unwrap_or(path);
    println!("all of it is in `{}`", shown.display());
}

/// Prints the last lines; what went wrong stands at the end.
fn print_end(output: &str) {
    let left_out = output.lines().count().saturating_sub(SHOWN_LINES_MAX);
    if left_out > 0 {
        println!("({left_out} lines before these)");
    }
    output
        .lines()
        .skip(left_out)
        .for_each(|line| println!("{line}"));
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::cargo;

    fn quiet() -> Selection {
        Selection::default()
    }

    #[test]
    fn the_first_failure_ends_the_run_unless_told_otherwise() {
        let steps = || {
            [
                Step::check("fails", "", [cargo("no-such-subcommand")]),
                Step::check("works", "", [cargo("--version")]),
            ]
        };
        let report = run(&steps(), &quiet());
        assert_eq!((report.rows.len(), report.steps_skipped), (1, 1));
        assert!(!report.is_green());

        let keep_going = Selection {
            keep_going: true,
            ..quiet()
        };
        let report = run(&steps(), &keep_going);
        assert_eq!((report.rows.len(), report.steps_skipped), (2, 0));
        assert!(!report.is_green());
    }

    #[test]
    fn a_step_that_ran_no_test_fails() {
        let step = Step::tests("empty", "", [cargo("--version")]);
        let report = run(&[step], &quiet());
        assert!(!report.is_green());
    }

    #[test]
    fn an_ignored_test_fails_its_step() {
        let step = Step::tests("tests", "", []);
        let seen = |passed, ignored| judge(&step, TestCounts { passed, ignored });
        assert_eq!(seen(3, 0), Ok("3 tests".to_owned()));
        assert_eq!(seen(3, 1), Err("1 tests were ignored".to_owned()));
    }
}
