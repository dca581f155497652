//! A traced program that sends until its input ends, and is killed in between.
//!
//! ```text
//! durability-client SERVER SPOOL ATTEMPTS RUN RATE
//! ```
//!
//! Two threads send numbered orders, all of them recorded, and ticks, a quarter of them recorded. Before
//! each send its number is written to the file `ATTEMPTS`. When the input ends, everything is delivered,
//! and one line of JSON says what became of it.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SendError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use reflow_trace::{
    Overflow, ServerOptions, TracingConfig, global_tracing, sample, traced_connector,
};
use reflow_trace_durability::shared::{Attempts, Begun, THREADS, message_number};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long the end may take, with a server that is dead half of the time.
const END_WITHIN: Duration = Duration::from_secs(60);

#[sample(always)]
struct Order {
    #[trace(id)]
    number: u64,
}

#[sample(rate = 0.25)]
struct Tick {
    #[trace(id)]
    number: u64,
}

struct Connector<M> {
    from_actor: String,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
    channel: Sender<M>,
}

#[traced_connector]
impl<M: reflow_trace::Message> Connector<M> {
    fn send(&self, message: M) -> Result<(), SendError<M>> {
        self.channel.send(message)
    }
}

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [server, spool, attempts, run, rate] = words.as_slice() else {
        return Err("five words say what to do".into());
    };
    let config = TracingConfig {
        server_url: server.clone(),
        server: ServerOptions {
            spool: Some(spool.into()),
            // Soon, so that a kill finds some of it on the disk.
            spool_after: Duration::from_millis(100),
            reconnect_first: Duration::from_millis(5),
            reconnect_max: Duration::from_millis(200),
            ..ServerOptions::default()
        },
        // Small and often, so that many are under way.
        batch_size: 100,
        batch_timeout: Duration::from_millis(10),
        // Nothing is lost in the process, so that what is missing was lost by the kill.
        overflow: Overflow::Wait(Duration::from_secs(5)),
        sink_queue_bytes_max: 64 << 20,
        ..TracingConfig::default()
    };
    let guard = reflow_trace::init(config)?;
    let tracing = global_tracing().ok_or("the recording has begun")?;
    work(Path::new(attempts), run.parse()?, rate.parse()?)?;
    guard.flush(END_WITHIN)?;
    println!("{}", serde_json::to_string(&tracing.performance_metrics())?);
    guard.shutdown(END_WITHIN)?;
    Ok(())
}

/// Sends until the input ends.
fn work(attempts: &Path, run: u64, rate: u32) -> Result<(), Failure> {
    let attempts = Arc::new(Attempts::open(attempts)?);
    let is_over = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (attempts, is_over) = (Arc::clone(&attempts), Arc::clone(&is_over));
            let rate = f64::from(rate) / THREADS as f64;
            thread::spawn(move || send(&attempts, &is_over, run, thread, rate))
        })
        .collect();
    // Nobody says anything: this is how the end is told.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    is_over.store(true, Ordering::Release);
    for thread in threads {
        thread.join().map_err(|_| "a sender has panicked")??;
    }
    Ok(())
}

fn send(
    attempts: &Attempts,
    is_over: &AtomicBool,
    run: u64,
    thread: usize,
    rate: f64,
) -> Result<(), Failure> {
    let (orders, order_inbox) = channel();
    let (ticks, tick_inbox) = channel();
    let from_actor = format!("counter {thread}");
    let orders = Connector::<Order> {
        from_actor: from_actor.clone(),
        from_port: "orders",
        to_actor: "desk",
        to_port: "in",
        channel: orders,
    };
    let ticks = Connector::<Tick> {
        from_actor,
        from_port: "ticks",
        to_actor: "clock",
        to_port: "in",
        channel: ticks,
    };
    let (start, mut begun) = (Instant::now(), Begun::default());
    while !is_over.load(Ordering::Acquire) {
        let due = (start.elapsed().as_secs_f64() * rate) as u64;
        while begun.orders + begun.ticks < due {
            if (begun.orders + begun.ticks) % 4 == 3 {
                begun.ticks += 1;
                attempts.begin(thread, begun)?;
                let number = message_number(run, thread, begun.ticks);
                ticks
                    .send(Tick { number })
                    .map_err(|_| "the clock is gone")?;
            } else {
                begun.orders += 1;
                attempts.begin(thread, begun)?;
                let number = message_number(run, thread, begun.orders);
                orders
                    .send(Order { number })
                    .map_err(|_| "the desk is gone")?;
            }
        }
        // What was sent is of no use to anybody; it is what was seen of it that counts.
        let handled = order_inbox
            .try_iter()
            .map(|order| order.number)
            .chain(tick_inbox.try_iter().map(|tick| tick.number));
        std::hint::black_box(handled.count());
        thread::sleep(Duration::from_micros(500));
    }
    Ok(())
}
