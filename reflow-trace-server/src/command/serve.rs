//! `reflow-trace serve`.

use std::io::Write as _;
use std::path::PathBuf;

use clap::ArgMatches;

use super::arguments::settings;
use super::signal::Signals;
use super::{Exit, complain};
use crate::config::{ConfigError, ENVIRONMENT_PREFIX, Effective, effective};
use crate::observe::start_log;
use crate::server::{Ending, RunningServer, Server, StartError};

/// Runs the server until a signal ends it.
pub(super) fn run(matches: &ArgMatches) -> Exit {
    let effective = match configuration(matches) {
        Ok(effective) => effective,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Usage;
        }
    };
    if matches.get_flag("print-config") {
        // Whoever does not read to the end does not want to.
        let _cut = write!(std::io::stdout(), "{effective}");
        return Exit::Done;
    }
    start_log(&effective.config.log);
    match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(serve(effective)),
        Err(error) => {
            complain(&format!("the system gives no threads: {error}"));
            Exit::Cut
        }
    }
}

fn configuration(matches: &ArgMatches) -> Result<Effective, ConfigError> {
    let variable = format!("{ENVIRONMENT_PREFIX}CONFIG");
    let file = matches
        .get_one::<String>("config")
        .map(PathBuf::from)
        .or_else(|| {
            std::env::var_os(&variable)
                .filter(|path| !path.to_string_lossy().trim().is_empty())
                .map(PathBuf::from)
        });
    let variables = std::env::vars_os().map(|(name, value)| {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        (text(name), text(value))
    });
    effective(file.as_deref(), variables, settings(matches))
}

async fn serve(effective: Effective) -> Exit {
    // Before anything is started, so that no signal is missed.
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            complain(&format!("cannot listen for signals: {error}"));
            return Exit::Cut;
        }
    };
    let deadline = effective.config.shutdown_deadline;
    let server = match Server::start(effective.config).await {
        Ok(server) => server,
        Err(error) => {
            complain(&error.to_string());
            return match error {
                StartError::Config(_) => Exit::Usage,
                StartError::Listen { .. } => Exit::Listen,
                StartError::Store { .. } => Exit::Store,
            };
        }
    };
    say_where(&server);
    let signal = signals.next().await;
    tracing::info!(
        signal,
        deadline_ms = deadline.as_millis() as u64,
        "stopping; a second signal ends at once"
    );
    tokio::select! {
        ending = server.shutdown(deadline) => match ending {
            Ending::InOrder => Exit::Done,
            Ending::Cut => Exit::Cut,
        },
        signal = signals.next_after_this() => {
            tracing::warn!(signal, "ended at once");
            // Without the destructors that an orderly end would run: they may be what takes so long.
            std::process::exit(Exit::Interrupted as i32)
        }
    }
}

/// One line on standard output, for people and for scripts that asked for any free port.
fn say_where(server: &RunningServer) {
    let mut stdout = std::io::stdout();
    // A reader that is gone does not keep the server from serving.
    let _unread = writeln!(stdout, "listening on {}", server.url()).and_then(|()| stdout.flush());
}
