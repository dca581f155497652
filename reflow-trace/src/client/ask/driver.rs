//! The thread of the connection: does what the book says, with a clock and a socket.
//!
//! Everything hangs on one `poll`, as in the driver of the sink. The thread ends when nobody can want
//! anything any more: when every client and every subscription is dropped.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::{Sink as _, Stream as _};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::book::{Book, Command};
use super::error::AskError;
use crate::api::read::Addressee;
use crate::api::{SUBPROTOCOL, read_server_message};
use crate::client::driver::{Connection, Connector};
use crate::client::executor;
use crate::client::machine::Disconnect;
use crate::client::machine::random::Random;
use crate::protocol::JsonLimits;

/// How often everything is looked at before others of the executor have their turn.
const ROUNDS: u32 = 32;
/// Largest message from a server: an answer as JSON.
const MESSAGE_BYTES_MAX: usize = 256 << 20;
/// What may be built from it: attributes may hold lists in lists.
const LIMITS: JsonLimits = JsonLimits {
    bytes_max: MESSAGE_BYTES_MAX,
    depth_max: 127,
};
/// After so much silence the server is asked whether it is there. It asks by itself more often.
const ASK_AFTER: Duration = Duration::from_secs(30);
/// After so much it is gone.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(45);

type Connecting = Pin<Box<dyn Future<Output = Result<Connection, Disconnect>>>>;

/// How connections are made, and made again.
pub(super) struct Link {
    pub(super) connector: Connector,
    pub(super) connect_timeout: Duration,
    pub(super) reconnect_first: Duration,
    pub(super) reconnect_max: Duration,
    /// After so much silence the server is gone.
    pub(super) silence_max: Duration,
}

/// Starts the thread.
pub(super) fn start(link: Link, commands: UnboundedReceiver<Command>, seed: u64) -> io::Result<()> {
    let names = executor::Names {
        thread: "reflow-trace asks",
        helper: "reflow-trace names",
        helpers_max: 1,
    };
    let thread = executor::start(names, move |runtime| {
        runtime.block_on(async {
            let mut driver = Driver::new(link, commands, seed);
            std::future::poll_fn(|context| driver.poll(context)).await;
            driver.book.end();
        });
    });
    thread.map(drop)
}

enum State {
    /// Not before then, where it is not for a question.
    Away {
        retry_at: Instant,
    },
    Connecting {
        connecting: Connecting,
        until: Instant,
    },
    Open(Box<Open>),
}

struct Open {
    connection: Connection,
    /// So many bytes have been read; more of them are a sign of life, also of a message that takes long to come.
    read: u64,
    heard_at: Instant,
    is_asked: bool,
}

struct Driver {
    link: Arc<Link>,
    commands: UnboundedReceiver<Command>,
    book: Book,
    state: State,
    /// Attempts that failed since the last connection that was good for something.
    failures: u32,
    /// Connections that were made and lost before anything was heard, one after the other.
    barren: u32,
    random: Random,
    alarm: Pin<Box<tokio::time::Sleep>>,
}

impl Driver {
    fn new(link: Link, commands: UnboundedReceiver<Command>, seed: u64) -> Self {
        Self {
            link: Arc::new(link),
            commands,
            book: Book::default(),
            state: State::Away {
                retry_at: Instant::now(),
            },
            failures: 0,
            barren: 0,
            random: Random::new(seed),
            alarm: Box::pin(tokio::time::sleep(Duration::ZERO)),
        }
    }

