//! One connection that asks: what is open on it, and what is said.
//!
//! Questions are tasks, so that each takes its turn whatever the socket is doing. Subscriptions are futures
//! that are only looked at when something can be sent: while a client takes nothing, nothing is gathered
//! for it, and what it misses it is told as a gap. What is in hand is one message.

use std::collections::{BTreeMap, HashMap};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::body::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use reflow_trace::api::{
    ApiError, ClientMessage, ErrorCode, Question, ServerMessage, read_client_message,
};
use reflow_trace::protocol::SubscriptionRequest;
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};

use super::super::Shared;
use super::super::grant::Grant;
use super::super::token::Scope;
use super::{LIMITS, reply};
use crate::answer::of_query;
use crate::live::{Seen, Subscriber};

/// What is open on a connection.
pub(super) struct Session {
    shared: Arc<Shared>,
    /// Not before there was a ticket.
    grant: Option<Grant>,
    open: HashMap<u64, Open>,
    /// Tells apart two uses of one id.
    next_serial: u64,
    questions: JoinSet<(u64, u64, Bytes)>,
    subscriptions: FuturesUnordered<Waiting>,
    is_stopping: bool,
}

/// A question or a subscription under its id.
struct Open {
    serial: u64,
    what: What,
}

enum What {
    Question(AbortHandle),
    /// Dropping it ends the subscription.
    Subscription(#[expect(dead_code, reason = "its drop is what counts")] oneshot::Sender<()>),
}

/// A subscription until it has something to say.
type Waiting = Pin<Box<dyn Future<Output = Heard> + Send>>;

struct Heard {
    id: u64,
    serial: u64,
    subscriber: Subscriber,
    closed: oneshot::Receiver<()>,
    /// `None`: the server stops, or nobody wants it any more.
    seen: Option<Seen>,
}

/// What becomes of a message.
pub(super) enum Heeded {
    /// Nothing is to be said at once.
    Silently,
    /// This is to be said.
    Say(Bytes),
    /// The ticket is none: the connection ends.
    NoTicket,
}

/// The id in a message that cannot be read otherwise.
#[derive(Deserialize)]
struct OnlyId {
    #[serde(default)]
    id: Option<u64>,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, grant: Option<Grant>) -> Self {
        Self {
            shared,
            grant,
            open: HashMap::new(),
            next_serial: 0,
            questions: JoinSet::new(),
            subscriptions: FuturesUnordered::new(),
            is_stopping: false,
        }
    }

    /// Whether it is known who asks.
    pub(super) fn is_welcome(&self) -> bool {
        self.grant.is_some()
    }

    /// Nothing new begins.
    pub(super) fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// Whether there is nothing left to be said.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// What is to be said next; never ready while there is nothing. Nothing is lost when the future is
    /// dropped.
    pub(super) async fn next(&mut self) -> Bytes {
        loop {
            let Self {
                questions,
                subscriptions,
                ..
            } = self;
            let said = tokio::select! {
                Some(answered) = questions.join_next() => self.answered(answered),
                Some(heard) = subscriptions.next() => self.heard(heard),
                else => poll_fn(|_| std::task::Poll::Pending).await,
            };
            if let Some(said) = said {
                return said;
            }
        }
    }

