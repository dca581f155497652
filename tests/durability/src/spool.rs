//! What lies in a spool, read by somebody who knows its format and nothing of its program.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use bytes::Bytes;
use reflow_trace::wire::Frame;
use reflow_trace::wire::frame::{FrameLimits, FrameScanner, Scanned};

/// The whole batches of every file, by stream and number.
///
/// # Errors
///
/// When the directory cannot be read. A file that goes meanwhile is no error.
pub fn batches_in(directory: &Path) -> io::Result<BTreeMap<(u64, u64), Frame>> {
    let mut batches = BTreeMap::new();
    if !directory.exists() {
        return Ok(batches);
    }
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let is_ours = path
            .extension()
            .is_some_and(|extension| extension == "frames");
        let Some(bytes) = is_ours.then(|| std::fs::read(&path).ok()).flatten() else {
            continue;
        };
        let bytes = Bytes::from(bytes);
        for scanned in FrameScanner::new(bytes, FrameLimits::default()) {
            if let Scanned::Frame { frame, .. } = scanned {
                let header = frame.header();
                batches.insert((header.stream, header.number), frame);
            }
        }
    }
    Ok(batches)
}
