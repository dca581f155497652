//! From a question to its answer: a place, a snapshot, a thread.
//!
//! Answering reads files and decodes, so it happens on threads where waiting is allowed, at most
//! `query.concurrent_max` at one time. A question beyond that waits for a place, at most `query.waiting_max`
//! of them, and the next one hears at once that the server is busy: a line that only grows would end in
//! timeouts for everybody. The time of a question begins when it arrives, so that waiting counts.
//!
//! # What cannot happen
//!
//! **A question outlives who asked it.** Dropping the future sets the flag that every answer looks at for
//! each page of rows. **A thread is forgotten.** The place goes with the thread, not with the future:
//! who asks and leaves a thousand times has a thousand answers under way one after the other, not at once.
//! **An answer takes the server along.** A panic in it is caught, counted and told as an error.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reflow_trace::api::{Answer, ApiError, ErrorCode, ErrorPlace, Question};
use reflow_trace::query::QueryError;
use reflow_trace::terminal::harmless;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::asking::{Asking, Rights, Stop, of_store, stopping};
use super::{dependencies, edges, events, graph, lineage, metrics, missing};
use crate::config::QueryLimits;
use crate::observe::{Limited, Metrics};
use crate::store::{Snapshot, Store};

/// How long after its time an answer may still come: it looks at the clock once for each page of rows.
const GRACE: Duration = Duration::from_millis(500);

/// Longest message of an error, in characters. The list of a question's fields has its place in it.
const MESSAGE_CHARS: usize = 1_000;
/// What strangers are told of a fault in what is stored.
const STORE_FAULT: &str =
    "answering failed by a fault of the server or of what it has stored; its log says more";

static ANSWERS_PANIC: Limited = Limited::new();
static STORE_FAILS: Limited = Limited::new();

/// Answers questions. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Engine {
    store: Arc<dyn Store>,
    limits: QueryLimits,
    /// Of those that are answered.
    places: Arc<Semaphore>,
    /// Of those that are answered or wait.
    line: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    /// Others ask than who runs it.
    has_strangers: bool,
    stop: Stop,
}

/// A question under way, counted; one that is dropped before it has an end was cancelled.
struct Counted {
    metrics: Arc<Metrics>,
    begun: Instant,
    cancelled: Arc<AtomicBool>,
    has_ended: bool,
}

impl Engine {
    /// Answers from a store that no server shares.
    pub(crate) fn new(store: Arc<dyn Store>, limits: QueryLimits) -> Self {
        Self {
            has_strangers: false,
            ..Self::for_server(store, limits, Arc::default())
        }
    }

