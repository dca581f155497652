//! Looking at a store from outside: whether all of it is there, whole, and adds up. Nothing is changed.
//!
//! Opening a store repairs it: it moves damaged files aside, removes what a crash has left, and writes into its
//! database. Here everything is only read, also the database: where a crash has left a write-ahead log, a
//! copy of both is looked at, because reading it in place would write. While it is looked at, the lock
//! keeps servers out.
//!
//! What is checked, from the outside inwards: the directory and its lock; the database, its format and its
//! own integrity; every row of the log, decoded; every segment, its length, checksum, rows, order and sums;
//! files that nobody knows; that events add up, `stored = log + segments + retired + damaged`; clocks; what
//! producers have said of their losses; room on the disk.

mod database;
mod finding;
mod log;
mod room;
mod segment;
mod strays;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use super::catalogue::{self, SegmentEntry};
use super::directory::Layout;
use super::log::Totals;
use crate::store::{ProducerLedgers, StoreError, TimeRange};

pub(crate) use finding::{Finding, Findings, Level, lost as lost_by};
pub(crate) use room::free_bytes;

/// How a store was found.
#[derive(Debug)]
pub(crate) struct Inspection {
    /// The directory.
    pub(crate) directory: PathBuf,
    /// Its format.
    pub(crate) format: i64,
    /// What there is to be said, in the order in which it was found.
    pub(crate) findings: Findings,
    /// Where the events are.
    pub(crate) sums: Sums,
    /// Bytes that there are on the disk for more; `None` where the system does not say.
    pub(crate) free_bytes: Option<u64>,
    /// What producers have said in what is sealed.
    pub(crate) producers: ProducerLedgers,
    /// The first and the last time of an event.
    pub(crate) times_ns: Option<(i64, i64)>,
}

/// Where the events are, and how much room they take.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(crate) struct Sums {
    /// Events stored since the store was made.
    pub(crate) stored: u64,
    /// In the log.
    pub(crate) log: u64,
    /// In segments that are in use.
    pub(crate) in_segments: u64,
    /// Retired by retention.
    pub(crate) retired: u64,
    /// In segments and rows that were set aside.
    pub(crate) damaged: u64,
    /// Segments in use.
    pub(crate) segments: u64,
    /// Their bytes.
    pub(crate) segment_bytes: u64,
    /// Bytes of the database and of its write-ahead log.
    pub(crate) database_bytes: u64,
    /// Batches that clients have lost before they arrived.
    pub(crate) skipped_batches: u64,
}

/// How far the work has come: bytes looked at, of all there are.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(u64, u64);

/// Looks at a store. `deep`: at every row of the segments too, not only at their checksums.
///
/// # Errors
///
/// When there is nothing that could be looked at: no store, a server's that is running, another program's, a
/// later version's.
pub(crate) fn inspect(
    directory: &Path,
    deep: bool,
    now_ns: i64,
    watch: Watch<'_>,
) -> Result<Inspection, StoreError> {
    let layout = Layout::new(directory);
    let _lock = database::keep_servers_out(&layout)?;
    let opened = database::open(&layout)?;
    let connection = opened.connection();
    let mut inspection = Inspection {
        directory: directory.to_owned(),
        format: opened.format,
        findings: Findings::default(),
        sums: Sums {
            database_bytes: opened.bytes,
            ..Sums::default()
        },
        free_bytes: free_bytes(directory),
        producers: ProducerLedgers::default(),
        times_ns: None,
    };
    database::check(connection, &mut inspection.findings);
    // What cannot be read is said, and the rest is looked at nevertheless.
    let totals = readable(&mut inspection, Totals::read(connection));
    let entries = readable(&mut inspection, catalogue::segments(connection)).unwrap_or_default();
    if let Some(read) = readable(&mut inspection, catalogue::ledgers(connection)) {
        let (producers, unreadable) = read;
        inspection.producers = producers;
        if unreadable > 0 {
            inspection
                .findings
                .push(finding::unreadable_ledgers(unreadable));
        }
    }
    check_log(connection, &mut inspection, totals.as_ref());
    check_segments(&layout, connection, &entries, &mut inspection, deep, watch);
    strays::check(&layout, connection, &entries, &mut inspection.findings);
    if let Some(totals) = totals {
        check_totals(&totals, &entries, &mut inspection);
    }
    finding::clocks(&entries, now_ns, &mut inspection.findings);
    finding::producers(&inspection.producers, &mut inspection.findings);
    finding::room(
        &inspection.sums,
        inspection.free_bytes,
        &mut inspection.findings,
    );
    Ok(inspection)
}

