//! How long an event takes from its send to a subscriber, and what subscribers that stop reading cost ingest.
//!
//! ```text
//! cargo build --release -p reflow-trace-durability --features sql --bins
//! cargo run --release -p reflow-trace-durability --features sql --bin live             # three minutes, both cores
//! cargo run --release -p reflow-trace-durability --features sql --bin live -- --quick
//! ```
//!
//! The server, the traced program and the client that only sends are processes of their own, the latter two
//! those of `ingest`. Subscribers are threads of this process that read Reflow's notifications from raw sockets;
//! on a machine of two cores they compete with the server, and a row says how many there were.
//!
//! A latency is from the timestamp of an event, which is taken before its send, to the moment at which a
//! subscriber has read its notification: so it holds the batch timeout of the program (50 ms, the default, so
//! 25 ms in the mean), the commit to the disk, and both sockets.

mod subscriber;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use reflow_trace_durability::process::ServerProcess;
use serde_json::Value;
use tempfile::TempDir;

use subscriber::{Crowd, Seen};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// As the issue asks.
const RATE: u64 = 50_000;
const CROWD: usize = 100;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (seconds, rounds) = match words.as_slice() {
        [] => (10, 3),
        ["--quick"] => (3, 1),
        _ => return Err("`--quick`, or nothing".into()),
    };
    println!(
        "load before: {}",
        std::fs::read_to_string("/proc/loadavg")?.trim()
    );
    println!("server and traced program with their defaults, batches of at most 50 ms");
    for (wanted, subscribers) in [
        (EVERYTHING, 1),
        (EVERYTHING, 4),
        (ONE_EDGE, 10),
        (SLOW_ONES, CROWD),
    ] {
        latency(wanted, subscribers, seconds)?;
    }
    println!(
        "as fast as the server takes batches that were sealed before, {CROWD} subscribers to one edge"
    );
    let (mut reading, mut deaf) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        reading.push(ingest(CROWD, 0, seconds)?);
        deaf.push(ingest(CROWD / 2, CROWD / 2, seconds)?);
    }
    let alone = ingest(0, 0, seconds)?;
    println!("  nobody subscribes: {:.2} M events/s", alone / 1e6);
    println!("  all read: {}", millions(&reading));
    println!("  half have stopped reading: {}", millions(&deaf));
    println!(
        "  half have stopped, against all read: {:+.1} %",
        (median(&deaf) / median(&reading) - 1.0) * 100.0
    );
    println!(
        "load after: {}",
        std::fs::read_to_string("/proc/loadavg")?.trim()
    );
    Ok(())
}

/// What subscribers ask for.
#[derive(Clone, Copy)]
struct Wanted {
    what: &'static str,
    filters: &'static str,
}

const EVERYTHING: Wanted = Wanted {
    what: "everything",
    filters: "{}",
};
const ONE_EDGE: Wanted = Wanted {
    what: "one edge of five",
    filters: r#"{"event_types":[{"DataFlow":{"to_actor":"pricing","to_port":"*"}}]}"#,
};
const SLOW_ONES: Wanted = Wanted {
    what: "what took longer than 1 µs",
    filters: r#"{"performance_filter":"execution_time_ns > 1us"}"#,
};

/// A server on a directory of its own.
struct Served {
    process: ServerProcess,
    _directory: TempDir,
}

impl Served {
    fn start() -> Result<Self, Failure> {
        // Beside the programs: `/tmp` may be memory, and a commit there costs nothing.
        let program = std::env::current_exe()?;
        let directory = tempfile::tempdir_in(program.parent().unwrap_or(Path::new(".")))?;
        let server = program.with_file_name("durability-server");
        let process = ServerProcess::start(&server, directory.path(), &[]);
        Ok(Self {
            process,
            _directory: directory,
        })
    }

    fn address(&self) -> SocketAddr {
        self.process.address()
    }
}

fn latency(wanted: Wanted, subscribers: usize, seconds: u64) -> Result<(), Failure> {
    let server = Served::start()?;
    let crowd = Crowd::gather(server.address(), wanted.filters, subscribers, 0)?;
    let recorded = child(
        server.address(),
        &["record", "server"],
        &[seconds.to_string(), RATE.to_string()],
    )?;
    let attempted = recorded["attempted"].as_u64().unwrap_or(0);
    let stored = recorded["stored"].as_u64().unwrap_or(0);
    let Seen {
        mut latencies_us,
        gaps,
    } = crowd.disperse();
    latencies_us.sort_unstable();
    let at = |share: f64| {
        let last = latencies_us.len().saturating_sub(1);
        let place = (last as f64 * share) as usize;
        latencies_us.get(place).map_or(0.0, |us| *us as f64 / 1e3)
    };
    println!(
        "{subscribers} of {}, {RATE} events/s for {seconds} s ({attempted} attempted, {stored} stored): {} seen, {gaps} gaps; \
         p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, at most {:.1} ms",
        wanted.what,
        latencies_us.len(),
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
    );
    Ok(())
}

/// Events acknowledged in a second.
fn ingest(reading: usize, deaf: usize, seconds: u64) -> Result<f64, Failure> {
    let server = Served::start()?;
    let crowd = Crowd::gather(server.address(), ONE_EDGE.filters, reading, deaf)?;
    let sent = child(
        server.address(),
        &["sealed"],
        &["sequential".to_owned(), seconds.to_string()],
    )?;
    drop(crowd);
    let events = sent["events"].as_f64().unwrap_or(0.0);
    let took = sent["seconds"].as_f64().ok_or("no time was taken")?;
    Ok(events / took)
}

/// Runs `ingest` in one of its roles; what it says.
fn child(server: SocketAddr, role: &[&str], words: &[String]) -> Result<Value, Failure> {
    let program = std::env::current_exe()?.with_file_name("ingest");
    let output = Command::new(&program)
        .args(role)
        .arg(format!("ws://{server}"))
        .args(words)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{}`: {error}: build the package first", program.display()))?;
    let text = String::from_utf8(output.stdout)?;
    let last = text.lines().last().ok_or("it said nothing")?;
    Ok(serde_json::from_str(last)?)
}

fn median(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn millions(rates: &[f64]) -> String {
    let each: Vec<_> = rates
        .iter()
        .map(|rate| format!("{:.2}", rate / 1e6))
        .collect();
    format!(
        "{:.2} M events/s, the median of {}",
        median(rates) / 1e6,
        each.join(", ")
    )
}
