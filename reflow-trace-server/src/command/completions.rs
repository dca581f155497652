//! `reflow-trace completions`.

use std::io::Write as _;

use clap::builder::EnumValueParser;
use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;

use super::failure::Failure;
use super::{Exit, arguments, complain_of};

const EXAMPLES: &str = "\
Examples:
  reflow-trace completions bash > ~/.local/share/bash-completion/completions/reflow-trace
  reflow-trace completions zsh > ~/.zfunc/_reflow-trace        where ~/.zfunc is in $fpath
  reflow-trace completions fish > ~/.config/fish/completions/reflow-trace.fish

Exit codes: 0 written, 2 no such shell, 8 cannot be written.";

pub(super) fn command() -> Command {
    let shell = Arg::new("shell")
        .required(true)
        .value_name("SHELL")
        .value_parser(EnumValueParser::<Shell>::new())
        .help("Whose language to write");
    Command::new("completions")
        .about("Writes what lets a shell complete commands and flags")
        .after_help(EXAMPLES)
        .arg(shell)
}

/// Writes the script to standard output.
pub(super) fn run(matches: &ArgMatches) -> Exit {
    let Some(&shell) = matches.get_one::<Shell>("shell") else {
        return Exit::Usage;
    };
    // First into memory: the generator panics where nobody reads any more.
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut arguments::command(),
        "reflow-trace",
        &mut script,
    );
    let mut stdout = std::io::stdout();
    match stdout.write_all(&script).and_then(|()| stdout.flush()) {
        Ok(()) => Exit::Done,
        Err(error) => match Failure::printing(error) {
            Failure::Closed => Exit::Done,
            failure => {
                complain_of(&failure);
                failure.exit()
            }
        },
    }
}
