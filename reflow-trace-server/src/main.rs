//! The program `reflow-trace`. All of it is in the library, in [`reflow_trace_server::command`].

use std::process::ExitCode;

fn main() -> ExitCode {
    reflow_trace_server::command::run(std::env::args_os())
}
