//! Directories that cannot be used, each with an error that says what to do.

use std::fs;

use reflow_trace::TraceEvent;
use reflow_trace::event::ProducerId;
use rusqlite::Connection;

use super::*;
use crate::store::conformance::batch_of;
use crate::store::embedded::{Level, inspect};
use crate::store::{Snapshot, StoreError, UnusableDirectory};

fn refused(settings: Settings) -> UnusableDirectory {
    match EmbeddedStore::open(settings).err() {
        Some(StoreError::Unusable(unusable)) => *unusable,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_server_is_told_who_has_the_directory() {
    let directory = directory();
    let store = open(small(directory.path()));
    let error = refused(small(directory.path()));
    assert!(matches!(error, UnusableDirectory::InUse { .. }));
    let holder = std::process::id().to_string();
    assert!(error.to_string().contains(&holder), "{error}");
    drop(store);
    open(small(directory.path()));
}

#[test]
fn a_view_keeps_the_directory() {
    let directory = directory();
    let view = open(small(directory.path())).view();
    assert!(matches!(
        refused(small(directory.path())),
        UnusableDirectory::InUse { .. }
    ));
    drop(view);
    open(small(directory.path()));
}

#[test]
fn a_directory_that_cannot_be_written_is_refused() {
    let directory = directory();
    let file = directory.path().join("file");
    fs::write(&file, "").expect("there is room");
    let error = refused(small(&file.join("store")));
    assert!(
        matches!(error, UnusableDirectory::NotWritable { .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("name another directory"),
        "{error}"
    );
}

#[test]
fn somebody_elses_database_is_refused_and_left_as_it_is() {
    let directory = directory();
    let database = directory.path().join("store.sqlite");
    let statement = "PRAGMA user_version = 7; CREATE TABLE bookmarks (url TEXT);";
    Connection::open(&database)
        .and_then(|connection| connection.execute_batch(statement))
        .expect("there is room");
    let before = fs::read(&database).expect("it is there");
    let error = refused(small(directory.path()));
    assert!(
        matches!(error, UnusableDirectory::Foreign { .. }),
        "{error}"
    );
    assert_eq!(fs::read(&database).expect("it is there"), before);
    fs::write(
        &database,
        "this is no database at all, only some text of some length",
    )
    .expect("there is room");
    let error = refused(small(directory.path()));
    assert!(
        matches!(error, UnusableDirectory::Foreign { .. }),
        "{error}"
    );
}

#[test]
fn the_database_of_a_later_version_is_refused_and_left_as_it_is() {
    let directory = directory();
    drop(open(small(directory.path())));
    let database = directory.path().join("store.sqlite");
    Connection::open(&database)
        .and_then(|connection| connection.execute_batch("PRAGMA user_version = 99"))
        .expect("there is room");
    let error = refused(small(directory.path()));
    assert!(
        matches!(error, UnusableDirectory::Newer { found: 99, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("run the version that wrote it"),
        "{error}"
    );
}

#[test]
fn a_database_of_the_first_format_is_looked_at_as_it_is_and_opened_with_all_that_it_has() {
    let directory = directory();
    let store = open(small(directory.path()));
    let events = [TraceEvent::data_flow("a", "out", "b", "in", "T", 8)];
    commit(
        &store,
        vec![batch_of(&events, ProducerId::from_bits(1), 1, 1)],
    );
    drop(store);
    let database = directory.path().join("store.sqlite");
    let format = |database: &Path| -> i64 {
        let connection = Connection::open(database).expect("it is there");
        let format = connection.pragma_query_value(None, "user_version", |row| row.get(0));
        format.expect("it has one")
    };
    Connection::open(&database)
        .and_then(|connection| {
            connection.execute_batch("DROP TABLE retired; PRAGMA user_version = 1")
        })
        .expect("there is room");
    let found = inspect(directory.path(), true, NOON_NS, &mut |_, _| {}).expect("it can be read");
    assert_eq!(
        (
            found.format,
            found.sums.stored,
            found.findings.count(Level::Fault)
        ),
        (1, 1, 0)
    );
    assert_eq!(format(&database), 1i64);
    let store = open(small(directory.path()));
    assert_eq!((store.view().end(), store.view().holes()), (2, Vec::new()));
    drop(store);
    assert_eq!(format(&database), 2i64);
}

#[test]
fn every_error_says_what_to_do() {
    let directory = std::path::PathBuf::from("/srv/trace");
    let file = directory.join("store.sqlite");
    let unusable = [
        UnusableDirectory::InUse {
            directory: directory.clone(),
            holder: "17".to_owned(),
        },
        UnusableDirectory::NotWritable {
            directory,
            detail: "permission denied".to_owned(),
        },
        UnusableDirectory::Foreign { file: file.clone() },
        UnusableDirectory::Newer {
            file: file.clone(),
            found: 3,
            known: 1,
        },
        UnusableDirectory::Damaged {
            file,
            detail: "row 3 missing from index".to_owned(),
        },
    ];
    let printed: Vec<_> = unusable.iter().map(ToString::to_string).collect();
    assert_eq!(
        printed,
        [
            "`/srv/trace` is in use by another server (process 17): stop that one, or give this one a directory of its own",
            "cannot write to `/srv/trace`: permission denied; give the server's user the right to, or name another directory",
            "`/srv/trace/store.sqlite` is not a database of reflow-trace: name another directory; nothing was changed",
            "`/srv/trace/store.sqlite` has the format 3, and this version knows formats up to 1: run the version that wrote it, or a later one; nothing was changed",
            "`/srv/trace/store.sqlite` is damaged: row 3 missing from index; restore it, or move it away to begin anew (the segments beside it stay readable as Parquet); nothing was changed",
        ]
    );
}
