//! The command line of `reflow-trace`.
//!
//! The flags of `serve` are made from the [table of settings](crate::config::table()), so that there is no
//! setting without a flag and no flag without a reason. Everything that asks goes through one
//! asker, so that every command works with a server and with the directory of one that is
//! not running.
//!
//! # What all commands have in common
//!
//! The answer goes to standard output, everything said about it to standard error. A table is as wide as the
//! terminal (or as `COLUMNS` says) and whole in a file or a pipe. Names that a program brought along can
//! neither control the terminal nor hide. Colours are there on a terminal only, and not with `NO_COLOR`. Who
//! stops reading (`| head`) ends the command silently. SIGINT and SIGTERM end it in two seconds, also where it is
//! held in writing.
//!
//! # Exit codes
//!
//! | code | when |
//! | --- | --- |
//! | 0 | done; a question that finds no event is answered; `serve`: ended in good order; `tail`: ended by Ctrl-C |
//! | 1 | done in part: `serve` ended by its deadline; `import` left something out; `doctor` found something wrong |
//! | 2 | the command line, the configuration or a file that it names is wrong |
//! | 3 | the address cannot be listened on |
//! | 4 | the store cannot be opened or read |
//! | 5 | there is nothing of this id |
//! | 6 | no server answers, or it has stopped answering |
//! | 7 | the question is wrong, not permitted, or over a limit |
//! | 8 | a file cannot be read or written, or is not what it should be |
//! | 130 | ended by Ctrl-C or SIGTERM before its end; `serve`: by a second signal |

mod arguments;
mod asker;
mod choice;
mod completions;
mod doctor;
mod export;
mod failure;
mod file;
mod graph;
mod import;
mod lineage;
mod progress;
mod query;
mod screen;
mod serve;
mod show;
mod signal;
mod sql;
mod stats;
mod tail;
mod times;
mod token;

use std::ffi::OsString;
use std::pin::Pin;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches};

use failure::Failure;
use screen::Screen;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, in order.
    Done = 0,
    /// Ended, but not in order, or not with everything done.
    Cut = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The address cannot be listened on.
    Listen = 3,
    /// The store cannot be opened or read.
    Store = 4,
    /// There is nothing of this id.
    NotFound = 5,
    /// No server answers.
    Unreachable = 6,
    /// The question is not answered.
    Refused = 7,
    /// A file cannot be read or written.
    File = 8,
    /// Ended by a signal before its end.
    Interrupted = 130,
}

/// Does what the arguments say, the first of which is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let exit = match arguments::command().try_get_matches_from(arguments) {
        Ok(matches) => match matches.subcommand() {
            Some(("serve", matches)) => serve::run(matches),
            Some(("token", matches)) => token::run(matches),
            Some(("completions", matches)) => completions::run(matches),
            Some((name, matches)) => ask(name, matches),
            // clap asks for one of them.
            None => Exit::Usage,
        },
        Err(error) => {
            // A terminal that is gone is no reason to panic.
            let _unseen = error.print();
            match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
                _ => Exit::Usage,
            }
        }
    };
    ExitCode::from(exit as u8)
}

/// A command that asks, under way.
type Asking<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;

/// Runs a command that asks, until it has ended or a signal ends it.
fn ask(name: &str, matches: &ArgMatches) -> Exit {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("the system gives no threads: {error}"));
            return Exit::Cut;
        }
    };
    let mut screen = Screen::new();
    let by_signal = match ends_by_signal(name, matches) {
        true => Exit::Done,
        false => Exit::Interrupted,
    };
    let signal = signal::caught(by_signal);
    let ended = runtime.block_on(async {
        let asking: Asking<'_> = match name {
            "query" => Box::pin(query::run(matches, &mut screen)),
            "sql" => Box::pin(sql::run(matches, &mut screen)),
            "lineage" => Box::pin(lineage::run(matches, &mut screen)),
            "graph" => Box::pin(graph::run(matches, &mut screen)),
            "tail" => Box::pin(tail::run(matches, &mut screen)),
            "stats" => Box::pin(stats::run(matches, &mut screen)),
            "import" => Box::pin(import::run(matches)),
            "export" => Box::pin(export::run(matches)),
            "doctor" => Box::pin(doctor::run(matches, &mut screen)),
            _ => return Err(Failure::Usage(format!("`{name}` is no command"))),
        };
        tokio::select! {
            ended = asking => ended,
            signal = signal => Err(Failure::Interrupted(format!("ended by {signal}"))),
        }
    });
    // Work that nobody waits for any more ends with the process.
    runtime.shutdown_background();
    let ended = ended.and_then(|()| screen.flush());
    match ended {
        Ok(()) => Exit::Done,
        Err(Failure::Interrupted(_)) if by_signal == Exit::Done => Exit::Done,
        Err(failure) => {
            if !matches!(failure, Failure::Closed) {
                complain_of(&failure);
            }
            failure.exit()
        }
    }
}

/// Whether a signal is how this command is meant to end.
fn ends_by_signal(name: &str, matches: &ArgMatches) -> bool {
    name == "tail" || (name == "stats" && matches.contains_id("watch"))
}

fn json_flag(help: &'static str) -> Arg {
    Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help(help)
}

/// Says what is wrong, a mistake a line.
fn complain(mistakes: &str) {
    use std::io::Write as _;
    let mut stderr = std::io::stderr();
    for mistake in mistakes.lines() {
        // Nobody reads: nothing is left to be done.
        let _unread = writeln!(stderr, "error: {mistake}");
    }
}

/// Says what is wrong; the lines behind the first show it.
fn complain_of(failure: &Failure) {
    use std::io::Write as _;
    let mut stderr = std::io::stderr();
    for (place, line) in failure.lines().iter().enumerate() {
        let lead = if place == 0 { "error: " } else { "" };
        // Nobody reads: nothing is left to be done.
        let _unread = writeln!(stderr, "{lead}{line}");
    }
}
