//! A program that is traced, at a rate or as fast as it can.

use std::time::{Duration, Instant};

use reflow_trace::{Batch, Overflow, ServerSink, Sink, SinkError, TracingConfig, global_tracing};
use serde::{Deserialize, Serialize};

use reflow_trace_durability::load::Failure;
use reflow_trace_durability::load::traffic::{HOPS, Line};

/// Orders that are sent in one go; their events fit into a ring many times.
const BURST: usize = 200;
/// How long the rest may take.
const DRAIN_WITHIN: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) seconds: f64,
    pub(crate) attempted: u64,
    /// Acknowledged when the time was over.
    pub(crate) stored_in_time: u64,
    pub(crate) stored: u64,
    pub(crate) lost: u64,
    /// In words.
    pub(crate) losses: String,
    pub(crate) drain_seconds: f64,
    pub(crate) ns_per_send: f64,
    pub(crate) ns_per_send_median: f64,
}

/// Takes batches and drops them: what recording costs without a place for events.
struct Nowhere;

impl Sink for Nowhere {
    fn name(&self) -> &str {
        "memory"
    }

    fn write(&mut self, _: &Batch) -> Result<(), SinkError> {
        Ok(())
    }
}

/// `rate` 0: as fast as the rings have room; the program then waits for them.
pub(crate) fn run(mode: &str, server: &str, seconds: u64, rate: u64) -> Result<(), Failure> {
    let config = TracingConfig {
        ring_capacity: 1 << 16,
        overflow: if rate == 0 {
            Overflow::Wait(Duration::from_secs(10))
        } else {
            Overflow::DropNewest
        },
        ..TracingConfig::default()
    };
    let builder = reflow_trace::builder().config(config);
    let guard = match mode {
        "server" => Some(builder.sink(ServerSink::builder(server).start()?).start()?),
        "memory" => Some(builder.sink(Nowhere).start()?),
        _ => None,
    };
    let mut line = Line::new(false);
    let (mut sends, mut busy, mut bursts) = (0_u64, Duration::ZERO, Vec::new());
    let begun = Instant::now();
    let time = Duration::from_secs(seconds);
    while begun.elapsed() < time {
        let orders = line.orders(BURST);
        let sent = (BURST * HOPS) as u64;
        let start = Instant::now();
        line.send(orders);
        let took = start.elapsed();
        sends += sent;
        busy += took;
        bursts.push(took);
        let due = Duration::from_secs_f64(sends as f64 / rate.max(1) as f64);
        if rate > 0 && due > begun.elapsed() {
            std::thread::sleep(due - begun.elapsed());
        }
    }
    let took = begun.elapsed().as_secs_f64();
    bursts.sort_unstable();
    let of_burst = |took: Duration| took.as_nanos() as f64 / (BURST * HOPS) as f64;
    let mut recorded = Recorded {
        seconds: took,
        attempted: sends,
        ns_per_send: busy.as_nanos() as f64 / sends as f64,
        ns_per_send_median: of_burst(bursts[bursts.len() / 2]),
        ..Recorded::default()
    };
    if let (Some(guard), Some(tracing)) = (guard, global_tracing()) {
        let stored = || {
            tracing
                .performance_metrics()
                .ledger
                .sinks
                .iter()
                .map(|sink| sink.stored)
                .sum()
        };
        recorded.stored_in_time = stored();
        let draining = Instant::now();
        guard.flush(DRAIN_WITHIN)?;
        recorded.drain_seconds = draining.elapsed().as_secs_f64();
        let ledger = tracing.performance_metrics().ledger;
        if !ledger.balances() || ledger.attempted != sends {
            return Err(format!("the ledger does not balance: {ledger}").into());
        }
        recorded.stored = stored();
        let of_sinks = ledger.sinks.iter().flat_map(|sink| &sink.lost);
        let losses = ledger.lost.iter().chain(of_sinks);
        for loss in losses {
            recorded.lost += loss.count;
            recorded.losses += &format!("lost {} by {}; ", loss.count, loss.reason);
        }
        guard.shutdown(DRAIN_WITHIN)?;
    }
    println!("{}", serde_json::to_string(&recorded)?);
    Ok(())
}
