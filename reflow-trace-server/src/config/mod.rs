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
use std::path::PathBuf;
use std::time::Duration;

pub use layers::{ConfigError, Effective, Origin, effective};
pub use setting::{ENVIRONMENT_PREFIX, Kind, Setting, Value};
pub use table::table;

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
    /// Names (edges, types, …) in the dictionary of a batch.
    pub names_max: usize,
    /// One name.
    pub name_bytes_max: usize,
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
    /// Bytes of batches that wait for the committer.
    pub queue_bytes_max: usize,
    /// How long after a failure the store is tried again.
    pub retry_wait: Duration,
    /// How often the store is asked to seal, retain and sweep.
    pub maintain_interval: Duration,
    /// Committed batches kept for live subscribers that are behind.
    pub live_batches_max: usize,
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
            frame_bytes_max: 4 << 20,
            plain_bytes_max: 16 << 20,
            ratio_max: 256,
            events_max: 65_536,
            names_max: 65_536,
            name_bytes_max: 4 << 10,
            window_bytes: 8 << 20,
            memory_bytes_max: 256 << 20,
            memory_wait: Duration::from_secs(5),
            hello_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
        }
    }
}

impl Default for CommitLimits {
    fn default() -> Self {
        Self {
            group_wait: Duration::from_millis(2),
            group_bytes: 4 << 20,
            group_batches: 64,
            queue_bytes_max: 64 << 20,
            retry_wait: Duration::from_secs(1),
            maintain_interval: Duration::from_secs(1),
            live_batches_max: 256,
        }
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

impl Config {
    /// Checks what no single setting can know: whether they fit each other.
    ///
    /// # Errors
    ///
    /// The first pair of settings that does not fit, and what to do.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &'static str, why: String| Err(ConfigError::unfit(key, why));
        let frame = self.ingest.frame_bytes_max + reflow_trace::wire::frame::HEADER_BYTES;
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
        let largest = crate::ingest::memory_of(self.ingest.frame_bytes_max, self.ingest.plain_bytes_max);
        if self.ingest.memory_bytes_max < largest {
            return wrong(
                "ingest.memory_bytes_max",
                format!(
                    "`ingest.memory_bytes_max` has to hold the largest batch, {largest} bytes with `ingest.frame_bytes_max` and `ingest.plain_bytes_max` as they are"
                ),
            );
        }
        if self.commit.queue_bytes_max < frame {
            return wrong(
                "commit.queue_bytes_max",
                "`commit.queue_bytes_max` has to hold one frame of `ingest.frame_bytes_max`".to_owned(),
            );
        }
        if self.ingest.ping_interval >= self.ingest.idle_timeout {
            return wrong(
                "ingest.ping_interval",
                "`ingest.ping_interval` has to be less than `ingest.idle_timeout`, else a client that is there is closed"
                    .to_owned(),
            );
        }
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return wrong(
                "tls.key",
                "`tls.certificate` and `tls.key` go together: set both or none".to_owned(),
            );
        }
        self.check_exposure()
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
