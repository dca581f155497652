//! What the other side says, and what becomes of it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::extract::ws::{Message, Utf8Bytes};
use reflow_trace::TraceEvent;
use reflow_trace::api::{self, ApiError};
use reflow_trace::protocol::{
    ErrorCode, JsonLimits, Request, SubscriptionRequest, TraceMessage, TraceResponse,
    TracingRequest, TracingResponse, adopted, read_request,
};
use tokio::time::Instant;

use super::{Busy, Conversation, End, Recorded, Watching, at_length, is_too_large, say};
use crate::answer::Asking;
use crate::http::token::Scope;
use crate::ingest::{Permit, memory_of};
use crate::live::Subscriber;
use crate::reflow::{self, FlowFilter, Unit};
use crate::store::Snapshot;

/// What is built from a text takes up to so many times as much.
const BUILT_TIMES: usize = 12;
/// The beginning of a ticket, which is of the other protocol that is spoken here.
const TICKET: &str = "{\"ticket\"";

/// What a question has come to.
pub(super) enum Answered {
    Text(Utf8Bytes),
    /// A subscription begins, with what it has to know of flows.
    Watch(Box<(Subscriber, Option<FlowFilter>)>),
}

/// In which family errors are said.
#[derive(Clone, Copy)]
enum Family {
    Current,
    Older,
}

impl Answered {
    /// The task that answered has ended without an answer: the runtime ends.
    pub(super) fn nothing() -> Self {
        let text = say::error(
            ErrorCode::InternalError,
            "there was no answer to this request",
        );
        Self::Text(text.into())
    }
}

