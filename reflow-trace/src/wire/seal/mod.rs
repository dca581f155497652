//! From events to a frame.
//!
//! The records of a batch are read once, word by word, and taken apart into columns: no event is built.
//! What a record refers to gets a number in the dictionary of the batch when it comes up first.

mod columns;
mod dictionary;
mod forms;
mod message_id;
mod notices;
mod numbers;
mod rows;
mod sections;

use std::collections::HashMap;

use self::notices::put_notice;
use self::rows::Rows;
pub(super) use self::sections::MESSAGE_ID;
use super::format::{BATCH_VERSION, field};
use super::frame::{Compressor, Frame, FrameKind, Level};
use super::protobuf::{put_bytes, put_float, put_number};
use super::{BatchLimits, SealError};
use crate::clock::Calibration;
use crate::collector::Batch;
use crate::edge::Dictionary;
use crate::event::{ProducerId, TraceEvent};
use crate::record::{Surroundings, encode_event};
use crate::runtime::RING_BY_HAND;
use crate::sampling::ThresholdTable;

/// Makes frames of batches, and keeps its memory from one to the next.
#[derive(Default)]
pub struct Sealer {
    compression: Option<Level>,
    limits: BatchLimits,
    rows: Rows,
    /// The field `notice`, as it is written.
    notices: Vec<u8>,
    counters: u64,
    compressor: Option<Compressor>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

/// The frames that a batch became.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Numbered one after the other.
    pub frames: Vec<Frame>,
    /// Events that are in none of them because each alone is over a limit.
    pub too_large: u64,
    /// Records that could not be read back, which is a fault of the tracing itself.
    pub corrupt: u64,
}

impl Sealer {
    /// A sealer whose frames a reader with these limits accepts. `compression`: `None` leaves the payload
    /// as it is.
    pub fn new(compression: Option<Level>, limits: BatchLimits) -> Self {
        Self {
            compression,
            limits,
            ..Self::default()
        }
    }

    /// The frame of a batch.
    ///
    /// A record that cannot be read back, which is a fault of the tracing itself, is left out: so
    /// `batch.len()` less the `events` of the header is the number of these.
    ///
    /// # Errors
    ///
    /// [`SealError::TooLarge`] when a reader with these limits would refuse it: see
    /// [`seal_split`](Self::seal_split).
    pub fn seal(&mut self, batch: &Batch, stream: u64, number: u64) -> Result<Frame, SealError> {
        self.seal_part(batch, 0..usize::MAX, true, [stream, number])
    }

    /// As many frames as are needed, so that none is over a limit; they are numbered from `number` on.
    ///
    /// # Errors
    ///
    /// When zstd has no memory, when stream or number is 0, and when the tracing's own notices are over a
    /// limit.
    pub fn seal_split(
        &mut self,
        batch: &Batch,
        stream: u64,
        number: u64,
    ) -> Result<Sealed, SealError> {
        let mut sealed = Sealed::default();
        // Begin and end of the parts that are not sealed yet, the first one last.
        let mut left = vec![(0, batch.len())];
        // The notices go with the part that is sealed first.
        let mut with_notices = true;
        while let Some((start, end)) = left.pop() {
            let events = end - start;
            let place = [stream, number + sealed.frames.len() as u64];
            match self.seal_part(batch, start..end, with_notices, place) {
                Ok(frame) => {
                    sealed.corrupt += events as u64 - u64::from(frame.header().events);
                    with_notices = false;
                    sealed.frames.push(frame);
                }
                Err(SealError::TooLarge { .. }) if events > 1 => {
                    let middle = start + events / 2;
                    left.extend([(middle, end), (start, middle)]);
                }
                Err(SealError::TooLarge { .. }) if events == 1 => {
                    sealed.too_large += 1;
                }
                Err(error) => return Err(error),
            }
        }
        if with_notices && !batch.notices().is_empty() {
            let place = [stream, number + sealed.frames.len() as u64];
            sealed
                .frames
                .push(self.seal_part(batch, 0..0, true, place)?);
        }
        Ok(sealed)
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
        events: &[TraceEvent],
        producer: ProducerId,
        stream: u64,
        number: u64,
    ) -> Result<Frame, SealError> {
        self.begin(producer);
        let dictionary = Dictionary::new();
        let thresholds = ThresholdTable::new();
        // Events built by hand bring their times in nanoseconds; the ticks beside them are not looked at.
        let calibration = Calibration::begin();
        let throughput = HashMap::new();
        let around = Surroundings {
            calibration: &calibration,
            dictionary: &dictionary,
            thresholds: &thresholds,
            cpu_usage_percent: None,
            throughput: &throughput,
        };
        for (index, event) in events.iter().enumerate() {
            if self.put_notice(event) {
                continue;
            }
            let sequence = u64::from(self.rows.len()) + 1;
            let words = encode_event(event, sequence, &dictionary, &calibration)
                .map_err(|_| SealError::EventTooLarge { index })?;
            if !self.rows.add(&words, RING_BY_HAND, &around) {
                return Err(SealError::EventTooLarge { index });
            }
            self.check_size()?;
        }
        self.finish(producer, None, [stream, number])
    }

