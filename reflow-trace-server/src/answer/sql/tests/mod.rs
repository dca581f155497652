//! Statements against stores that hold what is known.

mod ends;
mod examples;
mod refused;
mod rows;
mod spec;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use reflow_trace::api::{ApiError, SqlAnswer, SqlQuestion};
use reflow_trace::event::ProducerId;
use reflow_trace::{TraceEvent, TraceEventType};
use serde_json::Value;

use crate::answer::{Asking, Rights};
use crate::config::QueryLimits;
use crate::store::conformance::{batch_of, block_on};
use crate::store::memory::MemoryStore;
use crate::store::{Snapshot, Store};

/// Limits of a server, with more time than a slow machine needs.
fn limits() -> QueryLimits {
    QueryLimits {
        timeout: Duration::from_secs(300),
        ..QueryLimits::default()
    }
}

fn asking(limits: QueryLimits) -> Asking {
    let rights = Rights { content: false };
    Asking::new(limits, rights, Arc::new(AtomicBool::new(false)))
}

fn ask_with(
    view: &dyn Snapshot,
    statement: &str,
    limits: QueryLimits,
) -> Result<SqlAnswer, ApiError> {
    let asking = asking(limits);
    let question = SqlQuestion {
        statement: statement.to_owned(),
        limit: None,
    };
    super::sql(view, &question, &asking)
}

fn ask(view: &dyn Snapshot, statement: &str) -> SqlAnswer {
    ask_with(view, statement, limits())
        .unwrap_or_else(|error| panic!("{statement:.200}: {error:?}"))
}

/// The rows of an answer, as text of JSON.
fn rows(view: &dyn Snapshot, statement: &str) -> Vec<String> {
    let rows = ask(view, statement).rows.into_iter();
    rows.map(|row| Value::Array(row).to_string()).collect()
}

fn refusal(view: &dyn Snapshot, statement: &str) -> ApiError {
    match ask_with(view, statement, limits()) {
        Err(error) => error,
        Ok(answer) => panic!("{statement}: answered {answer:?}"),
    }
}

/// A store that holds these events in one batch.
fn holding(events: &[TraceEvent]) -> Arc<dyn Snapshot> {
    let store = MemoryStore::new();
    let batch = batch_of(events, ProducerId::from_bits(7), 1, 1);
    block_on(store.commit(vec![batch])).unwrap_or_else(|error| panic!("{error}"));
    block_on(store.snapshot()).unwrap_or_else(|error| panic!("{error}"))
}

/// Messages between a few actors, every second from `start_ns` on.
fn flows(count: u64, start_ns: i64) -> Vec<TraceEvent> {
    let edges = [
        ("reader", "validator"),
        ("validator", "store"),
        ("reader", "log"),
    ];
    let flow = |number: u64| {
        let (from, to) = edges[(number % 3) as usize];
        let mut event =
            TraceEvent::data_flow(from, "out", to, "in", "Reading", 100 + number as usize);
        event.timestamp =
            chrono::DateTime::from_timestamp_nanos(start_ns + number as i64 * 1_000_000_000);
        event.data.performance_metrics.execution_time_ns = Some(1_000 * (number + 1));
        event
            .data
            .custom_attributes
            .insert("message_id".to_owned(), format!("msg_{number}").into());
        event
    };
    (0..count).map(flow).collect()
}

/// One event of each of some kinds.
fn kinds() -> Vec<TraceEvent> {
    let mut started = TraceEvent::network_event("reader");
    started.event_type = TraceEventType::ActorStarted;
    vec![started, TraceEvent::network_event("net")]
}
