//! How a recording is configured.

use std::path::PathBuf;
use std::time::Duration;

use super::{ContentLimits, InvalidServerUrl, ServerOptions};
use crate::message::CONTENT_BYTES_MAX;
use crate::sampling::{DataFlowSampler, InvalidSampleRate};

/// What to do with an event when its thread's ring is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// Drop it and count it as lost. The program never waits.
    #[default]
    DropNewest,
    /// Overwrite the oldest events and count them as lost, as a flight recorder does.
    OverwriteOldest,
    /// Wait for room, at most this long, then drop and count. For audits and tests: the program waits.
    Wait(Duration),
}

/// The configuration of a recording.
///
/// # From outside
///
/// These variables override, so that a program can be traced without touching its code.
///
/// | variable | value | what it does |
/// | --- | --- | --- |
/// | `REFLOW_TRACE` | `off`, `0`, `false` | no recording, whatever the program says |
/// | | `file:PATH` | records, and writes events to this [`file`](Self::file) |
/// | | `ws://HOST:PORT`, `wss://HOST:PORT` | records, and sends events to this server, [`server_url`](Self::server_url); needs the feature `client` |
/// | `REFLOW_TRACE_CONTENT` | `off`, or a list such as `256,-Login` | less captured content than [`content`](Self::content) permits |
/// | `REFLOW_TRACE_TOKEN` | a token | [`ServerOptions::token`] |
/// | `REFLOW_TRACE_CA_FILE` | a path | [`ServerOptions::ca_file`] |
/// | `REFLOW_TRACE_SPOOL` | a directory, or `off` | [`ServerOptions::spool`] |
/// | `REFLOW_TRACE_SPOOL_BYTES` | bytes, such as `500MiB` | [`ServerOptions::spool_bytes_max`] |
/// | `REFLOW_TRACE_WINDOW_BYTES` | bytes, such as `32MiB` | [`ServerOptions::window_bytes_max`] |
/// | `REFLOW_TRACE_COMPRESSION` | `on`, `off` | [`enable_compression`](Self::enable_compression) |
///
/// A variable that is empty is not set. The last six are about the server, whether it is named from outside
/// or in the program. What is wrong in
/// a variable is said on stderr, in one line. With a wrong `REFLOW_TRACE` nothing is recorded, with a wrong
/// variable about the server no events go to it; the program runs.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use reflow_trace::TracingConfig;
///
/// let config = TracingConfig {
///     enabled: true,
///     batch_size: 500,
///     batch_timeout: Duration::from_millis(100),
///     ..Default::default()
/// };
/// let guard = reflow_trace::init(config)?;
/// # Ok::<(), reflow_trace::InitError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TracingConfig {
    /// Whether to record at all. Off, everything else is still checked.
    pub enabled: bool,
    /// A file to which every event is appended as a line of JSON; created, or emptied, at start;
    /// continued where this process has written it before.
    pub file: Option<PathBuf>,
    /// A server to which every event is sent, `ws://host:port` or `wss://host:port`; it need not be there.
    /// Default empty: none. Needs the feature `client`.
    pub server_url: String,
    /// Compress the batches for the server with zstd, at its fastest level. Default `true`: it is done on a
    /// thread that nobody waits for, and the network and the spool have less to carry.
    pub enable_compression: bool,
    /// How events go to the server, and how what it has not acknowledged is kept.
    pub server: ServerOptions,
    /// Events after which a batch goes to the sinks without waiting for more; 1 to 8 192. A backlog
    /// goes in batches of up to 8 192 whatever this says. Default 1 000.
    pub batch_size: usize,
    /// Longest time that an event waits for its batch to fill; 1 ms to 1 h. Default 50 ms.
    pub batch_timeout: Duration,
    /// Slots of 64 bytes per recording thread, rounded up to a power of two; 64 to 2²⁰. An event takes
    /// one, and more with attributes. Default 4 096, which is 256 KiB.
    pub ring_capacity: usize,
    /// Most threads that record at one time; 1 to 4 194 303. Default 1 024.
    pub rings_max: usize,
    /// What to do when a ring is full.
    pub overflow: Overflow,
    /// Most events recorded by hand that wait for the collector. Default 4 096.
    pub manual_queue_max: usize,
    /// Most bytes that wait for one slow sink; what would exceed them is lost for that sink and
    /// counted. Default 16 MiB.
    pub sink_queue_bytes_max: usize,
    /// Rules by actor names above the policies of the message types. A rate here and one at the type:
    /// the smaller holds. Default none.
    pub sampler: Option<DataFlowSampler>,
    /// What of the content of messages may be captured, where their types ask for it.
    pub content: ContentLimits,
    /// How long a [`Guard`](crate::Guard) that is dropped waits for the sinks; for a server, until it has
    /// acknowledged everything. What it has not by then goes to the spool, at once where there is no
    /// connection; without a spool it is lost. Default 5 s.
    pub shutdown_timeout: Duration,
}

