//! The loop of the collector.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::account::Collected;
use super::batch::{Batch, Moment};
use super::rates::Rates;
use crate::clock::{Calibration, ticks};
use crate::event::TraceEvent;
use crate::lane::LaneShared;
use crate::ledger::{CounterSnapshot, Coverage, Loss, TracingMetrics};
use crate::record::encode_event;
use crate::ring::Reader;
use crate::runtime::{Answer, ByHand, Command, RING_BY_HAND, Runtime, dictionary};
use crate::sink::SinkWorker;

/// Largest batch, in events.
const BATCH_EVENTS_MAX: usize = 8_192;
/// How often the exact counters go to the sinks while the program runs.
const COUNTERS_EVERY: Duration = Duration::from_secs(10);
/// Shortest sleep between two looks at the rings under full traffic. A look touches what the writers
/// are writing to; traffic that fills a ring faster wakes the collector.
const NAP_MIN: Duration = Duration::from_millis(1);
/// How often losses and metrics are looked at, which touches the counters of all threads.
const REPORT_EVERY: Duration = Duration::from_millis(50);
/// Longest sleep; metrics are at most this old.
const NAP_MAX: Duration = Duration::from_millis(500);

/// Empties the rings of one recording.
pub(crate) struct Collector {
    runtime: Arc<Runtime>,
    by_hand: Receiver<ByHand>,
    commands: Receiver<Command>,
    sinks: Vec<SinkWorker>,
    batch_size: usize,
    batch_timeout: Duration,
    readers: Vec<(Arc<LaneShared>, Reader)>,
    calibration: Calibration,
    rates: Rates,
    batch: Batch,
    /// When the batch got its first event.
    batch_since: Option<Instant>,
    collected: Collected,
    by_hand_sequence: u64,
    reported_losses: Vec<Loss>,
    reported_counters: Option<(CounterSnapshot, Coverage)>,
    counters_since: Instant,
    reported: Instant,
    nap: Duration,
}

impl Collector {
    pub(crate) fn new(
        runtime: Arc<Runtime>,
        by_hand: Receiver<ByHand>,
        commands: Receiver<Command>,
        sinks: Vec<SinkWorker>,
        batch_size: usize,
        batch_timeout: Duration,
    ) -> Self {
        let calibration = Calibration::begin();
        let rates = Rates::new();
        let moment = moment_of(&calibration, &rates);
        let batch = Batch::new(runtime.producer(), moment);
        Self {
            runtime,
            by_hand,
            commands,
            sinks,
            batch_size,
            batch_timeout,
            readers: Vec::new(),
            calibration,
            rates,
            batch,
            batch_since: None,
            collected: Collected::default(),
            by_hand_sequence: 0,
            reported_losses: Vec::new(),
            reported_counters: None,
            counters_since: Instant::now(),
            reported: Instant::now(),
            nap: batch_timeout.min(NAP_MAX),
        }
    }

    /// Runs until told to stop.
    pub(crate) fn run(mut self) {
        loop {
            let command = self.commands.try_recv();
            self.collect();
            match command {
                Ok(Command::Flush { answer, within }) => self.flush(&answer, within),
                Ok(Command::Stop { answer, within }) => {
                    self.flush(&answer, within);
                    for sink in self.sinks.drain(..) {
                        sink.finish();
                    }
                    return;
                }
                Err(crossbeam_channel::TryRecvError::Empty) => {
                    self.report();
                    std::thread::park_timeout(self.nap);
                }
                // The recording itself holds the other end.
                Err(crossbeam_channel::TryRecvError::Disconnected) => return,
            }
        }
    }

