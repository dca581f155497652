//! Batches on disk, for as long as the server does not acknowledge them.
//!
//! # On the disk
//!
//! A directory holds, and nothing else of it is ours:
//!
//! | name | holds |
//! | --- | --- |
//! | `<stream>-<first>.frames` | batches of one stream, as [frames](crate::wire::frame) back to back in ascending order; nothing before, between or behind them |
//! | `<stream>.lock` | nothing; locked by the process that owns the stream, for as long as it lives |
//! | `spool.lock` | nothing; locked for a moment while streams change hands |
//!
//! `<stream>` and `<first>`, the number of the first batch that was written to the file, are 16 lowercase
//! hex digits, so that the order of the names is the order of the batches. A file is written in one or
//! several goes, each of which appends whole frames and is on the disk (`fdatasync`) before the copies
//! in memory are given up. It is removed when the server has acknowledged everything in it. The files
//! are the only truth: there is no index, no ledger and no position beside them that could disagree.
//!
//! # After a crash
//!
//! Whoever finds the files of a stream whose lock nobody holds adopts it, and sends what is whole in
//! them. What was sent before is known to the server by its number and is not stored again. Files are
//! looked into when their turn to be sent comes, not before, so that a start takes no time however much
//! lies there.
//!
//! * A file that ends within a frame, as an interrupted write leaves it, is read to the end of its last
//!   whole frame; the rest is counted as torn.
//! * Bytes that are no whole frame with the right checksum are skipped up to the next one, and counted
//!   as corrupt. So are frames of another stream, or out of order.
//! * Everything that has another name is left alone and counted as foreign.
//! * A file that begins with a frame of a later version of the format is left alone and counted as
//!   unreadable.
//! * A file that cannot be read is tried again, then left where it is and counted as unreadable; what
//!   comes behind it goes on. Each later search tries such files once more, and counts none of them again.
//!
//! Nothing of this keeps a client from starting.
//!
//! # Several processes
//!
//! May share a directory, each with streams and bounds of its own. The batches that dead processes left
//! count towards the bound of whoever has adopted them, and of everybody where nobody has, so that
//! processes which die one after the other do not fill the disk. On a file system without locks nothing
//! is adopted.
//!
//! # Why fsync here and nowhere else
//!
//! A batch in memory does not survive its process anyway, so there is nothing to gain from syncing more
//! often than memory is given up. Then once per write, which holds many batches: 4 ms for up to 4 MiB.

mod disk;
mod name;
mod simulated;
#[cfg(test)]
mod tests;

pub use disk::{Disk, RealDisk, RealLock};
pub use name::FileName;
pub use simulated::{SimulatedDisk, SimulatedLock, SimulatedState};

use std::collections::BTreeMap;
use std::io;

use name::{DIRECTORY_LOCK, Kind};

use crate::wire::frame::{Frame, FrameError, FrameLimits, FrameScanner, Scanned};

/// Most streams of dead processes that one client owns at a time; each holds a file open.
pub const ADOPTED_MAX: usize = 64;

/// What a spool is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskCommand {
    /// Look for what dead processes have left.
    Scan,
    /// Append these batches to a file, behind what it holds.
    Write {
        /// The file.
        name: FileName,
        /// What it holds.
        offset: u64,
        /// The batches.
        frames: Vec<Frame>,
    },
    /// Read batches from a file.
    Read {
        /// The file.
        name: FileName,
        /// Where to begin.
        offset: u64,
        /// Where the file ends.
        length: u64,
        /// About how many bytes to read.
        bytes_max: usize,
        /// Comes back with the answer.
        pass: u64,
    },
    /// Remove a file.
    Remove(FileName),
    /// Nothing of this stream is left: give it up.
    Release(u64),
}

/// What came of it.
#[derive(Debug)]
pub enum DiskOutcome {
    /// Of a scan.
    Scanned(io::Result<Found>),
    /// Of a write. When it failed the file holds what it held before, or that with something torn behind.
    Written(io::Result<()>),
    /// Of reading.
    Read(io::Result<Chunk>),
    /// Of removing; that it was not there is no error.
    Removed(io::Result<()>),
    /// Of giving up a stream.
    Released(io::Result<()>),
}

/// What a scan has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Files of streams that are ours from now on, with their lengths, in the order of their names.
    pub adopted: Vec<(FileName, u64)>,
    /// Bytes of dead processes that nobody has adopted.
    pub waiting_bytes: u64,
    /// Entries of the directory that are none of ours.
    pub foreign_files: u64,
}

