//! What the wire costs: nanoseconds to seal and to decode an event, and bytes on the way.
//!
//! ```text
//! cargo bench -p reflow-trace --features wire --bench wire               # about a minute
//! cargo bench -p reflow-trace --features wire --bench wire -- --quick    # half of that
//! ```
//!
//! # How
//!
//! The batches are real ones: messages over five hops, sent by one thread, or each hop by a thread of its
//! own, and handed by the collector to a sink, which is where a client seals. The sink seals and decodes
//! each batch several times, on one thread and while nothing is sent; the middle of all times counts.
//! Bytes are those of whole frames, their headers included.
//!
//! This is a harness of its own because the collector decides what is in a batch, and no other harness can
//! be called from within a sink. Time is never asserted: a target that is missed is printed as missed.

mod flow;
mod measure;

use std::time::Duration;

use flow::{Ids, Threads};
use measure::{Measure, Totals, WAYS};
use reflow_trace::TracingConfig;

/// Any error, with its text.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Bytes and nanoseconds of an event that are aimed at, over five hops with sequential ids.
const BYTES_TARGET: f64 = 20.0;
const NS_TARGET: f64 = 150.0;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` runs this as a test: then that it works is enough.
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let is_quick = !is_bench || arguments.iter().any(|argument| argument == "--quick");
    let events = if is_quick { 40_000 } else { 100_000 };
    println!(
        "{events} events a row, over five hops; the middle of {} times a batch; sealed and decoded by one thread\n",
        measure::TIMES
    );
    println!(
        "| ids | sent by | batch | compression | bytes/event | before compression | seal ns/event | decode ns/event | read rows ns/event |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut missed = Vec::new();
    for ids in [Ids::Sequential, Ids::None, Ids::Uuid] {
        for threads in [Threads::One, Threads::EachHop] {
            for batch_size in [50, 1_000, 8_192] {
                for (way, totals) in WAYS.iter().zip(run(ids, threads, batch_size, events)?) {
                    let row = totals.row();
                    println!("| {ids} | {threads} | {batch_size} | {way} | {row} |");
                    if (ids, way.is_default()) == (Ids::Sequential, true) && batch_size > 50 {
                        missed.extend(totals.missed(BYTES_TARGET, NS_TARGET).map(|what| {
                            format!("{what} in batches of {batch_size}, sent by {threads}")
                        }));
                    }
                }
            }
        }
    }
    println!(
        "\ntargets, for sequential ids with the default compression in batches of 1 000 and more: \
         {BYTES_TARGET} bytes, {NS_TARGET} ns to seal, {NS_TARGET} ns to decode: {}",
        if missed.is_empty() {
            "met".to_owned()
        } else {
            format!("missed: {}", missed.join("; "))
        }
    );
    Ok(())
}

/// One recording with batches of this size.
fn run(
    ids: Ids,
    threads: Threads,
    batch_size: usize,
    events: usize,
) -> Result<[Totals; WAYS.len()], Failure> {
    let measure = Measure::new(batch_size);
    let config = TracingConfig {
        batch_size,
        batch_timeout: Duration::from_secs(10),
        ..TracingConfig::default()
    };
    let guard = reflow_trace::builder()
        .config(config)
        .sink(measure.clone())
        .ring_capacity(1 << 16)
        .start()?;
    flow::send(ids, threads, batch_size, events, || {
        Ok(guard.flush(Duration::from_secs(60))?)
    })?;
    drop(guard);
    measure.totals()
}
