//! Every setting of the server: what it is, where its value comes from, what is allowed.
//!
//! A value comes from the defaults, else from the file (TOML), else from the environment, else from a
//! flag; the later one wins. A key that nobody knows is an error that points at it. The typed
//! [`Config`] is what the server reads; [`table()`] is what people are told.

mod file;
mod layers;
mod print;
mod quantity;
mod setting;
mod table;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reflow_trace::wire::{BatchLimits, FrameLimits};

pub use layers::{ConfigError, Effective, Origin, effective};
#[cfg(test)]
pub(crate) use print::markdown;
pub(crate) use quantity::parse_time;
pub use setting::{ENVIRONMENT_PREFIX, Kind, Setting, Value};
pub use table::table;

use crate::store::embedded::Settings;

/// The configuration of a server.
///
/// # Examples
///
/// ```
/// use reflow_trace_server::config::Config;
///
/// let mut config = Config::default();
/// config.listen.set_port(0); // any free port
/// config.check()?;
/// # Ok::<(), reflow_trace_server::config::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where to listen; port 0 is any free one.
    pub listen: SocketAddr,
    /// The directory of everything that is stored.
    pub data: PathBuf,
    /// How long an orderly shutdown may take.
    pub shutdown_deadline: Duration,
    /// The certificate, where connections are encrypted.
    pub tls: TlsFiles,
    /// Who may do what.
    pub auth: Auth,
    /// What is safe only where somebody else sees to it.
    pub insecure: Insecure,
    /// Limits of connections and requests.
    pub http: HttpLimits,
    /// Limits of what clients send.
    pub ingest: IngestLimits,
    /// How batches are grouped.
    pub commit: CommitLimits,
    /// How the store keeps what was committed.
    pub store: StoreLimits,
    /// Limits of questions and answers.
    pub query: QueryLimits,
    /// Limits of subscriptions, and of what Reflow's clients say.
    pub live: LiveLimits,
    /// What the server says about itself.
    pub log: Log,
}

/// The files of the certificate. Both or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM, the server's certificate first, then those that vouch for it.
    pub certificate: Option<PathBuf>,
    /// PEM, the private key.
    pub key: Option<PathBuf>,
}

/// Who may do what. As soon as there is one token, every request needs one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// `name:scope+scope:sha256:hex`, as `reflow-trace token new` prints them.
    pub tokens: Vec<String>,
    /// A file with one of those in a line.
    pub tokens_file: Option<PathBuf>,
}

/// What is safe only where somebody else sees to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Insecure {
    /// Listen beyond loopback without tokens.
    pub allow_anyone: bool,
    /// Listen beyond loopback without TLS.
    pub plain_http: bool,
    /// Accept browsers whose Origin is `null`: pages from files and sandboxes, anybody's.
    pub allow_null_origin: bool,
}

/// Limits of connections and requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// Open connections of every kind.
    pub connections_max: usize,
    /// How long a request may take to arrive; also how long a connection may stay without one.
    pub header_timeout: Duration,
    /// The head of a request.
    pub header_bytes_max: usize,
    /// How long an answer may take.
    pub request_timeout: Duration,
    /// How long the other side may take nothing of what is sent to it.
    pub write_timeout: Duration,
    /// How long the beginning of an encrypted connection may take.
    pub tls_timeout: Duration,
    /// Host names that requests may name, beside loopback and the address itself.
    pub hosts: Vec<String>,
    /// Origins that browsers may come from, beside this server and loopback.
    pub origins: Vec<String>,
}