    /// Takes everything that is there now.
    fn collect(&mut self) {
        let mut lanes = self
            .runtime
            .lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.readers.append(&mut lanes.new_readers);
        drop(lanes);
        let mut readers = std::mem::take(&mut self.readers);
        let fullest = readers
            .iter()
            .map(|(_, reader)| reader.fill())
            .fold(0.0, f64::max);
        self.adapt_nap(fullest);
        let overwritten_before = self.collected.overwritten;
        for (lane, reader) in &mut readers {
            self.drain(lane, reader);
        }
        self.collected.overwritten = readers.iter().map(|(_, reader)| reader.overwritten()).sum();
        debug_assert!(
            self.collected.overwritten >= overwritten_before,
            "losses are not undone"
        );
        self.readers = readers;
        while let Ok(ByHand { event }) = self.by_hand.try_recv() {
            self.take_by_hand(&event);
        }
        let waited = self
            .batch_since
            .is_some_and(|since| since.elapsed() >= self.batch_timeout);
        if self.batch.len() >= self.batch_size || waited {
            self.seal();
        }
    }

    /// Comes by as often as the fullest ring needs to be a quarter full, so that nobody has to wake us.
    fn adapt_nap(&mut self, fullest: f64) {
        let longest = self.batch_timeout.min(NAP_MAX);
        let wanted = if fullest > 0.0 {
            self.nap.mul_f64((0.25 / fullest).clamp(0.1, 2.0))
        } else {
            self.nap * 2
        };
        self.nap = wanted.clamp(NAP_MIN.min(longest), longest);
    }

    /// Empties one ring, as far as it was filled when this began: a thread that goes on recording must
    /// not keep the collector from the other rings.
    fn drain(&mut self, lane: &LaneShared, reader: &mut Reader) {
        let end = reader.written_to();
        while reader.position() < end && reader.pop(self.batch.words_for(lane.ring)) {
            self.collected.popped += 1;
            self.count_one();
        }
    }

    fn count_one(&mut self) {
        self.batch.count_one();
        self.batch_since.get_or_insert_with(Instant::now);
        if self.batch.len() >= BATCH_EVENTS_MAX {
            self.seal();
        }
    }

    fn take_by_hand(&mut self, event: &TraceEvent) {
        if self.by_hand_sequence == 0 {
            self.calibration.refresh();
        }
        self.by_hand_sequence += 1;
        match encode_event(
            event,
            self.by_hand_sequence,
            dictionary(),
            &self.calibration,
        ) {
            Ok(words) => {
                self.batch.words_for(RING_BY_HAND).extend_from_slice(&words);
                self.collected.by_hand += 1;
                self.count_one();
            }
            Err(_) => self.collected.by_hand_too_large += 1,
        }
    }

    /// Hands the batch to the sinks and begins a new one.
    fn seal(&mut self) {
        self.batch_since = None;
        if self.batch.is_empty() {
            return;
        }
        self.calibration.refresh();
        self.rates
            .look(self.collected.popped + self.collected.by_hand, || {
                self.runtime.messages_by_edge()
            });
        if let Some(first) = self.batch.first_end() {
            self.rates
                .note_latency(self.calibration.duration_ns(ticks().saturating_sub(first)));
        }
        let moment = moment_of(&self.calibration, &self.rates);
        let next = Batch::new(self.runtime.producer(), moment.clone());
        let mut events = std::mem::replace(&mut self.batch, next);
        events.seal(moment.clone());
        // Notices go by themselves: a sink that has no room for events still learns of losses.
        let mut notices = Batch::new(self.runtime.producer(), moment);
        notices.take_notices(&mut events);
        for batch in [events, notices]
            .into_iter()
            .filter(|batch| !batch.is_empty())
            .map(Arc::new)
        {
            for sink in &self.sinks {
                sink.send(&batch);
            }
        }
    }

    /// Passes on new losses, the counters when they are due, and what is known of ourselves.
    fn report(&mut self) {
        if self.reported.elapsed() < REPORT_EVERY {
            return;
        }
        self.reported = Instant::now();
        self.notice_losses();
        if self.counters_since.elapsed() >= COUNTERS_EVERY {
            self.notice_counters();
        }
        self.rates
            .look(self.collected.popped + self.collected.by_hand, || {
                self.runtime.messages_by_edge()
            });
        self.publish_metrics();
    }