    /// Answers for a server, whose metrics count them.
    pub(crate) fn for_server(
        store: Arc<dyn Store>,
        limits: QueryLimits,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            store,
            places: Arc::new(Semaphore::new(limits.concurrent_max)),
            line: Arc::new(Semaphore::new(
                limits.concurrent_max.saturating_add(limits.waiting_max),
            )),
            limits,
            metrics,
            has_strangers: true,
            stop: Stop::default(),
        }
    }

    /// The answer. Who does not want it any more sets `cancelled`, or drops the future.
    ///
    /// # Errors
    ///
    /// The question is wrong, there is nothing to be found, or a limit is reached.
    pub(crate) async fn answer(
        &self,
        question: Question,
        rights: Rights,
        cancelled: Arc<AtomicBool>,
    ) -> Result<Answer, ApiError> {
        self.answer_as(question, rights, cancelled, Ok).await
    }

    /// The answer in another form, which is made on the thread that has found it: writing a large one takes
    /// time too.
    ///
    /// # Errors
    ///
    /// Those of [`answer`](Self::answer) and of the form.
    pub(crate) async fn answer_as<T: Send + 'static>(
        &self,
        question: Question,
        rights: Rights,
        cancelled: Arc<AtomicBool>,
        form: impl FnOnce(Answer) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (store, metrics) = (Arc::clone(&self.store), Arc::clone(&self.metrics));
        self.run(question.name(), rights, cancelled, move |view, asking| {
            let answer = match question {
                Question::Metrics(_) => {
                    Answer::Metrics(metrics::metrics(view, &store.stats(), &metrics))
                }
                question => answer(view, question, asking)?,
            };
            metrics.answer_rows.add(rows(&answer));
            asking.go_on()?;
            form(answer)
        })
        .await
    }

    /// Answers something of your own, within the same bounds; it is counted by this name.
    ///
    /// # Errors
    ///
    /// Those of the question, or a limit is reached.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        name: &'static str,
        rights: Rights,
        cancelled: Arc<AtomicBool>,
        question: impl FnOnce(&dyn Snapshot, &Asking) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let mut counted = Counted::new(&self.metrics, name, Arc::clone(&cancelled));
        let asking = Asking::new(self.limits.clone(), rights, cancelled);
        let asking = asking.until(Arc::clone(&self.stop));
        let result = self.take_turn(asking, question).await;
        let result = result.map_err(|error| self.shown(error));
        counted.end(result.as_ref().err().map(|error| error.code));
        result
    }

    /// Nobody waits any more: who does is told that the server stops. Answers under way have so much time to come
    /// to their end, and are given up then.
    pub(crate) fn stop(&self, within: Duration) {
        // The first time counts.
        let _told_before = self.stop.set(std::time::Instant::now() + within);
        self.line.close();
        self.places.close();
    }

    async fn take_turn<T: Send + 'static>(
        &self,
        asking: Asking,
        question: impl FnOnce(&dyn Snapshot, &Asking) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let deadline = Instant::now() + self.limits.timeout;
        let turn = Arc::clone(&self.line)
            .try_acquire_owned()
            .map_err(|_| self.busy())?;
        let place = timeout_at(deadline, Arc::clone(&self.places).acquire_owned()).await;
        let place = match place {
            Ok(place) => place.map_err(|_| stopping())?,
            Err(_) => return Err(self.busy_for_too_long()),
        };
        let view = timeout_at(deadline, self.store.snapshot()).await;
        let view = view
            .map_err(|_| self.too_late())?
            .map_err(|error| of_store(&error))?;
        let work = move || {
            let answered = caught(|| question(&*view, &asking));
            // Nothing of the store is held by somebody who has no place.
            drop(view);
            drop((turn, place));
            answered
        };
        match timeout_at(deadline + GRACE, tokio::task::spawn_blocking(work)).await {
            Ok(answered) => answered.unwrap_or_else(|_| Err(stopping())),
            Err(_) => Err(self.too_late()),
        }
    }

    /// The error in words that can be shown to anybody: whatever it repeats of the question or of what is
    /// stored, it is one line of bounded length. What files the server has is the matter of its log.
    fn shown(&self, mut error: ApiError) -> ApiError {
        if self.has_strangers && error.code == ErrorCode::Store {
            if let Some(left_out) = STORE_FAILS.permit() {
                tracing::error!(fault = %error, left_out, "a question could not be answered");
            }
            error.message = STORE_FAULT.to_owned();
        }
        let (cut, rest) = match error.message.char_indices().nth(MESSAGE_CHARS) {
            Some((end, _)) => (&error.message[..end], "…"),
            None => (error.message.as_str(), ""),
        };
        error.message = harmless(cut) + rest;
        error
    }

    fn busy(&self) -> ApiError {
        if self.line.is_closed() {
            return stopping();
        }
        ApiError::new(
            ErrorCode::Busy,
            format!(
                "{} questions are being answered and {} wait (`query.concurrent_max`, `query.waiting_max`): ask again later",
                self.limits.concurrent_max, self.limits.waiting_max
            ),
        )
    }

    fn too_late(&self) -> ApiError {
        ApiError::new(
            ErrorCode::TimedOut,
            format!(
                "answering took longer than {:?} (`query.timeout`): ask about a shorter time or with a narrower filter",
                self.limits.timeout
            ),
        )
    }

    fn busy_for_too_long(&self) -> ApiError {
        ApiError::new(
            ErrorCode::Busy,
            format!(
                "other questions have taken all of the {:?} that this one had (`query.timeout`): ask again later",
                self.limits.timeout
            ),
        )
    }
}

