//! The catalogue: which segments there are, what they sum up to, what producers have said.
//!
//! Everything that changes it is part of a transaction of the caller's.

use reflow_trace::event::ProducerId;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::database::failed;
use crate::store::{LedgerOfProducer, ProducerLedgers, StoreError};

/// A row of `segments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentEntry {
    pub(crate) id: u64,
    /// First and last offset of a batch that has events in it; others may lie between.
    pub(crate) first_offset: u64,
    pub(crate) last_offset: u64,
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// Of the whole file.
    pub(crate) crc32c: u32,
    /// First and last time of an event, both included.
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
    /// When the first and the last of its batches were committed, by the server's clock.
    pub(crate) committed_first_ns: i64,
    pub(crate) committed_last_ns: i64,
    /// Why it was set aside.
    pub(crate) damage: Option<String>,
}

/// All segments, those that were set aside too, by their number.
pub(crate) fn segments(connection: &Connection) -> Result<Vec<SegmentEntry>, StoreError> {
    let read = || -> rusqlite::Result<Vec<SegmentEntry>> {
        let mut statement = connection.prepare(
            "SELECT id, first_offset, last_offset, events, bytes, crc32c, first_ns, last_ns,
             committed_first_ns, committed_last_ns, damage FROM segments ORDER BY id",
        )?;
        let rows = statement.query_map([], |row| {
            let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(SegmentEntry {
                id: number(0)?,
                first_offset: number(1)?,
                last_offset: number(2)?,
                events: number(3)?,
                bytes: number(4)?,
                crc32c: row.get(5)?,
                first_ns: row.get(6)?,
                last_ns: row.get(7)?,
                committed_first_ns: row.get(8)?,
                committed_last_ns: row.get(9)?,
                damage: row.get(10)?,
            })
        })?;
        rows.collect()
    };
    read().map_err(|error| failed("reading its catalogue", &error))
}

/// Adds a segment with its roll-up.
pub(crate) fn add_segment(
    transaction: &Transaction<'_>,
    entry: &SegmentEntry,
    rollup: &[u8],
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO segments (id, first_offset, last_offset, events, bytes, crc32c, first_ns, last_ns,
         committed_first_ns, committed_last_ns, damage) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            entry.id.cast_signed(),
            entry.first_offset.cast_signed(),
            entry.last_offset.cast_signed(),
            entry.events.cast_signed(),
            entry.bytes.cast_signed(),
            entry.crc32c,
            entry.first_ns,
            entry.last_ns,
            entry.committed_first_ns,
            entry.committed_last_ns,
            entry.damage,
        ],
    )?;
    transaction.execute(
        "INSERT INTO rollups (segment, form) VALUES (?, ?)",
        params![entry.id.cast_signed(), rollup],
    )?;
    Ok(())
}

/// Forgets a segment. Its roll-up stays as long as its file, for snapshots that hold it.
pub(crate) fn forget_segment(transaction: &Transaction<'_>, id: u64) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM segments WHERE id = ?", [id.cast_signed()])?;
    Ok(())
}

/// Says why a segment is set aside.
pub(crate) fn set_damage(
    transaction: &Transaction<'_>,
    id: u64,
    damage: &str,
) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE segments SET damage = ? WHERE id = ?",
        params![damage, id.cast_signed()],
    )?;
    Ok(())
}

/// Removes roll-ups whose file is gone.
pub(crate) fn remove_rollups(transaction: &Transaction<'_>, ids: &[u64]) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached("DELETE FROM rollups WHERE segment = ?")?;
    for id in ids {
        statement.execute([id.cast_signed()])?;
    }
    Ok(())
}

/// Roll-ups of no segment, as a crash leaves them.
pub(crate) fn orphaned_rollups(connection: &Connection) -> rusqlite::Result<Vec<u64>> {
    let mut statement = connection
        .prepare("SELECT segment FROM rollups WHERE segment NOT IN (SELECT id FROM segments)")?;
    let ids = statement.query_map([], |row| row.get::<_, i64>(0).map(i64::cast_unsigned))?;
    ids.collect()
}

