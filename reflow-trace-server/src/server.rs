//! A server from its start to its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, broadcast, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::answer::Engine;
use crate::commit::{Committer, Health, LiveBatch};
use crate::config::{Config, ConfigError};
use crate::http::api::Unread;
use crate::http::token::Tokens;
use crate::http::{Phase, Shared, Tickets, load_tls, serve};
use crate::ingest::Budget;
use crate::live::Hub;
use crate::observe::Metrics;
use crate::store::embedded::EmbeddedStore;
use crate::store::{Store, StoreError};

/// Starts servers.
#[derive(Debug)]
pub struct Server;

/// A server that runs as tasks of the runtime in which it was started.
///
/// Dropping it ends it at once: nothing that was acknowledged is lost, and clients send again what was not.
/// [`shutdown`](Self::shutdown) is kinder.
pub struct RunningServer {
    addr: SocketAddr,
    is_encrypted: bool,
    phase: watch::Sender<Phase>,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
    committed: oneshot::Receiver<()>,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting is wrong, or a file that one names.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("cannot listen on `{addr}`: {source}{}", advice(.source))]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The store cannot be opened.
    #[error("the store in the directory `{directory}` cannot be opened: {source}")]
    Store {
        /// Where it was to be.
        directory: String,
        /// What the store says.
        source: StoreError,
    },
}

/// How a server has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everybody was told, and everything that was taken is stored.
    InOrder,
    /// The time was over before. What was acknowledged is stored; clients send the rest again.
    Cut,
}

impl Server {
    /// Starts a server with the store of the configuration, in the current tokio runtime.
    ///
    /// When this returns, it listens.
    ///
    /// # Errors
    ///
    /// See [`StartError`]; nothing runs then.
    pub async fn start(config: Config) -> Result<RunningServer, StartError> {
        config.check()?;
        let settings = config.store.settings(&config.data);
        let directory = config.data.display().to_string();
        // Opening reads and repairs: not on a thread of the runtime.
        let opened = tokio::task::spawn_blocking(move || EmbeddedStore::open(settings)).await;
        let opened = opened.unwrap_or_else(|fault| match fault.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends.
            Err(_) => Err(StoreError::Closing),
        });
        let store = opened.map_err(|source| StartError::Store { directory, source })?;
        Self::start_with(config, Arc::new(store)).await
    }

    /// Starts a server with a store of yours.
    ///
    /// # Errors
    ///
    /// See [`StartError`]; nothing runs then.
    pub async fn start_with(
        config: Config,
        store: Arc<dyn Store>,
    ) -> Result<RunningServer, StartError> {
        config.check()?;
        let tokens = Tokens::load(&config.auth)?;
        let tls = load_tls(&config.tls)?;
        let listen = |source| StartError::Listen {
            addr: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let metrics = Arc::new(Metrics::default());
        let health = Arc::new(Health::default());
        let (committer, committed) = Committer::start(
            Arc::clone(&store),
            &config.commit,
            Arc::clone(&health),
            Arc::clone(&metrics),
        );
        let (phase, phase_seen) = watch::channel(Phase::Serving);
        let hub = Hub::start(
            &committer,
            Arc::clone(&store),
            &config.live,
            Arc::clone(&metrics),
            phase_seen.clone(),
        );
        let hub = hub.await.map_err(|source| StartError::Store {
            directory: config.data.display().to_string(),
            source,
        })?;
        let engine = Engine::for_server(
            Arc::clone(&store),
            config.query.clone(),
            Arc::clone(&metrics),
        );
        let unread = Unread::new(config.query.unread_bytes_max, Arc::clone(&metrics));
        let shared = Arc::new(Shared {
            gate: Shared::gate(&config),
            tokens,
            health,
            metrics,
            budget: Budget::new(config.ingest.memory_bytes_max),
            store,
            committer,
            engine,
            unread: Arc::new(unread),
            askers: Arc::new(Semaphore::new(config.query.askers_max)),
            tickets: Tickets::default(),
            hub,
            sessions: Arc::new(Semaphore::new(config.ingest.sessions_max)),
            phase: phase_seen,
            config,
        });
        let is_encrypted = tls.is_some();
        let serving = tokio::spawn(serve(listener, tls, Arc::clone(&shared)));
        let running = RunningServer {
            addr,
            is_encrypted,
            phase,
            shared,
            serving,
            committed,
        };
        tracing::info!(
            listen = %addr,
            encrypted = is_encrypted,
            tokens = !running.shared.tokens.is_empty(),
            "listening"
        );
        Ok(running)
    }
}

impl RunningServer {
    /// Where it listens; the port is the real one also where 0 was asked for.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it listens, for a browser.
    pub fn url(&self) -> String {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// Its store.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.shared.store)
    }

    /// What it counts.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.shared.metrics)
    }

    /// Whether it accepts and commits batches.
    pub fn is_ready(&self) -> bool {
        self.shared.health.is_ready()
    }

    /// What is committed from now on, in the order of the log. Who is slow is told how many it has missed.
    pub fn live(&self) -> broadcast::Receiver<LiveBatch> {
        self.shared.committer.live()
    }

    /// Ends it in good order: no new connection, a goodbye to every client, an answer for every batch that
    /// was taken, and then the store.
    ///
    /// Where `deadline` is not enough, what is left is cut off; that is what happens in a crash, and
    /// nothing is lost by it that was acknowledged.
    pub async fn shutdown(self, deadline: Duration) -> Ending {
        /// For those who did not end in time to notice that.
        const CUT_WAIT: Duration = Duration::from_millis(250);
        let Self {
            phase,
            shared,
            mut serving,
            committed,
            ..
        } = self;
        let until = Instant::now() + deadline;
        shared.health.stop();
        // Half of the time is for those who ask, so that the store has the other half.
        shared.engine.stop(deadline / 2);
        phase.send_replace(Phase::Stopping);
        let mut ending = Ending::InOrder;
        if timeout_at(until, &mut serving).await.is_err() {
            ending = Ending::Cut;
            phase.send_replace(Phase::Now);
            let _in_time = tokio::time::timeout(CUT_WAIT, serving).await;
        }
        // The committer ends when nobody can submit any more.
        let store = Arc::clone(&shared.store);
        drop(shared);
        let until = until.max(Instant::now() + CUT_WAIT);
        if timeout_at(until, committed).await.is_err() {
            ending = Ending::Cut;
        }
        // A store that closes waits for its threads: not on a thread of the runtime.
        let closed = tokio::task::spawn_blocking(move || drop(store));
        if timeout_at(until, closed).await.is_err() {
            ending = Ending::Cut;
        }
        tracing::info!(?ending, "stopped");
        ending
    }
}

impl std::fmt::Debug for RunningServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningServer")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; another program listens there: stop it, or set another `listen`"
        }
        io::ErrorKind::PermissionDenied => "; ports below 1024 need a right that this user has not",
        io::ErrorKind::AddrNotAvailable => "; no interface of this machine has this address",
        _ => "",
    }
}
