//! What goes into a store, and what became of it.

use std::sync::Arc;

use reflow_trace::wire::{Frame, WireBatch};

/// One batch that was admitted: the bytes as they came, and what they decoded to.
///
/// It was decoded before, in its session, so that nothing that cannot be read is ever committed.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The frame, its CRC checked. Its header names stream and number.
    pub frame: Frame,
    /// The same, decoded.
    pub batch: Arc<WireBatch>,
}

impl Admitted {
    /// The run of a client that the batch belongs to.
    pub fn stream(&self) -> u64 {
        self.frame.header().stream
    }

    /// The place in its stream, from 1 upwards.
    pub fn number(&self) -> u64 {
        self.frame.header().number
    }
}

/// What became of an [`Admitted`] batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Committed {
    /// It is stored at this place in the log, counted from 1 and ascending by one.
    Stored {
        /// The place; live streams are filled up from it.
        offset: u64,
    },
    /// It, or a later one of its stream, was stored before.
    Duplicate,
}