    /// Does everything that can be done now. Ready when nobody can want anything any more.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        for _ in 0..ROUNDS {
            let now = Instant::now();
            loop {
                match self.commands.poll_recv(context) {
                    Poll::Ready(Some(command)) => self.book.command(now, command),
                    Poll::Ready(None) => {
                        self.close(context);
                        return Poll::Ready(());
                    }
                    Poll::Pending => break,
                }
            }
            self.book.advance(now);
            if self.poll_state(now, context) {
                continue;
            }
            let until = self.wake_at(now).unwrap_or(now + Duration::from_secs(3600));
            self.alarm.as_mut().reset(until.into());
            if self.alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether something has happened.
    fn poll_state(&mut self, now: Instant, context: &mut Context<'_>) -> bool {
        match &mut self.state {
            State::Away { retry_at } => {
                let (is_wanted, at_once) = self.book.wants_connection();
                // A peer that takes connections and ends them is given time.
                let at_once = at_once && self.barren <= 1;
                let is_due = is_wanted && (at_once || *retry_at <= now);
                if is_due {
                    self.connect(now);
                }
                is_due
            }
            State::Connecting { connecting, until } => {
                let until = *until;
                match connecting.as_mut().poll(context) {
                    Poll::Ready(Ok(connection)) => {
                        self.state = State::Open(Box::new(Open {
                            connection,
                            read: 0,
                            heard_at: now,
                            is_asked: false,
                        }));
                        self.book.connected();
                    }
                    Poll::Ready(Err(why)) => self.give_up(now, why),
                    Poll::Pending if until <= now => {
                        let url = self.link.connector.url();
                        let limit = self.link.connect_timeout;
                        let why =
                            format!("cannot connect to `{url}`: it took longer than {limit:?}");
                        self.give_up(now, Disconnect::passing(why));
                    }
                    Poll::Pending => return false,
                }
                true
            }
            State::Open(_) => match self.poll_open(now, context) {
                Ok(has_happened) => has_happened,
                Err(why) => {
                    self.barren = self.barren.saturating_add(1);
                    self.state = self.away(now, false);
                    self.book.disconnected(&why);
                    true
                }
            },
        }
    }

    fn connect(&mut self, now: Instant) {
        let link = Arc::clone(&self.link);
        let connecting = Box::pin(async move {
            let config = WebSocketConfig::default()
                .max_message_size(Some(MESSAGE_BYTES_MAX))
                .max_frame_size(Some(MESSAGE_BYTES_MAX))
                .read_buffer_size(64 << 10)
                // A message is written before the next is made.
                .write_buffer_size(0);
            link.connector.open(SUBPROTOCOL, config).await
        });
        self.state = State::Connecting {
            connecting,
            until: now + self.link.connect_timeout,
        };
    }

    fn give_up(&mut self, now: Instant, why: Disconnect) {
        self.state = self.away(now, why.is_hopeless);
        let reason = why.text;
        self.book.unreachable(&if why.is_denied {
            AskError::Denied { reason }
        } else {
            AskError::Unreachable { reason }
        });
    }

    /// Without a connection, until a random time has passed.
    fn away(&mut self, now: Instant, is_hopeless: bool) -> State {
        let (first, max) = (self.link.reconnect_first, self.link.reconnect_max);
        let bound = if is_hopeless {
            max
        } else {
            let doubled = first.saturating_mul(1 << self.failures.min(30));
            doubled.min(max)
        };
        self.failures = self.failures.saturating_add(1);
        State::Away {
            retry_at: now + bound.mul_f64(self.random.unit()),
        }
    }