/// Limits of what clients send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestLimits {
    /// Connections that send batches at one time.
    pub sessions_max: usize,
    /// Streams on one connection: its own and those it adopted.
    pub streams_max: usize,
    /// The payload of a frame as it arrives.
    pub frame_bytes_max: usize,
    /// The payload of a frame when unpacked.
    pub plain_bytes_max: usize,
    /// How many times larger the unpacked payload may be.
    pub ratio_max: usize,
    /// Events in a batch.
    pub events_max: usize,
    /// Names in the dictionary of a batch.
    pub names_max: usize,
    /// Edges, message types, thresholds and rings in the dictionary of a batch, of each.
    pub entries_max: usize,
    /// Lines in a snapshot of the exact counters.
    pub counters_max: usize,
    /// Credits: bytes of batches that a connection may have under way.
    pub window_bytes: usize,
    /// Memory for batches of all connections between arrival and commit.
    pub memory_bytes_max: usize,
    /// How long a batch may wait for that memory before it is refused.
    pub memory_wait: Duration,
    /// How long a connection may take to say hello.
    pub hello_timeout: Duration,
    /// How long a connection may be silent before it is asked whether it is there.
    pub ping_interval: Duration,
    /// How long a connection may be silent before it is closed.
    pub idle_timeout: Duration,
}

/// How batches are grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitLimits {
    /// How long a batch may wait for others.
    pub group_wait: Duration,
    /// A group is committed when it holds this much.
    pub group_bytes: usize,
    /// A group is committed when it holds as many batches.
    pub group_batches: usize,
    /// How long a store that is behind is given before batches are refused.
    pub behind_wait: Duration,
    /// How long after a failure the store is tried again.
    pub retry_wait: Duration,
    /// How often the store is asked to seal, retain and sweep.
    pub maintain_interval: Duration,
    /// Committed batches kept for live subscribers that are behind.
    pub live_batches_max: usize,
}

/// How the store keeps what was committed. The fields are those of
/// [`Settings`], which says more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreLimits {
    /// So many events make a segment.
    pub seal_events: u64,
    /// What has waited so long becomes one, however little it is.
    pub seal_after: Duration,
    /// Events that may wait for it.
    pub tail_events_max: u64,
    /// Memory that they may take.
    pub tail_bytes_max: u64,
    /// Segments are merged until they have so many events.
    pub merge_events_max: u64,
    /// What was committed longer ago is retired; zero: never.
    pub retain_for: Duration,
    /// While segments have more bytes, the oldest is retired; 0: never.
    pub retain_bytes: u64,
    /// Memory for the ledgers of producers.
    pub ledger_bytes_max: usize,
    /// Streams whose last number is remembered.
    pub streams_max: u64,
    /// Bytes of the log and the catalogue; 0: what the disk has.
    pub database_bytes_max: u64,
}

/// Limits of questions and answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryLimits {
    /// Questions that are answered at one time.
    pub concurrent_max: usize,
    /// Questions that wait for their turn.
    pub waiting_max: usize,
    /// How long answering may take.
    pub timeout: Duration,
    /// Events in an answer, or in a page of it.
    pub events_max: usize,
    /// Bytes of an answer as JSON.
    pub answer_bytes_max: usize,
    /// Bytes of large answers that were not taken yet, of all askers.
    pub unread_bytes_max: usize,
    /// Connections that ask over a WebSocket.
    pub askers_max: usize,
    /// Questions and subscriptions that such a connection may have open.
    pub asker_open_max: usize,
    /// Rows in the answer to a statement.
    pub sql_rows_max: usize,
    /// Memory that a statement may use.
    pub sql_memory_bytes_max: usize,
}

/// Limits of subscriptions, and of what Reflow's clients say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveLimits {
    /// Open subscriptions.
    pub subscriptions_max: usize,
    /// The newest events that are kept for subscribers, while there are any.
    pub window_events_max: usize,
    /// Their bytes, nearly.
    pub window_bytes_max: usize,
    /// A message of Reflow's protocol, as it arrives and unpacked.
    pub message_bytes_max: usize,
    /// How many times larger a compressed one may become.
    pub ratio_max: usize,
}

/// What the server says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// From which level on.
    pub level: LogLevel,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs, one JSON object a line.
    Json,
}

