//! The server: the sessions and the queue of the real one, and the committer's loop in simulated time.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use reflow_trace::client::machine::Time;
use reflow_trace::wire::frame::RefusalCode;
use reflow_trace_server::commit::{Failure, Group, Lease, Queue};
use reflow_trace_server::config::{CommitLimits, IngestLimits};
use reflow_trace_server::ingest::{Budget, Session};
use reflow_trace_server::observe::Metrics;
use reflow_trace_server::store::memory::MemoryStore;
use reflow_trace_server::store::{Committed, Store};

use super::line::ServerEnd;

/// What survives the server.
#[derive(Default)]
pub(crate) struct Durable {
    pub(crate) store: MemoryStore,
    /// What is stored: stream and number.
    pub(crate) batches: BTreeSet<(u64, u64)>,
    /// What was refused for good, with its events.
    pub(crate) refused: BTreeMap<(u64, u64), u64>,
}

/// What will come of a commit that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Succeeds,
    FailsWithoutTrace,
    FailsButIsStored,
}

/// A server from its start to its death.
pub(crate) struct Server {
    limits: IngestLimits,
    budget: Arc<Budget>,
    metrics: Arc<Metrics>,
    pub(crate) queue: Queue,
    pub(crate) committing: Option<(Time, Group, Fate)>,
    /// The store has failed: nobody new is let in before.
    pub(crate) ready_at: Time,
}

impl Durable {
    /// Makes a group durable, as it is in one moment for whoever looks.
    pub(crate) fn apply(&mut self, group: &Group) -> Result<Vec<Committed>, String> {
        let admitted = group.admitted();
        let places: Vec<_> = admitted
            .iter()
            .map(|one| (one.stream(), one.number()))
            .collect();
        let committed = at_once(self.store.commit(admitted)).map_err(|error| error.to_string())?;
        for (place, committed) in places.into_iter().zip(&committed) {
            let was_there = self.batches.contains(&place);
            match committed {
                Committed::Duplicate if !was_there => {
                    return Err(format!(
                        "{place:x?} was taken for a duplicate, and is not stored"
                    ));
                }
                Committed::Stored { .. } if was_there => {
                    return Err(format!("{place:x?} was stored twice"));
                }
                Committed::Duplicate => {}
                Committed::Stored { .. } => {
                    self.batches.insert(place);
                }
            }
        }
        Ok(committed)
    }
}

/// A store in memory never waits.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a store in memory waits for nothing"),
    }
}

impl Server {
    pub(crate) fn start(now: Time) -> Self {
        let limits = IngestLimits {
            frame_bytes_max: 3_000,
            // Two or three frames of a connection.
            window_bytes: 7_000,
            // A few batches of all connections, so that some wait for memory.
            memory_bytes_max: 30_000,
            ..IngestLimits::default()
        };
        Self {
            budget: Budget::new(limits.memory_bytes_max),
            limits,
            metrics: Arc::new(Metrics::default()),
            queue: Queue::new(CommitLimits {
                group_batches: 6,
                ..CommitLimits::default()
            }),
            committing: None,
            ready_at: now,
        }
    }

    pub(crate) fn open(&self, now: Time) -> ServerEnd {
        let (lease, answers) = Lease::new();
        let (budget, metrics) = (Arc::clone(&self.budget), Arc::clone(&self.metrics));
        ServerEnd {
            session: Session::new(now, &self.limits, budget, lease, metrics),
            answers,
            delivered: Vec::new(),
        }
    }

    /// Begins the next commit, if one is due.
    pub(crate) fn begin_commit(&mut self, now: Time, takes: Time, fate: Fate) -> bool {
        let is_due = self.queue.due_at().is_some_and(|due| due <= now);
        if self.committing.is_some() || !is_due {
            return false;
        }
        let group = self.queue.take();
        if group.is_empty() {
            return false;
        }
        self.committing = Some((now + takes, group, fate));
        true
    }

    /// Ends the commit that is done; whether there was one.
    pub(crate) fn end_commit(&mut self, now: Time, durable: &mut Durable) -> Result<bool, String> {
        let Some((_, group, fate)) = self.committing.take_if(|(at, ..)| *at <= now) else {
            return Ok(false);
        };
        let committed = match fate {
            Fate::FailsWithoutTrace => Vec::new(),
            Fate::Succeeds | Fate::FailsButIsStored => durable.apply(&group)?,
        };
        if fate == Fate::Succeeds {
            let _live = group.committed(&committed);
        } else {
            group.failed(&Failure {
                code: RefusalCode::StoreFull,
                text: "as the seed says".to_owned(),
            });
            self.ready_at = now + Time::from_secs(1);
        }
        Ok(true)
    }

    /// When it has something to do by itself.
    pub(crate) fn next_at(&self) -> Option<Time> {
        match &self.committing {
            Some((at, ..)) => Some(*at),
            None => self.queue.due_at(),
        }
    }
}
