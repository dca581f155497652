//! Pages for people and for what watches the server.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::token::Scope;
use super::{Refused, Shared};
use crate::observe::metrics::Reading;
use crate::store::StoreStats;

const ABOUT: &str = concat!(
    "reflow-trace ",
    env!("CARGO_PKG_VERSION"),
    "

This server stores what flowed between the actors of traced programs.

  /ingest    batches of events, over a WebSocket: REFLOW_TRACE=ws://HOST:PORT ./your-program
  /api       questions and answers, as JSON: GET /api says which, GET /api/graph?last=1h is a picture
  /health    200 while the server lives
  /ready     200 while it accepts and commits batches, else 503 and why
  /metrics   its own work, for Prometheus
"
);

/// `/`.
pub(super) async fn about() -> &'static str {
    ABOUT
}

/// `/health`.
pub(super) async fn health() -> &'static str {
    "alive\n"
}

/// `/ready`.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let why = match shared.health.failure() {
        _ if shared.health.is_stopping() => "stopping".to_owned(),
        Some(failure) => failure.text,
        None => return "ready\n".into_response(),
    };
    (
        StatusCode::SERVICE_UNAVAILABLE,
        format!("not ready: {why}\n"),
    )
        .into_response()
}

/// `/metrics`.
pub(super) async fn metrics(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    shared.permit(&headers, Scope::Query)?;
    let page = reading(&shared, &shared.store.stats()).render();
    Ok((
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        page,
    )
        .into_response())
}

/// The same as `/metrics`, by name.
pub(super) fn values(shared: &Shared) -> serde_json::Value {
    reading(shared, &shared.store.stats()).values()
}

fn reading<'a>(shared: &'a Shared, store: &'a StoreStats) -> Reading<'a> {
    Reading {
        metrics: &shared.metrics,
        store,
        is_ready: shared.health.is_ready(),
        memory: (
            shared.budget.used() as u64,
            shared.budget.bytes_max() as u64,
        ),
    }
}
