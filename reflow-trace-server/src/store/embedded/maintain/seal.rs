//! Sealing: the oldest of the log becomes segments.
//!
//! The rows of many batches are put into the order of their time. Where there are wide gaps in it, because
//! a spool has brought what is hours old, each side becomes a segment of its own, so that a segment
//! spans little time and is not opened for other times. One transaction then takes the batches out of
//! the log and puts the segments, their roll-ups and the ledgers in: after a crash it is the one or the other.

use std::sync::Arc;

use reflow_trace::wire::WireBatch;

use super::output::Outputs;
use super::{Maintainer, Now};
use crate::store::embedded::catalogue;
use crate::store::embedded::log;
use crate::store::embedded::segment::SegmentWriter;
use crate::store::embedded::steps::{Halt, Step};
use crate::store::embedded::tail::TailBatch;
use crate::store::{MaintenanceReport, StoreError};

/// A gap between two events that divides segments, in sealing and in merging: an hour.
pub(super) const GAP_NS: u64 = 3_600_000_000_000;
/// Most segments that one sealing makes: events whose times are scattered, by accident or malice, make
/// segments that span much time rather than very many of them.
const PARTS_MAX: usize = 8;

/// Where a row is: its time, and its batch and its place among those that are sealed.
type Place = (i64, u32, u32);

impl Maintainer {
    pub(super) fn seal(&mut self, report: &mut MaintenanceReport, now: Now) -> Result<(), Halt> {
        self.settle()?;
        while let Some(batches) = self.due(now) {
            let mut outputs = Outputs::default();
            let result = self.seal_batches(&batches, &mut outputs);
            self.conclude(&outputs, result)?;
            report.sealed_events += batches.iter().map(TailBatch::events).sum::<u64>();
            report.sealed_segments += outputs.segments.len() as u64;
        }
        Ok(())
    }

    /// The oldest batches of the tail, when they are to be sealed.
    fn due(&self, now: Now) -> Option<Vec<TailBatch>> {
        let settings = &self.shared.settings;
        let state = self.shared.state();
        let tail = state.tail.clone();
        let oldest_ns = tail.front()?.committed_ns();
        let waited_ns = now.now_ns.saturating_sub(oldest_ns);
        let seal_after_ns = i64::try_from(settings.seal_after.as_nanos()).unwrap_or(i64::MAX);
        let is_due = now.seal_all
            || state.tail_events >= settings.seal_events
            || state.tail_memory_bytes >= settings.tail_bytes_max / 4
            // Below zero: it was committed after this call began, which is nothing to seal for; or the
            // clock was put back, and how long it has waited is not known.
            || waited_ns.saturating_abs() >= seal_after_ns;
        // What follows looks at each batch, and commits need not wait for it.
        drop(state);
        if !is_due {
            return None;
        }
        let mut events = 0;
        let batches = tail.iter().take_while(|batch| {
            let fits = events == 0 || events + batch.events() <= settings.seal_events;
            events += batch.events();
            fits
        });
        Some(batches.cloned().collect())
    }

