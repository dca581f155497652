//! A group of records on its way to the sinks.

use std::collections::HashMap;
use std::sync::Arc;

use crate::clock::Calibration;
use crate::edge::EdgeNumber;
use crate::event::{ProducerId, TraceEvent};
use crate::ledger::{Loss, LossReason};
use crate::record::{Origin, Record, Surroundings, view};
use crate::ring::{SLOT_WORDS, continuation_slots};
use crate::runtime::{RING_BY_HAND, dictionary, thresholds};

/// What the collector knew when it sealed a batch.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) calibration: Calibration,
    pub(crate) cpu_usage_percent: Option<f32>,
    pub(crate) throughput: Arc<HashMap<EdgeNumber, f64>>,
}

/// A group of events, compact until somebody reads them.
#[derive(Debug)]
pub struct Batch {
    producer: ProducerId,
    /// Records one after the other.
    words: Vec<u64>,
    /// From which word on the records are of which ring.
    rings: Vec<(usize, u32)>,
    len: usize,
    moment: Moment,
    /// What the tracing reports of itself; not counted as events.
    notices: Vec<TraceEvent>,
}

impl Batch {
    pub(crate) fn new(producer: ProducerId, moment: Moment) -> Self {
        Self {
            producer,
            words: Vec::new(),
            rings: Vec::new(),
            len: 0,
            moment,
            notices: Vec::new(),
        }
    }

    /// How many events were recorded in it, without the tracing's own notices.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing to pass on.
    pub fn is_empty(&self) -> bool {
        self.len == 0 && self.notices.is_empty()
    }

    /// Bytes that the batch holds in memory, nearly.
    pub fn memory_bytes(&self) -> usize {
        // A notice is an event with a few attributes.
        size_of::<Self>() + self.words.capacity() * 8 + self.notices.len() * 1024
    }

    /// The events, those of one ring in the order in which they ended; then the tracing's own notices:
    /// losses and counters.
    pub fn events(&self) -> impl Iterator<Item = TraceEvent> {
        let surroundings = self.surroundings();
        let recorded = self.records().map(move |(ring, words)| {
            let origin = Origin {
                producer: self.producer,
                ring,
            };
            view(words, origin, &surroundings).unwrap_or_else(|| {
                TraceEvent::loss(Loss {
                    reason: LossReason::Corrupt,
                    count: 1,
                })
            })
        });
        recorded.chain(self.notices.iter().cloned())
    }

    /// The words of each record, and the ring that they were read from.
    pub(crate) fn records(&self) -> impl Iterator<Item = (u32, &[u64])> {
        let mut rings = self.rings.iter().copied().peekable();
        let mut ring = 0;
        let mut at = 0;
        std::iter::from_fn(move || {
            let &first = self.words.get(at)?;
            while let Some(&(start, next)) = rings.peek()
                && start <= at
            {
                ring = next;
                rings.next();
            }
            let end = at + SLOT_WORDS * (1 + continuation_slots(first));
            let words = self.words.get(at..end)?;
            at = end;
            Some((ring, words))
        })
    }

    /// What the records refer to.
    pub(crate) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            calibration: &self.moment.calibration,
            dictionary: dictionary(),
            thresholds: thresholds(),
            cpu_usage_percent: self.moment.cpu_usage_percent,
            throughput: &self.moment.throughput,
        }
    }

    /// Who has recorded it.
    #[cfg(feature = "wire")]
    pub(crate) fn producer(&self) -> ProducerId {
        self.producer
    }

    /// What the tracing reports of itself.
    #[cfg(feature = "wire")]
    pub(crate) fn notices(&self) -> &[TraceEvent] {
        &self.notices
    }

    /// Where the next records go, which are of this ring.
    pub(crate) fn words_for(&mut self, ring: u32) -> &mut Vec<u64> {
        if self.rings.last().is_none_or(|&(_, last)| last != ring) {
            self.rings.push((self.words.len(), ring));
        }
        &mut self.words
    }

    pub(crate) fn count_one(&mut self) {
        self.len += 1;
    }

    pub(crate) fn notice(&mut self, event: TraceEvent) {
        self.notices.push(event);
    }

    pub(crate) fn take_notices(&mut self, other: &mut Self) {
        self.notices.append(&mut other.notices);
    }

    /// The clock ticks at which the first event ended, where it came from a ring and has a duration.
    pub(crate) fn first_end(&self) -> Option<u64> {
        let first = self.words.first_chunk().and_then(Record::unpack)?;
        let is_from_a_ring = self
            .rings
            .first()
            .is_some_and(|&(_, ring)| ring != RING_BY_HAND);
        let duration = first.duration.filter(|_| is_from_a_ring)?;
        Some(first.start.wrapping_add(duration))
    }

    pub(crate) fn seal(&mut self, moment: Moment) {
        self.moment = moment;
    }
}