    fn notice_losses(&mut self) {
        let losses = self.runtime.losses(&self.runtime.totals(), &self.collected);
        for loss in &losses {
            let before = self
                .reported_losses
                .iter()
                .find(|before| before.reason == loss.reason);
            let count = loss.count - before.map_or(0, |before| before.count);
            if count > 0 {
                self.batch.notice(TraceEvent::loss(Loss {
                    reason: loss.reason,
                    count,
                }));
                self.batch_since.get_or_insert_with(Instant::now);
            }
        }
        self.reported_losses = losses;
    }

    fn notice_counters(&mut self) {
        self.counters_since = Instant::now();
        let counters = self.runtime.counters();
        let wander_ns = self.calibration.wander_ns();
        let coverage = self.runtime.coverage(&self.collected, wander_ns);
        let has_news = self.reported_counters.as_ref().is_none_or(|reported| {
            let known = &reported.1;
            // The wander alone is no news.
            reported.0 != counters
                || known.threshold != coverage.threshold
                || known.rings != coverage.rings
                || known.lost_without_number != coverage.lost_without_number
                || (known.by_hand, known.by_hand_waiting)
                    != (coverage.by_hand, coverage.by_hand_waiting)
        });
        let has_content = !counters.edges.is_empty() || !coverage.rings.is_empty();
        if has_content && has_news {
            let event = TraceEvent::edge_counters(&counters).with_coverage(&coverage);
            self.batch.notice(event);
            self.batch_since.get_or_insert_with(Instant::now);
            self.reported_counters = Some((counters, coverage));
        }
    }

    /// Everything to the sinks, and to where they keep it.
    fn flush(&mut self, answer: &Answer, within: Duration) {
        let deadline = Instant::now() + within;
        self.notice_losses();
        self.notice_counters();
        self.seal();
        let answers: Vec<_> = self.sinks.iter().map(SinkWorker::request_flush).collect();
        let in_time = answers.into_iter().all(|answered| {
            answered.is_some_and(|answered| {
                // A sink answers by dropping its end.
                answered.recv_deadline(deadline)
                    != Err(crossbeam_channel::RecvTimeoutError::Timeout)
            })
        });
        self.publish_metrics();
        answer.give(in_time);
    }

    fn publish_metrics(&mut self) {
        let (events_per_second, avg_latency_ms) = self
            .rates
            .provisional(self.collected.popped + self.collected.by_hand);
        // The queues' side is read before the collector's: nothing is collected in between.
        let sinks: Vec<_> = self.sinks.iter().map(SinkWorker::ledger).collect();
        let mut ledger = self.runtime.ledger(&self.collected);
        ledger.sinks = sinks;
        // What waits in the open batch has been collected and not been handed over.
        let waiting = self.batch.len() as u64;
        for sink in &mut ledger.sinks {
            sink.queued += waiting;
        }
        let rings: usize = self
            .readers
            .iter()
            .map(|(_, reader)| reader.memory_bytes())
            .sum();
        let queues: usize = self.sinks.iter().map(SinkWorker::queued_bytes).sum();
        let bytes = rings + queues + self.batch.memory_bytes() + dictionary().memory_bytes();
        *self
            .runtime
            .metrics
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = TracingMetrics {
            events_per_second,
            avg_latency_ms,
            memory_usage_mb: bytes as f64 / 1e6,
            ledger,
            content: self.runtime.content.ledger(),
            propagation_faults: self.runtime.faults.get(),
        };
    }
}

fn moment_of(calibration: &Calibration, rates: &Rates) -> Moment {
    Moment {
        calibration: *calibration,
        cpu_usage_percent: rates.cpu_usage_percent,
        throughput: Arc::clone(&rates.throughput),
    }
}
