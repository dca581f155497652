//! How many events a second the server takes durably, what each of them weighs, how much memory it all
//! needs, and what the traced program pays meanwhile.
//!
//! ```text
//! cargo run --release -p reflow-trace-durability --bin ingest                 # some minutes, both cores
//! cargo run --release -p reflow-trace-durability --bin ingest -- --quick
//! ```
//!
//! The server and the client are processes of their own, connected over loopback. *Sealed before*: the
//! client has its batches ready and only sends, so that the figure is the server's. *The whole path*: a
//! program that is traced, through ring, collector, sink and socket. An event counts when its acknowledgement
//! is there; a row says under which settings, and what was lost.
//!
//! A harness of its own, because what is measured is two processes and a disk, once.

mod recording;

use std::io::BufRead;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use reflow_trace_durability::load::Failure;
use reflow_trace_durability::load::sealed::{Amount, Sent, send};
use reflow_trace_durability::load::server::{Measured, Resident};

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["sealed", server, ids, seconds] => {
            let sent = send(server, ids, Amount::Seconds(seconds.parse()?))?;
            println!("{}", serde_json::to_string(&sent)?);
            Ok(())
        }
        ["record", mode, server, seconds, rate] => {
            recording::run(mode, server, seconds.parse()?, rate.parse()?)
        }
        [] => measure(10, 60),
        ["--quick"] => measure(3, 6),
        ["--seconds", burst, sustained] => measure(burst.parse()?, sustained.parse()?),
        _ => Err("`--quick`, `--seconds BURST SUSTAINED`, or nothing".into()),
    }
}

/// Everything, one after the other.
fn measure(burst: u64, sustained: u64) -> Result<(), Failure> {
    println!(
        "load before: {}",
        std::fs::read_to_string("/proc/loadavg")?.trim()
    );
    println!(
        "five-hop traces; batches of at most 8 192 events; zstd level 1; server with its defaults but for the directory"
    );
    for ids in [
        "sequential",
        "uuid",
        "sequential, by threads",
        "uuid, by threads",
    ] {
        let server = Measured::start()?;
        let (sent, resident) =
            child::<Sent>(&server, &["sealed", &server.url(), ids, &burst.to_string()])?;
        println!(
            "sealed before, ids {ids}, {:.1} s: {:.2} M events/s acknowledged ({} events, {} batches, 1 connection)",
            sent.seconds,
            sent.events as f64 / sent.seconds / 1e6,
            sent.events,
            sent.batches
        );
        println!(
            "  {:.2} B an event on the wire",
            sent.wire_bytes as f64 / sent.events as f64
        );
        report(&server, &resident);
        let (segments, events) = server.finish()?;
        println!(
            "  {:.2} B an event on the disk, sealed ({segments} B of segments)",
            segments as f64 / events as f64
        );
    }
    let row = |rate| ["record", "server", "", "", rate];
    path(
        "the whole path, as fast as the rings have room",
        burst,
        row("0"),
    )?;
    path(
        "the whole path, a burst at 1 100 000 a second",
        burst,
        row("1100000"),
    )?;
    path(
        "the whole path, sustained at 400 000 a second",
        sustained,
        row("400000"),
    )?;
    println!("what a send costs at 400 000 a second, one thread, five hops a message");
    for mode in ["off", "memory", "server"] {
        let server = Measured::start()?;
        let words = ["record", mode, &server.url(), &burst.to_string(), "400000"];
        let (recorded, _) = child::<recording::Recorded>(&server, &words)?;
        println!(
            "  {mode:>8}: {:.1} ns a send, median of bursts {:.1} ({} sends, {} lost)",
            recorded.ns_per_send, recorded.ns_per_send_median, recorded.attempted, recorded.lost
        );
        drop(server);
    }
    println!(
        "load after: {}",
        std::fs::read_to_string("/proc/loadavg")?.trim()
    );
    Ok(())
}

fn path(what: &str, seconds: u64, words: [&str; 5]) -> Result<(), Failure> {
    let server = Measured::start()?;
    let (url, time) = (server.url(), seconds.to_string());
    let words = [words[0], words[1], &url, &time, words[4]];
    let (recorded, resident) = child::<recording::Recorded>(&server, &words)?;
    println!(
        "{what}, {:.1} s: {:.2} M events/s acknowledged by then, {:.2} M to the last ({} attempted, {} stored, {} lost, \
         {} s more until all was acknowledged); {:.1} ns a send",
        recorded.seconds,
        recorded.stored_in_time as f64 / recorded.seconds / 1e6,
        recorded.stored as f64 / (recorded.seconds + recorded.drain_seconds) / 1e6,
        recorded.attempted,
        recorded.stored,
        recorded.lost,
        recorded.drain_seconds,
        recorded.ns_per_send
    );
    if !recorded.losses.is_empty() {
        println!("  {}", recorded.losses);
    }
    report(&server, &resident);
    let (segments, events) = server.finish()?;
    println!(
        "  {:.2} B an event on the disk, sealed",
        segments as f64 / events as f64
    );
    Ok(())
}

fn report(server: &Measured, client: &[Resident]) {
    println!("  server: {}", curve(&server.resident()));
    println!("  client: {}", curve(client));
}

/// The most, and a few points in between.
fn curve(points: &[Resident]) -> String {
    let most = points.iter().map(|point| point.bytes).max().unwrap_or(0);
    let step = (points.len() / 8).max(1);
    let some: Vec<String> = points
        .iter()
        .step_by(step)
        .map(|point| {
            format!(
                "{:.0} s {} MB",
                point.at.as_secs_f64(),
                point.bytes / 1_000_000
            )
        })
        .collect();
    format!(
        "at most {} MB resident; {}",
        most / 1_000_000,
        some.join(", ")
    )
}

/// Runs this program in another role; what it says, and its memory.
fn child<T: DeserializeOwned>(
    server: &Measured,
    words: &[&str],
) -> Result<(T, Vec<Resident>), Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(words)
        .stdout(Stdio::piped())
        .spawn()?;
    let (id, begun) = (child.id(), Instant::now());
    let mut resident = Vec::new();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        resident.extend(Resident::of(id, begun));
        server.look();
        std::thread::sleep(Duration::from_millis(250));
    };
    if !status.success() {
        return Err(format!("`{}` ended with {status}", words.join(" ")).into());
    }
    let stdout = child.stdout.take().ok_or("it is piped")?;
    let last = std::io::BufReader::new(stdout)
        .lines()
        .last()
        .ok_or("it said nothing")??;
    Ok((serde_json::from_str(&last)?, resident))
}
