//! `reflow-trace export`: events into a file, page by page, in bounded memory.
//!
//! Both forms hold every event whole: what is exported, imported elsewhere and exported again is the same,
//! event by event. What a recording says of itself (its counters, losses and coverage) is not among the
//! events of a store, and so not in the file.

mod output;

use std::path::Path;

use clap::{Arg, ArgMatches, Command, value_parser};
use reflow_trace::api::EventsQuestion;

use super::asker::{self, Asker};
use super::failure::Failure;
use super::progress::Progress;
use super::query::Pages;
use super::screen::remark;
use super::{choice, show, times};
use output::{Form, Output};

const EXAMPLES: &str = "\
Examples:
  reflow-trace export -o yesterday.parquet --from 2026-01-30 --to 2026-01-30
  reflow-trace export \"outcome = 'failed'\" > failed.jsonl
  reflow-trace export -o all.jsonl --data ./reflow-trace-data

JSON lines: one event of Reflow's protocol a line, as the file sink writes them. Parquet: the columns of the
store's segments, which any tool reads (docs/CLI.md has the table). Both hold every event whole, so that `import`
gives the same events again; the exact counters of a recording are no events and are not among them.

The file appears whole or not at all. The oldest events come first.

Exit codes: 0 written, 2 wrong flags, 4 no store, 6 no server, 7 a wrong condition, or refused, 8 the file cannot
be written, 130 interrupted: no file.";

pub(super) fn command() -> Command {
    Command::new("export")
        .about("Writes events to a file")
        .after_help(EXAMPLES)
        .args(choice::conditions())
        .arg(choice::actor())
        .args(times::flags())
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["jsonl", "parquet"])
                .hide_possible_values(true)
                .help("jsonl or parquet; that of the file's name, else jsonl"),
        )
        .arg(super::json_flag("The same as `--format jsonl`").conflicts_with("format"))
        .arg(
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("FILE")
                .help("Write to this file, which is replaced, instead of standard output"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("COUNT")
                .value_parser(value_parser!(u64).range(1..))
                .help("At most so many events; all of them unless said otherwise"),
        )
        .args(asker::flags())
}

pub(super) async fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let path = matches.get_one::<String>("output").map(Path::new);
    let form = match matches.get_flag("json") {
        true => Form::JsonLines,
        false => Form::of(matches.get_one::<String>("format"), path)?,
    };
    let mut asked = EventsQuestion {
        query: choice::query(matches)?,
        ..EventsQuestion::default()
    };
    let limit = matches.get_one::<u64>("limit").copied();
    let limit = usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    // What cannot be written is not worth asking for.
    let mut output = Output::create(form, path)?;
    let asker = Asker::open(matches).await?;
    let mut pages = Pages::new(&asker, &mut asked, limit);
    let mut progress = Progress::new("events");
    let mut written = 0;
    while let Some(events) = pages.next().await? {
        written += events.len() as u64;
        output.write(&events)?;
        progress.show(written, None);
    }
    output.finish()?;
    progress.clear();
    if let Some(path) = path {
        remark(&format!(
            "{}: {}",
            path.display(),
            show::counted(written, "event")
        ));
    }
    Ok(())
}
