//! The directory of a store: its names, and the lock that keeps a second server out.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::store::{StoreError, UnusableDirectory};

/// Paths in the directory of a store.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

/// How the name of a segment ends.
const SEGMENT_SUFFIX: &str = ".parquet";
/// How the name of a segment ends while it is being written.
const UNFINISHED_SUFFIX: &str = ".unfinished";

impl Layout {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("store.sqlite")
    }

    pub(crate) fn segments(&self) -> PathBuf {
        self.root.join("segments")
    }

    pub(crate) fn damaged(&self) -> PathBuf {
        self.root.join("damaged")
    }

    pub(crate) fn segment(&self, id: u64) -> PathBuf {
        self.segments().join(format!("{id:016}{SEGMENT_SUFFIX}"))
    }

    pub(crate) fn unfinished(&self, id: u64) -> PathBuf {
        self.segments().join(format!("{id:016}{UNFINISHED_SUFFIX}"))
    }

    /// Where a damaged file of a segment is kept: the first, the second, and so on.
    pub(crate) fn damaged_segment(&self, id: u64, copy: u32) -> PathBuf {
        let name = format!("{id:016}{SEGMENT_SUFFIX}");
        self.damaged().join(match copy {
            1 => name,
            copy => format!("{name}.{copy}"),
        })
    }

    /// The number in the name of a file that sealing makes; `None` for any other file.
    pub(crate) fn segment_id(path: &Path) -> Option<u64> {
        let name = path.file_name()?.to_str()?;
        let digits = name
            .strip_suffix(SEGMENT_SUFFIX)
            .or_else(|| name.strip_suffix(UNFINISHED_SUFFIX))?;
        let is_ours = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_ours.then(|| digits.parse().ok()).flatten()
    }
}

/// Holds the directory for this process; the system lets go of it however the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Closing the file is not enough: a child that this process is just beginning has a copy of it until it
    /// is a program of its own, and with it the lock.
    fn drop(&mut self) {
        let _best_effort = self.file.unlock();
    }
}

/// Makes the directory where it is missing, and takes it.
pub(crate) fn take(layout: &Layout) -> Result<Lock, StoreError> {
    let not_writable = |error: io::Error| UnusableDirectory::NotWritable {
        directory: layout.root().to_owned(),
        detail: error.to_string(),
    };
    fs::create_dir_all(layout.segments()).map_err(not_writable)?;
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(layout.lock())
        .map_err(not_writable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let read = file.take(20).read_to_string(&mut holder);
            let holder = match read {
                Ok(1..) => holder.trim().to_owned(),
                _ => "unknown".to_owned(),
            };
            return Err(UnusableDirectory::InUse {
                directory: layout.root().to_owned(),
                holder,
            }
            .into());
        }
        Err(TryLockError::Error(error)) => return Err(not_writable(error).into()),
    }
    // Who holds it is for the eyes of whoever cannot have it. This is also the first write, so that a disk
    // that may only be read is found out here. A full disk is not: reading must go on.
    let written = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    match written {
        Err(error) if error.kind() != io::ErrorKind::StorageFull => Err(not_writable(error).into()),
        _ => Ok(Lock { file }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_sealing_makes_is_taken_for_a_segment() {
        let layout = Layout::new(Path::new("/store"));
        assert_eq!(Layout::segment_id(&layout.segment(7)), Some(7));
        assert_eq!(Layout::segment_id(&layout.unfinished(7)), Some(7));
        for foreign in [
            "7.parquet",
            "notes.txt",
            "000000000000000x.parquet",
            "0000000000000007.parquet.bak",
        ] {
            assert_eq!(Layout::segment_id(Path::new(foreign)), None, "{foreign}");
        }
    }
}
