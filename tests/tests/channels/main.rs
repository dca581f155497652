//! Traced channels: they do what their originals do, and they tell the truth about it.

mod async_channel;
mod auto_traits;
mod causes;
mod crossbeam;
mod flume;
mod law;
mod recorded;
mod standard;
mod tokio_broadcast;
mod tokio_mpsc;
mod tokio_oneshot;
mod traced;

use std::future::Future;

use reflow_trace::global_tracing;
use reflow_trace::ledger::EdgeCounters;
use reflow_trace_tests::Recording;

/// Runs every body three times: against the original, against ours while nothing is recorded, and
/// against ours while everything is. Afterwards all channels are gone, so that every message has to be
/// accounted for.
macro_rules! as_the_original {
    ($original:path, $ours:path; $(fn $name:ident() $body:block)*) => {
        mod original {
            use super::*;
            use $original as subject;
            $(#[test] fn $name() $body)*
        }
        mod ours {
            use super::*;
            use $ours as subject;
            $(#[test] fn $name() {
                let _silence = reflow_trace_tests::Silence::start();
                $body
            })*
        }
        mod ours_recorded {
            use super::*;
            use $ours as subject;
            $(#[test] fn $name() {
                let recording = reflow_trace_tests::Recording::start();
                $body
                crate::assert_all_is_accounted_for(&recording);
            })*
        }
    };
}
use as_the_original;

/// The counters of all edges, added up.
fn totals() -> EdgeCounters {
    let counters = global_tracing().expect("recording").edge_counters();
    let mut sum = EdgeCounters::default();
    for edge in counters.edges {
        sum.messages += edge.messages;
        sum.failures += edge.failures;
        sum.received += edge.received;
        sum.dropped += edge.dropped;
    }
    sum
}

/// The law of the channels, where nothing is inside any more.
fn assert_all_is_accounted_for(recording: &Recording) {
    // Metrics are as fresh as the last flush.
    recording.events();
    let sum = totals();
    assert_eq!(
        sum.messages,
        sum.failures + sum.received + sum.dropped,
        "{sum:?}"
    );
    let ledger = global_tracing()
        .expect("recording")
        .performance_metrics()
        .ledger;
    assert!(ledger.balances(), "{ledger}");
}

/// Runs a future on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// Polls a future once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
    std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx)))
        .await
}
