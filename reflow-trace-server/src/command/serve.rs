//! `reflow-trace serve`.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::ArgMatches;

use super::arguments::settings;
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
        signal = signals.next_after(SAME_SIGNAL) => {
            tracing::warn!(signal, "ended at once");
            // Without the destructors that an orderly end would run: they may be what takes so long.
            std::process::exit(Exit::Interrupted as i32)
        }
    }
}

/// Within this time a second signal is the first one again: `timeout` and some supervisors send each of
/// theirs to the process and to its group.
const SAME_SIGNAL: Duration = Duration::from_millis(500);

/// One line on standard output, for people and for scripts that asked for any free port.
fn say_where(server: &RunningServer) {
    let mut stdout = std::io::stdout();
    // A reader that is gone does not keep the server from serving.
    let _unread = writeln!(stdout, "listening on {}", server.url()).and_then(|()| stdout.flush());
}

impl Signals {
    /// The next signal that comes later than in so long a time.
    async fn next_after(&mut self, pause: Duration) -> &'static str {
        let begun = Instant::now();
        loop {
            let signal = self.next().await;
            if begun.elapsed() > pause {
                return signal;
            }
        }
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => std::future::pending().await,
        }
    }
}
