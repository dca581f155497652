//! From requests to acknowledgements that mean stored. No clock, no socket.
//!
//! What arrives together becomes one batch, of a stream that belongs to the connection. One *flight* of
//! batches is with the committer at a time; what arrives meanwhile is the next one. So a client that sends
//! one event after the other as fast as it can has its events committed in groups, and an acknowledgement
//! waits for two commits at most.
//!
//! A flight that fails is not acknowledged: each of its requests is told so, and the client may send again. The
//! next flight has a stream and a [`Lease`] of its own, so that nothing of the failure sticks to it.

use std::sync::Arc;

use reflow_trace::event::ProducerId;
use reflow_trace::wire::{BatchLimits, Frame, Level, SealError, Sealer, WireBatch};
use reflow_trace::{TraceEvent, TraceId};

use crate::commit::{Answer, Answers, Lease, Submission};
use crate::ingest::Permit;
use crate::store::Admitted;

/// Events that wait for the flight before them; beyond it nothing is read.
const WAITING_EVENTS_MAX: usize = 4_096;

/// What one request wants stored.
#[derive(Debug)]
pub(crate) struct Unit<A> {
    /// All of it or nothing is acknowledged. Empty for an answer that only has its turn in the order.
    pub(crate) events: Vec<TraceEvent>,
    /// How to acknowledge it.
    pub(crate) ack: A,
    /// The memory that it takes; what has events has one.
    pub(crate) permit: Option<Permit>,
}

/// A request that has its answer.
#[derive(Debug)]
pub(crate) struct Ack<A> {
    pub(crate) ack: A,
    pub(crate) events: usize,
    /// Stored, or why not.
    pub(crate) result: Result<(), String>,
}

/// See the header.
pub(crate) struct Recorder<A> {
    limits: BatchLimits,
    sealer: Sealer,
    producer: ProducerId,
    stream: u64,
    next: u64,
    lease: Arc<Lease>,
    answers: Answers,
    waiting: Vec<Unit<A>>,
    waiting_events: usize,
    flight: Option<Flight<A>>,
}

struct Flight<A> {
    /// In the order of the requests; those that can never be stored know it already.
    acks: Vec<Ack<A>>,
    /// Batches that have no answer yet.
    open: usize,
    failure: Option<String>,
}

impl<A> Recorder<A> {
    /// A recorder whose batches keep to these limits.
    pub(crate) fn new(limits: BatchLimits) -> Self {
        let (lease, answers) = Lease::new();
        Self {
            sealer: Sealer::new(Some(Level::FAST), limits.clone()),
            limits,
            producer: ProducerId::random(),
            stream: random_stream(),
            next: 1,
            lease,
            answers,
            waiting: Vec::new(),
            waiting_events: 0,
            flight: None,
        }
    }

    /// One more request.
    pub(crate) fn push(&mut self, unit: Unit<A>) {
        self.waiting_events += unit.events.len().max(1);
        self.waiting.push(unit);
    }