impl Conversation {
    pub(super) async fn receive(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
    ) -> Result<(), End> {
        self.heard_at = Instant::now();
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(bytes))) => {
                let limits = &self.shared.config.live;
                match at_length(bytes.len(), || reflow::unpack(&bytes, limits)) {
                    Ok(text) => text.into(),
                    Err(error) => {
                        return self
                            .refuse(ErrorCode::SerializationError, error.to_string())
                            .await;
                    }
                }
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
            Some(Err(error)) => {
                if !is_too_large(error) {
                    return Err(End::Gone);
                }
                let max = self.shared.config.live.message_bytes_max;
                let text = format!("a message of more than {max} bytes (`live.message_bytes_max`)");
                self.refuse(ErrorCode::InvalidRequest, text).await?;
                return Err(End::Refused("a message is too large"));
            }
        };
        if text.starts_with(TICKET) {
            return self.redeem(&text).await;
        }
        self.speak();
        if self.grant.is_none() {
            self.refuse(
                ErrorCode::Unauthorized,
                "a token is needed: send `Authorization: Bearer …`, or a ticket as the first message",
            )
            .await?;
            return Err(End::Refused("no token and no ticket"));
        }
        self.busy = Some(Busy::Memory {
            text,
            place: None,
            since: Instant::now(),
        });
        self.try_for_memory().await
    }

    /// Reads the message that waits, once there is memory for what is built from it.
    pub(super) async fn try_for_memory(&mut self) -> Result<(), End> {
        let Some(Busy::Memory {
            text,
            mut place,
            since,
        }) = self.busy.take()
        else {
            return Ok(());
        };
        let bytes = memory_of(text.len().saturating_mul(BUILT_TIMES), 0, 0);
        if let Some(permit) = self.shared.budget.take(bytes, &mut place) {
            return self.read(text, permit).await;
        }
        if since.elapsed() >= self.shared.config.ingest.memory_wait {
            return self
                .refuse(
                    ErrorCode::InternalError,
                    "the server has had no memory to spare for this message; send it again later",
                )
                .await;
        }
        self.busy = Some(Busy::Memory { text, place, since });
        // What waits to be committed holds memory that others wait for.
        self.launch().await
    }

    async fn read(&mut self, text: Utf8Bytes, permit: Permit) -> Result<(), End> {
        let limits = JsonLimits {
            bytes_max: self.shared.config.live.message_bytes_max,
            ..JsonLimits::default()
        };
        let request = match at_length(text.len(), || read_request(&text, &limits)) {
            Ok(request) => request,
            Err(error) => return self.refuse(error.code(), error.to_string()).await,
        };
        drop(text);
        let (name, scope) = kind(&request);
        self.shared.metrics.reflow_requests.add(name, 1);
        if let Some(scope) = scope
            && !(self.grant.as_ref()).is_some_and(|grant| grant.permits(scope))
        {
            let scope = scope.name();
            let text = format!("the token does not permit `{name}`: its scopes lack `{scope}`");
            return self.refuse(ErrorCode::Unauthorized, text).await;
        }
        match request {
            Request::Tracing(TracingRequest::RecordEvent { trace_id, event }) => {
                let event = adopted(*event, trace_id);
                self.record(vec![event], Recorded::Event, permit);
            }
            Request::Tracing(TracingRequest::StartTrace {
                trace_id,
                flow_id,
                version,
            }) => {
                let trace_id = trace_id.unwrap_or_default();
                let note = reflow::started(trace_id, &flow_id, &version);
                self.record(vec![note], Recorded::Started(trace_id), permit);
            }
            Request::Tracing(TracingRequest::EndTrace { trace_id, status }) => {
                let note = reflow::ended(trace_id, &status);
                self.record(vec![note], Recorded::Event, permit);
            }
            Request::Message(TraceMessage::StoreTrace { trace }) => {
                let note = reflow::stored(&trace);
                let trace_id = trace.trace_id;
                let events = trace.events.into_iter();
                let events = events.map(|event| adopted(event, trace_id));
                let events = std::iter::once(note).chain(events).collect();
                self.record(events, Recorded::Stored(trace_id), permit);
            }
            other => self.busy = Some(Busy::Settling(Box::new(other))),
        }
        Ok(())
    }

    fn record(&mut self, events: Vec<TraceEvent>, ack: Recorded, permit: Permit) {
        self.recorder.push(Unit {
            events,
            ack,
            permit: Some(permit),
        });
    }

    /// Takes up a request that had to wait, once nothing is before it.
    pub(super) async fn go_on_with_what_waits(&mut self) -> Result<(), End> {
        if !self.recorder.is_settled() || !matches!(self.busy, Some(Busy::Settling(_))) {
            return Ok(());
        }
        let Some(Busy::Settling(request)) = self.busy.take() else {
            return Ok(());
        };
        match *request {
            Request::Tracing(TracingRequest::Ping) => {
                self.send(vec![say::response(&TracingResponse::Pong).into()])
                    .await
            }
            Request::Tracing(TracingRequest::Unsubscribe) => {
                self.watching = None;
                Ok(())
            }
            Request::Tracing(TracingRequest::Subscribe { filters }) => {
                self.subscribe(filters, Family::Current).await
            }
            Request::Message(TraceMessage::Subscribe { filter }) => {
                self.subscribe(filter, Family::Older).await
            }
            Request::Message(TraceMessage::GetMetrics) => {
                let data = super::pages::values(&self.shared);
                self.send(vec![say::response(&TraceResponse::Metrics { data }).into()])
                    .await
            }
            question => {
                self.ask(question);
                Ok(())
            }
        }
    }

    /// Nothing new is begun any more.
    pub(super) fn forget_what_waits(&mut self) {
        if !matches!(self.busy, Some(Busy::Asking(_))) {
            self.busy = None;
        }
    }

    /// A question of the store, answered in a task of its own.
    fn ask(&mut self, question: Request) {
        let Some(grant) = &self.grant else {
            return;
        };
        let (engine, rights) = (self.shared.engine.clone(), grant.rights());
        let name = match kind(&question).0 {
            "GetTrace" => "reflow_get_trace",
            "QueryTraces" => "reflow_query_traces",
            _ => "reflow_flow_versions",
        };
        let unread = Arc::clone(&self.shared.unread);
        let asking = tokio::spawn(async move {
            let cancelled = Arc::new(AtomicBool::new(false));
            let text = engine.run(name, rights, cancelled, move |view, asking| {
                let room = say::Room {
                    bytes_max: asking.limits.answer_bytes_max,
                    unread: &unread,
                };
                match question {
                    Request::Tracing(TracingRequest::GetTrace {
                        request_id,
                        trace_id,
                    }) => room.write(&TracingResponse::TraceData {
                        request_id,
                        trace: reflow::trace(view, trace_id, asking)?.map(Box::new),
                    }),
                    Request::Tracing(TracingRequest::QueryTraces { request_id, query }) => {
                        let page = reflow::query(view, &query, asking)?;
                        room.write(&TracingResponse::QueryResults {
                            request_id,
                            traces: page.traces,
                            total_count: page.total_count,
                        })
                    }
                    Request::Tracing(TracingRequest::GetFlowVersions { flow_id }) => {
                        let versions = reflow::flow_versions(view, &flow_id, asking)?;
                        room.write(&TracingResponse::FlowVersions { versions })
                    }
                    // The older family, which is read as the current one where both look alike.
                    Request::Message(TraceMessage::GetTrace { trace_id }) => {
                        match reflow::trace(view, trace_id, asking)? {
                            Some(trace) => room.write(&TraceResponse::TraceData {
                                trace: Box::new(trace),
                            }),
                            None => room.write(&TraceResponse::Error {
                                message: "there is no such trace".to_owned(),
                            }),
                        }
                    }
                    Request::Message(TraceMessage::QueryTraces { query }) => {
                        let traces = reflow::query(view, &query, asking)?.traces;
                        room.write(&TraceResponse::TracesFound { traces })
                    }
                    _ => Err(ApiError::new(
                        api::ErrorCode::InvalidQuestion,
                        "this is no question",
                    )),
                }
            });
            Answered::Text(match text.await {
                Ok(text) => text,
                Err(error) => say::error(say::code_of(&error), error.message).into(),
            })
        });
        self.busy = Some(Busy::Asking(asking));
    }

    async fn subscribe(&mut self, asked: SubscriptionRequest, family: Family) -> Result<(), End> {
        let begun = self.begin(&asked);
        let (subscriber, flows) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                let code = say::code_of(&error);
                self.shared.metrics.reflow_errors.add(word(code), 1);
                let text = match family {
                    Family::Current => say::error(code, error.message),
                    Family::Older => say::response(&TraceResponse::Error {
                        message: error.message,
                    }),
                };
                return self.send(vec![text.into()]).await;
            }
        };
        let Some(mut flows) = flows else {
            return self
                .conclude(Answered::Watch(Box::new((subscriber, None))))
                .await;
        };
        let Some(grant) = &self.grant else {
            return Ok(());
        };
        let (engine, rights) = (self.shared.engine.clone(), grant.rights());
        let asked = flows.flows();
        self.busy = Some(Busy::Asking(tokio::spawn(async move {
            let cancelled = Arc::new(AtomicBool::new(false));
            let look = move |view: &dyn Snapshot, asking: &Asking| {
                reflow::known_flows(view, asked, asking)
            };
            let known = engine.run("reflow_flows", rights, cancelled, look).await;
            match known {
                Ok(known) => {
                    flows.begin_with(known);
                    Answered::Watch(Box::new((subscriber, Some(flows))))
                }
                Err(error) => {
                    Answered::Text(say::error(say::code_of(&error), error.message).into())
                }
            }
        })));
        Ok(())
    }

    fn begin(
        &self,
        asked: &SubscriptionRequest,
    ) -> Result<(Subscriber, Option<FlowFilter>), ApiError> {
        let compiled = asked.filters().compile().map_err(|error| {
            let excerpt = error.excerpt().map(|lines| format!("\n{lines}"));
            ApiError::new(
                api::ErrorCode::InvalidFilter,
                format!("{error}{}", excerpt.unwrap_or_default()),
            )
        })?;
        let flows = FlowFilter::new(asked, compiled.clone());
        let wanted = match &flows {
            None => compiled,
            // What flow an event is of is said by events that may not be wanted themselves.
            Some(_) => SubscriptionRequest::default()
                .filters()
                .compile()
                .map_err(|error| ApiError::new(api::ErrorCode::InvalidFilter, error.to_string()))?,
        };
        let grant = (self.grant.as_ref())
            .ok_or_else(|| ApiError::new(api::ErrorCode::Forbidden, "a token is needed"))?;
        let subscriber = self.shared.hub.subscribe(wanted, None, grant.rights())?;
        Ok((subscriber, flows))
    }

    pub(super) async fn conclude(&mut self, answered: Answered) -> Result<(), End> {
        match answered {
            Answered::Text(text) => self.send(vec![text]).await,
            Answered::Watch(begun) => {
                let (subscriber, flows) = *begun;
                self.watching = Some(Watching {
                    subscriber,
                    is_plain: false,
                    flows,
                });
                Ok(())
            }
        }
    }

    /// A ticket, which is good as the first word only.
    async fn redeem(&mut self, text: &str) -> Result<(), End> {
        if self.has_spoken {
            return self
                .refuse(
                    ErrorCode::InvalidRequest,
                    "a ticket has to be the first message",
                )
                .await;
        }
        let said = serde_json::from_str(text).ok();
        let grant = match said {
            Some(api::ClientMessage::Ticket { ticket }) => self.shared.tickets.redeem(&ticket),
            _ => None,
        };
        let Some(grant) = grant else {
            self.refuse(
                ErrorCode::Unauthorized,
                "this is no ticket that is good: each is good once and for half a minute",
            )
            .await?;
            return Err(End::Refused("a ticket that is not good"));
        };
        self.grant = Some(grant);
        self.watching = None;
        // It has said who it is and not asked for anything.
        self.listen_plainly()
    }

    /// From the first word on nothing comes that was not asked for.
    fn speak(&mut self) {
        if !self.has_spoken {
            self.has_spoken = true;
            self.watching = None;
        }
    }

    /// An error; the connection lives.
    async fn refuse(&mut self, code: ErrorCode, text: impl Into<String>) -> Result<(), End> {
        self.speak();
        self.shared.metrics.reflow_errors.add(word(code), 1);
        let text = say::error(code, text);
        if self.recorder.is_settled() {
            return self.send(vec![text.into()]).await;
        }
        // Behind the answers to what came before it.
        self.recorder.push(Unit {
            events: Vec::new(),
            ack: Recorded::Said(text),
            permit: None,
        });
        Ok(())
    }
}

