//! Every check and every measurement of the repository behind one command.
//!
//! `cargo xtask ci` is all that CI does. A check is a row of the table in [`checks`], a measurement
//! a row of the table in [`measurements`]; [`runner`] walks them, [`tools`] looks after what they
//! need beyond cargo. Standard library only, so that the first check starts a second after the clone.

mod checks;
mod command_line;
mod measurements;
mod runner;
mod step;
mod test_counts;
mod tools;

use std::process::ExitCode;

use command_line::{HELP, Request, Selection};
use step::Step;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let request = match command_line::parse(&arguments) {
        Ok(request) => request,
        Err(mistake) => {
            eprintln!("error: {mistake}\n\n`cargo xtask help` tells what there is");
            return ExitCode::from(2);
        }
    };
    match request {
        Request::Help => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Request::Checks(selection) => run(checks::all(), &selection),
        Request::Measurements(selection) => run(measurements::all(), &selection),
    }
}

fn run(steps: Vec<Step>, selection: &Selection) -> ExitCode {
    if selection.list {
        for step in &steps {
            println!("{:<18} {}", step.name, step.why);
        }
        return ExitCode::SUCCESS;
    }
    let chosen = match selection.choose(steps) {
        Ok(chosen) => chosen,
        Err(mistake) => {
            eprintln!("error: {mistake}");
            return ExitCode::from(2);
        }
    };
    if runner::run(&chosen, selection).is_green() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
