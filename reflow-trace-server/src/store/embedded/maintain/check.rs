//! Checking segments against their checksum, and setting those aside that are not what was written.
//!
//! One at a time, so that a call takes no longer than reading one file: first those whose reading has
//! failed, then those that were not looked at since the store was opened.
//!
//! A file that cannot be looked at at the moment, because too many are open or nobody gave the right to, is not a
//! damaged one: it stays where it is, and is looked at again.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::{Maintainer, Now};
use crate::store::embedded::catalogue::{self, SegmentEntry};
use crate::store::embedded::directory::Layout;
use crate::store::embedded::segment::Segment;
use crate::store::embedded::steps::Halt;
use crate::store::{MaintenanceReport, StoreError};

impl Maintainer {
    pub(super) fn check_one(
        &mut self,
        report: &mut MaintenanceReport,
        _now: Now,
    ) -> Result<(), Halt> {
        let segments = self.shared.state().segments.clone();
        let suspected = segments.iter().filter(|segment| segment.is_suspected());
        let unverified = segments
            .iter()
            .filter(|segment| !segment.is_suspected() && !segment.is_verified());
        let mut failed = None;
        // One that cannot be looked at keeps none of the others from it.
        for segment in suspected.chain(unverified) {
            match damage(&segment.path, &segment.entry) {
                Ok(None) => {
                    segment.set_verified();
                    break;
                }
                Ok(Some(damage)) => {
                    report.damaged_segments += 1;
                    self.set_aside(segment, damage)?;
                    break;
                }
                Err(error) => {
                    failed.get_or_insert_with(|| {
                        StoreError::io(format!("check `{}`", segment.path.display()), error)
                    });
                }
            }
        }
        failed.map_or(Ok(()), |error| Err(Halt::Failed(error)))
    }

    /// Takes a segment out of sight, and keeps what is left of its file.
    fn set_aside(&mut self, segment: &Arc<Segment>, damage: String) -> Result<(), Halt> {
        let id = segment.entry.id;
        let events = segment.entry.events;
        let hole = (segment.entry.first_offset, segment.entry.last_offset + 1);
        self.writer.run(move |writer| {
            let totals = writer.totals;
            writer.transact("setting a segment aside", totals, |transaction| {
                catalogue::set_damage(transaction, id, &damage)?;
                catalogue::remove_rollups(transaction, &[id])
            })?;
            let mut state = writer.shared.state();
            let kept = state
                .segments
                .iter()
                .filter(|segment| segment.entry.id != id);
            state.segments = Arc::new(kept.cloned().collect());
            Arc::make_mut(&mut state.holes).push(hole);
            state.counts.damaged_segments += 1;
            state.counts.damaged_events += events;
            Ok::<(), StoreError>(())
        })??;
        move_aside(&self.shared.layout, id);
        Ok(())
    }
}

/// Moves the file of a damaged segment to where nobody takes it for one. That may fail, or the file be
/// missing; the catalogue says what it is in any case, and a file that stays is tried again at the next start.
///
/// What lies there already, because an operator has put a mended file into the old place, is never written over.
pub(crate) fn move_aside(layout: &Layout, id: u64) {
    let made = std::fs::create_dir_all(layout.damaged());
    let place = (1..=KEPT_MAX)
        .map(|copy| layout.damaged_segment(id, copy))
        // A link that leads nowhere is something, too.
        .find(|path| path.symlink_metadata().is_err());
    if let (Ok(()), Some(place)) = (made, place) {
        let _moved = std::fs::rename(layout.segment(id), place);
    }
}

/// Most files of one damaged segment that are set aside; the next stays where it is.
const KEPT_MAX: u32 = 100;

/// What is wrong with a file; `None` when it is what was written. An error: that cannot be told now.
pub(crate) fn damage(path: &Path, entry: &SegmentEntry) -> io::Result<Option<String>> {
    Ok(match sum(path) {
        Ok((bytes, _)) if bytes != entry.bytes => Some(format!(
            "it has {bytes} bytes, and {} were written",
            entry.bytes
        )),
        Ok((_, crc32c)) if crc32c != entry.crc32c => Some("its checksum is wrong".to_owned()),
        Ok(_) => None,
        Err(error) if is_loss(&error) => Some(format!("it cannot be read: {error}")),
        Err(error) => return Err(error),
    })
}

/// Whether a file that could not be read is lost, as far as this store can tell. Anything else may pass.
pub(crate) fn is_loss(error: &io::Error) -> bool {
    /// The disk has an error, on every Unix.
    const EIO: i32 = 5;
    error.kind() == io::ErrorKind::NotFound || (cfg!(unix) && error.raw_os_error() == Some(EIO))
}

fn sum(path: &Path) -> io::Result<(u64, u32)> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    let (mut bytes, mut crc32c) = (0, 0);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, crc32c));
        }
        bytes += read as u64;
        crc32c = crc32c::crc32c_append(crc32c, &buffer[..read]);
    }
}