/// From which level on the log speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// What needs somebody.
    Error,
    /// What may need somebody.
    Warn,
    /// What happens seldom.
    Info,
    /// What happens with each connection.
    Debug,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            data: PathBuf::from("reflow-trace-data"),
            shutdown_deadline: Duration::from_secs(8),
            tls: TlsFiles::default(),
            auth: Auth::default(),
            insecure: Insecure::default(),
            http: HttpLimits::default(),
            ingest: IngestLimits::default(),
            commit: CommitLimits::default(),
            store: StoreLimits::default(),
            query: QueryLimits::default(),
            live: LiveLimits::default(),
            log: Log::default(),
        }
    }
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connections_max: 512,
            header_timeout: Duration::from_secs(10),
            header_bytes_max: 16 << 10,
            request_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            tls_timeout: Duration::from_secs(10),
            hosts: Vec::new(),
            origins: Vec::new(),
        }
    }
}

impl Default for IngestLimits {
    fn default() -> Self {
        Self {
            sessions_max: 256,
            streams_max: 1024,
            frame_bytes_max: 8 << 20,
            plain_bytes_max: 32 << 20,
            ratio_max: 256,
            events_max: 1 << 16,
            names_max: 1 << 19,
            entries_max: 1 << 16,
            counters_max: 1 << 20,
            window_bytes: 16 << 20,
            memory_bytes_max: 256 << 20,
            memory_wait: Duration::from_secs(30),
            hello_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
        }
    }
}

impl Default for CommitLimits {
    fn default() -> Self {
        Self {
            group_wait: Duration::from_millis(1),
            group_bytes: 4 << 20,
            group_batches: 64,
            behind_wait: Duration::from_secs(10),
            retry_wait: Duration::from_secs(1),
            maintain_interval: Duration::from_secs(1),
            live_batches_max: 256,
        }
    }
}

impl Default for StoreLimits {
    fn default() -> Self {
        let settings = Settings::new("");
        Self {
            seal_events: settings.seal_events,
            seal_after: settings.seal_after,
            tail_events_max: settings.tail_events_max,
            tail_bytes_max: settings.tail_bytes_max,
            merge_events_max: settings.merge_events_max,
            retain_for: settings.retain_for.unwrap_or_default(),
            retain_bytes: settings.retain_bytes.unwrap_or_default(),
            ledger_bytes_max: settings.ledger_bytes_max,
            streams_max: settings.streams_max,
            database_bytes_max: settings.database_bytes_max.unwrap_or_default(),
        }
    }
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            concurrent_max: 8,
            waiting_max: 64,
            timeout: Duration::from_secs(10),
            events_max: 10_000,
            answer_bytes_max: 64 << 20,
            unread_bytes_max: 256 << 20,
            askers_max: 256,
            asker_open_max: 64,
            sql_rows_max: 10_000,
            sql_memory_bytes_max: 256 << 20,
        }
    }
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self {
            subscriptions_max: 4_096,
            window_events_max: 1 << 17,
            window_bytes_max: 128 << 20,
            message_bytes_max: 4 << 20,
            ratio_max: 256,
        }
    }
}

impl StoreLimits {
    /// The same as settings of a store in this directory.
    pub(crate) fn settings(&self, directory: &Path) -> Settings {
        let some = |number: u64| (number > 0).then_some(number);
        let mut settings = Settings::new(directory);
        settings.seal_events = self.seal_events;
        settings.seal_after = self.seal_after;
        settings.tail_events_max = self.tail_events_max;
        settings.tail_bytes_max = self.tail_bytes_max;
        settings.merge_events_max = self.merge_events_max;
        settings.retain_for = (!self.retain_for.is_zero()).then_some(self.retain_for);
        settings.retain_bytes = some(self.retain_bytes);
        settings.ledger_bytes_max = self.ledger_bytes_max;
        settings.streams_max = self.streams_max;
        settings.database_bytes_max = some(self.database_bytes_max);
        settings
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: LogLevel::Info,
        }
    }
}

impl IngestLimits {
    /// What a batch may hold.
    pub(crate) fn batch(&self) -> BatchLimits {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        BatchLimits {
            frame: FrameLimits {
                payload_bytes_max: number(self.frame_bytes_max),
                plain_bytes_max: number(self.plain_bytes_max),
                ratio_max: number(self.ratio_max),
            },
            events_max: number(self.events_max),
            names_max: number(self.names_max),
            entries_max: number(self.entries_max),
            counters_max: number(self.counters_max),
        }
    }

