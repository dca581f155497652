//! What is open with a server, and what is to be said next: the part that decides, without clock and socket.
//!
//! A question is open until it is answered, refused, cancelled or late. A subscription is open until its
//! reader is gone; on each connection it has another id, so that nothing that is still on its way can be
//! taken for something newer. `next` is the place in the log where it goes on: that of the newest
//! event, again, because more of the same batch may follow; those that were given already are left out.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::error::{AskError, Refusal};
use super::queue::Queue;
use super::subscription::Seen;
use crate::api::read::Addressee;
use crate::api::{Answer, ApiError, ClientMessage, ErrorCode, Question, ServerMessage};
use crate::event::{EventId, TraceEvent};
use crate::protocol::SubscriptionRequest;

/// Questions that are with the server at one time; it refuses more than some.
const ASKED_MAX: usize = 16;
/// After the server has said that it is too busy for a subscription that was there before.
const BUSY_WAIT: Duration = Duration::from_secs(1);

type Reply<T> = oneshot::Sender<Result<T, AskError>>;

/// What a program wants.
pub(super) enum Command {
    Ask {
        id: u64,
        question: Box<Question>,
        timeout: Duration,
        reply: Reply<Answer>,
    },
    Cancel {
        id: u64,
    },
    Subscribe {
        id: u64,
        filters: Box<SubscriptionRequest>,
        from_offset: Option<u64>,
        queue: Arc<Queue>,
        timeout: Duration,
        begun: Reply<()>,
    },
    /// The reader has room again.
    Resume {
        id: u64,
    },
    Unsubscribe {
        id: u64,
    },
}

/// Everything that is open.
#[derive(Default)]
pub(super) struct Book {
    questions: BTreeMap<u64, Asked>,
    subscriptions: HashMap<u64, Subscribed>,
    /// Subscriptions by their ids on this connection.
    on_the_wire: HashMap<u64, u64>,
    /// To be said on this connection before anything else.
    outbox: VecDeque<ClientMessage>,
    /// To be asked, in order.
    unasked: VecDeque<u64>,
    /// With the server.
    asked: usize,
    is_connected: bool,
    last_wire_id: u64,
}

struct Asked {
    question: Box<Question>,
    reply: Reply<Answer>,
    timeout: Duration,
    late_at: Instant,
    /// Its id with the server, while it is there.
    wire_id: Option<u64>,
    was_asked_before: bool,
}

struct Subscribed {
    filters: Box<SubscriptionRequest>,
    queue: Arc<Queue>,
    /// Until the server has said that it has begun.
    begun: Option<Reply<()>>,
    timeout: Duration,
    /// When that is too late.
    late_at: Instant,
    wire_id: Option<u64>,
    next: Option<u64>,
    /// What was given of the batch at `next`.
    given: HashSet<EventId>,
    /// The reader has no room.
    is_paused: bool,
    /// The server has no room; not before then.
    busy_until: Option<Instant>,
    /// It goes on as if nothing had been.
    is_resumed: bool,
}

