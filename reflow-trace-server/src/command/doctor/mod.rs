//! `reflow-trace doctor`: is all of it there and whole, what was lost, and what did not arrive.
//!
//! Of a directory everything is looked at and nothing is changed. A running server is asked what it knows:
//! who has lost what, who has fallen silent, what was sent and did not flow.

mod directory;
mod flows;
mod report;
mod server;

use chrono::Utc;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::asker::{self, Asker};
use super::failure::Failure;
use super::screen::Screen;
use super::{choice, json_flag, times};
use report::Report;

const EXAMPLES: &str = "\
Examples:
  reflow-trace doctor --data ./reflow-trace-data        every file, row and sum of a store; changes nothing
  reflow-trace doctor --data DIR --quick                checksums, but not every row
  reflow-trace doctor                                   a running server: losses, silent producers
  reflow-trace doctor --missing-flows --last 1h         and what was sent and did not flow
  reflow-trace doctor --json | jq '.findings[]'         one JSON object

✕ is a fault: something that was stored is lost, damaged or wrong. ! wants somebody to look. · is good to know.
With --missing-flows the store in a directory is opened as `query` opens it, which tidies up what a crash has left.

Exit codes: 0 no fault (with --strict: and no warning), 1 a fault, 2 wrong flags, 4 there is no store, or a server
holds it, 6 no server, 7 a wrong condition, or refused.";

pub(super) fn command() -> Command {
    Command::new("doctor")
        .about("Checks a store, and finds what is missing")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("missing-flows")
                .long("missing-flows")
                .action(ArgAction::SetTrue)
                .help("Also look for messages that were sent and did not flow"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("COUNT")
                .default_value("100")
                .value_parser(clap::value_parser!(u64).range(1..))
                .help("At most so many missing flows"),
        )
        .args(
            choice::conditions().map(|flag| match flag.get_id().as_str() {
                "filter" => flag.help("Only missing flows whose sends fulfil this condition"),
                _ => flag.hide(true),
            }),
        )
        .arg(choice::actor().help("Only missing flows of this actor"))
        .args(times::flags())
        .arg(
            Arg::new("quick")
                .long("quick")
                .action(ArgAction::SetTrue)
                .help("Of a directory, look at checksums and not at every row"),
        )
        .arg(
            Arg::new("strict")
                .long("strict")
                .action(ArgAction::SetTrue)
                .help("End with 1 also for warnings"),
        )
        .arg(json_flag("One JSON object"))
        .args(asker::flags())
}

pub(super) async fn run(matches: &ArgMatches, screen: &mut Screen) -> Result<(), Failure> {
    let wants_flows = matches.get_flag("missing-flows");
    // A slip in the condition is found out before the work.
    let query = choice::query(matches)?;
    let mut report = Report::default();
    match asker::directory(matches) {
        Some(directory) => {
            directory::look(directory, !matches.get_flag("quick"), &mut report).await?;
            if wants_flows && report.is_healthy(false) {
                let asker = Asker::open(matches).await?;
                flows::look(&asker, query, matches, &mut report).await?;
            }
        }
        None => {
            let asker = Asker::open(matches).await?;
            server::look(&asker, Utc::now(), &mut report).await?;
            if wants_flows {
                flows::look(&asker, query, matches, &mut report).await?;
            }
        }
    }
    if matches.get_flag("json") {
        screen.json(&report)?;
    } else {
        report.print(screen)?;
    }
    screen.flush()?;
    if report.is_healthy(matches.get_flag("strict")) {
        Ok(())
    } else {
        Err(Failure::Partly(report.verdict()))
    }
}