/// A piece of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Whole batches, as they lie there.
    pub frames: Vec<Frame>,
    /// Bytes that were part of no whole batch.
    pub corrupt_bytes: u64,
    /// Bytes of an interrupted write at the end.
    pub torn_bytes: u64,
    /// Where to go on.
    pub next_offset: u64,
    /// Nothing comes behind it.
    pub is_end: bool,
    /// The file is of a later version.
    pub is_foreign: bool,
}

/// A directory of batches.
#[derive(Debug)]
pub struct Spool<D: Disk> {
    disk: D,
    limits: FrameLimits,
    own: u64,
    own_lock: OwnLock<D::Lock>,
    adopted: BTreeMap<u64, D::Lock>,
}

#[derive(Debug)]
enum OwnLock<L> {
    None,
    /// Never read: it is there to be held.
    Held(L),
    /// The file system knows no locks: then nobody else can adopt what is ours either.
    Impossible,
}

impl<D: Disk> Spool<D> {
    /// The spool of the client with this stream. Nothing is done yet.
    pub fn new(disk: D, own: u64, limits: FrameLimits) -> Self {
        Self {
            disk,
            limits,
            own,
            own_lock: OwnLock::None,
            adopted: BTreeMap::new(),
        }
    }

    /// Does it. May take as long as a disk takes.
    pub fn carry_out(&mut self, command: DiskCommand) -> DiskOutcome {
        match command {
            DiskCommand::Scan => DiskOutcome::Scanned(self.scan()),
            DiskCommand::Write {
                name,
                offset,
                frames,
            } => DiskOutcome::Written(self.write(name, offset, &frames)),
            DiskCommand::Read {
                name,
                offset,
                length,
                bytes_max,
                ..
            } => DiskOutcome::Read(self.read(name, offset, length, bytes_max)),
            DiskCommand::Remove(name) => {
                let removed = self.disk.remove(&name.to_string());
                DiskOutcome::Removed(match removed {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                    removed => removed,
                })
            }
            DiskCommand::Release(stream) => DiskOutcome::Released(self.release(stream)),
        }
    }

    /// Nobody else changes who owns what meanwhile.
    fn lock_directory(&mut self) -> io::Result<D::Lock> {
        self.disk
            .lock(DIRECTORY_LOCK)?
            .ok_or_else(|| io::Error::from(io::ErrorKind::WouldBlock))
    }

    /// Before the first file: afterwards everybody sees that its process lives.
    fn own_the_stream(&mut self) -> io::Result<()> {
        if !matches!(self.own_lock, OwnLock::None) {
            return Ok(());
        }
        let locked = self.lock_directory().and_then(|_directory| {
            let lock = self.disk.lock(&FileName::lock_of(self.own))?;
            lock.ok_or_else(|| io::Error::other("another process has drawn the same stream"))
        });
        self.own_lock = match locked {
            Ok(lock) => OwnLock::Held(lock),
            Err(error) if error.kind() == io::ErrorKind::Unsupported => OwnLock::Impossible,
            Err(error) => return Err(error),
        };
        Ok(())
    }

    fn write(&mut self, name: FileName, offset: u64, frames: &[Frame]) -> io::Result<()> {
        self.own_the_stream()?;
        let parts: Vec<&[u8]> = frames.iter().map(|frame| &frame.bytes()[..]).collect();
        let name = name.to_string();
        self.disk.write(&name, offset, &parts).inspect_err(|_| {
            // As far as it works: what is torn is found when the file is read, too. Room that a failed
            // write has taken should not be kept.
            let _as_far_as_it_works = if offset == 0 {
                self.disk.remove(&name)
            } else {
                self.disk.cut(&name, offset)
            };
        })
    }

    fn read(
        &mut self,
        name: FileName,
        offset: u64,
        length: u64,
        bytes_max: usize,
    ) -> io::Result<Chunk> {
        let chunk = self.read_once(name, offset, length, bytes_max)?;
        if chunk.is_end || chunk.is_foreign || chunk.next_offset > offset {
            return Ok(chunk);
        }
        // Not one whole frame: it is larger than that, or there is none. With the largest frame behind
        // what is looked at, every frame that begins there is whole.
        let more = bytes_max.saturating_add(self.limits.frame_bytes_max());
        let mut chunk = self.read_once(name, offset, length, more)?;
        if !chunk.is_end && chunk.next_offset <= offset {
            chunk.corrupt_bytes += bytes_max as u64;
            chunk.next_offset = offset + bytes_max as u64;
        }
        Ok(chunk)
    }

