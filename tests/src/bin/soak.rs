//! Records for a long time under bad conditions and checks that nothing grows and nothing is missing.
//!
//! ```text
//! cargo run --release -p reflow-trace-tests --bin soak -- 60
//! ```
//!
//! Threads come and go every second and send faster than can be recorded, rings are small, and one
//! sink stalls from its first batch to the end. The counters have to be exact all the same, the
//! ledger has to balance, and the resident size has to stay what it was after the first quarter.

use std::sync::mpsc::{Receiver, SendError, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use reflow_trace::{
    Batch, Context, MemorySink, Message, Sink, SinkError, TracingMetrics, global_tracing, sample,
    traced_actor, traced_connector,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const THREADS: usize = 3;
const SHIFT: Duration = Duration::from_secs(1);
const GROWTH_BYTES_MAX: u64 = 16 << 20;

#[sample(rate = 0.5)]
struct Tick {
    #[trace(id)]
    number: u64,
    #[trace(context)]
    context: Context,
}

struct Connector<M> {
    from_actor: String,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
    channel: SyncSender<M>,
}

#[traced_connector]
impl<M: Message> Connector<M> {
    fn send(&self, message: M) -> Result<(), SendError<M>> {
        self.channel.send(message)
    }
}

struct Adder {
    sum: u64,
}

#[traced_actor]
impl Adder {
    fn handle(&mut self, message: Tick) {
        self.sum = self.sum.wrapping_add(message.number);
    }
}

/// Takes its first batch when the other end of the channel is dropped.
struct Stalled(Receiver<()>);

impl Sink for Stalled {
    fn name(&self) -> &str {
        "stalled"
    }

    fn write(&mut self, _: &Batch) -> Result<(), SinkError> {
        // Nothing is ever sent: this ends when there is nobody left to send.
        self.0.recv().ok();
        Ok(())
    }
}

fn main() -> Result<(), Failure> {
    let seconds = std::env::args()
        .nth(1)
        .map_or(Ok(60), |text| text.parse())?;
    let memory = MemorySink::with_capacity(10_000);
    let (release, stall) = channel();
    let guard = reflow_trace::builder()
        .sink(memory.clone())
        .sink(Stalled(stall))
        .ring_capacity(1_024)
        .start()?;
    let tracing = global_tracing().ok_or("the recording has begun")?;

    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut sent, mut settled_bytes) = (0, None);
    while Instant::now() < end {
        sent += work_one_shift()?;
        let left = end.saturating_duration_since(Instant::now());
        let resident_bytes = resident_bytes().unwrap_or_default();
        if left.as_secs() * 4 <= seconds * 3 {
            settled_bytes.get_or_insert(resident_bytes);
        }
        let lost = tracing.performance_metrics().ledger.lost_total();
        let megabytes = resident_bytes / 1_000_000;
        println!(
            "{:>4} s left: {sent} sent, {lost} lost, {megabytes} MB resident",
            left.as_secs()
        );
    }
    let grown = resident_bytes()
        .unwrap_or_default()
        .saturating_sub(settled_bytes.unwrap_or_default());
    drop(release);
    guard.flush(Duration::from_secs(30))?;

    let metrics = tracing.performance_metrics();
    println!("{metrics}");
    let counted = tracing
        .edge_counters()
        .edges
        .iter()
        .map(|edge| edge.messages)
        .sum();
    verdict(sent, counted, grown, &metrics)
}

/// Threads that send for one second, and what they send to. Returns how many messages were sent.
fn work_one_shift() -> Result<u64, Failure> {
    let end = Instant::now() + SHIFT;
    let (channel, inbox) = sync_channel(1_024);
    let workers: Vec<_> = (0..THREADS)
        .map(|number| {
            let connector = Connector {
                from_actor: format!("worker {number}"),
                from_port: "out",
                to_actor: "adder",
                to_port: "in",
                channel: channel.clone(),
            };
            thread::spawn(move || -> Result<u64, SendError<Tick>> {
                let mut number = 0;
                while Instant::now() < end {
                    connector.send(Tick {
                        number,
                        context: Context::NONE,
                    })?;
                    number += 1;
                }
                Ok(number)
            })
        })
        .collect();
    drop(channel);
    let mut adder = Adder { sum: 0 };
    inbox.into_iter().for_each(|tick| adder.handle(tick));
    let mut sent = 0;
    for worker in workers {
        sent += worker.join().map_err(|_| "a worker panicked")??;
    }
    Ok(sent)
}

fn verdict(sent: u64, counted: u64, grown: u64, metrics: &TracingMetrics) -> Result<(), Failure> {
    if counted != sent {
        return Err(format!("{sent} messages were sent and {counted} were counted").into());
    }
    if !metrics.ledger.balances() || metrics.ledger.in_flight != 0 {
        return Err("the ledger does not balance".into());
    }
    if grown > GROWTH_BYTES_MAX {
        return Err(
            format!("the resident size grew by {grown} bytes after the first quarter").into(),
        );
    }
    println!("{sent} messages: all counted, the ledger balances, {grown} bytes more than at first");
    Ok(())
}

/// The resident size of this process, where the system tells it as Linux does, in pages of 4 KiB.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4_096)
}
