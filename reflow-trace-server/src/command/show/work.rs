//! What an answer has cost.

use std::time::Duration;

use reflow_trace::api::Work;
use reflow_trace::terminal::{count, duration};

/// One line: what was read and what was left unread.
pub(in crate::command) fn work(work: &Work) -> String {
    format!(
        "{}: opened {} of {} segments, decoded {} of {} pages, looked at {} rows, made {} events, added up {} cells",
        duration(Duration::from_micros(work.micros)),
        count(work.segments_opened),
        count(work.segments),
        count(work.pages_read),
        count(work.pages),
        count(work.rows_looked_at),
        count(work.events_decoded),
        count(work.cells),
    )
}
