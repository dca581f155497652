//! The state machine of one connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reflow_trace::wire::frame::{
    Ack, Goodbye, Hello, Message, PROTOCOL_VERSION, Refusal, RefusalCode, Welcome,
};
use reflow_trace::wire::{BatchLimits, Frame, FrameLimits, WireBatch, WireError};

use super::budget::{Budget, Permit, Place, memory_of};
use super::refuse::{code_word, encoded, events_lost, for_good, for_now, of_connection, of_frame};
use super::stream::{Book, Misplaced};
use crate::commit::{Answer, Lease, Submission};
use crate::config::IngestLimits;
use crate::observe::Metrics;
use crate::store::Admitted;

/// What happens to a session.
#[derive(Debug)]
pub enum Input {
    /// A binary message has arrived.
    Message(Bytes),
    /// A text message has arrived, where none belongs.
    Text,
    /// A message has arrived that was larger than the socket lets through.
    TooLarge,
    /// The committer has answered.
    Answers(Vec<Answer>),
    /// Time has passed, or memory has become free.
    Tick,
    /// The server is about to stop.
    Stop,
    /// The other side is gone.
    Gone,
}

/// What is to be done, in this order.
#[derive(Debug)]
pub enum Output {
    /// Send a binary message.
    Send(Bytes),
    /// Hand a batch to the committer.
    Commit(Submission),
    /// Close the connection. Nothing comes after.
    Close(Closing),
}

/// How the connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The status of the WebSocket's close.
    pub status: u16,
    /// Its reason, short.
    pub reason: &'static str,
    /// Why, for metrics.
    pub end: End,
}

/// Why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The client has said goodbye.
    Goodbye,
    /// The client was gone.
    Gone,
    /// It was silent for too long.
    Silent,
    /// It has broken a rule, or its bytes were damaged.
    Refused,
    /// The store or the memory had no room.
    Failed,
    /// The server stops.
    Stopping,
}

/// One connection that sends batches. See [the module](super) for how it is driven.
#[derive(Debug)]
pub struct Session {
    limits: IngestLimits,
    batch: BatchLimits,
    budget: Arc<Budget>,
    metrics: Arc<Metrics>,
    lease: Arc<Lease>,
    state: State,
    book: Book,
    waiting: Option<Waiting>,
    opened_at: Duration,
    heard_at: Duration,
    asked_at: Duration,
    program: String,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was said yet.
    Opened,
    /// Batches are taken.
    Taking,
    /// No batch is taken any more; those that were get their answers.
    Leaving(End),
    /// It is over.
    Closed(End),
}

/// A batch that may not be unpacked yet.
#[derive(Debug)]
struct Waiting {
    frame: Frame,
    since: Duration,
    /// In the line of those who wait.
    place: Option<Place>,
}

/// When a client may come back that was refused for now.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Who waits for memory is not read, so its questions have no answer; it hears a word so often instead.
const WORD_INTERVAL: Duration = Duration::from_secs(2);
/// What is kept of the name of a program, for as long as the session lasts.
const PROGRAM_CHARACTERS: usize = 80;

/// The last number of a batch that is believed; a million batches a second reach it after nine years. A number out
/// of thin air would make everything below it a duplicate for ever, and the gaps before it a number without meaning.
const NUMBER_MAX: u64 = 1 << 48;

/// The frame is read without limits of its own: the socket bounds it, and what is over a limit is refused by
/// its number, which only a frame that was read has.
const NO_LIMITS: FrameLimits = FrameLimits {
    payload_bytes_max: u32::MAX,
    plain_bytes_max: u32::MAX,
    ratio_max: u32::MAX,
};

