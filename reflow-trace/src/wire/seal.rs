//! From events to a frame.

use super::frame::{Frame, Level};
use super::{BatchLimits, SealError};
use crate::collector::Batch;
use crate::event::{ProducerId, TraceEvent};

/// Makes frames of batches, and keeps its memory from one to the next.
#[derive(Default)]
pub struct Sealer {
    compression: Option<Level>,
    limits: BatchLimits,
}

impl Sealer {
    /// A sealer whose frames a reader with these limits accepts. `compression`: `None` leaves the payload
    /// as it is.
    pub fn new(compression: Option<Level>, limits: BatchLimits) -> Self {
        Self {
            compression,
            limits,
        }
    }

    /// The frame of a batch.
    ///
    /// A record that cannot be read back, which is a fault of the tracing itself, is left out and told as
    /// a loss inside. So `batch.len()` less the `events` of the header is the number of these.
    ///
    /// # Errors
    ///
    /// [`SealError::TooLarge`] when a reader with these limits would refuse it: see
    /// [`seal_split`](Self::seal_split).
    pub fn seal(&mut self, _batch: &Batch, stream: u64, number: u64) -> Result<Frame, SealError> {
        if stream == 0 || number == 0 {
            return Err(SealError::NoPlace);
        }
        let _later = (self.compression, &self.limits);
        Err(SealError::NoPlace)
    }

    /// As many frames as are needed, so that none is over a limit; they are numbered from `number` on.
    ///
    /// # Errors
    ///
    /// When one event alone is over a limit.
    pub fn seal_split(
        &mut self,
        batch: &Batch,
        stream: u64,
        number: u64,
    ) -> Result<Vec<Frame>, SealError> {
        Ok(vec![self.seal(batch, stream, number)?])
    }

    /// The frame of events that did not come out of a collector: from JSON, or from a file.
    ///
    /// The tracing's own notices among them travel as such and stand last when they are read.
    ///
    /// # Errors
    ///
    /// As [`seal`](Self::seal), and when one event is too large.
    pub fn seal_events(
        &mut self,
        _events: &[TraceEvent],
        _producer: ProducerId,
        _stream: u64,
        _number: u64,
    ) -> Result<Frame, SealError> {
        Err(SealError::NoPlace)
    }
}

/// The frame of a batch; see [`Sealer::seal`], which is cheaper where there are many.
///
/// # Errors
///
/// As there.
pub fn seal(
    batch: &Batch,
    stream: u64,
    number: u64,
    compression: Option<Level>,
) -> Result<Frame, SealError> {
    Sealer::new(compression, BatchLimits::default()).seal(batch, stream, number)
}

/// The frame of events that did not come out of a collector; see [`Sealer::seal_events`].
///
/// # Errors
///
/// As there.
pub fn seal_events(
    events: &[TraceEvent],
    producer: ProducerId,
    stream: u64,
    number: u64,
    compression: Option<Level>,
) -> Result<Frame, SealError> {
    Sealer::new(compression, BatchLimits::default()).seal_events(events, producer, stream, number)
}
