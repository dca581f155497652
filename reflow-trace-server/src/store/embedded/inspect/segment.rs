//! One segment: its file, its rows, its sums.

use std::collections::HashMap;

use rusqlite::Connection;

use super::finding::{Finding, Findings};
use super::rows_of;
use crate::store::embedded::catalogue::{self, SegmentEntry};
use crate::store::embedded::directory::Layout;
use crate::store::embedded::maintain::damage;
use crate::store::rollup::{BatchRollup, Cell, EdgeName, EdgeTable, Happening, Rollup, Summary};

/// Looks at a segment; the first fault of each kind is said.
pub(super) fn check(
    layout: &Layout,
    connection: &Connection,
    entry: &SegmentEntry,
    deep: bool,
    findings: &mut Findings,
) {
    let about = format!("segments/{:016}.parquet", entry.id);
    let fault = |text: String| {
        Finding::fault(
            "segment",
            about.clone(),
            text,
            "the disk has lost or changed it: check the disk, and restore the file from a backup; the server sets it aside when it finds out, and goes on without its events",
        )
    };
    match damage(&layout.segment(entry.id), entry) {
        Ok(None) => {}
        Ok(Some(damage)) => {
            findings.push(fault(format!("of its {} events: {damage}", entry.events)));
            return;
        }
        Err(error) => {
            findings.push(Finding::warning(
                "segment_unseen",
                about,
                format!("cannot be looked at now: {error}"),
                "give this user the right to read it, or try again",
            ));
            return;
        }
    }
    let stored = catalogue::summary(connection, entry.id).and_then(|form| {
        Summary::decode_rollup(&form).ok_or_else(|| catalogue::damaged_summary(entry.id))
    });
    let stored = match stored {
        Ok(rollup) => Some(rollup),
        Err(error) => {
            findings.push(Finding::fault(
                "rollup",
                format!("{about}, its sums"),
                error.to_string(),
                "totals of its minutes cannot be answered; its events can: export and import them into a new directory",
            ));
            None
        }
    };
    if !deep {
        return;
    }
    match read(layout, entry) {
        Ok(found) => {
            if let Some(stored) = stored
                && sums(&stored) != sums(&found)
            {
                findings.push(Finding::fault(
                    "rollup",
                    format!("{about}, its sums"),
                    "they are not those of its events".to_owned(),
                    "this is a fault of the program, not of the disk: please report it; the events are right",
                ));
            }
        }
        // The file is what was written, so whoever wrote it is at fault.
        Err(text) => findings.push(fault(text)),
    }
}

/// Reads every row, and sums it up again.
fn read(layout: &Layout, entry: &SegmentEntry) -> Result<Rollup, String> {
    let mut edges = EdgeTable::default();
    let mut rollup = BatchRollup::default();
    let mut last = (i64::MIN, 0);
    let mut row_number = 0_u64;
    for rows in rows_of(layout, entry).map_err(|error| error.to_string())? {
        let rows = rows.map_err(|error| error.to_string())?;
        for at in 0..rows.len() {
            let wrong = |what: &str| format!("row {row_number} {what}");
            let row = rows.row(at).map_err(|error| error.to_string())?;
            let (time_ns, offset) = (rows.time_ns(at), rows.offset(at));
            if (time_ns, offset) < last {
                return Err(wrong("is not in the order of time"));
            }
            if !(entry.first_ns..=entry.last_ns).contains(&time_ns) {
                return Err(wrong("has a time outside of those that the catalogue says"));
            }
            if !(entry.first_offset..=entry.last_offset).contains(&offset) {
                return Err(wrong(
                    "has an offset outside of those that the catalogue says",
                ));
            }
            if row.to_event().is_none() {
                return Err(wrong("cannot be read as an event"));
            }
            last = (time_ns, offset);
            row_number += 1;
            let number = edges.number(&row.edge);
            rollup.add(number, &edges.edges()[number as usize], &row);
        }
    }
    if row_number != entry.events {
        return Err(format!(
            "it has {row_number} rows, and {} events are noted",
            entry.events
        ));
    }
    Ok(rollup.finish().rollup)
}

type Key<'a> = (i64, &'a EdgeName, &'a str, Happening);

/// What can be compared exactly.
fn sums(rollup: &Rollup) -> HashMap<Key<'_>, [u64; 4]> {
    let exact = |cell: &Cell| [cell.events, cell.unweighted, cell.bytes, cell.failures];
    let cells = rollup.named();
    cells
        .map(|(minute, edge, kind, happening, cell)| ((minute, edge, kind, happening), exact(cell)))
        .collect()
}