    /// Whether more may be read.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting_events < WAITING_EVENTS_MAX
    }

    /// Whether a flight can begin.
    pub(crate) fn is_due(&self) -> bool {
        self.flight.is_none() && !self.waiting.is_empty()
    }

    /// Whether everything has its answer.
    pub(crate) fn is_settled(&self) -> bool {
        self.flight.is_none() && self.waiting.is_empty()
    }

    /// Begins a flight: what is to be submitted, in this order; or where there is nothing to submit, the
    /// answers at once.
    pub(crate) fn launch(&mut self) -> (Vec<Submission>, Vec<Ack<A>>) {
        let units = std::mem::take(&mut self.waiting);
        self.waiting_events = 0;
        let all: Vec<_> = (units.iter())
            .flat_map(|unit| unit.events.iter().cloned())
            .collect();
        if all.is_empty() {
            let done = |unit: Unit<A>| Ack {
                ack: unit.ack,
                events: 0,
                result: Ok(()),
            };
            return (Vec::new(), units.into_iter().map(done).collect());
        }
        let begin = self.next;
        let mut batches = Vec::new();
        let is_sealed = self.seal(&all, &mut batches).is_ok();
        if !is_sealed {
            self.next = begin;
            batches.clear();
        }
        let mut acks = Vec::new();
        let mut permit: Option<Permit> = None;
        for unit in units {
            let events = unit.events.len();
            let result = if is_sealed || events == 0 {
                Ok(())
            } else {
                // One of them is at fault: each by itself.
                let (before, number) = (batches.len(), self.next);
                self.seal(&unit.events, &mut batches).inspect_err(|_| {
                    batches.truncate(before);
                    self.next = number;
                })
            };
            if result.is_ok()
                && let Some(one) = unit.permit
            {
                match &mut permit {
                    Some(permit) => permit.join(one),
                    None => permit = Some(one),
                }
            }
            acks.push(Ack {
                ack: unit.ack,
                events,
                result,
            });
        }
        let submissions = permit.map_or_else(Vec::new, |permit| self.submissions(batches, permit));
        if submissions.is_empty() {
            return (submissions, acks);
        }
        self.flight = Some(Flight {
            acks,
            open: submissions.len(),
            failure: None,
        });
        (submissions, Vec::new())
    }

    /// The committer's next answers. Nothing is lost when the future is dropped.
    pub(crate) async fn answers(&mut self) -> Vec<Answer> {
        match self.answers.recv().await {
            Some(answers) => answers,
            // The lease holds the other end.
            None => std::future::pending().await,
        }
    }

    /// The committer has answered; the requests of the flight, when it has ended.
    pub(crate) fn answered(&mut self, answers: Vec<Answer>) -> Vec<Ack<A>> {
        let Some(flight) = &mut self.flight else {
            return Vec::new();
        };
        for answer in answers {
            flight.open = flight.open.saturating_sub(1);
            if let Err(failure) = answer.result {
                flight.failure.get_or_insert(failure.text);
            }
        }
        if flight.open > 0 {
            return Vec::new();
        }
        let Some(Flight {
            mut acks, failure, ..
        }) = self.flight.take()
        else {
            return Vec::new();
        };
        if let Some(failure) = failure {
            (self.lease, self.answers) = Lease::new();
            (self.stream, self.next) = (random_stream(), 1);
            for ack in acks.iter_mut().filter(|ack| ack.result.is_ok()) {
                ack.result = Err(failure.clone());
            }
        }
        acks
    }

    /// Batches of these events, in halves where they are too many for one; why not, if not.
    fn seal(
        &mut self,
        events: &[TraceEvent],
        batches: &mut Vec<(Frame, WireBatch)>,
    ) -> Result<(), String> {
        let sealed = (self.sealer).seal_events(events, self.producer, self.stream, self.next);
        let frame = match sealed {
            Ok(frame) => frame,
            Err(SealError::TooLarge { .. }) if events.len() > 1 => {
                let (first, second) = events.split_at(events.len() / 2);
                self.seal(first, batches)?;
                return self.seal(second, batches);
            }
            Err(error) => return Err(error.to_string()),
        };
        // What cannot be read must not reach the store, wherever it comes from.
        let batch = WireBatch::decode(&frame, &self.limits).map_err(|error| error.to_string())?;
        self.next += 1;
        batches.push((frame, batch));
        Ok(())
    }

    fn submissions(&self, batches: Vec<(Frame, WireBatch)>, mut permit: Permit) -> Vec<Submission> {
        let submissions = batches.into_iter().map(|(frame, batch)| Submission {
            permit: permit.split(batch.memory_bytes()),
            admitted: Admitted {
                frame,
                batch: Arc::new(batch),
            },
            lease: Arc::clone(&self.lease),
        });
        let mut submissions: Vec<_> = submissions.collect();
        // What was held for requests is held until the last of their batches has its answer.
        if let Some(last) = submissions.last_mut() {
            last.permit.join(permit);
        }
        submissions
    }
}

/// Of a stream that nobody has; never 0.
fn random_stream() -> u64 {
    let (high, low) = TraceId::new().0.as_u64_pair();
    (high ^ low).max(1)
}