fn readable<T>(inspection: &mut Inspection, read: Result<T, StoreError>) -> Option<T> {
    read.map_err(|error| inspection.findings.push(finding::unreadable(&error)))
        .ok()
}

fn check_log(connection: &Connection, inspection: &mut Inspection, totals: Option<&Totals>) {
    match log::check(connection, totals, &mut inspection.findings) {
        Ok(seen) => {
            inspection.sums.log = seen.events;
            inspection.sums.damaged += seen.damaged_events;
            inspection.reach(seen.times_ns);
        }
        Err(error) => inspection.findings.push(finding::unreadable(&error)),
    }
}

fn check_segments(
    layout: &Layout,
    connection: &Connection,
    entries: &[SegmentEntry],
    inspection: &mut Inspection,
    deep: bool,
    watch: Watch<'_>,
) {
    let all = entries.iter().map(|entry| entry.bytes).sum();
    let mut done = 0;
    for entry in entries {
        if let Some(damage) = &entry.damage {
            inspection.sums.damaged += entry.events;
            inspection.findings.push(finding::set_aside(entry, damage));
            continue;
        }
        inspection.sums.in_segments += entry.events;
        inspection.sums.segments += 1;
        inspection.sums.segment_bytes += entry.bytes;
        inspection.reach(Some((entry.first_ns, entry.last_ns)));
        segment::check(layout, connection, entry, deep, &mut inspection.findings);
        done += entry.bytes;
        watch(done, all);
    }
}

fn check_totals(totals: &Totals, entries: &[SegmentEntry], inspection: &mut Inspection) {
    let sums = &mut inspection.sums;
    sums.stored = totals.events;
    sums.retired = totals.retired_events;
    sums.skipped_batches = totals.gaps;
    let found = sums.log + sums.in_segments + sums.retired + sums.damaged;
    let sums = sums.clone();
    if found != totals.events {
        inspection.findings.push(finding::sums_differ(&sums, found));
    }
    let newest = entries.iter().map(|entry| (entry.id, entry.last_offset));
    for (id, last_offset) in newest {
        if id >= totals.next_segment || last_offset >= totals.next_offset {
            inspection.findings.push(finding::beyond_totals(id));
        }
    }
    if totals.gaps > 0 {
        inspection.findings.push(finding::gaps(totals.gaps));
    }
}

impl Inspection {
    fn reach(&mut self, times_ns: Option<(i64, i64)>) {
        self.times_ns = match (self.times_ns, times_ns) {
            (Some((first, last)), Some((other_first, other_last))) => {
                Some((first.min(other_first), last.max(other_last)))
            }
            (known, None) => known,
            (None, new) => new,
        };
    }
}

/// The segment of an entry, for its reader.
fn segment_of(layout: &Layout, entry: &SegmentEntry) -> Arc<super::segment::Segment> {
    let path = layout.segment(entry.id);
    Arc::new(super::segment::Segment::new(entry.clone(), path))
}

/// All rows of it.
fn rows_of(layout: &Layout, entry: &SegmentEntry) -> Result<super::segment::Chunks, StoreError> {
    super::segment::SegmentReader::open(segment_of(layout, entry))?.chunks(TimeRange::ALL)
}