/// The name of a request, and what one must be allowed for it, if anything.
fn kind(request: &Request) -> (&'static str, Option<Scope>) {
    const RECORD: Option<Scope> = Some(Scope::Ingest);
    const ASK: Option<Scope> = Some(Scope::Query);
    match request {
        Request::Tracing(request) => match request {
            TracingRequest::StartTrace { .. } => ("StartTrace", RECORD),
            TracingRequest::RecordEvent { .. } => ("RecordEvent", RECORD),
            TracingRequest::EndTrace { .. } => ("EndTrace", RECORD),
            TracingRequest::GetTrace { .. } => ("GetTrace", ASK),
            TracingRequest::QueryTraces { .. } => ("QueryTraces", ASK),
            TracingRequest::GetFlowVersions { .. } => ("GetFlowVersions", ASK),
            TracingRequest::Ping => ("Ping", None),
            TracingRequest::Subscribe { .. } => ("Subscribe", Some(Scope::Subscribe)),
            TracingRequest::Unsubscribe => ("Unsubscribe", None),
        },
        Request::Message(request) => match request {
            TraceMessage::StoreTrace { .. } => ("StoreTrace", RECORD),
            TraceMessage::QueryTraces { .. } => ("QueryTraces", ASK),
            TraceMessage::GetTrace { .. } => ("GetTrace", ASK),
            TraceMessage::Subscribe { .. } => ("Subscribe", Some(Scope::Subscribe)),
            TraceMessage::GetMetrics => ("GetMetrics", ASK),
        },
    }
}

fn word(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NotFound => "not_found",
        ErrorCode::InvalidRequest => "invalid_request",
        ErrorCode::StorageError => "storage_error",
        ErrorCode::SerializationError => "serialization_error",
        ErrorCode::Unauthorized => "unauthorized",
        ErrorCode::InternalError => "internal_error",
    }
}
