//! What goes to the disk, and what comes from it.
//!
//! Memory is given up for the disk when half of the window is used, when a batch has waited in it for
//! `spool_after`, or when an end is near. That holds whether or not there is a connection: a server that
//! takes too little is as good as none.

use std::io;
use std::time::Duration;

use super::account::Account;
use super::shelf::{Doing, Shelf, pause_after};
use super::stream::{Shelved, Stream};
use super::{Machine, Time};
use crate::client::spool::{Chunk, DiskCommand, DiskOutcome, FileName, Found};
use crate::ledger::LossReason;

/// How often a file is tried that cannot be read. With the pauses between, two minutes.
const READ_ATTEMPTS: u32 = 8;
/// When the directory is searched again after another process was at it.
const SCAN_AGAIN: Duration = Duration::from_secs(1);

impl Machine {
    /// What the disk is to do next. The answer comes as [`disk_done`](Self::disk_done); until then there
    /// is nothing else.
    pub fn poll_disk(&mut self) -> Option<DiskCommand> {
        let is_idle = self.shelf.as_ref()?.doing.is_none();
        if !is_idle || self.ending.is_over() {
            return None;
        }
        let (doing, command) = self
            .write_command()
            .or_else(|| self.remove_command())
            .or_else(|| self.read_command())
            .or_else(|| self.release_command())
            .or_else(|| self.scan_command())?;
        self.shelf.as_mut()?.doing = Some(doing);
        Some(command)
    }

    /// What became of what the disk was to do.
    pub fn disk_done(&mut self, now: Time, outcome: DiskOutcome) {
        self.now = self.now.max(now);
        let Some(shelf) = &mut self.shelf else { return };
        let Some(doing) = shelf.doing.take() else {
            return;
        };
        match (doing, outcome) {
            (Doing::Scan, DiskOutcome::Scanned(found)) => self.scanned(found),
            (
                Doing::Write {
                    name,
                    bytes,
                    last,
                    is_new,
                },
                DiskOutcome::Written(written),
            ) => match written {
                Ok(()) => {
                    shelf.writing.succeeded();
                    shelf.has_written = true;
                    shelf.bytes += bytes;
                    shelf.files += usize::from(is_new);
                    self.own.move_to_file(name, bytes, last);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    shelf.writing.was_busy(self.now);
                }
                Err(error) => {
                    shelf.writing.failed(self.now);
                    self.account
                        .note(format!("cannot write to the spool: {error}"));
                }
            },
            (Doing::Read { name, pass }, DiskOutcome::Read(chunk)) => self.read(name, pass, chunk),
            (Doing::Remove { name, bytes }, DiskOutcome::Removed(removed)) => match removed {
                Ok(()) => {
                    shelf.removing.succeeded();
                    shelf.forget(bytes);
                }
                Err(error) => {
                    shelf.removing.failed(self.now);
                    shelf.removals.push_front((name, bytes));
                    self.account
                        .note(format!("cannot remove from the spool: {error}"));
                }
            },
            (Doing::Release(stream), DiskOutcome::Released(released)) => {
                let Err(error) = released else {
                    shelf.removing.succeeded();
                    return;
                };
                shelf.releases.push_back(stream);
                if error.kind() == io::ErrorKind::WouldBlock {
                    shelf.removing.was_busy(self.now);
                } else {
                    shelf.removing.failed(self.now);
                    self.account
                        .note(format!("cannot unlock the spool: {error}"));
                }
            }
            // A driver that answers another question: then nothing was done.
            (doing, _) => debug_assert!(false, "another answer is due to {doing:?}"),
        }
    }

    /// The disk will not answer.
    pub fn disk_failed(&mut self, now: Time, why: &str) {
        let Some(doing) = self.shelf.as_ref().and_then(|shelf| shelf.doing) else {
            return;
        };
        let error = io::Error::other(why);
        let outcome = match doing {
            Doing::Scan => DiskOutcome::Scanned(Err(error)),
            Doing::Write { .. } => DiskOutcome::Written(Err(error)),
            Doing::Read { .. } => DiskOutcome::Read(Err(error)),
            Doing::Remove { .. } => DiskOutcome::Removed(Err(error)),
            Doing::Release(_) => DiskOutcome::Released(Err(error)),
        };
        self.disk_done(now, outcome);
    }

