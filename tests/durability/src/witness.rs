//! Sees everything that client and server say to each other, and remembers what matters afterwards.
//!
//! It sits where the proxy reads, before any fault is done to a message. So a batch that it has seen was
//! sealed by a client, and an acknowledgement that it has seen was given by the server, whether or not it
//! arrived anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use reflow_trace::wire::Frame;
use reflow_trace::wire::frame::{FrameKind, FrameLimits, Message};

/// What was seen of all streams.
#[derive(Debug, Default)]
pub struct Witness {
    seen: Mutex<Seen>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// By the number of the stream.
    pub streams: BTreeMap<u64, StreamSeen>,
    /// Refusals of the connection or for now, by code.
    pub refusals: BTreeMap<String, u64>,
    /// Connections on which the server has said welcome.
    pub welcomes: u64,
    /// Messages whose content made no sense, which no one should ever send.
    pub nonsense: Vec<String>,
    /// Batches that were seen with other bytes than the first time.
    pub changed: Vec<(u64, u64)>,
}

/// What was seen of one stream.
#[derive(Clone, Debug, Default)]
pub struct StreamSeen {
    /// Every batch that a client has sent.
    pub batches: BTreeMap<u64, Frame>,
    /// The highest number that the server has acknowledged.
    pub acked: u64,
    /// What it has refused for good.
    pub refused: BTreeSet<u64>,
    /// Times that a batch was sent again.
    pub retries: u64,
    /// Of them, those whose acknowledgement the server had given, and the client not seen.
    pub repeats: u64,
}

/// What was passed on over one connection and is not acknowledged.
#[derive(Debug, Default)]
pub struct UnderWay {
    batches: BTreeMap<u64, BTreeSet<u64>>,
}

impl UnderWay {
    /// A batch was passed on.
    pub fn add(&mut self, stream: u64, number: u64) {
        self.batches.entry(stream).or_default().insert(number);
    }

    /// Everything up to `number` is acknowledged.
    pub fn acknowledge(&mut self, stream: u64, number: u64) {
        if let Some(numbers) = self.batches.get_mut(&stream) {
            *numbers = numbers.split_off(&number.saturating_add(1));
        }
    }

    /// How many batches.
    pub fn len(&self) -> usize {
        self.batches.values().map(BTreeSet::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a message turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// A batch: stream and number.
    Batch(u64, u64),
    /// An acknowledgement.
    Ack(u64, u64),
    /// Anything else.
    Other,
}

impl Witness {
    /// Looks at a message of a client.
    pub fn sees_client(&self, payload: Vec<u8>) -> Sight {
        let mut seen = self.lock();
        let Some(frame) = seen.frame("a client", payload) else {
            return Sight::Other;
        };
        let header = *frame.header();
        if header.kind != FrameKind::Batch {
            return Sight::Other;
        }
        let stream = seen.streams.entry(header.stream).or_default();
        match stream.batches.get(&header.number) {
            Some(before) => {
                stream.retries += 1;
                stream.repeats += u64::from(header.number <= stream.acked);
                if before.bytes() != frame.bytes() {
                    seen.changed.push((header.stream, header.number));
                }
            }
            None => {
                stream.batches.insert(header.number, frame);
            }
        }
        Sight::Batch(header.stream, header.number)
    }

    /// Looks at a message of the server.
    pub fn sees_server(&self, payload: Vec<u8>) -> Sight {
        let mut seen = self.lock();
        let Some(frame) = seen.frame("the server", payload) else {
            return Sight::Other;
        };
        match Message::decode(&frame) {
            Ok(Message::Ack(ack)) => {
                let stream = seen.streams.entry(ack.stream).or_default();
                stream.acked = stream.acked.max(ack.number);
                Sight::Ack(ack.stream, ack.number)
            }
            Ok(Message::Refusal(refusal)) => {
                match refusal.batch {
                    Some((stream, number)) if !refusal.retryable => {
                        let stream = seen.streams.entry(stream).or_default();
                        stream.refused.insert(number);
                    }
                    _ => {
                        *seen
                            .refusals
                            .entry(format!("{:?}", refusal.code))
                            .or_default() += 1;
                    }
                }
                Sight::Other
            }
            Ok(Message::Welcome(_)) => {
                seen.welcomes += 1;
                Sight::Other
            }
            Ok(_) => Sight::Other,
            Err(error) => {
                seen.nonsense.push(format!("the server: {error}"));
                Sight::Other
            }
        }
    }

    /// All that was seen until now.
    pub fn seen(&self) -> Seen {
        self.lock().clone()
    }

    /// Looks at what was seen, without copying it.
    pub fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn frame(&mut self, whose: &str, payload: Vec<u8>) -> Option<Frame> {
        match Frame::parse(Bytes::from(payload), &FrameLimits::default()) {
            Ok(frame) => Some(frame),
            Err(error) => {
                self.nonsense.push(format!("{whose}: {error}"));
                None
            }
        }
    }

    /// Batches that the server has acknowledged.
    pub fn acked_batches(&self) -> usize {
        let acked = |stream: &StreamSeen| stream.batches.range(..=stream.acked).count();
        self.streams.values().map(acked).sum()
    }
}