impl Default for TracingConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            file: None,
            server_url: String::new(),
            enable_compression: true,
            server: ServerOptions::default(),
            batch_size: 1_000,
            batch_timeout: Duration::from_millis(50),
            ring_capacity: 4_096,
            rings_max: 1_024,
            overflow: Overflow::default(),
            manual_queue_max: 4_096,
            sink_queue_bytes_max: 16 << 20,
            sampler: None,
            content: ContentLimits::default(),
            shutdown_timeout: Duration::from_secs(5),
        }
    }
}

/// Why a recording did not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// There can be one recording in a process.
    #[error("a recording is under way: drop its guard before another is started")]
    AlreadyRunning,
    /// A number is out of range.
    #[error("`{field}` is {value}: choose {range}")]
    OutOfRange {
        /// The field of [`TracingConfig`].
        field: &'static str,
        /// What it was.
        value: String,
        /// What it may be.
        range: &'static str,
    },
    /// The sampler's rate is no probability.
    #[error(transparent)]
    Sampler(#[from] InvalidSampleRate),
    /// The file cannot be written.
    #[error("cannot write events to `{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address of the server is not understood.
    #[error(transparent)]
    ServerUrl(#[from] InvalidServerUrl),
    /// Everybody on the way could read the token.
    #[error(
        "`server.token` would go over the network in clear: use `wss://`, or say that it may with `server.token_in_clear`"
    )]
    TokenInClear,
    /// What the connection to the server needs is not there.
    #[error("cannot send events to a server: {0}")]
    Server(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is asked for is not compiled in.
    #[error(
        "`{field}` is set, and `reflow-trace` is compiled without the feature that it needs: add `features = [\"{feature}\"]`"
    )]
    FeatureMissing {
        /// The field of [`TracingConfig`].
        field: &'static str,
        /// The feature.
        feature: &'static str,
    },
    /// The variable `REFLOW_TRACE` makes no sense.
    #[error(transparent)]
    Environment(#[from] super::InvalidEnvironment),
    /// A thread could not be started.
    #[error("cannot start the collector thread: {0}")]
    Thread(std::io::Error),
}

impl TracingConfig {
    pub(super) fn validate(&self) -> Result<(), InitError> {
        let hour = Duration::from_secs(3600);
        within("batch_size", self.batch_size, 1..=8_192, "1 to 8192 events")?;
        within(
            "batch_timeout",
            self.batch_timeout,
            Duration::from_millis(1)..=hour,
            "1 ms to 1 h",
        )?;
        within(
            "ring_capacity",
            self.ring_capacity,
            64..=1 << 20,
            "64 to 1048576 slots",
        )?;
        within(
            "rings_max",
            self.rings_max,
            1..=(1 << 22) - 1,
            "1 to 4194303 threads",
        )?;
        within(
            "manual_queue_max",
            self.manual_queue_max,
            1..=1 << 20,
            "1 to 1048576 events",
        )?;
        within(
            "sink_queue_bytes_max",
            self.sink_queue_bytes_max,
            1 << 16..=1 << 34,
            "64 KiB to 16 GiB",
        )?;
        within(
            "shutdown_timeout",
            self.shutdown_timeout,
            Duration::ZERO..=hour,
            "0 to 1 h",
        )?;
        within(
            "content.bytes_max",
            self.content.bytes_max,
            1..=CONTENT_BYTES_MAX,
            "1 to 65536 bytes, or `enabled: false`",
        )?;
        if let Some(key) = &self.content.key {
            within(
                "content.key",
                key.len_bytes(),
                16..=1024,
                "a key of 16 to 1024 bytes",
            )?;
        }
        if let Overflow::Wait(bound) = self.overflow {
            within(
                "overflow",
                bound,
                Duration::ZERO..=hour,
                "a wait of 0 to 1 h",
            )?;
        }
        if let Some(sampler) = &self.sampler {
            sampler.validate()?;
        }
        if !self.server_url.is_empty() {
            self.server.validate(&self.server_url)?;
        }
        Ok(())
    }
}