    /// What the largest batch takes of `memory_bytes_max`.
    fn largest_batch_memory(&self) -> usize {
        crate::ingest::memory_of(self.frame_bytes_max, self.plain_bytes_max, self.events_max)
    }
}

impl Config {
    /// Checks what no single setting can know: whether they fit each other.
    ///
    /// # Errors
    ///
    /// The first pair of settings that does not fit, and what to do.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &'static str, why: String| Err(ConfigError::unfit(key, why));
        let frame = self.ingest.frame_bytes_max + reflow_trace::wire::frame::FRAME_HEADER_BYTES;
        if self.ingest.window_bytes < frame {
            return wrong(
                "ingest.window_bytes",
                format!(
                    "`ingest.window_bytes` has to hold one frame of `ingest.frame_bytes_max`, {frame} bytes with its header"
                ),
            );
        }
        if self.ingest.plain_bytes_max < self.ingest.frame_bytes_max {
            return wrong(
                "ingest.plain_bytes_max",
                "`ingest.plain_bytes_max` is less than `ingest.frame_bytes_max`".to_owned(),
            );
        }
        let largest = self.ingest.largest_batch_memory();
        if self.ingest.memory_bytes_max < largest {
            return wrong(
                "ingest.memory_bytes_max",
                format!(
                    "`ingest.memory_bytes_max` has to hold the largest batch, {largest} bytes with `ingest.frame_bytes_max`, \
                     `ingest.plain_bytes_max` and `ingest.events_max` as they are"
                ),
            );
        }
        if self.store.tail_events_max < self.store.seal_events {
            return wrong(
                "store.tail_events_max",
                "`store.tail_events_max` is less than `store.seal_events`: no segment would ever be full".to_owned(),
            );
        }
        if self.ingest.ping_interval >= self.ingest.idle_timeout {
            return wrong(
                "ingest.ping_interval",
                "`ingest.ping_interval` has to be less than `ingest.idle_timeout`, else a client that is there is closed"
                    .to_owned(),
            );
        }
        self.check_questions()?;
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return wrong(
                "tls.key",
                "`tls.certificate` and `tls.key` go together: set both or none".to_owned(),
            );
        }
        self.check_exposure()
    }

    /// A question has its whole time, and the largest answer can be given.
    fn check_questions(&self) -> Result<(), ConfigError> {
        if self.http.request_timeout <= self.query.timeout {
            return Err(ConfigError::unfit(
                "http.request_timeout",
                "`http.request_timeout` has to be more than `query.timeout`, else no question has its whole time"
                    .to_owned(),
            ));
        }
        if self.query.unread_bytes_max < self.query.answer_bytes_max {
            return Err(ConfigError::unfit(
                "query.unread_bytes_max",
                "`query.unread_bytes_max` is less than `query.answer_bytes_max`: the largest answer could never be given"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Beyond loopback only with tokens and TLS, unless told otherwise in so many words.
    fn check_exposure(&self) -> Result<(), ConfigError> {
        if self.listen.ip().is_loopback() {
            return Ok(());
        }
        let has_tokens = !self.auth.tokens.is_empty() || self.auth.tokens_file.is_some();
        if !has_tokens && !self.insecure.allow_anyone {
            return Err(ConfigError::unfit(
                "listen",
                format!(
                    "`{}` can be reached from elsewhere and nobody needs a token: set `auth.tokens` or `auth.tokens_file` \
                     (`reflow-trace token new` makes one), listen on `127.0.0.1`, or say `--insecure-allow-anyone`",
                    self.listen
                ),
            ));
        }
        if self.tls.certificate.is_none() && !self.insecure.plain_http {
            return Err(ConfigError::unfit(
                "listen",
                format!(
                    "`{}` can be reached from elsewhere and is not encrypted, so that tokens can be read on the way: set \
                     `tls.certificate` and `tls.key`, listen on `127.0.0.1`, or say `--insecure-plain-http`",
                    self.listen
                ),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
