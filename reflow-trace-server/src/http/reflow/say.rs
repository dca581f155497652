//! What is said, as text.

use axum::extract::ws::Utf8Bytes;
use reflow_trace::api::ApiError;
use reflow_trace::ledger::TRACING_ACTOR;
use reflow_trace::protocol::{ErrorCode, TraceResponse, TracingResponse};
use reflow_trace::{TraceEvent, TraceId, api};
use serde::Serialize;
use uuid::Uuid;

use super::Recorded;
use crate::http::api::{Unread, json};
use crate::live::Shown;
use crate::reflow::Ack;

/// A response of either family.
pub(super) fn response(response: &impl Serialize) -> String {
    // These types have string keys and nothing that cannot be JSON.
    serde_json::to_string(response).unwrap_or_else(|_| "\"Pong\"".to_owned())
}

/// Where answers of any size are written.
pub(super) struct Room<'a> {
    pub(super) bytes_max: usize,
    pub(super) unread: &'a Unread,
}

impl Room<'_> {
    /// A response, while there is room for it until somebody takes it.
    pub(super) fn write(&self, response: &impl Serialize) -> Result<Utf8Bytes, ApiError> {
        let bytes = self.unread.keep(json(response, self.bytes_max)?)?;
        Utf8Bytes::try_from(bytes)
            .map_err(|_| ApiError::new(api::ErrorCode::Store, "the answer is no text"))
    }
}

/// The answer to a request that records.
pub(super) fn acknowledged(ack: Ack<Recorded>) -> String {
    match (ack.ack, ack.result) {
        (Recorded::Said(text), _) => text,
        (Recorded::Event, result) => response(&TracingResponse::EventRecorded {
            success: result.is_ok(),
            error: result.err(),
        }),
        (Recorded::Started(trace_id), Ok(())) => {
            response(&TracingResponse::TraceStarted { trace_id })
        }
        (Recorded::Started(_), Err(message)) => error(ErrorCode::StorageError, message),
        (Recorded::Stored(trace_id), Ok(())) => response(&TraceResponse::TraceStored { trace_id }),
        (Recorded::Stored(_), Err(message)) => response(&TraceResponse::Error { message }),
    }
}

/// An error of the current family.
pub(super) fn error(code: ErrorCode, message: impl Into<String>) -> String {
    response(&TracingResponse::Error {
        message: message.into(),
        code,
    })
}

/// The code of Reflow's that is nearest.
pub(super) fn code_of(error: &ApiError) -> ErrorCode {
    match error.code {
        api::ErrorCode::NotFound => ErrorCode::NotFound,
        api::ErrorCode::InvalidQuestion
        | api::ErrorCode::InvalidFilter
        | api::ErrorCode::InvalidSql
        | api::ErrorCode::TooLarge => ErrorCode::InvalidRequest,
        api::ErrorCode::Forbidden => ErrorCode::Unauthorized,
        api::ErrorCode::Store => ErrorCode::StorageError,
        _ => ErrorCode::InternalError,
    }
}

/// An event for who subscribed; the same as `TracingResponse::EventNotification`, with JSON that is shared.
pub(super) fn notification(event: &Shown) -> String {
    let trace_id = event.trace_id.unwrap_or(TraceId(Uuid::nil())).0;
    let json = event.json();
    format!("{{\"EventNotification\":{{\"trace_id\":\"{trace_id}\",\"event\":{json}}}}}")
}

/// An event for a page that only listens.
pub(super) fn plain(event: &Shown) -> String {
    event.json().to_owned()
}

/// That some are missing. The protocol has no word for it, so it is an event of the network, which no
/// reader takes for a flow; nobody stores it.
pub(super) fn gap(from_offset: u64, to_offset: u64) -> std::sync::Arc<Shown> {
    let mut event = TraceEvent::network_event(TRACING_ACTOR);
    event.data.error = Some(format!(
        "events of {} batches may be missing here: this subscriber was too slow",
        to_offset - from_offset
    ));
    let attributes = &mut event.data.custom_attributes;
    attributes.insert("gap_from_offset".to_owned(), from_offset.into());
    attributes.insert("gap_to_offset".to_owned(), to_offset.into());
    Shown::new(event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reflow_trace::protocol::{JsonLimits, Response, read_response};

    #[test]
    fn a_notification_is_read_as_what_it_is() {
        let mut event = TraceEvent::data_flow("a\"\u{7}", "out", "b", "in", "T", 3);
        for trace_id in [None, Some(TraceId::new())] {
            event.trace_id = trace_id;
            let text = notification(&Shown::new(event.clone()));
            let read = read_response(&text, &JsonLimits::default());
            let expected = Response::Tracing(TracingResponse::notification(event.clone()));
            assert_eq!(read, Ok(expected));
        }
    }

    #[test]
    fn a_gap_is_an_event_of_the_network_that_says_where() {
        let gap = gap(3, 7);
        assert!(gap.json().contains("\"event_type\":\"NetworkEvent\""));
        assert!(gap.json().contains("\"gap_to_offset\":7"));
        let error = gap.data.error.as_deref();
        assert!(error.is_some_and(|error| error.starts_with("events of 4 batches")));
    }
}
