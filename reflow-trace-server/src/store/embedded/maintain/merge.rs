//! Merging: many small segments become few large ones, so that what a question costs stays bounded.
//!
//! Of neighbours in the order of their making, those that are about as small as each other are merged as
//! soon as there are `merge_fan` of them: so there are never more than that many of each size, and an event
//! is written again once for each size. Two segments whose times lie far apart are not merged, unless
//! nothing else would help. Nor are segments whose commits lie so far apart that retention, which takes
//! whole segments, would become coarse. And what was not checked against its checksum since the store was
//! opened waits until it is: a merge would give damage a new and right one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::output::Outputs;
use super::seal::GAP_NS;
use super::{Maintainer, Now};
use crate::store::embedded::catalogue;
use crate::store::embedded::segment::{
    Chunks, Segment, SegmentReader, SegmentRows, SegmentWriter, damaged,
};
use crate::store::embedded::settings::Settings;
use crate::store::embedded::steps::{Halt, Step};
use crate::store::{MaintenanceReport, StoreError, TimeRange};

/// Most segments that are read at a time.
const INPUTS_MAX: usize = 64;
/// Retention stays finer than one part in so many.
const RETENTION_PARTS: u64 = 16;

impl Maintainer {
    /// Merges as many events as one segment may have; what is left comes with the next call, so that none
    /// takes long.
    pub(super) fn merge(&mut self, report: &mut MaintenanceReport, _now: Now) -> Result<(), Halt> {
        self.settle()?;
        let mut merged_events = 0;
        while merged_events < self.shared.settings.merge_events_max {
            let segments = self.shared.state().segments.clone();
            let groups = choose(&segments, &self.shared.settings);
            if groups.is_empty() {
                break;
            }
            for inputs in groups {
                let mut outputs = Outputs::default();
                let result = self.merge_segments(&inputs, &mut outputs);
                self.conclude(&outputs, result)?;
                report.merged_segments += inputs.len() as u64;
                let events = inputs.iter().map(|segment| segment.entry.events);
                merged_events += events.sum::<u64>();
            }
        }
        Ok(())
    }

    fn merge_segments(
        &mut self,
        inputs: &[Arc<Segment>],
        outputs: &mut Outputs,
    ) -> Result<(), Halt> {
        let committed = inputs.iter().map(|segment| &segment.entry);
        let committed_ns = committed.fold((i64::MAX, i64::MIN), |(first, last), entry| {
            (
                first.min(entry.committed_first_ns),
                last.max(entry.committed_last_ns),
            )
        });
        let rows = inputs.iter().map(|segment| segment.entry.events).sum();
        self.write_segment(outputs, rows, committed_ns, |writer| {
            merge_rows(writer, inputs)
        })?;
        self.sync_names(outputs)?;
        let segments = outputs.segments.clone();
        let known = self.known(&segments);
        let next_segment = self.next_segment;
        let removed: Vec<u64> = inputs.iter().map(|segment| segment.entry.id).collect();
        self.writer.run(move |writer| -> Result<(), Halt> {
            let mut totals = writer.totals;
            totals.next_segment = next_segment;
            writer.transact("merging", totals, |transaction| {
                for output in &segments {
                    catalogue::add_segment(transaction, &output.entry, &output.rollup)?;
                }
                for &id in &removed {
                    catalogue::forget_segment(transaction, id)?;
                }
                Ok(())
            })?;
            writer.shared.seams.steps.reach(Step::Swapped)?;
            let mut state = writer.shared.state();
            state.totals = totals;
            state.counts.merged_segments += removed.len() as u64;
            state.replace_segments(&removed, known);
            drop(state);
            writer.shared.seams.steps.reach(Step::Forgotten)
        })?
    }
}

/// How large a segment is, as a power of the fan.
fn size_class(events: u64, fan: u64) -> u32 {
    events.max(1).ilog(fan.max(2))
}

