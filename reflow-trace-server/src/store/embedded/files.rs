//! The little that sealing needs of a file system, so that tests can let it fail.
//!
//! Reading is not here: a reader of a segment opens the file as any tool would.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that is being written.
pub(crate) trait NewFile: Write + Send {
    /// Waits until its content and its length survive a power failure.
    fn sync(&mut self) -> io::Result<()>;
}

/// What is done with the files of segments.
pub(crate) trait Files: Send + Sync {
    /// Makes an empty file, in the place of one that may be there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn NewFile>>;
    /// Gives a file its name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Waits until the names in a directory survive a power failure.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The files in a directory.
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>>;
}

/// Those of the system.
pub(crate) struct RealFiles;

impl NewFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

impl Files for RealFiles {
    fn create(&self, path: &Path) -> io::Result<Box<dyn NewFile>> {
        Ok(Box::new(File::create(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        // Only Unix can open a directory; elsewhere the file system keeps names in order by itself.
        if cfg!(unix) {
            File::open(path)?.sync_all()?;
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
        entries
            .filter(|path| path.as_ref().map_or(true, |path| path.is_file()))
            .collect()
    }
}
