//! What a client does, without a clock, a socket or a disk.
//!
//! The machine is told what happens and at which time, and is asked what to do: about the connection
//! ([`poll_link`](Machine::poll_link)), on the socket ([`poll_send`](Machine::poll_send)) and on the disk
//! ([`poll_disk`](Machine::poll_disk)). It is deterministic; the randomness of its delays comes from a
//! seed. So the driver that talks to a real server and a simulation that runs an hour in a moment drive
//! the same code. **For drivers and simulations**: programs use [`ServerSink`](crate::ServerSink).
//!
//! # The rules of driving it
//!
//! After every input, and when [`wake_at`](Machine::wake_at) has come: call
//! [`advance`](Machine::advance), then each `poll_…` until it gives nothing. `poll_send` is asked only when
//! the socket can take a frame, `poll_disk` gives nothing while the disk is still at the last command.
//! Time is a duration since any moment, and never goes back.
//!
//! # What cannot happen
//!
//! * More in memory than the window, a sixteenth of it for what the tracing says of itself, two readings
//!   from the spool and [`IN_FLIGHT_MAX`] numbers for each of two streams.
//! * A batch that is lost and not counted, or counted twice; see [`Account`].
//! * A batch sent while an older one of its stream is not: the server takes a number that is not above
//!   the last as a duplicate.
//! * An end of trying.

mod account;
mod disk;
mod ending;
mod link;
pub(crate) mod random;
mod receive;
mod send;
mod settings;
mod shelf;
mod stream;
#[cfg(test)]
mod tests;

pub use account::{Account, Adopted, Damage};
pub use receive::Disconnect;
pub use settings::{Settings, SpoolSettings};
pub use stream::IN_FLIGHT_MAX;

use std::time::Duration;

use ending::Ending;
use link::{Backoff, Link};
use random::Random;
use shelf::Shelf;
use stream::{Held, Stream};

use crate::ledger::LossReason;
use crate::wire::frame::{Frame, Hello};

/// Time since any moment.
pub type Time = Duration;

/// A share of the window is kept for batches without events, which tell of counters and losses.
const NOTICES_SHARE: usize = 16;

/// What to do about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkCommand {
    /// Make one, and say [`connected`](Machine::connected) or [`disconnected`](Machine::disconnected).
    Connect,
    /// Give it up, made or not. Nothing more is to be said of it.
    Close,
}

/// What became of a batch that was handed over.
#[derive(Debug)]
pub enum Taken {
    /// It will be sent.
    Kept,
    /// There is no room, and the hope that there soon will be.
    NoRoomYet(Frame),
    /// There is no room. It is lost and counted.
    Lost,
}

/// What a client is doing, in words and numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The server takes batches.
    pub is_connected: bool,
    /// The number of the newest batch that was handed over.
    pub taken: u64,
    /// Everything up to this number is acknowledged, refused or lost.
    pub settled: u64,
    /// Everything up to this number is settled or on the disk.
    pub secured: u64,
    /// Bytes of batches in the memory window.
    pub window_bytes: usize,
    /// Bytes of batches read from the spool and not sent yet.
    pub read_bytes: usize,
    /// Bytes of batches in the spool, those of dead processes included.
    pub spool_bytes: u64,
    /// Files in the spool.
    pub spool_files: usize,
    /// Nothing will change any more.
    pub is_ended: bool,
}

/// The state machine of a client.
#[derive(Debug)]
pub struct Machine {
    settings: Settings,
    hello: Hello,
    own: Stream,
    /// Left by dead processes; the first is being sent.
    adopted: Vec<Stream>,
    /// Whose turn it is to send: the own stream's, or the first adopted one's.
    is_own_turn: bool,
    link: Link,
    backoff: Backoff,
    is_close_due: bool,
    shelf: Option<Shelf>,
    account: Account,
    taken: u64,
    /// Something was lost for want of room, and nothing found room since.
    was_full: bool,
    ending: Ending,
    now: Time,
}

impl Machine {
    /// A client whose stream is `hello.stream`; it wants to connect at once.
    pub fn new(settings: Settings, hello: Hello, seed: u64) -> Self {
        let shelf = settings.spool.clone().map(Shelf::new);
        Self {
            own: Stream::new(hello.stream, true),
            hello,
            adopted: Vec::new(),
            is_own_turn: true,
            link: Link::Away {
                retry_at: Time::ZERO,
            },
            backoff: Backoff::new(Random::new(seed)),
            is_close_due: false,
            shelf,
            account: Account::default(),
            taken: 0,
            was_full: false,
            ending: Ending::default(),
            now: Time::ZERO,
            settings,
        }
    }

