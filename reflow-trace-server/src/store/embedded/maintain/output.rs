//! Segments that are being made: written, synced, named, and then known to the catalogue.

use std::path::PathBuf;
use std::sync::Arc;

use super::Maintainer;
use crate::store::StoreError;
use crate::store::embedded::catalogue::SegmentEntry;
use crate::store::embedded::segment::{Segment, SegmentWriter};
use crate::store::embedded::steps::{Halt, Step};

/// Files of one piece of work that the catalogue does not know yet.
#[derive(Default)]
pub(super) struct Outputs {
    pub(super) segments: Vec<Output>,
    /// Everything that was begun, under every name that it may have.
    begun: Vec<PathBuf>,
}

/// One of them.
#[derive(Clone)]
pub(super) struct Output {
    pub(super) entry: SegmentEntry,
    /// As it goes into the catalogue.
    pub(super) rollup: Arc<[u8]>,
}

impl Maintainer {
    /// Writes one segment; `fill` adds so many rows. `committed_ns`: when its batches were committed, first and last.
    pub(super) fn write_segment(
        &mut self,
        outputs: &mut Outputs,
        rows: u64,
        committed_ns: (i64, i64),
        fill: impl FnOnce(&mut SegmentWriter) -> Result<(), StoreError>,
    ) -> Result<(), Halt> {
        let (files, steps) = (&self.shared.seams.files, &self.shared.seams.steps);
        let id = self.next_segment;
        // A number is never used twice, also when the work fails: somebody may remember it.
        self.next_segment += 1;
        let (unfinished, path) = (
            self.shared.layout.unfinished(id),
            self.shared.layout.segment(id),
        );
        let name = path.display().to_string();
        let io = |what: &str, error| StoreError::io(format!("{what} `{name}`"), error);
        self.shared.check_open()?;
        steps.reach(Step::BeforeFile)?;
        outputs.begun.extend([unfinished.clone(), path.clone()]);
        let file = files
            .create(&unfinished)
            .map_err(|error| io("make the segment", error))?;
        let mut writer = SegmentWriter::new(file, name.clone(), rows, self.shared.clone())?;
        fill(&mut writer)?;
        let Some(mut finished) = writer.finish()? else {
            return Ok(());
        };
        steps.reach(Step::Written)?;
        finished
            .file
            .sync()
            .map_err(|error| io("sync the segment", error))?;
        drop(finished.file);
        steps.reach(Step::Synced)?;
        files
            .rename(&unfinished, &path)
            .map_err(|error| io("name the segment", error))?;
        steps.reach(Step::Renamed)?;
        let rollup = finished
            .summary
            .encode()
            .map_err(|error| io("sum up the segment", error))?;
        outputs.segments.push(Output {
            entry: SegmentEntry {
                id,
                first_offset: finished.offsets.0,
                last_offset: finished.offsets.1,
                events: finished.events,
                bytes: finished.bytes,
                crc32c: finished.crc32c,
                first_ns: finished.times_ns.0,
                last_ns: finished.times_ns.1,
                committed_first_ns: committed_ns.0,
                committed_last_ns: committed_ns.1,
                damage: None,
            },
            rollup: rollup.into(),
        });
        Ok(())
    }

    /// Waits until the names of the files are safe.
    pub(super) fn sync_names(&self, outputs: &Outputs) -> Result<(), Halt> {
        if !outputs.segments.is_empty() {
            let directory = self.shared.layout.segments();
            self.shared
                .seams
                .files
                .sync_directory(&directory)
                .map_err(|error| {
                    StoreError::io(format!("sync `{}`", directory.display()), error)
                })?;
        }
        self.shared.seams.steps.reach(Step::BeforeSwap)
    }

    /// Ends a piece of work: what has failed leaves no files behind, what was killed leaves all. Where it is
    /// not known whether the catalogue names them, they stay until it is: see [`settle`](Self::settle).
    pub(super) fn conclude(
        &mut self,
        outputs: &Outputs,
        result: Result<(), Halt>,
    ) -> Result<(), Halt> {
        match &result {
            Err(Halt::Failed(StoreError::Unknown(_))) => {
                self.doubtful.extend_from_slice(&outputs.begun);
            }
            Err(Halt::Failed(_)) => self.remove_begun(&outputs.begun),
            Ok(()) | Err(Halt::Killed) => {}
        }
        result
    }

    /// Clears up after a swap whose commit the disk has failed, before anything else is written.
    ///
    /// The failed transaction may lie whole in the write-ahead log, where only a restart would find it. The
    /// next transaction that succeeds is written over it; from then on the files are nobody's. While none
    /// succeeds, nothing is sealed or merged, so that a failing disk does not fill up with doubtful files.
    pub(super) fn settle(&mut self) -> Result<(), Halt> {
        if self.doubtful.is_empty() {
            return Ok(());
        }
        self.writer.run(|writer| {
            let mut totals = writer.totals;
            totals.probes += 1;
            writer.transact("settling", totals, |_| Ok(()))?;
            writer.shared.state().totals = totals;
            Ok::<_, StoreError>(())
        })??;
        let doubtful = std::mem::take(&mut self.doubtful);
        self.remove_begun(&doubtful);
        Ok(())
    }

    fn remove_begun(&self, paths: &[PathBuf]) {
        for path in paths {
            // Most are not there; what cannot be removed is removed when the store is opened.
            let _maybe = self.shared.seams.files.remove(path);
        }
    }

    /// The segments as they are known in memory.
    pub(super) fn known(&self, outputs: &[Output]) -> Vec<Arc<Segment>> {
        let known = outputs.iter().map(|output| {
            let path = self.shared.layout.segment(output.entry.id);
            let segment = Segment::new(output.entry.clone(), path);
            // Its checksum was made of what was written.
            segment.set_verified();
            Arc::new(segment)
        });
        known.collect()
    }
}
