//! `reflow-trace` as the tests of this package find it; all of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    reflow_trace_server::command::run(std::env::args_os())
}
