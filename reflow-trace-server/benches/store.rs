//! What the embedded store does: commits and seals in events per second, bytes of an event on the disk by
//! column, memory, and what questions cost.
//!
//! A harness of its own, because what is measured is a pipeline with a disk in it, once, and not a function
//! many times. Everything runs in one process and every row says under which settings.
//!
//! ```text
//! cargo bench -p reflow-trace-server --bench store -- [events] [uuid] [threads] [directory=PATH]
//! ```
//!
//! `events`: how many, default 1 000 000. `uuid`: message ids are random UUIDs, not `order-00000001` and
//! so on. `threads`: each hop of a trace is sent by a thread of its own. `directory`: on which
//! disk; default the build directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use parquet::file::reader::{FileReader, SerializedFileReader};
use reflow_trace::wire::{BatchLimits, Frame, Level, Sealer, WireBatch};
use reflow_trace::{Batch, Context, Edge, Sink, SinkError, TracingConfig, sample};
use reflow_trace_server::store::embedded::{EmbeddedStore, Settings};
use reflow_trace_server::store::{Admitted, Snapshot, Store, TimeRange};

#[sample(rate = 1.0)]
struct Order {
    #[trace(id)]
    id: String,
    #[trace(context)]
    context: Context,
}

const HOPS: [[&str; 4]; 5] = [
    ["gateway", "orders", "validator", "in"],
    ["validator", "valid", "pricing", "in"],
    ["pricing", "priced", "inventory", "in"],
    ["inventory", "reserved", "payment", "in"],
    ["payment", "paid", "shipping", "in"],
];

/// Events between two flushes, so that no ring overflows.
const BURST: usize = 10_000;

struct Arguments {
    events: usize,
    uuid: bool,
    threads: bool,
    directory: PathBuf,
}

fn arguments() -> Arguments {
    let mut arguments = Arguments {
        events: 1_000_000,
        uuid: false,
        threads: false,
        directory: PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
    };
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "uuid" => arguments.uuid = true,
            "threads" => arguments.threads = true,
            // Cargo's own.
            "--bench" => {}
            other => match (other.strip_prefix("directory="), other.parse()) {
                (Some(directory), _) => arguments.directory = directory.into(),
                (None, Ok(events)) => arguments.events = events,
                (None, Err(_)) => {
                    panic!("`{other}` is no argument; see the header of the benchmark")
                }
            },
        }
    }
    arguments
}

fn main() {
    let arguments = arguments();
    let ids = if arguments.uuid {
        "random UUIDs"
    } else {
        "`order-` and eight digits"
    };
    let threads = if arguments.threads {
        "one for each hop"
    } else {
        "1"
    };
    println!(
        "five-hop traces, message ids: {ids}; sending threads: {threads}; directory: {}",
        arguments.directory.display()
    );
    let started = Instant::now();
    let frames = record(&arguments);
    let events: u64 = frames
        .iter()
        .map(|frame| u64::from(frame.header().events))
        .sum();
    let wire: usize = frames.iter().map(|frame| frame.bytes().len()).sum();
    println!(
        "{events} events in {} frames, {:.1} B an event on the wire (zstd 1), recorded in {:.1} s",
        frames.len(),
        wire as f64 / events as f64,
        started.elapsed().as_secs_f64()
    );
    let decoding = Instant::now();
    let admitted: Vec<Admitted> = frames.iter().map(admit).collect();
    let memory: usize = admitted.iter().map(|one| one.batch.memory_bytes()).sum();
    println!(
        "decoded at {:.2} M events/s, {:.0} B an event in memory",
        rate(events, decoding.elapsed()),
        memory as f64 / events as f64
    );
    for group in [1, 4, 16, 64] {
        let directory = Fresh::new(&arguments.directory);
        commit_all(&directory.0, &admitted, group, events);
    }
    let directory = Fresh::new(&arguments.directory);
    seal(&directory.0, admitted, events);
    columns(&directory.0, events);
    ask(&directory.0, events);
    println!("resident at most {} MB", resident("VmHWM:") / 1_000);
}

fn rate(events: u64, elapsed: Duration) -> f64 {
    events as f64 / elapsed.as_secs_f64() / 1e6
}

