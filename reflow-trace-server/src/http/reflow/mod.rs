//! `/` over a WebSocket: Reflow's protocol, and plain events for a page that only listens.
//!
//! Requests are answered in their order. Those that record are collected and acknowledged when they are
//! stored ([`Recorder`]); any other waits until everything before it has its answer, so that a client finds
//! what it was told is stored. Events of a subscription come in between.
//!
//! A page in a browser, which is whoever sends an Origin that may connect, gets plain events, one a message and
//! without captured content, until it says something. Anybody else gets nothing that it did not ask for.
//!
//! # What cannot happen
//!
//! An acknowledgement that comes before the disk has the event. A message that is unpacked, read or kept
//! without a bound: the socket bounds its length, unpacking its size and its ratio, reading its depth, and what
//! is built from it takes a permit of the memory that all batches share before it is read. A client that takes
//! nothing keeps one connection, 256 events and nobody else: a write that makes no progress for
//! `http.write_timeout` ends it.

mod requests;
mod say;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::http::header::{ORIGIN, UPGRADE};
use axum::response::{IntoResponse, Response};
use futures_util::SinkExt;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::connection::until;
use super::socket::is_too_large;
use super::token::Scope;
use super::{Grant, Peer, Phase, Refused, Shared, pages};
use crate::ingest::Place;
use crate::live::{Seen, Shown, Subscriber};
use crate::observe::Limited;
use crate::reflow::{Ack, FlowFilter, Recorder};

/// Buffers of a connection; small, for they are there for each.
const BUFFER_BYTES: usize = 32 << 10;
/// Messages that are read before something else has its turn.
const BURST_MAX: usize = 64;
/// From here on, reading a message is work that others should not wait for.
const LARGE_BYTES: usize = 128 << 10;
/// How long the other side has for its part of the closing.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

static CONVERSATIONS_END: Limited = Limited::new();

/// The page, or the beginning of a conversation.
pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(_) if headers.contains_key(UPGRADE) => return Err(Refused::NoWebSocket),
        Err(_) => return Ok(pages::about().await.into_response()),
    };
    let is_page = headers.contains_key(ORIGIN);
    let grant = match shared.grant(&headers) {
        Ok(grant) => Some(grant),
        // It may have a ticket.
        Err(Refused::NoToken) => None,
        Err(refused) => return Err(refused),
    };
    if shared.health.is_stopping() {
        return Err(Refused::Stopping);
    }
    let bytes_max = shared.config.live.message_bytes_max;
    Ok(upgrade
        .max_message_size(bytes_max)
        .max_frame_size(bytes_max)
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .on_upgrade(move |socket| async move {
            let mut conversation = Conversation::new(socket, shared, grant, is_page);
            let ended = conversation.run().await;
            if let Err(End::Refused(why)) = ended
                && let Some(left_out) = CONVERSATIONS_END.permit()
            {
                tracing::warn!(peer = %peer.0, why, left_out, "a conversation was ended");
            }
        }))
}

/// How a request that records is acknowledged.
#[derive(Debug)]
enum Recorded {
    Event,
    Started(reflow_trace::TraceId),
    Stored(reflow_trace::TraceId),
    /// With what is said already.
    Said(String),
}

/// Why a conversation is over.
#[derive(Debug)]
enum End {
    /// The other side is gone, or takes nothing.
    Gone,
    /// The server stops.
    Stopping,
    /// It was ended from here, and why.
    Refused(&'static str),
}

/// What comes from a subscription, and how it is said.
struct Watching {
    subscriber: Subscriber,
    /// Events alone, for a page that only listens.
    is_plain: bool,
    flows: Option<FlowFilter>,
}

/// What keeps the next message from being read.
enum Busy {
    /// A message waits for memory.
    Memory {
        text: Utf8Bytes,
        place: Option<Place>,
        since: Instant,
    },
    /// A request waits until everything before it is acknowledged.
    Settling(Box<reflow_trace::protocol::Request>),
    /// A question is being answered.
    Asking(JoinHandle<requests::Answered>),
}

struct Conversation {
    socket: WebSocket,
    shared: Arc<Shared>,
    grant: Option<Grant>,
    is_page: bool,
    has_spoken: bool,
    watching: Option<Watching>,
    recorder: Recorder<Recorded>,
    busy: Option<Busy>,
    begun: Instant,
    heard_at: Instant,
    asked_at: Instant,
}

/// What happens next.
enum Next {
    Stop,
    Answers(Vec<crate::commit::Answer>),
    Answered(requests::Answered),
    Message(Option<Result<Message, axum::Error>>),
    Seen(Option<Seen>),
    Tick,
}

impl Conversation {
    fn new(socket: WebSocket, shared: Arc<Shared>, grant: Option<Grant>, is_page: bool) -> Self {
        let now = Instant::now();
        Self {
            recorder: Recorder::new(shared.config.ingest.batch()),
            socket,
            shared,
            grant,
            is_page,
            has_spoken: false,
            watching: None,
            busy: None,
            begun: now,
            heard_at: now,
            asked_at: now,
        }
    }

