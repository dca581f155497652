//! Flushes that were asked of the sinks and are not answered yet.
//!
//! The collector looks at them between two rounds over the rings and waits for none, so that a slow
//! sink holds up whoever asked, and nobody else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};

use crate::ledger::{Loss, LossReason};
use crate::runtime::{Answer, Command, Occasion};
use crate::sink::SinkWorker;

/// A flush under way.
pub(super) struct Flush {
    occasion: Occasion,
    answer: Arc<Answer>,
    deadline: Instant,
    /// How far each sink is, in their order.
    steps: Vec<Step>,
}

/// How far a sink is with a flush.
enum Step {
    /// It works off its queue; answered by dropping the other end.
    Queue(Receiver<()>),
    /// What it had taken by then, up to this position, is not settled.
    Settle(u64),
    /// The same is not yet where it survives the process.
    Secure(u64),
    /// It is ending.
    End,
    Done,
    /// Its queue was so full that it could not be asked, or it has ended and lost what it held.
    Failed,
}

/// What is kept back of the time for a sink's end, so that what it has lost by then is still told.
const TELLING: Duration = Duration::from_millis(100);

impl Flush {
    /// Asks the sinks.
    pub(super) fn begin(command: Command, sinks: &[SinkWorker]) -> Self {
        let Command {
            occasion,
            answer,
            within,
        } = command;
        let deadline = Instant::now() + within;
        let ask = |sink: &SinkWorker| {
            if let Some(progress) = sink.progress()
                && occasion != Occasion::Flush
            {
                // Its queue may take too long; what it holds already is safe then.
                progress.secure_by(deadline);
            }
            sink.request_flush().map_or(Step::Failed, Step::Queue)
        };
        Self {
            occasion,
            answer,
            deadline,
            steps: sinks.iter().map(ask).collect(),
        }
    }

    /// Looks how far the sinks are; whether all were done in time, once that is known.
    pub(super) fn look(&mut self, sinks: &[SinkWorker]) -> Option<bool> {
        for (step, sink) in self.steps.iter_mut().zip(sinks) {
            if let Step::Queue(answered) = step
                && answered.try_recv() != Err(TryRecvError::Empty)
            {
                *step = self.occasion.after_the_queue(self.deadline, sink);
            }
            // A sink without progress is done with its queue.
            let Some(progress) = sink.progress() else {
                continue;
            };
            let is_done = match step {
                Step::Settle(position) => progress.now().settled >= *position,
                Step::Secure(position) => progress.now().secured >= *position,
                Step::End => {
                    let now = progress.now();
                    let is_unheard = |loss: &Loss| loss.reason == LossReason::NotAcknowledged;
                    if now.is_ended && now.lost.iter().any(is_unheard) {
                        *step = Step::Failed;
                    }
                    now.is_ended
                }
                Step::Queue(_) | Step::Done | Step::Failed => false,
            };
            if is_done && !matches!(step, Step::Failed) {
                *step = Step::Done;
            }
        }
        let is_open = |step: &Step| !matches!(step, Step::Done | Step::Failed);
        let is_over = !self.steps.iter().any(is_open) || Instant::now() >= self.deadline;
        is_over.then(|| self.steps.iter().all(|step| matches!(step, Step::Done)))
    }

    /// Tells whoever asked.
    pub(super) fn answer(self, in_time: bool) {
        self.answer.give(in_time);
    }
}

impl Occasion {
    /// What is left to do for a sink that has worked off its queue.
    fn after_the_queue(self, deadline: Instant, sink: &SinkWorker) -> Step {
        let Some(progress) = sink.progress() else {
            return Step::Done;
        };
        let taken = progress.now().taken;
        match self {
            Self::Flush => Step::Settle(taken),
            Self::Exit => {
                // Again, for what was in the queue then.
                progress.secure_by(deadline);
                Step::Secure(taken)
            }
            Self::End => {
                let left = deadline.saturating_duration_since(Instant::now());
                progress.end_by(deadline - TELLING.min(left / 10));
                Step::End
            }
        }
    }
}
