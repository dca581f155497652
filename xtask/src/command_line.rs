//! What was typed after `cargo xtask`.

use crate::step::Step;

pub(crate) const HELP: &str = "\
The one command for checking and measuring reflow-trace.

USAGE
  cargo xtask ci [OPTIONS] [STEP…]       run every check, or only the steps named
  cargo xtask measure [OPTIONS] [NAME…]  run the long measurements, or only those named
  cargo xtask help                       this text

OPTIONS
  --list        name the steps and why each exists; run nothing
  --keep-going  go on after a failed step; the exit code still tells
  --verbose     show what the steps print while they run; `measure` always does

EXAMPLES
  cargo xtask ci                 before every push; CI runs this and nothing else
  cargo xtask ci fmt clippy      while working
  cargo xtask ci loom miri       after touching the ring
  cargo xtask measure record     what a record costs, beside its peers

A step prints one line. When it fails, what it printed follows; the whole of it is in
`target/xtask/STEP.log` in any case. Exit codes: 0 all passed, 1 a step failed, 2 wrong usage.

A tool that a step needs is looked for, then installed with rustup, or with apt-get for root on
Debian; where neither works the step fails and names the command to type.
`cargo nextest` is used when it is there. Nothing depends on it.
";

/// What to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    /// Print [`HELP`].
    Help,
    /// `ci`.
    Checks(Selection),
    /// `measure`.
    Measurements(Selection),
}

/// Which steps to run, and how.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Selection {
    /// Only name the steps.
    pub(crate) list: bool,
    /// Go on after a failure.
    pub(crate) keep_going: bool,
    /// Show the output of the steps while they run.
    pub(crate) verbose: bool,
    /// The names given; none means all.
    pub(crate) names: Vec<String>,
}

impl Selection {
    /// The steps named, in the order of the table, or all of them.
    pub(crate) fn choose(&self, steps: Vec<Step>) -> Result<Vec<Step>, String> {
        for name in &self.names {
            if !steps.iter().any(|step| step.name == name) {
                let known: Vec<&str> = steps.iter().map(|step| step.name).collect();
                return Err(format!(
                    "there is no step `{name}`; the steps are: {}",
                    known.join(", ")
                ));
            }
        }
        let named = |step: &Step| self.names.iter().any(|name| name == step.name);
        Ok(steps
            .into_iter()
            .filter(|step| self.names.is_empty() || named(step))
            .collect())
    }
}

/// Reads the arguments that follow `cargo xtask`.
pub(crate) fn parse(arguments: &[String]) -> Result<Request, String> {
    let Some((command, rest)) = arguments.split_first() else {
        return Ok(Request::Help);
    };
    if rest
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        return Ok(Request::Help);
    }
    match command.as_str() {
        "help" | "--help" | "-h" => Ok(Request::Help),
        "ci" => Ok(Request::Checks(selection(rest)?)),
        "measure" => Ok(Request::Measurements(Selection {
            verbose: true,
            ..selection(rest)?
        })),
        other => Err(format!(
            "there is no command `{other}`; the commands are: ci, measure, help"
        )),
    }
}

fn selection(arguments: &[String]) -> Result<Selection, String> {
    let mut selection = Selection::default();
    for argument in arguments {
        match argument.as_str() {
            "--list" => selection.list = true,
            "--keep-going" => selection.keep_going = true,
            "--verbose" => selection.verbose = true,
            option if option.starts_with('-') => {
                return Err(format!(
                    "there is no option `{option}`; the options are: --list, --keep-going, --verbose"
                ));
            }
            name => selection.names.push(name.to_owned()),
        }
    }
    Ok(selection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(line: &str) -> Result<Request, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    #[test]
    fn nothing_typed_and_help_anywhere_print_the_help() {
        for line in ["", "help", "--help", "-h", "ci --help", "measure -h"] {
            assert_eq!(parse_words(line), Ok(Request::Help), "{line:?}");
        }
    }

    #[test]
    fn names_and_options_mix() {
        let expected = Selection {
            keep_going: true,
            names: vec!["fmt".to_owned(), "loom".to_owned()],
            ..Selection::default()
        };
        assert_eq!(
            parse_words("ci fmt --keep-going loom"),
            Ok(Request::Checks(expected))
        );
    }

    #[test]
    fn a_wrong_word_is_answered_with_the_right_ones() {
        let mistake = parse_words("check").expect_err("there is no such command");
        assert!(mistake.contains("`check`") && mistake.contains("ci, measure, help"));
        let mistake = parse_words("ci --fast").expect_err("there is no such option");
        assert!(mistake.contains("`--fast`") && mistake.contains("--keep-going"));

        let selection = Selection {
            names: vec!["fnt".to_owned()],
            ..Selection::default()
        };
        let Err(mistake) = selection.choose(crate::checks::all()) else {
            panic!("there is no such step");
        };
        assert!(
            mistake.contains("`fnt`") && mistake.contains("fmt, "),
            "{mistake}"
        );
    }

    #[test]
    fn steps_run_in_the_order_of_the_table() {
        let selection = Selection {
            names: vec!["clippy".to_owned(), "fmt".to_owned()],
            ..Selection::default()
        };
        let chosen = selection.choose(crate::checks::all()).expect("both exist");
        let names: Vec<&str> = chosen.iter().map(|step| step.name).collect();
        assert_eq!(names, ["fmt", "clippy"]);
    }
}
