//! What was sent and did not flow.

use clap::ArgMatches;
use reflow_trace::api::EventsQuestion;
use reflow_trace::lineage::MissingReason;
use reflow_trace::protocol::QueryRequest;
use reflow_trace::{Outcome, TraceEvent};
use serde::Serialize;

use super::report::Report;
use crate::command::asker::Asker;
use crate::command::failure::Failure;
use crate::command::query::{PAGE_EVENTS, texts};
use crate::command::screen::Screen;
use crate::command::show::{self, Fit, Head};
use crate::store::embedded::Finding;

/// A message that was sent and did not flow.
#[derive(Debug, Serialize)]
pub(super) struct Flow {
    sent: TraceEvent,
    reason: MissingReason,
    outcome: Option<Outcome>,
}

pub(super) async fn look(
    asker: &Asker,
    query: QueryRequest,
    matches: &ArgMatches,
    report: &mut Report,
) -> Result<(), Failure> {
    let limit = matches.get_one::<u64>("limit").copied().unwrap_or(u64::MAX);
    let mut left = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut asked = EventsQuestion {
        query,
        ..EventsQuestion::default()
    };
    let (mut flows, mut looked_at) = (Vec::new(), 0);
    let is_cut = loop {
        asked.query.limit = Some(left.min(PAGE_EVENTS));
        let answer = asker.missing(asked.clone()).await;
        let answer = answer.map_err(|why| why.in_texts(&texts(&asked)))?;
        looked_at += answer.looked_at;
        left = left.saturating_sub(answer.missing.len());
        flows.extend(answer.missing.into_iter().map(|found| Flow {
            sent: found.sent,
            reason: found.reason,
            outcome: found.outcome,
        }));
        match answer.next {
            None => break false,
            Some(_) if left == 0 => break true,
            next => asked.after = next,
        }
    };
    report.lines.push(format!(
        "{} looked at for flows that are missing",
        show::counted(looked_at, "send")
    ));
    if !flows.is_empty() {
        let least = if is_cut { "at least " } else { "" };
        report.findings.push(Finding::warning(
            "missing_flows",
            "messages",
            format!(
                "sent, and did not flow: {least}{}",
                show::counted(flows.len() as u64, "message")
            ),
            "see the table; `reflow-trace lineage --event ID` shows what led to one of them",
        ));
    }
    report.flows = Some(flows);
    Ok(())
}

/// Each with its reason, and under which id to ask on.
pub(super) fn print(flows: &[Flow], screen: &mut Screen) -> Result<(), Failure> {
    if flows.is_empty() {
        return Ok(());
    }
    let mut fit = Fit::new([
        Head::text("sent").goes(2),
        Head::text("from"),
        Head::text("type").goes(1),
        Head::text("id"),
        Head::text("why"),
        // Cut, it could not be asked for.
        Head::number("event"),
    ]);
    for flow in flows {
        let data = &flow.sent.data;
        let port = data.port.as_deref().unwrap_or_default();
        let id = flow.sent.message_id();
        fit.push(vec![
            show::moment(flow.sent.timestamp),
            format!("{}.{port}", flow.sent.actor_id),
            data.message
                .as_ref()
                .map_or_else(String::new, |message| message.message_type.clone()),
            id.map_or_else(String::new, |id| match id {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            }),
            why(flow.reason),
            flow.sent.event_id.to_string(),
        ]);
    }
    screen.fit(&fit)
}

fn why(reason: MissingReason) -> String {
    match reason {
        MissingReason::NotDelivered(outcome) => outcome.name().replace('_', " "),
        MissingReason::NotFound => "no flow is there".to_owned(),
        MissingReason::NotKnown => "nothing links it to a flow".to_owned(),
        MissingReason::NotFoundMayBeLost => "no flow is there, it may be lost".to_owned(),
    }
}
