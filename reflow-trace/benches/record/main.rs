//! What tracing costs a send: ours, the floor under it, and the same work in other libraries.
//!
//! ```text
//! cargo bench -p reflow-trace --bench record              # some minutes
//! cargo bench -p reflow-trace --bench record -- --quick   # about one, once everything is built
//! ```
//!
//! Traced channels have rows of their own, of pairs of a send and a receive; those of crossbeam and tokio
//! need their features:
//!
//! ```text
//! cargo bench -p reflow-trace --features crossbeam,tokio --bench record -- --only channels
//! ```
//!
//! # How
//!
//! Each row is measured in several processes, and the middle one is printed. A process measures its rows
//! in turns, in bursts of sends that a ring can hold; between bursts the tracer is drained, untimed, and
//! asked where the events have gone. A row is void when one of them is lost. The cost of a row is taken
//! over the bare send, and its ratio over the floor, of the *same process*: two reads of the
//! time-stamp counter and one store of 64 bytes, which is what a record cannot do without.
//!
//! This is a harness of its own because criterion and divan neither print a ratio to another row of the same
//! run, nor void a row for what happened beside the clock, nor leave the drain of each burst untimed.
//!
//! The peers, and the build without the feature `enable`, are packages of their own: cargo unifies features
//! over what one command builds, and nobody who tests reflow-trace should have to compile its peers. They
//! report in lines, as our own processes do.
//!
//! Time is never asserted: a target that is missed is printed as missed.

mod children;
mod line;
mod machine;
mod memory;
mod options;
#[path = "../shared/pairs.rs"]
mod pairs;
#[path = "../shared/resident.rs"]
mod resident;
#[path = "../shared/mod.rs"]
mod shared;
mod table;
mod target;
mod traced;

use children::{Program, compiled_out, peers};
use options::{Child, Options, Order, Part};
use shared::Failure;
use table::Table;

fn main() -> Result<(), Failure> {
    match options::read(std::env::args().skip(1))? {
        Order::Help => println!("{}", options::HELP),
        Order::List => {}
        Order::Try => try_rows()?,
        Order::Measure(options) => measure(&options)?,
        Order::Child(Child::Recording, share) => traced::recording(&share)?,
        Order::Child(Child::Off, share) => traced::off(&share)?,
        Order::Child(Child::Channels, share) => traced::channels::recording(&share)?,
        Order::Child(Child::ChannelsOff, share) => traced::channels::off(&share)?,
        Order::Child(Child::Ring, _) => memory::ring()?,
        Order::Child(Child::Batch, _) => memory::batch()?,
        Order::Child(Child::Kept, _) => memory::kept()?,
        Order::Child(Child::Stalled, _) => memory::stalled()?,
    }
    Ok(())
}

fn measure(options: &Options) -> Result<(), Failure> {
    let (mut timed, mut weighed) = (Vec::new(), Vec::new());
    let own = |child| Program::own(child, options.rounds);
    let peers = options
        .with_peers
        .then(|| peers(options.rounds))
        .transpose()?;
    if options.part != Some(Part::Channels) {
        timed.extend([own(Child::Off)?, own(Child::Recording)?]);
        timed.push(compiled_out(options.rounds)?);
        for child in [Child::Ring, Child::Batch, Child::Kept, Child::Stalled] {
            weighed.push(Program::own(child, 1)?);
        }
    }
    if options.part != Some(Part::Sends) {
        timed.extend([own(Child::ChannelsOff)?, own(Child::Channels)?]);
    }
    if let Some(peers) = peers {
        if options.part != Some(Part::Channels) {
            timed.push(peers.rows);
            weighed.push(peers.stalled);
        }
        if options.part != Some(Part::Sends) {
            timed.push(peers.channels);
        }
    }

    let mut table = Table::default();
    for process in 1..=options.processes {
        for program in &timed {
            eprintln!("process {process} of {}: {program}", options.processes);
            table.add(program.run()?);
        }
    }
    for program in &weighed {
        eprintln!("memory: {program}");
        table.add(program.run()?);
    }
    println!("{}", machine::describe());
    println!("{options}\n");
    println!("{table}");
    Ok(())
}

/// Runs our rows once, to see that they work.
fn try_rows() -> Result<(), Failure> {
    let mut table = Table::default();
    for child in [
        Child::Off,
        Child::Recording,
        Child::ChannelsOff,
        Child::Channels,
    ] {
        table.add(Program::own(child, 1)?.run()?);
    }
    match table.void() {
        Some(row) => Err(format!("the row {row}").into()),
        None => {
            println!("every row works; `cargo bench` measures them");
            Ok(())
        }
    }
}