/// The summary of a segment, as it lies there.
pub(crate) fn summary(connection: &Connection, id: u64) -> Result<Vec<u8>, StoreError> {
    let read = || -> rusqlite::Result<Option<Vec<u8>>> {
        let mut statement =
            connection.prepare_cached("SELECT form FROM rollups WHERE segment = ?")?;
        statement
            .query_row([id.cast_signed()], |row| row.get(0))
            .optional()
    };
    let form = read().map_err(|error| failed("reading a roll-up", &error))?;
    form.ok_or_else(|| damaged_summary(id))
}

/// What is said of a summary that is none.
pub(crate) fn damaged_summary(id: u64) -> StoreError {
    StoreError::damaged(
        format!("the roll-up of segment {id}"),
        "it is missing or cannot be read",
    )
}

/// What producers have said in what is sealed, and how many ledgers cannot be read; those are left out.
pub(crate) fn ledgers(connection: &Connection) -> Result<(ProducerLedgers, u64), StoreError> {
    let read = || -> rusqlite::Result<(ProducerLedgers, u64)> {
        let mut statement = connection.prepare("SELECT ledger FROM ledgers")?;
        let mut rows = statement.query([])?;
        let (mut ledgers, mut unreadable) = (ProducerLedgers::default(), 0);
        while let Some(row) = rows.next()? {
            let text: String = row.get(0)?;
            match serde_json::from_str::<LedgerOfProducer>(&text) {
                Ok(ledger) => ledgers.put(ledger),
                Err(_) => unreadable += 1,
            }
        }
        Ok((ledgers, unreadable))
    };
    read().map_err(|error| failed("reading its ledgers", &error))
}

/// Writes what a producer has said.
pub(crate) fn put_ledger(
    transaction: &Transaction<'_>,
    ledger: &LedgerOfProducer,
) -> rusqlite::Result<()> {
    let text = serde_json::to_string(ledger)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let mut statement = transaction
        .prepare_cached("INSERT OR REPLACE INTO ledgers (producer, ledger) VALUES (?, ?)")?;
    statement.execute(params![ledger.producer.bits().cast_signed(), text])?;
    Ok(())
}

/// Forgets what a producer has said.
pub(crate) fn forget_ledger(
    transaction: &Transaction<'_>,
    producer: ProducerId,
) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM ledgers WHERE producer = ?",
        [producer.bits().cast_signed()],
    )?;
    Ok(())
}

/// How many streams are remembered.
pub(crate) fn streams(connection: &Connection) -> Result<u64, StoreError> {
    let count = connection.query_row("SELECT COUNT(*) FROM streams", [], |row| {
        row.get::<_, i64>(0)
    });
    count
        .map(i64::cast_unsigned)
        .map_err(|error| failed("counting its streams", &error))
}

/// Forgets the streams that were not seen for longest.
pub(crate) fn forget_streams(transaction: &Transaction<'_>, count: u64) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM streams WHERE stream IN (SELECT stream FROM streams ORDER BY seen_ns, stream LIMIT ?)",
        [count.cast_signed()],
    )?;
    Ok(())
}

/// Stretches of offsets of retired segments.
pub(crate) fn retired(connection: &Connection) -> Result<Vec<(u64, u64)>, StoreError> {
    let read = || -> rusqlite::Result<Vec<(u64, u64)>> {
        let sql = "SELECT first_offset, end_offset FROM retired ORDER BY first_offset";
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok((number(0)?, number(1)?))
        })?;
        rows.collect()
    };
    read().map_err(|error| failed("reading what was retired", &error))
}

/// Puts these in the place of all that are known.
pub(crate) fn put_retired(
    transaction: &Transaction<'_>,
    stretches: &[(u64, u64)],
) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM retired", [])?;
    let mut statement = transaction.prepare_cached("INSERT INTO retired VALUES (?, ?)")?;
    for (first_offset, end_offset) in stretches {
        statement.execute([first_offset.cast_signed(), end_offset.cast_signed()])?;
    }
    Ok(())
}
