//! What the attributes cost the build of whoever writes them.
//!
//! The same thousand methods are written as four packages: without an attribute, with ours, with fastrace's and with
//! tracing's. Dependencies are built before; then cargo compiles nothing but each package, in turn and several times,
//! and the CPU time it and its compilers took is compared. At the end each package prints how large its futures are.
//!
//! `build-cost ROUNDS` takes as many rounds as told; everything is written below `target/build-cost`.

mod cargo;
mod cpu;
mod source;
mod table;

use std::io;
use std::process::ExitCode;

use cargo::{Work, Workspace};
use source::Variant;
use table::Table;

const ROUNDS: usize = 7;

fn main() -> ExitCode {
    let rounds = match std::env::args().nth(1).map(|word| word.parse()) {
        None => ROUNDS,
        Some(Ok(rounds)) if rounds > 0 => rounds,
        Some(_) => {
            eprintln!("error: the argument of `build-cost` is a number of rounds, at least 1");
            return ExitCode::from(2);
        }
    };
    match measure(rounds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(rounds: usize) -> io::Result<()> {
    let workspace = Workspace::write()?;
    for variant in Variant::ALL {
        for work in Work::ALL {
            workspace.compile(variant, work)?;
        }
    }
    println!(
        "{} methods, {rounds} rounds, {}; CPU time is user and system, of cargo and its compilers",
        source::METHODS,
        workspace.compiler()?
    );
    let mut tables = Work::ALL.map(Table::new);
    for _ in 0..rounds {
        for (work, table) in Work::ALL.into_iter().zip(&mut tables) {
            for variant in Variant::ALL {
                table.note(variant, workspace.compile(variant, work)?);
            }
        }
    }
    for table in &tables {
        table.print();
    }
    println!("\nbytes of a future, and how many more than plain");
    let sizes = Variant::ALL
        .into_iter()
        .map(|variant| workspace.sizes(variant).map(|sizes| (variant, sizes)))
        .collect::<io::Result<Vec<_>>>()?;
    table::print_sizes(&sizes);
    Ok(())
}