impl Book {
    /// A program wants something.
    pub(super) fn command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Ask {
                id,
                question,
                timeout,
                reply,
            } => {
                let asked = Asked {
                    question,
                    reply,
                    timeout,
                    late_at: now + timeout,
                    wire_id: None,
                    was_asked_before: false,
                };
                self.questions.insert(id, asked);
                self.unasked.push_back(id);
            }
            Command::Cancel { id } => drop(self.forget(id)),
            Command::Subscribe {
                id,
                filters,
                from_offset,
                queue,
                timeout,
                begun,
            } => {
                let subscribed = Subscribed {
                    filters,
                    queue,
                    begun: Some(begun),
                    timeout,
                    late_at: now + timeout,
                    wire_id: None,
                    next: from_offset,
                    given: HashSet::new(),
                    is_paused: false,
                    busy_until: None,
                    is_resumed: false,
                };
                self.subscriptions.insert(id, subscribed);
                self.subscribe(id);
            }
            Command::Resume { id } => {
                if let Some(subscribed) = self.subscriptions.get_mut(&id) {
                    subscribed.is_paused = false;
                    subscribed.is_resumed = true;
                    self.subscribe(id);
                }
            }
            Command::Unsubscribe { id } => {
                self.unsubscribe(id);
                self.subscriptions.remove(&id);
            }
        }
    }

    /// Whether somebody waits for a connection, and whether it is for a question, which is tried at once.
    pub(super) fn wants_connection(&self) -> (bool, bool) {
        let is_for_question =
            !self.questions.is_empty() || self.subscriptions.values().any(|it| it.begun.is_some());
        (
            is_for_question || !self.subscriptions.is_empty(),
            is_for_question,
        )
    }

    /// There is a connection.
    pub(super) fn connected(&mut self) {
        self.is_connected = true;
        let ids: Vec<u64> = self.subscriptions.keys().copied().collect();
        for id in ids {
            self.subscribe(id);
        }
    }

    /// No connection could be made.
    pub(super) fn unreachable(&mut self, error: &AskError) {
        self.lose_connection();
        for (_, asked) in std::mem::take(&mut self.questions) {
            let _gone = asked.reply.send(Err(error.clone()));
        }
        self.unasked.clear();
        self.subscriptions
            .retain(|_, subscribed| match subscribed.begun.take() {
                Some(begun) => {
                    let _gone = begun.send(Err(error.clone()));
                    false
                }
                None => true,
            });
    }

    /// The connection was lost.
    pub(super) fn disconnected(&mut self, reason: &str) {
        self.lose_connection();
        self.unasked.clear();
        let mut lost = Vec::new();
        for (&id, asked) in &mut self.questions {
            if asked.wire_id.take().is_some()
                && std::mem::replace(&mut asked.was_asked_before, true)
            {
                lost.push(id);
            } else {
                self.unasked.push_back(id);
            }
        }
        for id in lost {
            if let Some(asked) = self.questions.remove(&id) {
                let reason = reason.to_owned();
                let _gone = asked.reply.send(Err(AskError::Disconnected { reason }));
            }
        }
    }

    /// The server says something.
    pub(super) fn heard(&mut self, now: Instant, message: ServerMessage) {
        match message {
            ServerMessage::Answer { id, answer } => {
                if let Some(asked) = self.take_question(id) {
                    let _gone = asked.reply.send(Ok(*answer));
                }
            }
            ServerMessage::Failed { id, error } => {
                // Without an id it is about a message that was none of ours.
                if let Some(id) = id {
                    self.refused(now, id, error);
                }
            }
            ServerMessage::Subscribed { id, offset } => self.subscribed(id, offset),
            ServerMessage::Events { id, offset, events } => self.happened(id, offset, events),
            ServerMessage::Gap {
                id,
                from_offset,
                to_offset,
            } => {
                if let Some(subscribed) = self.subscription(id) {
                    subscribed.go_on_at(to_offset);
                    self.give(
                        id,
                        Seen::Gap {
                            from_offset,
                            to_offset,
                        },
                    );
                }
            }
            ServerMessage::Unsubscribed { .. } => {}
        }
    }

    /// The server says something to somebody that cannot be read. Asked again it would say the same again, so
    /// who waits for it goes on without, and is told.
    pub(super) fn unreadable(&mut self, addressee: &Addressee, error: &ApiError) {
        match *addressee {
            Addressee::Answer { id } => {
                let reason = error.message.clone();
                let error = AskError::Unreadable { reason };
                if let Some(asked) = self.take_question(id) {
                    let _gone = asked.reply.send(Err(error));
                } else if let Some(id) = self.on_the_wire.remove(&id)
                    && let Some(subscribed) = self.subscriptions.remove(&id)
                {
                    match subscribed.begun {
                        Some(begun) => drop(begun.send(Err(error))),
                        None => subscribed.queue.end(Some(error)),
                    }
                }
            }
            Addressee::Events { id, offset } => {
                let Some(subscribed) = self.subscription(id) else {
                    return;
                };
                if subscribed.next != Some(offset) {
                    subscribed.go_on_at(offset);
                }
                let (from_offset, to_offset) = (offset, offset.saturating_add(1));
                self.give(
                    id,
                    Seen::Gap {
                        from_offset,
                        to_offset,
                    },
                );
            }
        }
    }

    /// What is to be said next on this connection.
    pub(super) fn say(&mut self) -> Option<ClientMessage> {
        if !self.is_connected {
            return None;
        }
        if let Some(message) = self.outbox.pop_front() {
            return Some(message);
        }
        if self.asked >= ASKED_MAX {
            return None;
        }
        let wire_id = self.last_wire_id + 1;
        loop {
            // One that was cancelled meanwhile is passed over.
            let id = self.unasked.pop_front()?;
            if let Some(asked) = self.questions.get_mut(&id) {
                self.last_wire_id = wire_id;
                self.asked += 1;
                asked.wire_id = Some(wire_id);
                let question = (*asked.question).clone();
                return Some(ClientMessage::Ask {
                    id: wire_id,
                    question,
                });
            }
        }
    }

    /// Ends what is late, and begins what may begin again.
    pub(super) fn advance(&mut self, now: Instant) {
        let late = self
            .questions
            .iter()
            .filter(|(_, asked)| asked.late_at <= now);
        let late: Vec<u64> = late.map(|(&id, _)| id).collect();
        for id in late {
            if let Some(asked) = self.forget(id) {
                let after = asked.timeout;
                let _gone = asked.reply.send(Err(AskError::TimedOut { after }));
            }
        }
        let late = self.subscriptions.iter();
        let late = late.filter(|(_, it)| it.begun.is_some() && it.late_at <= now);
        let late: Vec<u64> = late.map(|(&id, _)| id).collect();
        for id in late {
            self.unsubscribe(id);
            if let Some(subscribed) = self.subscriptions.remove(&id)
                && let Some(begun) = subscribed.begun
            {
                let after = subscribed.timeout;
                let _gone = begun.send(Err(AskError::TimedOut { after }));
            }
        }
        let rested = self
            .subscriptions
            .iter_mut()
            .filter_map(|(&id, subscribed)| {
                let is_over = subscribed.busy_until.is_some_and(|until| until <= now);
                is_over.then(|| {
                    subscribed.busy_until = None;
                    id
                })
            });
        let rested: Vec<u64> = rested.collect();
        for id in rested {
            self.subscribe(id);
        }
    }

    /// When [`advance`](Self::advance) has something to do.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let late = self.questions.values().map(|asked| asked.late_at);
        let begin = self.subscriptions.values();
        let begin = begin.filter_map(|it| it.begun.is_some().then_some(it.late_at));
        let rested = self.subscriptions.values().filter_map(|it| it.busy_until);
        late.chain(begin).chain(rested).min()
    }

    /// Says to everybody that there is nothing more to come.
    pub(super) fn end(&mut self) {
        self.unreachable(&AskError::Gone);
        for subscribed in self.subscriptions.values() {
            subscribed.queue.end(Some(AskError::Gone));
        }
    }

    fn lose_connection(&mut self) {
        self.is_connected = false;
        self.asked = 0;
        self.outbox.clear();
        self.on_the_wire.clear();
        for subscribed in self.subscriptions.values_mut() {
            subscribed.wire_id = None;
            subscribed.is_resumed = false;
        }
    }

    /// Takes a question out that nobody waits for any more.
    fn forget(&mut self, id: u64) -> Option<Asked> {
        let asked = self.questions.remove(&id)?;
        if let Some(wire_id) = asked.wire_id {
            self.asked -= 1;
            self.outbox.push_back(ClientMessage::Cancel { id: wire_id });
        }
        Some(asked)
    }

    /// Takes the question out that has this id with the server.
    fn take_question(&mut self, wire_id: u64) -> Option<Asked> {
        let mut open = self.questions.iter();
        let (&id, _) = open.find(|(_, asked)| asked.wire_id == Some(wire_id))?;
        self.asked -= 1;
        self.questions.remove(&id)
    }

    /// Begins a subscription on this connection, where it may.
    fn subscribe(&mut self, id: u64) {
        let Some(subscribed) = self.subscriptions.get_mut(&id) else {
            return;
        };
        let may_begin = self.is_connected
            && subscribed.wire_id.is_none()
            && !subscribed.is_paused
            && subscribed.busy_until.is_none();
        if may_begin {
            self.last_wire_id += 1;
            let wire_id = self.last_wire_id;
            subscribed.wire_id = Some(wire_id);
            self.on_the_wire.insert(wire_id, id);
            self.outbox.push_back(ClientMessage::Subscribe {
                id: wire_id,
                filters: (*subscribed.filters).clone(),
                from_offset: subscribed.next,
            });
        }
    }

    /// Ends a subscription on this connection.
    fn unsubscribe(&mut self, id: u64) {
        if let Some(subscribed) = self.subscriptions.get_mut(&id)
            && let Some(wire_id) = subscribed.wire_id.take()
        {
            self.on_the_wire.remove(&wire_id);
            self.outbox
                .push_back(ClientMessage::Unsubscribe { id: wire_id });
        }
    }

    fn subscription(&mut self, wire_id: u64) -> Option<&mut Subscribed> {
        self.subscriptions.get_mut(self.on_the_wire.get(&wire_id)?)
    }

    /// Gives something to the reader of a subscription.
    fn give(&mut self, wire_id: u64, seen: Seen) {
        let Some(&id) = self.on_the_wire.get(&wire_id) else {
            return;
        };
        let Some(subscribed) = self.subscriptions.get_mut(&id) else {
            return;
        };
        if !subscribed.queue.push(seen) {
            subscribed.is_paused = true;
            self.unsubscribe(id);
        }
    }

    fn subscribed(&mut self, wire_id: u64, offset: u64) {
        let Some(subscribed) = self.subscription(wire_id) else {
            return;
        };
        if let Some(begun) = subscribed.begun.take() {
            let _gone = begun.send(Ok(()));
        }
        let is_resumed = std::mem::take(&mut subscribed.is_resumed);
        let is_another_log = subscribed.next.is_some_and(|next| next > offset);
        if is_another_log || subscribed.next.is_none() {
            subscribed.go_on_at(offset);
        }
        if is_another_log {
            // It waits for a place that may never come.
            let id = self.on_the_wire.get(&wire_id).copied();
            self.give(
                wire_id,
                Seen::Gap {
                    from_offset: 0,
                    to_offset: offset,
                },
            );
            if let Some(id) = id {
                self.unsubscribe(id);
                self.subscribe(id);
            }
        } else if !is_resumed {
            self.give(wire_id, Seen::Live { offset });
        }
    }

    fn happened(&mut self, wire_id: u64, offset: u64, mut events: Vec<TraceEvent>) {
        let Some(subscribed) = self.subscription(wire_id) else {
            return;
        };
        if subscribed.next == Some(offset) {
            events.retain(|event| !subscribed.given.contains(&event.event_id));
        } else {
            subscribed.go_on_at(offset);
        }
        subscribed
            .given
            .extend(events.iter().map(|event| event.event_id));
        if !events.is_empty() {
            self.give(wire_id, Seen::Events { offset, events });
        }
    }

    /// The server does not answer, or ends a subscription.
    fn refused(&mut self, now: Instant, wire_id: u64, error: ApiError) {
        if let Some(asked) = self.take_question(wire_id) {
            let refusal = Refusal::new(error, Some(&asked.question));
            let _gone = asked.reply.send(Err(AskError::Refused(refusal)));
            return;
        }
        let Some(id) = self.on_the_wire.remove(&wire_id) else {
            return;
        };
        let Some(subscribed) = self.subscriptions.get_mut(&id) else {
            return;
        };
        subscribed.wire_id = None;
        if subscribed.begun.is_none() && error.code.is_retryable() {
            let wait = match error.code {
                // The connection is about to end; the next one begins it.
                ErrorCode::Stopping => return,
                _ => BUSY_WAIT,
            };
            subscribed.busy_until = Some(now + wait);
            return;
        }
        let error = AskError::Refused(Refusal::new(error, None));
        if let Some(subscribed) = self.subscriptions.remove(&id) {
            match subscribed.begun {
                Some(begun) => drop(begun.send(Err(error))),
                None => subscribed.queue.end(Some(error)),
            }
        }
    }
}

impl Subscribed {
    fn go_on_at(&mut self, offset: u64) {
        self.next = Some(offset);
        self.given.clear();
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
