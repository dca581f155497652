//! What goes to the server.

use super::link::Link;
use super::stream::Next;
use super::{LinkCommand, Machine};
use crate::wire::frame::{Frame, Goodbye, Message};

impl Machine {
    /// What to do about the connection.
    pub fn poll_link(&mut self) -> Option<LinkCommand> {
        if std::mem::take(&mut self.is_close_due) {
            return Some(LinkCommand::Close);
        }
        match self.link {
            Link::Away { retry_at } if self.now >= retry_at && !self.ending.is_over() => {
                self.link = Link::Connecting {
                    until: self.now + self.settings.connect_timeout,
                };
                Some(LinkCommand::Connect)
            }
            _ => None,
        }
    }

    /// The next frame for the socket.
    pub fn poll_send(&mut self) -> Option<Frame> {
        let now = self.now;
        let open = match &mut self.link {
            Link::Greeting { is_hello_sent, .. } if !*is_hello_sent => {
                *is_hello_sent = true;
                return Some(Message::Hello(self.hello.clone()).encode());
            }
            Link::Open(open) => open,
            Link::Away { .. } | Link::Connecting { .. } | Link::Greeting { .. } => return None,
        };
        if let Some(token) = open.pong_due.take() {
            return Some(Message::Pong(token).encode());
        }
        if !open.is_pinged && now >= open.heard_at + open.ping_after {
            open.is_pinged = true;
            return Some(Message::Ping(self.backoff.random().next()).encode());
        }
        if self.ending.takes_goodbye() {
            let text = "the recording has ended".to_owned();
            let goodbye = Goodbye {
                text,
                retry_after_ms: None,
            };
            return Some(Message::Goodbye(goodbye).encode());
        }
        self.next_batch()
    }

    /// The next batch that the credit allows; own and adopted streams take turns.
    fn next_batch(&mut self) -> Option<Frame> {
        for _ in 0..2 {
            let is_own = self.is_own_turn;
            self.is_own_turn = !is_own;
            match self.batch_of(is_own) {
                Step::Send(frame) => return Some(frame),
                // Nobody overtakes: small batches would keep a large one waiting for ever.
                Step::NoCredit => {
                    self.is_own_turn = is_own;
                    return None;
                }
                Step::Nothing => {}
            }
        }
        None
    }

    fn batch_of(&mut self, is_own: bool) -> Step {
        let stream = if is_own {
            Some(&mut self.own)
        } else {
            // Nobody waits for these at the end.
            self.adopted
                .first_mut()
                .filter(|_| !self.ending.is_ending())
        };
        let (Some(stream), Link::Open(open)) = (stream, &mut self.link) else {
            return Step::Nothing;
        };
        while let Next::Frame(frame) = stream.next() {
            let header = frame.header();
            let bytes = frame.bytes().len() as u64;
            if !open.takes.allow(header) {
                // It would be refused, or end the connection each time it is sent.
                stream.refuse_unsent(&frame, &mut self.account);
                self.account
                    .note("a batch is larger than the server says that it takes");
            } else if open.sent_bytes + bytes > open.credit_total {
                open.is_blocked = true;
                return Step::NoCredit;
            } else if let Some(announcement) = stream.announce(&frame) {
                return Step::Send(announcement.encode());
            } else {
                open.sent_bytes += bytes;
                stream.mark_sent(&frame, false);
                return Step::Send(frame);
            }
        }
        Step::Nothing
    }
}

enum Step {
    Send(Frame),
    NoCredit,
    Nothing,
}
