//! `reflow-trace query`: events, by time, kind, actor and conditions.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use reflow_trace::TraceEvent;
use reflow_trace::api::{Cursor, EventsQuestion, Work};

use super::asker::{self, Asker};
use super::failure::Failure;
use super::screen::{Screen, remark};
use super::{choice, json_flag, show, times};

const EXAMPLES: &str = "\
Examples:
  reflow-trace query --last 10min                                 what happened lately
  reflow-trace query \"outcome = 'failed'\" --newest --limit 20     the failures, the newest first
  reflow-trace query --actor reader --type DataFlow --json        one JSON object a line
  reflow-trace query \"execution_time_ns > 10ms\" --explain         and what answering has cost
  reflow-trace query --data ./reflow-trace-data                   from a directory, without a server

The oldest come first. Where there are more than --limit, standard error says what to write after --after.

JSON lines are the events as the file sink writes them, in the form of Reflow's protocol.

Exit codes: 0 answered, also when nothing fits; 2 wrong flags, 4 no store, 6 no server, 7 a wrong condition, or
the question was refused.";

/// Events in one question, at most; a server may give fewer.
pub(super) const PAGE_EVENTS: usize = 10_000;

pub(super) fn command() -> Command {
    Command::new("query")
        .about("Shows events")
        .after_help(format!("{EXAMPLES}\n\n{}", choice::FILTER_HELP))
        .args(choice::conditions())
        .arg(choice::actor())
        .args(times::flags())
        .arg(limit("100"))
        .arg(
            Arg::new("newest")
                .long("newest")
                .action(ArgAction::SetTrue)
                .help("The newest first"),
        )
        .arg(
            Arg::new("after")
                .long("after")
                .value_name("PLACE")
                .value_parser(value_parser!(Cursor))
                .help("Go on where an earlier answer has ended"),
        )
        .arg(
            Arg::new("explain")
                .long("explain")
                .action(ArgAction::SetTrue)
                .help("Say on standard error what answering has cost"),
        )
        .arg(json_flag("One event a line, as JSON"))
        .args(asker::flags())
}

/// `--limit`.
pub(super) fn limit(default: &'static str) -> Arg {
    Arg::new("limit")
        .long("limit")
        .value_name("COUNT")
        .default_value(default)
        .value_parser(value_parser!(u64).range(1..))
        .help("At most so many")
}

pub(super) async fn run(matches: &ArgMatches, screen: &mut Screen) -> Result<(), Failure> {
    let mut asked = EventsQuestion {
        query: choice::query(matches)?,
        after: matches.get_one("after").copied(),
        newest_first: matches.get_flag("newest"),
    };
    let limit = matches.get_one("limit").copied().unwrap_or(u64::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_json = matches.get_flag("json");
    let asker = Asker::open(matches).await?;
    let mut pages = Pages::new(&asker, &mut asked, limit);
    let mut rows: Vec<TraceEvent> = Vec::new();
    while let Some(events) = pages.next().await? {
        if is_json {
            for event in &events {
                screen.json(event)?;
            }
        } else {
            rows.extend(events);
        }
    }
    let Pages { work, next, .. } = pages;
    if !rows.is_empty() {
        screen.fit(&show::events(&rows))?;
    }
    screen.flush()?;
    if !is_json && rows.is_empty() {
        remark("no event fits");
    }
    if let Some(next) = next {
        remark(&format!("there are more: --after {next}"));
    }
    if matches.get_flag("explain") {
        remark(&show::work(&work));
    }
    Ok(())
}

/// One question after the other, until there are enough answers.
pub(super) struct Pages<'a> {
    asker: &'a Asker,
    asked: &'a mut EventsQuestion,
    left: usize,
    is_over: bool,
    /// What all of them have cost.
    pub(super) work: Work,
    /// Where to go on; `None` when there is nothing more.
    pub(super) next: Option<Cursor>,
}

impl<'a> Pages<'a> {
    pub(super) fn new(asker: &'a Asker, asked: &'a mut EventsQuestion, limit: usize) -> Self {
        Self {
            asker,
            asked,
            left: limit,
            is_over: limit == 0,
            work: Work::default(),
            next: None,
        }
    }

    /// The next events; `None` when there are none, or were enough.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<TraceEvent>>, Failure> {
        if self.is_over {
            return Ok(None);
        }
        self.asked.query.limit = Some(self.left.min(PAGE_EVENTS));
        let answer = self.asker.events(self.asked.clone()).await;
        let page = answer.map_err(|why| why.in_texts(&texts(self.asked)))?;
        add(&mut self.work, &page.work);
        self.left = self.left.saturating_sub(page.events.len());
        self.next = page.next;
        self.is_over = self.left == 0 || self.next.is_none();
        if self.next.is_some() && self.next == self.asked.after {
            return Err(Failure::Unreachable(
                "the server answers the same page again and again: its version may be another one"
                    .to_owned(),
            ));
        }
        self.asked.after = self.next.or(self.asked.after);
        Ok(Some(page.events))
    }
}

/// The texts of a question in which a mistake can have a place.
pub(super) fn texts(asked: &EventsQuestion) -> Vec<(&'static str, &str)> {
    let custom = asked.query.custom_filter.as_deref();
    let performance = asked.query.performance_filter.as_deref();
    let named = [
        ("custom_filter", custom),
        ("performance_filter", performance),
    ];
    named
        .into_iter()
        .filter_map(|(field, text)| Some((field, text?)))
        .collect()
}

fn add(sum: &mut Work, work: &Work) {
    sum.segments = sum.segments.max(work.segments);
    sum.segments_opened += work.segments_opened;
    sum.pages += work.pages;
    sum.pages_read += work.pages_read;
    sum.rows_looked_at += work.rows_looked_at;
    sum.events_decoded += work.events_decoded;
    sum.cells += work.cells;
    sum.micros += work.micros;
}