    /// Does what a message says.
    pub(super) fn heed(&mut self, text: &str) -> Heeded {
        let message = read_client_message(text, &LIMITS);
        let Some(grant) = self.grant.clone() else {
            let Ok(ClientMessage::Ticket { ticket }) = message else {
                return Heeded::NoTicket;
            };
            self.grant = self.shared.tickets.redeem(&ticket);
            return match self.grant {
                Some(_) => Heeded::Silently,
                None => Heeded::NoTicket,
            };
        };
        let failed = match message {
            Ok(ClientMessage::Ask { id, question }) => self.ask(id, question, &grant),
            Ok(ClientMessage::Subscribe {
                id,
                filters,
                from_offset,
            }) => self.subscribe(id, &filters, from_offset, &grant),
            Ok(ClientMessage::Cancel { id }) => {
                // One that is answered, or was never asked, is left alone.
                if self.is_question(id) {
                    self.close(id);
                }
                Ok(())
            }
            Ok(ClientMessage::Unsubscribe { id }) => {
                return match self.open.get(&id) {
                    Some(Open {
                        what: What::Subscription(_),
                        ..
                    }) => {
                        self.close(id);
                        Heeded::Say(said(&ServerMessage::Unsubscribed { id }))
                    }
                    _ => say_failed(None, no_subscription(id)),
                };
            }
            Ok(ClientMessage::Ticket { .. }) => Err((
                None,
                invalid("a ticket is the first message, where no header says who asks".to_owned()),
            )),
            Ok(_) => Err((
                None,
                invalid("this server does not know this message".to_owned()),
            )),
            Err(error) => Err((id_in(text).filter(|id| !self.open.contains_key(id)), error)),
        };
        match failed {
            Ok(()) => Heeded::Silently,
            Err((id, error)) => say_failed(id, error),
        }
    }

    fn ask(
        &mut self,
        id: u64,
        question: Question,
        grant: &Grant,
    ) -> Result<(), (Option<u64>, ApiError)> {
        let serial = self.begin(id)?;
        if !grant.permits(Scope::Query) {
            return Err((Some(id), lacks(Scope::Query)));
        }
        let shared = Arc::clone(&self.shared);
        let rights = grant.rights();
        let task = self.questions.spawn(async move {
            let unread = Arc::clone(&shared.unread);
            let bytes_max = shared.config.query.answer_bytes_max;
            // Aborting the task drops the future, which is what ends the question.
            let cancelled = Arc::new(AtomicBool::new(false));
            let answered = shared
                .engine
                .answer_as(question, rights, cancelled, move |answer| {
                    let answer = Box::new(answer);
                    unread.keep(reply::json(
                        &ServerMessage::Answer { id, answer },
                        bytes_max,
                    )?)
                });
            let bytes = answered.await.unwrap_or_else(|error| {
                said(&ServerMessage::Failed {
                    id: Some(id),
                    error,
                })
            });
            (id, serial, bytes)
        });
        let what = What::Question(task);
        self.open.insert(id, Open { serial, what });
        Ok(())
    }

    fn subscribe(
        &mut self,
        id: u64,
        filters: &SubscriptionRequest,
        from_offset: Option<u64>,
        grant: &Grant,
    ) -> Result<(), (Option<u64>, ApiError)> {
        let serial = self.begin(id)?;
        if !grant.permits(Scope::Subscribe) {
            return Err((Some(id), lacks(Scope::Subscribe)));
        }
        let subscriber = (|| {
            if filters.flow_ids.is_some() || filters.status_filter.is_some() {
                let what = "`flow_ids` and `status_filter` are of Reflow's protocol, which is spoken at `/`";
                return Err(ApiError::new(ErrorCode::Unsupported, what));
            }
            let wanted = filters
                .filters()
                .compile()
                .map_err(|error| of_query(&error))?;
            self.shared
                .hub
                .subscribe(wanted, from_offset, grant.rights())
        })();
        let subscriber = subscriber.map_err(|error| (Some(id), error))?;
        let (open, closed) = oneshot::channel();
        let what = What::Subscription(open);
        self.open.insert(id, Open { serial, what });
        self.subscriptions
            .push(Box::pin(listen(id, serial, subscriber, closed)));
        Ok(())
    }

    /// A number for what begins under this id.
    fn begin(&mut self, id: u64) -> Result<u64, (Option<u64>, ApiError)> {
        if self.open.contains_key(&id) {
            // Not by the id: whoever asked first under it would take it for theirs.
            let text =
                format!("the id {id} is in use: choose one for each question and subscription");
            return Err((None, invalid(text)));
        }
        if self.is_stopping {
            let error = ApiError::new(ErrorCode::Stopping, "the server is about to stop");
            return Err((Some(id), error));
        }
        let open_max = self.shared.config.query.asker_open_max;
        if self.open.len() >= open_max {
            let text = format!(
                "{open_max} questions and subscriptions are open on this connection, as many as `query.asker_open_max` allows: ask again when one is answered"
            );
            return Err((Some(id), ApiError::new(ErrorCode::Busy, text)));
        }
        self.next_serial += 1;
        Ok(self.next_serial)
    }

