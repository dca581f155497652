//! `reflow-trace tail`: events as they are stored.
//!
//! The connection may be lost and the server start again: what was stored meanwhile is asked for by its
//! place in the log, so that nothing is shown twice and nothing is left out. Where something is left out
//! nevertheless, because it is no longer there or this end is too slow, it is said where it would stand.

use clap::{Arg, ArgMatches, Command, value_parser};
use reflow_trace::client::ask::Seen;
use reflow_trace::{Outcome, TraceEvent, TraceEventType};
use serde_json::json;

use super::asker::{self, Address, ServerAsker};
use super::failure::Failure;
use super::screen::{Screen, Tone, nobody_reads, remark};
use super::{choice, json_flag, show};

const EXAMPLES: &str = "\
Examples:
  reflow-trace tail                                     everything, from now on
  reflow-trace tail \"outcome != 'delivered'\"            what goes wrong
  reflow-trace tail --actor reader --actor store --type DataFlow
  reflow-trace tail --from-offset 1 --json > all.jsonl  what is stored, and then what comes

Events are shown when they are durably stored. Where some are left out, because this end is too slow or they are
no longer there, a line says so; with --json it is {\"gap\":{\"from_offset\":…,\"to_offset\":…}}, and every other line is
an event. When the connection is lost it is made again, however long that takes, and goes on where it was.

Exit codes: 0 ended by Ctrl-C, by --limit, or because nobody reads any more; 2 wrong flags, 6 no server, 7 a wrong
condition, or refused.";

pub(super) fn command() -> Command {
    Command::new("tail")
        .about("Shows events as they are stored")
        .after_help(format!("{EXAMPLES}\n\n{}", choice::FILTER_HELP))
        .args(choice::conditions())
        .arg(choice::actors())
        .arg(
            Arg::new("from-offset")
                .long("from-offset")
                .value_name("OFFSET")
                .value_parser(value_parser!(u64))
                .help("First what is stored from this place in the log on; 1 is the beginning"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("COUNT")
                .value_parser(value_parser!(u64).range(1..))
                .help("End after so many"),
        )
        .arg(json_flag("One event a line, as JSON"))
        .args(asker::server_flags())
}

pub(super) async fn run(matches: &ArgMatches, screen: &mut Screen) -> Result<(), Failure> {
    let address = Address::of(matches)?;
    let filters = choice::subscription(matches)?;
    let mut tail = Tail {
        left: matches.get_one("limit").copied().unwrap_or(u64::MAX),
        is_json: matches.get_flag("json"),
        was_live: false,
    };
    let asker = ServerAsker::new(&address)?;
    let from_offset = matches.get_one("from-offset").copied();
    let mut live = asker.subscribe(filters, from_offset).await?;
    while tail.left > 0 {
        tokio::select! {
            seen = live.next() => tail.show(seen?, screen)?,
            () = nobody_reads() => return Err(Failure::Closed),
        }
    }
    Ok(())
}

struct Tail {
    left: u64,
    is_json: bool,
    was_live: bool,
}

impl Tail {
    fn show(&mut self, seen: Seen, screen: &mut Screen) -> Result<(), Failure> {
        match seen {
            Seen::Live { .. } => {
                let was_live = std::mem::replace(&mut self.was_live, true);
                if was_live {
                    remark("the connection was lost, and is there again");
                }
            }
            Seen::Events { events, .. } => {
                for event in events {
                    if self.left == 0 {
                        break;
                    }
                    self.left -= 1;
                    if self.is_json {
                        screen.json(&event)?;
                    } else {
                        let line = show::line(&event, screen.width());
                        screen.line(&screen.paint(tone(&event), &line))?;
                    }
                }
            }
            Seen::Gap {
                from_offset,
                to_offset,
            } => {
                let batches = show::counted_batches(to_offset.saturating_sub(from_offset));
                if self.is_json {
                    screen.json(
                        &json!({ "gap": { "from_offset": from_offset, "to_offset": to_offset } }),
                    )?;
                } else {
                    let line = format!(
                        "!!! {batches} left out, offsets {from_offset} to {}: too slow here, or no longer stored",
                        to_offset.saturating_sub(1)
                    );
                    screen.line(&screen.paint(Tone::Bad, &line))?;
                }
            }
            _ => {}
        }
        screen.flush()
    }
}

fn tone(event: &TraceEvent) -> Tone {
    match (&event.event_type, event.outcome) {
        (TraceEventType::ActorFailed, _) => Tone::Bad,
        (_, None | Some(Outcome::Delivered)) => Tone::Plain,
        (_, Some(Outcome::Dropped)) => Tone::Warning,
        _ => Tone::Bad,
    }
}