    fn seal_batches(&mut self, batches: &[TailBatch], outputs: &mut Outputs) -> Result<(), Halt> {
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
            return Ok(());
        };
        let (first, last) = (first.offset(), last.offset());
        let mut places = in_order_of_time(batches);
        for part in parts(&mut places) {
            let committed = part
                .iter()
                .filter_map(|&(_, batch, _)| batches.get(batch as usize))
                .map(TailBatch::committed_ns);
            let committed_ns = committed.fold((i64::MAX, i64::MIN), |(first, last), at| {
                (first.min(at), last.max(at))
            });
            let rows = part.len() as u64;
            self.write_segment(outputs, rows, committed_ns, |writer| {
                fill(writer, batches, part)
            })?;
        }
        self.sync_names(outputs)?;
        let segments = outputs.segments.clone();
        let known = self.known(&segments);
        let next_segment = self.next_segment;
        let batches = batches.to_vec();
        self.writer.run(move |writer| -> Result<(), Halt> {
            let mut totals = writer.totals;
            totals.next_segment = next_segment;
            let mut sealed = writer.sealed.clone();
            let mut changed = std::collections::BTreeSet::new();
            for tail in &batches {
                if let Some(batch) = tail.batch() {
                    sealed.add(batch, tail.committed_ns());
                    changed.insert(batch.producer());
                }
            }
            // Who was forgotten for room stays forgotten.
            let remembered = writer.shared.state().ledgers.clone();
            for &producer in &changed {
                if remembered.get(producer).is_none() {
                    sealed.forget(producer);
                }
            }
            let damaged: Vec<u64> = batches
                .iter()
                .filter(|tail| tail.batch().is_none())
                .map(TailBatch::offset)
                .collect();
            writer.transact("sealing", totals, |transaction| {
                // First, so that a database that may not grow has room for the rest.
                log::take_out(transaction, first, last, &damaged)?;
                for output in &segments {
                    catalogue::add_segment(transaction, &output.entry, &output.rollup)?;
                }
                for ledger in changed.iter().filter_map(|&producer| sealed.get(producer)) {
                    catalogue::put_ledger(transaction, ledger)?;
                }
                Ok(())
            })?;
            writer.shared.seams.steps.reach(Step::Swapped)?;
            writer.sealed = sealed;
            let mut state = writer.shared.state();
            state.totals = totals;
            state.counts.sealed_segments += known.len() as u64;
            state.replace_segments(&[], known);
            state.shorten_tail(last + 1);
            if !damaged.is_empty() {
                let holes = damaged.iter().map(|&offset| (offset, offset + 1));
                Arc::make_mut(&mut state.holes).extend(holes);
            }
            Ok(())
        })?
    }
}

fn in_order_of_time(batches: &[TailBatch]) -> Vec<Place> {
    let events: u64 = batches.iter().map(TailBatch::events).sum();
    let mut places = Vec::with_capacity(events as usize);
    for (number, batch) in batches.iter().enumerate() {
        let starts = batch.batch().map_or(&[][..], |batch| batch.starts_ns());
        let rows = (0..).zip(starts);
        places.extend(rows.map(|(row, &start_ns)| (start_ns, number as u32, row)));
    }
    places.sort_unstable();
    places
}

/// Divides rows at the widest gaps in their time.
fn parts(places: &mut [Place]) -> Vec<&[Place]> {
    let mut gaps: Vec<(u64, usize)> = places
        .windows(2)
        .enumerate()
        .map(|(at, pair)| (pair[1].0.abs_diff(pair[0].0), at + 1))
        .filter(|&(gap, _)| gap >= GAP_NS)
        .collect();
    gaps.sort_unstable_by(|one, other| other.cmp(one));
    gaps.truncate(PARTS_MAX - 1);
    let mut ends: Vec<usize> = gaps.into_iter().map(|(_, at)| at).collect();
    ends.push(places.len());
    ends.sort_unstable();
    let mut start = 0;
    let mut parts = Vec::new();
    for end in ends {
        if start < end {
            parts.push(&places[start..end]);
        }
        start = end;
    }
    parts
}

fn fill(
    writer: &mut SegmentWriter,
    batches: &[TailBatch],
    part: &[Place],
) -> Result<(), StoreError> {
    let mut known: Vec<KnownBatch<'_>> = batches.iter().map(KnownBatch::new).collect();
    for &(_, batch, row) in part {
        known[batch as usize].push(writer, row as usize)?;
    }
    Ok(())
}

/// A batch whose edges are looked up once.
struct KnownBatch<'a> {
    offset: u64,
    wire: Option<&'a Arc<WireBatch>>,
    /// The number of each of its edges in the segment.
    edges: Vec<Option<u32>>,
}

impl<'a> KnownBatch<'a> {
    fn new(tail: &'a TailBatch) -> Self {
        let wire = tail.batch();
        Self {
            offset: tail.offset(),
            wire,
            edges: vec![None; wire.map_or(0, |wire| wire.edges_len())],
        }
    }

    fn push(&mut self, writer: &mut SegmentWriter, place: usize) -> Result<(), StoreError> {
        // It was there a moment ago.
        let gone = || StoreError::damaged("a batch in memory", "a row of it is gone");
        let wire = self.wire.ok_or_else(gone)?;
        let row = wire.row(place).ok_or_else(gone)?;
        let edge = wire
            .edge_index(place)
            .and_then(|edge| self.edges.get_mut(edge));
        let number = match edge {
            Some(Some(number)) => *number,
            Some(unknown) => *unknown.insert(writer.edge(&row.edge)),
            None => writer.edge(&row.edge),
        };
        writer.push(self.offset, &row, number)
    }
}
