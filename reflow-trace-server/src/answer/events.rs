//! Events that fit a question, page by page.
//!
//! A page is what fits the limits: `limit` of the question, `query.events_max`, `query.answer_bytes_max`. Where more
//! follow, `next` is the place of its last event. The `offset` of the question is left out before the first page
//! alone: the others begin behind a place.

use std::io;

use reflow_trace::TraceEvent;
use reflow_trace::api::{ApiError, ErrorCode, EventsPage, EventsQuestion};

use super::{Asking, of_query};
use crate::store::{Scan, Snapshot};

/// Events that fit a question, page by page.
pub(crate) fn query(
    view: &dyn Snapshot,
    asked: &EventsQuestion,
    asking: &Asking,
) -> Result<EventsPage, ApiError> {
    page(view, asked, None, asking)
}

/// Data flows that fit a question; one that asks for other kinds too gets the flows among them.
pub(crate) fn query_data_flows(
    view: &dyn Snapshot,
    asked: &EventsQuestion,
    asking: &Asking,
) -> Result<EventsPage, ApiError> {
    page(view, asked, Some("DataFlow"), asking)
}

fn page(
    view: &dyn Snapshot,
    asked: &EventsQuestion,
    kind: Option<&'static str>,
    asking: &Asking,
) -> Result<EventsPage, ApiError> {
    let mut scan = scan_of(asked, kind)?;
    let skipped = match asked.after {
        None => scan.query.offset(),
        Some(_) => 0,
    };
    let limit = scan.query.limit().unwrap_or(usize::MAX);
    let most = limit.min(asking.limits.events_max);
    // One more tells whether there is one.
    scan.most = most.saturating_add(skipped).saturating_add(1);
    let mut page = EventsPage::default();
    let mut last = None;
    let mut bytes = 0;
    if limit > 0 {
        for found in view.scan(&scan, asking).skip(skipped) {
            let found = found.map_err(|error| asking.of_store(&error))?;
            if page.events.len() == most {
                page.next = last;
                break;
            }
            let event = asking.shown(found.event);
            bytes += json_bytes(&event);
            if bytes > asking.limits.answer_bytes_max {
                if last.is_none() {
                    return Err(too_large(&event, bytes, asking));
                }
                page.next = last;
                break;
            }
            last = Some(found.place);
            page.events.push(event);
        }
    }
    page.work = asking.work();
    Ok(page)
}

/// What is looked for.
///
/// # Errors
///
/// A part of the question is wrong, or is about traces of Reflow.
fn scan_of(asked: &EventsQuestion, kind: Option<&'static str>) -> Result<Scan, ApiError> {
    let query = &asked.query;
    let of_traces = [
        ("flow_id", query.flow_id.is_some()),
        ("execution_id", query.execution_id.is_some()),
        ("status", query.status.is_some()),
    ];
    if let Some((name, _)) = of_traces.iter().find(|(_, is_given)| *is_given) {
        return Err(ApiError::new(
            ErrorCode::InvalidQuestion,
            format!(
                "`{name}` chooses traces of Reflow, and this question is about events: leave it out, or ask for traces over Reflow's protocol at `/`"
            ),
        ));
    }
    let compiled = query.question().compile();
    Ok(Scan {
        kind,
        after: asked.after,
        newest_first: asked.newest_first,
        ..Scan::new(compiled.map_err(|error| of_query(&error))?)
    })
}

fn too_large(event: &TraceEvent, bytes: usize, asking: &Asking) -> ApiError {
    ApiError::new(
        ErrorCode::TooLarge,
        format!(
            "the event `{}` has {bytes} bytes as JSON, and an answer may have {} (`query.answer_bytes_max`): let the answer have more",
            event.event_id, asking.limits.answer_bytes_max
        ),
    )
}

/// How many bytes the event has as JSON, without writing it.
fn json_bytes(event: &TraceEvent) -> usize {
    struct Count(usize);

    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    // An event is JSON, and counting does not fail.
    let _counted = serde_json::to_writer(&mut count, event);
    count.0
}