    fn read_once(
        &mut self,
        name: FileName,
        offset: u64,
        length: u64,
        bytes_max: usize,
    ) -> io::Result<Chunk> {
        let wanted = length.saturating_sub(offset).min(bytes_max as u64) as usize;
        let bytes = self.disk.read(&name.to_string(), offset, wanted)?;
        let is_end = bytes.len() < wanted || offset + wanted as u64 >= length;
        let mut chunk = Chunk {
            next_offset: offset + bytes.len() as u64,
            is_end,
            ..Chunk::default()
        };
        for piece in FrameScanner::new(bytes.into(), self.limits.clone()) {
            match piece {
                Scanned::Frame { frame, .. } => chunk.frames.push(frame),
                Scanned::Broken {
                    offset: at,
                    bytes,
                    error,
                    ..
                } => {
                    if offset + at as u64 == 0 && is_later_version(&error) {
                        chunk.is_foreign = true;
                        return Ok(chunk);
                    }
                    chunk.corrupt_bytes += bytes as u64;
                }
                Scanned::Tail {
                    offset: at,
                    bytes,
                    is_torn,
                    error,
                    ..
                } => {
                    if offset + at as u64 == 0 && is_later_version(&error) {
                        chunk.is_foreign = true;
                    } else if !is_end {
                        // The rest of it comes with the next piece.
                        chunk.next_offset = offset + at as u64;
                    } else if is_torn {
                        chunk.torn_bytes += bytes as u64;
                    } else {
                        chunk.corrupt_bytes += bytes as u64;
                    }
                }
            }
        }
        Ok(chunk)
    }

    fn scan(&mut self) -> io::Result<Found> {
        let directory = self.lock_directory()?;
        let mut found = Found::default();
        // How many files a stream has, and their bytes.
        let mut streams: BTreeMap<u64, (usize, u64)> = BTreeMap::new();
        for (name, length) in self.disk.list()? {
            match (Kind::of(&name), length) {
                (Kind::Frames(name), Some(length)) => {
                    let (files, bytes) = streams.entry(name.stream).or_default();
                    *files += 1;
                    *bytes += length;
                }
                // A lock without files: left by a process that died before it could give it up.
                (Kind::Lock(stream), Some(_)) => {
                    streams.entry(stream).or_default();
                }
                (Kind::DirectoryLock, _) => {}
                (Kind::Foreign, _) | (_, None) => found.foreign_files += 1,
            }
        }
        let mut locks = BTreeMap::new();
        for (stream, (files, bytes)) in streams {
            if stream == self.own || self.adopted.contains_key(&stream) {
                continue;
            }
            // One that cannot be locked today may be tomorrow.
            let Ok(Some(lock)) = self.disk.lock(&FileName::lock_of(stream)) else {
                continue;
            };
            if files == 0 {
                drop(lock);
                let _of_no_use_nor_harm = self.disk.remove(&FileName::lock_of(stream));
            } else if self.adopted.len() + locks.len() < ADOPTED_MAX {
                locks.insert(stream, lock);
            } else {
                found.waiting_bytes += bytes;
            }
        }
        if !locks.is_empty() {
            self.adopt(locks, &mut found)?;
        }
        drop(directory);
        Ok(found)
    }

    /// Takes over the streams of which these are the locks.
    fn adopt(&mut self, locks: BTreeMap<u64, D::Lock>, found: &mut Found) -> io::Result<()> {
        // Looked for again: until it was locked, a stream could still be written by its process, and what
        // is not known of a file would go with it when it is removed.
        for (name, length) in self.disk.list()? {
            if let (Kind::Frames(name), Some(length)) = (Kind::of(&name), length)
                && locks.contains_key(&name.stream)
            {
                found.adopted.push((name, length));
            }
        }
        found.adopted.sort_unstable();
        for (stream, lock) in locks {
            if found.adopted.iter().any(|(name, _)| name.stream == stream) {
                self.adopted.insert(stream, lock);
            } else {
                drop(lock);
                let _of_no_use_nor_harm = self.disk.remove(&FileName::lock_of(stream));
            }
        }
        Ok(())
    }

    fn release(&mut self, stream: u64) -> io::Result<()> {
        let _directory = self.lock_directory()?;
        if stream == self.own {
            if !matches!(self.own_lock, OwnLock::Held(_)) {
                return Ok(());
            }
            self.own_lock = OwnLock::None;
        } else if self.adopted.remove(&stream).is_none() {
            return Ok(());
        }
        // Some systems do not remove what is open.
        self.disk.remove(&FileName::lock_of(stream))
    }
}

/// A frame that a later version has written, whose bytes are not ours to judge.
fn is_later_version(error: &FrameError) -> bool {
    matches!(error, FrameError::UnknownVersion { byte } if byte.is_ascii_digit())
}