    /// Hears and says what can be heard and said; whether that was something.
    fn poll_open(&mut self, now: Instant, context: &mut Context<'_>) -> Result<bool, String> {
        let State::Open(open) = &mut self.state else {
            return Ok(false);
        };
        let mut has_happened = false;
        let next = Pin::new(&mut open.connection).poll_next(context);
        let read = open.connection.get_ref().read();
        if read != open.read {
            open.read = read;
            open.heard_at = now;
            open.is_asked = false;
        }
        if let Poll::Ready(next) = next {
            has_happened = true;
            match next {
                Some(Ok(Message::Text(text))) => {
                    match read_server_message(&text, &LIMITS) {
                        Ok(message) => self.book.heard(now, message),
                        Err(error) => match Addressee::of(&text) {
                            Some(addressee) => self.book.unreadable(&addressee, &error),
                            None => {
                                return Err(format!(
                                    "the server said what makes no sense: {error}"
                                ));
                            }
                        },
                    }
                    (self.failures, self.barren) = (0, 0);
                }
                Some(Ok(Message::Close(reason))) => {
                    let reason = reason.map_or_else(String::new, |reason| {
                        format!(": {}", crate::graph::text::visible_line(&reason.reason))
                    });
                    return Err(format!("the server closed the connection{reason}"));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(lost(&error)),
                None => return Err("the server closed the connection".to_owned()),
            }
        }
        // Whether or not it could be asked: who takes nothing is as gone as who says nothing.
        let silence_max = self.link.silence_max;
        if open.heard_at + silence_max <= now {
            return Err(format!("the server was silent for {silence_max:?}"));
        }
        let mut connection = Pin::new(&mut open.connection);
        loop {
            match connection.as_mut().poll_ready(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Err(lost(&error)),
                Poll::Pending => return Ok(has_happened),
            }
            let message = if let Some(message) = self.book.say() {
                // Texts, numbers and a condition: nothing in it can fail to be written.
                Message::Text(Utf8Bytes::from(
                    serde_json::to_string(&message).unwrap_or_default(),
                ))
            } else if !open.is_asked && open.heard_at + ASK_AFTER <= now {
                open.is_asked = true;
                Message::Ping(bytes::Bytes::new())
            } else {
                break;
            };
            has_happened = true;
            let sent = connection.as_mut().start_send(message);
            sent.map_err(|error| lost(&error))?;
        }
        // Also what the protocol below says by itself, its answers to pings.
        if let Poll::Ready(flushed) = connection.as_mut().poll_flush(context) {
            flushed.map_err(|error| lost(&error))?;
        }
        Ok(has_happened)
    }

    fn wake_at(&self, now: Instant) -> Option<Instant> {
        let of_state = match &self.state {
            State::Away { retry_at } => self.book.wants_connection().0.then_some(*retry_at),
            State::Connecting { until, .. } => Some(*until),
            // A question that is due and cannot be written waits for the socket, not for the clock.
            State::Open(open) if open.is_asked || open.heard_at + ASK_AFTER <= now => {
                Some(open.heard_at + self.link.silence_max)
            }
            State::Open(open) => Some(open.heard_at + ASK_AFTER),
        };
        of_state.into_iter().chain(self.book.wake_at()).min()
    }

    /// Says goodbye, as far as the socket takes that at once.
    fn close(&mut self, context: &mut Context<'_>) {
        if let State::Open(open) = &mut self.state {
            let _nobody_waits_for_it = Pin::new(&mut open.connection).poll_close(context);
        }
    }
}

fn lost(error: &Error) -> String {
    format!("the connection was lost: {error}")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;

    use tokio::sync::{mpsc, oneshot};
    use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
    use tokio_tungstenite::tungstenite::http::HeaderValue;
    use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;

    use super::*;
    use crate::api::{Answer, MetricsQuestion, Question, ServerMessage, ServerMetrics};
    use crate::runtime::ServerUrl;

    const SILENCE_MAX: Duration = Duration::from_secs(1);

    /// Answers one question in small pieces, for longer than it may be silent.
    #[expect(clippy::result_large_err, reason = "the type is tungstenite's")]
    fn answer_slowly(listener: &TcpListener) -> io::Result<()> {
        let (stream, _) = listener.accept()?;
        let greet = |_: &Request, mut response: Response| {
            let protocol = HeaderValue::from_static(SUBPROTOCOL);
            response
                .headers_mut()
                .insert(SEC_WEBSOCKET_PROTOCOL, protocol);
            Ok(response)
        };
        let socket = tokio_tungstenite::tungstenite::accept_hdr(stream, greet);
        let mut socket = socket.map_err(io::Error::other)?;
        socket.read().map_err(io::Error::other)?;
        let answer = ServerMessage::Answer {
            id: 1,
            answer: Box::new(Answer::Metrics(ServerMetrics::default())),
        };
        let text = serde_json::to_string(&answer)?;
        // An unmasked text that is whole, with its length in eight bytes.
        let mut frame = vec![0x81, 127];
        frame.extend((text.len() as u64).to_be_bytes());
        frame.extend(text.bytes());
        let stream = socket.get_mut();
        let pieces = frame.len().div_ceil(40);
        for piece in frame.chunks(pieces) {
            stream.write_all(piece)?;
            std::thread::sleep(SILENCE_MAX / 20);
        }
        Ok(())
    }

    #[test]
    fn an_answer_that_comes_slowly_is_no_silence() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("it is known");
        let server = std::thread::spawn(move || answer_slowly(&listener));
        let url = ServerUrl::parse(&format!("ws://{addr}")).expect("an address");
        let connector = Connector::new(url.for_questions(), None, None, 0);
        let link = Link {
            connector: connector.unwrap_or_else(|error| panic!("{error}")),
            connect_timeout: Duration::from_secs(60),
            reconnect_first: Duration::from_millis(10),
            reconnect_max: Duration::from_millis(10),
            silence_max: SILENCE_MAX,
        };
        let (commands, wanted) = mpsc::unbounded_channel();
        let (reply, heard) = oneshot::channel();
        let asked = Command::Ask {
            id: 1,
            question: Box::new(Question::Metrics(MetricsQuestion {})),
            timeout: Duration::from_secs(60),
            reply,
        };
        assert!(commands.send(asked).is_ok());
        start(link, wanted, 1).expect("a thread");
        let answer = heard.blocking_recv().expect("it was told");
        assert!(matches!(answer, Ok(Answer::Metrics(_))), "{answer:?}");
        server.join().expect("no panic").expect("one connection");
    }
}