impl Session {
    /// A connection that was opened at `now`, the time since any beginning.
    pub fn new(
        now: Duration,
        limits: &IngestLimits,
        budget: Arc<Budget>,
        lease: Arc<Lease>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            batch: limits.batch(),
            book: Book::new(limits.window_bytes, limits.streams_max),
            limits: limits.clone(),
            budget,
            metrics,
            lease,
            state: State::Opened,
            waiting: None,
            opened_at: now,
            heard_at: now,
            asked_at: now,
            program: String::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Something happens at `now`, which never falls.
    pub fn handle(&mut self, now: Duration, input: Input) {
        if matches!(self.state, State::Closed(_)) {
            return;
        }
        match input {
            Input::Message(bytes) => self.receive(now, bytes),
            Input::Text => self.break_off(of_connection(
                RefusalCode::Unsupported,
                "a text message, where only binary ones are understood: one frame each".to_owned(),
            )),
            Input::TooLarge => self.break_off(of_connection(
                RefusalCode::TooLarge,
                format!(
                    "a message larger than `ingest.frame_bytes_max`, {} bytes, and its header",
                    self.limits.frame_bytes_max
                ),
            )),
            Input::Answers(answers) => self.answered(now, answers),
            Input::Tick => {}
            Input::Stop => self.stop(),
            Input::Gone => self.state = State::Closed(End::Gone),
        }
        self.admit_waiting(now);
        self.look_at_the_clock(now);
        self.leave_when_settled();
    }

    /// What is to be done next; `None` when there is nothing to do.
    pub fn output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether the next message may be read. If not, it stays where it is.
    pub fn wants_input(&self) -> bool {
        self.waiting.is_none() && !matches!(self.state, State::Closed(_))
    }

    /// Whether it waits for memory: come again with [`Input::Tick`] when some is returned.
    pub fn wants_memory(&self) -> bool {
        self.waiting.is_some()
    }

    /// When to come again with [`Input::Tick`] at the latest.
    pub fn wake_at(&self) -> Duration {
        let silence = match self.state {
            State::Opened => self.opened_at.saturating_add(self.limits.hello_timeout),
            _ => {
                let ask = self
                    .heard_at
                    .max(self.asked_at)
                    .saturating_add(self.limits.ping_interval);
                ask.min(self.heard_at.saturating_add(self.limits.idle_timeout))
            }
        };
        match &self.waiting {
            Some(waiting) => {
                let word = waiting
                    .since
                    .max(self.asked_at)
                    .saturating_add(WORD_INTERVAL);
                word.min(waiting.since.saturating_add(self.limits.memory_wait))
            }
            None => silence,
        }
    }

    /// Why it has ended; `None` while it has not.
    pub fn end(&self) -> Option<End> {
        match self.state {
            State::Closed(end) => Some(end),
            _ => None,
        }
    }

    /// What the client says its program is called, cut; empty until it has said hello.
    pub fn program(&self) -> &str {
        &self.program
    }

    fn receive(&mut self, now: Duration, bytes: Bytes) {
        self.heard_at = now;
        if self.waiting.is_some() {
            // Only a driver that does not ask `wants_input` comes here. Taking it would break the bound.
            self.break_off(of_connection(
                RefusalCode::Internal,
                "a message was read before the one before it had its place".to_owned(),
            ));
            return;
        }
        let frame = match Frame::parse(bytes, &NO_LIMITS) {
            Ok(frame) => frame,
            Err(error) => return self.break_off(of_frame(&error)),
        };
        let message = match Message::decode(&frame) {
            Ok(message) => message,
            Err(error) => return self.break_off(of_frame(&error)),
        };
        match (self.state, message) {
            (State::Closed(_), _) => {}
            (_, Message::Ping(token)) => self.send(&Message::Pong(token)),
            (_, Message::Pong(_)) => {}
            (State::Opened, Message::Hello(hello)) => self.welcome(hello),
            (
                State::Taking,
                Message::Skip {
                    stream,
                    number,
                    after,
                },
            ) => {
                if let Err(misplaced) = self.book.skip(stream, number, after) {
                    self.misplaced((stream, number), misplaced);
                }
            }
            (State::Taking, Message::Batch(frame)) => self.take_batch(now, frame),
            (State::Taking, Message::Goodbye(_)) => self.state = State::Leaving(End::Goodbye),
            // Still under way when the server or the client said goodbye: the client keeps it.
            (State::Leaving(_), Message::Batch(_) | Message::Skip { .. } | Message::Goodbye(_)) => {
            }
            (State::Opened, Message::Goodbye(_)) => self.state = State::Leaving(End::Goodbye),
            (State::Opened, _) => self.break_off(of_connection(
                RefusalCode::OutOfOrder,
                "the first message has to be a hello".to_owned(),
            )),
            (
                _,
                Message::Hello(_) | Message::Welcome(_) | Message::Ack(_) | Message::Refusal(_),
            ) => self.break_off(of_connection(
                RefusalCode::OutOfOrder,
                format!("a {:?} has no place here", frame.header().kind),
            )),
        }
    }

    fn welcome(&mut self, hello: Hello) {
        if hello.protocol == 0 {
            return self.break_off(of_connection(
                RefusalCode::Unsupported,
                "version 0 of the conversation does not exist: this server knows version 1"
                    .to_owned(),
            ));
        }
        let silence_max = u32::try_from(self.limits.idle_timeout.as_millis());
        self.send(&Message::Welcome(Welcome {
            // A later client goes down to what this server knows.
            protocol: hello.protocol.min(PROTOCOL_VERSION),
            agent: concat!("reflow-trace-server ", env!("CARGO_PKG_VERSION")).to_owned(),
            credit_total: self.book.credit_total(),
            payload_bytes_max: self.batch.frame.payload_bytes_max,
            plain_bytes_max: self.batch.frame.plain_bytes_max,
            events_max: self.batch.events_max,
            silence_max_ms: silence_max.unwrap_or(u32::MAX),
        }));
        self.program = hello.program.chars().take(PROGRAM_CHARACTERS).collect();
        self.state = State::Taking;
    }

    fn take_batch(&mut self, now: Duration, frame: Frame) {
        let header = *frame.header();
        let place = (header.stream, header.number);
        self.metrics.received_bytes.add(header.frame_bytes() as u64);
        if let Err(misplaced) = self.book.arrive(now, place, header.frame_bytes()) {
            return self.misplaced(place, misplaced);
        }
        if header.number > NUMBER_MAX {
            let error = WireError::Value {
                column: "number",
                value: header.number,
                reason: "the number of a batch that a client can have reached, at most 2^48",
            };
            return self.refuse_for_good(now, &frame, &error);
        }
        if header.events > self.batch.events_max {
            let error = WireError::TooLarge {
                what: "events",
                amount: header.events.into(),
                max: self.batch.events_max.into(),
            };
            return self.refuse_for_good(now, &frame, &error);
        }
        if let Err(error) = Frame::read_header(frame.bytes(), &self.batch.frame) {
            return self.refuse_for_good(now, &frame, &WireError::Frame(error));
        }
        let mut place = None;
        match self.permit(&frame, &mut place) {
            Some(permit) => self.read_batch(now, frame, permit),
            None => {
                self.metrics.memory_waits.add(1);
                self.waiting = Some(Waiting {
                    frame,
                    since: now,
                    place,
                });
            }
        }
    }

    fn permit(&self, frame: &Frame, place: &mut Option<Place>) -> Option<Permit> {
        let header = frame.header();
        let bytes = memory_of(
            header.frame_bytes(),
            header.plain_len as usize,
            header.events as usize,
        );
        self.budget.take(bytes, place)
    }

    /// Unpacks and reads a batch. From here on it is known to be readable, for ever.
    fn read_batch(&mut self, now: Duration, frame: Frame, permit: Permit) {
        match WireBatch::decode(&frame, &self.batch) {
            Ok(batch) => {
                self.metrics
                    .received_plain_bytes
                    .add(frame.header().plain_len.into());
                self.metrics.received_batches.add(1);
                self.metrics.received_events.add(batch.len() as u64);
                self.outputs.push_back(Output::Commit(Submission {
                    admitted: Admitted {
                        frame,
                        batch: Arc::new(batch),
                    },
                    lease: Arc::clone(&self.lease),
                    permit,
                }));
            }
            Err(error) => self.refuse_for_good(now, &frame, &error),
        }
    }

    fn refuse_for_good(&mut self, now: Duration, frame: &Frame, error: &WireError) {
        let header = frame.header();
        let refusal = for_good((header.stream, header.number), error);
        self.metrics.refused_events.add(
            code_word(refusal.code),
            events_lost(header, &self.batch.frame),
        );
        // The refusal comes before the acknowledgement that covers its number.
        self.refuse(refusal);
        self.close_book(now, header.stream, header.number);
        self.acknowledge();
    }

    fn answered(&mut self, now: Duration, answers: Vec<Answer>) {
        for answer in answers {
            match answer.result {
                Ok(_) => self.close_book(now, answer.stream, answer.number),
                Err(failure) => {
                    self.acknowledge();
                    let place = Some((answer.stream, answer.number));
                    let refusal = for_now(place, failure.code, failure.text, RETRY_AFTER);
                    let end = match failure.code {
                        RefusalCode::ShuttingDown => End::Stopping,
                        _ => End::Failed,
                    };
                    self.refuse(refusal);
                    return self.close(1013, "try again later", end);
                }
            }
        }
        self.acknowledge();
    }

    fn close_book(&mut self, now: Duration, stream: u64, number: u64) {
        if let Some(arrived) = self.book.answer(stream, number) {
            let waited = now.saturating_sub(arrived);
            self.metrics.ack_seconds.record(waited);
            self.metrics.recent.add_batch(waited);
        }
    }

    fn acknowledge(&mut self) {
        for acknowledged in self.book.acknowledge() {
            self.send(&Message::Ack(Ack {
                stream: acknowledged.stream,
                number: acknowledged.number,
                credit_total: self.book.credit_total(),
            }));
        }
    }

    /// Tries again to find memory for the batch that waits.
    fn admit_waiting(&mut self, now: Duration) {
        let Some(mut waiting) = self.waiting.take() else {
            return;
        };
        if !matches!(self.state, State::Taking) {
            // It is not in the store and not acknowledged: the client keeps it.
            let header = waiting.frame.header();
            self.book.forget(header.stream, header.number);
            return;
        }
        // The other side may be silent only because it is not read.
        self.heard_at = now;
        if let Some(permit) = self.permit(&waiting.frame, &mut waiting.place) {
            self.read_batch(now, waiting.frame, permit);
        } else if now.saturating_sub(waiting.since) >= self.limits.memory_wait {
            let header = waiting.frame.header();
            let text = format!(
                "the server has had no memory to spare for {} ms",
                self.limits.memory_wait.as_millis()
            );
            let place = Some((header.stream, header.number));
            self.refuse(for_now(place, RefusalCode::Busy, text, RETRY_AFTER));
            self.close(1013, "try again later", End::Failed);
        } else {
            self.waiting = Some(waiting);
        }
    }

    fn look_at_the_clock(&mut self, now: Duration) {
        let has_passed = |since: Duration, time: Duration| now.saturating_sub(since) >= time;
        if let Some(waiting) = &self.waiting {
            if has_passed(waiting.since.max(self.asked_at), WORD_INTERVAL) {
                self.ask(now);
            }
            return;
        }
        match self.state {
            State::Closed(_) => {}
            State::Opened if has_passed(self.opened_at, self.limits.hello_timeout) => {
                self.refuse(of_connection(
                    RefusalCode::OutOfOrder,
                    format!(
                        "no hello within {} ms",
                        self.limits.hello_timeout.as_millis()
                    ),
                ));
                self.close(1008, "no hello", End::Silent);
            }
            State::Opened => {}
            State::Taking | State::Leaving(_)
                if has_passed(self.heard_at, self.limits.idle_timeout) =>
            {
                self.close(1008, "silent for too long", End::Silent);
            }
            State::Taking | State::Leaving(_) => {
                if has_passed(self.heard_at.max(self.asked_at), self.limits.ping_interval) {
                    self.ask(now);
                }
            }
        }
    }

    fn ask(&mut self, now: Duration) {
        self.asked_at = now;
        self.send(&Message::Ping(u64::try_from(now.as_millis()).unwrap_or(0)));
    }

    /// Tells the client that no more is taken. What was taken gets its answers first.
    fn stop(&mut self) {
        let goodbye = Message::Goodbye(Goodbye {
            text: "the server is about to stop".to_owned(),
            retry_after_ms: Some(1000),
        });
        match self.state {
            State::Opened | State::Taking => {
                self.send(&goodbye);
                self.state = State::Leaving(End::Stopping);
            }
            State::Leaving(_) | State::Closed(_) => {}
        }
    }

    fn leave_when_settled(&mut self) {
        if let State::Leaving(end) = self.state
            && self.book.is_settled()
        {
            let (status, reason) = match end {
                End::Stopping => (1001, "the server stops"),
                _ => {
                    self.send(&Message::Goodbye(Goodbye::default()));
                    (1000, "goodbye")
                }
            };
            self.close(status, reason, end);
        }
    }

    fn misplaced(&mut self, place: (u64, u64), misplaced: Misplaced) {
        let (stream, number) = place;
        let again = |code, text| for_now(Some(place), code, text, Duration::ZERO);
        self.break_off(match misplaced {
            Misplaced::OverCredit => of_connection(
                RefusalCode::OverCredit,
                format!(
                    "batch {number} of stream {stream:016x} is beyond the credit of {} bytes",
                    self.book.credit_total()
                ),
            ),
            Misplaced::NotBegun => again(
                RefusalCode::OutOfOrder,
                format!("stream {stream:016x} was not begun on this connection: send a skip before its first batch"),
            ),
            Misplaced::OutOfOrder { expected } => again(
                RefusalCode::OutOfOrder,
                format!("number {number} of stream {stream:016x}, where {expected} is due"),
            ),
            Misplaced::TooManyStreams => of_connection(
                RefusalCode::TooLarge,
                format!("more than {} streams on one connection", self.limits.streams_max),
            ),
        });
    }

    /// Refuses the connection: what comes next on it has no meaning any more.
    fn break_off(&mut self, refusal: Refusal) {
        let (status, reason) = match refusal.code {
            RefusalCode::TooLarge => (1009, "too large"),
            RefusalCode::Malformed => (1007, "malformed"),
            RefusalCode::Unsupported => (1003, "not understood"),
            _ => (1008, "refused"),
        };
        self.refuse(refusal);
        self.close(status, reason, End::Refused);
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.metrics.refusals.add(code_word(refusal.code), 1);
        self.outputs.push_back(Output::Send(encoded(refusal)));
    }

    fn send(&mut self, message: &Message) {
        self.outputs
            .push_back(Output::Send(message.encode().into_bytes()));
    }

    fn close(&mut self, status: u16, reason: &'static str, end: End) {
        self.state = State::Closed(end);
        self.waiting = None;
        self.outputs.push_back(Output::Close(Closing {
            status,
            reason,
            end,
        }));
    }
}

impl End {
    /// One word, for metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Goodbye => "goodbye",
            Self::Gone => "gone",
            Self::Silent => "silent",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
        }
    }
}
