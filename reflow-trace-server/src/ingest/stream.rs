//! What has arrived on one connection and what of it has an answer: order, acknowledgements, credits.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// The batches of one connection.
#[derive(Debug)]
pub(super) struct Book {
    window_bytes: u64,
    streams_max: usize,
    /// By stream, what has to come next.
    expected: HashMap<u64, Expected>,
    /// In the order of arrival, from the oldest without an answer.
    open: VecDeque<Open>,
    /// Answered with everything before, and not acknowledged yet.
    settled: Vec<Acknowledged>,
    received_bytes: u64,
    answered_bytes: u64,
    /// What the client has been told last.
    credit_total: u64,
}

/// What of a stream has to come next, and what came last.
#[derive(Clone, Copy, Debug)]
struct Expected {
    next: u64,
    /// 0: nothing yet.
    received: u64,
}

#[derive(Debug)]
struct Open {
    stream: u64,
    number: u64,
    bytes: u64,
    since: Duration,
    is_answered: bool,
}

/// Why a batch, or the beginning of a stream, is out of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misplaced {
    /// More bytes than there were credits for.
    OverCredit,
    /// The stream was not begun on this connection.
    NotBegun,
    /// Another number is due.
    OutOfOrder {
        /// Which.
        expected: u64,
    },
    /// One stream too many.
    TooManyStreams,
}

/// What is acknowledged: up to this number of this stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub(super) stream: u64,
    pub(super) number: u64,
}

impl Book {
    pub(super) fn new(window_bytes: usize, streams_max: usize) -> Self {
        Self {
            window_bytes: window_bytes as u64,
            streams_max,
            expected: HashMap::new(),
            open: VecDeque::new(),
            settled: Vec::new(),
            received_bytes: 0,
            answered_bytes: 0,
            credit_total: window_bytes as u64,
        }
    }

    /// The next batch of the stream is the one after `number`; the last one sent was `after`, or none (0).
    ///
    /// A batch that was sent and has not come is lost on the way: an acknowledgement of what follows would
    /// cover it.
    pub(super) fn skip(&mut self, stream: u64, number: u64, after: u64) -> Result<(), Misplaced> {
        let next = number.saturating_add(1);
        let is_full = self.expected.len() >= self.streams_max;
        match self.expected.get_mut(&stream) {
            // What was skipped does not come later: a client that goes back has lost its place.
            Some(expected) if expected.next > next || expected.received != after => {
                Err(Misplaced::OutOfOrder {
                    expected: expected.next,
                })
            }
            Some(expected) => {
                expected.next = next;
                Ok(())
            }
            None if is_full => Err(Misplaced::TooManyStreams),
            None if after != 0 => Err(Misplaced::NotBegun),
            None => {
                self.expected.insert(stream, Expected { next, received: 0 });
                Ok(())
            }
        }
    }

    /// A batch has arrived. It is in the book until it is answered.
    pub(super) fn arrive(
        &mut self,
        now: Duration,
        (stream, number): (u64, u64),
        bytes: usize,
    ) -> Result<(), Misplaced> {
        let bytes = bytes as u64;
        if self.received_bytes.saturating_add(bytes) > self.credit_total {
            return Err(Misplaced::OverCredit);
        }
        let expected = self.expected.get_mut(&stream).ok_or(Misplaced::NotBegun)?;
        if expected.next != number {
            return Err(Misplaced::OutOfOrder {
                expected: expected.next,
            });
        }
        *expected = Expected {
            next: number.saturating_add(1),
            received: number,
        };
        self.received_bytes += bytes;
        self.open.push_back(Open {
            stream,
            number,
            bytes,
            since: now,
            is_answered: false,
        });
        Ok(())
    }

    /// A batch has its answer; when it arrived, if it was open.
    ///
    /// Answers come in the order of arrival but for refusals, so the search ends at the front.
    pub(super) fn answer(&mut self, stream: u64, number: u64) -> Option<Duration> {
        let is_meant =
            |open: &&mut Open| (open.stream, open.number) == (stream, number) && !open.is_answered;
        let open = self.open.iter_mut().find(is_meant)?;
        open.is_answered = true;
        let since = open.since;
        self.settle();
        Some(since)
    }

    /// A batch will have no answer on this connection; nothing after it was taken either.
    pub(super) fn forget(&mut self, stream: u64, number: u64) {
        self.open
            .retain(|open| (open.stream, open.number) != (stream, number));
    }

    /// What can be acknowledged and was not yet, each stream once.
    pub(super) fn acknowledge(&mut self) -> Vec<Acknowledged> {
        if !self.settled.is_empty() {
            self.credit_total = self.answered_bytes.saturating_add(self.window_bytes);
        }
        std::mem::take(&mut self.settled)
    }

    /// Takes what is answered from the front.
    fn settle(&mut self) {
        while self.open.front().is_some_and(|open| open.is_answered) {
            let Some(open) = self.open.pop_front() else {
                break;
            };
            self.answered_bytes += open.bytes;
            // Connections have few streams that are active at one time.
            let known = self
                .settled
                .iter_mut()
                .find(|known| known.stream == open.stream);
            match known {
                Some(known) => known.number = open.number,
                None => self.settled.push(Acknowledged {
                    stream: open.stream,
                    number: open.number,
                }),
            }
        }
    }

    /// Bytes that the client may have sent since the connection began.
    pub(super) fn credit_total(&self) -> u64 {
        self.credit_total
    }

    /// Whether every batch has its answer.
    pub(super) fn is_settled(&self) -> bool {
        self.open.is_empty()
    }
}
