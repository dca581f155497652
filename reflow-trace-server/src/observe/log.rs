//! Where log lines go: standard error, as text for people or JSON for programs.

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

use crate::config::{Log, LogFormat, LogLevel};

/// Makes this process write its log as the configuration says. A log that the process has already stays.
///
/// Only the command does this: a server inside somebody's program speaks through that program's log.
pub(crate) fn start(log: &Log) {
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let lines = fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false);
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let started = match log.format {
        LogFormat::Text => lines.with_ansi(is_terminal).finish().try_set(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_set(),
    };
    if started.is_err() {
        tracing::debug!("the process has a log already, which is kept");
    }
}

trait TrySet {
    fn try_set(self) -> Result<(), tracing::subscriber::SetGlobalDefaultError>;
}

impl<S: tracing::Subscriber + Send + Sync + 'static> TrySet for S {
    fn try_set(self) -> Result<(), tracing::subscriber::SetGlobalDefaultError> {
        tracing::subscriber::set_global_default(self)
    }
}
