//! The lanes of a recording: handed out to threads, given back, read by the collector.

use std::sync::{Arc, PoisonError};

use super::Runtime;
use crate::event::RING_BITS;
use crate::lane::{FlowTable, LaneOwned, LaneShared};
use crate::ring::{Reader, Ring};

/// Ring 0 is that of events recorded by hand.
pub(crate) const RING_BY_HAND: u32 = 0;

/// All lanes.
pub(crate) struct Lanes {
    ring_capacity: usize,
    rings_max: usize,
    pub(crate) shared: Vec<Arc<LaneShared>>,
    /// Given back by threads that have exited.
    free: Vec<LaneOwned>,
    /// Not yet taken over by the collector.
    pub(crate) new_readers: Vec<(Arc<LaneShared>, Reader)>,
    /// Set when recording ends: no more lanes.
    closed: bool,
}

impl Lanes {
    pub(super) fn new(ring_capacity: usize, rings_max: usize) -> Self {
        Self {
            ring_capacity,
            rings_max: rings_max.min((1 << RING_BITS) - 1),
            shared: Vec::new(),
            free: Vec::new(),
            new_readers: Vec::new(),
            closed: false,
        }
    }

    /// No more lanes from now on.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.free.clear();
    }

    fn take(&mut self) -> Option<LaneOwned> {
        if self.closed {
            return None;
        }
        if let Some(lane) = self.free.pop() {
            return Some(lane);
        }
        if self.shared.len() >= self.rings_max {
            return None;
        }
        let shared = LaneShared::new(self.shared.len() as u32 + RING_BY_HAND + 1);
        let (writer, reader) = Ring::with_capacity(self.ring_capacity);
        self.shared.push(Arc::clone(&shared));
        self.new_readers.push((Arc::clone(&shared), reader));
        Some(LaneOwned {
            shared,
            writer,
            roots: 0,
            flows: FlowTable::new(),
        })
    }
}

impl Runtime {
    /// A lane for this thread; `None` when there are too many.
    pub(crate) fn take_lane(&self) -> Option<LaneOwned> {
        self.lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// A thread needs its lane no more; what is in the ring is still collected.
    pub(crate) fn give_back_lane(&self, lane: LaneOwned) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if !lanes.closed {
            lanes.free.push(lane);
        }
    }
}
