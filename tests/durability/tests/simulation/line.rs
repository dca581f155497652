//! One connection, with what is under way on it.

use std::collections::VecDeque;

use bytes::Bytes;
use reflow_trace::client::machine::Time;
use reflow_trace_server::commit::Answers;
use reflow_trace_server::ingest::Session;

/// What arrives at a client.
pub(crate) enum Arrival {
    Message(Bytes),
    /// The server has closed it, or is gone.
    End,
}

/// The server's end.
pub(crate) struct ServerEnd {
    pub(crate) session: Session,
    pub(crate) answers: Answers,
    /// Stream and number of each batch that the session was given, in that order.
    pub(crate) delivered: Vec<(u64, u64)>,
}

pub(crate) struct Line {
    /// The client's stream, while it holds its end.
    pub(crate) client: Option<u64>,
    pub(crate) up_at: Time,
    pub(crate) is_up: bool,
    pub(crate) server: Option<ServerEnd>,
    pub(crate) to_server: VecDeque<(Time, Bytes)>,
    pub(crate) to_client: VecDeque<(Time, Arrival)>,
    /// When the server notices that the client has let go.
    pub(crate) gone_at: Option<Time>,
    /// Nothing arrives any more.
    pub(crate) is_silent: bool,
}

impl Line {
    pub(crate) fn new(client: u64, up_at: Time) -> Self {
        Self {
            client: Some(client),
            up_at,
            is_up: false,
            server: None,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            gone_at: None,
            is_silent: false,
        }
    }

    /// When something happens on it by itself.
    pub(crate) fn next_at(&self) -> Option<Time> {
        let connects = (!self.is_up && self.client.is_some()).then_some(self.up_at);
        let wants = |end: &&ServerEnd| end.session.wants_input();
        let arrives = self
            .server
            .as_ref()
            .filter(wants)
            .and(self.to_server.front().map(|first| first.0));
        let wakes = self.server.as_ref().map(|end| end.session.wake_at());
        let returns = self.client.and(self.to_client.front().map(|first| first.0));
        let is_read_up = self.to_server.is_empty() && self.server.is_some();
        let goes = self.gone_at.filter(|_| is_read_up);
        [connects, arrives, wakes, returns, goes]
            .into_iter()
            .flatten()
            .min()
    }

    /// Nobody holds an end any more.
    pub(crate) fn is_over(&self) -> bool {
        self.client.is_none() && self.server.is_none()
    }
}
