//! placeholder while being written
use clap::{ArgMatches, Command};

use super::failure::Failure;
use super::screen::Screen;

pub(super) fn command() -> Command {
    Command::new("doctor")
}

pub(super) async fn run(_matches: &ArgMatches, _screen: &mut Screen) -> Result<(), Failure> {
    Ok(())
}
