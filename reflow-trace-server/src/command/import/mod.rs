//! `reflow-trace import`: events from files into a server or a store, once.
//!
//! # Once
//!
//! Everything that a file holds is sent as one stream whose number is made of the file's content, in batches
//! that are divided by rules that never change. So the same file is the same stream, and what is stored of
//! it already is a duplicate: a second run adds nothing, and one that was interrupted goes on where it was.
//! A file that has grown is another file. To be told before that would store its beginning twice, the first
//! event is looked up; where it is stored already and not by this file, nothing is imported unless `--again`
//! says so.
//!
//! # Whose events
//!
//! The batches have a producer of their own, made of the same content; events keep their ids, which name who
//! has recorded them. What a recording says of itself (counters, coverage, losses) goes under the name of
//! that recording, in batches of its own.

mod lines;
mod parcel;
mod source;
mod target;

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::Serialize;

use super::asker;
use super::failure::Failure;
use super::progress::Progress;
use super::screen::remark;
use super::{json_flag, show};
use parcel::{Parcel, Parcels};
use source::{Identity, Source};
use target::Target;

const EXAMPLES: &str = "\
Examples:
  reflow-trace import flow.jsonl                        into the server on this machine
  reflow-trace import *.jsonl *.parquet --data DIR      into the directory of a server that is not running
  reflow-trace import flow.jsonl --strict               nothing at all, unless every line can be read
  reflow-trace import DIR/segments/*.parquet            the segments of another store

Files: JSON lines as the file sink and `export` write them (one event of Reflow's protocol a line), and Parquet
as `export` writes it and as the segments of a store are. The ending says which: .parquet, or anything else. A Parquet
file that is damaged is refused by its checksum; one without a checksum is imported with a word about that, and with
--strict not at all.

The same file is stored once, however often it is imported; after an interruption the same command goes on.
Lines that cannot be read are counted, the first of them are shown, and the rest of the file is imported.

--json prints one object a file: what was read, what is new, what was there before, what was left out.

Exit codes: 0 all of it is stored, 1 something was left out, 2 wrong flags, 4 the store cannot be opened or
written, 6 no server, 7 it refused, or the events are stored already by another way, 8 a file cannot be read,
130 interrupted: what was sent is stored.";

/// Mistakes of a file that are shown; the others are counted.
const SHOWN_MAX: u64 = 10;

pub(super) fn command() -> Command {
    Command::new("import")
        .about("Stores the events of files, once")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .required(true)
                .num_args(1..)
                .value_parser(clap::value_parser!(PathBuf))
                .help("JSON lines, or Parquet"),
        )
        .arg(
            Arg::new("strict")
                .long("strict")
                .action(ArgAction::SetTrue)
                .help("Import nothing of a file in which something cannot be read"),
        )
        .arg(
            Arg::new("again")
                .long("again")
                .action(ArgAction::SetTrue)
                .help("Import also what is stored already by another way, and so twice"),
        )
        .arg(json_flag("One object a file, on standard output"))
        .args(asker::flags())
}

/// What became of a file.
#[derive(Debug, Default, Serialize)]
struct Summary {
    file: String,
    /// Events and notices that were read.
    events: u64,
    /// Of these, stored now; `null` where the server does not tell.
    new: Option<u64>,
    /// Of these, stored before; `null` where the server does not tell.
    known: Option<u64>,
    /// What cannot be read, or is too large for a batch.
    left_out: u64,
    /// Events of batches that the server has refused for ever.
    refused: u64,
}

pub(super) async fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let files: Vec<&PathBuf> = matches.get_many("files").unwrap_or_default().collect();
    let is_json = matches.get_flag("json");
    // A file that is not there is found out before the first is sent.
    for file in &files {
        Source::open(file)?;
    }
    let mut target = Target::open(matches).await?;
    let mut left_out = 0;
    let mut screen = super::screen::Screen::new();
    for file in files {
        let summary = import(file, &mut target, matches).await?;
        left_out += summary.left_out + summary.refused;
        if is_json {
            match screen.json(&summary).and_then(|()| screen.flush()) {
                // Nobody reads what is said; what was asked for is done all the same.
                Ok(()) | Err(Failure::Closed) => {}
                Err(failure) => return Err(failure),
            }
        } else {
            remark(&told(&summary));
        }
    }
    target.close().await?;
    if left_out > 0 {
        return Err(Failure::Partly(format!(
            "{} left out",
            show::counted(left_out, "event")
        )));
    }
    Ok(())
}

async fn import(
    file: &Path,
    target: &mut Target,
    matches: &ArgMatches,
) -> Result<Summary, Failure> {
    let identity = Identity::of(file, matches.get_flag("strict"))?;
    target.begin(&identity, matches.get_flag("again")).await?;
    let mut summary = Summary {
        file: file.display().to_string(),
        ..Summary::default()
    };
    let mut progress = Progress::new("events");
    let mut parcels = Parcels::start(file, &identity);
    let mut mistakes = Mistakes::default();
    while let Some(parcel) = parcels.next().await {
        match parcel? {
            Parcel::Batch {
                frame,
                events,
                share,
            } => {
                summary.events += events;
                target.send(frame, events).await?;
                progress.show(summary.events, Some(share));
            }
            Parcel::Mistake { place, why } => {
                progress.clear();
                summary.left_out += 1;
                mistakes.tell(file, &place, &why);
            }
        }
    }
    let sent = target.settle().await?;
    progress.clear();
    mistakes.end(file);
    for (number, why) in &sent.refused {
        remark(&format!(
            "{}: batch {number} was refused: {why}",
            file.display()
        ));
    }
    summary.refused = sent.refused_events;
    summary.new = sent.new;
    summary.known = sent
        .new
        .map(|new| summary.events.saturating_sub(new + summary.refused));
    Ok(summary)
}

/// What cannot be read of a file: the first ones in words, the others by their number.
#[derive(Default)]
struct Mistakes(u64);

impl Mistakes {
    fn tell(&mut self, file: &Path, place: &str, why: &str) {
        self.0 += 1;
        if self.0 <= SHOWN_MAX {
            remark(&format!("{}: {place}: {why}", file.display()));
        }
    }

    fn end(&self, file: &Path) {
        if self.0 > SHOWN_MAX {
            let more = show::counted(self.0 - SHOWN_MAX, "more mistake");
            remark(&format!("{}: {more}", file.display()));
        }
    }
}

fn told(summary: &Summary) -> String {
    let events = show::counted(summary.events, "event");
    let mut said = match (summary.new, summary.known) {
        (Some(0), Some(1..)) => format!("{events}, all of them stored before: nothing was added"),
        (Some(new), Some(known @ 1..)) => {
            format!("{events}: {new} stored, {known} were stored before")
        }
        (Some(_), _) => format!("{events} stored"),
        (None, _) => format!("{events} stored, now or before: the token may not ask which"),
    };
    for (count, what) in [
        (summary.left_out, "left out"),
        (summary.refused, "refused by the server"),
    ] {
        if count > 0 {
            said += &format!(", {count} {what}");
        }
    }
    format!("{}: {said}", summary.file)
}