    fn seal_part(
        &mut self,
        batch: &Batch,
        part: std::ops::Range<usize>,
        with_notices: bool,
        place: [u64; 2],
    ) -> Result<Frame, SealError> {
        let producer = batch.producer();
        self.begin(producer);
        let around = batch.surroundings();
        for (ring, words) in batch.records().take(part.end).skip(part.start) {
            if self.rows.add(words, ring, &around) {
                self.check_size()?;
            }
        }
        if with_notices {
            for event in batch.notices() {
                if !self.put_notice(event) {
                    return Err(SealError::NotANotice);
                }
            }
        }
        self.finish(producer, around.cpu_usage_percent, place)
    }

    fn begin(&mut self, producer: ProducerId) {
        self.rows.clear(producer);
        self.notices.clear();
        self.counters = 0;
    }

    /// `false`: it is none, or cannot be told apart from one that only looks like it.
    fn put_notice(&mut self, event: &TraceEvent) -> bool {
        let lines = put_notice(event, &mut self.rows.dictionary, &mut self.notices);
        self.counters += lines.unwrap_or(0);
        lines.is_some()
    }

    /// Gives up early, before memory is filled for what will be refused.
    #[inline]
    fn check_size(&self) -> Result<(), SealError> {
        check("events", u64::from(self.rows.len()), self.limits.events_max)?;
        check(
            "plain bytes",
            self.rows.columns.bytes() as u64,
            self.limits.frame.plain_bytes_max,
        )
    }

    fn finish(
        &mut self,
        producer: ProducerId,
        cpu_usage_percent: Option<f32>,
        place: [u64; 2],
    ) -> Result<Frame, SealError> {
        if place.contains(&0) {
            return Err(SealError::NoPlace);
        }
        let dictionary = &self.rows.dictionary;
        let limits = &self.limits;
        check("names", dictionary.names_len() as u64, limits.names_max)?;
        check(
            "entries of a dictionary",
            dictionary.entries_len() as u64,
            limits.entries_max,
        )?;
        check("lines of counters", self.counters, limits.counters_max)?;

        let plain = &mut self.plain;
        plain.clear();
        put_number(plain, field::VERSION, BATCH_VERSION);
        put_number(plain, field::PRODUCER, producer.bits());
        put_number(plain, field::EVENTS, u64::from(self.rows.len()));
        if let Some(percent) = cpu_usage_percent {
            put_float(plain, field::CPU, percent);
        }
        dictionary.write(plain);
        if self.rows.forms.len() > 0 {
            put_bytes(plain, field::FORM, self.rows.forms.bytes());
        }
        self.rows.columns.write(plain);
        plain.extend_from_slice(&self.notices);
        check(
            "plain bytes",
            plain.len() as u64,
            limits.frame.plain_bytes_max,
        )?;
        self.pack(place)
    }

    /// Compresses what is in `plain`, where that is wanted and makes it smaller.
    fn pack(&mut self, place: [u64; 2]) -> Result<Frame, SealError> {
        let plain_len = self.plain.len() as u32;
        let mut is_compressed = false;
        if let Some(level) = self.compression {
            let compressor = self.compressor.get_or_insert_default();
            if !compressor.compress(&self.plain, level, &mut self.packed) {
                return Err(SealError::Compression {
                    bytes: u64::from(plain_len),
                });
            }
            let packed_len = self.packed.len() as u32;
            // What is denser than a reader may accept goes as it is.
            is_compressed =
                packed_len < plain_len && !self.limits.frame.is_too_dense(packed_len, plain_len);
        }
        let payload = if is_compressed {
            &self.packed
        } else {
            &self.plain
        };
        check(
            "bytes",
            payload.len() as u64,
            self.limits.frame.payload_bytes_max,
        )?;
        Ok(Frame::build(
            FrameKind::Batch,
            place,
            self.rows.len(),
            plain_len,
            is_compressed,
            payload,
        ))
    }
}

#[inline]
fn check(what: &'static str, amount: u64, max: u32) -> Result<(), SealError> {
    let max = u64::from(max);
    if amount > max {
        Err(SealError::TooLarge { what, amount, max })
    } else {
        Ok(())
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
