//! What the sink's thread and the driver's thread share.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;

use crate::client::machine::{Machine, Taken, Time};
use crate::ledger::LossReason;
use crate::sink::{Progress, SinkProgress};
use crate::wire::frame::{Frame, Hello};

/// How long a sink waits for room at most. It is behind a queue of its own, which takes up what comes
/// meanwhile.
const ROOM_WAIT: Duration = Duration::from_millis(100);

/// A machine, and whom to tell when it has changed. Held for a few microseconds at a time: nothing is read,
/// written or waited for under the lock.
pub(crate) struct Shared {
    machine: Mutex<Machine>,
    /// The machine's time is counted from here.
    origin: Instant,
    driver: AtomicWaker,
    changed: Condvar,
}

impl Shared {
    pub(crate) fn new(machine: Machine) -> Self {
        Self {
            machine: Mutex::new(machine),
            origin: Instant::now(),
            driver: AtomicWaker::new(),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Time {
        self.origin.elapsed()
    }

    fn time_of(&self, instant: Instant) -> Time {
        instant.saturating_duration_since(self.origin)
    }

    pub(super) fn register(&self, driver: &Waker) {
        self.driver.register(driver);
    }

    /// Tells the machine what has happened; for the driver.
    pub(super) fn tell(&self, what: impl FnOnce(&mut Machine, Time)) {
        let mut machine = self.lock();
        let now = self.now();
        what(&mut machine, now);
        machine.advance(now);
    }

    /// Asks the machine what to do.
    pub(super) fn ask<T>(&self, what: impl FnOnce(&mut Machine) -> T) -> T {
        let mut machine = self.lock();
        let now = self.now();
        machine.advance(now);
        what(&mut machine)
    }

    /// When the machine has to be asked again, and whether it has ended. Whoever waits for it to change
    /// looks at it now.
    pub(super) fn wake_at(&self) -> (Option<Instant>, bool) {
        let mut machine = self.lock();
        let now = self.now();
        machine.advance(now);
        let has_ended = machine.status().is_ended;
        let wake_at = machine.wake_at().map(|at| self.origin + at);
        drop(machine);
        self.changed.notify_all();
        (wake_at, has_ended)
    }

    /// Looks at the machine.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&Machine) -> T) -> T {
        at(&self.lock())
    }

    /// Tells the machine something, and the driver to look.
    pub(crate) fn request(&self, what: impl FnOnce(&mut Machine, Time)) {
        let mut machine = self.lock();
        let now = self.now();
        what(&mut machine, now);
        drop(machine);
        self.driver.wake();
    }

    /// Hands a batch over; waits a little for room where there is hope for it.
    pub(crate) fn take(&self, frame: Frame) {
        let give_up_at = Instant::now() + ROOM_WAIT;
        let mut machine = self.lock();
        let mut frame = frame;
        loop {
            let left = give_up_at.saturating_duration_since(Instant::now());
            match machine.take(self.now(), frame, !left.is_zero()) {
                Taken::Kept | Taken::Lost => break,
                Taken::NoRoomYet(refused) => frame = refused,
            }
            // The driver has to make room.
            self.driver.wake();
            machine = self
                .changed
                .wait_timeout(machine, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(machine);
        self.driver.wake();
    }

    /// Counts events that could not be sealed.
    pub(crate) fn lose(&self, reason: LossReason, events: u64) {
        self.lock().lose(reason, events);
    }

    /// What is said at the next connection.
    pub(crate) fn introduce(&self, change: impl FnOnce(&mut Hello)) {
        self.lock().introduce(change);
    }

    /// Waits until the machine has ended; false when it has not by then.
    pub(crate) fn wait_for_end(&self, deadline: Instant) -> bool {
        self.wait_until(deadline, |machine| machine.status().is_ended)
    }

    /// Waits until something holds; false when it does not by then.
    pub(super) fn wait_until(&self, deadline: Instant, holds: impl Fn(&Machine) -> bool) -> bool {
        let machine = self.lock();
        let left = deadline.saturating_duration_since(Instant::now());
        let machine = self
            .changed
            .wait_timeout_while(machine, left, |machine| !holds(machine))
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        holds(&machine)
    }
}

impl Progress for Shared {
    fn now(&self) -> SinkProgress {
        let machine = self.lock();
        let (status, account) = (machine.status(), machine.account());
        SinkProgress {
            taken: status.taken,
            settled: status.settled,
            secured: status.secured,
            stored: account.stored,
            pending: account.pending,
            lost: account.lost(),
            is_ended: status.is_ended,
            last_error: account.last_error.clone(),
            memory_bytes: status.window_bytes + status.read_bytes,
        }
    }

    fn secure_by(&self, deadline: Instant) {
        let deadline = self.time_of(deadline);
        self.request(|machine, now| machine.secure(now, deadline));
    }

    fn end_by(&self, deadline: Instant) {
        let deadline = self.time_of(deadline);
        self.request(|machine, now| machine.end(now, deadline));
    }
}
