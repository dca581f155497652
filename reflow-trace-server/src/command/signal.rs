//! Signals, and how they end a command even where it is held.
//!
//! A command that asks runs on one thread, and the system may hold that thread: in writing to a pipe that nobody
//! reads, or in opening one. It sees no signal then, and none kills it, because they are listened to. So they are
//! listened to on a thread of its own, which tells the command and, where that does not help, ends the process.

use std::future::Future;
use std::io;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::{Exit, file};

/// How long a command may take to end by itself.
const GRACE: Duration = Duration::from_secs(2);
/// Within this time a second signal is the first one again: `timeout` and some supervisors send each of
/// theirs to the process and to its group.
const SAME_SIGNAL: Duration = Duration::from_millis(500);

/// The signal that has come. A process that has not ended two seconds later, or at a second signal, ends then with
/// `exit`. Where nobody can listen, signals end the process as they always do.
pub(super) fn caught(exit: Exit) -> impl Future<Output = &'static str> {
    let told = listen(exit);
    async {
        if let Ok(told) = told
            && let Ok(signal) = told.await
        {
            return signal;
        }
        std::future::pending().await
    }
}

/// Listens from now on, so that no signal is missed, and tells of the first.
fn listen(exit: Exit) -> io::Result<oneshot::Receiver<&'static str>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (tell, told) = oneshot::channel();
    let (say, listens) = std::sync::mpsc::sync_channel(1);
    // The thread comes first: what was listened to once ends the process by itself no more.
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let signals = {
                let _within = runtime.enter();
                Signals::listen()
            };
            match signals {
                Ok(signals) => {
                    let _waited_for = say.send(Ok(()));
                    watch(&runtime, signals, tell, exit);
                }
                Err(error) => {
                    let _waited_for = say.send(Err(error));
                }
            }
        })?;
    let listens: io::Result<()> = listens.recv().map_err(io::Error::other)?;
    listens.map(|()| told)
}

/// Waits on a thread that ends with the process, and may be what ends it.
fn watch(runtime: &Runtime, mut signals: Signals, tell: oneshot::Sender<&'static str>, exit: Exit) {
    runtime.block_on(async {
        // A command that has just ended need not be told.
        let _ended = tell.send(signals.next().await);
        let _either = tokio::time::timeout(GRACE, signals.next_after_this()).await;
    });
    file::remove_unfinished();
    // Nothing is said: standard error may be what holds the command. And no destructor runs: one may wait for it.
    std::process::exit(exit as i32)
}

/// SIGINT and SIGTERM, or Ctrl-C.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens from now on, within a runtime.
    #[cfg(unix)]
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Listens as soon as the next signal is waited for.
    #[cfg(not(unix))]
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// The next signal.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// The next signal.
    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => std::future::pending().await,
        }
    }

    /// The next signal that is not the one just seen, sent once more.
    pub(super) async fn next_after_this(&mut self) -> &'static str {
        let begun = Instant::now();
        loop {
            let signal = self.next().await;
            if begun.elapsed() > SAME_SIGNAL {
                return signal;
            }
        }
    }
}
