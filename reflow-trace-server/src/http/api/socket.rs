//! `/api` as a WebSocket: drives a [`Session`].
//!
//! Text messages, each one JSON value. A client that can send no header (a browser) says with a ticket who
//! it is, as its first message; any other brings its token with the request.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, ORIGIN, UPGRADE};
use axum::response::{IntoResponse, Response};
use reflow_trace::api::SUBPROTOCOL;
use tokio::time::{Instant, sleep_until, timeout};

use super::super::connection::until;
use super::super::grant::Grant;
use super::super::socket::is_too_large;
use super::super::token::Scope;
use super::super::{Peer, Phase, Refused, Shared};
use super::session::{Heeded, Session};
use super::{QUESTION_BYTES_MAX, about};
use crate::observe::Limited;

/// What is read at once; small, for it is there for each connection.
const READ_BYTES: usize = 8 << 10;
/// How long the other side has for its part of the closing.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

static ASKERS_END: Limited = Limited::new();

/// Why a connection that asks has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The other side has ended it.
    Gone,
    /// It said nothing for too long.
    Silent,
    /// It did not say who it is.
    NoTicket,
    /// A message that is too large.
    TooLarge,
    /// The server stops.
    Stopping,
}

impl End {
    fn word(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Silent => "silent",
            Self::NoTicket => "no_ticket",
            Self::TooLarge => "too_large",
            Self::Stopping => "stopping",
        }
    }

    /// What the other side is told.
    fn farewell(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Gone => None,
            Self::Silent => Some((1001, "nothing was heard for `ingest.idle_timeout`")),
            Self::NoTicket => Some((
                1008,
                "the first message has to be a ticket of `POST /api/ticket`, unused and not older than it may be",
            )),
            Self::TooLarge => Some((1009, "the message is larger than a question may be")),
            Self::Stopping => Some((1001, "the server is about to stop")),
        }
    }
}

/// The page that says what can be asked, or a connection that asks.
pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    if !headers.contains_key(UPGRADE) {
        shared.permit(&headers, Scope::Query)?;
        return Ok(about::page().into_response());
    }
    let grant = grant(&shared, &headers)?;
    let upgrade = upgrade
        .map_err(|_| Refused::NoWebSocket)?
        .protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(Refused::NoApiSubprotocol);
    }
    if shared.health.is_stopping() {
        return Err(Refused::Stopping);
    }
    let place = Arc::clone(&shared.askers)
        .try_acquire_owned()
        .map_err(|_| Refused::TooManyAskers)?;
    Ok(upgrade
        .max_message_size(QUESTION_BYTES_MAX)
        .max_frame_size(QUESTION_BYTES_MAX)
        .read_buffer_size(READ_BYTES)
        // What is said is written at once: what is not taken is waited for, not kept.
        .write_buffer_size(0)
        .on_upgrade(move |socket| async move {
            shared.metrics.askers.add(1);
            let bearer = grant.as_ref().map_or("a ticket", Grant::bearer).to_owned();
            tracing::debug!(%peer, bearer, "a connection asks");
            let end = Driver::new(socket, &shared, grant).run().await;
            shared.metrics.askers.sub(1);
            shared.metrics.asker_ends.add(end.word(), 1);
            if end == End::NoTicket
                && let Some(left_out) = ASKERS_END.permit()
            {
                tracing::warn!(%peer, left_out, "a connection that asks brought neither token nor ticket");
            }
            drop(place);
        }))
}

/// Who asks; `None`: a browser, which says so with a ticket.
fn grant(shared: &Shared, headers: &HeaderMap) -> Result<Option<Grant>, Refused> {
    let is_browser = headers.contains_key(ORIGIN) && !headers.contains_key(AUTHORIZATION);
    let grant = match shared.grant(headers) {
        Err(Refused::NoToken) if is_browser => return Ok(None),
        other => other?,
    };
    if grant.permits(Scope::Query) || grant.permits(Scope::Subscribe) {
        Ok(Some(grant))
    } else {
        Err(Refused::WrongScope(Scope::Query))
    }
}