/// Groups of segments of which each is to become one.
fn choose(segments: &[Arc<Segment>], settings: &Settings) -> Vec<Vec<Arc<Segment>>> {
    let fan = settings.merge_fan;
    if fan < 2 {
        return Vec::new();
    }
    let class = |segment: &Segment| size_class(segment.entry.events, fan as u64);
    let largest = segments
        .iter()
        .map(|segment| class(segment))
        .max()
        .unwrap_or(0);
    for most in 0..=largest {
        let mut run: Vec<Arc<Segment>> = Vec::new();
        for segment in segments {
            let fits = class(segment) <= most && segment.is_verified() && !segment.is_suspected();
            if fits && stays_fine(&run, segment, settings) {
                run.push(segment.clone());
                if run.len() < fan.min(INPUTS_MAX) {
                    continue;
                }
                return clusters(run);
            }
            run.clear();
            if fits {
                run.push(segment.clone());
            }
        }
    }
    Vec::new()
}

/// Whether a run may have one more.
fn stays_fine(run: &[Arc<Segment>], next: &Segment, settings: &Settings) -> bool {
    let with =
        |of: fn(&Segment) -> u64| run.iter().map(|segment| of(segment)).sum::<u64>() + of(next);
    if with(|segment| segment.entry.events) > settings.merge_events_max {
        return false;
    }
    if let Some(bytes) = settings.retain_bytes
        && with(|segment| segment.entry.bytes) > bytes / RETENTION_PARTS
    {
        return false;
    }
    if let Some(age) = settings.retain_for {
        let first = run
            .iter()
            .map(|segment| segment.entry.committed_first_ns)
            .min();
        let first = first.unwrap_or(next.entry.committed_first_ns);
        let span = next.entry.committed_last_ns.abs_diff(first);
        return u128::from(span) <= age.as_nanos() / u128::from(RETENTION_PARTS);
    }
    true
}

/// Divides a run where there are wide gaps in its times; not at all when that would help little.
fn clusters(mut run: Vec<Arc<Segment>>) -> Vec<Vec<Arc<Segment>>> {
    let count = run.len();
    run.sort_by_key(|segment| segment.entry.first_ns);
    let mut clusters: Vec<Vec<Arc<Segment>>> = Vec::new();
    let mut reached_ns = i64::MIN;
    for segment in &run {
        let is_far = segment.entry.first_ns.saturating_sub(reached_ns) >= GAP_NS.cast_signed();
        match clusters.last_mut() {
            Some(cluster) if !is_far => cluster.push(segment.clone()),
            _ => clusters.push(vec![segment.clone()]),
        }
        reached_ns = reached_ns.max(segment.entry.last_ns);
    }
    if clusters.len() > count / 2 {
        return vec![run];
    }
    clusters.retain(|cluster| cluster.len() > 1);
    clusters
}

/// A segment that is read row by row.
struct Cursor {
    segment: Arc<Segment>,
    chunks: Chunks,
    rows: SegmentRows,
    at: usize,
}

impl Cursor {
    /// `None` when there are no rows.
    fn open(segment: Arc<Segment>) -> Result<Option<Self>, StoreError> {
        let mut chunks = SegmentReader::open(segment.clone())?.chunks(TimeRange::ALL)?;
        let rows = chunks.next().transpose()?;
        Ok(rows.map(|rows| Self {
            segment,
            chunks,
            rows,
            at: 0,
        }))
    }

    fn key(&self, place: usize) -> Reverse<(i64, u64, usize)> {
        Reverse((self.rows.time_ns(self.at), self.rows.offset(self.at), place))
    }

    /// Goes to the next row; `false` when there is none.
    fn advance(&mut self) -> Result<bool, StoreError> {
        self.at += 1;
        while self.at >= self.rows.len() {
            match self.chunks.next().transpose()? {
                Some(rows) => (self.rows, self.at) = (rows, 0),
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}

fn merge_rows(writer: &mut SegmentWriter, inputs: &[Arc<Segment>]) -> Result<(), StoreError> {
    let mut cursors = Vec::new();
    for segment in inputs {
        cursors.extend(Cursor::open(segment.clone())?);
    }
    let mut next: BinaryHeap<_> = cursors
        .iter()
        .enumerate()
        .map(|(place, cursor)| cursor.key(place))
        .collect();
    while let Some(Reverse((_, offset, place))) = next.pop() {
        let cursor = &mut cursors[place];
        let row = cursor
            .rows
            .row(cursor.at)
            .map_err(|error| damaged(&cursor.segment, error))?;
        let edge = writer.edge(&row.edge);
        writer.push(offset, &row, edge)?;
        if cursor.advance()? {
            next.push(cursor.key(place));
        }
    }
    Ok(())
}
