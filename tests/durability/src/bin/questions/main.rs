//! What questions cost over millions of events: time, rows and pages looked at, memory of the server.
//!
//! ```text
//! cargo run --release -p reflow-trace-durability --features sql --bin questions                # 10 M events
//! cargo run --release -p reflow-trace-durability --features sql --bin questions -- 1000000
//! ```
//!
//! The server is the real one, in a process of its own, and is asked over HTTP as anybody would ask it. A
//! time is that of the whole request, connection and JSON included; what the server counted of its own work is
//! beside it. Message ids are drawn anew for each question, so that nothing answers from a cache.
//!
//! A harness of its own, because what is measured is a process and a disk with millions of events in them.

mod http;

use std::time::{Duration, Instant};

use reflow_trace_durability::load::Failure;
use reflow_trace_durability::load::sealed::{Amount, send};
use reflow_trace_durability::load::server::Measured;
use reflow_trace_durability::load::traffic::HOPS;
use serde_json::{Value, json};

/// How often each question is asked.
const TIMES: usize = 20;
/// How long sealing may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// The specification's, as printed.
const DEPENDENCIES: &str = "\
-- Find most active data flows
SELECT 
    source_actor,
    destination_actor,
    COUNT(*) as message_count,
    AVG(execution_time_ns) as avg_transfer_time,
    SUM(size_bytes) as total_bytes
FROM data_flow_events 
WHERE timestamp > NOW() - INTERVAL '1 hour'
GROUP BY source_actor, destination_actor
ORDER BY message_count DESC;";

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => measure(10_000_000),
        ["--quick"] => measure(200_000),
        // A process of its own, so that its memory is not the server's and not ours.
        ["fill", server, events] => {
            send(server, "sequential", Amount::Events(events.parse()?)).map(drop)
        }
        [events] => measure(events.parse()?),
        _ => Err("a number of events, `--quick`, or nothing".into()),
    }
}

fn measure(events: u64) -> Result<(), Failure> {
    let load = || std::fs::read_to_string("/proc/loadavg");
    println!("load before: {}", load()?.trim());
    let server = Measured::start()?;
    let filling = Instant::now();
    let filled = std::process::Command::new(std::env::current_exe()?)
        .args(["fill", &server.url(), &events.to_string()])
        .status()?;
    if !filled.success() {
        return Err("the server could not be filled".into());
    }
    println!(
        "{events} events, five-hop traces with ids `order-00000001` and so on, stored in {:.1} s",
        filling.elapsed().as_secs_f64()
    );
    settle(&server)?;
    let before = resident(&server);
    let mut dice = fastrand::Rng::with_seed(1);
    let orders = events / HOPS as u64;
    let mut order = || format!("order-{:08}", dice.u64(1..=orders));

    ask(&server, "edges, from roll-ups", || ("edges", json!({})))?;
    ask(&server, "dependencies, from roll-ups", || {
        ("dependencies", json!({}))
    })?;
    ask(&server, "graph as SVG, from roll-ups", || {
        ("graph", json!({}))
    })?;
    ask(&server, "lineage by message id", || {
        ("lineage", json!({"of": {"message_id": order()}}))
    })?;
    ask(&server, "events of a message id", || {
        let filter = format!("message_id = '{}'", order());
        ("query_traces", json!({"query": {"custom_filter": filter}}))
    })?;
    ask(&server, "the 100 newest slow flows", || {
        let query = json!({"performance_filter": "execution_time_ns > 10000000", "limit": 100});
        (
            "query_data_flows",
            json!({"query": query, "newest_first": true}),
        )
    })?;
    ask(&server, "1 000 events of one actor", || {
        let query = json!({"actor_filter": "payment", "limit": 1000});
        ("query_traces", json!({"query": query}))
    })?;
    ask(&server, "missing flows, a page", || {
        ("missing_flows", json!({"query": {"limit": 100}}))
    })?;
    ask(&server, "SQL: the specification's, by scan", || {
        ("sql", json!({"statement": DEPENDENCIES}))
    })?;
    ask(&server, "SQL: exact counters", || {
        let statement = "SELECT source_actor, destination_actor, SUM(messages) FROM edge_counters GROUP BY 1, 2";
        ("sql", json!({"statement": statement}))
    })?;
    ask(&server, "SQL: a message id", || {
        let statement = format!(
            "SELECT timestamp, source_actor, destination_actor FROM data_flow_events WHERE message_id = '{}'",
            order()
        );
        ("sql", json!({"statement": statement}))
    })?;
    println!(
        "server: {before} MB resident before the questions, {} after, at most {}",
        resident(&server),
        most(&server)
    );
    println!("load after: {}", load()?.trim());
    Ok(())
}

/// Waits until what can be sealed is.
fn settle(server: &Measured) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut last = Value::Null;
    // Segments are made and merged for a while after the last event.
    while begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_secs(3));
        let now = http::post(&server.url(), "metrics", &json!({}))?.1;
        let state = json!([now["events"], now["segments"], now["disk_bytes"]]);
        server.look();
        if state == last {
            println!(
                "{} events in {} segments and the tail, {} MB on disk",
                now["events"],
                now["segments"],
                now["disk_bytes"].as_u64().unwrap_or(0) / 1_000_000
            );
            return Ok(());
        }
        last = state;
    }
    Err("the store does not come to rest".into())
}

/// Asks the same kind of question many times.
fn ask(
    server: &Measured,
    what: &str,
    mut question: impl FnMut() -> (&'static str, Value),
) -> Result<(), Failure> {
    let mut times = Vec::new();
    let mut work = Value::Null;
    let mut bytes = 0;
    for _ in 0..TIMES {
        let (name, body) = question();
        let begun = Instant::now();
        let (length, answer) = http::post(&server.url(), name, &body)?;
        times.push(begun.elapsed());
        server.look();
        work = answer["work"].clone();
        bytes = length;
    }
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let number = |key: &str| work[key].as_u64().unwrap_or(0);
    println!(
        "{what:<36} {:>9.2} ms ({:.2} to {:.2}); {} B; segments {} of {}, pages {} of {}, rows {}, events {}, cells {}",
        ms(times[times.len() / 2]),
        ms(times[0]),
        ms(times[times.len() - 1]),
        bytes,
        number("segments_opened"),
        number("segments"),
        number("pages_read"),
        number("pages"),
        number("rows_looked_at"),
        number("events_decoded"),
        number("cells"),
    );
    Ok(())
}

/// Megabytes now.
fn resident(server: &Measured) -> u64 {
    server.look();
    server
        .resident()
        .last()
        .map_or(0, |now| now.bytes / 1_000_000)
}

/// Megabytes at most.
fn most(server: &Measured) -> u64 {
    let all = server.resident();
    all.iter().map(|point| point.bytes).max().unwrap_or(0) / 1_000_000
}
