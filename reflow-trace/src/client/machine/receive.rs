//! What comes from the server, and the end of connections.

use std::time::Duration;

use bytes::Bytes;

use super::link::{Link, Open};
use super::stream::Stream;
use super::{Machine, Time};
use crate::wire::frame::{Ack, Frame, Message, Refusal, Welcome};

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnect {
    /// In words.
    pub text: String,
    /// Somebody answered, and does not want us: a wrong token, no such path. It is tried again, but not
    /// soon.
    pub is_hopeless: bool,
    /// It is hopeless because the token is missing, wrong, or not for this.
    pub is_denied: bool,
}

impl Disconnect {
    /// Something that may be over in a moment.
    pub fn passing(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_hopeless: false,
            is_denied: false,
        }
    }

    /// Something that somebody has to mend.
    pub fn hopeless(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_hopeless: true,
            is_denied: false,
        }
    }
}

impl Machine {
    /// The connection that was asked for is made.
    pub fn connected(&mut self, now: Time) {
        self.now = self.now.max(now);
        if let Link::Connecting { until } = self.link {
            self.link = Link::Greeting {
                until,
                is_hello_sent: false,
            };
        }
    }

    /// The connection could not be made, or has ended by itself.
    pub fn disconnected(&mut self, now: Time, why: Disconnect) {
        self.now = self.now.max(now);
        if why.is_hopeless {
            self.backoff.despair();
        }
        self.lose_link(why.text, Duration::ZERO, false);
    }

    /// A message of the socket; it should be one frame.
    pub fn received(&mut self, now: Time, bytes: Bytes) {
        self.now = self.now.max(now);
        let message =
            Frame::parse(bytes, &self.settings.frames).and_then(|frame| Message::decode(&frame));
        match message {
            Ok(message) => self.heed(message),
            Err(error) => self.break_off(format!("the server sent no frame: {error}")),
        }
    }

    /// Something came that is no frame, such as text.
    pub fn received_nonsense(&mut self, now: Time, what: &str) {
        self.now = self.now.max(now);
        self.break_off(format!(
            "the server sent {what} where only frames are expected"
        ));
    }

    pub(super) fn advance_link(&mut self) {
        let waits = self.waits_for_the_server();
        if let Link::Open(open) = &mut self.link
            && !waits
        {
            open.progress_at = self.now;
        }
        if let Some(why) = self.link.overdue(self.now, &self.settings) {
            self.lose_link(why, Duration::ZERO, true);
        }
    }

    /// The server has something to accept, or to give credit for.
    pub(super) fn waits_for_the_server(&self) -> bool {
        let is_blocked = matches!(&self.link, Link::Open(open) if open.is_blocked);
        let adopted = self.adopted.first();
        is_blocked || self.own.has_in_flight() || adopted.is_some_and(Stream::has_in_flight)
    }

    fn heed(&mut self, message: Message) {
        if let Link::Open(open) = &mut self.link {
            open.heard_at = self.now;
            open.is_pinged = false;
        }
        match (&mut self.link, message) {
            // Late words of a connection that has been given up.
            (Link::Away { .. } | Link::Connecting { .. }, _) => {}
            (Link::Greeting { .. }, Message::Welcome(welcome)) => self.welcomed(&welcome),
            (Link::Open(_), Message::Ack(ack)) => self.acknowledged(ack),
            (_, Message::Refusal(refusal)) => self.refused(refusal),
            (_, Message::Goodbye(goodbye)) => {
                let at_least = milliseconds(goodbye.retry_after_ms);
                let text = format!("the server said goodbye: {}", goodbye.text);
                self.lose_link(text, at_least, true);
            }
            (Link::Open(open), Message::Ping(token)) => open.pong_due = Some(token),
            (Link::Open(_), Message::Pong(_)) => {}
            (_, other) => {
                let kind = other.encode().header().kind;
                self.break_off(format!("the server sent a {kind:?} where none is due"));
            }
        }
    }

    fn welcomed(&mut self, welcome: &Welcome) {
        if welcome.protocol == 0 || welcome.protocol > self.hello.protocol {
            let text = format!(
                "the server speaks version {} of the protocol, which this client does not: update it",
                welcome.protocol
            );
            self.backoff.despair();
            return self.lose_link(text, Duration::ZERO, true);
        }
        self.account.connections += 1;
        self.account.last_error = None;
        self.link = Link::Open(Open::new(welcome, self.now, &self.settings));
    }

    fn acknowledged(&mut self, ack: Ack) {
        let account = &mut self.account;
        // A stream that is not here any more has nothing left to be acknowledged.
        let stream = std::iter::once(&mut self.own)
            .chain(&mut self.adopted)
            .find(|stream| stream.id == ack.stream);
        let was_sent = stream.is_none_or(|stream| stream.acknowledge(ack.number, account));
        if !was_sent {
            let text = "the server acknowledged a batch that was never sent".to_owned();
            return self.break_off(text);
        }
        self.backoff.reset();
        if let Link::Open(open) = &mut self.link {
            open.has_progressed(self.now, ack.credit_total);
        }
    }

    fn refused(&mut self, refusal: Refusal) {
        let Refusal {
            batch,
            code,
            text,
            retryable,
            retry_after_ms,
        } = refusal;
        let (stream, number) = match batch {
            Some(batch) if !retryable => batch,
            _ => {
                if !retryable {
                    self.backoff.despair();
                }
                let text = format!("the server refused ({code:?}): {text}");
                return self.lose_link(text, milliseconds(retry_after_ms), true);
            }
        };
        let account = &mut self.account;
        account.note(format!("the server refused a batch ({code:?}): {text}"));
        let found = std::iter::once(&mut self.own)
            .chain(&mut self.adopted)
            .find(|known| known.id == stream);
        let was_sent = found.is_none_or(|stream| stream.refuse(number, account));
        if !was_sent {
            let text = "the server refused a batch that was never sent".to_owned();
            return self.break_off(text);
        }
        if let Link::Open(open) = &mut self.link {
            let credit_total = open.credit_total;
            open.has_progressed(self.now, credit_total);
        }
    }

    /// The server says what makes no sense.
    fn break_off(&mut self, text: String) {
        self.lose_link(text, Duration::ZERO, true);
    }

    /// There is no connection any more, and will be another.
    fn lose_link(&mut self, text: String, at_least: Duration, is_closed_by_us: bool) {
        if let Link::Open(open) = &self.link
            && self.now - open.since >= self.settings.reconnect_max
        {
            // It was good for long enough.
            self.backoff.reset();
        }
        if !matches!(self.link, Link::Away { .. }) {
            self.is_close_due |= is_closed_by_us;
        }
        self.account.note(text);
        self.link = Link::Away {
            retry_at: self.now + self.backoff.next(&self.settings, at_least),
        };
        for stream in std::iter::once(&mut self.own).chain(&mut self.adopted) {
            for file in stream.reset(&mut self.account) {
                if let Some(shelf) = &mut self.shelf {
                    shelf.drop_file(file.name, file.bytes, false);
                }
            }
        }
    }
}

fn milliseconds(said: Option<u32>) -> Duration {
    Duration::from_millis(u64::from(said.unwrap_or(0)))
}
