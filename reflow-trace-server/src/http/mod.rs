//! The front door: connections, TLS, who may come in, and what there is to see.
//!
//! A connection takes a place among a bounded number, has a bounded time for its TLS and for the head of
//! each request, and is asked three things before anything else happens: does it name this server
//! (`gate`), does it come from a page that may, and has it the [token] for what it wants. Every refusal is
//! a [`Refused`] with a status and a text that says what to do.
//!
//! | path | scope | what |
//! | --- | --- | --- |
//! | `/` | – | a page that says what this is; over a WebSocket Reflow's protocol |
//! | `/api/ticket` | query or subscribe | a ticket for who cannot send a header |
//! | `/health` | – | 200 while the process lives |
//! | `/ready` | – | 200 while batches are accepted and committed, else 503 and why |
//! | `/metrics` | query | [metrics](crate::observe::metrics) in Prometheus' text form |
//! | `/ingest` | ingest | batches over a WebSocket, see [`ingest`](crate::ingest) |
//! | `/api…` | query, subscribe | questions and answers, over HTTP and over a WebSocket, see `api` |

pub(crate) mod api;
mod connection;
mod gate;
mod grant;
mod linger;
mod pages;
mod reflow;
mod refused;
mod socket;
mod stall;
mod ticket;
mod tls;
pub mod token;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use tokio::sync::{Semaphore, watch};
use tower_service::Service;

pub(crate) use connection::serve;
pub(crate) use grant::Grant;
pub use refused::Refused;
pub(crate) use ticket::Tickets;
pub(crate) use tls::load as load_tls;

use crate::answer::Engine;
use crate::commit::{Committer, Health};
use crate::config::Config;
use crate::ingest::Budget;
use crate::live::Hub;
use crate::observe::Metrics;
use crate::store::Store;
use api::Unread;
use gate::Gate;
use token::{Caller, Scope, Tokens};

/// How far the end of the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It serves.
    Serving,
    /// No new connection; those that are there end in good order.
    Stopping,
    /// Those that are still there end now.
    Now,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) tokens: Tokens,
    pub(crate) gate: Gate,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) committer: Committer,
    pub(crate) engine: Engine,
    pub(crate) unread: Arc<Unread>,
    pub(crate) askers: Arc<Semaphore>,
    pub(crate) tickets: Tickets,
    pub(crate) hub: Hub,
    pub(crate) sessions: Arc<Semaphore>,
    pub(crate) phase: watch::Receiver<Phase>,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What answers requests on one connection, or on all: cloning shares it.
#[derive(Clone)]
pub(crate) struct Door {
    shared: Arc<Shared>,
    router: Router,
}

impl Shared {
    pub(crate) fn gate(config: &Config) -> Gate {
        Gate::new(config)
    }

    /// Whether the bearer of these headers may do this.
    fn permit(&self, headers: &HeaderMap, scope: Scope) -> Result<Caller, Refused> {
        let header = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        self.tokens.judge(header, scope).map_err(Refused::from)
    }

    /// What the bearer of these headers may do.
    fn grant(&self, headers: &HeaderMap) -> Result<Grant, Refused> {
        let header = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        self.tokens.grant(header).map_err(Refused::from)
    }
}

impl Door {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let router = Router::new()
            .route("/", get(reflow::open))
            .route("/api/ticket", post(ticket::issue))
            .route("/health", get(pages::health))
            .route("/ready", get(pages::ready))
            .route("/metrics", get(pages::metrics))
            .route("/ingest", any(socket::open))
            .merge(api::routes())
            .fallback(|| async { Refused::NotFound })
            .method_not_allowed_fallback(|| async { Refused::Method })
            .with_state(Arc::clone(&shared));
        Self { shared, router }
    }

    /// Answers a request. Never fails: what cannot be answered is refused.
    pub(crate) async fn answer(&self, peer: Peer, mut request: Request<Body>) -> Response {
        let is_for_programs = api::is_below(request.uri().path());
        let response = match self.look_at(request.headers(), is_for_programs) {
            Ok(()) => {
                request.extensions_mut().insert(peer);
                self.route(request, self.shared.config.http.request_timeout)
                    .await
            }
            Err(refused) => refused.into_response(),
        };
        self.finish(response, is_for_programs)
    }

    fn look_at(&self, headers: &HeaderMap, is_for_programs: bool) -> Result<(), Refused> {
        // Two of them are a trick: the one that is looked at would not be the one that is believed.
        let one = |name| {
            let mut values = headers.get_all(name).iter();
            match (values.next(), values.next()) {
                (first, None) => Ok(first.map(HeaderValue::as_bytes)),
                (_, Some(_)) => Err(Refused::Ambiguous),
            }
        };
        one(AUTHORIZATION)?;
        let verdict = self.shared.gate.judge(one(HOST)?, one(ORIGIN)?);
        verdict.map_err(Refused::from)?;
        if is_for_programs && api::is_from_another_site(headers) {
            return Err(Refused::ForeignOrigin);
        }
        Ok(())
    }

    async fn route(&self, request: Request<Body>, limit: Duration) -> Response {
        let mut router = self.router.clone();
        match tokio::time::timeout(limit, router.call(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => Refused::TooSlow.into_response(),
        }
    }

    fn finish(&self, mut response: Response, is_for_programs: bool) -> Response {
        let metrics = &self.shared.metrics;
        metrics.http_responses.add(response.status().as_str(), 1);
        if let Some(&refused) = response.extensions().get::<Refused>() {
            metrics.http_refusals.add(refused.word(), 1);
            if is_for_programs {
                response = api::refused(refused, response);
            }
        }
        let headers = response.headers_mut();
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            (
                "content-security-policy",
                "default-src 'none'; frame-ancestors 'none'",
            ),
            ("referrer-policy", "no-referrer"),
        ] {
            // A page that needs another policy has said so.
            headers
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
        response
    }
}