    /// What the client says of itself when it next connects.
    pub fn introduce(&mut self, change: impl FnOnce(&mut Hello)) {
        let stream = self.hello.stream;
        change(&mut self.hello);
        self.hello.stream = stream;
    }

    /// Takes a sealed batch of the own stream; its number is above all that were handed over before.
    ///
    /// Where there is no room it is lost and counted, unless `may_wait` and there is a reason to hope.
    pub fn take(&mut self, now: Time, frame: Frame, may_wait: bool) -> Taken {
        self.now = now;
        let (bytes, events) = (frame.bytes().len(), u64::from(frame.header().events));
        let extra = if events == 0 {
            self.settings.window_bytes_max / NOTICES_SHARE
        } else {
            0
        };
        let has_room = self.own.window.is_empty()
            || self.own.window_bytes + bytes <= self.settings.window_bytes_max + extra;
        if !has_room && may_wait && self.has_hope() {
            self.was_full = true;
            return Taken::NoRoomYet(frame);
        }
        self.account.taken += events;
        self.taken = self.taken.max(frame.header().number);
        if self.ending.is_over() {
            self.account.lose(LossReason::NotAcknowledged, events);
            return Taken::Lost;
        }
        if !has_room {
            self.was_full = true;
            self.account.lose(self.reason_for_no_room(), events);
            return Taken::Lost;
        }
        self.was_full = false;
        self.account.pending += events;
        self.own.window_bytes += bytes;
        self.own.window.push_back(Held { frame, since: now });
        Taken::Kept
    }

    /// Counts events that never became part of a batch.
    pub fn lose(&mut self, reason: LossReason, events: u64) {
        self.account.taken += events;
        self.account.lose(reason, events);
    }

    /// Does what is due by now.
    pub fn advance(&mut self, now: Time) {
        self.now = self.now.max(now);
        self.advance_link();
        self.retire_files();
        self.advance_ending();
    }

    /// When [`advance`](Self::advance) is to be called again, whatever happens before; `None`: not by
    /// itself.
    pub fn wake_at(&self) -> Option<Time> {
        if self.ending.is_over() {
            return None;
        }
        let waits = self.waits_for_the_server();
        let link = self.link.wake_at(self.now, &self.settings, waits);
        let wakes = [
            Some(link),
            self.disk_wake_at(),
            self.ending.wake_at(self.now),
        ];
        wakes.into_iter().flatten().min()
    }

    /// What became of what was taken.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// What it is doing.
    pub fn status(&self) -> Status {
        let own = &self.own;
        let settled = if own.is_empty() {
            self.taken
        } else {
            own.settled
        };
        let secured = own
            .window
            .front()
            .map_or(self.taken, |oldest| oldest.number() - 1);
        let adopted = self.adopted.first().map_or(0, |stream| stream.reader.bytes);
        Status {
            is_connected: self.link.is_open(),
            taken: self.taken,
            settled,
            secured,
            window_bytes: own.window_bytes,
            read_bytes: own.reader.bytes + adopted,
            spool_bytes: self.shelf.as_ref().map_or(0, |shelf| shelf.bytes),
            spool_files: self.shelf.as_ref().map_or(0, |shelf| shelf.files),
            is_ended: self.ending.is_over(),
        }
    }

    /// Whether waiting for room is of use.
    fn has_hope(&self) -> bool {
        if self.ending.is_over() {
            return false;
        }
        let disk_will_take = self.shelf.as_ref().is_some_and(|shelf| {
            shelf.is_writing()
                || (!shelf.writing.has_failed() && self.file_to_write(shelf).is_some())
        });
        disk_will_take || (self.link.is_open() && self.own.has_in_flight())
    }

    fn reason_for_no_room(&self) -> LossReason {
        match &self.shelf {
            None => LossReason::WindowFull,
            Some(shelf) if shelf.writing.has_failed() => LossReason::SpoolFailed,
            Some(shelf) if shelf.is_writing() => LossReason::WindowFull,
            Some(_) => LossReason::SpoolFull,
        }
    }
}
