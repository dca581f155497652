//! `reflow-trace tail`: events as they are stored.
use clap::{ArgMatches, Command};

use super::failure::Failure;
use super::screen::Screen;

pub(super) fn command() -> Command {
    Command::new("tail")
}

pub(super) async fn run(_matches: &ArgMatches, _screen: &mut Screen) -> Result<(), Failure> {
    Err(Failure::Unreachable("the client is on its way".to_owned()))
}
