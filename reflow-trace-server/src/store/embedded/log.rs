//! The commit log: groups become rows, and rows become the tail again after a restart.
//!
//! Numbers are unsigned everywhere but in SQLite, which has signed ones: they are kept by their bits, and
//! never compared there.

use std::collections::HashMap;

use bytes::Bytes;
use reflow_trace::wire::{BatchLimits, Frame, FrameLimits, WireBatch};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::database::failed;
use super::tail::{Logged, TailBatch};
use crate::store::{Admitted, Committed, StoreError};

/// The one row of `totals`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) next_offset: u64,
    pub(crate) next_segment: u64,
    pub(crate) batches: u64,
    pub(crate) events: u64,
    pub(crate) gaps: u64,
    pub(crate) retired_segments: u64,
    pub(crate) retired_events: u64,
    pub(crate) retired_producers: u64,
    pub(crate) retired_streams: u64,
    pub(crate) probes: u64,
}

impl Totals {
    pub(crate) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let sql = "SELECT next_offset, next_segment, batches, events, gaps, retired_segments,
                   retired_events, retired_producers, retired_streams, probes FROM totals";
        let read = connection.query_row(sql, [], |row| {
            let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(Self {
                next_offset: number(0)?,
                next_segment: number(1)?,
                batches: number(2)?,
                events: number(3)?,
                gaps: number(4)?,
                retired_segments: number(5)?,
                retired_events: number(6)?,
                retired_producers: number(7)?,
                retired_streams: number(8)?,
                probes: number(9)?,
            })
        });
        read.map_err(|error| failed("reading its totals", &error))
    }

    pub(crate) fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut statement = transaction.prepare_cached(
            "UPDATE totals SET next_offset = ?, next_segment = ?, batches = ?, events = ?, gaps = ?,
             retired_segments = ?, retired_events = ?, retired_producers = ?, retired_streams = ?, probes = ?",
        )?;
        statement.execute(params![
            self.next_offset.cast_signed(),
            self.next_segment.cast_signed(),
            self.batches.cast_signed(),
            self.events.cast_signed(),
            self.gaps.cast_signed(),
            self.retired_segments.cast_signed(),
            self.retired_events.cast_signed(),
            self.retired_producers.cast_signed(),
            self.retired_streams.cast_signed(),
            self.probes.cast_signed(),
        ])?;
        Ok(())
    }
}

/// What a group became, once it is durable.
pub(crate) struct Written {
    pub(crate) committed: Vec<Committed>,
    pub(crate) stored: Vec<TailBatch>,
    pub(crate) totals: Totals,
    pub(crate) new_streams: u64,
}

/// Writes a group in one transaction and waits for the disk.
pub(crate) fn commit(
    connection: &mut Connection,
    mut totals: Totals,
    group: Vec<Admitted>,
    committed_ns: i64,
) -> Result<Written, StoreError> {
    let write = |connection: &mut Connection| -> rusqlite::Result<Written> {
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut lasts = HashMap::new();
        let mut committed = Vec::with_capacity(group.len());
        let mut stored = Vec::with_capacity(group.len());
        let mut new_streams = 0;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO log (offset, stream, number, committed_ns, events, frame) VALUES (?, ?, ?, ?, ?, ?)",
            )?;
            for Admitted { frame, batch } in group {
                let (stream, number) = (frame.header().stream, frame.header().number);
                let last = match lasts.entry(stream) {
                    std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                    std::collections::hash_map::Entry::Vacant(unknown) => {
                        let known = last(&transaction, stream)?;
                        new_streams += u64::from(known.is_none());
                        unknown.insert(known.unwrap_or(0))
                    }
                };
                if number <= *last {
                    committed.push(Committed::Duplicate);
                    continue;
                }
                totals.gaps = totals.gaps.saturating_add(number - *last - 1);
                *last = number;
                let offset = totals.next_offset;
                let events = batch.len() as u64;
                insert.execute(params![
                    offset.cast_signed(),
                    stream.cast_signed(),
                    number.cast_signed(),
                    committed_ns,
                    events.cast_signed(),
                    frame.bytes().as_ref(),
                ])?;
                totals.next_offset += 1;
                totals.batches += 1;
                totals.events += events;
                committed.push(Committed::Stored { offset });
                stored.push(TailBatch::new(offset, committed_ns, Logged::Whole(batch)));
            }
            let mut remember = transaction.prepare_cached(
                "INSERT INTO streams (stream, last, seen_ns) VALUES (?, ?, ?)
                 ON CONFLICT (stream) DO UPDATE SET last = excluded.last, seen_ns = excluded.seen_ns",
            )?;
            for (stream, last) in lasts {
                remember.execute(params![
                    stream.cast_signed(),
                    last.cast_signed(),
                    committed_ns
                ])?;
            }
        }
        totals.probes += u64::from(committed.is_empty());
        totals.write(&transaction)?;
        transaction.commit()?;
        Ok(Written {
            committed,
            stored,
            totals,
            new_streams,
        })
    };
    write(connection).map_err(|error| match error.sqlite_error_code() {
        // A write or a sync failed; a crash now may find the transaction whole.
        Some(rusqlite::ErrorCode::SystemIoFailure) => StoreError::Unknown(error.to_string()),
        _ => failed("committing a group", &error),
    })
}

