//! The end: first to the server, then to the disk, then into the account of what is lost.

use std::time::Duration;

use super::link::Link;
use super::{Machine, Time};

/// Longest time that is kept back for the disk at the end.
const DISK_TIME_MAX: Duration = Duration::from_secs(1);

/// How far the end is.
#[derive(Debug, Default)]
pub(super) struct Ending {
    state: State,
    /// Everything up to this number is to be on the disk from that time on.
    secure: Option<(Time, u64)>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Running,
    Draining {
        /// From then on what is in memory goes to the disk.
        secure_at: Time,
        deadline: Time,
        farewell: Farewell,
    },
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Farewell {
    NotYet,
    Due,
    Said,
}

impl Ending {
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    pub(super) fn is_ending(&self) -> bool {
        !matches!(self.state, State::Running)
    }

    /// Whether to say goodbye; true once.
    pub(super) fn takes_goodbye(&mut self) -> bool {
        match &mut self.state {
            State::Draining { farewell, .. } if *farewell == Farewell::Due => {
                *farewell = Farewell::Said;
                true
            }
            _ => false,
        }
    }

    pub(super) fn wake_at(&self, now: Time) -> Option<Time> {
        match self.state {
            State::Draining {
                secure_at,
                deadline,
                ..
            } => [secure_at, deadline].into_iter().find(|&at| at > now),
            _ => None,
        }
    }
}

impl Machine {
    /// The process may end at the deadline: half-way to it, what is not acknowledged goes to the disk.
    /// Without a spool this does nothing.
    pub fn secure(&mut self, now: Time, deadline: Time) {
        self.now = self.now.max(now);
        let half = deadline.saturating_sub(self.now) / 2;
        self.ending.secure = Some((self.now + half, self.taken));
        if let Some(shelf) = &mut self.shelf {
            shelf.writing.now();
        }
    }

    /// The recording ends at the deadline. Until shortly before it everything goes to the server, the
    /// rest to the spool. Where that does not take it, it is lost at the deadline and counted.
    pub fn end(&mut self, now: Time, deadline: Time) {
        self.now = self.now.max(now);
        if self.ending.is_ending() {
            return;
        }
        let for_the_disk = match &mut self.shelf {
            Some(shelf) => {
                shelf.writing.now();
                DISK_TIME_MAX.min(deadline.saturating_sub(self.now) / 4)
            }
            None => Duration::ZERO,
        };
        self.ending.state = State::Draining {
            secure_at: deadline.saturating_sub(for_the_disk),
            deadline,
            farewell: Farewell::NotYet,
        };
    }

    /// From when on the oldest batch in memory is to be on the disk because an end is near.
    pub(super) fn secure_at(&self) -> Option<Time> {
        let oldest = self.own.window.front()?.number();
        let asked = self.ending.secure.filter(|&(_, upto)| oldest <= upto);
        let at = match (&self.ending.state, asked) {
            (State::Draining { secure_at, .. }, None) => *secure_at,
            (State::Draining { secure_at, .. }, Some((at, _))) => at.min(*secure_at),
            (_, Some((at, _))) => at,
            (_, None) => return None,
        };
        // Where nobody is to be expected, nobody is waited for.
        Some(if self.is_forsaken() { Time::ZERO } else { at })
    }

    /// There is no server, as far as it is known.
    fn is_forsaken(&self) -> bool {
        !self.link.is_open() && self.backoff.has_failed()
    }

    pub(super) fn advance_ending(&mut self) {
        let is_forsaken = self.is_forsaken();
        let State::Draining {
            secure_at,
            deadline,
            farewell,
        } = &mut self.ending.state
        else {
            return;
        };
        let is_late = self.now >= *deadline;
        let is_settled = self.own.is_empty();
        let is_secured = self.own.window.is_empty() && (is_forsaken || self.now >= *secure_at);
        if is_settled || is_secured {
            let is_tidy = self.shelf.as_mut().is_none_or(|shelf| {
                if is_settled && std::mem::take(&mut shelf.has_written) {
                    shelf.releases.push_back(self.own.id);
                }
                let is_idle = shelf.doing.is_none() && shelf.releases.is_empty();
                is_idle && (shelf.removals.is_empty() || shelf.removing.has_failed())
            });
            if !is_tidy && !is_late {
                return;
            }
            if self.link.is_open() && *farewell == Farewell::NotYet {
                *farewell = Farewell::Due;
            }
            if *farewell == Farewell::Due && self.link.is_open() && !is_late {
                return;
            }
        } else if is_late && !self.shelf.as_ref().is_some_and(|shelf| shelf.is_writing()) {
            self.own.lose_window(&mut self.account);
        } else {
            return;
        }
        self.ending.state = State::Over;
        self.is_close_due |= !matches!(self.link, Link::Away { .. });
        self.link = Link::Away { retry_at: self.now };
    }
}
