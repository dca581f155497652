//! The begin of a recording.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use super::environment::{self, Wish};
use super::{
    CURRENT, ContentLimits, Guard, InitError, OFF, Overflow, Runtime, STATE, TracingConfig, exit,
    state_of,
};
use crate::collector::Collector;
use crate::registry;
use crate::sampling::DataFlowSampler;
use crate::sink::{JsonLinesSink, Sink, SinkWorker};

/// Flushes that may wait for the collector at one time.
const COMMANDS_MAX: usize = 64;

/// Begins a recording as `config` says; it lasts as long as the guard.
///
/// The variable `REFLOW_TRACE` overrides: `off` switches recording off, `file:PATH` switches it on and
/// names the file, `ws://HOST:PORT` switches it on and names the server. `REFLOW_TRACE_CONTENT` takes away from what `config.content` permits: `off`, or a list
/// such as `256,-Login` of a number of bytes and of types. A file from there that cannot be written is said on stderr and left out,
/// and so is a server that makes no sense. The other variables are in the table of
/// [`TracingConfig`].
///
/// # Errors
///
/// When a number is out of range, the file cannot be written, or a recording is under way.
pub fn init(config: TracingConfig) -> Result<Guard, InitError> {
    builder().config(config).start()
}

/// A recording put together piece by piece.
///
/// # Examples
///
/// ```
/// use reflow_trace::{MemorySink, Overflow};
///
/// let memory = MemorySink::with_capacity(10_000);
/// let guard = reflow_trace::builder()
///     .sink(memory.clone())
///     .ring_capacity(8_192)
///     .overflow(Overflow::DropNewest)
///     .start()?;
/// # Ok::<(), reflow_trace::InitError>(())
/// ```
pub fn builder() -> Builder {
    Builder {
        config: TracingConfig::default(),
        sinks: Vec::new(),
    }
}

/// A recording that has not begun; made by [`builder`].
#[must_use = "nothing is recorded before `start`"]
pub struct Builder {
    config: TracingConfig,
    sinks: Vec<Box<dyn Sink>>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sinks: Vec<_> = self.sinks.iter().map(|sink| sink.name()).collect();
        f.debug_struct("Builder")
            .field("config", &self.config)
            .field("sinks", &sinks)
            .finish()
    }
}

impl Builder {
    /// Replaces the configuration; sinks that were added stay.
    pub fn config(mut self, config: TracingConfig) -> Self {
        self.config = config;
        self
    }

    /// Adds a sink.
    pub fn sink(mut self, sink: impl Sink + 'static) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }

    /// Writes events to a file; see [`TracingConfig::file`].
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.config.file = Some(path.into());
        self
    }

    /// Sends events to a server; see [`TracingConfig::server_url`].
    pub fn server(mut self, url: impl Into<String>) -> Self {
        self.config.server_url = url.into();
        self
    }

    /// Sets [`TracingConfig::ring_capacity`].
    pub fn ring_capacity(mut self, slots: usize) -> Self {
        self.config.ring_capacity = slots;
        self
    }

