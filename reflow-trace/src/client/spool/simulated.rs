//! A disk in memory that tears, fills up and rots when it is told to.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Disk;

/// A directory in memory. A clone is another process's view of the same directory.
///
/// What was written survives the death of a process; its locks do not. How the disk fails is set by
/// [`change`](Self::change).
#[derive(Clone, Debug)]
pub struct SimulatedDisk {
    state: Arc<Mutex<SimulatedState>>,
}

/// What is on the disk, and how it fails. All of it may be changed at any time.
#[derive(Clone, Debug)]
pub struct SimulatedState {
    /// The files.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The files that are locked.
    pub locked: BTreeSet<String>,
    /// Most bytes of all files together; beyond it the disk is full.
    pub capacity: usize,
    /// The next write stops after so many bytes, and fails.
    pub tear_after: Option<usize>,
    /// Reading fails.
    pub fails_reads: bool,
    /// Removing fails.
    pub fails_removes: bool,
    /// Locks are not known here.
    pub knows_no_locks: bool,
    /// Most bytes that all files together have held.
    pub bytes_seen_max: usize,
}

/// A lock on a [`SimulatedDisk`].
#[derive(Debug)]
pub struct SimulatedLock {
    name: String,
    state: Arc<Mutex<SimulatedState>>,
}

impl Default for SimulatedDisk {
    fn default() -> Self {
        let state = SimulatedState {
            files: BTreeMap::new(),
            locked: BTreeSet::new(),
            capacity: usize::MAX,
            tear_after: None,
            fails_reads: false,
            fails_removes: false,
            knows_no_locks: false,
            bytes_seen_max: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }
}

impl SimulatedDisk {
    /// Looks at the disk, or changes what is on it and how it fails.
    pub fn change<T>(&self, change: impl FnOnce(&mut SimulatedState) -> T) -> T {
        change(&mut self.state())
    }

    /// Bytes of all files together.
    pub fn bytes(&self) -> usize {
        self.state().bytes()
    }

    fn state(&self) -> MutexGuard<'_, SimulatedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimulatedState {
    fn bytes(&self) -> usize {
        self.files.values().map(Vec::len).sum()
    }
}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.locked.remove(&self.name);
    }
}

fn not_there(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("`{name}` is not there"))
}

impl Disk for SimulatedDisk {
    type Lock = SimulatedLock;

    fn list(&mut self) -> io::Result<Vec<(String, Option<u64>)>> {
        let state = self.state();
        let files = state.files.iter();
        Ok(files
            .map(|(name, bytes)| (name.clone(), Some(bytes.len() as u64)))
            .collect())
    }

    fn read(&mut self, name: &str, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let state = self.state();
        if state.fails_reads {
            return Err(io::Error::other("cannot read"));
        }
        let bytes = state.files.get(name).ok_or_else(|| not_there(name))?;
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        Ok(rest[..rest.len().min(bytes_max)].to_vec())
    }

    fn write(&mut self, name: &str, offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        let mut state = self.state();
        let file = state.files.entry(name.to_owned()).or_default();
        file.resize(offset as usize, 0);
        let wanted = parts.concat();
        let room = state.capacity.saturating_sub(state.bytes());
        let torn = state.tear_after.take();
        let written = wanted.len().min(room).min(torn.unwrap_or(usize::MAX));
        if let Some(file) = state.files.get_mut(name) {
            file.extend_from_slice(&wanted[..written]);
        }
        state.bytes_seen_max = state.bytes_seen_max.max(state.bytes());
        match torn {
            Some(_) => Err(io::Error::other("cannot write")),
            None if written < wanted.len() => Err(io::ErrorKind::StorageFull.into()),
            None => Ok(()),
        }
    }

    fn cut(&mut self, name: &str, length: u64) -> io::Result<()> {
        let mut state = self.state();
        let file = state.files.get_mut(name).ok_or_else(|| not_there(name))?;
        file.truncate(length as usize);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        if state.fails_removes {
            return Err(io::Error::other("cannot remove"));
        }
        state
            .files
            .remove(name)
            .map(|_| ())
            .ok_or_else(|| not_there(name))
    }

    fn lock(&mut self, name: &str) -> io::Result<Option<SimulatedLock>> {
        let mut state = self.state();
        if state.knows_no_locks {
            return Err(io::ErrorKind::Unsupported.into());
        }
        state.files.entry(name.to_owned()).or_default();
        let is_free = state.locked.insert(name.to_owned());
        Ok(is_free.then(|| SimulatedLock {
            name: name.to_owned(),
            state: Arc::clone(&self.state),
        }))
    }
}
