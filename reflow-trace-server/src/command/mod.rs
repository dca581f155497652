//! The command line of `reflow-trace`.
//!
//! The flags of `serve` are made from the [table of settings](crate::config::table()), so that there is no
//! setting without a flag and no flag without a reason.
//!
//! # Exit codes
//!
//! | code | when |
//! | --- | --- |
//! | 0 | done; `serve`: ended in good order after SIGTERM or SIGINT |
//! | 1 | ended, but not in order: the time of `shutdown_deadline` was over before all was answered |
//! | 2 | the command line, the configuration or a file that it names is wrong |
//! | 3 | the address cannot be listened on |
//! | 4 | the store cannot be opened |
//! | 130 | a second signal has ended it at once |

mod arguments;
mod serve;
mod token;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, in order.
    Done = 0,
    /// Ended, but not in order.
    Cut = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The address cannot be listened on.
    Listen = 3,
    /// The store cannot be opened.
    Store = 4,
    /// A second signal has ended it at once.
    Interrupted = 130,
}

/// Does what the arguments say, the first of which is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let exit = match arguments::command().try_get_matches_from(arguments) {
        Ok(matches) => match matches.subcommand() {
            Some(("serve", matches)) => serve::run(matches),
            Some(("token", matches)) => token::run(matches),
            // clap asks for one of them.
            _ => Exit::Usage,
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

/// Says what is wrong, a mistake a line.
fn complain(mistakes: &str) {
    use std::io::Write as _;
    let mut stderr = std::io::stderr();
    for mistake in mistakes.lines() {
        // Nobody reads: nothing is left to be done.
        let _unread = writeln!(stderr, "error: {mistake}");
    }
}
