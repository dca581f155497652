//! Opening the database: whose it is, which format it has, whether it is whole.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::store::{StoreError, UnusableDirectory};

/// `RFTS`, in the header of the file, so that a database of another program is not taken for ours.
const APPLICATION_ID: i64 = 0x5246_5453;

/// The steps from each format to the next. A step that was released is never changed; the format of a
/// database is the number of steps it has seen, in its `user_version`.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE log (
        offset       INTEGER PRIMARY KEY,
        stream       INTEGER NOT NULL,
        number       INTEGER NOT NULL,
        committed_ns INTEGER NOT NULL,
        events       INTEGER NOT NULL,
        frame        BLOB NOT NULL
    ) STRICT;
    CREATE TABLE damaged_log (
        offset       INTEGER PRIMARY KEY,
        stream       INTEGER NOT NULL,
        number       INTEGER NOT NULL,
        committed_ns INTEGER NOT NULL,
        events       INTEGER NOT NULL,
        frame        BLOB NOT NULL
    ) STRICT;
    CREATE TABLE streams (
        stream  INTEGER PRIMARY KEY,
        last    INTEGER NOT NULL,
        seen_ns INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE segments (
        id                 INTEGER PRIMARY KEY,
        first_offset       INTEGER NOT NULL,
        last_offset        INTEGER NOT NULL,
        events             INTEGER NOT NULL,
        bytes              INTEGER NOT NULL,
        crc32c             INTEGER NOT NULL,
        first_ns           INTEGER NOT NULL,
        last_ns            INTEGER NOT NULL,
        committed_first_ns INTEGER NOT NULL,
        committed_last_ns  INTEGER NOT NULL,
        damage             TEXT
    ) STRICT;
    CREATE TABLE rollups (
        segment INTEGER PRIMARY KEY,
        form    BLOB NOT NULL
    ) STRICT;
    CREATE TABLE ledgers (
        producer INTEGER PRIMARY KEY,
        ledger   TEXT NOT NULL
    ) STRICT;
    CREATE TABLE totals (
        id                INTEGER PRIMARY KEY CHECK (id = 1),
        next_offset       INTEGER NOT NULL,
        next_segment      INTEGER NOT NULL,
        batches           INTEGER NOT NULL,
        events            INTEGER NOT NULL,
        gaps              INTEGER NOT NULL,
        retired_segments  INTEGER NOT NULL,
        retired_events    INTEGER NOT NULL,
        retired_producers INTEGER NOT NULL,
        retired_streams   INTEGER NOT NULL,
        probes            INTEGER NOT NULL
    ) STRICT;
    INSERT INTO totals VALUES (1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
",
    // Of what was retired before nobody has written down where it was.
    "
    CREATE TABLE retired (
        first_offset INTEGER PRIMARY KEY,
        end_offset   INTEGER NOT NULL
    ) STRICT;
",
];

/// The newest format that this version knows.
pub(crate) const FORMAT: i64 = MIGRATIONS.len() as i64;

/// Bytes of a page. A frame is tens of kilobytes, so large pages make short chains of them.
pub(crate) const PAGE_BYTES: u64 = 16_384;

/// Pages in the write-ahead log after which it is copied back; 64 MiB. Copying is not free, and most of
/// what it would copy is deleted by the next sealing.
const CHECKPOINT_PAGES: u64 = (64 << 20) / PAGE_BYTES;

/// Opens the database for writing, makes or migrates its tables, and checks it.
pub(crate) fn open(file: &Path, bytes_max: Option<u64>) -> Result<Connection, StoreError> {
    if file.exists() {
        // By a connection that cannot write, so that what is refused stays as it is.
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(|error| not_opened(file, &error))?;
        check_whose(file, &connection)?;
        check_whole(file, &connection)?;
    }
    let connection = Connection::open(file).map_err(|error| not_opened(file, &error))?;
    prepare(&connection, bytes_max).map_err(|error| not_opened(file, &error))?;
    migrate(&connection).map_err(|error| failed("preparing its tables", &error))?;
    Ok(connection)
}

/// Opens the database once more, for reading beside the writer.
pub(crate) fn open_for_reading(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reading = "being opened for reading";
    let connection =
        Connection::open_with_flags(file, flags).map_err(|error| failed(reading, &error))?;
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .map_err(|error| failed(reading, &error))?;
    Ok(connection)
}

/// What SQLite said, as an error of the store.
pub(crate) fn failed(what: &'static str, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full {
            what: "in the database",
            detail: error.to_string(),
        },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::damaged("store.sqlite", error)
        }
        _ => StoreError::Database {
            what,
            detail: error.to_string(),
        },
    }
}

fn not_opened(file: &Path, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => UnusableDirectory::Foreign {
            file: file.to_owned(),
        }
        .into(),
        Some(ErrorCode::DatabaseCorrupt) => UnusableDirectory::Damaged {
            file: file.to_owned(),
            detail: error.to_string(),
        }
        .into(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            UnusableDirectory::NotWritable {
                directory: file.parent().unwrap_or(file).to_owned(),
                detail: error.to_string(),
            }
            .into()
        }
        _ => failed("being opened", error),
    }
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// Before anything is written: the database is ours, or empty, and not of a later version.
pub(crate) fn check_whose(file: &Path, connection: &Connection) -> Result<(), StoreError> {
    let read = || -> rusqlite::Result<(i64, i64, i64)> {
        let objects =
            connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((
            pragma(connection, "application_id")?,
            pragma(connection, "user_version")?,
            objects,
        ))
    };
    let (application_id, found, objects) = read().map_err(|error| not_opened(file, &error))?;
    let is_new = application_id == 0 && found == 0 && objects == 0;
    if !is_new && application_id != APPLICATION_ID {
        return Err(UnusableDirectory::Foreign {
            file: file.to_owned(),
        }
        .into());
    }
    if found > FORMAT {
        return Err(UnusableDirectory::Newer {
            file: file.to_owned(),
            found,
            known: FORMAT,
        }
        .into());
    }
    Ok(())
}

fn prepare(connection: &Connection, bytes_max: Option<u64>) -> rusqlite::Result<()> {
    // Before the first table is made, where it has an effect; later it has none.
    connection.pragma_update(None, "page_size", PAGE_BYTES.cast_signed())?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Every commit waits for the disk: that is what an acknowledgement says.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES.cast_signed())?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    if let Some(bytes_max) = bytes_max {
        let page_bytes = pragma(connection, "page_size")?.unsigned_abs().max(1);
        connection.pragma_update(
            None,
            "max_page_count",
            (bytes_max / page_bytes).max(1).cast_signed(),
        )?;
    }
    Ok(())
}

fn check_whole(file: &Path, connection: &Connection) -> Result<(), StoreError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| not_opened(file, &error))?;
    if found == "ok" {
        return Ok(());
    }
    Err(UnusableDirectory::Damaged {
        file: file.to_owned(),
        detail: found,
    }
    .into())
}

fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    let format = pragma(connection, "user_version")?;
    for (index, step) in (1..).zip(MIGRATIONS) {
        if index > format {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {step}
                 PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {index}; COMMIT;"
            ))?;
        }
    }
    Ok(())
}
