//! Retention, and the removal of files that nobody holds any more.
//!
//! What counts is when a batch was committed, by the server's clock: a client whose clock is wrong can
//! neither keep a segment for ever nor let it vanish at once.

use std::sync::Arc;

use reflow_trace::event::ProducerId;

use super::{Maintainer, Now};
use crate::store::embedded::catalogue;
use crate::store::embedded::segment::Segment;
use crate::store::embedded::shared::State;
use crate::store::embedded::steps::{Halt, Step};
use crate::store::embedded::stretches::united;
use crate::store::embedded::tail::TailBatch;
use crate::store::{MaintenanceReport, StoreError};

impl Maintainer {
    /// Retires segments, ledgers and streams that are too old or too many.
    pub(super) fn retain(&mut self, report: &mut MaintenanceReport, now: Now) -> Result<(), Halt> {
        let settings = &self.shared.settings;
        let oldest_ns = settings
            .retain_for
            .zip(now.believed_ns)
            .map(|(age, now_ns)| {
                now_ns.saturating_sub(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX))
            });
        let state = self.shared.state();
        let (segments, ledgers) = (state.segments.clone(), state.ledgers.clone());
        // What follows looks at each of them, and commits need not wait for it.
        drop(state);
        let retired = outdated(&segments, oldest_ns, settings.retain_bytes);
        let outdated_producers =
            ledgers.outdated(oldest_ns.unwrap_or(i64::MIN), settings.ledger_bytes_max);
        // Whoever changes what somebody holds has to copy it first.
        drop((segments, ledgers));
        report.retired_segments += retired.len() as u64;
        let events: u64 = retired.iter().map(|segment| segment.entry.events).sum();
        report.retired_events += events;
        let streams_max = settings.streams_max;
        self.shared.seams.steps.reach(Step::Chosen)?;
        self.writer.run(move |writer| -> Result<(), Halt> {
            // Who has spoken since it was chosen is not outdated any more; nobody speaks while this runs.
            let ledgers = writer.shared.state().ledgers.clone();
            let silent = outdated_producers
                .into_iter()
                .filter(|&chosen| ledgers.is_silent_since(chosen));
            let producers: Vec<ProducerId> = silent.map(|chosen| chosen.producer).collect();
            drop(ledgers);
            // A tenth more than has to go, so that it is not looked for each time.
            let streams = match writer.streams.saturating_sub(streams_max) {
                0 => 0,
                over => over + streams_max / 10,
            };
            if retired.is_empty() && producers.is_empty() && streams == 0 {
                return Ok(());
            }
            let mut totals = writer.totals;
            totals.retired_segments += retired.len() as u64;
            totals.retired_events += events;
            totals.retired_producers += producers.len() as u64;
            totals.retired_streams += streams;
            let among = retired_among(&writer.shared.state(), &retired);
            writer.transact("retiring", totals, |transaction| {
                for segment in &retired {
                    catalogue::forget_segment(transaction, segment.entry.id)?;
                }
                for &producer in &producers {
                    catalogue::forget_ledger(transaction, producer)?;
                }
                catalogue::put_retired(transaction, &among)?;
                catalogue::forget_streams(transaction, streams)
            })?;
            writer.shared.seams.steps.reach(Step::Swapped)?;
            writer.streams -= streams;
            let mut state = writer.shared.state();
            for &producer in &producers {
                writer.sealed.forget(producer);
                state.ledgers.forget(producer);
            }
            state.totals = totals;
            let removed: Vec<u64> = retired.iter().map(|segment| segment.entry.id).collect();
            state.replace_segments(&removed, Vec::new());
            state.retired_among = Arc::new(among);
            drop(state);
            writer.shared.seams.steps.reach(Step::Forgotten)
        })??;
        self.remove_files(report)
    }

    /// Removes the files of retired segments that nobody holds.
    pub(super) fn remove_files(&mut self, report: &mut MaintenanceReport) -> Result<(), Halt> {
        let mut state = self.shared.state();
        // The list here holds one; a view holds another, by its list of segments.
        let (free, held): (Vec<_>, Vec<_>) = std::mem::take(&mut state.retired)
            .into_iter()
            .partition(|segment| Arc::strong_count(segment) == 1);
        state.retired = held;
        drop(state);
        if free.is_empty() {
            return Ok(());
        }
        let mut removed = Vec::new();
        let mut failed = None;
        for segment in free {
            match self.shared.seams.files.remove(&segment.path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    failed.get_or_insert_with(|| {
                        StoreError::io(format!("remove `{}`", segment.path.display()), error)
                    });
                    self.shared.state().retired.push(segment);
                }
                _ => removed.push(segment.entry.id),
            }
        }
        report.removed_files += removed.len() as u64;
        self.writer.run(move |writer| {
            let totals = writer.totals;
            writer.transact("removing roll-ups", totals, |transaction| {
                catalogue::remove_rollups(transaction, &removed)
            })
        })??;
        failed.map_or(Ok(()), |error| Err(Halt::Failed(error)))
    }
}

/// Offsets of what is retired, now or before, as far as they are among those of what is kept: segments that were made
/// together have offsets of each other's, and one may go before the others.
fn retired_among(state: &State, retired: &[Arc<Segment>]) -> Vec<(u64, u64)> {
    let is_kept = |segment: &&Arc<Segment>| {
        let mut retired = retired.iter();
        retired.all(|other| other.entry.id != segment.entry.id)
    };
    let kept = state.segments.iter().filter(is_kept);
    let kept = kept.map(|segment| segment.entry.first_offset);
    let tail = state.tail.iter().map(TailBatch::offset);
    let begin = kept.chain(tail).min().unwrap_or(u64::MAX);
    let now = retired.iter().map(|segment| &segment.entry);
    let now = now.map(|entry| (entry.first_offset, entry.last_offset + 1));
    let mut all = united(state.retired_among.iter().copied().chain(now));
    all.retain(|&(_, end)| begin < end);
    all
}

/// Segments that were committed before a moment, and the oldest ones as long as all together are too large.
fn outdated(
    segments: &[Arc<Segment>],
    oldest_ns: Option<i64>,
    bytes_max: Option<u64>,
) -> Vec<Arc<Segment>> {
    let mut oldest_first: Vec<&Arc<Segment>> = segments.iter().collect();
    oldest_first.sort_by_key(|segment| (segment.entry.committed_last_ns, segment.entry.id));
    let mut bytes: u64 = segments.iter().map(|segment| segment.entry.bytes).sum();
    let outdated = oldest_first.into_iter().filter(|segment| {
        let is_old = oldest_ns.is_some_and(|oldest_ns| segment.entry.committed_last_ns < oldest_ns);
        let is_too_much = bytes_max.is_some_and(|bytes_max| bytes > bytes_max);
        if is_old || is_too_much {
            bytes -= segment.entry.bytes;
        }
        is_old || is_too_much
    });
    outdated.cloned().collect()
}
