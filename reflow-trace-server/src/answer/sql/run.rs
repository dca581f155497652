//! One statement, from its text to its rows, on threads of its own.
//!
//! The engine computes inside of what it calls waiting, for as long as it takes. On the threads of the server
//! it would keep connections and the committer waiting; on one set of threads for all statements, one that
//! computes would keep the others waiting. So each statement has its own few threads, of a lower priority,
//! that are there before it is parsed and gone when there is an answer; their number is bounded by the
//! number of questions under way. Who calls stays beside, and ends it when its time is over.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::{self, available_parallelism};
use std::time::Duration;

use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::execute_stream;
use futures_util::StreamExt as _;
use reflow_trace::api::{ApiError, ErrorCode, SqlAnswer, SqlColumn, SqlQuestion};
use tokio::runtime::{Builder, Runtime};

use super::error::of_engine;
use super::functions::Share;
use super::watch::Looking;
use super::{session, statement, value};
use crate::answer::Asking;
use crate::config::QueryLimits;
use crate::store::columns::Part;
use crate::store::{ProducerLedgers, Snapshot, Watch as _};

/// Bytes of the stack of the thread that parses and plans. Only what is used of it is ever there.
const PLANNING_STACK_BYTES: usize = 256 << 20;
/// Bytes of the stack of a thread that computes.
const COMPUTING_STACK_BYTES: usize = 64 << 20;
/// Threads that compute for one statement; more gain little, and other questions want some too.
const THREADS_MAX: usize = 4;
/// How often the time is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Carries out a statement that reads. It waits, and is to be called where that is allowed.
///
/// # Errors
///
/// The statement is wrong or not permitted, a limit is reached, or what is stored cannot be read.
pub(crate) fn sql(
    view: &dyn Snapshot,
    asked: &SqlQuestion,
    asking: &Asking,
) -> Result<SqlAnswer, ApiError> {
    asking.go_on()?;
    let looking = Looking::new();
    let work = Statement {
        text: &asked.statement,
        rows_max: asked.limit.map_or(asking.limits.sql_rows_max, |limit| {
            limit.min(asking.limits.sql_rows_max)
        }),
        parts: view.parts(),
        ledgers: view.producers(),
        limits: &asking.limits,
        looking: &looking,
    };
    let (answered, ended) = thread::scope(|scope| {
        let (done, wait) = sync_channel::<()>(1);
        let thread = thread::Builder::new()
            .name("reflow-trace-sql".to_owned())
            .stack_size(PLANNING_STACK_BYTES)
            .spawn_scoped(scope, move || {
                let _done = done;
                yield_to_others();
                work.carry_out()
            })
            .map_err(|error| {
                let message = format!("no thread for a statement can be begun: {error}");
                ApiError::new(ErrorCode::Busy, message)
            })?;
        let mut ended = None;
        // Nothing is ever sent: the other end goes with the thread.
        while matches!(
            wait.recv_timeout(LOOK_EVERY),
            Err(RecvTimeoutError::Timeout)
        ) {
            if let Err(over) = asking.go_on() {
                looking.end();
                ended.get_or_insert(over);
            }
        }
        // Who called tells of a panic as of its own.
        let answered = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((answered, ended))
    })?;
    looking.settle(asking);
    match (answered, ended) {
        (Ok(mut answer), _) => {
            answer.work = asking.work();
            Ok(answer)
        }
        // It has failed because it was ended.
        (Err(_), Some(over)) => Err(over),
        (Err(fault), None) => Err(fault),
    }
}

/// Whoever takes events in goes first. Threads that are begun by this one inherit it.
#[cfg(target_os = "linux")]
fn yield_to_others() {
    const NICE: i32 = 10;
    // There, the priority is one of the thread. Where it is not permitted, nothing is changed.
    let _changed = rustix::process::setpriority_process(None, NICE);
}

#[cfg(not(target_os = "linux"))]
fn yield_to_others() {}

/// A statement with what it may read and take.
struct Statement<'a> {
    text: &'a str,
    rows_max: usize,
    parts: Vec<Arc<dyn Part>>,
    ledgers: &'a ProducerLedgers,
    limits: &'a QueryLimits,
    looking: &'a Arc<Looking>,
}

impl Statement<'_> {
    fn carry_out(self) -> Result<SqlAnswer, ApiError> {
        let text = self.text;
        let parsed = statement::parse(text)?;
        let threads = available_parallelism().map_or(1, |threads| threads.get().min(THREADS_MAX));
        let runtime = runtime(threads)?;
        let share = Share::default();
        let state = session::state(
            self.parts.clone(),
            self.ledgers,
            &(Arc::clone(self.looking) as _),
            self.limits.sql_memory_bytes_max,
            threads,
            &share,
        );
        let state = state.map_err(|error| of_engine(text, &error))?;
        let answer = runtime.block_on(async {
            let plan = state
                .statement_to_plan(parsed)
                .await
                .map_err(|error| of_engine(text, &error))?;
            share.divide(statement::plan::check(text, &plan)?);
            self.collect(&state, plan).await
        });
        // Waits for what is being computed, so that nothing of a statement outlives it.
        drop(runtime);
        answer
    }

    async fn collect(
        &self,
        state: &SessionState,
        plan: LogicalPlan,
    ) -> Result<SqlAnswer, ApiError> {
        let text = self.text;
        let of_engine = |error| of_engine(text, &error);
        self.go_on()?;
        let plan = match plan {
            LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) => plan,
            // One more, to know whether there are more; and sorting keeps no more than that.
            plan => LogicalPlanBuilder::from(plan)
                .limit(0, Some(self.rows_max.saturating_add(1)))
                .and_then(LogicalPlanBuilder::build)
                .map_err(of_engine)?,
        };
        let plan = state.create_physical_plan(&plan).await.map_err(of_engine)?;
        self.go_on()?;
        let mut answer = SqlAnswer::default();
        for field in plan.schema().fields() {
            answer.columns.push(SqlColumn {
                name: field.name().clone(),
                kind: value::kind(field.data_type()),
            });
        }
        let context = Arc::new(TaskContext::from(state));
        let mut pieces = execute_stream(plan, context).map_err(of_engine)?;
        let mut bytes_left = self.limits.answer_bytes_max;
        while let Some(piece) = pieces.next().await {
            self.go_on()?;
            let piece = piece.map_err(of_engine)?;
            for at in 0..piece.num_rows() {
                let columns = piece.columns().iter();
                let row = columns.map(|column| value::json(column, at));
                let row = row
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|error| of_engine(error.into()))?;
                let bytes = 3 + row.iter().map(value::bytes).sum::<usize>();
                if answer.rows.len() == self.rows_max || bytes > bytes_left {
                    answer.is_cut = true;
                    return Ok(answer);
                }
                bytes_left -= bytes;
                answer.rows.push(row);
            }
        }
        Ok(answer)
    }

    fn go_on(&self) -> Result<(), ApiError> {
        let over = |_| ApiError::new(ErrorCode::TimedOut, "the statement was ended");
        self.looking.go_on().map_err(over)
    }
}

fn runtime(threads: usize) -> Result<Runtime, ApiError> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("reflow-trace-sql-worker")
        .thread_stack_size(COMPUTING_STACK_BYTES)
        .enable_time()
        .build();
    runtime.map_err(|error| {
        let message = format!("no threads for a statement can be begun: {error}");
        ApiError::new(ErrorCode::Busy, message)
    })
}
