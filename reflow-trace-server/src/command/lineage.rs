//! `reflow-trace lineage`: what led to a message, what it led to, and whether all of it is there.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use reflow_trace::api::{LineageQuestion, LineageSubject};
use reflow_trace::{EventId, TraceId};
use serde_json::Value;
use uuid::Uuid;

use super::asker::{self, Asker, Unanswered};
use super::failure::Failure;
use super::screen::{Screen, remark};
use super::{json_flag, show};

const EXAMPLES: &str = "\
Examples:
  reflow-trace lineage msg_12345                                  by the message's own id
  reflow-trace lineage 42 --all                                   an id that is a number; however long
  reflow-trace lineage --event 0190b5a0-…                         by the event
  reflow-trace lineage --trace 0190b5a0-… --json                  a whole trace, for programs

▶ stands before what was asked for, * before what is on the chain that took longest. An id of digits alone is
looked for as a number and, where there is none, as a text.

Exit codes: 0 found, 2 wrong flags, 4 no store, 5 there is no such message, event or trace, 6 no server, 7 refused.";

pub(super) fn command() -> Command {
    Command::new("lineage")
        .about("Shows what led to a message and what it led to")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("id")
                .value_name("ID")
                .required_unless_present_any(["event", "trace"])
                .conflicts_with_all(["event", "trace"])
                .help("The id that the message has of itself"),
        )
        .arg(
            Arg::new("event")
                .long("event")
                .value_name("UUID")
                .conflicts_with("trace")
                .value_parser(value_parser!(Uuid))
                .help("One event instead of a message"),
        )
        .arg(
            Arg::new("trace")
                .long("trace")
                .value_name("UUID")
                .value_parser(value_parser!(Uuid))
                .help("All events of a trace instead of a message"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("COUNT")
                .value_parser(value_parser!(u64).range(1..))
                .help("At most so many events; what the server allows unless said otherwise"),
        )
        .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).help(
            "Show all of a long one, not only its beginning and what stands around the subject",
        ))
        .arg(
            Arg::new("explain")
                .long("explain")
                .action(ArgAction::SetTrue)
                .help("Say on standard error what answering has cost"),
        )
        .arg(json_flag("The answer as one JSON object"))
        .args(asker::flags())
}

pub(super) async fn run(matches: &ArgMatches, screen: &mut Screen) -> Result<(), Failure> {
    let limit = matches.get_one::<u64>("limit");
    let limit = limit.map(|&limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let asker = Asker::open(matches).await?;
    let ask = |of| asker.lineage(LineageQuestion { of, limit });
    let mut answer = Err(Unanswered::Failed(Failure::Usage(
        "name a message, an event or a trace".to_owned(),
    )));
    for subject in subjects(matches) {
        answer = ask(subject).await;
        match &answer {
            Ok(found) if found.events.is_empty() => {}
            Err(Unanswered::Refused(error)) if is_not_found(error) => {}
            _ => break,
        }
    }
    let answer = answer?;
    if answer.events.is_empty() {
        return Err(Failure::NotFound(
            "there is no such message, event or trace".to_owned(),
        ));
    }
    if matches.get_flag("json") {
        screen.json(&answer)?;
    } else {
        screen.text(&show::lineage(&answer, matches.get_flag("all")))?;
    }
    screen.flush()?;
    if matches.get_flag("explain") {
        remark(&show::work(&answer.work));
    }
    Ok(())
}

fn is_not_found(error: &reflow_trace::api::ApiError) -> bool {
    error.code == reflow_trace::api::ErrorCode::NotFound
}

/// What may be meant, the likeliest first.
fn subjects(matches: &ArgMatches) -> Vec<LineageSubject> {
    if let Some(&event) = matches.get_one::<Uuid>("event") {
        return vec![LineageSubject::EventId(EventId::from_uuid(event))];
    }
    if let Some(&trace) = matches.get_one::<Uuid>("trace") {
        return vec![LineageSubject::TraceId(TraceId::from_uuid(trace))];
    }
    let Some(id) = matches.get_one::<String>("id") else {
        return Vec::new();
    };
    // `007` is no number as anybody would write it in JSON.
    let is_written_so = id == "0" || !id.trim_start_matches('-').starts_with(['0', '+']);
    let number = id.parse::<u64>().ok().map(Value::from);
    let number = number.or_else(|| id.parse::<i64>().ok().map(Value::from));
    let number = number.filter(|_| is_written_so && !id.starts_with('+'));
    let meant = number.into_iter().chain([Value::from(id.as_str())]);
    meant.map(LineageSubject::MessageId).collect()
}
