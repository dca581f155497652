//! The thread that does what the machine says: with a clock, a socket and a disk.
//!
//! It has an executor of its own for this one task, so that it works in a program without one, and takes
//! nothing from the program's. What may block for long, names to resolve and a disk that is slow, is done
//! by at most two helper threads, so that a slow disk does not look like a silent server. All of it hangs
//! on one `poll`, in which nothing can be cancelled half-way.

mod connect;
mod counted;
mod shared;
mod socket;
#[cfg(test)]
mod tests;
mod upload;

pub(super) use connect::{AGENT, Connection, Connector};
pub(super) use shared::Shared;
pub use upload::{Upload, UploadError};

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::task;

use super::executor;
use super::machine::{Disconnect, LinkCommand};
use super::spool::{DiskCommand, DiskOutcome, RealDisk, Spool};
use socket::{Heard, Socket};

/// How often everything is looked at before others of the executor have their turn: its clock and its
/// sockets.
const ROUNDS: u32 = 32;

type Connecting = Pin<Box<dyn Future<Output = Result<Socket, Disconnect>>>>;
type DiskAtWork = task::JoinHandle<(Spool<RealDisk>, DiskOutcome)>;

/// Starts the thread.
pub(super) fn start(
    shared: Arc<Shared>,
    connector: Connector,
    spool: Option<Spool<RealDisk>>,
) -> io::Result<JoinHandle<()>> {
    let names = executor::Names {
        thread: "reflow-trace server",
        helper: "reflow-trace disk",
        helpers_max: 2,
    };
    executor::start(names, move |runtime| {
        runtime.block_on(async {
            let mut driver = Driver {
                shared,
                connector: Arc::new(connector),
                spool,
                disk: None,
                connecting: None,
                socket: None,
                alarm: Box::pin(tokio::time::sleep(Duration::ZERO)),
            };
            std::future::poll_fn(|context| driver.poll(context)).await;
        });
    })
}

struct Driver {
    shared: Arc<Shared>,
    connector: Arc<Connector>,
    /// Here, while the disk is idle.
    spool: Option<Spool<RealDisk>>,
    disk: Option<DiskAtWork>,
    connecting: Option<Connecting>,
    socket: Option<Socket>,
    alarm: Pin<Box<tokio::time::Sleep>>,
}

impl Driver {
    /// Does everything that can be done now. Ready when the machine has ended.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.shared.register(context.waker());
        for _ in 0..ROUNDS {
            let has_heard =
                self.poll_connecting(context) | self.poll_socket(context) | self.poll_disk(context);
            let (wake_at, has_ended) = self.do_what_is_due(context);
            if has_ended {
                return Poll::Ready(());
            }
            if has_heard {
                continue;
            }
            // Nobody to wake us is for ever.
            let until = wake_at.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            self.alarm.as_mut().reset(until.into());
            if self.alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_connecting(&mut self, context: &mut Context<'_>) -> bool {
        let Some(connecting) = &mut self.connecting else {
            return false;
        };
        let Poll::Ready(result) = connecting.as_mut().poll(context) else {
            return false;
        };
        self.connecting = None;
        match result {
            Ok(socket) => {
                self.socket = Some(socket);
                self.shared.tell(|machine, now| machine.connected(now));
            }
            Err(why) => self
                .shared
                .tell(|machine, now| machine.disconnected(now, why)),
        }
        true
    }

    /// Reads what has come.
    fn poll_socket(&mut self, context: &mut Context<'_>) -> bool {
        let Some(socket) = &mut self.socket else {
            return false;
        };
        let Poll::Ready(heard) = socket.poll_hear(context) else {
            return false;
        };
        self.shared.tell(|machine, now| match heard {
            Heard::Frame(bytes) => machine.received(now, bytes),
            Heard::Nonsense(what) => machine.received_nonsense(now, what),
            Heard::Nothing => {}
            Heard::End(why) => {
                self.socket = None;
                machine.disconnected(now, why);
            }
        });
        true
    }

    fn poll_disk(&mut self, context: &mut Context<'_>) -> bool {
        let Some(disk) = &mut self.disk else {
            return false;
        };
        let Poll::Ready(done) = Pin::new(disk).poll(context) else {
            return false;
        };
        self.disk = None;
        self.shared.tell(|machine, now| match done {
            Ok((spool, outcome)) => {
                self.spool = Some(spool);
                machine.disk_done(now, outcome);
            }
            // It has panicked, and with it the spool is gone: memory is what is left.
            Err(error) => machine.disk_failed(now, &error.to_string()),
        });
        true
    }

    /// Asks the machine what is due, and begins it. When to ask again, and whether it has ended.
    fn do_what_is_due(&mut self, context: &mut Context<'_>) -> (Option<Instant>, bool) {
        while let Some(command) = self.shared.ask(|machine| machine.poll_link()) {
            match command {
                LinkCommand::Connect => {
                    self.connecting = Some(Box::pin(Arc::clone(&self.connector).connect()));
                    context.waker().wake_by_ref();
                }
                LinkCommand::Close => {
                    self.connecting = None;
                    if let Some(socket) = self.socket.take() {
                        socket.close(context);
                    }
                }
            }
        }
        if self.disk.is_none()
            && let Some(command) = self.shared.ask(|machine| machine.poll_disk())
        {
            self.give_to_disk(command);
            context.waker().wake_by_ref();
        }
        if let Some(socket) = &mut self.socket {
            let next = || self.shared.ask(|machine| machine.poll_send());
            if let Err(why) = socket.poll_say(context, next) {
                self.socket = None;
                self.shared
                    .tell(|machine, now| machine.disconnected(now, why));
                context.waker().wake_by_ref();
            }
        }
        self.shared.wake_at()
    }

    fn give_to_disk(&mut self, command: DiskCommand) {
        let Some(mut spool) = self.spool.take() else {
            // Went with a panic. The machine hears so each time, as from a disk that always fails: told
            // nothing, it would want the same at every turn.
            let gone = "the spool is gone with a panic";
            return self
                .shared
                .tell(|machine, now| machine.disk_failed(now, gone));
        };
        self.disk = Some(task::spawn_blocking(move || {
            let outcome = spool.carry_out(command);
            (spool, outcome)
        }));
    }
}
