//! Which batches are committed together, and who is told what became of them. No clock, no runtime.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reflow_trace::wire::WireBatch;
use reflow_trace::wire::frame::RefusalCode;
use tokio::sync::mpsc;

use crate::config::CommitLimits;
use crate::ingest::Permit;
use crate::store::{Admitted, Committed};

/// What became of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The stream of the batch.
    pub stream: u64,
    /// Its number.
    pub number: u64,
    /// Whether it is durable.
    pub result: Result<Committed, Failure>,
}

/// Why a batch was not committed. It may be later: the fault is never the batch's, which could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why, for programs.
    pub code: RefusalCode,
    /// Why, for people.
    pub text: String,
}

/// Where a session hears of its batches, in the order in which it submitted them, some at a time.
///
/// The channel has no bound of its own: there is no more in it than the session has submitted.
pub type Answers = mpsc::UnboundedReceiver<Vec<Answer>>;

/// The right of one session to have its batches committed; and the way back to it.
#[derive(Debug)]
pub struct Lease {
    is_broken: AtomicBool,
    answers: mpsc::UnboundedSender<Vec<Answer>>,
}

/// One batch on its way to the store.
#[derive(Debug)]
pub struct Submission {
    /// The batch.
    pub admitted: Admitted,
    /// Whose it is.
    pub lease: Arc<Lease>,
    /// The memory it takes, given back when it has an answer.
    pub permit: Permit,
}

/// Batches that wait, and the rules by which they become groups.
#[derive(Debug)]
pub struct Queue {
    limits: CommitLimits,
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    since: Duration,
    submission: Submission,
}

/// Batches that are committed together.
#[derive(Debug)]
pub struct Group {
    submissions: Vec<Submission>,
}

impl Lease {
    /// A new one, unbroken.
    pub fn new() -> (Arc<Self>, Answers) {
        let (answers, receiver) = mpsc::unbounded_channel();
        let lease = Self {
            is_broken: AtomicBool::new(false),
            answers,
        };
        (Arc::new(lease), receiver)
    }

    /// Whether a batch of this session has failed.
    pub fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }

    fn fail(&self) {
        self.is_broken.store(true, Ordering::Relaxed);
    }

    fn tell(&self, answers: Vec<Answer>) {
        // A session that has ended does not listen; its client asks again on its next connection.
        let _gone = self.answers.send(answers);
    }
}

impl Queue {
    /// An empty one.
    pub fn new(limits: CommitLimits) -> Self {
        Self {
            limits,
            waiting: VecDeque::new(),
            bytes: 0,
        }
    }

    /// One more batch, at `now`.
    pub fn push(&mut self, now: Duration, submission: Submission) {
        self.bytes += submission.bytes();
        self.waiting.push_back(Waiting {
            since: now,
            submission,
        });
    }

    /// When the next group is due: at once when it is large enough, else when its oldest batch has waited
    /// long enough; `None` when there is nothing.
    pub fn due_at(&self) -> Option<Duration> {
        let oldest = self.waiting.front()?.since;
        let is_full = self.bytes >= self.limits.group_bytes
            || self.waiting.len() >= self.limits.group_batches;
        Some(if is_full {
            oldest
        } else {
            oldest.saturating_add(self.limits.group_wait)
        })
    }

    /// The next group, however small. Batches with a broken lease are answered and left out.
    pub fn take(&mut self) -> Group {
        let mut submissions = Vec::new();
        let mut bytes = 0;
        while bytes < self.limits.group_bytes && submissions.len() < self.limits.group_batches {
            let Some(Waiting { submission, .. }) = self.waiting.pop_front() else {
                break;
            };
            self.bytes -= submission.bytes();
            if submission.lease.is_broken() {
                submission
                    .lease
                    .tell(vec![submission.answer(Err(Failure::overtaking()))]);
            } else {
                bytes += submission.bytes();
                submissions.push(submission);
            }
        }
        Group { submissions }
    }

    /// Batches that wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Group {
    /// What the store is given.
    pub fn admitted(&self) -> Vec<Admitted> {
        self.submissions
            .iter()
            .map(|submission| submission.admitted.clone())
            .collect()
    }

    /// How many batches.
    pub fn len(&self) -> usize {
        self.submissions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.submissions.is_empty()
    }

    /// Their bytes as they travelled.
    pub fn bytes(&self) -> usize {
        self.submissions.iter().map(Submission::bytes).sum()
    }

    /// The store has taken all: tells the sessions, and returns what is new with its place in the log.
    pub fn committed(self, committed: &[Committed]) -> Vec<(u64, Arc<WireBatch>)> {
        let stored = self.submissions.iter().zip(committed);
        let stored = stored.filter_map(|(submission, committed)| match committed {
            Committed::Stored { offset } => Some((*offset, Arc::clone(&submission.admitted.batch))),
            Committed::Duplicate => None,
        });
        let stored = stored.collect();
        let mut results = committed.iter();
        self.tell(|_| match results.next() {
            Some(committed) => Ok(*committed),
            // A store that breaks its contract: what it has not spoken of is not acknowledged.
            None => Err(Failure {
                code: RefusalCode::Internal,
                text: "the store has not said what became of the batch".to_owned(),
            }),
        });
        stored
    }

    /// The store has taken none: breaks the leases and tells the sessions.
    pub fn failed(self, failure: &Failure) {
        self.tell(|_| Err(failure.clone()));
    }

    /// One message for each session, in the order of its batches.
    fn tell(self, mut result: impl FnMut(&Submission) -> Result<Committed, Failure>) {
        let mut told: Vec<(Arc<Lease>, Vec<Answer>)> = Vec::new();
        for submission in self.submissions {
            let answer = submission.answer(result(&submission));
            if answer.result.is_err() {
                submission.lease.fail();
            }
            // Groups hold few batches of few sessions: a search is cheaper than a map.
            match told
                .iter_mut()
                .find(|(lease, _)| Arc::ptr_eq(lease, &submission.lease))
            {
                Some((_, answers)) => answers.push(answer),
                None => told.push((submission.lease, vec![answer])),
            }
        }
        for (lease, answers) in told {
            lease.tell(answers);
        }
    }
}

impl Submission {
    /// Bytes of the frame.
    pub fn bytes(&self) -> usize {
        self.admitted.frame.bytes().len()
    }

    fn answer(&self, result: Result<Committed, Failure>) -> Answer {
        Answer {
            stream: self.admitted.stream(),
            number: self.admitted.number(),
            result,
        }
    }
}

impl Failure {
    /// Behind a batch that failed.
    fn overtaking() -> Self {
        Self {
            code: RefusalCode::Busy,
            text: "a batch before this one on the same connection was not committed; begin again on a new connection"
                .to_owned(),
        }
    }
}