struct Driver {
    socket: WebSocket,
    session: Session,
    shared: Arc<Shared>,
    begun: Instant,
    heard: Instant,
    /// It was asked since whether it is there.
    is_asked: bool,
}

impl Driver {
    fn new(socket: WebSocket, shared: &Arc<Shared>, grant: Option<Grant>) -> Self {
        let now = Instant::now();
        Self {
            socket,
            session: Session::new(Arc::clone(shared), grant),
            shared: Arc::clone(shared),
            begun: now,
            heard: now,
            is_asked: false,
        }
    }

    async fn run(mut self) -> End {
        let mut phase = self.shared.phase.clone();
        let now = async move { until(&mut phase, Phase::Now).await };
        let end = tokio::select! {
            biased;
            () = now => return End::Stopping,
            end = self.speak() => end,
        };
        if let Some(farewell) = end.farewell() {
            let _in_time = timeout(CLOSE_WAIT, self.close(farewell)).await;
        }
        end
    }

    async fn speak(&mut self) -> End {
        let mut phase = self.shared.phase.clone();
        let mut is_stopping = false;
        loop {
            if is_stopping && self.session.is_idle() {
                return End::Stopping;
            }
            let wake_at = self.wake_at();
            tokio::select! {
                () = until(&mut phase, Phase::Stopping), if !is_stopping => {
                    is_stopping = true;
                    self.session.stop();
                }
                bytes = self.session.next() => {
                    if !self.say(bytes).await {
                        return End::Gone;
                    }
                }
                message = self.socket.recv() => {
                    if let Err(end) = self.hear(message).await {
                        return end;
                    }
                }
                () = sleep_until(wake_at) => {
                    if let Err(end) = self.wonder().await {
                        return end;
                    }
                }
            }
        }
    }

    /// When the silence has to be thought about.
    fn wake_at(&self) -> Instant {
        let limits = &self.shared.config.ingest;
        let silence = if self.is_asked {
            limits.idle_timeout
        } else {
            limits.ping_interval
        };
        let at = self.heard + silence;
        if self.session.is_welcome() {
            at
        } else {
            at.min(self.begun + limits.hello_timeout)
        }
    }

    async fn wonder(&mut self) -> Result<(), End> {
        let limits = &self.shared.config.ingest;
        if !self.session.is_welcome() && self.begun.elapsed() >= limits.hello_timeout {
            return Err(End::NoTicket);
        }
        if self.heard.elapsed() >= limits.idle_timeout {
            return Err(End::Silent);
        }
        if !self.is_asked && self.heard.elapsed() >= limits.ping_interval {
            self.is_asked = true;
            let asked = self.socket.send(Message::Ping(Bytes::new())).await;
            return asked.map_err(|_| End::Gone);
        }
        Ok(())
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        self.heard = Instant::now();
        self.is_asked = false;
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            // Nothing of ours is binary; as a text it is no message, and is told so.
            Some(Ok(Message::Binary(_))) => Utf8Bytes::from_static("binary"),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
            Some(Err(error)) => {
                return Err(if is_too_large(error) {
                    End::TooLarge
                } else {
                    End::Gone
                });
            }
        };
        match self.session.heed(&text) {
            Heeded::Silently => Ok(()),
            Heeded::Say(bytes) => self.say(bytes).await.then_some(()).ok_or(End::Gone),
            Heeded::NoTicket => Err(End::NoTicket),
        }
    }

    /// Whether the other side was there for it. Who takes nothing is gone after `http.write_timeout`, as
    /// the connection below says.
    async fn say(&mut self, bytes: Bytes) -> bool {
        // An answer that is kept in bounded memory is kept until it is written.
        let kept = bytes.clone();
        let Ok(text) = Utf8Bytes::try_from(bytes) else {
            return false;
        };
        let begun = Instant::now();
        let sent = self.socket.send(Message::Text(text)).await;
        drop(kept);
        if begun.elapsed() >= self.shared.config.ingest.ping_interval {
            // Nothing could be heard meanwhile, and whoever took it is there.
            self.heard = Instant::now();
            self.is_asked = false;
        }
        sent.is_ok()
    }

    async fn close(&mut self, (code, reason): (u16, &'static str)) {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = self.socket.recv().await {}
        }
    }
}