/// Compares a number with its range.
pub(super) fn within<T: PartialOrd + std::fmt::Debug>(
    field: &'static str,
    value: T,
    allowed: std::ops::RangeInclusive<T>,
    range: &'static str,
) -> Result<(), InitError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(InitError::OutOfRange {
        field,
        value: format!("{value:?}"),
        range,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_checked_and_named() {
        type Change = fn(&mut TracingConfig);
        let wrong: [(&str, Change); 18] = [
            ("batch_size", |c| c.batch_size = 0),
            ("batch_size", |c| c.batch_size = 8_193),
            ("batch_timeout", |c| c.batch_timeout = Duration::ZERO),
            ("ring_capacity", |c| c.ring_capacity = 63),
            ("rings_max", |c| c.rings_max = 0),
            ("manual_queue_max", |c| c.manual_queue_max = 0),
            ("sink_queue_bytes_max", |c| c.sink_queue_bytes_max = 1),
            ("content.bytes_max", |c| c.content.bytes_max = 0),
            ("content.bytes_max", |c| c.content.bytes_max = 65_537),
            ("content.key", |c| {
                c.content.key = Some(crate::ContentKey::new(*b"short"));
            }),
            ("overflow", |c| {
                c.overflow = Overflow::Wait(Duration::from_secs(3601))
            }),
            ("server.window_bytes_max", |c| c.server.window_bytes_max = 0),
            ("server.spool_bytes_max", |c| c.server.spool_bytes_max = 0),
            ("server.spool_after", |c| {
                c.server.spool_after = Duration::ZERO
            }),
            ("server.connect_timeout", |c| {
                c.server.connect_timeout = Duration::MAX;
            }),
            ("server.reconnect_max", |c| {
                c.server.reconnect_max = Duration::from_millis(99);
            }),
            ("server.token", |c| {
                c.server.token = Some(crate::ServerToken::new("two\nlines"));
            }),
            ("sample rate", |c| {
                c.sampler = Some(DataFlowSampler {
                    sample_rate: 10.0,
                    ..Default::default()
                })
            }),
        ];
        for (name, change) in wrong {
            let mut config = TracingConfig {
                server_url: "ws://localhost:8080".to_owned(),
                ..TracingConfig::default()
            };
            change(&mut config);
            let error = config.validate().expect_err(name).to_string();
            assert!(error.contains(name) && error.contains("choose"), "{error}");
        }
        assert!(TracingConfig::default().validate().is_ok());
    }

    #[test]
    fn a_token_goes_in_clear_only_where_nobody_is_on_the_way_or_it_is_said_in_words() {
        for (url, token_in_clear, is_fine) in [
            ("ws://localhost:8080", false, true),
            ("wss://trace.example.org", false, true),
            ("ws://trace.example.org", false, false),
            ("ws://trace.example.org", true, true),
        ] {
            let mut config = TracingConfig {
                server_url: url.to_owned(),
                ..TracingConfig::default()
            };
            config.server.token_in_clear = token_in_clear;
            assert!(config.validate().is_ok(), "there is no token");
            config.server.token = Some(crate::ServerToken::new("secret"));
            match config.validate() {
                Ok(()) => assert!(is_fine, "{url}"),
                Err(error) => {
                    assert!(!is_fine, "{url}");
                    assert!(error.to_string().contains("`wss://`"), "{error}");
                }
            }
        }
    }
}