/// The highest number that was committed of a stream.
pub(crate) fn last(connection: &Connection, stream: u64) -> rusqlite::Result<Option<u64>> {
    let mut statement = connection.prepare_cached("SELECT last FROM streams WHERE stream = ?")?;
    let last = statement.query_row([stream.cast_signed()], |row| row.get::<_, i64>(0));
    last.optional().map(|last| last.map(i64::cast_unsigned))
}

/// Reads what lies in the log, in order.
///
/// A row that is no longer what was admitted cannot be read by anybody; it is counted and kept aside when
/// its neighbours are sealed, and keeps nobody from starting.
pub(crate) fn read(connection: &Connection) -> Result<Vec<TailBatch>, StoreError> {
    let read = || -> rusqlite::Result<Vec<TailBatch>> {
        let mut statement = connection.prepare(
            "SELECT offset, committed_ns, events, stream, number, frame FROM log ORDER BY offset",
        )?;
        let mut rows = statement.query([])?;
        let mut tail = Vec::new();
        while let Some(row) = rows.next()? {
            let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            let frame: Vec<u8> = row.get(5)?;
            let identity = (number(3)?, number(4)?);
            let logged = match decode(frame, identity) {
                Some(batch) => Logged::Whole(batch.into()),
                None => Logged::Damaged { events: number(2)? },
            };
            tail.push(TailBatch::new(number(0)?, row.get(1)?, logged));
        }
        Ok(tail)
    };
    read().map_err(|error| failed("reading its log", &error))
}

/// What was admitted was within the limits of that day, which may have been wider than those of today.
const fn any_frame() -> FrameLimits {
    FrameLimits {
        payload_bytes_max: u32::MAX,
        plain_bytes_max: u32::MAX,
        ratio_max: u32::MAX,
    }
}

const fn any_batch() -> BatchLimits {
    BatchLimits {
        frame: any_frame(),
        events_max: u32::MAX,
        names_max: u32::MAX,
        entries_max: u32::MAX,
        counters_max: u32::MAX,
    }
}

/// What lies in a row; `None` when it is no longer what was admitted.
pub(super) fn decode(frame: Vec<u8>, identity: (u64, u64)) -> Option<WireBatch> {
    let frame = Frame::parse(Bytes::from(frame), &any_frame()).ok()?;
    if (frame.header().stream, frame.header().number) != identity {
        return None;
    }
    WireBatch::decode(&frame, &any_batch()).ok()
}

/// Takes rows that are sealed out of the log; those that cannot be read are kept aside.
pub(crate) fn take_out(
    transaction: &Transaction<'_>,
    first: u64,
    last: u64,
    damaged: &[u64],
) -> rusqlite::Result<()> {
    for offset in damaged {
        transaction.execute(
            "INSERT INTO damaged_log SELECT * FROM log WHERE offset = ?",
            [offset.cast_signed()],
        )?;
    }
    transaction.execute(
        "DELETE FROM log WHERE offset BETWEEN ? AND ?",
        [first.cast_signed(), last.cast_signed()],
    )?;
    Ok(())
}