    async fn run(&mut self) -> Result<(), End> {
        if let Err(end) = self.talk().await {
            let (status, reason) = match end {
                End::Gone => return Err(end),
                End::Stopping => (1001, "the server stops"),
                End::Refused(why) => (1008, why),
            };
            let _in_time = timeout(CLOSE_WAIT, self.close(status, reason)).await;
            return Err(end);
        }
        Ok(())
    }

    async fn talk(&mut self) -> Result<(), End> {
        self.listen_plainly()?;
        let mut phase = self.shared.phase.clone();
        let mut is_stopping = false;
        let mut burst = 0;
        loop {
            self.go_on_with_what_waits().await?;
            if is_stopping && self.recorder.is_settled() && self.busy.is_none() {
                return Err(End::Stopping);
            }
            let wanted = if is_stopping {
                Phase::Now
            } else {
                Phase::Stopping
            };
            let can_read = self.busy.is_none() && self.recorder.has_room() && !is_stopping;
            let may_launch = self.recorder.is_due();
            let budget = Arc::clone(&self.shared.budget);
            let changed = budget.changed();
            tokio::pin!(changed);
            let waits_for_memory = matches!(self.busy, Some(Busy::Memory { .. }));
            if waits_for_memory {
                // From here on no change is missed; one that was is found by looking again.
                changed.as_mut().enable();
                self.try_for_memory().await?;
                if !matches!(self.busy, Some(Busy::Memory { .. })) {
                    continue;
                }
            }
            let wake_at = self.wake_at();
            let next = tokio::select! {
                biased;
                () = until(&mut phase, wanted) => Next::Stop,
                answers = self.recorder.answers() => Next::Answers(answers),
                answered = answered(&mut self.busy) => Next::Answered(answered),
                message = self.socket.recv(), if can_read && burst < BURST_MAX => Next::Message(message),
                seen = seen(&mut self.watching), if !is_stopping => Next::Seen(seen),
                // What the socket had is read: now what it was is committed.
                () = std::future::ready(()), if may_launch || burst > 0 => Next::Tick,
                () = changed, if waits_for_memory => Next::Tick,
                () = sleep_until(wake_at) => Next::Tick,
            };
            burst = if matches!(next, Next::Message(_)) {
                burst + 1
            } else {
                0
            };
            match next {
                Next::Stop if is_stopping => return Err(End::Stopping),
                Next::Stop => {
                    is_stopping = true;
                    self.watching = None;
                    self.forget_what_waits();
                }
                Next::Answers(answers) => {
                    let acks = self.recorder.answered(answers);
                    self.acknowledge(acks).await?;
                }
                Next::Answered(answered) => self.conclude(answered).await?,
                Next::Message(message) => self.receive(message).await?,
                Next::Seen(seen) => self.show(seen).await?,
                Next::Tick => self.look_at_the_clock().await?,
            }
            if burst == 0 {
                self.launch().await?;
            }
        }
    }

    /// Hands what has arrived to the committer, if nothing of this connection is there.
    async fn launch(&mut self) -> Result<(), End> {
        if !self.recorder.is_due() {
            return Ok(());
        }
        let (submissions, refused) = self.recorder.launch();
        for submission in submissions {
            self.shared.committer.submit(submission);
        }
        self.acknowledge(refused).await
    }

    async fn acknowledge(&mut self, acks: Vec<Ack<Recorded>>) -> Result<(), End> {
        if acks.is_empty() {
            return Ok(());
        }
        let mut texts = Vec::with_capacity(acks.len());
        for ack in acks {
            match &ack.result {
                Ok(()) => self.shared.metrics.reflow_events.add(ack.events as u64),
                Err(_) => self.shared.metrics.reflow_errors.add("not_stored", 1),
            }
            texts.push(say::acknowledged(ack).into());
        }
        self.send(texts).await
    }