    /// Lets go of files in which everything is settled, and of streams that have none.
    pub(super) fn retire_files(&mut self) {
        let Some(shelf) = &mut self.shelf else { return };
        let busy = shelf.busy_file();
        for stream in std::iter::once(&mut self.own).chain(&mut self.adopted) {
            while let Some(file) = stream.pop_settled_file(busy) {
                // What was not found when it was read, in a file whose end was not reached.
                self.account
                    .lose_pending(LossReason::SpoolCorrupt, file.unsettled_events);
                shelf.drop_file(file.name, file.bytes, !file.is_unreadable);
            }
        }
        self.adopted.retain(|stream| {
            let is_left = !stream.is_empty();
            if !is_left {
                shelf.releases.push_back(stream.id);
            }
            is_left
        });
    }

    /// When the disk has something to do, if not at once.
    pub(super) fn disk_wake_at(&self) -> Option<Time> {
        let shelf = self.shelf.as_ref().filter(|shelf| shelf.doing.is_none())?;
        let has_to_tidy = !shelf.removals.is_empty() || !shelf.releases.is_empty();
        let reading = self.streams_to_read().filter_map(|stream| {
            let _there_is_one = stream.file_to_read()?;
            stream.reader.retry_at
        });
        [
            self.write_due_at(shelf),
            has_to_tidy.then(|| shelf.removing.at()),
            (!self.ending.is_ending()).then_some(shelf.scan_at),
        ]
        .into_iter()
        .flatten()
        .chain(reading)
        .min()
    }

    /// The file that is written next, what it holds, and how many bytes may be added.
    pub(super) fn file_to_write(&self, shelf: &Shelf) -> Option<(FileName, u64, u64)> {
        let settings = &shelf.settings;
        let oldest = self.own.window.front()?;
        let (name, offset) = match self.own.file_to_continue(settings.file_bytes_max) {
            Some(file) => (file.name, file.bytes),
            None if shelf.files < settings.files_max => {
                let (stream, first) = (self.own.id, oldest.number());
                (FileName { stream, first }, 0)
            }
            None => return None,
        };
        // One batch always fits into a file.
        let least = oldest.frame.bytes().len() as u64;
        let bytes_max = (settings.file_bytes_max - offset).max(least);
        (least <= shelf.room()).then(|| (name, offset, bytes_max.min(shelf.room())))
    }

    fn write_due_at(&self, shelf: &Shelf) -> Option<Time> {
        let oldest = self.own.window.front()?;
        let _can_be_written = self.file_to_write(shelf)?;
        let is_pressed =
            self.was_full || self.own.window_bytes >= self.settings.window_bytes_max / 2;
        let due = if is_pressed {
            Time::ZERO
        } else {
            let aged = oldest.since + self.settings.spool_after;
            self.secure_at().map_or(aged, |secure| secure.min(aged))
        };
        Some(due.max(shelf.writing.at()))
    }

    fn write_command(&self) -> Option<(Doing, DiskCommand)> {
        let shelf = self.shelf.as_ref()?;
        let _due = self.write_due_at(shelf).filter(|&due| due <= self.now)?;
        let (name, offset, bytes_max) = self.file_to_write(shelf)?;
        let mut bytes = 0;
        let mut frames = Vec::new();
        for held in &self.own.window {
            let more = held.frame.bytes().len() as u64;
            if bytes + more > bytes_max {
                break;
            }
            bytes += more;
            frames.push(held.frame.clone());
        }
        let last = frames.last()?.header().number;
        let doing = Doing::Write {
            name,
            bytes,
            last,
            is_new: offset == 0,
        };
        let command = DiskCommand::Write {
            name,
            offset,
            frames,
        };
        Some((doing, command))
    }

    fn remove_command(&mut self) -> Option<(Doing, DiskCommand)> {
        let shelf = self.shelf.as_mut()?;
        if !shelf.removing.is_due(self.now) {
            return None;
        }
        let (name, bytes) = shelf.removals.pop_front()?;
        Some((Doing::Remove { name, bytes }, DiskCommand::Remove(name)))
    }

    /// The streams that are being sent.
    fn streams_to_read(&self) -> impl Iterator<Item = &Stream> {
        let adopted = self.adopted.first();
        let adopted = adopted.filter(|_| !self.ending.is_ending());
        let is_open = self.link.is_open();
        std::iter::once(&self.own)
            .chain(adopted)
            .filter(move |_| is_open)
    }

    fn read_command(&self) -> Option<(Doing, DiskCommand)> {
        let settings = &self.shelf.as_ref()?.settings;
        self.streams_to_read().find_map(|stream| {
            let reader = &stream.reader;
            let is_hungry = reader.bytes < settings.read_bytes_max / 2;
            let is_due = reader.retry_at.is_none_or(|at| at <= self.now);
            let file = stream.file_to_read().filter(|_| is_hungry && is_due)?;
            let (name, pass) = (file.name, reader.pass);
            let command = DiskCommand::Read {
                name,
                offset: stream.offset_in(name),
                length: file.bytes,
                bytes_max: settings.read_bytes_max,
                pass,
            };
            Some((Doing::Read { name, pass }, command))
        })
    }

