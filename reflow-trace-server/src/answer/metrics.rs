//! How the server is doing, and what each producer has said of itself.

use chrono::DateTime;
use reflow_trace::api::{LossSum, ProducerSummary, ServerMetrics};

use crate::observe::{Metrics, metrics::resident_bytes};
use crate::store::{LedgerOfProducer, Snapshot, StoreStats};

/// How the server is doing.
///
/// `events` counts what can be asked for: that of the snapshot. Losses and counters are those that producers
/// have told; what they have not told yet is in no number.
pub(crate) fn metrics(view: &dyn Snapshot, store: &StoreStats, metrics: &Metrics) -> ServerMetrics {
    let recent = metrics.recent.last_second();
    ServerMetrics {
        events_per_second: recent.events as f64,
        avg_latency_ms: recent.mean_wait().as_secs_f64() * 1e3,
        memory_usage_mb: resident_bytes() as f64 / 1e6,
        events: view.len(),
        disk_bytes: store
            .segment_bytes
            .saturating_add(store.database_bytes)
            .saturating_add(store.held_bytes),
        segments: store.segments,
        subscriptions: metrics.subscriptions.get(),
        producers: view.producers().iter().map(summary).collect(),
    }
}

fn summary(ledger: &LedgerOfProducer) -> ProducerSummary {
    let counted = ledger.counters.as_ref();
    ProducerSummary {
        producer: ledger.producer,
        last_seen: (ledger.seen_ns > i64::MIN)
            .then(|| DateTime::from_timestamp_nanos(ledger.seen_ns)),
        events: ledger.events,
        messages: counted.map(|counters| {
            let edges = counters.edges.iter();
            edges.fold(0_u64, |sum, edge| sum.saturating_add(edge.messages))
        }),
        losses: ledger
            .losses
            .iter()
            .map(|(&reason, &count)| LossSum { reason, count })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use reflow_trace::TraceEvent;
    use reflow_trace::api::{Answer, MetricsQuestion, Question, ServerMetrics};
    use reflow_trace::event::ProducerId;
    use reflow_trace::ledger::{Loss, LossReason};
    use reflow_trace::wire::{WireBatch, seal_events};

    use crate::answer::{Engine, Rights};
    use crate::config::QueryLimits;
    use crate::observe::Metrics;
    use crate::store::memory::MemoryStore;
    use crate::store::{Admitted, Store};

    async fn asked(store: Arc<dyn Store>, metrics: Arc<Metrics>) -> ServerMetrics {
        let engine = Engine::for_server(store, QueryLimits::default(), metrics);
        let rights = Rights { content: false };
        let question = Question::Metrics(MetricsQuestion {});
        match engine
            .answer(question, rights, Arc::new(AtomicBool::new(false)))
            .await
        {
            Ok(Answer::Metrics(metrics)) => metrics,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_metrics_are_those_of_the_store_the_committer_and_the_producers() {
        let store = Arc::new(MemoryStore::new());
        let producer = ProducerId::random();
        let events = [
            TraceEvent::message_sent("a", "out", "T", 1),
            TraceEvent::loss(Loss {
                reason: LossReason::Refused,
                count: 7,
            }),
        ];
        let frame = seal_events(&events, producer, 1, 1, None).expect("sealed");
        let batch =
            WireBatch::decode(&frame, &Default::default()).expect("what was sealed is read");
        let admitted = Admitted {
            frame,
            batch: Arc::new(batch),
        };
        store.commit(vec![admitted]).await.expect("memory takes it");
        let metrics = Arc::new(Metrics::default());
        metrics.recent.add_events(1);
        metrics.recent.add_batch(Duration::from_millis(3));

        let told = asked(store, Arc::clone(&metrics)).await;
        assert_eq!(told.events, 1);
        let [summary] = &told.producers[..] else {
            panic!("{told:?}")
        };
        assert_eq!((summary.producer, summary.events), (producer, 1));
        assert_eq!(summary.messages, None, "it has not said");
        assert_eq!(summary.losses.iter().map(|loss| loss.count).sum::<u64>(), 7);
        assert_eq!(cfg!(target_os = "linux"), told.memory_usage_mb > 0.0);
        assert_eq!(metrics.answers.of("answered"), 1);
    }
}
