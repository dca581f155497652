//! `/ingest`: drives a session over a WebSocket.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until, timeout};

use super::connection::until;
use super::token::{Caller, Scope};
use super::{Peer, Phase, Refused, Shared};
use crate::commit::{Answers, Lease};
use crate::ingest::{Closing, End, Input, Output, SUBPROTOCOL, Session};
use crate::observe::{Harmless, Limited};

/// Frames up to so much over the limit are read, so that they can be refused by their number.
const SLACK_BYTES: usize = 64 << 10;
/// What is read at once; small, for it is there for each connection.
const READ_BYTES: usize = 64 << 10;
/// From here on, reading a batch is work that others should not wait for.
const LARGE_BYTES: usize = 128 << 10;
/// How long the other side has for its part of the closing.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

static SESSION_ENDS: Limited = Limited::new();

/// Opens a session, if there is nothing against it.
pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let caller = shared.permit(&headers, Scope::Ingest)?;
    let upgrade = upgrade
        .map_err(|_| Refused::NoWebSocket)?
        .protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(Refused::NoSubprotocol);
    }
    if shared.health.is_stopping() {
        return Err(Refused::Stopping);
    }
    if shared.health.failure().is_some() {
        return Err(Refused::NotReady);
    }
    let place = Arc::clone(&shared.sessions)
        .try_acquire_owned()
        .map_err(|_| Refused::TooManySessions)?;
    let message_bytes_max = shared
        .config
        .ingest
        .batch()
        .frame
        .frame_bytes_max()
        .saturating_add(SLACK_BYTES);
    Ok(upgrade
        .max_message_size(message_bytes_max)
        .max_frame_size(message_bytes_max)
        .read_buffer_size(READ_BYTES)
        // Answers are written at once, and are small: what is not taken is waited for, not kept.
        .write_buffer_size(0)
        .on_upgrade(move |socket| run(socket, shared, peer, caller, place)))
}

async fn run(
    socket: WebSocket,
    shared: Arc<Shared>,
    Peer(peer): Peer,
    caller: Caller,
    place: OwnedSemaphorePermit,
) {
    shared.metrics.sessions.add(1);
    let bearer = match &caller {
        Caller::Anyone => "anyone",
        Caller::Bearer(name) => name,
    };
    tracing::debug!(%peer, bearer, "a session began");
    let (lease, answers) = Lease::new();
    let begun = Instant::now();
    let session = Session::new(
        Duration::ZERO,
        &shared.config.ingest,
        Arc::clone(&shared.budget),
        lease,
        Arc::clone(&shared.metrics),
    );
    let mut driver = Driver {
        socket,
        session,
        answers,
        begun,
        shared: Arc::clone(&shared),
    };
    let end = driver.run().await;
    shared.metrics.sessions.sub(1);
    shared.metrics.session_ends.add(end.word(), 1);
    let program = Harmless(driver.session.program());
    match end {
        End::Refused | End::Failed | End::Silent => {
            if let Some(left_out) = SESSION_ENDS.permit() {
                tracing::warn!(%peer, bearer, %program, end = end.word(), left_out, "a session was ended");
            }
        }
        End::Goodbye | End::Gone | End::Stopping => {
            tracing::debug!(%peer, bearer, %program, end = end.word(), "a session has ended");
        }
    }
    drop(place);
}

struct Driver {
    socket: WebSocket,
    session: Session,
    answers: Answers,
    begun: Instant,
    shared: Arc<Shared>,
}

impl Driver {
    async fn run(&mut self) -> End {
        let mut phase = self.shared.phase.clone();
        // What is waited for next.
        let mut wanted = Phase::Stopping;
        loop {
            if let Some(end) = self.carry_out().await {
                return end;
            }
            let budget = Arc::clone(&self.shared.budget);
            let changed = budget.changed();
            tokio::pin!(changed);
            if self.session.wants_memory() {
                // From here on no change is missed; one that was is found by looking again.
                changed.as_mut().enable();
                self.handle(Input::Tick);
                if !self.session.wants_memory() {
                    continue;
                }
            }
            let input = tokio::select! {
                () = until(&mut phase, wanted) => match wanted {
                    Phase::Now => return End::Stopping,
                    _ => {
                        wanted = Phase::Now;
                        Input::Stop
                    }
                },
                Some(answers) = self.answers.recv() => Input::Answers(self.with_further(answers)),
                message = self.socket.recv(), if self.session.wants_input() => match understood(message) {
                    Some(input) => input,
                    None => continue,
                },
                () = changed, if self.session.wants_memory() => Input::Tick,
                () = sleep_until(self.begun + self.session.wake_at()) => Input::Tick,
            };
            self.handle(input);
        }
    }

    fn handle(&mut self, input: Input) {
        let now = self.begun.elapsed();
        match &input {
            // A large batch takes milliseconds to unpack and read: others are served meanwhile.
            Input::Message(bytes) if bytes.len() >= LARGE_BYTES && may_block() => {
                tokio::task::block_in_place(|| self.session.handle(now, input));
            }
            _ => self.session.handle(now, input),
        }
    }

    /// Answers that are there already, so that they are acknowledged together.
    fn with_further(
        &mut self,
        mut answers: Vec<crate::commit::Answer>,
    ) -> Vec<crate::commit::Answer> {
        while let Ok(further) = self.answers.try_recv() {
            answers.extend(further);
        }
        answers
    }

    /// Does what the session wants done; why it has ended, if it has.
    async fn carry_out(&mut self) -> Option<End> {
        while let Some(output) = self.session.output() {
            match output {
                Output::Commit(submission) => self.shared.committer.submit(submission),
                Output::Send(bytes) => {
                    // Who does not take what is sent is as good as silent.
                    let limit = self.shared.config.ingest.idle_timeout;
                    match timeout(limit, self.socket.send(Message::Binary(bytes))).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) => self.handle(Input::Gone),
                        Err(_) => return Some(End::Silent),
                    }
                }
                Output::Close(closing) => {
                    let end = closing.end;
                    let _in_time = timeout(CLOSE_WAIT, self.close(closing)).await;
                    return Some(end);
                }
            }
        }
        self.session.end()
    }

    async fn close(&mut self, closing: Closing) {
        let frame = CloseFrame {
            code: closing.status,
            reason: closing.reason.into(),
        };
        if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = self.socket.recv().await {}
        }
    }
}

/// Whether the runtime has other threads.
fn may_block() -> bool {
    Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread
}

/// What a message of the socket is to a session; `None` for what the socket answers by itself.
fn understood(message: Option<Result<Message, axum::Error>>) -> Option<Input> {
    Some(match message {
        Some(Ok(Message::Binary(bytes))) => Input::Message(bytes),
        Some(Ok(Message::Text(_))) => Input::Text,
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => return None,
        Some(Ok(Message::Close(_))) | None => Input::Gone,
        Some(Err(error)) => {
            if is_too_large(error) {
                Input::TooLarge
            } else {
                Input::Gone
            }
        }
    })
}

pub(super) fn is_too_large(error: axum::Error) -> bool {
    let inner = error.into_inner();
    matches!(
        inner.downcast_ref(),
        Some(tungstenite::Error::Capacity(
            tungstenite::error::CapacityError::MessageTooLong { .. }
        ))
    )
}
