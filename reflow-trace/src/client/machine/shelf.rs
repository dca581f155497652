//! The spool as the machine sees it: how much lies there, and what the disk is doing.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Time;
use super::settings::SpoolSettings;
use crate::client::spool::FileName;

/// Longest pause before a disk that has failed is tried again.
const RETRY_MAX: Duration = Duration::from_secs(30);
const RETRY_FIRST: Duration = Duration::from_millis(500);
/// First pause where another process is at the spool, which it is for a moment.
const BUSY_FIRST: Duration = Duration::from_millis(2);

/// Most files that are known to have been given up. Where there are more, some are counted again.
const GIVEN_UP_MAX: usize = 4_096;

/// The spool as the machine sees it.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) settings: SpoolSettings,
    /// Bytes of the files that are ours, those that are being written and removed among them.
    pub(super) bytes: u64,
    pub(super) files: usize,
    /// Bytes of dead processes that nobody owns.
    pub(super) waiting_bytes: u64,
    pub(super) doing: Option<Doing>,
    /// What is of no use any more, with its bytes.
    pub(super) removals: VecDeque<(FileName, u64)>,
    /// Streams of which nothing is left.
    pub(super) releases: VecDeque<u64>,
    /// Files that were left where they are, and up to where their damage has been counted: they are found
    /// again by each search, tried once more, and not counted again.
    given_up: BTreeMap<FileName, u64>,
    pub(super) scan_at: Time,
    pub(super) writing: Retry,
    pub(super) removing: Retry,
    /// Something of our own was written, so the stream has to be given up at the end.
    pub(super) has_written: bool,
}

/// What the disk is doing. One thing at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Scan,
    Write {
        name: FileName,
        bytes: u64,
        last: u64,
        is_new: bool,
    },
    Read {
        name: FileName,
        pass: u64,
    },
    Remove {
        name: FileName,
        bytes: u64,
    },
    Release(u64),
}

/// When something that has failed is tried again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Retry {
    failures: u32,
    /// How often another process was in the way.
    busy: u32,
    at: Time,
}

impl Retry {
    pub(super) fn is_due(&self, now: Time) -> bool {
        now >= self.at
    }

    pub(super) fn at(&self) -> Time {
        self.at
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub(super) fn failed(&mut self, now: Time) {
        self.at = now + pause_after(self.failures);
        self.failures = self.failures.saturating_add(1);
    }

    /// Another process is at the spool. An exit may leave a tenth of a second for everything, so it is
    /// tried again soon; one that does not go away is a failure.
    pub(super) fn was_busy(&mut self, now: Time) {
        let pause = BUSY_FIRST * 2_u32.pow(self.busy.min(10));
        if pause >= RETRY_FIRST {
            return self.failed(now);
        }
        self.busy += 1;
        self.at = now + pause;
    }

    /// Somebody cannot wait.
    pub(super) fn now(&mut self) {
        self.busy = 0;
        self.at = Time::ZERO;
    }
}

/// How long to leave a disk alone that has failed so many times before.
pub(super) fn pause_after(failures: u32) -> Duration {
    RETRY_MAX.min(RETRY_FIRST * 2_u32.pow(failures.min(10)))
}

impl Shelf {
    pub(super) fn new(settings: SpoolSettings) -> Self {
        Self {
            settings,
            bytes: 0,
            files: 0,
            waiting_bytes: 0,
            doing: None,
            removals: VecDeque::new(),
            releases: VecDeque::new(),
            given_up: BTreeMap::new(),
            scan_at: Time::ZERO,
            writing: Retry::default(),
            removing: Retry::default(),
            has_written: false,
        }
    }

    /// Bytes that may still be written.
    pub(super) fn room(&self) -> u64 {
        let taken = self.bytes.saturating_add(self.waiting_bytes);
        self.settings.bytes_max.saturating_sub(taken)
    }

    pub(super) fn is_writing(&self) -> bool {
        matches!(self.doing, Some(Doing::Write { .. }))
    }

    /// The file that is being written.
    pub(super) fn busy_file(&self) -> Option<FileName> {
        match self.doing {
            Some(Doing::Write { name, .. }) => Some(name),
            _ => None,
        }
    }

    /// A file that is of no use any more, and is to be removed or left alone.
    pub(super) fn drop_file(&mut self, name: FileName, bytes: u64, is_removed: bool) {
        if is_removed {
            self.removals.push_back((name, bytes));
        } else {
            self.forget(bytes);
        }
    }

    /// Remembers that a file is left where it is; false when that is known already.
    pub(super) fn give_up(&mut self, name: FileName, counted_bytes: u64) -> bool {
        let is_new = self.given_up.insert(name, counted_bytes).is_none();
        if self.given_up.len() > GIVEN_UP_MAX {
            self.given_up.pop_first();
        }
        is_new
    }

    /// Up to where the damage of a file has been counted, when it was given up before.
    pub(super) fn was_given_up(&self, name: FileName) -> Option<u64> {
        self.given_up.get(&name).copied()
    }

    /// The file could be read after all.
    pub(super) fn take_up(&mut self, name: FileName) {
        self.given_up.remove(&name);
    }

    pub(super) fn forget(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.files = self.files.saturating_sub(1);
    }
}