    fn is_question(&self, id: u64) -> bool {
        matches!(
            self.open.get(&id),
            Some(Open {
                what: What::Question(_),
                ..
            })
        )
    }

    fn close(&mut self, id: u64) {
        if let Some(open) = self.open.remove(&id)
            && let What::Question(task) = open.what
        {
            task.abort();
        }
    }

    /// Whether this is still what is open under the id.
    fn is_current(&self, id: u64, serial: u64) -> bool {
        self.open.get(&id).is_some_and(|open| open.serial == serial)
    }

    fn answered(
        &mut self,
        answered: Result<(u64, u64, Bytes), tokio::task::JoinError>,
    ) -> Option<Bytes> {
        // Aborted: nobody wants it.
        let (id, serial, bytes) = answered.ok()?;
        if !self.is_current(id, serial) {
            return None;
        }
        self.open.remove(&id);
        Some(bytes)
    }

    fn heard(&mut self, heard: Heard) -> Option<Bytes> {
        let Heard {
            id,
            serial,
            subscriber,
            closed,
            seen,
        } = heard;
        if !self.is_current(id, serial) {
            return None;
        }
        let Some(seen) = seen else {
            self.open.remove(&id);
            return Some(said(&ServerMessage::Failed {
                id: Some(id),
                error: ApiError::new(ErrorCode::Stopping, "the server is about to stop"),
            }));
        };
        self.subscriptions
            .push(Box::pin(listen(id, serial, subscriber, closed)));
        Some(match seen {
            Seen::Live { offset } => said(&ServerMessage::Subscribed { id, offset }),
            Seen::Gap {
                from_offset,
                to_offset,
            } => said(&ServerMessage::Gap {
                id,
                from_offset,
                to_offset,
            }),
            Seen::Events { offset, events } => {
                // As `ServerMessage::Events`, of JSON that is there already.
                let events: Vec<&str> = events.iter().map(|event| event.json()).collect();
                let events = events.join(",");
                let text = format!(
                    "{{\"events\":{{\"id\":{id},\"offset\":{offset},\"events\":[{events}]}}}}"
                );
                text.into_bytes().into()
            }
        })
    }
}

/// Waits until there is something, or until nobody wants it.
async fn listen(
    id: u64,
    serial: u64,
    mut subscriber: Subscriber,
    mut closed: oneshot::Receiver<()>,
) -> Heard {
    let seen = tokio::select! {
        biased;
        _dropped = &mut closed => None,
        seen = subscriber.next() => seen,
    };
    Heard {
        id,
        serial,
        subscriber,
        closed,
        seen,
    }
}

/// The id in a message that is otherwise wrong.
fn id_in(text: &str) -> Option<u64> {
    let read: Option<BTreeMap<String, OnlyId>> = serde_json::from_str(text).ok();
    read?.into_values().next()?.id
}

/// A message without captured content and of bounded length.
fn said(message: &ServerMessage) -> Bytes {
    // Texts and numbers: nothing in it can fail to be written.
    serde_json::to_vec(message).unwrap_or_default().into()
}

fn say_failed(id: Option<u64>, error: ApiError) -> Heeded {
    Heeded::Say(said(&ServerMessage::Failed { id, error }))
}

fn invalid(message: String) -> ApiError {
    ApiError::new(ErrorCode::InvalidQuestion, message)
}

fn no_subscription(id: u64) -> ApiError {
    ApiError::new(
        ErrorCode::NotFound,
        format!("no subscription has the id {id}"),
    )
}

fn lacks(scope: Scope) -> ApiError {
    ApiError::new(
        ErrorCode::Forbidden,
        super::Refused::WrongScope(scope).text(),
    )
}
