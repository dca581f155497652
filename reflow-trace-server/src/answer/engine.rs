//! From a question to its answer: a place, a snapshot, a thread.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use reflow_trace::api::{Answer, ApiError, ErrorCode, Question};
use tokio::sync::Semaphore;

use super::asking::{Asking, Rights, of_store};
use super::{dependencies, edges, events, graph, lineage, missing};
use crate::config::QueryLimits;
use crate::store::{Snapshot, Store};

/// Answers questions. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Engine {
    store: Arc<dyn Store>,
    limits: QueryLimits,
    places: Arc<Semaphore>,
}

impl Engine {
    pub(crate) fn new(store: Arc<dyn Store>, limits: QueryLimits) -> Self {
        let places = Arc::new(Semaphore::new(limits.concurrent_max));
        Self {
            store,
            limits,
            places,
        }
    }

    /// The answer. Who does not want it any more sets `cancelled`.
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
        let _place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|_| ApiError::new(ErrorCode::Stopping, "the server is about to stop"))?;
        let asking = Asking::new(self.limits.clone(), rights, cancelled);
        let view = self
            .store
            .snapshot()
            .await
            .map_err(|error| of_store(&error))?;
        let answered = tokio::task::spawn_blocking(move || answer(&*view, question, &asking)).await;
        answered.unwrap_or_else(|fault| {
            Err(ApiError::new(
                ErrorCode::Store,
                format!("answering failed: {fault}"),
            ))
        })
    }
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
        _ => {
            return Err(ApiError::new(
                ErrorCode::Unsupported,
                format!("this server cannot answer `{}`", question.name()),
            ));
        }
    })
}