/// What a wrong condition is to who asks, with its place.
pub(crate) fn of_query(error: &QueryError) -> ApiError {
    match error {
        QueryError::Filter { part, error: fault } => ApiError {
            place: Some(ErrorPlace {
                field: part.name().to_owned(),
                start: fault.place().start,
                end: fault.place().end,
            }),
            ..ApiError::new(ErrorCode::InvalidFilter, error.to_string())
        },
        other => ApiError::new(ErrorCode::InvalidQuestion, other.to_string()),
    }
}

/// A panic as the error that it is to who asks.
fn caught<T>(work: impl FnOnce() -> Result<T, ApiError>) -> Result<T, ApiError> {
    // Nothing that the closure shares is changed in steps: a snapshot, atomics.
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        if let Some(left_out) = ANSWERS_PANIC.permit() {
            let what = crate::panicked::text(&*panic);
            tracing::error!(
                what,
                left_out,
                "answering a question has panicked, which is a fault of the server"
            );
        }
        Err(ApiError::new(ErrorCode::Store, STORE_FAULT))
    })
}

fn answer(view: &dyn Snapshot, question: Question, asking: &Asking) -> Result<Answer, ApiError> {
    Ok(match question {
        Question::QueryTraces(asked) => Answer::QueryTraces(events::query(view, &asked, asking)?),
        Question::QueryDataFlows(asked) => {
            Answer::QueryDataFlows(events::query_data_flows(view, &asked, asking)?)
        }
        Question::Lineage(asked) => Answer::Lineage(lineage::lineage(view, &asked, asking)?),
        Question::MissingFlows(asked) => {
            Answer::MissingFlows(missing::missing(view, &asked, asking)?)
        }
        Question::Edges(asked) => Answer::Edges(edges::edges(view, &asked, asking)?),
        Question::Dependencies(asked) => {
            Answer::Dependencies(dependencies::dependencies(view, &asked, asking)?)
        }
        Question::Graph(asked) => Answer::Graph(graph::graph(view, &asked, asking)?),
        #[cfg(feature = "sql")]
        Question::Sql(asked) => Answer::Sql(super::sql::sql(view, &asked, asking)?),
        #[cfg(not(feature = "sql"))]
        Question::Sql(_) => {
            return Err(ApiError::new(
                ErrorCode::Unsupported,
                "this server was built without SQL: build it with the feature `sql`",
            ));
        }
        _ => {
            return Err(ApiError::new(
                ErrorCode::Unsupported,
                format!("this server cannot answer `{}`", question.name()),
            ));
        }
    })
}

/// How many things an answer lists.
fn rows(answer: &Answer) -> u64 {
    let rows = match answer {
        Answer::QueryTraces(page) | Answer::QueryDataFlows(page) => page.events.len(),
        Answer::Lineage(lineage) => lineage.events.len(),
        Answer::MissingFlows(missing) => missing.missing.len(),
        Answer::Edges(edges) => edges.edges.len(),
        Answer::Dependencies(dependencies) => dependencies.actors.len(),
        Answer::Sql(table) => table.rows.len(),
        Answer::Metrics(metrics) => metrics.producers.len(),
        _ => 1,
    };
    rows as u64
}

impl Counted {
    fn new(metrics: &Arc<Metrics>, name: &str, cancelled: Arc<AtomicBool>) -> Self {
        metrics.questions.add(name, 1);
        metrics.questions_open.add(1);
        Self {
            metrics: Arc::clone(metrics),
            begun: Instant::now(),
            cancelled,
            has_ended: false,
        }
    }

    fn end(&mut self, fault: Option<ErrorCode>) {
        self.has_ended = true;
        let result = match fault {
            None => "answered",
            Some(_) if self.cancelled.load(Ordering::Relaxed) => "cancelled",
            Some(code) => code.name(),
        };
        self.metrics.answers.add(result, 1);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Also where the answer was too late: nobody waits for what the thread is at.
        self.cancelled.store(true, Ordering::Relaxed);
        if !self.has_ended {
            self.metrics.answers.add("cancelled", 1);
        }
        self.metrics.answer_seconds.record(self.begun.elapsed());
        self.metrics.questions_open.sub(1);
    }
}

#[cfg(test)]
mod tests;
