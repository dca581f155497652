//! The loop of the collector.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};

use super::account::Collected;
use super::batch::{Batch, Moment};
use super::flush::Flush;
use super::rates::Rates;
use crate::clock::{Calibration, ticks};
use crate::event::TraceEvent;
use crate::lane::LaneShared;
use crate::ledger::{CounterSnapshot, Coverage, Loss, TracingMetrics};
use crate::record::encode_event;
use crate::ring::Reader;
use crate::runtime::{ByHand, Command, Occasion, RING_BY_HAND, Runtime, dictionary};
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
/// Flushes under way at one time; more wait among the commands.
const FLUSHES_MAX: usize = 64;

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
    flushes: Vec<Flush>,
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
            flushes: Vec::new(),
            nap: batch_timeout.min(NAP_MAX),
        }
    }

    /// Runs until told to end.
    pub(crate) fn run(mut self) {
        let mut is_ending = false;
        while !(is_ending && self.flushes.is_empty()) {
            let takes_commands = !is_ending && self.flushes.len() < FLUSHES_MAX;
            let command = takes_commands.then(|| self.commands.try_recv());
            if !is_ending {
                self.collect();
            }
            match command {
                Some(Ok(command)) => {
                    is_ending = command.occasion == Occasion::End;
                    self.flush(command);
                }
                // The recording itself holds the other end.
                Some(Err(TryRecvError::Disconnected)) => return,
                Some(Err(TryRecvError::Empty)) | None => {
                    if !is_ending {
                        self.report();
                    }
                    let is_flushing = !self.flushes.is_empty();
                    std::thread::park_timeout(if is_flushing { NAP_MIN } else { self.nap });
                }
            }
            self.answer_flushes();
        }
        for sink in self.sinks.drain(..) {
            sink.finish();
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

    /// Everything to the sinks, and to where they keep it; answered when they are done.
    fn flush(&mut self, command: Command) {
        self.notice_losses();
        self.notice_counters();
        self.seal();
        self.flushes.push(Flush::begin(command, &self.sinks));
    }

    /// Answers the flushes that are over.
    fn answer_flushes(&mut self) {
        for mut flush in std::mem::take(&mut self.flushes) {
            match flush.look(&self.sinks) {
                Some(in_time) => {
                    // Whoever asked may look at once.
                    self.publish_metrics();
                    flush.answer(in_time);
                }
                None => self.flushes.push(flush),
            }
        }
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
        let queues: usize = self.sinks.iter().map(SinkWorker::memory_bytes).sum();
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
            policies_not_found: self.runtime.policies_not_found(),
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
