//! The sink that sends batches to a server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::driver::{self, AGENT, Connector, Shared};
use super::machine::{Account, Machine, Settings, SpoolSettings, Status};
use super::spool::{RealDisk, Spool};
use crate::collector::Batch;
use crate::ledger::LossReason;
use crate::runtime::{InitError, ServerOptions, ServerToken, ServerUrl, variable};
use crate::sink::{Progress, Sink, SinkError};
use crate::wire::frame::{Hello, Level, PROTOCOL_VERSION};
use crate::wire::{BatchLimits, Sealer};

/// How long a sink that is dropped outside a recording waits for its thread.
const DROP_WAIT: Duration = Duration::from_secs(1);

/// Sends every batch to a server, until the server says that it is durably stored.
///
/// What is not acknowledged waits in memory, and in a directory where one is given; see
/// [`client`](crate::client). The connection is made and kept by a thread of the sink's own; nothing here
/// waits for the network.
///
/// # Examples
///
/// ```no_run
/// use reflow_trace::ServerSink;
///
/// let server = ServerSink::builder("ws://localhost:8080")
///     .spool("/var/spool/my-service")
///     .start()?;
/// let guard = reflow_trace::builder().sink(server).start()?;
/// # Ok::<(), reflow_trace::InitError>(())
/// ```
pub struct ServerSink {
    shared: Arc<Shared>,
    sealer: Sealer,
    stream: u64,
    next_number: u64,
    has_introduced_itself: bool,
}

/// How a [`ServerSink`] is to work.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `start`"]
pub struct ServerSinkBuilder {
    url: String,
    options: ServerOptions,
    is_compressed: bool,
}

/// What a [`ServerSink`] is doing, and what became of what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerStatus {
    /// What it is doing.
    pub status: Status,
    /// What became of what it took.
    pub account: Account,
}

/// Looks at a [`ServerSink`] that has been given away.
#[derive(Clone)]
pub struct ServerWatch {
    shared: Arc<Shared>,
}

impl ServerSink {
    /// A sink for the server at `ws://host:port` or `wss://host:port`.
    pub fn builder(url: impl Into<String>) -> ServerSinkBuilder {
        ServerSinkBuilder {
            url: url.into(),
            options: ServerOptions::default(),
            is_compressed: true,
        }
    }

