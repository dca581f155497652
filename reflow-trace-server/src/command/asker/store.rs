//! A store that is opened here, because its server is not running.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use reflow_trace::api::{Answer, LossSum, ProducerSummary, Question, ServerMetrics};

use super::Unanswered;
use crate::answer::{Engine, Rights};
use crate::command::failure::Failure;
use crate::config::{QueryLimits, StoreLimits};
use crate::store::embedded::EmbeddedStore;
use crate::store::{Snapshot as _, Store as _, StoreError};

/// A person waits, and can stop it: longer than any server would allow.
const TIMEOUT: Duration = Duration::from_secs(3_600);

/// The store, held as long as this lives, and its own engine.
pub(in crate::command) struct StoreAsker {
    store: Arc<EmbeddedStore>,
    engine: Engine,
}

/// Whether a directory holds a store; one that is only asked is not to be made.
pub(in crate::command) fn there_is_a_store(directory: &Path) -> Result<(), Failure> {
    if directory.join("store.sqlite").is_file() {
        return Ok(());
    }
    Err(Failure::NoStore(directory.to_owned()))
}

impl StoreAsker {
    /// Opens what is there; nothing is made.
    pub(in crate::command) async fn open(directory: PathBuf) -> Result<Self, Failure> {
        there_is_a_store(&directory)?;
        Self::open_or_make(directory).await
    }

    /// Opens what is there, or makes an empty store.
    pub(in crate::command) async fn open_or_make(directory: PathBuf) -> Result<Self, Failure> {
        let settings = StoreLimits::default().settings(&directory);
        let opened = tokio::task::spawn_blocking(move || EmbeddedStore::open(settings)).await;
        let opened = opened.unwrap_or(Err(StoreError::Closing));
        let store = opened.map_err(|source| Failure::Store { directory, source })?;
        let store = Arc::new(store);
        let limits = QueryLimits {
            timeout: TIMEOUT,
            ..QueryLimits::default()
        };
        Ok(Self {
            engine: Engine::new(Arc::clone(&store) as _, limits),
            store,
        })
    }

    /// The store itself.
    pub(in crate::command) fn store(&self) -> &Arc<EmbeddedStore> {
        &self.store
    }

    pub(super) async fn ask(&self, question: Question) -> Result<Answer, Unanswered> {
        if let Question::Metrics(_) = question {
            return Ok(Answer::Metrics(self.metrics()));
        }
        // Whoever can read the directory can read what is in it.
        let rights = Rights { content: true };
        let never = Arc::new(AtomicBool::new(false));
        let answer = self.engine.answer(question, rights, never).await;
        answer.map_err(Unanswered::Refused)
    }

    /// What can be said of a server that is not running: what it has stored.
    fn metrics(&self) -> ServerMetrics {
        let stats = self.store.stats();
        let view = self.store.view();
        let producers = view.producers().iter().map(|ledger| {
            let counted = ledger.counters.as_ref();
            ProducerSummary {
                producer: ledger.producer,
                last_seen: Some(chrono::DateTime::from_timestamp_nanos(ledger.seen_ns)),
                events: ledger.events,
                messages: counted
                    .map(|counters| counters.edges.iter().map(|edge| edge.messages).sum()),
                losses: ledger
                    .losses
                    .iter()
                    .map(|(&reason, &count)| LossSum { reason, count })
                    .collect(),
            }
        });
        ServerMetrics {
            events: view.len(),
            disk_bytes: stats.segment_bytes + stats.held_bytes + stats.database_bytes,
            segments: stats.segments,
            producers: producers.collect(),
            ..ServerMetrics::default()
        }
    }
}
