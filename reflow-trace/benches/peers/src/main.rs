//! The work of the benchmark `record`, traced by other libraries, with what they collect thrown away.
//!
//! `reflow-trace-peers rows ROUNDS` prints a line for each row, `reflow-trace-peers channels ROUNDS` one
//! for each row of channels; `reflow-trace-peers stalled` shows the memory of fastrace when its reporter never comes back.

mod by_fastrace;
mod by_hotpath;
mod by_opentelemetry;
#[path = "../../shared/pairs.rs"]
mod pairs;
#[path = "../../shared/resident.rs"]
mod resident;
#[path = "../../shared/mod.rs"]
#[expect(dead_code, reason = "rows of our own need more of it")]
mod shared;

use shared::Failure;
use shared::rows::{Account, Expect, Row, measure};
use shared::work::{Channel, Full, Load};

/// A connector that keeps the names of its edge as ours does.
struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
    channel: Channel<Load>,
}

impl Connector {
    fn new() -> Self {
        Self {
            from_actor: "sensor_reader".to_owned(),
            from_port: "out".to_owned(),
            to_actor: "validator".to_owned(),
            to_port: "in".to_owned(),
            channel: Channel::new(Load::from(0)),
        }
    }

    #[inline(always)]
    fn put(&self, message: Load) -> Result<(), Full> {
        self.channel.put(message)
    }
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("rows") => rows(arguments.next().ok_or("how many rounds?")?.parse()?),
        Some("channels") => by_hotpath::rows(arguments.next().ok_or("how many rounds?")?.parse()?),
        Some("stalled") => by_fastrace::stalled(),
        _ => Err("`rows ROUNDS`, `channels ROUNDS` or `stalled`?".into()),
    }
}

/// All peers in one process: each has a collector of its own, which sleeps while another is measured.
fn rows(rounds: u32) -> Result<(), Failure> {
    let fastrace = by_fastrace::start();
    let opentelemetry = by_opentelemetry::start()?;
    let mut rows = vec![Row::bare(), Row::floor()];
    rows.extend(by_fastrace::rows());
    rows.push(by_opentelemetry::row());

    let mut attempted = 0;
    measure(rows, rounds, |row| {
        if row.expect == Expect::Recorded {
            attempted += row.sends * row.threads;
        }
        let drained = fastrace.drain() + opentelemetry.drain()?;
        Ok(Account {
            attempted,
            not_sampled: 0,
            // They do not tell what they lose: it is what does not arrive.
            lost: attempted - drained,
            drained,
        })
    })
}
