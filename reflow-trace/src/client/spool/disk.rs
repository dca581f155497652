//! What a spool needs of a disk, and the real one.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// One flat directory.
///
/// Small, so that tests can put a disk there that tears, fills up and rots
/// ([`SimulatedDisk`](super::SimulatedDisk)).
pub trait Disk: Send + 'static {
    /// Held as long as it lives, and no longer than the process.
    type Lock: Send;

    /// The files that are there, with their lengths in bytes, in any order. An entry that is no file
    /// has no length.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read.
    fn list(&mut self) -> io::Result<Vec<(String, Option<u64>)>>;

    /// At most `bytes_max` bytes from `offset` on; fewer only at the end of the file.
    ///
    /// # Errors
    ///
    /// When the file is not there or cannot be read.
    fn read(&mut self, name: &str, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>>;

    /// Writes the parts one after the other from `offset` on, and cuts what was behind it before. They
    /// survive a loss of power when this returns.
    ///
    /// # Errors
    ///
    /// Then any part of it may be written.
    fn write(&mut self, name: &str, offset: u64, parts: &[&[u8]]) -> io::Result<()>;

    /// Cuts the file to `length` bytes.
    ///
    /// # Errors
    ///
    /// When the file is not there or cannot be written.
    fn cut(&mut self, name: &str, length: u64) -> io::Result<()>;

    /// Removes the file.
    ///
    /// # Errors
    ///
    /// When the file is not there or cannot be removed.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Locks the file, which is made where it is not there; `None` when somebody else has locked it.
    ///
    /// # Errors
    ///
    /// When the file cannot be made, or the file system knows no locks.
    fn lock(&mut self, name: &str) -> io::Result<Option<Self::Lock>>;
}

/// A directory of a real disk; made at the first use, for its owner's eyes only.
#[derive(Debug)]
pub struct RealDisk {
    directory: PathBuf,
    is_made: bool,
}

impl RealDisk {
    /// Nothing is looked at or made yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            is_made: false,
        }
    }

    /// Where the file is.
    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn make_directory(&mut self) -> io::Result<()> {
        if !self.is_made {
            let mut builder = DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(&self.directory)?;
            self.is_made = true;
        }
        Ok(())
    }

    fn open_or_make(&mut self, name: &str) -> io::Result<File> {
        self.make_directory()?;
        let mut options = OpenOptions::new();
        // What is there is kept: it is cut where it has to be.
        options.read(true).write(true).create(true).truncate(false);
        // Batches may hold the content of messages.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.path(name))
    }
}

/// A lock on a file of a real disk.
///
/// It is given up by itself and not with the file: a child that was forked meanwhile has the same file
/// open, and would keep the lock for as long as it lives.
#[derive(Debug)]
pub struct RealLock(File);

impl RealLock {
    /// The file as a forked child has it.
    #[cfg(test)]
    pub(super) fn inherited(&self) -> io::Result<File> {
        self.0.try_clone()
    }
}

impl Drop for RealLock {
    fn drop(&mut self) {
        // Where this fails, closing the file does it.
        let _closing_does_it = self.0.unlock();
    }
}

impl Disk for RealDisk {
    type Lock = RealLock;

    fn list(&mut self) -> io::Result<Vec<(String, Option<u64>)>> {
        self.make_directory()?;
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            // A file may go while the directory is read.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((name, metadata.is_file().then_some(metadata.len())));
        }
        Ok(files)
    }

    fn read(&mut self, name: &str, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.path(name))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(bytes_max as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write(&mut self, name: &str, offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        let mut file = self.open_or_make(name)?;
        let is_new = file.metadata()?.len() == 0;
        file.set_len(offset)?;
        file.seek(SeekFrom::Start(offset))?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_data()?;
        if is_new {
            sync_directory(&self.directory)?;
        }
        Ok(())
    }

    fn cut(&mut self, name: &str, length: u64) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .open(self.path(name))?
            .set_len(length)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(name))
    }

    fn lock(&mut self, name: &str) -> io::Result<Option<RealLock>> {
        let file = self.open_or_make(name)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(RealLock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// A new name is on the disk when its directory is.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Names are written with the files here.
#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}