/// kB, from the line of `/proc/self/status` that begins so; 0 where there is no such file.
fn resident(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line));
    found
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// CPU time of this process, to a hundredth of a second; 0 where the system does not tell.
fn cpu_seconds() -> f64 {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // What stands before is the name, which may hold anything.
    let fields = status.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

/// A directory that goes with it.
struct Fresh(PathBuf);

impl Fresh {
    fn new(under: &Path) -> Self {
        let path = under.join(format!("store-bench-{}", std::process::id()));
        let _none_there = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the directory can be written");
        Self(path)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

/// A sink that seals, as the client does.
struct Capture {
    sealer: Sealer,
    frames: Arc<Mutex<Vec<Frame>>>,
}

impl Sink for Capture {
    fn name(&self) -> &str {
        "capture"
    }

    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let number = frames.len() as u64 + 1;
        let sealed = self.sealer.seal_split(batch, 1, number);
        frames.extend(sealed.expect("zstd has memory").frames);
        Ok(())
    }
}

fn record(arguments: &Arguments) -> Vec<Frame> {
    let frames = Arc::new(Mutex::new(Vec::new()));
    let level = Level::new(1).expect("zstd has level 1");
    let config = TracingConfig {
        batch_size: 8_192,
        batch_timeout: Duration::from_secs(1),
        ..TracingConfig::default()
    };
    let guard = reflow_trace::builder()
        .config(config)
        .sink(Capture {
            sealer: Sealer::new(Some(level), BatchLimits::default()),
            frames: frames.clone(),
        })
        .ring_capacity(4 * BURST)
        .start()
        .expect("nothing else is recording");
    let edges = HOPS.map(|[from, out, to, input]| Edge::new(from, out, to, input));
    let mut random = fastrand::Rng::with_seed(1);
    let mut number = 0;
    let hop = |edge: &Edge, order: Order| {
        let sent = reflow_trace::send(edge, order, Ok::<_, std::convert::Infallible>);
        sent.unwrap_or_else(|never| match never {})
    };
    while number * HOPS.len() < arguments.events {
        let mut orders: Vec<Order> = (0..BURST / HOPS.len())
            .map(|_| {
                number += 1;
                Order {
                    id: if arguments.uuid {
                        uuid::Uuid::from_u128(random.u128(..)).to_string()
                    } else {
                        format!("order-{number:08}")
                    },
                    context: Context::default(),
                }
            })
            .collect();
        if arguments.threads {
            // Message by message through all stages, each of which is a thread.
            std::thread::scope(|scope| {
                let (first, mut inbox) = std::sync::mpsc::channel();
                for edge in &edges {
                    let (outbox, next) = std::sync::mpsc::channel();
                    let from = std::mem::replace(&mut inbox, next);
                    scope.spawn(move || {
                        for order in from {
                            let _last = outbox.send(hop(edge, order));
                        }
                    });
                }
                for order in orders.drain(..) {
                    let _running = first.send(order);
                }
                drop(first);
                assert_eq!(inbox.iter().count(), BURST / HOPS.len());
            });
        } else {
            for mut order in orders {
                for edge in &edges {
                    order = hop(edge, order);
                }
                std::hint::black_box(order.id);
            }
        }
        guard
            .flush(Duration::from_secs(10))
            .expect("the sink keeps up");
    }
    drop(guard);
    std::mem::take(&mut *frames.lock().unwrap_or_else(PoisonError::into_inner))
}

fn admit(frame: &Frame) -> Admitted {
    let batch = WireBatch::decode(frame, &BatchLimits::default()).expect("it was sealed just now");
    Admitted {
        frame: frame.clone(),
        batch: Arc::new(batch),
    }
}

fn settings(directory: &Path) -> Settings {
    Settings {
        tail_events_max: u64::MAX,
        tail_bytes_max: u64::MAX,
        ..Settings::new(directory)
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime can be made").block_on(future)
}

fn commit_all(directory: &Path, admitted: &[Admitted], group: usize, events: u64) {
    let store = EmbeddedStore::open(settings(directory)).expect("the directory can be used");
    let started = Instant::now();
    let mut slowest = Duration::ZERO;
    block_on(async {
        for group in admitted.chunks(group) {
            let began = Instant::now();
            store.commit(group.to_vec()).await.expect("there is room");
            slowest = slowest.max(began.elapsed());
        }
    });
    println!(
        "committed in groups of {group:>2} frames: {:>6.2} M events/s durable, slowest group {:>5.1} ms",
        rate(events, started.elapsed()),
        slowest.as_secs_f64() * 1e3
    );
}

fn seal(directory: &Path, admitted: Vec<Admitted>, events: u64) {
    let store = EmbeddedStore::open(settings(directory)).expect("the directory can be used");
    block_on(async {
        for group in admitted.chunks(16) {
            store.commit(group.to_vec()).await.expect("there is room");
        }
    });
    drop(admitted);
    let waiting = resident("VmRSS:");
    let (started, worked) = (Instant::now(), cpu_seconds());
    let report = block_on(store.seal_all(0)).expect("there is room");
    let elapsed = started.elapsed();
    let stats = store.stats();
    println!(
        "sealed at {:.2} M events/s ({:.0} ns of CPU an event) into {} segments (seal_events {}), {:.2} B an event on the disk",
        rate(events, elapsed),
        (cpu_seconds() - worked) * 1e9 / events as f64,
        report.sealed_segments,
        Settings::new(directory).seal_events,
        stats.segment_bytes as f64 / events as f64
    );
    println!(
        "database afterwards {:.1} MB; resident {} MB with all in the tail, {} MB sealed",
        stats.database_bytes as f64 / 1e6,
        waiting / 1_000,
        resident("VmRSS:") / 1_000
    );
    drop(store);
    let started = Instant::now();
    let settings = Settings {
        seal_events: 100_000,
        merge_fan: 0,
        ..settings(&directory.join("small"))
    };
    let _small = EmbeddedStore::open(settings).expect("the directory can be used");
    println!(
        "an empty store opened in {:.1} ms",
        started.elapsed().as_secs_f64() * 1e3
    );
}

/// Bytes of each column over all segments.
fn columns(directory: &Path, events: u64) {
    let mut sizes: BTreeMap<String, (u64, u64, String)> = BTreeMap::new();
    let mut files = 0;
    let entries = std::fs::read_dir(directory.join("segments")).expect("it is there");
    for entry in entries {
        let file = std::fs::File::open(entry.expect("it is there").path()).expect("it is there");
        files += file.metadata().expect("it is there").len();
        let reader = SerializedFileReader::new(file).expect("it is Parquet");
        for group in reader.metadata().row_groups() {
            for column in group.columns() {
                let bloom = column.bloom_filter_length().unwrap_or(0).unsigned_abs();
                let encodings: Vec<_> = column.encodings().map(|one| format!("{one}")).collect();
                let size = sizes.entry(column.column_path().string()).or_default();
                size.0 += column.compressed_size().unsigned_abs();
                size.1 += u64::from(bloom);
                size.2 = encodings.join(" ");
            }
        }
    }
    println!(
        "{:<18} {:>9} {:>9}   encodings",
        "column", "B/event", "bloom"
    );
    let mut all = 0;
    for (name, (bytes, bloom, encodings)) in &sizes {
        all += bytes + bloom;
        println!(
            "{name:<18} {:>9.3} {:>9.3}   {encodings}",
            *bytes as f64 / events as f64,
            *bloom as f64 / events as f64
        );
    }
    println!(
        "{:<18} {:>9.3}",
        "indexes, footer",
        (files - all) as f64 / events as f64
    );
}

fn ask(directory: &Path, events: u64) {
    let store = EmbeddedStore::open(settings(directory)).expect("the directory can be used");
    let view = store.view();
    let started = Instant::now();
    let sums = view.rollup(TimeRange::ALL).expect("the sums can be read");
    println!(
        "totals from roll-ups: {} cells in {:.2} ms",
        sums.cells().len(),
        started.elapsed().as_secs_f64() * 1e3
    );
    let started = Instant::now();
    let read = view
        .events(TimeRange::ALL)
        .filter(|event| event.is_ok())
        .count();
    assert_eq!(read as u64, events, "every event comes back");
    println!(
        "all events as `TraceEvent`s at {:.2} M/s",
        rate(events, started.elapsed())
    );
}