    fn release_command(&mut self) -> Option<(Doing, DiskCommand)> {
        let shelf = self.shelf.as_mut()?;
        if !shelf.removing.is_due(self.now) {
            return None;
        }
        let stream = shelf.releases.pop_front()?;
        Some((Doing::Release(stream), DiskCommand::Release(stream)))
    }

    fn scan_command(&self) -> Option<(Doing, DiskCommand)> {
        let shelf = self.shelf.as_ref()?;
        let is_due = self.now >= shelf.scan_at && !self.ending.is_ending();
        is_due.then_some((Doing::Scan, DiskCommand::Scan))
    }

    fn scanned(&mut self, found: io::Result<Found>) {
        let Some(shelf) = &mut self.shelf else { return };
        shelf.scan_at = self.now + shelf.settings.scan_every;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                if error.kind() == io::ErrorKind::WouldBlock {
                    shelf.scan_at = self.now + SCAN_AGAIN;
                } else {
                    self.account
                        .note(format!("cannot search the spool: {error}"));
                }
                return;
            }
        };
        shelf.waiting_bytes = found.waiting_bytes;
        self.account.damage.foreign_files = found.foreign_files;
        // The files of a stream follow each other.
        let mut counted = None;
        for (name, bytes) in found.adopted {
            let given_up = shelf.was_given_up(name);
            if given_up.is_none() && counted != Some(name.stream) {
                counted = Some(name.stream);
                self.account.adopted.streams += 1;
            }
            shelf.bytes += bytes;
            shelf.files += 1;
            let is_known = self
                .adopted
                .last()
                .is_some_and(|stream| stream.id == name.stream);
            if !is_known {
                self.adopted.push(Stream::new(name.stream, false));
            }
            let mut file = Shelved::new(name, bytes);
            if let Some(counted_bytes) = given_up {
                // One attempt each time, so that it keeps nothing else waiting.
                file.failures = READ_ATTEMPTS - 1;
                file.counted_bytes = counted_bytes;
            }
            if let Some(stream) = self.adopted.last_mut() {
                stream.files.push_back(file);
            }
        }
    }

    fn read(&mut self, name: FileName, pass: u64, chunk: io::Result<Chunk>) {
        let now = self.now;
        let account = &mut self.account;
        let stream = std::iter::once(&mut self.own)
            .chain(&mut self.adopted)
            .find(|stream| stream.id == name.stream && stream.reader.pass == pass);
        // The connection that it was read for is gone, or the file is.
        let Some(stream) = stream else { return };
        let offset = stream.offset_in(name);
        let Some(file) = stream.files.iter_mut().find(|file| file.name == name) else {
            return;
        };
        let is_given_up = match &chunk {
            Ok(chunk) => chunk.is_foreign,
            Err(error) => {
                account.note(format!("cannot read `{name}` in the spool: {error}"));
                stream.reader.retry_at = Some(now + pause_after(file.failures));
                file.failures += 1;
                error.kind() == io::ErrorKind::NotFound || file.failures >= READ_ATTEMPTS
            }
        };
        if is_given_up {
            let counted_bytes = file.counted_bytes;
            stream.reader.retry_at = None;
            let left = stream.give_up_file(name, account);
            let Some(shelf) = &mut self.shelf else { return };
            account.damage.unreadable_files += u64::from(shelf.give_up(name, counted_bytes));
            if let Some(file) = left {
                shelf.drop_file(file.name, file.bytes, false);
            }
            return;
        }
        let Ok(chunk) = chunk else { return };
        file.failures = 0;
        let is_news = file.counted_bytes <= offset;
        if is_news {
            file.counted_bytes = chunk.next_offset.max(offset + 1);
        }
        stream.reader.retry_at = None;
        let misplaced_bytes = stream.read(name, chunk.frames);
        stream.reader.offset = chunk.next_offset;
        if is_news {
            account.damage.corrupt_bytes += chunk.corrupt_bytes + misplaced_bytes;
            account.damage.torn_bytes += chunk.torn_bytes;
        }
        if chunk.is_end {
            stream.finish_file(name, account);
            if let Some(shelf) = &mut self.shelf {
                shelf.take_up(name);
            }
        }
    }
}

impl Account {
    /// Whether anything in the spool was damaged.
    pub fn has_seen_damage(&self) -> bool {
        let damage = &self.damage;
        damage.corrupt_bytes + damage.torn_bytes + damage.unreadable_files > 0
    }
}