    /// Sets [`TracingConfig::overflow`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.config.overflow = overflow;
        self
    }

    /// Sets [`TracingConfig::sampler`].
    pub fn sampler(mut self, sampler: DataFlowSampler) -> Self {
        self.config.sampler = Some(sampler);
        self
    }

    /// Sets [`TracingConfig::content`].
    pub fn content(mut self, limits: ContentLimits) -> Self {
        self.config.content = limits;
        self
    }

    /// Begins.
    ///
    /// # Errors
    ///
    /// When a number is out of range, the file cannot be written, or a recording is under way.
    pub fn start(self) -> Result<Guard, InitError> {
        let shutdown_timeout = self.config.shutdown_timeout;
        let runtime = self.start_runtime(false)?;
        Ok(Guard {
            runtime,
            shutdown_timeout,
        })
    }

    /// Begins a recording that lasts until the process exits.
    pub(super) fn start_unguarded(self) -> Result<(), Option<InitError>> {
        self.start_runtime(true).map(|_| ()).map_err(Some)
    }

    fn start_runtime(mut self, by_environment: bool) -> Result<Option<Arc<Runtime>>, InitError> {
        self.config.validate()?;
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = current.take() {
            let is_of_this_process = !running.is_inherited();
            if is_of_this_process && !running.by_environment {
                *current = Some(running);
                return Err(InitError::AlreadyRunning);
            }
            if is_of_this_process {
                // Begun at a probe before `main` came to `init`; what it recorded is delivered first.
                drop(current);
                let _late = running.stop(self.config.shutdown_timeout);
                current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
                if current.is_some() {
                    return Err(InitError::AlreadyRunning);
                }
            }
        }
        let file_in_code = self.config.file.clone();
        let server_in_code = self.config.clone();
        if !self.heeds_the_environment() {
            // Whoever asks from now on need not ask again.
            STATE.store(OFF, Ordering::Release);
            return Ok(None);
        }
        if let Some(path) = self.config.file.take() {
            let is_wished = !by_environment && file_in_code.as_ref() != Some(&path);
            match open(&path) {
                Ok(sink) => self.sinks.push(Box::new(sink)),
                // What is wrong outside must not stop a program that would run without it.
                Err(source) if is_wished => {
                    environment::complain(&InitError::File { path, source })
                }
                Err(source) => return Err(InitError::File { path, source }),
            }
        }
        if !self.config.server_url.is_empty() {
            // What the program itself has said is its own fault.
            let is_as_in_code = self.config.server_url == server_in_code.server_url
                && self.config.server == server_in_code.server;
            match server_sink(&self.config) {
                Ok(sink) => self.sinks.push(sink),
                Err(error) if !by_environment && !is_as_in_code => environment::complain(&error),
                Err(error) => return Err(error),
            }
        }
        registry::prepare();
        let runtime = self.spawn(by_environment)?;
        exit::install();
        *current = Some(Arc::clone(&runtime));
        // Pairs with the acquire load in `current`.
        STATE.store(state_of(runtime.generation), Ordering::Release);
        Ok(Some(runtime))
    }

    /// Takes the wish of the environment into the configuration; false when nothing is to be recorded.
    fn heeds_the_environment(&mut self) -> bool {
        match environment::wish() {
            Ok(Wish::None) => {}
            Ok(Wish::Off) => return false,
            Ok(Wish::File(path)) => {
                self.config.file = Some(path);
                self.config.enabled = true;
            }
            Ok(Wish::Server(url)) => {
                self.config.server_url = url;
                self.config.enabled = true;
            }
            Err(error) => {
                // A typing error outside must not stop the program.
                environment::complain(&error);
                return false;
            }
        }
        if !self.config.server_url.is_empty()
            && let Err(error) = environment::heed_server_variables(&mut self.config)
        {
            environment::complain(&error);
            self.config.server_url.clear();
        }
        match environment::content_limits() {
            Ok(limits) => self.config.content.narrow(limits),
            Err(error) => {
                // Somebody wanted less, and nobody knows how much less.
                environment::complain(&error);
                self.config.content.narrow(ContentLimits::off());
            }
        }
        cfg!(feature = "enable") && self.config.enabled
    }

    fn spawn(self, by_environment: bool) -> Result<Arc<Runtime>, InitError> {
        let Self { config, sinks } = self;
        let (by_hand, by_hand_taken) = crossbeam_channel::bounded(config.manual_queue_max);
        let (commands, commands_taken) = crossbeam_channel::bounded(COMMANDS_MAX);
        let workers = sinks
            .into_iter()
            .map(|sink| {
                SinkWorker::start(sink, config.sink_queue_bytes_max).map_err(InitError::Thread)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let runtime = Runtime::new(&config, by_hand, commands, by_environment);
        let collector = Collector::new(
            Arc::clone(&runtime),
            by_hand_taken,
            commands_taken,
            workers,
            config.batch_size,
            config.batch_timeout,
        );
        let thread = std::thread::Builder::new()
            .name("reflow-trace".to_owned())
            .spawn(move || collector.run())
            .map_err(InitError::Thread)?;
        let _set_once = runtime.collector.set(thread.thread().clone());
        Ok(runtime)
    }
}

/// The sink for the server of the configuration.
#[cfg(feature = "client")]
fn server_sink(config: &TracingConfig) -> Result<Box<dyn Sink>, InitError> {
    let sink = crate::client::ServerSink::builder(&config.server_url)
        .options(config.server.clone())
        .compression(config.enable_compression)
        .start()?;
    Ok(Box::new(sink))
}

/// There is none.
#[cfg(not(feature = "client"))]
fn server_sink(config: &TracingConfig) -> Result<Box<dyn Sink>, InitError> {
    config.server.validate(&config.server_url)?;
    Err(InitError::FeatureMissing {
        field: "server_url",
        feature: "client",
    })
}

/// Opens the file; one that this process has written before is continued, not emptied.
fn open(path: &Path) -> std::io::Result<JsonLinesSink> {
    static OPENED: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let opened = opened.get_or_insert_default();
    let sink = if opened.contains(path) {
        JsonLinesSink::append(path)?
    } else {
        JsonLinesSink::create(path)?
    };
    opened.insert(path.to_owned());
    Ok(sink)
}

#[cfg(all(test, not(feature = "client")))]
mod tests {
    use super::*;

    #[test]
    fn asking_for_a_server_names_the_feature_that_is_missing() {
        let config = TracingConfig {
            server_url: "ws://localhost:8080".to_owned(),
            ..TracingConfig::default()
        };
        let Err(error) = server_sink(&config) else {
            panic!("nothing here can send");
        };
        let error = error.to_string();
        assert!(
            error.contains("`server_url`") && error.contains("[\"client\"]"),
            "{error}"
        );
    }
}
