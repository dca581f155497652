//! The rows of the log: that each is what was admitted.

use std::collections::HashMap;

use rusqlite::Connection;

use super::finding::{Finding, Findings};
use crate::store::StoreError;
use crate::store::embedded::database::failed;
use crate::store::embedded::log::{Totals, decode};

/// What lies in the log.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) events: u64,
    /// In rows that were set aside.
    pub(super) damaged_events: u64,
    pub(super) times_ns: Option<(i64, i64)>,
}

/// Looks at one row after the other; none is kept.
pub(super) fn check(
    connection: &Connection,
    totals: Option<&Totals>,
    findings: &mut Findings,
) -> Result<Seen, StoreError> {
    let seen =
        look(connection, totals, findings).map_err(|error| failed("reading its log", &error))?;
    if seen.damaged_events > 0 {
        findings.push(Finding::fault(
            "damaged_rows",
            "store.sqlite, table damaged_log",
            format!(
                "{} events are in rows that could not be read when their neighbours were sealed",
                seen.damaged_events
            ),
            "the disk has changed what was written: check it; the rows are kept for whoever can read them",
        ));
    }
    Ok(seen)
}

fn look(
    connection: &Connection,
    totals: Option<&Totals>,
    findings: &mut Findings,
) -> rusqlite::Result<Seen> {
    let lasts = lasts(connection)?;
    let mut seen = Seen::default();
    let mut statement = connection
        .prepare("SELECT offset, events, stream, number, frame FROM log ORDER BY offset")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        let (offset, events, stream, place) = (number(0)?, number(1)?, number(2)?, number(3)?);
        let about = format!("store.sqlite, table log, offset {offset}");
        seen.events += events;
        match decode(row.get(4)?, (stream, place)) {
            Some(batch) if batch.len() as u64 == events => {
                if let Some((first, last)) = batch.time_range() {
                    let (known_first, known_last) = seen.times_ns.unwrap_or((first, last));
                    seen.times_ns = Some((first.min(known_first), last.max(known_last)));
                }
            }
            Some(batch) => findings.push(row_fault(
                about.clone(),
                format!("it holds {} events, and {events} are noted", batch.len()),
            )),
            None => findings.push(row_fault(
                about.clone(),
                format!(
                    "its batch of {events} events is not what was admitted, and cannot be read"
                ),
            )),
        }
        if totals.is_some_and(|totals| offset >= totals.next_offset) {
            findings.push(row_fault(
                about.clone(),
                "it lies beyond the last offset that was given".to_owned(),
            ));
        }
        // A stream may have been forgotten for room; then it is not there at all.
        if lasts.get(&stream).is_some_and(|&last| last < place) {
            findings.push(row_fault(
                about,
                format!("its number {place} is above the last one of its stream: it may come again and be stored twice"),
            ));
        }
    }
    let sum = "SELECT COALESCE(SUM(events), 0) FROM damaged_log";
    let damaged: i64 = connection.query_row(sum, [], |row| row.get(0))?;
    seen.damaged_events = damaged.cast_unsigned();
    Ok(seen)
}

fn lasts(connection: &Connection) -> rusqlite::Result<HashMap<u64, u64>> {
    let mut statement = connection.prepare(
        "SELECT stream, last FROM streams WHERE stream IN (SELECT DISTINCT stream FROM log)",
    )?;
    let rows = statement.query_map([], |row| {
        let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        Ok((number(0)?, number(1)?))
    })?;
    rows.collect()
}

fn row_fault(about: String, text: String) -> Finding {
    Finding::fault(
        "log_row",
        about,
        text,
        "the disk has changed what was written: check it; the server sets the row aside when it seals, and goes on",
    )
}