    /// A window into the sink, to be kept when the sink is given to a recording.
    pub fn watch(&self) -> ServerWatch {
        ServerWatch {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl ServerWatch {
    /// What the sink is doing now.
    pub fn now(&self) -> ServerStatus {
        self.shared.look(|machine| ServerStatus {
            status: machine.status(),
            account: machine.account().clone(),
        })
    }
}

impl ServerSinkBuilder {
    /// Replaces all options.
    pub fn options(mut self, options: ServerOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets [`ServerOptions::token`].
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.options.token = Some(ServerToken::new(token));
        self
    }

    /// Sets [`ServerOptions::ca_file`].
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.options.ca_file = Some(file.into());
        self
    }

    /// Sets [`ServerOptions::spool`].
    pub fn spool(mut self, directory: impl Into<PathBuf>) -> Self {
        self.options.spool = Some(directory.into());
        self
    }

    /// Whether batches are compressed; see
    /// [`TracingConfig::enable_compression`](crate::TracingConfig::enable_compression).
    pub fn compression(mut self, is_compressed: bool) -> Self {
        self.is_compressed = is_compressed;
        self
    }

    /// Starts the thread that connects. Whether there is a server is found out later, and again and again.
    ///
    /// # Errors
    ///
    /// When the address is not understood, an option is out of range, the file of certificates cannot be
    /// read, or a token would go over the network in clear.
    pub fn start(self) -> Result<ServerSink, InitError> {
        let Self {
            url,
            options,
            is_compressed,
        } = self;
        options.validate(&url)?;
        let address = ServerUrl::parse(&url)?;
        let limits = BatchLimits::default();
        let settings = Settings {
            window_bytes_max: options.window_bytes_max,
            spool: options.spool.as_ref().map(|_| SpoolSettings {
                bytes_max: options.spool_bytes_max,
                ..SpoolSettings::default()
            }),
            spool_after: options.spool_after,
            connect_timeout: options.connect_timeout,
            reconnect_first: options.reconnect_first,
            reconnect_max: options.reconnect_max,
            frames: limits.frame.clone(),
            ..Settings::default()
        };
        let connector = Connector::new(
            address,
            options.token,
            options.ca_file.as_deref(),
            limits.frame.frame_bytes_max(),
        )
        .map_err(|error| InitError::Server(error.into()))?;
        let [stream, seed] = drawn();
        let hello = hello(stream);
        let shared = Arc::new(Shared::new(Machine::new(settings, hello, seed)));
        let spool = options
            .spool
            .map(|directory| Spool::new(RealDisk::new(directory), stream, limits.frame.clone()));
        if cfg!(feature = "enable") {
            driver::start(Arc::clone(&shared), connector, spool).map_err(InitError::Thread)?;
        }
        Ok(ServerSink {
            shared,
            sealer: Sealer::new(is_compressed.then_some(Level::FAST), limits),
            stream,
            next_number: 1,
            has_introduced_itself: false,
        })
    }
}

impl Sink for ServerSink {
    fn name(&self) -> &str {
        "server"
    }

    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        if !self.has_introduced_itself {
            self.has_introduced_itself = true;
            let producer = batch.producer().bits();
            self.shared.introduce(|hello| hello.producer = producer);
        }
        let sealed = self
            .sealer
            .seal_split(batch, self.stream, self.next_number)?;
        for (reason, events) in [
            (LossReason::TooLarge, sealed.too_large),
            (LossReason::Corrupt, sealed.corrupt),
        ] {
            if events > 0 {
                self.shared.lose(reason, events);
            }
        }
        for frame in sealed.frames {
            self.next_number = frame.header().number + 1;
            self.shared.take(frame);
        }
        Ok(())
    }

    fn progress(&self) -> Option<Arc<dyn Progress>> {
        Some(Arc::clone(&self.shared) as Arc<dyn Progress>)
    }
}

impl Drop for ServerSink {
    /// Of use only where no recording has ended it: then it ends now, and keeps what the spool takes.
    fn drop(&mut self) {
        let has_ended = self.shared.look(|machine| machine.status().is_ended);
        if cfg!(feature = "enable") && !has_ended {
            let deadline = Instant::now() + DROP_WAIT;
            self.shared.end_by(deadline);
            let _in_time = self.shared.wait_for_end(deadline + DROP_WAIT);
        }
    }
}

impl std::fmt::Debug for ServerSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerSink")
            .field("stream", &format_args!("{:016x}", self.stream))
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ServerWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.now().fmt(f)
    }
}

/// Two random numbers that are not 0.
fn drawn() -> [u64; 2] {
    let bits = uuid::Uuid::new_v4().as_u128();
    // The fixed bits of a UUID are few, and not the same in both halves.
    [bits as u64 ^ (bits >> 64) as u64, (bits >> 64) as u64].map(|number| number.max(1))
}

fn hello(stream: u64) -> Hello {
    let program = std::env::current_exe().ok();
    let program = program
        .as_deref()
        .and_then(|path| path.file_name())
        .map(|name| name.to_string_lossy().chars().take(200).collect());
    Hello {
        protocol: PROTOCOL_VERSION,
        agent: AGENT.to_owned(),
        program: program.unwrap_or_default(),
        host: host().unwrap_or_default(),
        process_id: std::process::id(),
        stream,
        producer: 0,
    }
}

/// The name of this machine, where the system tells it in a file or a variable.
fn host() -> Option<String> {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let told = told.filter(|name| !name.trim().is_empty());
    let told = told.or_else(|| variable("HOSTNAME")?.into_string().ok());
    let told = told.or_else(|| variable("COMPUTERNAME")?.into_string().ok())?;
    Some(told.trim().chars().take(200).collect())
}
