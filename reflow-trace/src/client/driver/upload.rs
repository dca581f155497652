//! Batches that somebody else has numbered, over one connection: what an import does.
//!
//! A [`ServerSink`](crate::ServerSink) draws its stream and keeps what is not acknowledged. Here both belong to
//! the caller: the stream may be made of what is sent, so that sending the same again changes nothing, and
//! what is not acknowledged when the connection ends is still in the file that it came from. So there is no
//! spool, no retry and no thread: one connection, its credits, its acknowledgements.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::connect::{AGENT, Connector};
use super::socket::{Heard, Socket};
use crate::client::machine::Disconnect;
use crate::event::ProducerId;
use crate::runtime::{InitError, ServerOptions, ServerUrl};
use crate::wire::Frame;
use crate::wire::frame::{
    FrameLimits, Goodbye, Hello, Message, PROTOCOL_VERSION, Refusal, Welcome,
};

/// A server asks in silence whether somebody is there; one that says nothing for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Largest frame that the socket has to hold beside what it gathers.
const FRAME_BYTES_MAX: usize = 64 << 20;

/// A connection that sends the batches of one stream, in the order of their numbers.
pub struct Upload {
    socket: Socket,
    stream: u64,
    /// The number that was sent last.
    sent: u64,
    acknowledged: u64,
    sent_bytes: u64,
    welcome: Welcome,
    credit_total: u64,
    /// To be said before anything else.
    due: Vec<Message>,
    refusals: Vec<(u64, String)>,
    /// Why nothing more is taken.
    over: Option<UploadError>,
    silent_at: Instant,
}

/// Why an upload has come to an end.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// The address, the token or the certificates make no sense.
    #[error("{0}")]
    Settings(String),
    /// Nobody answers, or no longer; the same may succeed in a moment.
    #[error("{0}")]
    Away(String),
    /// Somebody answers who is no server of ours, or does not want what we have to say.
    #[error("{0}")]
    Unwanted(String),
    /// The server is there and does not let us in: the token is missing, wrong, or not for this.
    #[error("{0}")]
    Denied(String),
    /// A batch is larger than the server takes, which nothing but another setting of the server changes.
    #[error(
        "a batch of {bytes} bytes and {events} events is more than this server takes: raise its `ingest.frame_bytes_max`, `ingest.plain_bytes_max` and `ingest.events_max`"
    )]
    TooLarge {
        /// Unpacked.
        bytes: u64,
        /// In it.
        events: u64,
    },
}

impl Upload {
    /// Connects, and begins the stream behind the number `after`, 0 for its beginning. `program` is for people
    /// who look at the list of connections.
    ///
    /// # Errors
    ///
    /// See [`UploadError`]; never [`UploadError::TooLarge`].
    pub async fn connect(
        url: &str,
        options: &ServerOptions,
        program: &str,
        (stream, after): (u64, u64),
    ) -> Result<Self, UploadError> {
        let settings = |error: InitError| UploadError::Settings(error.to_string());
        options.validate(url).map_err(settings)?;
        let url =
            ServerUrl::parse(url).map_err(|error| UploadError::Settings(error.to_string()))?;
        let connector = Connector::new(
            url,
            options.token.clone(),
            options.ca_file.as_deref(),
            FRAME_BYTES_MAX,
        )
        .map_err(|error| UploadError::Settings(error.to_string()))?;
        let greeted = timeout(options.connect_timeout, async {
            let socket = Arc::new(connector).connect().await.map_err(away)?;
            let mut upload = Self {
                socket,
                stream,
                sent: after,
                acknowledged: after,
                sent_bytes: 0,
                welcome: Welcome::default(),
                credit_total: 0,
                due: vec![hello(program, stream)],
                refusals: Vec::new(),
                over: None,
                silent_at: Instant::now() + SILENCE_MAX,
            };
            upload.until(|upload| upload.welcome.protocol > 0).await?;
            upload.due.push(Message::Skip {
                stream,
                number: after,
                after: 0,
            });
            Ok(upload)
        });
        let late = |_| UploadError::Away("the server does not answer in time".to_owned());
        greeted.await.map_err(late)?
    }

    /// Sends the next batch, once there is credit for it. It must be of the stream, and its number above
    /// those before; what is left out in between is told to the server.
    ///
    /// # Errors
    ///
    /// See [`UploadError`]. The batch may have arrived or not.
    pub async fn send(&mut self, frame: &Frame) -> Result<(), UploadError> {
        let header = *frame.header();
        let over = |max: u32, is: u32| max != 0 && is > max;
        if over(self.welcome.payload_bytes_max, header.payload_len)
            || over(self.welcome.plain_bytes_max, header.plain_len)
            || over(self.welcome.events_max, header.events)
        {
            return Err(UploadError::TooLarge {
                bytes: header.plain_len.into(),
                events: header.events.into(),
            });
        }
        let bytes = header.frame_bytes() as u64;
        self.until(|upload| upload.sent_bytes.saturating_add(bytes) <= upload.credit_total)
            .await?;
        self.sent = header.number;
        self.sent_bytes += bytes;
        self.due.push(Message::Batch(frame.clone()));
        self.until(|upload| upload.due.is_empty()).await
    }

