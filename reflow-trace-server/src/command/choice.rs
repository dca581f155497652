//! Which events: the flags that `query`, `tail`, `export` and `doctor` share.
//!
//! A condition is checked here before anybody is asked, so that a slip is shown at its place at once and
//! in the same words, whoever would have answered.

use clap::{Arg, ArgAction, ArgMatches};
use reflow_trace::TraceEventType;
use reflow_trace::protocol::{QueryRequest, SubscriptionRequest};
use reflow_trace::query::QueryError;

use super::failure::Failure;
use super::times;

/// The kinds of events, as they are written.
const TYPES: [&str; 11] = [
    "DataFlow",
    "MessageSent",
    "MessageReceived",
    "ActorCreated",
    "ActorStarted",
    "ActorCompleted",
    "ActorFailed",
    "StateChanged",
    "PortConnected",
    "PortDisconnected",
    "NetworkEvent",
];

/// What a condition may say, for `--help`.
pub(super) const FILTER_HELP: &str = "\
Conditions: source_actor LIKE 'sensor_%' AND (execution_time_ns > 10ms OR outcome = 'failed')
  fields: timestamp, event_type, outcome, actor_id, port, source_actor, source_port, destination_actor,
  destination_port, message_type, message_id, size_bytes, execution_time_ns, waiting_time_ns, queue_depth,
  trace_id, event_id, weight, … and attr.NAME for what a program attached; operators: = != < <= > >=,
  AND OR NOT, IN, BETWEEN, LIKE, IS NULL; units: ns us ms s min h, B KB MB GB KiB MiB GiB";

/// The condition, the kinds and the second condition.
pub(super) fn conditions() -> [Arg; 3] {
    [
        Arg::new("filter")
            .value_name("FILTER")
            .help("A condition that events have to fulfil, in quotes"),
        Arg::new("type")
            .long("type")
            .value_name("KIND")
            .action(ArgAction::Append)
            .value_delimiter(',')
            .value_parser(TYPES)
            .hide_possible_values(true)
            .help(
                "Events of this kind, such as DataFlow, MessageSent, ActorFailed; may be repeated",
            ),
        Arg::new("performance")
            .long("performance")
            .value_name("FILTER")
            .help("A further condition, such as 'execution_time_ns > 10ms'"),
    ]
}

/// One actor.
pub(super) fn actor() -> Arg {
    Arg::new("actor")
        .long("actor")
        .value_name("NAME")
        .help("Events that happened at this actor or went to it")
}

/// Any of several actors.
pub(super) fn actors() -> Arg {
    actor()
        .action(ArgAction::Append)
        .help("Events that happened at this actor or went to it; may be repeated")
}

/// What the flags ask of stored events.
pub(super) fn query(matches: &ArgMatches) -> Result<QueryRequest, Failure> {
    let request = QueryRequest {
        time_range: times::span(matches)?,
        event_types: event_types(matches),
        actor_filter: text(matches, "actor"),
        custom_filter: text(matches, "filter"),
        performance_filter: text(matches, "performance"),
        ..QueryRequest::default()
    };
    request
        .question()
        .compile()
        .map_err(|error| wrong(&error))?;
    Ok(request)
}

/// What the flags ask of events as they happen.
pub(super) fn subscription(matches: &ArgMatches) -> Result<SubscriptionRequest, Failure> {
    let actors = matches.get_many::<String>("actor");
    let request = SubscriptionRequest {
        actor_ids: actors.map(|actors| actors.cloned().collect()),
        event_types: event_types(matches),
        custom_filter: text(matches, "filter"),
        performance_filter: text(matches, "performance"),
        ..SubscriptionRequest::default()
    };
    request.filters().compile().map_err(|error| wrong(&error))?;
    Ok(request)
}

fn text(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).cloned()
}

fn event_types(matches: &ArgMatches) -> Option<Vec<TraceEventType>> {
    let named = matches.get_many::<String>("type")?;
    Some(named.filter_map(|name| event_type(name)).collect())
}

fn event_type(name: &str) -> Option<TraceEventType> {
    let any = || "*".to_owned();
    if name == "DataFlow" {
        return Some(TraceEventType::DataFlow {
            to_actor: any(),
            to_port: any(),
        });
    }
    // The kinds without content are their names in JSON.
    serde_json::from_value(name.into()).ok()
}

fn wrong(error: &QueryError) -> Failure {
    match error {
        QueryError::Filter { part, error } => {
            let flag = match part.name() {
                "performance_filter" => "--performance",
                _ => "the condition",
            };
            Failure::Refused(format!("{flag}: {error:#}"))
        }
        error => Failure::Refused(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_may_be_named_is_one() {
        for name in TYPES {
            assert!(event_type(name).is_some(), "{name}");
        }
        assert_eq!(event_type("Nonsense"), None);
    }
}