    /// What a subscription has, said.
    async fn show(&mut self, seen: Option<Seen>) -> Result<(), End> {
        let Some(watching) = &mut self.watching else {
            return Ok(());
        };
        let form: fn(&Shown) -> String = if watching.is_plain {
            say::plain
        } else {
            say::notification
        };
        let texts = match seen {
            // The server stops, which is heard from it too.
            None => {
                self.watching = None;
                return Ok(());
            }
            Some(Seen::Live { .. }) => return Ok(()),
            Some(Seen::Events { events, .. }) => {
                let mut texts = Vec::with_capacity(events.len());
                for event in &events {
                    if (watching.flows.as_mut()).is_none_or(|flows| flows.wants(event)) {
                        texts.push(form(event).into());
                    }
                }
                texts
            }
            Some(Seen::Gap {
                from_offset,
                to_offset,
            }) => vec![form(&say::gap(from_offset, to_offset)).into()],
        };
        self.send(texts).await
    }

    /// A page that has said nothing gets plain events, if it may.
    fn listen_plainly(&mut self) -> Result<(), End> {
        let may = self.is_page
            && !self.has_spoken
            && (self.grant.as_ref()).is_some_and(|grant| grant.permits(Scope::Subscribe));
        if !may {
            return Ok(());
        }
        let everything = reflow_trace::query::SubscriptionFilters::default().compile();
        let everything = everything.map_err(|_| End::Refused("no subscription"))?;
        let bare = crate::answer::Rights { content: false };
        let subscriber = self.shared.hub.subscribe(everything, None, bare);
        self.watching = Some(Watching {
            subscriber: subscriber.map_err(|_| End::Refused("too many subscriptions"))?,
            is_plain: true,
            flows: None,
        });
        Ok(())
    }

    /// Sends them together.
    async fn send(&mut self, texts: Vec<Utf8Bytes>) -> Result<(), End> {
        if texts.is_empty() {
            return Ok(());
        }
        let mut phase = self.shared.phase.clone();
        // Answers that are kept in bounded memory are kept until they are written.
        let kept = texts.clone();
        let begun = Instant::now();
        let sending = async {
            for text in texts {
                self.socket.feed(Message::Text(text)).await?;
            }
            self.socket.flush().await
        };
        let ended = tokio::select! {
            sent = sending => sent.map_err(|_| End::Gone),
            // Who takes nothing does not hold up the end of the server.
            () = async {
                until(&mut phase, Phase::Stopping).await;
                sleep(CLOSE_WAIT).await;
            } => Err(End::Gone),
        };
        drop(kept);
        if begun.elapsed() >= self.shared.config.ingest.ping_interval {
            // Nothing could be heard meanwhile, and whoever took it is there.
            self.heard_at = Instant::now();
        }
        ended
    }

    fn wake_at(&self) -> Instant {
        let limits = &self.shared.config.ingest;
        let ask = self.heard_at.max(self.asked_at) + limits.ping_interval;
        let end = self.heard_at + limits.idle_timeout;
        let mut wake = ask.min(end);
        if self.grant.is_none() {
            wake = wake.min(self.begun + limits.hello_timeout);
        }
        match &self.busy {
            Some(Busy::Memory { since, .. }) => wake.min(*since + limits.memory_wait),
            _ => wake,
        }
    }

    async fn look_at_the_clock(&mut self) -> Result<(), End> {
        let limits = &self.shared.config.ingest;
        let now = Instant::now();
        // Whoever it is, it has not said so.
        if self.grant.is_none() && now >= self.begun + limits.hello_timeout {
            return Err(End::Refused("no token and no ticket"));
        }
        if self.busy.is_some() {
            // It is not read, so that it cannot be heard.
            self.heard_at = now;
            return Ok(());
        }
        if now >= self.heard_at + limits.idle_timeout {
            return Err(End::Refused("silent for too long"));
        }
        if now >= self.heard_at.max(self.asked_at) + limits.ping_interval {
            self.asked_at = now;
            let ping = self.socket.send(Message::Ping(bytes::Bytes::new()));
            ping.await.map_err(|_| End::Gone)?;
        }
        Ok(())
    }

    async fn close(&mut self, status: u16, reason: &'static str) {
        let frame = CloseFrame {
            code: status,
            reason: reason.into(),
        };
        if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = self.socket.recv().await {}
        }
    }
}

/// The answer to the question that is being answered, if one is.
async fn answered(busy: &mut Option<Busy>) -> requests::Answered {
    match busy {
        Some(Busy::Asking(asking)) => {
            let answered = asking.await;
            *busy = None;
            answered.unwrap_or_else(|_| requests::Answered::nothing())
        }
        _ => std::future::pending().await,
    }
}

async fn seen(watching: &mut Option<Watching>) -> Option<Seen> {
    match watching {
        Some(watching) => watching.subscriber.next().await,
        None => std::future::pending().await,
    }
}

/// Does work that may take milliseconds, where the runtime has other threads.
fn at_length<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes >= LARGE_BYTES && Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}
