//! The database of a store, read without writing a byte.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags};

use super::finding::{Finding, Findings};
use crate::store::embedded::database as store_database;
use crate::store::embedded::directory::Layout;
use crate::store::{StoreError, UnusableDirectory};

/// Lines of SQLite's check that are shown.
const SHOWN_MAX: u32 = 20;

/// An open database.
pub(super) struct Opened {
    /// Closed before its copy is removed.
    connection: Connection,
    /// The newest format that it has seen.
    pub(super) format: i64,
    /// Of the database and its write-ahead log.
    pub(super) bytes: u64,
    _copy: Option<Copy>,
}

impl Opened {
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// Takes the lock of the directory, so that no server begins meanwhile; the file stays as it is. `None`: there
/// is none, as in a copy of a store, and so no server that holds it.
pub(super) fn keep_servers_out(layout: &Layout) -> Result<Option<File>, StoreError> {
    let lock = layout.lock();
    let database = layout.database();
    fs::metadata(&database)
        .map_err(|error| StoreError::io(format!("read `{}`", database.display()), error))?;
    let mut file = match File::open(&lock) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io(format!("read `{}`", lock.display()), error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _unknown = file.by_ref().take(20).read_to_string(&mut holder);
            let holder = match holder.trim() {
                "" => "unknown".to_owned(),
                number => number.to_owned(),
            };
            Err(UnusableDirectory::InUse {
                directory: layout.root().to_owned(),
                holder,
            }
            .into())
        }
        Err(TryLockError::Error(error)) => {
            Err(StoreError::io(format!("lock `{}`", lock.display()), error))
        }
    }
}

pub(super) fn open(layout: &Layout) -> Result<Opened, StoreError> {
    let file = layout.database();
    let log = beside(&file, "-wal");
    let bytes_of = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
    let bytes = bytes_of(&file) + bytes_of(&log);
    let failed = |error: &rusqlite::Error| store_database::failed("being opened", error);
    let (connection, copy) = match (bytes_of(&log), immutable(&file)) {
        (0, Some(address)) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
                | OpenFlags::SQLITE_OPEN_URI
                | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(address, flags);
            (connection.map_err(|error| failed(&error))?, None)
        }
        _ => {
            let copy = Copy::of(&file, &log).map_err(|error| {
                StoreError::io(
                    format!(
                        "copy `{}` and its write-ahead log, {bytes} bytes, to look at them",
                        file.display()
                    ),
                    error,
                )
            })?;
            let connection = Connection::open(copy.file());
            (connection.map_err(|error| failed(&error))?, Some(copy))
        }
    };
    store_database::check_whose(&file, &connection)?;
    let format = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| failed(&error))?;
    Ok(Opened {
        connection,
        format,
        bytes,
        _copy: copy,
    })
}

/// What SQLite finds when it looks at every page and every index.
pub(super) fn check(connection: &Connection, findings: &mut Findings) {
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(&format!("PRAGMA integrity_check({SHOWN_MAX})"))?;
        let lines = statement.query_map([], |row| row.get(0))?;
        lines.collect()
    };
    let lines = match read() {
        Ok(lines) => lines,
        Err(error) => vec![error.to_string()],
    };
    for line in lines.into_iter().filter(|line| line != "ok") {
        findings.push(Finding::fault(
            "database",
            "store.sqlite",
            format!("SQLite finds: {line}"),
            "stop here and copy the directory; restore a backup, or move the database away to begin anew (the segments beside it stay readable as Parquet: `reflow-trace import`)",
        ));
    }
}

/// The address under which SQLite neither locks nor writes; `None` where the path is no text.
fn immutable(file: &Path) -> Option<String> {
    let absolute = std::path::absolute(file).ok()?;
    let mut address = "file:".to_owned();
    for character in absolute.to_str()?.chars() {
        match character {
            '?' | '#' | '%' => address += &format!("%{:02x}", character as u32),
            _ => address.push(character),
        }
    }
    Some(address + "?immutable=1")
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A copy of a database with its write-ahead log, in a directory that nobody else may read.
struct Copy(PathBuf);

impl Copy {
    fn of(file: &Path, log: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);

        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("reflow-trace-doctor-{}-{number}", std::process::id());
        let copy = Self(std::env::temp_dir().join(name));
        #[cfg_attr(not(unix), expect(unused_mut, reason = "changed on Unix only"))]
        let mut directory = fs::DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            directory.mode(0o700);
        }
        directory.create(&copy.0)?;
        fs::copy(file, copy.file())?;
        if log.exists() {
            fs::copy(log, beside(&copy.file(), "-wal"))?;
        }
        Ok(copy)
    }

    fn file(&self) -> PathBuf {
        self.0.join("store.sqlite")
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It lies where the system cleans up.
        let _left = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_directory_is_taken_for_a_setting() {
        let address = immutable(Path::new("/a?b#c%d/store.sqlite"));
        assert_eq!(
            address.as_deref(),
            Some("file:/a%3fb%23c%25d/store.sqlite?immutable=1")
        );
    }
}
