//! The maps of the segments that were read last.
//!
//! Reading where everything is in a segment of millions of rows takes longer than reading a page of it.
//! Segments never change, so what was read once is true for ever; what is kept is bounded by its memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::read::{Map, SegmentReader};
use super::{Segment, damaged};
use crate::store::StoreError;

/// Bytes of memory for maps; a segment of four million rows has about one megabyte of them.
const BYTES_MAX: usize = 128 << 20;

/// Maps, those used last at the end.
#[derive(Default)]
pub(crate) struct Maps(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    maps: VecDeque<(u64, Map)>,
    bytes: usize,
}

impl Maps {
    /// Opens a segment by the map that was kept of it, or reads its map and keeps it.
    pub(crate) fn open(&self, segment: &Arc<Segment>) -> Result<SegmentReader, StoreError> {
        let known = self.get(segment.entry.id);
        let is_known = known.is_some();
        let reader = SegmentReader::open_with(segment.clone(), known)?;
        if is_known {
            // What was not looked at this time may have been cut off since.
            let found = reader.bytes();
            if found != Some(segment.entry.bytes) {
                return Err(damaged(segment, "it has another length than was written"));
            }
        } else {
            self.keep(segment.entry.id, reader.map().clone());
        }
        Ok(reader)
    }

    fn get(&self, id: u64) -> Option<Map> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.maps.iter().position(|&(known, _)| known == id)?;
        let found = kept.maps.remove(place)?;
        kept.maps.push_back(found.clone());
        Some(found.1)
    }

    fn keep(&self, id: u64, map: Map) {
        let bytes = map.memory_bytes();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.maps.iter().any(|&(known, _)| known == id) {
            return;
        }
        kept.bytes += bytes;
        kept.maps.push_back((id, map));
        while kept.bytes > BYTES_MAX
            && let Some((_, oldest)) = kept.maps.pop_front()
        {
            kept.bytes -= oldest.memory_bytes();
        }
    }
}