    /// Waits until everything that was sent is stored, and says goodbye.
    ///
    /// # Errors
    ///
    /// See [`UploadError`]; [`acknowledged`](Self::acknowledged) says how far it went.
    pub async fn settle(&mut self) -> Result<(), UploadError> {
        self.until(|upload| upload.acknowledged >= upload.sent)
            .await
    }

    /// Says goodbye; nothing is waited for.
    pub fn close(mut self) {
        self.due.push(Message::Goodbye(Goodbye::default()));
        let mut context = Context::from_waker(std::task::Waker::noop());
        let _as_far_as_it_goes = self.say(&mut context);
        self.socket.close(&mut context);
    }

    /// The last number up to which everything is stored, or was refused for ever.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// The batches that the server refused for ever since this was asked last, with its reasons.
    pub fn take_refusals(&mut self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.refusals)
    }

    /// Hears and says until something is so.
    async fn until(&mut self, is_so: impl Fn(&Self) -> bool) -> Result<(), UploadError> {
        loop {
            let mut silence = pin!(sleep_until(self.silent_at));
            let heard = poll_fn(|context| {
                if self.hear(context) {
                    return Poll::Ready(true);
                }
                if let Err(error) = self.say(context) {
                    self.over.get_or_insert(away(error));
                }
                if is_so(self) || self.over.is_some() {
                    return Poll::Ready(true);
                }
                silence.as_mut().poll(context).map(|()| false)
            });
            if !heard.await {
                return Err(UploadError::Away(format!(
                    "the server has said nothing for {} s",
                    SILENCE_MAX.as_secs()
                )));
            }
            if is_so(self) {
                return Ok(());
            }
            if let Some(over) = &self.over {
                return Err(over.clone());
            }
        }
    }

    /// Takes what has come; whether something has.
    fn hear(&mut self, context: &mut Context<'_>) -> bool {
        let Poll::Ready(heard) = self.socket.poll_hear(context) else {
            return false;
        };
        self.silent_at = Instant::now() + SILENCE_MAX;
        match heard {
            Heard::Frame(bytes) => {
                let message = Frame::parse(bytes, &FrameLimits::default())
                    .and_then(|frame| Message::decode(&frame));
                match message {
                    Ok(message) => self.understand(message),
                    Err(error) => self.end(UploadError::Away(format!(
                        "the server says what cannot be understood: {error}"
                    ))),
                }
            }
            Heard::Nonsense(what) => self.end(UploadError::Unwanted(format!(
                "no reflow-trace server answers there: it sends {what}"
            ))),
            Heard::Nothing => {}
            Heard::End(disconnect) => self.end(away(disconnect)),
        }
        true
    }

    fn understand(&mut self, message: Message) {
        match message {
            Message::Welcome(welcome) => {
                self.credit_total = welcome.credit_total;
                self.welcome = welcome;
                // Protobuf leaves out what is 0, and there is no version 0.
                self.welcome.protocol = self.welcome.protocol.max(1);
            }
            Message::Ack(ack) => {
                self.credit_total = self.credit_total.max(ack.credit_total);
                if ack.stream == self.stream {
                    self.acknowledged = self.acknowledged.max(ack.number.min(self.sent));
                }
            }
            Message::Refusal(refusal) => self.refused(refusal),
            Message::Goodbye(goodbye) => {
                self.end(UploadError::Away(format!(
                    "the server ends: {}",
                    goodbye.text
                )));
            }
            Message::Ping(token) => self.due.push(Message::Pong(token)),
            _ => {}
        }
    }

    fn refused(&mut self, refusal: Refusal) {
        match refusal.batch {
            Some((_, number)) if !refusal.retryable => {
                self.refusals.push((number, refusal.text));
            }
            _ if refusal.retryable => self.end(UploadError::Away(refusal.text)),
            _ => self.end(UploadError::Unwanted(refusal.text)),
        }
    }

    fn end(&mut self, why: UploadError) {
        self.over.get_or_insert(why);
    }

    fn say(&mut self, context: &mut Context<'_>) -> Result<(), Disconnect> {
        let due = &mut self.due;
        self.socket.poll_say(context, || {
            let message = (!due.is_empty()).then(|| due.remove(0))?;
            Some(message.encode())
        })
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("stream", &self.stream)
            .field("sent", &self.sent)
            .field("acknowledged", &self.acknowledged)
            .finish_non_exhaustive()
    }
}

fn hello(program: &str, stream: u64) -> Message {
    Message::Hello(Hello {
        protocol: PROTOCOL_VERSION,
        agent: AGENT.to_owned(),
        program: program.to_owned(),
        host: String::new(),
        process_id: std::process::id(),
        stream,
        producer: ProducerId::from_bits(stream).bits(),
    })
}

fn away(disconnect: Disconnect) -> UploadError {
    if disconnect.is_denied {
        UploadError::Denied(disconnect.text)
    } else if disconnect.is_hopeless {
        UploadError::Unwanted(disconnect.text)
    } else {
        UploadError::Away(disconnect.text)
    }
}
